"""Object seen: one quiet event for each thing that was followed, so that everything can be searched for later.

It is told at the moment the thing showed best: far away a cyclist is a few pixels that could be anybody on foot, and
what is told too early is found under the wrong name for good.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

import numpy as np
from pydantic import Field

from matpho_contracts.vocabulary import EventType, ObjectClass
from matpho_edge.detections import Detections, overlap_matrix
from matpho_edge.rules.contract import RuleHit, RuleParameters, live
from matpho_edge.rules.zones import Zone
from matpho_edge.track import Track

_EDGE = 0.004
"""A box nearer than this to the picture's border is taken to be cut off."""
_MAX_PLACES = 500


class ObjectSeenParameters(RuleParameters):
    """Seconds, looks, scores 0..1."""

    labels: tuple[str, ...] = ()
    """Only these classes; empty means every class the detector knows."""
    ignore: tuple[str, ...] = (ObjectClass.FIRE, ObjectClass.SMOKE)
    min_looks: Annotated[int, Field(ge=1, le=100)] = 3
    patience: Annotated[int, Field(ge=1, le=1000)] = 6
    """Looks after which a thing is reported although it never came wholly into the picture."""
    better_look_s: Annotated[float, Field(ge=0, le=60)] = 6.0
    """How long a better look is waited for while the thing still grows."""
    shrunk: Annotated[float, Field(ge=0, le=1)] = 0.85
    """A box below this share of its largest area is past its best."""
    still_s: Annotated[float, Field(ge=0, le=60)] = 2.0
    """What has stood still for so long will show no better."""
    min_score: Annotated[float, Field(ge=0, le=1)] = 0.45
    per_minute: Annotated[int, Field(ge=1, le=6000)] = 60
    """Most events of this kind from one camera."""
    same_place_s: Annotated[float, Field(ge=0, le=604_800)] = 1800.0
    """A thing of the same class at the same place within this time is the same thing, parked."""


class ObjectSeen:
    """Each track once; riders are seen as their motorcycle; what stands where such a thing stood is not new."""

    name = "object_seen"
    event_type = EventType.OBJECT_SEEN

    def __init__(self, parameters: ObjectSeenParameters | None = None) -> None:
        self.parameters = parameters or ObjectSeenParameters()
        self.skipped = 0
        """How many were not reported because of `per_minute`."""
        self._done: set[int] = set()
        self._sent: deque[datetime] = deque()
        self._largest: dict[int, float] = {}
        """Track id to the largest area of its box while wholly in the picture, of things not reported yet."""
        self._places: deque[list[object]] = deque(maxlen=_MAX_PLACES)
        """[label, box, when last seen there] of reported things that stood still."""

    def needs(self) -> frozenset[str]:
        """The classes asked for; none in particular when all are."""
        return frozenset(self.parameters.labels)

    def observe(
        self, tracks: Sequence[Track], detections: Detections, at: datetime, zones: Sequence[Zone]
    ) -> list[RuleHit]:
        """See the class."""
        self._forget(tracks)
        hits = []
        for track in live(tracks):
            if track.id in self._done:
                if track.missed == 0:
                    self._remember_place(track, at)
                continue
            if not self._asked_for(track) or not self._at_its_best(track, at):
                continue
            self._done.add(track.id)
            self._largest.pop(track.id, None)
            if self._stood_here(track, at):
                continue
            if not self._within_rate(at):
                self.skipped += 1
                continue
            zone = next((zone.name for zone in zones if zone.kind != "masked" and zone.holds(*track.foot)), None)
            parameters = self.parameters.plain()
            hits.append(
                RuleHit(
                    self.name, self.event_type, track.first_seen, track.last_seen, zone, (track,), parameters=parameters
                )
            )
        return hits

    def _forget(self, tracks: Sequence[Track]) -> None:
        going_on = {track.id for track in tracks if not track.ended}
        self._done &= going_on
        self._largest = {key: area for key, area in self._largest.items() if key in going_on}

    def _asked_for(self, track: Track) -> bool:
        label = track.label
        if (self.parameters.labels and label not in self.parameters.labels) or label in self.parameters.ignore:
            return False
        return track.hits >= self.parameters.min_looks and track.score >= self.parameters.min_score

    def _at_its_best(self, track: Track, at: datetime) -> bool:
        """Whether to report it now, because no better look is to be expected."""
        box, known = track.box, self._largest.get(track.id)
        if track.missed:
            return track.missed == 1 and known is not None
        whole = bool(box[0] > _EDGE and box[1] > _EDGE and box[2] < 1 - _EDGE and box[3] < 1 - _EDGE)
        if not whole:
            return known is not None or track.hits >= self.parameters.patience
        area = float((box[2] - box[0]) * (box[3] - box[1]))
        largest = self._largest[track.id] = max(area, known or 0.0)
        waited = (at - track.first_seen).total_seconds()
        return (
            area < self.parameters.shrunk * largest
            or waited >= self.parameters.better_look_s
            or track.still_for(at) >= self.parameters.still_s
        )

    def _within_rate(self, at: datetime) -> bool:
        while self._sent and at - self._sent[0] > timedelta(minutes=1):
            self._sent.popleft()
        if len(self._sent) >= self.parameters.per_minute:
            return False
        self._sent.append(at)
        return True

    def _remember_place(self, track: Track, at: datetime) -> None:
        if track.still_for(at) < 5.0:
            return
        known = self._place_of(track)
        if known is None:
            self._places.append([track.label, track.box, at])
        else:
            known[2] = at

    def _stood_here(self, track: Track, at: datetime) -> bool:
        known = self._place_of(track)
        if known is None:
            return False
        last = known[2]
        return isinstance(last, datetime) and (at - last).total_seconds() <= self.parameters.same_place_s

    def _place_of(self, track: Track) -> list[object] | None:
        same = [place for place in self._places if place[0] == track.label]
        if not same:
            return None
        overlaps = overlap_matrix(track.box[None, :], np.stack([np.asarray(place[1]) for place in same]))[0]
        best = int(overlaps.argmax())
        return same[best] if overlaps[best] > 0.7 else None
