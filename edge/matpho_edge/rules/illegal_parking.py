"""Illegal parking: a vehicle has stood in a no-parking zone for too long."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from matpho_contracts.vocabulary import EventType
from matpho_edge.detections import Detections
from matpho_edge.rules.contract import EMERGENCY, MOTOR_VEHICLES, RuleHit, RuleParameters
from matpho_edge.rules.standing import standing
from matpho_edge.rules.zones import Zone, ZoneKind, in_any, of_kind
from matpho_edge.track import Track


class IllegalParkingParameters(RuleParameters):
    """Seconds that a vehicle may stand."""

    min_seconds: Annotated[float, Field(gt=0, le=86_400)] = 20.0


class IllegalParking:
    """Ambulances and fire engines may stand where they must, and a bus at its stop (a waiting zone)."""

    name = "illegal_parking"
    event_type = EventType.ILLEGAL_PARKING

    def __init__(self, parameters: IllegalParkingParameters | None = None) -> None:
        self.parameters = parameters or IllegalParkingParameters()

    def needs(self) -> frozenset[str]:
        """Motor vehicles."""
        return frozenset(MOTOR_VEHICLES)

    def observe(
        self, tracks: Sequence[Track], detections: Detections, at: datetime, zones: Sequence[Zone]
    ) -> list[RuleHit]:
        """See the class."""
        return [
            RuleHit(self.name, self.event_type, since, at, zone.name, (track,), parameters=self.parameters.plain())
            for zone in of_kind(zones, ZoneKind.NO_PARKING)
            for track, since in standing(tracks, zone, at, self.parameters.min_seconds)
            if track.label not in EMERGENCY and not in_any(of_kind(zones, ZoneKind.WAITING), *track.foot)
        ]
