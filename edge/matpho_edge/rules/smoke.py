"""Smoke: the detector sees it in enough looks at one place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from matpho_contracts.vocabulary import EventType, ObjectClass
from matpho_edge.detections import Detections
from matpho_edge.rules.confirmation import Confirmation, ConfirmationParameters
from matpho_edge.rules.contract import RuleHit
from matpho_edge.rules.zones import Zone
from matpho_edge.track import Track


class SmokeParameters(ConfirmationParameters):
    """n of m looks."""


class Smoke:
    """Needs no zone: smoke matters anywhere in the picture."""

    name = "smoke"
    event_type = EventType.SMOKE

    def __init__(self, parameters: SmokeParameters | None = None) -> None:
        self.parameters = parameters or SmokeParameters()
        self._confirmation = Confirmation(ObjectClass.SMOKE, self.parameters)

    def needs(self) -> frozenset[str]:
        """The class itself."""
        return frozenset({ObjectClass.SMOKE})

    def observe(
        self, tracks: Sequence[Track], detections: Detections, at: datetime, zones: Sequence[Zone]
    ) -> list[RuleHit]:
        """See the class."""
        sure = self._confirmation.observe(detections, at)
        if sure is None:
            return []
        start, found = sure
        return [RuleHit(self.name, self.event_type, start, at, found=found, parameters=self.parameters.plain())]
