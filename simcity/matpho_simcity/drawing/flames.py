"""Fire and smoke: moving fields of heat and soot, painted half transparent."""

from __future__ import annotations

from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matpho_contracts.vocabulary import Colour
from matpho_simcity.drawing.geometry import Picture

_ROWS, _COLUMNS = 64, 48
_SOOT: dict[Colour, tuple[float, float, float]] = {
    Colour.WHITE: (222.0, 222.0, 220.0),
    Colour.GREY: (140.0, 138.0, 136.0),
    Colour.BLACK: (46.0, 44.0, 44.0),
}
VISIBLE_ALPHA = 0.3
"""Opacity from which a pixel of fire or smoke counts as seen."""


@cache
def _turbulence() -> NDArray[np.float32]:
    """(256, 256) tileable cloud in 0..1."""
    noise = np.random.default_rng(11)
    total = np.zeros((256, 256), np.float32)
    for cells, weight in ((6, 1.0), (13, 0.6), (29, 0.35)):
        grid = np.tile(noise.random((cells, cells)).astype(np.float32), (3, 3))
        total += weight * cv2.resize(grid, (768, 768), interpolation=cv2.INTER_CUBIC)[256:512, 256:512]
    spread: NDArray[np.float32] = (total - total.min()) / (total.max() - total.min())
    return spread


def _window(seed: int, scroll: float) -> NDArray[np.float32]:
    """A (64, 48) piece of cloud that rises with `scroll` rows."""
    rows = (np.arange(_ROWS) * 2 + int(scroll) + seed * 37) % 256
    columns = (np.arange(_COLUMNS) * 2 + seed * 91) % 256
    return _turbulence()[np.ix_(rows, columns)]


@cache
def _heat_colours() -> Picture:
    """(256, 3) BGR from ember to white heat."""
    stops = np.array([0, 70, 130, 190, 235, 255])
    shades = np.array([(10, 20, 90), (15, 45, 200), (20, 110, 250), (40, 190, 255), (150, 240, 255), (225, 252, 255)])
    return np.stack([np.interp(np.arange(256), stops, shades[:, channel]) for channel in range(3)], axis=1).astype(
        np.uint8
    )


def fire(seconds: float, seed: int) -> tuple[Picture, NDArray[np.float32]]:
    """Flames as ((64, 48, 3) BGR, (64, 48) opacity 0..1), foot at the lower edge."""
    x = (np.arange(_COLUMNS, dtype=np.float32) - _COLUMNS / 2 + 0.5) / (_COLUMNS / 2)
    up = 1 - (np.arange(_ROWS, dtype=np.float32) + 0.5)[:, None] / _ROWS
    sway = 0.18 * up * np.sin(seconds * 5 + seed + up * 5)
    body = 1.15 - np.abs(x[None, :] + sway) / (0.94 - 0.62 * up) - 0.85 * up
    noise = _window(seed, seconds * 150) * 1.1 + _window(seed + 5, seconds * 230) * 0.6
    heat = np.clip((body + (noise - 0.85) * (0.55 + up)) * 1.3, 0, 1)
    return _heat_colours()[(heat * 255).astype(np.uint8)], np.clip(heat * 2.6, 0, 0.97).astype(np.float32)


def smoke(seconds: float, seed: int, colour: Colour) -> tuple[Picture, NDArray[np.float32]]:
    """A rising plume as ((64, 48, 3) BGR, (64, 48) opacity 0..1), foot at the lower edge."""
    noise = np.random.default_rng(seed)
    puffs = 22
    age = (np.arange(puffs) / puffs + seconds * 0.09 + noise.random(puffs) * 0.02) % 1.0
    lean = noise.uniform(-0.28, 0.28)
    x = (
        0.5
        + lean * age
        + 0.1 * np.sin(seconds * 0.8 + np.arange(puffs) * 1.7) * age
        + noise.uniform(-0.07, 0.07, puffs)
    )
    y, radius = 0.97 - age * 0.86, 0.07 + 0.2 * age
    strength = np.minimum(1.0, age * 14) * (1 - age) ** 0.6 * 1.25
    across = np.exp(-(((np.arange(_COLUMNS) + 0.5) / _COLUMNS - x[:, None]) ** 2) / (2 * (radius[:, None] * 0.75) ** 2))
    along = np.exp(-(((np.arange(_ROWS) + 0.5) / _ROWS - y[:, None]) ** 2) / (2 * (radius[:, None] * 0.62) ** 2))
    soot = (along * strength[:, None]).T @ across
    cloud = _window(seed + 3, seconds * 34)
    alpha = np.clip(1 - np.exp(-soot * (0.35 + 1.1 * cloud)), 0, 0.94)
    relief = 0.74 + 0.5 * _window(seed + 9, seconds * 30)
    tone = np.array(_SOOT.get(colour, _SOOT[Colour.GREY]), np.float32)
    return np.clip(tone * relief[:, :, None], 0, 255).astype(np.uint8), alpha.astype(np.float32)


def lay(
    image: NDArray[Any], picture: Picture, alpha: NDArray[np.float32], box: tuple[float, float, float, float]
) -> tuple[slice, slice, NDArray[np.float32]] | None:
    """Blend a field into the first three channels of `image` over `box` (x0, y0, x1, y1 pixels).

    Gives the rows, columns and the opacity laid there, or None when the box misses the picture.
    """
    height, width = image.shape[:2]
    x0, y0, x1, y1 = (round(value) for value in box)
    left, top, right, bottom = max(0, x0), max(0, y0), min(width, x1), min(height, y1)
    if x1 - x0 < 2 or y1 - y0 < 2 or left >= right or top >= bottom or (x1 - x0) * (y1 - y0) > 16 * height * width:
        return None
    size = (x1 - x0, y1 - y0)
    cut = np.s_[top - y0 : bottom - y0, left - x0 : right - x0]
    opacity = np.ascontiguousarray(cv2.resize(alpha, size, interpolation=cv2.INTER_LINEAR)[cut], np.float32)
    colours = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)[cut]
    rows, columns = slice(top, bottom), slice(left, right)
    region = np.ascontiguousarray(image[rows, columns, :3])
    image[rows, columns, :3] = cv2.blendLinear(np.ascontiguousarray(colours), region, opacity, 1 - opacity)
    return rows, columns, opacity
