"""Fair shares of few processor cores among many cameras: who has waited longest is next, with its newest picture."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

Result = TypeVar("Result")


class Turns:
    """So many looks at a time as there are workers. A camera asks for one turn at a time, so no queue can grow."""

    def __init__(self, workers: int = 1) -> None:
        self._free = asyncio.Semaphore(workers)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="look")

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait, first come first served; inside the block `run` may be used once or more."""
        async with self._free:
            yield

    async def run(self, work: Callable[[], Result]) -> Result:
        """Do the work on a worker thread. When cancelled, the turn is given up only after the work has ended."""
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait([future])
            raise

    def close(self) -> None:
        """Let the workers end."""
        self._pool.shutdown(wait=True)
