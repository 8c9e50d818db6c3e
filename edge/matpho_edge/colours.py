"""The colour of a thing as a person would name it, from a crop of a camera's picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from matpho_contracts.vocabulary import VEHICLES, Colour, ObjectClass

SIDE = 48
"""Crops are judged at this size: colours need no detail."""
MIN_PIXELS = 6
"""A crop with a shorter side than this says nothing about colour."""
_CHROMATIC_SHARE = 0.24
"""Paint counts over glass, tyres, shadow and road from this share of the weighted pixels on."""
_HUES: tuple[tuple[int, Colour], ...] = (
    (8, Colour.RED),
    (19, Colour.ORANGE),
    (34, Colour.YELLOW),
    (86, Colour.GREEN),
    (131, Colour.BLUE),
    (166, Colour.PURPLE),
    (181, Colour.RED),
)
"""Upper ends of the hues of OpenCV's scale (0 to 180, half degrees)."""
_GREYS = {Colour.WHITE: 1.25, Colour.GREY: 0.95, Colour.BLACK: 0.8}
_ORDER = tuple(Colour)

Picture = NDArray[np.uint8]


def colour_votes(crop: Picture, label: str, white_level: float = 255.0) -> dict[Colour, float]:
    """Share of the weighted pixels for each colour; empty when the crop is too small.

    `crop` is (height, width, 3) BGR and bounds the thing. `white_level` is the brightness (0..255) that white has in
    this scene, from `scene_white`: dusk and rain turn white paint grey otherwise.
    """
    if min(crop.shape[:2]) < MIN_PIXELS:
        return {}
    part = _body(crop, label)
    small = cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    hsv = cv2.cvtColor(small, cv2.COLOR_BGR2HSV)
    hue, saturation = hsv[..., 0].astype(np.int16), hsv[..., 1].astype(np.float32)
    value = np.minimum(hsv[..., 2].astype(np.float32) * (235.0 / max(white_level, 60.0)), 255.0)
    names = _name_pixels(hue, saturation, value)
    weights = np.bincount(names.ravel(), weights=_CENTRE.ravel(), minlength=len(_ORDER))
    total = float(weights.sum())
    return {colour: float(weights[place]) / total for place, colour in enumerate(_ORDER) if weights[place] > 0}


def choose(votes: dict[Colour, float]) -> Colour | None:
    """The colour that the votes speak for; None without votes."""
    if not votes:
        return None
    total = sum(votes.values())
    chromatic = {colour: share / total for colour, share in votes.items() if colour not in _GREYS}
    if chromatic:
        best = max(chromatic, key=lambda colour: chromatic[colour])
        together = sum(chromatic.values())
        if chromatic[best] >= _CHROMATIC_SHARE or (together >= 0.35 and chromatic[best] >= 0.18):
            return best
    plain = {colour: votes.get(colour, 0.0) * factor for colour, factor in _GREYS.items()}
    return max(plain, key=lambda colour: plain[colour])


def name_colour(crop: Picture, label: str = "", white_level: float = 255.0) -> Colour | None:
    """The main colour of the thing in the crop."""
    return choose(colour_votes(crop, label, white_level))


def scene_white(luma: NDArray[np.uint8]) -> float:
    """The brightness that white has in this picture: nearly its brightest, never below 110 (night stays night)."""
    sample = luma[::8, ::8]
    return float(max(np.percentile(sample, 97.0), 110.0))


def _body(crop: Picture, label: str) -> Picture:
    """The part that carries the colour: a person's clothes, a vehicle's body without roof rack, glass and tyres."""
    height, width = crop.shape[:2]
    top, bottom, side = 0.08, 0.95, 0.06
    if label == ObjectClass.PERSON:
        top, bottom, side = 0.18, 0.62, 0.2
    elif label in (ObjectClass.MOTORCYCLE, ObjectClass.BICYCLE):
        top, bottom, side = 0.45, 0.9, 0.15
    elif label in VEHICLES:
        top, bottom, side = 0.2, 0.86, 0.06
    rows = slice(int(height * top), max(int(height * bottom), int(height * top) + 1))
    columns = slice(int(width * side), max(int(width * (1 - side)), int(width * side) + 1))
    return crop[rows, columns]


def _name_pixels(
    hue: NDArray[np.int16], saturation: NDArray[np.float32], value: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Index into Colour of every pixel."""
    names = np.full(hue.shape, _ORDER.index(Colour.GREY), np.int64)
    lower = -1
    for upper, colour in _HUES:
        names[(hue > lower) & (hue < upper)] = _ORDER.index(colour)
        lower = upper - 1
    warm = (hue >= 4) & (hue < 22)
    names[warm & (value < 150) & (saturation > 55)] = _ORDER.index(Colour.BROWN)
    # Dark pixels need more saturation to count as coloured: noise and compression tint shadows.
    dull = saturation * np.minimum(value / 110.0, 1.0) < np.where(value > 190, 42.0, 58.0)
    names[dull] = _ORDER.index(Colour.GREY)
    names[dull & (value > 178)] = _ORDER.index(Colour.WHITE)
    names[(value < 45) | (dull & (value < 75))] = _ORDER.index(Colour.BLACK)
    return names


def _centre_weights() -> NDArray[np.float64]:
    line = np.exp(-0.5 * (np.linspace(-1, 1, SIDE) / 0.6) ** 2)
    return np.asarray(np.outer(line, line), dtype=np.float64)


_CENTRE = _centre_weights()
