"""The colour of a thing as a person would name it, from a crop of a camera's picture.

Three questions, each with its own numbers in `colours_weights.npz` (made by `colours_fit.fit`):

1. Where to look. For each kind of thing and shape of box two maps of the crop say which places carry the colour: a
   person's upper body, a motorcycle's body below its rider, a vehicle's sheet metal and not its glass, tyres or road.
2. What is there. The shares of grey levels and hues in those places, after the light is taken out (`colours_light`).
3. What it is called. Readings weigh the shares for each name: a little red counts for more than much black, which
   every vehicle has.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matpho_contracts.vocabulary import Colour, ObjectClass
from matpho_edge.colours_codes import crop_codes
from matpho_edge.colours_light import DAYLIGHT, Light

MIN_PIXELS = 6
"""A crop with a shorter side than this says nothing about colour."""
SHAPES = 3
"""Boxes are upright, square or lying: a motorcycle from behind or from its side."""
KINDS = 3
"""People, two-wheelers, everything else."""
FLOOR = 1e-3
"""Added to shares before their root is taken."""
WEIGHTS = Path(__file__).with_name("colours_weights.npz")
_TWO_WHEELERS = frozenset({ObjectClass.MOTORCYCLE.value, ObjectClass.BICYCLE.value})
_UPRIGHT, _LYING = 0.62, 1.15
_ORDER = tuple(Colour)

Picture = NDArray[np.uint8]
Weights = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


def colour_votes(crop: Picture, label: str, light: Light = DAYLIGHT) -> dict[Colour, float]:
    """How likely each colour is, together 1; empty when the crop is too small. Votes of several looks may be added up.

    `crop` is (height, width, 3) BGR and bounds the thing; `light` comes from `SceneLight.around`: dusk and rain turn
    white paint grey otherwise, and street lamps turn it yellow.
    """
    if min(crop.shape[:2]) < MIN_PIXELS:
        return {}
    maps, readings, bias = _weights()
    place = kind_of(label, crop.shape[1], crop.shape[0])
    kind = place // SHAPES
    shares = np.sqrt(maps[place] @ crop_codes(crop, light) + FLOOR)
    scores = readings[kind] @ shares.ravel() + bias[kind]
    chances = np.exp(scores - scores.max())
    chances /= chances.sum()
    return {colour: float(chance) for colour, chance in zip(_ORDER, chances, strict=True)}


def choose(votes: dict[Colour, float]) -> Colour | None:
    """The colour that the votes speak for; None without votes."""
    return max(votes, key=lambda colour: votes[colour]) if votes else None


def name_colour(crop: Picture, label: str = "", light: Light = DAYLIGHT) -> Colour | None:
    """The main colour of the thing in the crop."""
    return choose(colour_votes(crop, label, light))


def kind_of(label: str, width: int, height: int) -> int:
    """Which maps serve a box: the kind of thing times SHAPES plus the shape of its box."""
    kind = 0 if label == ObjectClass.PERSON else 1 if label in _TWO_WHEELERS else 2
    ratio = width / height
    return kind * SHAPES + (0 if ratio < _UPRIGHT else 1 if ratio < _LYING else 2)


@cache
def _weights() -> Weights:
    """Maps (KINDS * SHAPES, parts, cells), readings (KINDS, colours, parts * codes), bias (KINDS, colours)."""
    with np.load(WEIGHTS, allow_pickle=False) as stored:
        maps, readings, bias = (stored[name].astype(np.float32) for name in ("maps", "readings", "bias"))
    return maps, readings, bias
