"""Crowd: many people in one area for some time."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from statistics import median
from typing import Annotated

from pydantic import Field

from matpho_contracts.vocabulary import EventType, ObjectClass, Severity
from matpho_edge.detections import Detections
from matpho_edge.rules.contract import RuleHit, RuleParameters, live
from matpho_edge.rules.zones import Zone, ZoneKind, of_kind
from matpho_edge.track import Track

_HIDDEN_S = 1.0
"""Who has not been seen this long does not count any more."""


class CrowdParameters(RuleParameters):
    """People and seconds."""

    min_people: Annotated[int, Field(ge=2, le=10_000)] = 8
    min_seconds: Annotated[float, Field(ge=0, le=3600)] = 5.0
    steady: Annotated[float, Field(gt=0, le=1)] = 0.7
    """Share of the looks within the time that must show so many people."""


class Crowd:
    """Counts feet in crowd areas: tracks, or detections where those are more (a dense crowd loses tracks)."""

    name = "crowd"
    event_type = EventType.CROWD

    def __init__(self, parameters: CrowdParameters | None = None) -> None:
        self.parameters = parameters or CrowdParameters()
        self._counts: dict[str, deque[tuple[datetime, int]]] = {}

    def needs(self) -> frozenset[str]:
        """People."""
        return frozenset({ObjectClass.PERSON})

    def observe(
        self, tracks: Sequence[Track], detections: Detections, at: datetime, zones: Sequence[Zone]
    ) -> list[RuleHit]:
        """See the class."""
        people = [t for t in live(tracks, self.needs()) if (at - t.last_seen).total_seconds() <= _HIDDEN_S]
        found = detections.of(self.needs())
        hits = []
        for zone in of_kind(zones, ZoneKind.CROWD_AREA):
            inside = [track for track in people if zone.holds(*track.foot)]
            seen = sum(zone.holds(float((box[0] + box[2]) / 2), float(box[3])) for box in found.boxes)
            count = max(len(inside), seen)
            hit = self._judge(zone, count, inside, at)
            if hit is not None:
                hits.append(hit)
        return hits

    def _judge(self, zone: Zone, count: int, inside: list[Track], at: datetime) -> RuleHit | None:
        looks = self._counts.setdefault(zone.name, deque(maxlen=5000))
        looks.append((at, count))
        while len(looks) > 1 and (at - looks[1][0]).total_seconds() >= self.parameters.min_seconds:
            looks.popleft()
        covered = (at - looks[0][0]).total_seconds()
        full = [number for _, number in looks if number >= self.parameters.min_people]
        if covered < self.parameters.min_seconds or len(full) < self.parameters.steady * len(looks) or len(full) < 2:
            return None
        if count < self.parameters.min_people:
            return None
        number = round(median(number for _, number in looks))
        severity = Severity.HIGH if number >= 3 * self.parameters.min_people else None
        ordered = tuple(sorted(inside, key=lambda track: -track.score))
        return RuleHit(
            self.name,
            self.event_type,
            looks[0][0],
            at,
            zone.name,
            ordered,
            count=max(number, self.parameters.min_people),
            parameters=self.parameters.plain(),
            severity=severity,
        )
