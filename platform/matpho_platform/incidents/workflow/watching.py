"""Nothing is forgotten: signals reach their workflows, dead processes are followed by others, lost runs are begun anew.

Three loops of each process, all on the center's tables:
1 handing: signals that are due go to the engine; each stays, and is handed over again, until its run has looked
2 beating: this process says that it lives; who has been silent too long is struck off by one of the others, which then
  takes over what the silent one followed. On SQLite there is one center, so whoever was there before is dead
3 sweeping: open incidents without a run get one; runs that are late, or that the engine does not know, are begun anew
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

import structlog
from dbos import WorkflowStatus
from sqlalchemy import RowMapping, Select, and_, delete, exists, insert, select, update

from matpho_platform.incidents import runs
from matpho_platform.incidents.states import OPEN
from matpho_platform.incidents.workflow.engine import Engine
from matpho_platform.incidents.workflow.settings import WorkflowSettings
from matpho_platform.store.engine import Store
from matpho_platform.store.session import WriteSession
from matpho_platform.store.tables import incidents, sop_executors, sop_runs, sop_signals

AT_ONCE = 64
"""Signals or runs of one round."""
SIDE_BY_SIDE = 8
POLL_S = 0.5
"""How late a signal of another process is noticed; one of this process is noticed at once."""
AGAIN_MS = 10_000
"""A signal whose run has not looked this long after it was handed over is handed over again."""
LATE_MS = 2_000
"""A run that has not looked this long after it was to look is looked after."""
KEEP_ENDED = timedelta(days=1)
"""How long the engine keeps workflows that have ended; what happened stands in the center's own tables."""
FORGET_EVERY = 900
"""Rounds of sweeping between two clearings."""
FINISHED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
_log = structlog.get_logger(__name__)


def now_ms() -> int:
    """The present, Unix milliseconds."""
    return time.time_ns() // 1_000_000


class Watchman:
    """Keeps one engine and the center's tables together."""

    def __init__(self, store: Store, engine: Engine, settings: WorkflowSettings) -> None:
        self._store = store
        self._engine = engine
        self._settings = settings
        self._woken = asyncio.Event()
        self._sweeping = asyncio.Event()

    def wake(self) -> None:
        """There are new signals, committed."""
        self._woken.set()

    async def enter(self) -> None:
        """Say that this process lives and do what is late; on SQLite take over from whoever was there before."""
        await self._beat()
        if self._store.dialect == "sqlite":
            await self._strike_off(now_ms() + 1)
        await self.sweep_once(late_ms=0)

    async def leave(self) -> None:
        """Strike this process off, for another to take over at once."""
        async with self._store.writing() as session:
            mine = sop_executors.c.executor_id == self._engine.executor_id
            await session.run(update(sop_executors).where(mine).values(beat_ms=0))

    async def hand_over(self) -> None:
        """Loop 1."""
        while True:
            self._woken.clear()
            if not await self.hand_over_due():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL_S):
                        await self._woken.wait()

    async def beat(self) -> None:
        """Loop 2."""
        while True:
            await self._beat()
            silent_ms = int(self._settings.dead_after_seconds * 1000)
            await self._strike_off(now_ms() - silent_ms)
            await asyncio.sleep(self._settings.beat_seconds)

    async def sweep(self) -> None:
        """Loop 3."""
        late_ms, rounds = LATE_MS, 0
        while True:
            self._sweeping.clear()
            await self.sweep_once(late_ms=late_ms)
            if rounds % FORGET_EVERY == 0:
                await self._engine.forget(datetime.now(UTC) - KEEP_ENDED)
            rounds += 1
            late_ms = LATE_MS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.sweep_seconds):
                    await self._sweeping.wait()
                    late_ms = 0

    async def hand_over_due(self) -> bool:
        """Hand over what is due; whether there was anything."""
        async with self._store.writing() as session:
            due = await session.all(_due(now_ms()))
            names = [row["signal_id"] for row in due]
            if names:
                again = {"due_ms": now_ms() + AGAIN_MS, "tries": sop_signals.c.tries + 1}
                await session.run(update(sop_signals).where(sop_signals.c.signal_id.in_(names)).values(**again))
        await _side_by_side(due, self._hand_over)
        return bool(due)

    async def _hand_over(self, signal: RowMapping) -> None:
        """A start is begun; every other word goes to the workflow, which is begun where there is none."""
        workflow_id = _workflow_id(signal["run_id"], signal["attempt"])
        if (signal["kind"] == runs.Signal.STARTED and not signal["tries"]) or not await self._engine.tell(
            workflow_id, f"{workflow_id}:{signal['signal_id']}:{signal['tries']}"
        ):
            await self._engine.start(workflow_id, signal["run_id"])

    async def _beat(self) -> None:
        async with self._store.writing() as session:
            mine = sop_executors.c.executor_id == self._engine.executor_id
            if not await session.run(update(sop_executors).where(mine).values(beat_ms=now_ms())):
                row = {"executor_id": self._engine.executor_id, "started_ms": now_ms(), "beat_ms": now_ms()}
                await session.run(insert(sop_executors).values(**row))

    async def _strike_off(self, silent_since_ms: int) -> None:
        """Take over from processes that have not been heard of since a moment.

        They are struck off only when their runs have been taken over, so that a process that dies in between leaves
        them for the next; taking over twice changes nothing.
        """
        others = sop_executors.c.executor_id != self._engine.executor_id
        async with self._store.reading() as reading:
            query = select(sop_executors.c.executor_id).where(others, sop_executors.c.beat_ms < silent_since_ms)
            silent = [str(row["executor_id"]) for row in await reading.all(query)]
        for executor_id in silent:
            taken = await self._engine.take_over(executor_id)
            if taken:
                _log.warning("runs_taken_over", executor=executor_id, runs=taken)
                self._sweeping.set()
            async with self._store.writing() as session:
                gone = and_(sop_executors.c.executor_id == executor_id, sop_executors.c.beat_ms < silent_since_ms)
                await session.run(delete(sop_executors).where(gone))

    async def sweep_once(self, *, late_ms: int = LATE_MS) -> None:
        """Adopt incidents without a run; look after runs that are late."""
        async with self._store.writing() as session:
            await _adopt(session)
        async with self._store.reading() as reading:
            late = await reading.all(_late(now_ms() - late_ms))
        known = await self._engine.known(_workflow_id(row["run_id"], row["attempt"]) for row in late)

        async def look_after(row: RowMapping) -> None:
            await self._look_after(row, known.get(_workflow_id(row["run_id"], row["attempt"])))

        await _side_by_side(late, look_after)

    async def _look_after(self, run: RowMapping, status: WorkflowStatus | None) -> None:
        """What is late is done at once, whoever should have; then its workflow is told. One that is not there is begun,
        one that has ended before its run is begun under a new name."""
        if await self._engine.look(run["run_id"]) is None:
            return
        workflow_id = _workflow_id(run["run_id"], run["attempt"])
        if status is None:
            await self._engine.start(workflow_id, run["run_id"])
        elif status.status not in FINISHED:
            await self._engine.tell(workflow_id, f"{workflow_id}:late:{run['next_ms']}")
        else:
            attempt = run["attempt"] + 1
            async with self._store.writing() as session:
                mine = and_(sop_runs.c.run_id == run["run_id"], sop_runs.c.attempt == run["attempt"])
                await session.run(update(sop_runs).where(mine).values(attempt=attempt))
            _log.warning("run_begun_anew", run=run["run_id"], attempt=attempt)
            await self._engine.start(_workflow_id(run["run_id"], attempt), run["run_id"])


def _workflow_id(run_id: str, attempt: int) -> str:
    return f"{run_id}.{attempt}" if attempt else run_id


def _due(at_ms: int) -> Select[tuple[object, ...]]:
    """Signals to hand over, with the attempt of their run; taken by one process at a time."""
    query = (
        select(sop_signals, sop_runs.c.attempt)
        .join(sop_runs, sop_runs.c.run_id == sop_signals.c.run_id)
        .where(sop_signals.c.due_ms <= at_ms)
        .order_by(sop_signals.c.signal_id)
        .limit(AT_ONCE)
    )
    return query.with_for_update(skip_locked=True, of=sop_signals)


def _late(before_ms: int) -> Select[tuple[object, ...]]:
    """Runs that should have looked before a moment."""
    query = select(sop_runs).where(sop_runs.c.ended_ms.is_(None), sop_runs.c.next_ms < before_ms)
    return query.order_by(sop_runs.c.next_ms).limit(AT_ONCE * SIDE_BY_SIDE)


async def _adopt(session: WriteSession) -> None:
    """Give open incidents a run whose times count from now."""
    has_one = exists().where(sop_runs.c.incident_id == incidents.c.incident_id, sop_runs.c.number == incidents.c.run)
    query = select(incidents).where(incidents.c.status.in_([one.value for one in OPEN]), ~has_one)
    for row in await session.all(query.limit(AT_ONCE)):
        await runs.begin(session, row["incident_id"], row["run"], now_ms())


async def _side_by_side(rows: Sequence[RowMapping], do: Callable[[RowMapping], Awaitable[None]]) -> None:
    """A few at a time; one that fails is logged and left for the next round."""
    room = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(row: RowMapping) -> None:
        async with room:
            try:
                await do(row)
            except Exception as error:
                _log.warning("run_not_reached", run=row["run_id"], error=type(error).__name__)

    await asyncio.gather(*map(one, rows))


__all__ = ["Watchman"]
