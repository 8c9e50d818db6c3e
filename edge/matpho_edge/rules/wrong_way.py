"""Wrong way: a vehicle moves against its carriageway's direction over some distance and time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from matpho_contracts.vocabulary import VEHICLES, EventType
from matpho_edge.detections import Detections
from matpho_edge.rules.contract import EMERGENCY, RuleHit, RuleParameters, Since, seen_now
from matpho_edge.rules.zones import Zone, ZoneKind, of_kind
from matpho_edge.track import Track


class WrongWayParameters(RuleParameters):
    """Distances are shares of the picture's size, times seconds, the angle degrees off the opposite direction."""

    min_distance: Annotated[float, Field(gt=0, le=1)] = 0.08
    min_seconds: Annotated[float, Field(ge=0, le=60)] = 1.0
    max_angle: Annotated[float, Field(gt=0, le=90)] = 55.0
    window_s: Annotated[float, Field(gt=0, le=60)] = 4.0


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
        return cosine <= -math.cos(math.radians(self.parameters.max_angle))


def _only_lane(lanes: Sequence[Zone], track: Track) -> Zone | None:
    """The lane under the track; none where lanes of different directions overlap (a junction has no wrong way)."""
    under = [lane for lane in lanes if lane.holds(*track.foot)]
    if not under or any(lane.direction != under[0].direction for lane in under):
        return None
    oldest = track.feet[0]
    recent = next((point for point in track.feet if (track.feet[-1].at - point.at).total_seconds() <= 1.0), oldest)
    return under[0] if under[0].holds(recent.x, recent.y) else None
