"""Brightness, contrast and saturation: the imaging service's knobs, which really alter the picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

KNOB_RANGE = (0.0, 100.0)
NEUTRAL = 50.0
_MIDDLE_GREY = 128.0
_BRIGHTNESS_STEP = 2.0  # grey levels per unit


@dataclass(frozen=True, slots=True)
class Imaging:
    """Each knob in [0, 100]; 50 leaves the picture as it is."""

    brightness: float = NEUTRAL
    contrast: float = NEUTRAL
    saturation: float = NEUTRAL

    def apply(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The (height, width, 3) BGR picture as these settings show it; untouched (not copied) when all are neutral."""
        if self.saturation != NEUTRAL:
            grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
            share = self.saturation / NEUTRAL
            picture = np.asarray(cv2.addWeighted(picture, share, grey, 1 - share, 0), dtype=np.uint8)
        if (self.brightness, self.contrast) == (NEUTRAL, NEUTRAL):
            return picture
        gain = self.contrast / NEUTRAL
        offset = _MIDDLE_GREY * (1 - gain) + (self.brightness - NEUTRAL) * _BRIGHTNESS_STEP
        return np.asarray(cv2.addWeighted(picture, gain, picture, 0, offset), dtype=np.uint8)
