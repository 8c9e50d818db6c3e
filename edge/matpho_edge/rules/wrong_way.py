"""Wrong way: a vehicle moves against its carriageway's direction over some distance and time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Annotated

from pydantic import Field

from matpho_contracts.vocabulary import VEHICLES, EventType
from matpho_edge.detections import Detections
from matpho_edge.rules.contract import EMERGENCY, RuleHit, RuleParameters, Since, seen_now
from matpho_edge.rules.zones import Zone, ZoneKind, of_kind
from matpho_edge.track import FootPoint, Track

_STEP_S = 0.35
"""Steps are taken this far apart, so that a box's trembling does not count as way."""


class WrongWayParameters(RuleParameters):
    """Distances are shares of the picture's size, times seconds, the angle degrees off the opposite direction."""

    min_distance: Annotated[float, Field(gt=0, le=1)] = 0.08
    min_seconds: Annotated[float, Field(ge=0, le=60)] = 1.0
    max_angle: Annotated[float, Field(gt=0, le=90)] = 55.0
    window_s: Annotated[float, Field(gt=0, le=60)] = 4.0
    steady: Annotated[float, Field(gt=0, le=1)] = 0.8
    """Share of the way covered that must lead against the direction."""


class WrongWay:
    """A crossing or turning vehicle is outside the angle; ambulances and fire engines may."""

    name = "wrong_way"
    event_type = EventType.WRONG_WAY

    def __init__(self, parameters: WrongWayParameters | None = None) -> None:
        self.parameters = parameters or WrongWayParameters()
        self._since = Since(grace_s=1.0)

    def needs(self) -> frozenset[str]:
        """Any vehicle."""
        return frozenset(VEHICLES)

    def observe(
        self, tracks: Sequence[Track], detections: Detections, at: datetime, zones: Sequence[Zone]
    ) -> list[RuleHit]:
        """See the class."""
        lanes = [zone for zone in of_kind(zones, ZoneKind.CARRIAGEWAY) if zone.direction is not None]
        hits = []
        for track in seen_now(tracks, VEHICLES - EMERGENCY):
            if _is_cut(track):
                continue
            lane = _only_lane(lanes, track)
            if lane is None or not self._against(track, lane):
                continue
            start, looks = self._since.hold((track.id, lane.name), at)
            if looks >= 2:
                hits.append(
                    RuleHit(
                        self.name, self.event_type, start, at, lane.name, (track,), parameters=self.parameters.plain()
                    )
                )
        self._since.sweep(at)
        return hits

    def _against(self, track: Track, lane: Zone) -> bool:
        assert lane.direction is not None  # noqa: S101 - filtered by the caller
        dx, dy, seconds = track.moved(self.parameters.window_s)
        length = math.hypot(dx, dy)
        if seconds < self.parameters.min_seconds or length < self.parameters.min_distance:
            return False
        cosine = (dx * lane.direction[0] + dy * lane.direction[1]) / length
        return cosine <= -math.cos(math.radians(self.parameters.max_angle)) and self._steadily(track, lane.direction)

    def _steadily(self, track: Track, direction: tuple[float, float]) -> bool:
        """Whether nearly every step goes against the direction and none of them makes up most of the way.

        One great leap is a track that jumped to the next vehicle, or a box that grew while the vehicle came into view.
        """
        newest = track.feet[-1].at
        points: list[FootPoint] = []
        for point in track.feet:
            young = (newest - point.at).total_seconds() <= self.parameters.window_s
            if young and (not points or (point.at - points[-1].at).total_seconds() >= _STEP_S):
                points.append(point)
        steps = [-((b.x - a.x) * direction[0] + (b.y - a.y) * direction[1]) for a, b in pairwise(points)]
        way = sum(abs(step) for step in steps)
        against = sum(step for step in steps if step > 0)
        if len(steps) < 2 or min(steps[-2:]) <= 0:
            return False
        return against >= self.parameters.steady * way and max(steps) <= 0.7 * against


def _only_lane(lanes: Sequence[Zone], track: Track) -> Zone | None:
    """The lane under the track; none where lanes of different directions overlap (a junction has no wrong way)."""
    under = [lane for lane in lanes if lane.holds(*track.foot)]
    if not under or any(lane.direction != under[0].direction for lane in under):
        return None
    oldest = track.feet[0]
    recent = next((point for point in track.feet if (track.feet[-1].at - point.at).total_seconds() <= 1.0), oldest)
    return under[0] if under[0].holds(recent.x, recent.y) else None


def _is_cut(track: Track) -> bool:
    """Whether the picture's border cuts the vehicle: its foot then moves as the cut does, not as the vehicle."""
    x1, _, x2, y2 = (float(value) for value in track.box)
    return x1 < 0.004 or x2 > 0.996 or y2 > 0.996
