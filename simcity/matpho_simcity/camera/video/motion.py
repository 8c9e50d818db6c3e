"""Motion by a cheap difference of small grey pictures, with a hold so that one walk is one alarm."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

SMALL_SIZE = (96, 54)
GREY_STEP = 14  # a cell counts as changed when it differs by more grey levels
CHANGED_SHARE = 0.002
HOLD_SECONDS = 2.0
CHECK_SECONDS = 0.4


class MotionDetector:
    """Fed with pictures, says whether something moves. Pictures taken while the lens turns are only remembered."""

    def __init__(self) -> None:
        self._last: NDArray[np.int16] | None = None
        self._last_check = float("-inf")
        self._quiet_at = float("-inf")
        self.alarm = False

    def feed(self, picture: NDArray[np.uint8], now: float, *, lens_moving: bool = False) -> bool:
        """Take one BGR picture at `now` (seconds); True when the alarm state changed."""
        if now - self._last_check < CHECK_SECONDS:
            return False
        self._last_check = now
        small = cv2.resize(picture, SMALL_SIZE, interpolation=cv2.INTER_AREA)
        grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), dtype=np.int16)
        before, self._last = self._last, None if lens_moving else grey
        if before is not None and not lens_moving:
            changed = float((np.abs(grey - before) > GREY_STEP).mean())
            if changed > CHANGED_SHARE:
                self._quiet_at = now + HOLD_SECONDS
        was, self.alarm = self.alarm, now < self._quiet_at
        return was != self.alarm
