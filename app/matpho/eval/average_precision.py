"""Average precision of detections at one overlap threshold, as COCO counts it (101-point interpolation).

Boxes are (n, 4) arrays of x1, y1, x2, y2 in any one unit. Ignored truth is neither wanted nor held against a detector.
Method: Lin et al., Microsoft COCO: Common Objects in Context, 2014, and its evaluation protocol.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Picture:
    """What was there and what was found in one picture, by class name."""

    truth: Mapping[str, Boxes]
    ignored: Mapping[str, Boxes]
    found: Mapping[str, tuple[Boxes, NDArray[np.floating]]]
    """Boxes and their scores."""


@dataclass(frozen=True, slots=True)
class ClassResult:
    """One class: its average precision (0..1), how many were there, and the share found at the working threshold."""

    average_precision: float
    truth: int
    recall: float
    precision: float


def overlap(one: Boxes, many: Boxes) -> NDArray[np.floating]:
    """Intersection over union of one box (4,) with many (n, 4)."""
    low = np.maximum(one[:2], many[:, :2])
    high = np.minimum(one[2:], many[:, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(many[:, 2:] - many[:, :2], axis=1) + np.prod(one[2:] - one[:2])
    return np.asarray(shared / np.maximum(areas - shared, 1e-12))


def evaluate(
    pictures: Iterable[Picture], *, threshold: float = 0.5, working_score: float = 0.25
) -> dict[str, ClassResult]:
    """Average precision for each class that occurs in the truth; recall and precision at `working_score`."""
    marks: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    wanted: dict[str, int] = defaultdict(int)
    for picture in pictures:
        for name, boxes in picture.truth.items():
            wanted[name] += len(boxes)
        for name, (boxes, scores) in picture.found.items():
            ignored = picture.ignored.get(name, np.empty((0, 4)))
            marks[name] += _match(boxes, scores, picture.truth.get(name, np.empty((0, 4))), ignored, threshold)
    return {name: _summarise(marks[name], count, working_score) for name, count in wanted.items() if count}


def _match(
    boxes: Boxes, scores: NDArray[np.floating], truth: Boxes, ignored: Boxes, threshold: float
) -> list[tuple[float, bool]]:
    """(score, right) of each detection, best score first; each truth is taken once, ignored ones swallow silently."""
    taken = np.zeros(len(truth), dtype=bool)
    marks = []
    for index in np.argsort(-scores, kind="stable"):
        overlaps = np.where(taken, -1.0, overlap(boxes[index], truth)) if len(truth) else np.empty(0)
        if overlaps.size and overlaps.max() >= threshold:
            taken[int(overlaps.argmax())] = True
            marks.append((float(scores[index]), True))
        elif not (len(ignored) and overlap(boxes[index], ignored).max() >= threshold):
            marks.append((float(scores[index]), False))
    return marks


def _summarise(marks: list[tuple[float, bool]], wanted: int, working_score: float) -> ClassResult:
    ordered = sorted(marks, key=lambda mark: -mark[0])
    right = np.cumsum([hit for _, hit in ordered], dtype=np.float64) if ordered else np.zeros(0)
    precision = right / np.arange(1, len(ordered) + 1)
    recall = right / wanted
    # Precision at a recall is the best that any higher recall still reaches.
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    points = np.searchsorted(recall, np.linspace(0, 1, 101) - 1e-9, side="left")
    average = float(np.mean([envelope[p] if p < len(envelope) else 0.0 for p in points]))
    kept = sum(score >= working_score for score, _ in ordered)
    hits = float(right[kept - 1]) if kept else 0.0
    return ClassResult(average, wanted, hits / wanted, hits / kept if kept else 0.0)
