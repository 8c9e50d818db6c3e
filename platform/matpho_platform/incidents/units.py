"""Units: the forces that can be sent, by area and by what they can do."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import RowMapping

from matpho_contracts.vocabulary import EVENT_TYPES, EventGroup, EventType
from matpho_platform.cameras.areas import AreaTree
from matpho_platform.incidents import repository
from matpho_platform.incidents.errors import UnitNotFoundError
from matpho_platform.incidents.schemas import IncidentSummary, Unit, UnitKind
from matpho_platform.store.engine import Store
from matpho_platform.store.tables import units

_BY_GROUP: Mapping[EventGroup, tuple[UnitKind, ...]] = {
    EventGroup.TRAFFIC: (UnitKind.TRAFFIC, UnitKind.POLICE, UnitKind.MEDICAL),
    EventGroup.SECURITY: (UnitKind.POLICE, UnitKind.MEDICAL),
    EventGroup.FIRE_RESCUE: (UnitKind.FIRE, UnitKind.MEDICAL, UnitKind.POLICE),
    EventGroup.ENVIRONMENT: (UnitKind.ENVIRONMENT, UnitKind.POLICE),
    EventGroup.PUBLIC_PLACES: (UnitKind.POLICE, UnitKind.MEDICAL),
    EventGroup.OPERATIONS: (UnitKind.POLICE,),
}
_BY_TYPE: Mapping[EventType, tuple[UnitKind, ...]] = {
    EventType.PERSON_FALLEN: (UnitKind.MEDICAL, UnitKind.POLICE),
    EventType.FLOODING: (UnitKind.FIRE, UnitKind.TRAFFIC, UnitKind.POLICE, UnitKind.ENVIRONMENT),
}


def kinds_for(event_type: str) -> tuple[UnitKind, ...]:
    """The kinds of unit that an event of this type asks for, the best first; all of them for an unknown type."""
    if event_type not in set(EventType):
        return tuple(UnitKind)
    kind = EventType(event_type)
    return _BY_TYPE.get(kind) or _BY_GROUP[EVENT_TYPES[kind][0]]


class UnitService:
    """The registry of units."""

    def __init__(self, store: Store, areas: AreaTree) -> None:
        self._store = store
        self._areas = areas

    async def all(self) -> Sequence[Unit]:
        """Every unit, by id."""
        async with self._store.reading() as session:
            return tuple(_unit(row) for row in await repository.stored_units(session))

    async def find(self, unit_id: str) -> Unit | None:
        """A unit, or None."""
        async with self._store.reading() as session:
            row = await repository.stored_unit(session, unit_id)
        return None if row is None else _unit(row)

    async def get(self, unit_id: str) -> Unit:
        """A unit; raises UnitNotFoundError."""
        unit = await self.find(unit_id)
        if unit is None:
            raise UnitNotFoundError(f"There is no unit {unit_id}.", action="Look it up in the list of units.")
        return unit

    async def area_of(self, unit_id: str) -> str | None:
        """Where a unit belongs, or None."""
        unit = await self.find(unit_id)
        return None if unit is None else unit.area

    async def suitable(self, incident: IncidentSummary) -> Sequence[Unit]:
        """The units that may serve an incident: those of its area, then of the areas above it; in each the best kind
        first, and units of other kinds last."""
        lineage = self._areas.lineage(incident.area)
        kinds = kinds_for(incident.type)
        near = [unit for unit in await self.all() if unit.area in lineage]

        def rank(unit: Unit) -> tuple[int, int, int, str]:
            fits = unit.kind in kinds
            place = lineage.index(unit.area)
            return (0 if fits else 1, place, kinds.index(unit.kind) if fits else 0, unit.id)

        return tuple(sorted(near, key=rank))

    async def load(self, given: Iterable[Unit]) -> None:
        """Add units, or change those with the same ids."""
        async with self._store.writing() as session:
            for unit in given:
                aliases = json.dumps(unit.aliases, ensure_ascii=False)
                values = {"unit_id": unit.id, "name": unit.name, "aliases": aliases}
                await repository.save(session, units, {**values, "area": unit.area, "kind": unit.kind.value})


def _unit(row: RowMapping) -> Unit:
    return Unit(
        id=row["unit_id"], name=row["name"], aliases=json.loads(row["aliases"]), area=row["area"], kind=row["kind"]
    )
