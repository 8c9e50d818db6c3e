"""What a detector says about one picture: boxes, labels and scores in one value object."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matpho_contracts.vocabulary import VEHICLES, ObjectClass

Boxes = NDArray[np.float32]
"""(n, 4) x1, y1, x2, y2, normalised to 0..1, origin top left."""

TWIN_OVERLAP = 0.75
"""Two boxes that overlap more than this are one thing which the detector could not name."""
_TWO_WHEELS = {ObjectClass.BICYCLE, ObjectClass.MOTORCYCLE}
_LITTER = {ObjectClass.BAG, ObjectClass.RUBBISH}
_RIDER = {"person", "two_wheels"}


Second = tuple[str, float]
"""The name that comes second, with its score in 0..1; NO_SECOND where none comes near."""
NO_SECOND: Second = ("", 0.0)


@dataclass(frozen=True, slots=True)
class Detections:
    """n found objects: `boxes` (n, 4) normalised float32, `labels` n words, `scores` (n,) in 0..1, and n `seconds` of
    what else each may be (empty where the detector does not say)."""

    boxes: Boxes
    labels: tuple[str, ...]
    scores: NDArray[np.float32]
    seconds: tuple[Second, ...] = ()

    def __post_init__(self) -> None:
        if self.boxes.shape != (len(self.labels), 4) or self.scores.shape != (len(self.labels),):
            raise ValueError("boxes, labels and scores of detections must be of one length")
        if self.seconds and len(self.seconds) != len(self.labels):
            raise ValueError("either every detection has a second name or none")

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def none(cls) -> Detections:
        """Nothing was found."""
        return cls(np.zeros((0, 4), np.float32), (), np.zeros(0, np.float32))

    def second(self, number: int) -> Second:
        """What else a detection may be."""
        return self.seconds[number] if self.seconds else NO_SECOND

    def take(self, keep: NDArray[np.intp] | NDArray[np.bool_]) -> Detections:
        """Those chosen by indices or a mask, in that order."""
        chosen = np.flatnonzero(keep) if keep.dtype == np.bool_ else keep
        seconds = tuple(self.seconds[i] for i in chosen) if self.seconds else ()
        return Detections(self.boxes[chosen], tuple(self.labels[i] for i in chosen), self.scores[chosen], seconds)

    def of(self, labels: Collection[str]) -> Detections:
        """Those of the given classes."""
        return self.take(np.array([label in labels for label in self.labels], dtype=np.bool_))

    def count(self, label: str) -> int:
        """How many of one class."""
        return self.labels.count(label)

    def without_twins(self) -> Detections:
        """The same, less the weaker of two nearly equal boxes that can be one thing (a van that is a car and a truck
        at once, a cyclist who is somebody on foot); the name of what goes becomes the second of what stays."""
        order = sorted(range(len(self)), key=lambda i: -float(self.scores[i]))
        twins = np.argwhere(np.triu(overlap_matrix(self.boxes[order], self.boxes[order]), 1) > TWIN_OVERLAP)
        seconds = list(self.seconds) or [NO_SECOND] * len(self)
        dropped: set[int] = set()
        for better, weaker in ((order[first], order[second]) for first, second in twins.tolist()):
            if dropped.isdisjoint((better, weaker)) and _may_be_one(self.labels[better], self.labels[weaker]):
                dropped.add(weaker)
                other = (self.labels[weaker], float(self.scores[weaker]))
                if other[0] != self.labels[better] and other[1] > seconds[better][1]:
                    seconds[better] = other
        kept = Detections(self.boxes, self.labels, self.scores, tuple(seconds))
        return kept.take(np.array([i not in dropped for i in range(len(self))], dtype=np.bool_))


def family(label: str) -> str:
    """Classes that a detector may mix up from picture to picture share a family; of others, only a person and a
    two-wheeler can be one thing: a rider."""
    if label in _TWO_WHEELS:
        return "two_wheels"
    if label in VEHICLES:
        return "vehicle"
    if label in _LITTER:
        return "litter"
    return label


def may_be_rider(first: str, second: str) -> bool:
    """Whether one name is a person and the other a two-wheeler."""
    return {family(first), family(second)} == _RIDER


def _may_be_one(first: str, second: str) -> bool:
    return (first in VEHICLES and second in VEHICLES) or may_be_rider(first, second)


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
