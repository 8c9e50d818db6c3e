"""Pedestrian on the road: somebody walks in the carriageway and not on a crossing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import numpy as np
from pydantic import Field

from matpho_contracts.vocabulary import EventType, ObjectClass
from matpho_edge.detections import Detections
from matpho_edge.rules.contract import RuleHit, RuleParameters, Since, seen_now
from matpho_edge.rules.zones import Zone, ZoneKind, of_kind
from matpho_edge.track import Track

_TWO_WHEELS = frozenset({ObjectClass.MOTORCYCLE, ObjectClass.BICYCLE})


class PedestrianOnRoadParameters(RuleParameters):
    """Times in seconds."""

    min_seconds: Annotated[float, Field(ge=0, le=600)] = 2.0
    min_looks: Annotated[int, Field(ge=1, le=100)] = 3
    margin: Annotated[float, Field(ge=0, le=0.2)] = 0.012
    """Who is within this of the kerb (share of the picture) may stand on it; who is as near a crossing uses it."""
    rider_overlap: Annotated[float, Field(gt=0, le=1)] = 0.2
    """Share of a person's box under a motorcycle or bicycle from which on the person is its rider."""


class PedestrianOnRoad:
    """Riders are no pedestrians: who was on two wheels in most looks stays a rider."""

    name = "pedestrian_on_road"
    event_type = EventType.PEDESTRIAN_ON_ROAD

    def __init__(self, parameters: PedestrianOnRoadParameters | None = None) -> None:
        self.parameters = parameters or PedestrianOnRoadParameters()
        self._since = Since(grace_s=1.5)
        self._riding: dict[int, tuple[int, int]] = {}
        """Track id to (looks as a rider, looks)."""

    def needs(self) -> frozenset[str]:
        """People."""
        return frozenset({ObjectClass.PERSON})

    def observe(
        self, tracks: Sequence[Track], detections: Detections, at: datetime, zones: Sequence[Zone]
    ) -> list[RuleHit]:
        """See the class."""
        roads = of_kind(zones, ZoneKind.CARRIAGEWAY)
        crossings = of_kind(zones, ZoneKind.CROSSING)
        people = seen_now(tracks, self.needs())
        bikes = detections.of(_TWO_WHEELS).boxes
        hits = []
        for track in people:
            margin = self.parameters.margin
            if self._is_rider(track, bikes) or any(zone.is_near(*track.foot, margin) for zone in crossings):
                continue
            road = next((zone for zone in roads if zone.holds_well(*track.foot, margin)), None)
            if road is None:
                continue
            start, looks = self._since.hold((track.id,), at)
            if looks >= self.parameters.min_looks and (at - start).total_seconds() >= self.parameters.min_seconds:
                hits.append(
                    RuleHit(
                        self.name, self.event_type, start, at, road.name, (track,), parameters=self.parameters.plain()
                    )
                )
        self._since.sweep(at)
        self._riding = {track.id: self._riding[track.id] for track in tracks if track.id in self._riding}
        return hits

    def _is_rider(self, track: Track, bikes: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> bool:
        riding, looks = self._riding.get(track.id, (0, 0))
        riding += int(_covered(track, bikes) >= self.parameters.rider_overlap)
        self._riding[track.id] = (riding, looks + 1)
        return riding * 2 > looks + 1 or riding >= 5


def _covered(track: Track, bikes: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> float:
    """Greatest share of the person's box that lies under one two-wheeler."""
    if not len(bikes):
        return 0.0
    box = track.box
    low, high = np.maximum(box[:2], bikes[:, :2]), np.minimum(box[2:], bikes[:, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    return float(shared.max() / max(float((box[2:] - box[:2]).prod()), 1e-9))
