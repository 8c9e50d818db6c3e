"""What the lens and the chip add to a picture: rain streaks, softness, noise."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matpho_simcity.drawing.atmosphere import Atmosphere, Weather
from matpho_simcity.drawing.geometry import Picture

_DROPS = 260


class Sensor:
    """The chip behind one lens; `size` (width, height)."""

    def __init__(self, size: tuple[int, int], air: Atmosphere, seed: int = 0) -> None:
        width, height = size
        random = np.random.default_rng(seed)
        self._height = height
        grain = np.empty((height, width, 3), np.int16)
        cv2.setRNGSeed(seed % (1 << 31))
        cv2.randn(grain, np.zeros(3), np.full(3, air.noise))
        self._plus = np.clip(grain, 0, 255).astype(np.uint8)
        self._minus = np.clip(-grain, 0, 255).astype(np.uint8)
        self._rain = _streaks(size, random) if air.weather is Weather.RAIN else None

    def expose(self, image: NDArray[Any], tick: int) -> Picture:
        """The (H, W, 3) picture that the camera gives out in frame `tick` of `image` (H, W, 3 or 4)."""
        plain = cv2.cvtColor(image, cv2.COLOR_BGRA2BGR) if image.shape[2] == 4 else np.ascontiguousarray(image)
        if self._rain is not None:
            plain = cv2.add(plain, np.roll(self._rain, ((tick * 53) % self._height, (tick * 131) % 997), axis=(0, 1)))
        soft: Picture = np.asarray(cv2.GaussianBlur(plain, (3, 3), 0.62), np.uint8)
        shift = (tick * 97) % self._height
        for part, sheet in (
            (slice(0, self._height - shift), slice(shift, None)),
            (slice(self._height - shift, None), slice(0, shift)),
        ):
            if shift or part.start == 0:
                rows = soft[part]
                cv2.add(rows, self._plus[sheet], rows)
                cv2.subtract(rows, self._minus[sheet], rows)
        return soft


def _streaks(size: tuple[int, int], random: np.random.Generator) -> Picture:
    width, height = size
    sheet: Picture = np.zeros((height, width), np.uint8)
    scale = height / 360
    columns, rows = random.integers(0, width, _DROPS), random.integers(0, height, _DROPS)
    for x, y, length, tone in zip(
        columns, rows, random.integers(6, 26, _DROPS), random.integers(18, 62, _DROPS), strict=True
    ):
        tip = (int(x + length * 0.12 * scale), int(y + length * scale))
        cv2.line(sheet, (int(x), int(y)), tip, int(tone), 1, cv2.LINE_AA)
    return np.asarray(cv2.merge([sheet, sheet, sheet]), np.uint8)
