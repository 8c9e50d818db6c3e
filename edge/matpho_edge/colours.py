"""The colour of a thing as a person would name it, from a crop of a camera's picture.

First the light is taken out of the crop (`colours_light`): dusk and rain turn white paint grey, street lamps turn it
yellow. Then a small network says how likely each name is. It knows what kind of thing it looks at, because the colour
of a motorcycle is that of its body and not of its rider, and that of a person is what they wear above the waist.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from matpho_contracts.errors import BadInputError
from matpho_contracts.vocabulary import Colour, ObjectClass
from matpho_edge.colours_light import DAYLIGHT, Light
from matpho_embeddings.models import ModelCard, model_path, open_folder
from matpho_embeddings.runtime import Session, open_session

SHIPPED = "city-colours"
MOST_COLOURS = 4
LEAST_SHARE = 0.05
"""A colour with fewer of the votes is not what the thing may be called."""
MIN_PIXELS = 6
"""A crop with a shorter side than this says nothing about colour."""
SIDE = 32
"""The network looks at crops of so many pixels a side."""
UNKNOWN_CLASS = len(ObjectClass)
WHITE, BRIGHTEST = 235.0, 300.0
"""What white becomes once the light is taken out, and what is brighter than white is cut to."""
_CLASSES = {object_class.value: number for number, object_class in enumerate(ObjectClass)}
_ORDER = tuple(Colour)

Picture = NDArray[np.uint8]


class Look(NamedTuple):
    """One look at one thing: its crop (height, width, 3) BGR, what it is, and the light around it."""

    crop: Picture
    label: str
    light: Light = DAYLIGHT


def colour_votes(looks: Sequence[Look]) -> list[dict[Colour, float]]:
    """How likely each colour is at each look, together 1; empty when a crop is too small. Votes of several looks at
    one thing may be added up."""
    large = [number for number, look in enumerate(looks) if min(look.crop.shape[:2]) >= MIN_PIXELS]
    votes: list[dict[Colour, float]] = [{} for _ in looks]
    if large:
        session = _session()
        chances = session.run(
            {
                "pictures": np.stack([plain_light(looks[number].crop, looks[number].light) for number in large]),
                "surroundings": np.array([surroundings(looks[number].light) for number in large], np.float32),
                "classes": np.array([class_number(looks[number].label) for number in large], np.int64),
            }
        )[0]
        for number, row in zip(large, chances, strict=True):
            votes[number] = {colour: float(chance) for colour, chance in zip(_ORDER, row, strict=True)}
    return votes


def choose(votes: dict[Colour, float]) -> Colour | None:
    """The colour that the votes speak for; None without votes."""
    return max(votes, key=lambda colour: votes[colour]) if votes else None


def plausible(votes: dict[Colour, float]) -> dict[Colour, float]:
    """The colours that deserve mention, likeliest first, each with its share of all votes (two decimals)."""
    total = sum(votes.values())
    ranked = sorted(votes, key=lambda colour: votes[colour], reverse=True)[:MOST_COLOURS]
    return {colour: round(votes[colour] / total, 2) for colour in ranked if votes[colour] >= LEAST_SHARE * total}


def name_colour(crop: Picture, label: str = "", light: Light = DAYLIGHT) -> Colour | None:
    """The main colour of the thing in the crop."""
    return choose(colour_votes([Look(crop, label, light)])[0])


def plain_light(crop: Picture, light: Light) -> Picture:
    """The crop as the network wants it: (SIDE, SIDE, 3) BGR, the light taken out, 255 standing for BRIGHTEST."""
    method = cv2.INTER_AREA if min(crop.shape[:2]) >= SIDE else cv2.INTER_LINEAR
    small = cv2.resize(crop, (SIDE, SIDE), interpolation=method).astype(np.float32)
    factors = np.asarray(light.tint, np.float32) * np.float32(WHITE / light.white * 255.0 / BRIGHTEST)
    return np.asarray(np.minimum(small * factors, 255.0), dtype=np.uint8)


def surroundings(light: Light) -> float:
    """How bright the surroundings of a thing are against white, for grey is what is like the street."""
    return light.middle / light.white


def class_number(label: str) -> int:
    """The place of a class in the contract, UNKNOWN_CLASS for a detector's own word."""
    return _CLASSES.get(label, UNKNOWN_CLASS)


@cache
def _session() -> Session:
    card: ModelCard = open_folder(model_path(SHIPPED))
    if card.kind != "colours" or "colours" not in card.files:
        raise BadInputError(f"{card.name} is a {card.kind}; it does not name colours.")
    return open_session(card.files["colours"], "onnxruntime", 1)
