"""Intrusion: a person or a vehicle stands in a restricted zone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from matpho_contracts.vocabulary import VEHICLES, EventType, ObjectClass
from matpho_edge.detections import Detections
from matpho_edge.rules.contract import RuleHit, RuleParameters, Since, seen_now
from matpho_edge.rules.zones import Zone, ZoneKind, of_kind
from matpho_edge.track import Track


class IntrusionParameters(RuleParameters):
    """Times in seconds."""

    min_seconds: Annotated[float, Field(ge=0, le=3600)] = 1.0
    min_looks: Annotated[int, Field(ge=1, le=100)] = 2
    vehicles: bool = True


class Intrusion:
    """The foot decides: who reaches over a wall with the head is outside."""

    name = "intrusion"
    event_type = EventType.INTRUSION

    def __init__(self, parameters: IntrusionParameters | None = None) -> None:
        self.parameters = parameters or IntrusionParameters()
        self._since = Since(grace_s=2.0)

    def needs(self) -> frozenset[str]:
        """A person, or a vehicle where vehicles count."""
        return frozenset({ObjectClass.PERSON, *(VEHICLES if self.parameters.vehicles else ())})

    def observe(
        self, tracks: Sequence[Track], detections: Detections, at: datetime, zones: Sequence[Zone]
    ) -> list[RuleHit]:
        """See the class."""
        hits = []
        restricted = of_kind(zones, ZoneKind.RESTRICTED)
        for track in seen_now(tracks, self.needs()):
            for zone in restricted:
                if not zone.holds(*track.foot):
                    continue
                start, looks = self._since.hold((track.id, zone.name), at)
                if looks >= self.parameters.min_looks and (at - start).total_seconds() >= self.parameters.min_seconds:
                    hits.append(
                        RuleHit(
                            self.name,
                            self.event_type,
                            start,
                            at,
                            zone.name,
                            (track,),
                            parameters=self.parameters.plain(),
                        )
                    )
        self._since.sweep(at)
        return hits
