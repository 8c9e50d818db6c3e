"""The tracker: one id for one thing over many pictures, also when pictures are few, late or missing.

The scheme is ByteTrack's (Zhang et al., 2022): sure detections first, then the doubtful ones keep tracks alive that
would end otherwise. Because a box analyses 3 to 5 pictures a second, boxes are widened before they are compared
(C-BIoU, Yang et al., 2023), and what is still alone is matched by the distance from where it was expected.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from matpho_contracts.geometry import Box
from matpho_edge.detections import NO_SECOND, Boxes, Detections, Second, family, may_be_rider, overlap_matrix
from matpho_edge.track_motion import Motion

MOST_LABELS = 3
LEAST_SHARE = 0.05
"""A class with less of the evidence is not what the thing may be."""
MAX_HISTORY = 900
"""Foot points kept of one track: three minutes at five pictures a second."""
_FORBIDDEN = 1e6


@dataclass(frozen=True, slots=True)
class TrackerParameters:
    """Scores in 0..1, times in seconds."""

    sure_score: float = 0.4
    """Detections from here on start tracks; weaker ones only continue them."""
    min_hits: int = 2
    max_age_s: float = 2.0
    still_age_s: float = 20.0
    """What stood still is waited for longer: a parked car behind a passing bus is the same car."""
    min_missed_looks: int = 2
    """A track ends only after so many looks without it, however long ago the last look was."""
    widen: float = 0.3
    """Boxes are widened by this share of their size on every side before they are compared."""
    min_overlap: float = 0.15
    rename_cost: float = 0.1
    """Overlap that a detection of another name in the same family must have more to be the same thing."""
    ride_cost: float = 0.35
    """The same where one is a person and the other a two-wheeler: from afar a cyclist is somebody on foot."""
    max_distance: float = 1.2
    """Farthest match without overlap, in box diagonals."""
    still_distance: float = 0.012
    """A foot point that keeps within this (normalised) stands still."""


@dataclass(frozen=True, slots=True)
class FootPoint:
    """Where a track touched the ground: normalised image coordinates."""

    at: datetime
    x: float
    y: float


@dataclass(slots=True)
class Track:
    """One thing followed over time. Rules read it and never change it."""

    id: int
    box: NDArray[np.float32]
    """(4,) normalised, where it was last seen."""
    first_seen: datetime
    last_seen: datetime
    score: float
    """Best score so far."""
    still_distance: float
    hits: int = 1
    missed: int = 0
    """Looks since it was last seen; 0 when it is in the newest picture."""
    confirmed: bool = False
    ended: bool = False
    votes: dict[str, float] = field(default_factory=dict)
    feet: deque[FootPoint] = field(default_factory=lambda: deque(maxlen=MAX_HISTORY))
    still_since: datetime | None = None
    _anchor: tuple[float, float] = (0.0, 0.0)

    @property
    def label(self) -> str:
        """The class that most of the evidence speaks for."""
        return max(self.votes, key=lambda name: self.votes[name])

    @property
    def likely_labels(self) -> dict[str, float] | None:
        """The classes that the evidence speaks for, likeliest first, with shares; None where all of it says one."""
        if len(self.votes) == 1:
            return None
        total = sum(self.votes.values())
        ranked = sorted(self.votes.items(), key=lambda vote: -vote[1])[:MOST_LABELS]
        return {name: round(votes / total, 2) for name, votes in ranked if votes >= LEAST_SHARE * total}

    @property
    def foot(self) -> tuple[float, float]:
        """Middle of the lower edge of the last box, smoothed over the last two looks."""
        point = self.feet[-1]
        return point.x, point.y

    @property
    def shape(self) -> Box:
        """The last box, cut to the picture."""
        x1, y1, x2, y2 = (float(v) for v in np.clip(self.box, 0.0, 1.0))
        return Box(x1=min(x1, x2), y1=min(y1, y2), x2=max(x1, x2), y2=max(y1, y2))

    def still_for(self, at: datetime) -> float:
        """Seconds for which the foot has kept its place, 0 when it moves."""
        return 0.0 if self.still_since is None else max(0.0, (at - self.still_since).total_seconds())

    def moved(self, seconds: float) -> tuple[float, float, float]:
        """Displacement of the foot over the last `seconds`: (dx, dy, seconds covered)."""
        newest = self.feet[-1]
        since = newest.at - timedelta(seconds=seconds)
        oldest = next((point for point in self.feet if point.at >= since), newest)
        return newest.x - oldest.x, newest.y - oldest.y, (newest.at - oldest.at).total_seconds()

    def see(self, box: NDArray[np.float32], label: str, score: float, at: datetime, second: Second = NO_SECOND) -> None:
        """Take in one more sighting; `second` is what else it may be."""
        self.box, self.last_seen, self.missed = box, at, 0
        self.score = max(self.score, score)
        for name, vote in ((label, score), second):
            if vote > 0:
                self.votes[name] = self.votes.get(name, 0.0) + vote
        x, y = float(box[0] + box[2]) / 2, float(box[3])
        self.feet.append(FootPoint(at, min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)))
        self._settle(x, y, at)

    def _settle(self, x: float, y: float, at: datetime) -> None:
        """Standing still is measured from an anchor, so that a slow creep does not count as standing."""
        allowed = max(self.still_distance, 0.12 * float(self.box[3] - self.box[1]))
        if self.still_since is None or max(abs(x - self._anchor[0]), abs(y - self._anchor[1])) > allowed:
            self._anchor, self.still_since = (x, y), at


class Tracker:
    """Follows everything in one camera's pictures. Not thread-safe."""

    def __init__(self, parameters: TrackerParameters | None = None) -> None:
        self.parameters = parameters or TrackerParameters()
        self._tracks: list[Track] = []
        self._motion = Motion()
        self._next = 1
        self._last: datetime | None = None

    @property
    def tracks(self) -> list[Track]:
        """Everything followed at present, confirmed or not."""
        return list(self._tracks)

    def update(self, detections: Detections, at: datetime) -> list[Track]:
        """Take in one look; return confirmed tracks, with those that ended at this look marked `ended`.

        `at` never goes back; a look older than the last one is dropped and the tracks are returned as they are.
        """
        if self._last is not None and at < self._last:
            return [track for track in self._tracks if track.confirmed]
        elapsed = 0.0 if self._last is None else (at - self._last).total_seconds()
        self._last = at
        self._motion.predict(elapsed)
        left = self._associate(detections)
        matched = {row for row, _ in left.pairs}
        for row, column in left.pairs:
            self._continue(row, detections, column, at)
        for row, track in enumerate(self._tracks):
            if row not in matched:
                track.missed += 1
        ended = self._drop(at)
        for column in left.alone:
            if detections.scores[column] >= self.parameters.sure_score:
                self._start(detections, column, at)
        return [track for track in [*self._tracks, *ended] if track.confirmed]

    def _continue(self, row: int, detections: Detections, column: int, at: datetime) -> None:
        track = self._tracks[row]
        track.hits += 1
        track.confirmed = track.confirmed or track.hits >= self.parameters.min_hits
        track.see(
            detections.boxes[column],
            detections.labels[column],
            float(detections.scores[column]),
            at,
            detections.second(column),
        )
        self._motion.correct(row, detections.boxes[column])

    def _start(self, detections: Detections, column: int, at: datetime) -> None:
        box, score = detections.boxes[column], float(detections.scores[column])
        track = Track(self._next, box, at, at, score, self.parameters.still_distance)
        track.confirmed = self.parameters.min_hits <= 1
        track.see(box, detections.labels[column], score, at, detections.second(column))
        self._next += 1
        self._tracks.append(track)
        self._motion.add(box)

    def _drop(self, at: datetime) -> list[Track]:
        """Let go of what has not been seen for too long."""
        keep: list[bool] = []
        for track in self._tracks:
            still = track.still_since is not None and (track.last_seen - track.still_since).total_seconds() > 3.0
            limit = self.parameters.still_age_s if still and track.confirmed else self.parameters.max_age_s
            absent = (at - track.last_seen).total_seconds()
            track.ended = absent > limit and track.missed >= self.parameters.min_missed_looks
            if not track.confirmed and track.missed >= self.parameters.min_missed_looks:
                track.ended = True
            keep.append(not track.ended)
        ended = [track for track, kept in zip(self._tracks, keep, strict=True) if not kept]
        self._tracks = [track for track, kept in zip(self._tracks, keep, strict=True) if kept]
        self._motion.keep(np.array(keep, dtype=np.bool_))
        return ended

    def _associate(self, detections: Detections) -> _Matching:
        """Which track is which detection: sure ones, doubtful ones, then the nearest of what is left."""
        matching = _Matching([], list(range(len(detections))), list(range(len(self._tracks))))
        if not self._tracks or not len(detections):
            return matching
        expected = self._motion.boxes()
        strangers = self._pairs(detections, lambda mine, label: family(mine) != family(label))
        riders = self._pairs(detections, may_be_rider)
        overlaps = overlap_matrix(
            _widen(expected, self.parameters.widen), _widen(detections.boxes, self.parameters.widen)
        )
        unlike = self._pairs(detections, lambda mine, label: mine != label)
        overlaps = overlaps - np.where(riders, self.parameters.ride_cost, self.parameters.rename_cost * unlike)
        sure = detections.scores >= self.parameters.sure_score
        for group in (sure, ~sure):
            columns = [c for c in matching.alone if group[c]]
            matching.take(
                np.where(strangers & ~riders, _FORBIDDEN, 1.0 - overlaps), columns, 1.0 - self.parameters.min_overlap
            )
        distances = np.where(strangers, _FORBIDDEN, _distances(expected, detections.boxes))
        matching.take(distances, [c for c in matching.alone if sure[c]], self.parameters.max_distance)
        return matching

    def _pairs(self, detections: Detections, holds: Callable[[str, str], bool]) -> NDArray[np.bool_]:
        """(tracks, detections): for which pairs of a track's name and a detection's something holds."""
        names = [track.label for track in self._tracks]
        return np.array([[holds(mine, label) for label in detections.labels] for mine in names], dtype=np.bool_)


@dataclass(slots=True)
class _Matching:
    pairs: list[tuple[int, int]]
    alone: list[int]
    """Detections without a track."""
    rows: list[int]
    """Tracks without a detection."""

    def take(self, cost: NDArray[np.floating], columns: list[int], limit: float) -> None:
        """Match the free tracks with these detections at least total cost, none above `limit`."""
        if not columns or not self.rows:
            return
        part = cost[np.ix_(self.rows, columns)]
        found_rows, found_columns = linear_sum_assignment(np.where(part > limit, _FORBIDDEN, part))
        new = [
            (self.rows[r], columns[c]) for r, c in zip(found_rows, found_columns, strict=True) if part[r, c] <= limit
        ]
        self.pairs += new
        self.rows = [row for row in self.rows if row not in {r for r, _ in new}]
        self.alone = [column for column in self.alone if column not in {c for _, c in new}]


def _widen(boxes: Boxes, share: float) -> Boxes:
    margin = (boxes[:, 2:] - boxes[:, :2]) * np.float32(share)
    return np.concatenate([boxes[:, :2] - margin, boxes[:, 2:] + margin], axis=1)


def _distances(expected: Boxes, seen: Boxes) -> NDArray[np.float32]:
    """Distance of centres in mean diagonals, (n, m); boxes of very unlike size are far apart."""
    centre = (expected[:, None, :2] + expected[:, None, 2:] - seen[None, :, :2] - seen[None, :, 2:]) / 2
    first = np.linalg.norm(expected[:, 2:] - expected[:, :2], axis=1)[:, None]
    second = np.linalg.norm(seen[:, 2:] - seen[:, :2], axis=1)[None, :]
    ratio = np.maximum(first, second) / np.maximum(np.minimum(first, second), 1e-6)
    away = np.linalg.norm(centre, axis=2) / np.maximum((first + second) / 2, 1e-6)
    return np.asarray(np.where(ratio > 1.8, _FORBIDDEN, away), dtype=np.float32)
