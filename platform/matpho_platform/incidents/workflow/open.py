"""Putting the engine together with the center: opened after the rooms it follows, closed before them."""

from __future__ import annotations

import os
import secrets
import socket
from datetime import datetime
from pathlib import Path

from matpho_platform.incidents.rosters import Rosters
from matpho_platform.incidents.workflow.engine import Engine
from matpho_platform.incidents.workflow.following import Follower, Promises
from matpho_platform.incidents.workflow.settings import WorkflowSettings
from matpho_platform.incidents.workflow.watching import Watchman
from matpho_platform.store.engine import Store
from matpho_platform.workers import Workers


class Following:
    """The engine at work in this process."""

    def __init__(self, engine: Engine, watchman: Watchman) -> None:
        self._engine = engine
        self._watchman = watchman

    def wake(self) -> None:
        """An act was committed whose run is to be told."""
        self._watchman.wake()

    async def forget(self, before: datetime) -> int:
        """Clear away workflows that ended before a moment; returns how many."""
        return await self._engine.forget(before)

    async def close(self) -> None:
        """Stop; another process takes over at once. Close the workers first."""
        await self._engine.close()
        await self._watchman.leave()


async def follow(
    store: Store,
    rosters: Rosters,
    notifier: Promises,
    workers: Workers,
    settings: WorkflowSettings,
    database: str | Path,
) -> Following:
    """Start following. `database`: a file for the engine's own SQLite, or the center's PostgreSQL.

    Raises EngineError if this process follows incidents already.
    """
    executor = f"{socket.gethostname()[:32]}-{os.getpid()}-{secrets.token_hex(4)}"
    engine = await Engine.launch(Follower(store, rosters, notifier).look, database, executor)
    watchman = Watchman(store, engine, settings)
    await watchman.enter()
    workers.start("sop-signals", watchman.hand_over)
    workers.start("sop-heartbeat", watchman.beat)
    workers.start("sop-sweep", watchman.sweep)
    return Following(engine, watchman)
