"""Steps 6 and 7 of intake: workers that do what a commit promised, at least once, whatever happens in between."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
from sqlalchemy import RowMapping, Select, delete, func, insert, select, update

from matpho_contracts.times import now, unix_ms
from matpho_platform.events import reading
from matpho_platform.events.reading import StoredEvent
from matpho_platform.store.engine import Store
from matpho_platform.store.session import ReadSession, WriteSession
from matpho_platform.store.tables import events, outbox

POLL_S = 0.5
"""How late a job of another process is noticed; one of this process is noticed at once."""
GATHER_S = 0.05
"""After a wake-up, time for more commits to come in: many small uploads then cost one round of work."""
LEASE_MS = 60_000
"""After this a job taken by a worker that died is done again."""
JOBS_AT_ONCE = 16
RETRY_MS = (250, 1_000, 5_000, 30_000)

_log = structlog.get_logger(__name__)
Handler = Callable[[Sequence[StoredEvent]], Awaitable[None]]


class OutboxWorker:
    """Drains one topic: takes jobs under a lease, hands their events over, deletes the jobs."""

    def __init__(
        self, store: Store, topic: str, handler: Handler, *, wanted: Callable[[], bool] = lambda: True
    ) -> None:
        """`wanted` says whether anybody needs the events now; while nobody does, jobs are done without reading them."""
        self._store = store
        self._wanted = wanted
        self.topic = topic
        self._handler = handler
        self._wake = asyncio.Event()

    def promised(self) -> bool:
        """Whether a commit must leave a job: a SQLite file has one center, so nobody else may want what it does not."""
        return self._store.dialect != "sqlite" or self._wanted()

    def wake(self) -> None:
        """There is new work."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._wake.clear()
            if not await self.drain():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL_S):  # wait_for could swallow a cancellation here (Python 3.11)
                        await self._wake.wait()
                        await asyncio.sleep(GATHER_S)

    async def drain(self) -> bool:
        """Do the jobs that are due; whether there were any. New jobs go together, jobs that failed each alone."""
        async with self._store.reading() as session:
            jobs = await _due(session, self.topic)
        if jobs and self._store.dialect != "sqlite":  # a SQLite file has one center, so nobody else takes its jobs
            async with self._store.writing() as session:
                jobs = await _lease(session, self.topic)
        fresh = [job for job in jobs if not job["attempts"]]
        for group in [fresh, *([job] for job in jobs if job["attempts"])]:
            if group:
                await self._do(group)
        return bool(jobs)

    async def _do(self, jobs: Sequence[RowMapping]) -> None:
        if self._wanted():
            try:
                await self._hand_over(jobs)
            except Exception as error:
                _log.warning("outbox_retry", topic=self.topic, jobs=len(jobs), error=type(error).__name__)
                async with self._store.writing() as session:
                    for job in jobs:
                        await _postpone(session, job["job_id"], job["attempts"] + 1)
                return
        done = [job["job_id"] for job in jobs]
        async with self._store.writing() as session:
            await session.run(delete(outbox).where(outbox.c.job_id.in_(done)))

    async def _hand_over(self, jobs: Sequence[RowMapping]) -> None:
        async with self._store.reading() as session:
            rows = [row for job in jobs for row in await reading.by_range(session, job["first_seq"], job["last_seq"])]
        await self._handler([event for event in map(reading.parse_row, rows) if event is not None])


def _due_jobs(topic: str, at_ms: int) -> Select[Any]:
    due = select(outbox).where(outbox.c.topic == topic, outbox.c.due_ms <= at_ms)
    return due.order_by(outbox.c.job_id).limit(JOBS_AT_ONCE)


async def _due(session: ReadSession, topic: str) -> Sequence[RowMapping]:
    return await session.all(_due_jobs(topic, unix_ms(now())))


async def _lease(session: WriteSession, topic: str) -> Sequence[RowMapping]:
    at_ms = unix_ms(now())
    jobs = await session.all(_due_jobs(topic, at_ms).with_for_update(skip_locked=True))
    ids = [job["job_id"] for job in jobs]
    if ids:
        await session.run(update(outbox).where(outbox.c.job_id.in_(ids)).values(due_ms=at_ms + LEASE_MS))
    return jobs


async def _postpone(session: WriteSession, job_id: int, attempts: int) -> None:
    wait = RETRY_MS[min(attempts, len(RETRY_MS)) - 1]
    values: dict[str, Any] = {"attempts": attempts, "due_ms": unix_ms(now()) + wait}
    await session.run(update(outbox).where(outbox.c.job_id == job_id).values(**values))


async def waiting(store: Store, topic: str) -> int:
    """How many jobs a topic has."""
    async with store.reading() as session:
        return int(await session.scalar(select(func.count()).where(outbox.c.topic == topic)) or 0)


async def promise_all(store: Store, topic: str, step: int = 500) -> int:
    """Promise every stored event to a topic again, for a new or lost index; returns how many jobs."""
    async with store.writing() as session:
        last = int(await session.scalar(select(func.max(events.c.seq))) or 0)
        await session.run(delete(outbox).where(outbox.c.topic == topic))
        jobs = [
            {"topic": topic, "first_seq": first, "last_seq": min(first + step - 1, last), "due_ms": 0, "attempts": 0}
            for first in range(1, last + 1, step)
        ]
        if jobs:
            await session.run(insert(outbox), jobs)
    return len(jobs)
