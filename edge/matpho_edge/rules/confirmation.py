"""What fire and smoke have in common: seen in n of the last m looks at about the same place."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from matpho_edge.detections import Detections
from matpho_edge.rules.contract import RuleParameters


class ConfirmationParameters(RuleParameters):
    """n of m looks; both are counted, not timed, because looks come as the machine has time."""

    looks: Annotated[int, Field(ge=1, le=100)] = 6
    needed: Annotated[int, Field(ge=1, le=100)] = 3
    min_score: Annotated[float, Field(ge=0, le=1)] = 0.35
    max_span_s: Annotated[float, Field(gt=0, le=3600)] = 60.0
    """Looks older than this say nothing about now."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.needed > self.looks:
            raise ValueError("needed cannot be more than looks")
        return self


class Confirmation:
    """Counts looks in which a class was seen near the place where it is seen now."""

    def __init__(self, label: str, parameters: ConfirmationParameters) -> None:
        self._label, self._parameters = label, parameters
        self._looks: deque[tuple[datetime, Detections]] = deque(maxlen=parameters.looks)

    def observe(self, detections: Detections, at: datetime) -> tuple[datetime, Detections] | None:
        """Since when it has been seen and where it is now; None while it is not sure."""
        now = detections.of({self._label})
        now = now.take(now.scores >= self._parameters.min_score)
        self._looks.append((at, now))
        while at - self._looks[0][0] > timedelta(seconds=self._parameters.max_span_s):
            self._looks.popleft()
        if not len(now):
            return None
        region = _region(now.boxes)
        times = [when for when, found in self._looks if len(found) and _touches(_region(found.boxes), region)]
        return (times[0], now) if len(times) >= self._parameters.needed else None


def _region(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """The box around all boxes, a little widened: flames dance."""
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    margin = (high - low) * 0.25 + 0.01
    return np.concatenate([low - margin, high + margin]).astype(np.float32)


def _touches(first: NDArray[np.float32], second: NDArray[np.float32]) -> bool:
    return bool((np.maximum(first[:2], second[:2]) < np.minimum(first[2:], second[2:])).all())
