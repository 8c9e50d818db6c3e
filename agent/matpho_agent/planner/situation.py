"""What a sentence is read against: the present, the registry's names, who asks as far as names go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from matpho_agent.language.names import unit_index
from matpho_agent.language.places import PlaceIndex
from matpho_tools.city import PersonName, UnitName


@dataclass(frozen=True, slots=True)
class Situation:
    """The present, the registry's names and the caller's own areas; nothing of what the caller may do."""

    now: datetime
    places: PlaceIndex
    own_areas: tuple[str, ...] = ()
    tools: frozenset[str] = frozenset()
    """Names of the tools that this installation has."""
    units: Sequence[UnitName] = ()
    people: Sequence[PersonName] = ()
    """Staff by name; keep both sequences while they do not change, their index is kept with them."""
    user_id: str = ""
    role: str = ""
    codes: Mapping[str, str] = field(default_factory=dict)
    """How the codes of one kind of thing begin in this installation, in lower case: `{"sv": "incident"}`."""

    def registered(self, name: str) -> bool:
        """Whether an id is a camera's, an area's or a unit's."""
        known = self.places.by_id
        return ("camera", name) in known or ("area", name) in known or name in unit_index(self.units).owners

    def unit(self, unit_id: str) -> UnitName | None:
        """The unit of an id."""
        return next((unit for unit in self.units if unit.id == unit_id), None)
