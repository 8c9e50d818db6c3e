"""Runs of incidents and what they must be told: written with the act that asks for it, so that nothing lies between.

A run is one opening or reopening of an incident, followed by a durable workflow (see `workflow`). Where no engine runs,
runs and signals wait in their tables until one does.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from sqlalchemy import RowMapping, select

from matpho_platform.store.session import ReadSession, WriteSession
from matpho_platform.store.tables import sop_runs

_FRESH: Mapping[str, Any] = {"attempt": 0, "advanced_ms": None, "ended_ms": None}
_PROMISE = "INSERT INTO sop_signals (run_id, kind, promised_ms, due_ms, tries) VALUES (?, ?, ?, ?, 0)"
_TOLD = "DELETE FROM sop_signals WHERE run_id = ?"
_WAITS = "UPDATE sop_runs SET advanced_ms = ?, next_ms = ?, ended_ms = ? WHERE run_id = ?"


class Signal(StrEnum):
    """What a run is told; it then looks at the incident itself."""

    STARTED = "started"
    ACKNOWLEDGED = "acknowledged"
    STEP = "step"
    DISPATCHED = "dispatched"
    STATE = "state"
    ESCALATED = "escalated"
    PRIORITY = "priority"
    EVENTS = "events"


def run_id_of(incident_id: str, number: int) -> str:
    """The name of a run."""
    return f"{incident_id}:{number}"


async def begin(session: WriteSession, incident_id: str, number: int, at_ms: int) -> None:
    """Make a run whose times count from `at_ms`, and promise its start."""
    run_id = run_id_of(incident_id, number)
    await session.insert_many(sop_runs, [dict(_FRESH) | _values(run_id, incident_id, number, at_ms)])
    await promise(session, run_id, Signal.STARTED, at_ms)


def _values(run_id: str, incident_id: str, number: int, at_ms: int) -> dict[str, Any]:
    return {"run_id": run_id, "incident_id": incident_id, "number": number, "started_ms": at_ms, "next_ms": at_ms}


async def promise(session: WriteSession, run_id: str, kind: Signal, at_ms: int) -> None:
    """Promise that a run is told."""
    await session.later(_PROMISE, [(run_id, kind.value, at_ms, at_ms)])


async def one(session: ReadSession, run_id: str) -> RowMapping | None:
    """A run."""
    return await session.first(select(sop_runs).where(sop_runs.c.run_id == run_id))


async def told(session: WriteSession, run_id: str) -> None:
    """The run has looked: whatever it was to be told until now is done with. Hold the incident's row."""
    await session.later(_TOLD, [(run_id,)])


async def waits(session: WriteSession, run_id: str, now_ms: int, next_ms: int | None, *, ended: bool) -> None:
    """The run has looked, and waits until `next_ms` or has ended."""
    await session.later(_WAITS, [(now_ms, next_ms, now_ms if ended else None, run_id)])
