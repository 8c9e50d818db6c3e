"""What a detector says about one picture: boxes, labels and scores in one value object."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matpho_contracts.vocabulary import VEHICLES

Boxes = NDArray[np.float32]
"""(n, 4) x1, y1, x2, y2, normalised to 0..1, origin top left."""

TWIN_OVERLAP = 0.75
"""Two vehicle boxes that overlap more than this are one vehicle which the detector could not name."""


@dataclass(frozen=True, slots=True)
class Detections:
    """n found objects: `boxes` (n, 4) normalised float32, `labels` n words, `scores` (n,) in 0..1."""

    boxes: Boxes
    labels: tuple[str, ...]
    scores: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.boxes.shape != (len(self.labels), 4) or self.scores.shape != (len(self.labels),):
            raise ValueError("boxes, labels and scores of detections must be of one length")

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def none(cls) -> Detections:
        """Nothing was found."""
        return cls(np.zeros((0, 4), np.float32), (), np.zeros(0, np.float32))

    def take(self, keep: NDArray[np.intp] | NDArray[np.bool_]) -> Detections:
        """Those chosen by indices or a mask, in that order."""
        chosen = np.flatnonzero(keep) if keep.dtype == np.bool_ else keep
        return Detections(self.boxes[chosen], tuple(self.labels[i] for i in chosen), self.scores[chosen])

    def of(self, labels: Collection[str]) -> Detections:
        """Those of the given classes."""
        return self.take(np.array([label in labels for label in self.labels], dtype=np.bool_))

    def count(self, label: str) -> int:
        """How many of one class."""
        return self.labels.count(label)

    def without_twins(self) -> Detections:
        """The same, less the weaker of two nearly equal vehicle boxes (a van that is a car and a truck at once)."""
        vehicles = [i for i, label in enumerate(self.labels) if label in VEHICLES]
        if len(vehicles) < 2:
            return self
        order = sorted(vehicles, key=lambda i: -float(self.scores[i]))
        overlaps = overlap_matrix(self.boxes[order], self.boxes[order])
        dropped: set[int] = set()
        for first in range(len(order)):
            if order[first] in dropped:
                continue
            for second in range(first + 1, len(order)):
                if overlaps[first, second] > TWIN_OVERLAP:
                    dropped.add(order[second])
        return self.take(np.array([i not in dropped for i in range(len(self))], dtype=np.bool_))


def overlap_matrix(first: Boxes, second: Boxes) -> NDArray[np.float32]:
    """Intersection over union of every pair: (n, 4) and (m, 4) boxes to (n, m)."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    areas = box_areas(first)[:, None] + box_areas(second)[None, :] - shared
    return np.asarray(shared / np.maximum(areas, 1e-12), dtype=np.float32)


def box_areas(boxes: Boxes) -> NDArray[np.float32]:
    """Share of the picture of each box: (n, 4) to (n,)."""
    return np.asarray(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1), dtype=np.float32)
