"""Incidents for people and tools: lists, one incident, figures, opening, and filling an installation."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy import ColumnElement, RowMapping

from matpho_contracts.errors import BadInputError
from matpho_contracts.text import fold
from matpho_contracts.times import unix_ms
from matpho_contracts.vocabulary import EventType
from matpho_platform.access.principal import Principal, Scope
from matpho_platform.cameras.areas import AreaTree
from matpho_platform.events.errors import EventNotFoundError
from matpho_platform.incidents import figures, opening, reading, repository, runs
from matpho_platform.incidents.acting import Acting
from matpho_platform.incidents.errors import IncidentNotFoundError, ProcedureNotFoundError
from matpho_platform.incidents.procedure import Procedure
from matpho_platform.incidents.procedures import ProcedureService
from matpho_platform.incidents.schemas import (
    MAX_EVENTS,
    GroupBy,
    IncidentAction,
    IncidentDetail,
    IncidentEvent,
    IncidentFigures,
    IncidentPage,
    IncidentRecord,
    IncidentSummary,
    Priority,
    Status,
    Unit,
)
from matpho_platform.incidents.units import UnitService
from matpho_platform.store.engine import Store
from matpho_platform.store.session import ReadSession
from matpho_platform.store.tables import incidents

MAX_LIMIT = 200
MAX_OFFSET = 100_000
EVERYWHERE = Scope(None)
_Given = TypeVar("_Given", bound=BaseModel)


class IncidentService(Acting):
    """Reads incidents and moves them along; acts are in `Acting`."""

    def __init__(self, store: Store, areas: AreaTree, procedures: ProcedureService, units: UnitService) -> None:
        super().__init__(store, procedures, units)
        self._areas = areas

    async def list(
        self,
        scope: Scope,
        *,
        now: datetime,
        status: Sequence[Status] = (),
        priority: Sequence[Priority] = (),
        areas: Sequence[str] = (),
        assigned_to: str | None = None,
        time_from: datetime | None = None,
        time_to: datetime | None = None,
        limit: int = 20,
        offset: int = 0,
    ) -> IncidentPage:
        """Incidents, newest first; inside a list any one suffices, times are of opening and half open.

        `assigned_to` is an account's id, or a name or a part of it. Raises BadInputError for an absurd page.
        """
        if offset > MAX_OFFSET:
            raise BadInputError(f"A page starts at most {MAX_OFFSET} incidents in.", action="Narrow the filters.")
        limit, offset = max(1, min(limit, MAX_LIMIT)), max(0, offset)
        where = self._where(scope, areas, time_from, time_to)
        if status:
            where.append(incidents.c.status.in_([item.value for item in status]))
        if priority:
            where.append(incidents.c.priority.in_([item.rank for item in priority]))
        async with self._store.reading() as session:
            if assigned_to:
                people = _named(assigned_to, await repository.everybody(session))
                where.append(incidents.c.assigned_to.in_(people))
            rows, total = await repository.page(session, where, limit, offset)
            found = await reading.summaries(session, rows, now)
            hidden = await self._elsewhere(session, scope, found)
        found = tuple(reading.without(incident, hidden) for incident in found)
        return IncidentPage(incidents=found, total=total, offset=offset, limit=limit)

    def _where(
        self, scope: Scope, areas: Sequence[str], time_from: datetime | None, time_to: datetime | None
    ) -> builtins.list[ColumnElement[bool]]:
        where = [repository.within(self._areas.expand_scope(scope))]
        if areas:
            where.append(incidents.c.area.in_(self._areas.expand(areas)))
        if time_from is not None:
            where.append(incidents.c.opened_ms >= unix_ms(time_from))
        if time_to is not None:
            where.append(incidents.c.opened_ms < unix_ms(time_to))
        return where

    async def get(self, scope: Scope, incident_id: str, now: datetime) -> IncidentDetail:
        """One incident whole; raises IncidentNotFoundError outside the scope too."""
        async with self._store.reading() as session:
            row = await repository.find(session, self._areas.expand_scope(scope), incident_id)
            if row is None:
                raise IncidentNotFoundError(f"There is no incident {incident_id}.")
            incident = await reading.detail(session, row, now)
            return reading.without(incident, await self._elsewhere(session, scope, [incident]))

    async def as_seen(self, scope: Scope, done: IncidentAction) -> IncidentAction:
        """What came of an act, for who is bound to a scope: without the incident's events that lie elsewhere."""
        async with self._store.reading() as session:
            hidden = await self._elsewhere(session, scope, [done.incident])
        return done.model_copy(update={"incident": reading.without(done.incident, hidden)})

    async def _elsewhere(self, session: ReadSession, scope: Scope, found: Sequence[IncidentSummary]) -> frozenset[str]:
        """The events of these incidents that the scope does not cover."""
        inner = self._areas.expand_scope(scope)
        if inner.areas is None:
            return frozenset()
        facts = await repository.event_facts(session, [name for incident in found for name in incident.event_ids])
        return frozenset(name for name, row in facts.items() if not inner.covers(row["area"]))

    async def area_of(self, incident_id: str) -> str | None:
        """Where an incident lies, or None; for the policy, so whoever asks."""
        async with self._store.reading() as session:
            return await repository.area_of(session, incident_id)

    async def helping(self, incident_id: str) -> Sequence[str]:
        """The areas of others that help with an incident; for the policy, so whoever asks."""
        async with self._store.reading() as session:
            return await repository.helping(session, incident_id)

    async def support(
        self, principal: Principal, incident_id: str, area: str, *, at: datetime, note: str = "", key: str = ""
    ) -> IncidentAction:
        """Bring another area into an open incident: its people may see it. Raises BadInputError for an area that is not
        there or has it already, IncidentNotFoundError, DeniedError."""
        if self._areas.find(area) is None:
            raise BadInputError(f"There is no area {area}.", action="Name one of the areas.")
        return await self._support(principal, incident_id, area, at, note, key)

    async def incident_of(self, event_ids: Iterable[str], scope: Scope = EVERYWHERE) -> dict[str, str]:
        """The newest incident of each event that has one within the scope."""
        inner = self._areas.expand_scope(scope)
        async with self._store.reading() as session:
            found = await repository.incident_of(session, event_ids)
            places = {name: await repository.area_of(session, name) or "" for name in set(found.values())}
        return {event_id: name for event_id, name in found.items() if inner.covers(places[name])}

    async def events_of(self, scope: Scope, event_ids: Sequence[str]) -> Sequence[IncidentEvent]:
        """What some events are, as far as the scope covers them, in their order."""
        inner = self._areas.expand_scope(scope)
        async with self._store.reading() as session:
            facts = await repository.event_facts(session, event_ids)
            seen = [event_id for event_id in event_ids if event_id in facts and inner.covers(facts[event_id]["area"])]
            return await reading.events(session, seen)

    async def figures(
        self,
        scope: Scope,
        *,
        now: datetime,
        areas: Sequence[str] = (),
        event_types: Sequence[EventType] = (),
        time_from: datetime | None = None,
        time_to: datetime | None = None,
        group_by: Sequence[GroupBy] = (),
    ) -> IncidentFigures:
        """Response times, open ones and the share resolved of the incidents opened in a period (until `now`)."""
        where = self._where(scope, areas, time_from, time_to if time_to is not None and time_to < now else None)
        where.append(incidents.c.opened_ms <= unix_ms(now))
        if event_types:
            where.append(incidents.c.event_type.in_([kind.value for kind in event_types]))
        async with self._store.reading() as session:
            rows, whole = await figures.tabulate(session, group_by, where)
        return IncidentFigures(group_by=tuple(group_by), rows=rows, whole=whole)

    async def procedure_for(self, kind: EventType) -> Procedure | None:
        """The procedure that an incident of such an event would run by."""
        return await self._procedures.for_types([kind])

    async def plan(
        self, event_ids: Sequence[str], procedure: str | None, priority: Priority | None
    ) -> tuple[Procedure | None, Priority]:
        """What an incident of these events would run by: the given, else the defaults.

        Raises EventNotFoundError and ProcedureNotFoundError.
        """
        async with self._store.reading() as session:
            facts = await repository.event_facts(session, event_ids)
        unknown = [event_id for event_id in event_ids if event_id not in facts]
        if unknown or not event_ids:
            raise EventNotFoundError(f"There is no event {', '.join(unknown) or '(none given)'}.")
        types = [EventType(row["event_type"]) for row in facts.values() if row["event_type"] in set(EventType)]
        chosen = await self._procedures.get(procedure) if procedure else await self._procedures.for_types(types)
        return chosen, priority or opening.default_priority(chosen, opening.leading(facts, event_ids))

    async def open(
        self,
        principal: Principal,
        event_ids: Sequence[str],
        *,
        at: datetime,
        procedure: str | None = None,
        priority: Priority | None = None,
        note: str = "",
        key: str = "",
        separate: bool = False,
    ) -> IncidentAction:
        """Open an incident; an event that has one is answered with that one unless `separate`.

        Raises EventNotFoundError, ProcedureNotFoundError, BadInputError for too many events.
        """
        wanted = tuple(dict.fromkeys(event_ids))
        if len(wanted) > MAX_EVENTS:
            raise BadInputError(f"An incident has at most {MAX_EVENTS} events.")
        chosen, pressing = await self.plan(wanted, procedure, priority)
        async with self._store.writing() as session:
            await opening.lock(session)
            before = await self._done_before(session, key, "opened", None)
            if before is None and not separate:
                before = next(iter((await repository.incident_of(session, wanted)).values()), None)
            if before is not None:
                return await self._result(session, "opened", before, at, changed=False)
            lead = opening.leading(await repository.event_facts(session, wanted), wanted)
            if lead is None:
                raise EventNotFoundError("The events are gone.")
            at_ms = unix_ms(at)
            incident_id = await opening.next_id(session, at_ms)
            await opening.write(
                session,
                incident_id,
                wanted,
                lead,
                chosen,
                priority=pressing,
                area=lead["area"],
                opened_ms=at_ms,
                opened_by=principal.user_id,
            )
            details = {"priority": pressing.value} | ({"procedure": chosen.id} if chosen else {})
            await self._note(session, principal, incident_id, "opened", details, at_ms, note, "", key)
            await runs.begin(session, incident_id, 0, at_ms)
        self.promised()
        return await self._shown("opened", incident_id, at)

    async def load(
        self,
        *,
        procedures: Iterable[Procedure | Mapping[str, Any]] = (),
        units: Iterable[Unit | Mapping[str, Any]] = (),
        incidents: Iterable[IncidentRecord | Mapping[str, Any]] = (),
    ) -> None:
        """Fill an installation; procedures and units that are there are changed, incidents that are there stay.

        Events first, so that incidents know theirs. Raises BadInputError for a value that cannot be.
        """
        await self._procedures.load(_read(Procedure, procedures))
        await self._units.load(_read(Unit, units))
        records = _read(IncidentRecord, incidents)
        known = {item.id: item for item in await self._procedures.all(public_only=False)}
        async with self._store.writing() as session:
            await opening.lock(session)
            for record in records:
                if record.procedure is not None and record.procedure not in known:
                    raise ProcedureNotFoundError(f"Incident {record.id} names no procedure: {record.procedure}.")
                if await repository.area_of(session, record.id) is None:
                    await opening.write_record(session, record, known.get(record.procedure or ""))


def _named(said: str, everybody: Sequence[RowMapping]) -> list[str]:
    """The accounts that an id or a part of a name fits; an exact id or name wins over a part."""
    wanted = fold(said)
    exact = [row["user_id"] for row in everybody if wanted in (fold(row["user_id"]), fold(row["name"]))]
    parts = wanted.split()
    return exact or [said, *(row["user_id"] for row in everybody if set(parts) <= set(fold(row["name"]).split()))]


def _read(kind: type[_Given], values: Iterable[_Given | Mapping[str, Any]]) -> list[_Given]:
    try:
        return [item if isinstance(item, kind) else kind.model_validate(item) for item in values]
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadInputError(f"This is no {kind.__name__}: {where}: {first['msg']}.") from error
