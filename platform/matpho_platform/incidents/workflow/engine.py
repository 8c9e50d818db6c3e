"""The durable workflow engine (DBOS): one in a process, in its own threads, with its own database beside the center's.

There is one workflow, and it only waits: it takes a look at its run, then waits for a word or for the moment that the
look named, then looks again. All effects are the look's, on the center's own tables. The version is pinned here, never
derived from the code: a run that was begun by an older build goes on with a newer one.

The engine's database may be lost: runs stand in the center's tables, and `watching` begins their workflows anew.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig, SetWorkflowID, WorkflowStatus
from dbos import error as dbos_errors
from dbos._serialization import DBOSPortableJSON
from sqlalchemy import event

from matpho_platform.incidents.errors import EngineError

Look = Callable[[str, int], Awaitable[int | None]]
"""Takes a look at a run at a moment (Unix milliseconds); when to look again, or None when the run has ended."""
T = TypeVar("T")
VERSION = "sop-1"
NAME = "matpho-sop"
TOPIC = "look"
POLL_S = 0.25
"""How late a word of another process is heard on SQLite; PostgreSQL tells at once."""
POOL = 8
RETRY_S = 2.0
FORGET_AT_ONCE = 500
_PENDING = ["PENDING"]
_serving: dict[str, Engine] = {}
"""The engine of this process, for the workflow function, which DBOS calls with nothing but its arguments."""


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


async def _look(run_id: str) -> int | None:
    return await _serving["engine"].look(run_id)


@DBOS.workflow(name="incident-run", max_recovery_attempts=None)
async def incident_run(run_id: str) -> str:
    """Follow one run until it ends. The moment of the next look is a step's result, so a restart does not move it."""
    while True:
        try:
            next_ms = await DBOS.run_step_async({"name": "look"}, _look, run_id)
        except Exception as error:  # the database is away, say: nothing was done, look again
            DBOS.logger.warning("a look at %s failed: %s", run_id, type(error).__name__)
            next_ms = _now_ms() + int(RETRY_S * 1000)
        if next_ms is None:
            return "ended"
        await DBOS.recv_async(TOPIC, timeout_seconds=max(0.001, (next_ms - _now_ms()) / 1000))


class _Thread:
    """An event loop in a thread of its own: what the engine does to its loop never touches the center's."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="matpho-sop", daemon=True)
        self._thread.start()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something there and wait for it here."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self.loop))

    async def clear(self) -> None:
        """Cancel whatever runs there."""

        async def cancel() -> None:
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        await self.run(cancel())

    async def stop(self) -> None:
        """End the loop and its thread."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        await asyncio.to_thread(self._thread.join)
        self.loop.close()


class Engine:
    """Starts workflows, brings them words, takes over those of dead processes."""

    def __init__(self, look: Look, executor_id: str) -> None:
        self._take_look = look
        self._loop = asyncio.get_running_loop()
        self._thread = _Thread()
        self.executor_id = executor_id

    @classmethod
    async def launch(cls, look: Look, database: str | Path, executor_id: str) -> Engine:
        """Start the engine: a file for SQLite, a URL for PostgreSQL. Raises EngineError if this process has one."""
        if _serving:
            raise EngineError("This process follows incidents already.", action="Run one engine in a process.")
        engine = _serving["engine"] = cls(look, executor_id)
        try:
            await engine._thread.run(engine._launch(database))
        except BaseException:
            await engine.close()
            raise
        return engine

    async def _launch(self, database: str | Path) -> None:
        config: DBOSConfig = {
            "name": NAME,
            "application_version": VERSION,
            "executor_id": self.executor_id,
            "log_level": "WARNING",
            "serializer": DBOSPortableJSON,
            "notification_listener_polling_interval_sec": POLL_S,
            "enable_otlp": False,
        }
        if isinstance(database, Path):
            config["system_database_url"] = f"sqlite:///{database}"
            config["system_database_engine"] = _sqlite(database)
        else:
            url = sa.make_url(database).set(drivername="postgresql")
            config["system_database_url"] = url.render_as_string(hide_password=False)
            config["sys_db_pool_size"] = POOL
        DBOS(config=config)
        DBOS.launch()

    async def close(self) -> None:
        """Stop following; every run goes on where another engine starts."""
        logging.getLogger("dbos").setLevel(logging.ERROR)  # it would warn of each run that it lets go
        await self._thread.clear()
        await asyncio.to_thread(DBOS.destroy)
        await self._thread.clear()
        await self._thread.stop()
        _serving.clear()

    async def look(self, run_id: str) -> int | None:
        """One look, on the center's own event loop, whoever asks from which."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._looking(run_id), self._loop))

    async def _looking(self, run_id: str) -> int | None:
        return await self._take_look(run_id, _now_ms())

    async def start(self, workflow_id: str, run_id: str) -> None:
        """Begin a workflow; one that was begun before goes on as it is."""
        await self._thread.run(_start(workflow_id, run_id))

    async def tell(self, workflow_id: str, key: str) -> bool:
        """Have a workflow look now; the same key again is one word. False: there is no such workflow."""
        return await self._thread.run(_tell(workflow_id, key))

    async def known(self, workflow_ids: Iterable[str]) -> dict[str, WorkflowStatus]:
        """What the engine knows of some workflows."""
        wanted = list(workflow_ids)
        found = await self._thread.run(_known(wanted)) if wanted else []
        return {one.workflow_id: one for one in found}

    async def take_over(self, executor_id: str) -> int:
        """Go on with what a dead process followed; returns how many."""
        return await self._thread.run(_take_over(executor_id))

    async def forget(self, before: datetime) -> int:
        """Clear away workflows that ended well before a moment; returns how many."""
        return await self._thread.run(_forget(before))


def _sqlite(path: Path) -> sa.Engine:
    """A log without a flush at each commit: what a power loss takes is made anew from the center's tables."""
    engine = sa.create_engine(f"sqlite:///{path}", pool_size=POOL, max_overflow=0)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = "IMMEDIATE"
        for pragma in ("busy_timeout=30000", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


async def _start(workflow_id: str, run_id: str) -> None:
    with SetWorkflowID(workflow_id):
        await DBOS.start_workflow_async(incident_run, run_id)


async def _tell(workflow_id: str, key: str) -> bool:
    try:
        await DBOS.send_async(workflow_id, key, TOPIC, idempotency_key=key)
    except dbos_errors.DBOSNonExistentWorkflowError:
        return False
    return True


async def _known(workflow_ids: list[str]) -> list[WorkflowStatus]:
    return await DBOS.list_workflows_async(workflow_ids=workflow_ids, load_input=False, load_output=False)


async def _take_over(executor_id: str) -> int:
    left = await DBOS.list_workflows_async(
        status=_PENDING, executor_id=executor_id, load_input=False, load_output=False
    )
    if left:
        await DBOS.resume_workflows_async([one.workflow_id for one in left])
    return len(left)


async def _forget(before: datetime) -> int:
    ended = await DBOS.list_workflows_async(
        status=["SUCCESS"],
        completed_before=before.isoformat(),
        limit=FORGET_AT_ONCE,
        load_input=False,
        load_output=False,
    )
    if ended:
        await DBOS.delete_workflows_async([one.workflow_id for one in ended])
    return len(ended)
