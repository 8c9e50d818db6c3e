"""Opening incidents: what a new one is made of, and its number. Run inside the caller's transaction."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping

from matpho_contracts.times import from_unix_ms, unix_ms
from matpho_contracts.vocabulary import Severity
from matpho_platform.incidents import repository, versions
from matpho_platform.incidents.procedure import Procedure
from matpho_platform.incidents.progress import local, step_rows
from matpho_platform.incidents.schemas import IncidentRecord, Level, Priority, Status
from matpho_platform.store.serials import lock_serial, save_serial
from matpho_platform.store.session import WriteSession
from matpho_platform.store.tables import incident_events, incident_steps, incidents

LOCK = "incidents"
"""The counter whose row everybody who opens an incident holds: an event gets one incident, whoever is first."""
CENTER = "center"
"""The actor of what nobody did by hand."""
_GIVEN_OUT = re.compile(r"^VV-(\d{4})-(\d{1,9})$")


async def lock(session: WriteSession) -> None:
    """From here to the commit nobody else opens an incident."""
    await repository.ensure_counter(session, LOCK)
    await lock_serial(session, LOCK)


async def next_id(session: WriteSession, at_ms: int) -> str:
    """`VV-1121-07`: the local day and the next number of that day. Hold the lock."""
    day = f"VV-{local(at_ms):%m%d}"
    number = await lock_serial(session, day) + 1
    while await repository.area_of(session, f"{day}-{number:02d}") is not None:
        number += 1
    await save_serial(session, day, number)
    return f"{day}-{number:02d}"


async def take_number(session: WriteSession, incident_id: str) -> None:
    """A given id counts as given out, so that the next of its day comes after it. Hold the lock."""
    given = _GIVEN_OUT.match(incident_id)
    if given is None:
        return
    day, number = f"VV-{given[1]}", int(given[2])
    if number > await lock_serial(session, day):
        await save_serial(session, day, number)


def leading(facts: Mapping[str, RowMapping], event_ids: Sequence[str]) -> RowMapping | None:
    """The event that an incident is named after: the most severe, then the earliest."""
    known = [facts[event_id] for event_id in event_ids if event_id in facts]
    return min(known, key=lambda row: (-row["severity"], row["time_ms"], row["id"]), default=None)


def default_priority(procedure: Procedure | None, lead: RowMapping | None) -> Priority:
    """The procedure's, else what the leading event's severity asks for."""
    if procedure is not None:
        return procedure.priority
    return Priority.of(list(Severity)[lead["severity"]]) if lead is not None else Priority.MEDIUM


async def write(
    session: WriteSession,
    incident_id: str,
    event_ids: Sequence[str],
    lead: RowMapping | None,
    procedure: Procedure | None,
    *,
    priority: Priority,
    area: str,
    opened_ms: int,
    opened_by: str,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Insert an incident with its events and steps."""
    row = {
        "incident_id": incident_id,
        "procedure_id": procedure.id if procedure else None,
        "priority": priority.rank,
        "status": Status.NEW.value,
        "level": Level.WARD.value,
        "area": area,
        "event_type": lead["event_type"] if lead is not None else "",
        "camera_id": lead["camera_id"] if lead is not None else "",
        "time_ms": lead["time_ms"] if lead is not None else opened_ms,
        "opened_ms": opened_ms,
        "opened_by": opened_by,
        "acknowledged_ms": None,
        "acknowledged_by": None,
        "assigned_to": None,
        "version": None if procedure is None else await versions.keep(session, procedure),
        "run": 0,
    }
    await repository.add(session, incidents, [row | dict(more or {})])
    listed = [{"incident_id": incident_id, "event_id": one, "position": n} for n, one in enumerate(event_ids)]
    await repository.add(session, incident_events, listed)
    await repository.add(session, incident_steps, step_rows(incident_id, procedure, opened_ms, priority))


async def write_record(session: WriteSession, record: IncidentRecord, procedure: Procedure | None) -> None:
    """Insert a given incident with what is known of its past. Hold the lock."""
    facts = await repository.event_facts(session, record.event_ids)
    opened_ms = unix_ms(record.opened_at)
    acknowledged_ms = None if record.acknowledged_at is None else unix_ms(record.acknowledged_at)
    level = record.level or (Level.COMMANDER if record.status is Status.ESCALATED else Level.WARD)
    await write(
        session,
        record.id,
        tuple(dict.fromkeys(record.event_ids)),
        leading(facts, record.event_ids),
        procedure,
        priority=record.priority,
        area=record.area,
        opened_ms=opened_ms,
        opened_by=CENTER,
        more={
            "status": record.status.value,
            "level": level.value,
            "procedure_id": record.procedure,
            "acknowledged_ms": acknowledged_ms,
            "acknowledged_by": record.assigned_to if acknowledged_ms is not None else None,
            "assigned_to": record.assigned_to,
        },
    )
    await take_number(session, record.id)
    await repository.note_down(session, record.id, at_ms=opened_ms, actor=CENTER, action="opened", details={})
    if acknowledged_ms is not None:
        actor = record.assigned_to or CENTER
        await repository.note_down(
            session, record.id, at_ms=acknowledged_ms, actor=actor, action="acknowledged", details={}
        )
    if record.status is not Status.NEW:
        known_ms = max(opened_ms, acknowledged_ms or opened_ms)
        await repository.note_down(
            session,
            record.id,
            at_ms=known_ms,
            actor=CENTER,
            action="loaded",
            details={"status": record.status.value, "as_of": from_unix_ms(known_ms).isoformat()},
        )
