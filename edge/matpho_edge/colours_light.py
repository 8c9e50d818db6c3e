"""The light in which a camera sees a thing: how bright white is and how grey is tinted, in all and around a box."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from matpho_contracts.geometry import Box

_COLUMNS, _ROWS = 64, 36
"""The picture is judged at this size: light changes slowly from place to place."""
_RING = 0.35
"""Surroundings of a box that count, as a share of its sides; at least two cells of the small picture."""
_LEAST_CELLS = 8
_TRUST = 0.85
"""How much of the tint is taken out: surroundings of one colour (a lawn, a wall) must not be whitened away."""
_TINTS = (0.75, 1.33)
_DARKEST_WHITE, _DARKEST_MIDDLE = 60.0, 20.0


@dataclass(frozen=True, slots=True)
class Light:
    """`white` and `middle` are brightnesses (0..255) of white and of the surroundings; `tint` (blue, green, red)
    factors that make grey grey."""

    white: float = 235.0
    middle: float = 105.0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)


DAYLIGHT = Light()


class SceneLight:
    """The light of one picture. The nearly colourless part of a street (asphalt, concrete, sky) is taken as grey."""

    def __init__(self, picture: NDArray[np.uint8], luma: NDArray[np.uint8]) -> None:
        """`picture` (height, width, 3) BGR, `luma` its brightness plane."""
        step = max(1, picture.shape[1] // 320)
        coarse = np.ascontiguousarray(picture[::step, ::step])
        small = cv2.resize(coarse, (_COLUMNS, _ROWS), interpolation=cv2.INTER_AREA).astype(np.float32)
        brightest, spread = small.max(axis=2), np.ptp(small, axis=2)
        plain = (spread < 0.35 * brightest + 6) & (brightest < 235) & (brightest > 15)
        counted = np.dstack([small * plain[..., None], plain.astype(np.float32)])
        self._sums: NDArray[np.float64] = np.asarray(cv2.integral(counted), np.float64)
        pixels = small[plain] if plain.sum() > 100 else small.reshape(-1, 3)
        grey = np.median(pixels, axis=0).astype(np.float64) + 1.0
        self._grey = grey / grey.mean()
        sample = luma[::8, ::8]
        self._white = max(float(np.percentile(sample, 97.0)), _DARKEST_WHITE)
        self._middle = float(np.median(sample)) + 1.0

    def around(self, box: Box | None = None) -> Light:
        """The light at `box`: half what the whole picture says, half what its surroundings do (a lamp's pool)."""
        grey, middle = self._grey, self._middle
        near = None if box is None else self._surroundings(box)
        if near is not None:
            grey = np.sqrt(grey * near / near.mean())
            middle = math.sqrt(middle * float(near @ (1.0, 3.0, 2.0)) / 6.0)
        blue, green, red = np.clip((grey.mean() / grey) ** _TRUST, *_TINTS)
        return Light(self._white, max(middle, _DARKEST_MIDDLE), (float(blue), float(green), float(red)))

    def _surroundings(self, box: Box) -> NDArray[np.float64] | None:
        """Mean (blue, green, red) of what is nearly colourless in a ring around the box; None where there is little."""
        left, right, top, bottom = box.x1 * _COLUMNS, box.x2 * _COLUMNS, box.y1 * _ROWS, box.y2 * _ROWS
        across, down = max(2.0, _RING * (right - left)), max(2.0, _RING * (bottom - top))
        outer = self._sum(left - across, right + across + 1, top - down, bottom + down + 1)
        found = outer - self._sum(left, math.ceil(right), top, math.ceil(bottom))
        return found[:3] / found[3] + 1.0 if found[3] >= _LEAST_CELLS else None

    def _sum(self, left: float, right: float, top: float, bottom: float) -> NDArray[np.float64]:
        x0, x1 = max(int(left), 0), min(int(right), _COLUMNS)
        y0, y1 = max(int(top), 0), min(int(bottom), _ROWS)
        sums = self._sums
        return np.asarray(sums[y1, x1] - sums[y0, x1] - sums[y1, x0] + sums[y0, x0], np.float64)
