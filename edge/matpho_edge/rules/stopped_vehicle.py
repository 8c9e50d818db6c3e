"""Stopped vehicle: one stands in the carriageway, and not because there is a queue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from matpho_contracts.vocabulary import EventType
from matpho_edge.detections import Detections
from matpho_edge.rules.contract import MOTOR_VEHICLES, RuleHit, RuleParameters
from matpho_edge.rules.standing import standing
from matpho_edge.rules.zones import Zone, ZoneKind, in_any, of_kind
from matpho_edge.track import Track


class StoppedVehicleParameters(RuleParameters):
    """Seconds and vehicles."""

    min_seconds: Annotated[float, Field(gt=0, le=3600)] = 25.0
    """Longer than most red lights, for carriageways whose waiting zones nobody has drawn."""
    queue_length: Annotated[int, Field(ge=2, le=100)] = 3
    """So many standing vehicles in one carriageway are a queue, and none of them is an event."""
    queue_seconds: Annotated[float, Field(gt=0, le=600)] = 3.0


class StoppedVehicle:
    """Waiting zones (before a light) never count; a queue reaching back beyond them is known by its length."""

    name = "stopped_vehicle"
    event_type = EventType.STOPPED_VEHICLE

    def __init__(self, parameters: StoppedVehicleParameters | None = None) -> None:
        self.parameters = parameters or StoppedVehicleParameters()

    def needs(self) -> frozenset[str]:
        """Motor vehicles."""
        return frozenset(MOTOR_VEHICLES)

    def observe(
        self, tracks: Sequence[Track], detections: Detections, at: datetime, zones: Sequence[Zone]
    ) -> list[RuleHit]:
        """See the class."""
        waiting = of_kind(zones, ZoneKind.WAITING)
        hits: dict[int, RuleHit] = {}
        for zone in of_kind(zones, ZoneKind.CARRIAGEWAY):
            if len(standing(tracks, zone, at, self.parameters.queue_seconds)) >= self.parameters.queue_length:
                continue
            for track, since in standing(tracks, zone, at, self.parameters.min_seconds):
                if not in_any(waiting, *track.foot):
                    hits.setdefault(
                        track.id,
                        RuleHit(
                            self.name,
                            self.event_type,
                            since,
                            at,
                            zone.name,
                            (track,),
                            parameters=self.parameters.plain(),
                        ),
                    )
        return list(hits.values())
