"""The motion gate: is there anything in this picture worth a detector's time, and where.

A running average of the small brightness plane, compared with the newest picture. The cost is a fraction of a
millisecond; everything heavy behind it runs only when the gate opens.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from matpho_contracts.geometry import Box

TARGET_WIDTH = 320
"""The gate works on about this many columns; a whole ratio makes the resize seven times cheaper."""
MAX_BOXES = 32
_FULL = Box(x1=0, y1=0, x2=1, y2=1)


@dataclass(frozen=True, slots=True)
class GateParameters:
    """How the gate judges: brightness in grey levels 0..255, times in seconds, areas as a share of the picture."""

    difference: float = 10.0
    """Low, because a red car on grey asphalt differs in colour and hardly in brightness; noise raises it by itself."""
    min_area: float = 0.0006
    memory_s: float = 8.0
    """Time constant of the running average: what stands still this long becomes background."""
    learning_s: float = 1.0
    recheck_s: float = 5.0
    """A detector looks at least this often, motion or not: a stopped car does not move, and fire flickers."""
    hold_s: float = 1.0
    """The gate stays open this long after the last motion, so that a track is seen to its end."""
    light_change_share: float = 0.6
    """More changed picture than this at once is the light (or the lens), not an object."""


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """What the gate says of one picture; `reason` is one of learning, motion, hold, light, recheck, idle."""

    analyse: bool
    reason: str
    boxes: tuple[Box, ...] = ()


@dataclass(slots=True)
class MotionGate:
    """One camera's gate. Not thread-safe; feed it every picture in order."""

    parameters: GateParameters = field(default_factory=GateParameters)
    _average: NDArray[np.float32] | None = None
    _size: tuple[int, ...] = ()
    _started: float = 0.0
    _last: float = 0.0
    _moved: float = -math.inf
    _looked: float = -math.inf
    _noise: float = 0.0

    def look(self, luma: NDArray[np.uint8], seconds: float) -> GateVerdict:
        """Judge one picture: `luma` (height, width), `seconds` on the stream's own clock.

        A clock that jumps back or a picture of another size starts the learning anew.
        """
        small = _shrink(luma)
        if self._average is None or self._size != luma.shape or seconds < self._last - 1.0:
            self._size = luma.shape
            return self._begin(small, seconds)
        elapsed, self._last = max(seconds - self._last, 0.0), seconds
        share, boxes = self._compare(small, self._average)
        if seconds - self._started < self.parameters.learning_s:
            cv2.accumulateWeighted(small, self._average, 0.5)
            return self._decide(seconds, "learning", ())
        if share > self.parameters.light_change_share:
            self._average = small.astype(np.float32)
            small_things = boxes if boxes != (_FULL,) else ()
            return self._decide(seconds, "motion" if small_things else "light", boxes)
        cv2.accumulateWeighted(small, self._average, 1.0 - math.exp(-elapsed / self.parameters.memory_s))
        if boxes:
            self._moved = seconds
            return self._decide(seconds, "motion", boxes)
        return self._decide(seconds, "idle", ())

    def _begin(self, small: NDArray[np.uint8], seconds: float) -> GateVerdict:
        self._average = small.astype(np.float32)
        self._started = self._last = seconds
        self._moved = self._looked = -math.inf
        self._noise = 0.0
        return self._decide(seconds, "learning", ())

    def _compare(self, small: NDArray[np.uint8], average: NDArray[np.float32]) -> tuple[float, tuple[Box, ...]]:
        """Share of changed pixels, and the boxes around them after an even change of light is taken out."""
        background = cv2.convertScaleAbs(average)
        difference = cv2.absdiff(small, background)
        mean = cv2.mean(difference)[0]
        limit = self.parameters.difference + 3.0 * self._noise
        changed = cv2.threshold(difference, limit, 255, cv2.THRESH_BINARY)[1]
        count = cv2.countNonZero(changed)
        if count == 0:
            self._noise += 0.1 * (min(mean, 10.0) - self._noise)
            return 0.0, ()
        share = count / changed.size
        if mean > self.parameters.difference / 2:
            difference = _without_light(small, background, difference)
            changed = cv2.threshold(difference, limit, 255, cv2.THRESH_BINARY)[1]
        unexplained = cv2.countNonZero(changed) / changed.size
        if unexplained > self.parameters.light_change_share / 2:
            return share, (_FULL,)
        return share, self._boxes(changed)

    def _boxes(self, changed: cv2.typing.MatLike) -> tuple[Box, ...]:
        joined = cv2.dilate(changed, _KERNEL)
        height, width = joined.shape[:2]
        contours, _ = cv2.findContours(joined, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        found = sorted((cv2.boundingRect(contour) for contour in contours), key=lambda box: -box[2] * box[3])
        smallest = self.parameters.min_area * width * height
        return tuple(
            Box(x1=x / width, y1=y / height, x2=min(1.0, (x + w) / width), y2=min(1.0, (y + h) / height))
            for x, y, w, h in found[:MAX_BOXES]
            if (w - 2) * (h - 2) >= smallest
        )

    def _decide(self, seconds: float, reason: str, boxes: tuple[Box, ...]) -> GateVerdict:
        if reason == "idle" and seconds - self._moved <= self.parameters.hold_s:
            reason = "hold"
        if reason in ("idle", "learning") and seconds - self._looked >= self.parameters.recheck_s:
            self._looked = seconds
            return GateVerdict(True, "recheck" if reason == "idle" else reason, boxes)
        analyse = reason in ("motion", "hold", "light")
        if analyse:
            self._looked = seconds
        return GateVerdict(analyse, reason, boxes)


_KERNEL = np.ones((3, 3), np.uint8)


def _without_light(
    small: NDArray[np.uint8], background: cv2.typing.MatLike, difference: cv2.typing.MatLike
) -> cv2.typing.MatLike:
    """The difference after the whole picture's change of contrast and brightness, if that explains more of it."""
    mean_now, spread_now = (float(value[0, 0]) for value in cv2.meanStdDev(small))
    mean_then, spread_then = (float(value[0, 0]) for value in cv2.meanStdDev(background))
    gain = min(max(spread_now / max(spread_then, 1.0), 0.5), 2.0)
    lit = cv2.convertScaleAbs(background, alpha=gain, beta=mean_now - gain * mean_then)
    shifted = cv2.convertScaleAbs(background, alpha=1.0, beta=mean_now - mean_then)
    candidates = (difference, cv2.absdiff(small, lit), cv2.absdiff(small, shifted))
    return min(candidates, key=lambda picture: cv2.mean(picture)[0])


def _shrink(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """About TARGET_WIDTH columns by a whole ratio, lightly blurred against sensor noise."""
    height, width = luma.shape
    ratio = max(1, round(width / TARGET_WIDTH))
    columns, rows = max(1, width // ratio), max(1, height // ratio)
    cut = luma[: rows * ratio, : columns * ratio]
    small = cv2.resize(cut, (columns, rows), interpolation=cv2.INTER_AREA) if ratio > 1 else cut
    return np.asarray(cv2.blur(small, (3, 3)), dtype=np.uint8)
