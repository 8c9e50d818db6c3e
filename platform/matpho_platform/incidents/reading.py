"""Incidents from rows to values: summaries, and one incident whole."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import RowMapping

from matpho_platform.incidents import repository, versions
from matpho_platform.incidents.flow import StepState
from matpho_platform.incidents.progress import local, progress
from matpho_platform.incidents.schemas import (
    IncidentDetail,
    IncidentEvent,
    IncidentSummary,
    IncidentTask,
    Level,
    Priority,
    Status,
    StepProgress,
    TimelineEntry,
)
from matpho_platform.incidents.states import OPEN
from matpho_platform.store.session import ReadSession

Shown = TypeVar("Shown", bound=IncidentSummary)


async def summaries(session: ReadSession, rows: Sequence[RowMapping], now: datetime) -> tuple[IncidentSummary, ...]:
    """Rows of incidents as values."""
    step_rows = await repository.steps_of(session, (row["incident_id"] for row in rows))
    return await _summaries(session, rows, step_rows, now)


async def _summaries(
    session: ReadSession, rows: Sequence[RowMapping], step_rows: Mapping[str, Sequence[RowMapping]], now: datetime
) -> tuple[IncidentSummary, ...]:
    event_rows = await repository.events_of(session, (row["incident_id"] for row in rows))
    cameras = await repository.camera_names(session, (row["camera_id"] for row in rows if row["camera_id"]))
    people = await repository.people(session, (row["assigned_to"] for row in rows if row["assigned_to"]))
    titles = await repository.titles(session, (row["procedure_id"] for row in rows if row["procedure_id"]))
    return tuple(
        IncidentSummary.model_validate(
            _columns(row, event_rows.get(row["incident_id"], ()), step_rows.get(row["incident_id"], ()), now)
            | {
                "camera_name": cameras.get(row["camera_id"], row["camera_id"]),
                "title": titles.get(row["procedure_id"] or "", ""),
                "assigned_name": people.get(row["assigned_to"] or "", row["assigned_to"] or ""),
            }
        )
        for row in rows
    )


def _columns(
    row: RowMapping, event_rows: Sequence[RowMapping], step_rows: Sequence[RowMapping], now: datetime
) -> dict[str, Any]:
    status = Status(row["status"])
    steps = progress(step_rows, status, now)
    needed = [step for step in steps if step.state != StepState.NOT_NEEDED]
    ready = [step for step in steps if step.state == StepState.READY]
    answered = row["acknowledged_ms"]
    return {
        "id": row["incident_id"],
        "event_ids": tuple(item["event_id"] for item in event_rows),
        "type": row["event_type"],
        "camera_id": row["camera_id"],
        "time": local(row["time_ms"]),
        "area": row["area"],
        "procedure": row["procedure_id"],
        "priority": list(Priority)[row["priority"]],
        "status": status,
        "level": Level(row["level"]),
        "opened_at": local(row["opened_ms"]),
        "acknowledged_at": None if answered is None else local(answered),
        "assigned_to": row["assigned_to"],
        "steps_done": sum(step.done_at is not None for step in needed),
        "steps_total": len(needed),
        "next_step": ready[0] if ready and status in OPEN else None,
        "overdue": sum(step.overdue for step in steps),
    }


async def detail(session: ReadSession, row: RowMapping, now: datetime) -> IncidentDetail:
    """One incident whole."""
    by_incident = await repository.steps_of(session, [row["incident_id"]])
    summary = (await _summaries(session, [row], by_incident, now))[0]
    step_rows = by_incident.get(summary.id, ())
    return IncidentDetail(
        **{name: getattr(summary, name) for name in IncidentSummary.model_fields},
        opened_by=row["opened_by"],
        acknowledged_by=row["acknowledged_by"],
        steps=await _steps(session, row, progress(step_rows, summary.status, now)),
        events=await events(session, summary.event_ids),
        tasks=await tasks(session, summary.id),
        timeline=tuple(_entry(entry) for entry in await repository.timeline_of(session, summary.id)),
        helping=await repository.helping(session, summary.id),
    )


async def _steps(session: ReadSession, row: RowMapping, shown: Sequence[StepProgress]) -> tuple[StepProgress, ...]:
    """Steps with what the procedure asks in them."""
    procedure = await versions.of_incident(session, row)
    known = {step.id: step for step in procedure.steps} if procedure else {}
    return tuple(
        one.model_copy(
            update={
                "question": known[one.id].question,
                "answers": tuple(answer.name for answer in known[one.id].answers),
                "forced": known[one.id].forced,
            }
        )
        if one.id in known
        else one
        for one in shown
    )


def without(incident: Shown, hidden: Collection[str]) -> Shown:
    """An incident without some of its events; who may see an incident may not see all that it was made of."""
    if not hidden:
        return incident
    changes: dict[str, Any] = {"event_ids": tuple(name for name in incident.event_ids if name not in hidden)}
    if isinstance(incident, IncidentDetail):
        changes["events"] = tuple(event for event in incident.events if event.id not in hidden)
    return incident.model_copy(update=changes)


async def events(session: ReadSession, event_ids: Sequence[str]) -> tuple[IncidentEvent, ...]:
    """The events that the center has, in the order of the ids."""
    facts = await repository.event_facts(session, event_ids)
    cameras = await repository.camera_names(session, (row["camera_id"] for row in facts.values()))
    return tuple(
        IncidentEvent(
            id=event_id,
            type=facts[event_id]["event_type"],
            time=local(facts[event_id]["time_ms"]),
            camera_id=facts[event_id]["camera_id"],
            camera_name=cameras.get(facts[event_id]["camera_id"], facts[event_id]["camera_id"]),
        )
        for event_id in event_ids
        if event_id in facts
    )


async def tasks(session: ReadSession, incident_id: str) -> tuple[IncidentTask, ...]:
    """The tasks of an incident, as sent."""
    rows = await repository.tasks_of(session, incident_id)
    names = {row["unit_id"]: row["name"] for row in await repository.stored_units(session)} if rows else {}
    return tuple(
        IncidentTask(
            id=row["task_id"],
            unit_id=row["unit_id"],
            unit_name=names.get(row["unit_id"], row["unit_id"]),
            state=row["state"],
            sent_at=local(row["sent_ms"]),
            sent_by=row["sent_by"],
            note=row["note"],
        )
        for row in rows
    )


def _entry(row: RowMapping) -> TimelineEntry:
    return TimelineEntry(
        at=local(row["at_ms"]),
        actor=row["actor"],
        action=row["action"],
        details=json.loads(row["details"]),
        note=row["note"],
        reason=row["reason"],
    )
