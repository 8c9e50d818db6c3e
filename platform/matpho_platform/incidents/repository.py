"""Queries on incidents, procedures and units."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Table,
    and_,
    exists,
    false,
    func,
    insert,
    or_,
    select,
    text,
    true,
    update,
)

from matpho_platform.access.principal import Scope
from matpho_platform.store.session import ReadSession, WriteSession
from matpho_platform.store.tables import (
    accounts,
    cameras,
    events,
    inbox,
    incident_areas,
    incident_events,
    incident_steps,
    incident_tasks,
    incident_timeline,
    incidents,
    procedures,
    units,
)

MAX_TIMELINE = 200
"""Entries of a timeline that one answer shows: the newest."""
MAX_TASKS = 100
MAX_REGISTRY = 10_000
"""Procedures or units that are read at once."""
_FIND_ACCOUNTS = 5_000
_NOTE_DOWN = (
    "INSERT INTO incident_timeline (incident_id, at_ms, actor, action, details, note, reason, key)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)


def within(scope: Scope) -> ColumnElement[bool]:
    """The scope as a condition: incidents of its areas, and those that its areas help with.

    `scope` is expanded already. The only home of this condition for incidents.
    """
    if scope.areas is None:
        return true()
    if not scope.areas:
        return false()
    helps = exists().where(
        incident_areas.c.incident_id == incidents.c.incident_id, incident_areas.c.area.in_(scope.areas)
    )
    return or_(incidents.c.area.in_(scope.areas), helps)


async def page(
    session: ReadSession, where: Sequence[ColumnElement[bool]], limit: int, offset: int
) -> tuple[Sequence[RowMapping], int]:
    """Incidents that fit, newest first, and how many fit."""
    query = select(incidents).where(and_(*where)).order_by(incidents.c.opened_ms.desc(), incidents.c.incident_id.desc())
    total = await session.scalar(select(func.count()).select_from(incidents).where(and_(*where)))
    return await session.all(query.limit(limit).offset(offset)), int(total or 0)


async def find(session: ReadSession, scope: Scope, incident_id: str) -> RowMapping | None:
    """One incident within the scope."""
    return await session.first(select(incidents).where(incidents.c.incident_id == incident_id, within(scope)))


async def one(session: ReadSession, incident_id: str) -> RowMapping:
    """One incident that is known to be there."""
    return (await session.all(select(incidents).where(incidents.c.incident_id == incident_id)))[0]


async def ensure_counter(session: WriteSession, name: str) -> None:
    """Make a counter if there is none; of two that try at once both go on, with one row."""
    made = text("INSERT INTO counters (name, value) VALUES (:name, 0) ON CONFLICT (name) DO NOTHING")
    await session.run(made, [{"name": name}])


async def locked(session: WriteSession, incident_id: str) -> RowMapping | None:
    """One incident, held until the commit: nobody else changes it meanwhile."""
    return await session.first(select(incidents).where(incidents.c.incident_id == incident_id).with_for_update())


async def area_of(session: ReadSession, incident_id: str) -> str | None:
    """Where an incident lies, whoever asks."""
    area = await session.scalar(select(incidents.c.area).where(incidents.c.incident_id == incident_id))
    return None if area is None else str(area)


async def of_incidents(session: ReadSession, table: Table, ids: Iterable[str]) -> Mapping[str, Sequence[RowMapping]]:
    """The events or steps of some incidents, in order."""
    wanted, grouped = set(ids), dict[str, list[RowMapping]]()
    if not wanted:
        return grouped
    query = select(table).where(table.c.incident_id.in_(wanted)).order_by(table.c.incident_id, table.c.position)
    for row in await session.all(query):
        grouped.setdefault(row["incident_id"], []).append(row)
    return grouped


async def events_of(session: ReadSession, ids: Iterable[str]) -> Mapping[str, Sequence[RowMapping]]:
    """The event ids of some incidents."""
    return await of_incidents(session, incident_events, ids)


async def steps_of(session: ReadSession, ids: Iterable[str]) -> Mapping[str, Sequence[RowMapping]]:
    """The steps of some incidents."""
    return await of_incidents(session, incident_steps, ids)


async def tasks_of(session: ReadSession, incident_id: str) -> Sequence[RowMapping]:
    """The tasks of an incident, as sent."""
    query = select(incident_tasks).where(incident_tasks.c.incident_id == incident_id)
    return await session.all(query.order_by(incident_tasks.c.sent_ms, incident_tasks.c.task_id).limit(MAX_TASKS))


async def count_tasks(session: ReadSession, incident_id: str) -> int:
    """How many tasks an incident has."""
    query = select(func.count()).select_from(incident_tasks).where(incident_tasks.c.incident_id == incident_id)
    return int(await session.scalar(query) or 0)


async def timeline_of(session: ReadSession, incident_id: str) -> Sequence[RowMapping]:
    """The newest entries of an incident's timeline, in order."""
    query = select(incident_timeline).where(incident_timeline.c.incident_id == incident_id)
    return list(reversed(await session.all(query.order_by(incident_timeline.c.entry_id.desc()).limit(MAX_TIMELINE))))


async def by_key(session: ReadSession, key: str) -> RowMapping | None:
    """The entry that an act with this key left."""
    return await session.first(select(incident_timeline).where(incident_timeline.c.key == key))


async def incident_of(session: ReadSession, event_ids: Iterable[str]) -> dict[str, str]:
    """The newest incident of each event that has one."""
    query = (
        select(incident_events.c.event_id, incident_events.c.incident_id)
        .join(incidents, incidents.c.incident_id == incident_events.c.incident_id)
        .where(incident_events.c.event_id.in_(set(event_ids)))
        .order_by(incidents.c.opened_ms, incidents.c.incident_id)
    )
    return {row["event_id"]: row["incident_id"] for row in await session.all(query)}


async def event_facts(session: ReadSession, event_ids: Iterable[str]) -> Mapping[str, RowMapping]:
    """Type, camera, area, severity and time of stored events, by id."""
    wanted = set(event_ids)
    if not wanted:
        return {}
    query = (
        select(events.c.id, events.c.event_type, events.c.camera_id, events.c.area, events.c.severity, events.c.time_ms)
        .join(inbox, inbox.c.seq == events.c.seq)
        .where(inbox.c.event_id.in_(wanted))
    )
    return {row["id"]: row for row in await session.all(query)}


async def camera_names(session: ReadSession, camera_ids: Iterable[str]) -> dict[str, str]:
    """The names of some cameras."""
    wanted = set(camera_ids)
    if not wanted:
        return {}
    query = select(cameras.c.camera_id, cameras.c.name).where(cameras.c.camera_id.in_(wanted))
    return {row["camera_id"]: row["name"] for row in await session.all(query)}


async def people(session: ReadSession, user_ids: Iterable[str]) -> dict[str, str]:
    """The names of some accounts."""
    wanted = set(user_ids)
    if not wanted:
        return {}
    query = select(accounts.c.user_id, accounts.c.name).where(accounts.c.user_id.in_(wanted))
    return {row["user_id"]: row["name"] for row in await session.all(query)}


async def everybody(session: ReadSession) -> Sequence[RowMapping]:
    """Ids and names of the accounts, for finding a person by name."""
    query = select(accounts.c.user_id, accounts.c.name).order_by(accounts.c.user_id).limit(_FIND_ACCOUNTS)
    return await session.all(query)


async def add(session: WriteSession, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows."""
    if rows:
        await session.run(insert(table), rows)


async def change(session: WriteSession, incident_id: str, values: Mapping[str, Any]) -> None:
    """Change an incident's columns."""
    if values:
        await session.run(update(incidents).where(incidents.c.incident_id == incident_id).values(**values))


async def change_step(session: WriteSession, incident_id: str, position: int, values: Mapping[str, Any]) -> None:
    """Change one step."""
    row = and_(incident_steps.c.incident_id == incident_id, incident_steps.c.position == position)
    await session.run(update(incident_steps).where(row).values(**values))


async def note_down(
    session: WriteSession,
    incident_id: str,
    *,
    at_ms: int,
    actor: str,
    action: str,
    details: Mapping[str, str],
    note: str = "",
    reason: str = "",
    key: str | None = None,
) -> None:
    """Append to the timeline; raises DuplicateError for a key that is there."""
    said = json.dumps(dict(details), ensure_ascii=False, sort_keys=True)
    await session.later(_NOTE_DOWN, [(incident_id, at_ms, actor, action, said, note, reason, key)])


async def stored_procedures(session: ReadSession, public_only: bool) -> Sequence[str]:
    """The procedures as JSON, by id."""
    query = select(procedures.c.document).order_by(procedures.c.procedure_id).limit(MAX_REGISTRY)
    rows = await session.all(query.where(procedures.c.public) if public_only else query)
    return [row["document"] for row in rows]


async def titles(session: ReadSession, procedure_ids: Iterable[str]) -> dict[str, str]:
    """The titles of some procedures."""
    wanted = set(procedure_ids)
    if not wanted:
        return {}
    query = select(procedures.c.procedure_id, procedures.c.title).where(procedures.c.procedure_id.in_(wanted))
    return {row["procedure_id"]: row["title"] for row in await session.all(query)}


async def stored_procedure(session: ReadSession, procedure_id: str) -> str | None:
    """One procedure as JSON."""
    found = await session.scalar(select(procedures.c.document).where(procedures.c.procedure_id == procedure_id))
    return None if found is None else str(found)


async def stored_units(session: ReadSession) -> Sequence[RowMapping]:
    """Every unit, by id."""
    return await session.all(select(units).order_by(units.c.unit_id).limit(MAX_REGISTRY))


async def stored_unit(session: ReadSession, unit_id: str) -> RowMapping | None:
    """One unit."""
    return await session.first(select(units).where(units.c.unit_id == unit_id))


async def save(session: WriteSession, table: Table, values: Mapping[str, Any]) -> None:
    """Add a row, or change the one with the same key (a table with one key column)."""
    key = next(iter(table.primary_key.columns))
    if not await session.run(update(table).where(key == values[key.name]).values(**values)):
        await session.run(insert(table).values(**values))


async def keys_of(session: ReadSession, incident_id: str) -> set[str]:
    """The keys of everything that was done to an incident."""
    query = select(incident_timeline.c.key).where(
        incident_timeline.c.incident_id == incident_id, incident_timeline.c.key.is_not(None)
    )
    return {str(row["key"]) for row in await session.all(query)}


async def helping(session: ReadSession, incident_id: str) -> tuple[str, ...]:
    """The areas that help with an incident."""
    query = select(incident_areas.c.area).where(incident_areas.c.incident_id == incident_id)
    return tuple(str(row["area"]) for row in await session.all(query.order_by(incident_areas.c.area)))
