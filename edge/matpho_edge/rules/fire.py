"""Fire: the detector sees it in enough looks at one place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from matpho_contracts.vocabulary import EventType, ObjectClass
from matpho_edge.detections import Detections
from matpho_edge.rules.confirmation import Confirmation, ConfirmationParameters
from matpho_edge.rules.contract import RuleHit
from matpho_edge.rules.zones import Zone
from matpho_edge.track import Track


class FireParameters(ConfirmationParameters):
    """n of m looks."""


class Fire:
    """Needs no zone: fire matters anywhere in the picture."""

    name = "fire"
    event_type = EventType.FIRE

    def __init__(self, parameters: FireParameters | None = None) -> None:
        self.parameters = parameters or FireParameters()
        self._confirmation = Confirmation(ObjectClass.FIRE, self.parameters)

    def needs(self) -> frozenset[str]:
        """The class itself."""
        return frozenset({ObjectClass.FIRE})

    def observe(
        self, tracks: Sequence[Track], detections: Detections, at: datetime, zones: Sequence[Zone]
    ) -> list[RuleHit]:
        """See the class."""
        sure = self._confirmation.observe(detections, at)
        if sure is None:
            return []
        start, found = sure
        return [RuleHit(self.name, self.event_type, start, at, found=found, parameters=self.parameters.plain())]
