"""What the way through the gateway costs a call: judging, narrowing, redacting, two durable entries in the audit trail.

`gateway, policy, audit` is a call's time less the tool's own; `tool alone` is that tool's own; `policy alone` is one
decision; `two bare commits` is what the disk asks for two rows made durable one after the other, which no audit trail
that is written before and after an act can go below. They take turns, so that a busy machine slows all alike.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from matpho_platform.access.policy import Facts
from matpho_platform.access.principal import Principal
from matpho_platform.center import Center
from matpho_tools.contract import Outcome
from matpho_tools.gateway import Gateway

WAY, TOOL, POLICY, COMMITS = "gateway, policy, audit", "tool alone", "policy alone", "two bare commits"
ROW_BYTES = 1200
"""About an audit entry with its leaf and checkpoint."""
WARM_UP = 20


async def measure(
    center: Center, gateway: Gateway, principal: Principal, event_id: str, folder: Path, calls: int
) -> list[dict[str, Any]]:
    """Rows with `engine`, `n`, `p50_ms`, `p95_ms`, `p99_ms` over so many calls of `get_event`.

    Raises RuntimeError when a call does not answer.
    """
    taken: dict[str, list[float]] = defaultdict(list)
    with _bare(folder / "bare.db") as commit_twice:
        for number in range(calls + WARM_UP):
            one = await _call(gateway, principal, event_id)
            one[POLICY] = _timed(lambda: center.policy.decide(principal, "get_event", None, Facts(), None))
            one[COMMITS] = await asyncio.to_thread(_timed, commit_twice)
            if number >= WARM_UP:
                for name, spent in one.items():
                    taken[name].append(spent)
    return [_row(name, taken[name]) for name in (WAY, TOOL, POLICY, COMMITS)]


async def _call(gateway: Gateway, principal: Principal, event_id: str) -> dict[str, float]:
    started = time.perf_counter()
    result = await gateway.call(principal, "get_event", {"event_id": event_id}, channel="bench")
    spent = (time.perf_counter() - started) * 1000
    if result.outcome is not Outcome.ANSWERED:
        raise RuntimeError(f"the call ended {result.outcome.value}, not answered")
    return {WAY: spent - result.milliseconds, TOOL: result.milliseconds}


def _timed(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1000


@contextmanager
def _bare(path: Path) -> Iterator[Callable[[], None]]:
    """Two rows, each flushed to disk before the next: the least that an entry before and one after a call can cost."""
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE entries (entry BLOB)")

        def commit_twice() -> None:
            for _ in range(2):
                database.execute("INSERT INTO entries VALUES (zeroblob(?))", (ROW_BYTES,))

        yield commit_twice
    finally:
        database.close()


def _row(engine: str, samples: list[float]) -> dict[str, Any]:
    p50, p95, p99 = (round(float(value), 3) for value in np.percentile(samples, (50, 95, 99)))
    return {"engine": engine, "n": len(samples), "p50_ms": p50, "p95_ms": p95, "p99_ms": p99}
