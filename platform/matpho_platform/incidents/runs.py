"""Runs of incidents and what they must be told: written with the act that asks for it, so that nothing lies between.

A run is one opening or reopening of an incident, followed by a durable workflow (see `workflow`). Where no engine runs,
runs and signals wait in their tables until one does.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import RowMapping, delete, insert, select, update

from matpho_platform.store.session import ReadSession, WriteSession
from matpho_platform.store.tables import sop_runs, sop_signals


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
    row = {"run_id": run_id, "incident_id": incident_id, "number": number, "attempt": 0, "started_ms": at_ms}
    await session.run(insert(sop_runs).values(**row, next_ms=at_ms))
    await promise(session, run_id, Signal.STARTED, at_ms)


async def promise(session: WriteSession, run_id: str, kind: Signal, at_ms: int) -> None:
    """Promise that a run is told."""
    row = {"run_id": run_id, "kind": kind.value, "promised_ms": at_ms, "due_ms": at_ms, "tries": 0}
    await session.run(insert(sop_signals).values(**row))


async def one(session: ReadSession, run_id: str) -> RowMapping | None:
    """A run."""
    return await session.first(select(sop_runs).where(sop_runs.c.run_id == run_id))


async def told(session: WriteSession, run_id: str) -> None:
    """The run has looked: whatever it was to be told until now is done with. Hold the incident's row."""
    await session.run(delete(sop_signals).where(sop_signals.c.run_id == run_id))


async def waits(session: WriteSession, run_id: str, now_ms: int, next_ms: int | None, *, ended: bool) -> None:
    """The run has looked, and waits until `next_ms` or has ended."""
    values = {"advanced_ms": now_ms, "next_ms": next_ms, "ended_ms": now_ms if ended else None}
    await session.run(update(sop_runs).where(sop_runs.c.run_id == run_id).values(**values))
