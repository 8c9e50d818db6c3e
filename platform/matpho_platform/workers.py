"""Background workers under supervision: one that falls is logged and started again, none dies unseen."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable

import structlog

RESTART_S = (0.1, 1.0, 5.0, 15.0)
HEALTHY_S = 60.0
"""A worker that ran this long before it fell is restarted at once again."""

_log = structlog.get_logger(__name__)


class Workers:
    """Runs named coroutines until closed."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.restarts: dict[str, int] = {}

    def start(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Start a worker; `run` is called again when it raises."""
        self._tasks[name] = asyncio.create_task(self._keep(name, run), name=f"matpho-{name}")

    async def _keep(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        falls = 0
        while True:
            started = time.monotonic()
            try:
                await run()
                return
            except Exception:
                falls = 0 if time.monotonic() - started > HEALTHY_S else falls + 1
                self.restarts[name] = self.restarts.get(name, 0) + 1
                _log.error("worker_fell", worker=name, trace=traceback.format_exc())
                await asyncio.sleep(RESTART_S[min(falls, len(RESTART_S) - 1)])

    def alive(self) -> bool:
        """Whether every worker is there (it may be waiting to be started again)."""
        return all(not task.done() for task in self._tasks.values())

    async def close(self) -> None:
        """Stop all and wait until they have."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
