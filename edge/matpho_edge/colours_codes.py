"""What the pixels of a crop look like, place by place: shares of grey levels and of bright and dark hues."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from matpho_contracts.vocabulary import Colour
from matpho_edge.colours_light import Light

GRID = 8
"""Cells across and down a crop."""
LEVELS, HUES = 6, 18
"""Steps from black to white; hues of 20 degrees each."""
CODES = 2 * LEVELS + 2 * HUES
"""Levels against white, levels against the surroundings, bright hues, dark hues."""
_SIDE = 2 * GRID
_PIXELS = _SIDE * _SIDE
_PLACES = np.arange(_PIXELS) * CODES
_NAMES: tuple[tuple[int, Colour], ...] = (
    (14, Colour.RED),
    (40, Colour.ORANGE),
    (66, Colour.YELLOW),
    (168, Colour.GREEN),
    (255, Colour.BLUE),
    (330, Colour.PURPLE),
    (361, Colour.RED),
)
"""Upper ends of the hues in degrees as people name them; dark orange is brown."""


def crop_codes(crop: NDArray[np.uint8], light: Light) -> NDArray[np.float32]:
    """(GRID * GRID, CODES) shares of a (height, width, 3) BGR crop seen in `light`; each row sums to 2 at most.

    Every pixel is split softly between neighbouring codes, so that a little more light or noise changes little.
    """
    method = cv2.INTER_AREA if min(crop.shape[:2]) >= _SIDE else cv2.INTER_LINEAR
    small = cv2.resize(crop, (_SIDE, _SIDE), interpolation=method).reshape(-1, 3)
    gain = 235.0 / light.white
    pixels = np.minimum(small * (np.asarray(light.tint, np.float32) * gain), 300.0).astype(np.float32)
    blue, green, red = pixels[:, 0], pixels[:, 1], pixels[:, 2]
    brightest = np.maximum(np.maximum(blue, green), red)
    spread = brightest - np.minimum(np.minimum(blue, green), red)
    # Dark pixels need more spread to count as coloured: noise and compression tint shadows and black cloth.
    coloured = np.clip((spread / (brightest + 40.0) - 0.15) / 0.2, 0.0, 1.0)
    shares = np.zeros(_PIXELS * CODES, np.float32)
    brightness = (blue + 3.0 * green + 2.0 * red) / 6.0
    plain = np.asarray(1.0 - coloured, np.float32)
    _levels(shares, 0, brightness / 235.0, plain)
    _levels(shares, LEVELS, brightness / (gain * light.middle * 2.2), plain)
    hue = _hue(blue, green, red, brightest, spread)
    bright = np.clip((brightest - 85.0) / 70.0, 0.0, 1.0)
    low = hue.astype(np.int64)
    beyond = hue - low
    low %= HUES
    high = (low + 1) % HUES
    for start, weight in ((2 * LEVELS, coloured * bright), (2 * LEVELS + HUES, coloured * (1.0 - bright))):
        shares[_PLACES + start + low] = weight * (1.0 - beyond)
        shares[_PLACES + start + high] = weight * beyond
    return np.asarray(shares.reshape(GRID, 2, GRID, 2, CODES).mean(axis=(1, 3)).reshape(GRID * GRID, CODES))


def plain_readings() -> NDArray[np.float32]:
    """(colours, CODES): which name each code alone has, before anything is learnt."""
    order = list(Colour)
    names = np.zeros((len(order), CODES), np.float32)
    for level in range(LEVELS):
        grey = Colour.BLACK if level <= 1 else Colour.GREY if level <= 3 else Colour.WHITE
        names[order.index(grey), [level, LEVELS + level]] = 1.0
    for hue in range(HUES):
        colour = next(name for upper, name in _NAMES if hue * 360 / HUES < upper)
        dark = Colour.BROWN if colour is Colour.ORANGE else colour
        names[order.index(colour), 2 * LEVELS + hue] = 3.0
        names[order.index(dark), 2 * LEVELS + HUES + hue] = 3.0
    return names


def _levels(
    shares: NDArray[np.float32], start: int, relative: NDArray[np.float32], weight: NDArray[np.float32]
) -> None:
    place = np.clip(np.sqrt(relative) * (LEVELS - 1), 0.0, LEVELS - 1.001)
    low = place.astype(np.int64)
    beyond = place - low
    shares[_PLACES + start + low] = weight * (1.0 - beyond)
    shares[_PLACES + start + low + 1] = weight * beyond


def _hue(
    blue: NDArray[np.float32],
    green: NDArray[np.float32],
    red: NDArray[np.float32],
    brightest: NDArray[np.float32],
    spread: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Hue of the colour circle in steps, 0 (red) to HUES."""
    wide = np.maximum(spread, 1e-3)
    turns = np.where(
        brightest == red,
        ((green - blue) / wide) % 6.0,
        np.where(brightest == green, (blue - red) / wide + 2.0, (red - green) / wide + 4.0),
    )
    return np.asarray(turns * np.float32(HUES / 6.0), np.float32)
