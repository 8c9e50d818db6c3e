"""What the way through the gateway costs a call: judging, narrowing, redacting, two durable entries in the audit trail.

`gateway, policy, audit` is a call's time less the tool's own; `tool alone` is that tool's own; `processor time` is what
the whole call computes on the event loop, which other load cannot stretch as it does the clock; `policy alone` is one
decision; `two bare commits` is what the disk asks for two rows made durable one after the other, which no audit trail
that is written before and after an act can go below, `two bare flushes` the disk's own part in them. They take turns,
so that a busy machine slows all alike.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from matpho.bench.flushes import bare_commit, bare_flush
from matpho_platform.access.policy import Facts
from matpho_platform.access.principal import Principal
from matpho_platform.center import Center
from matpho_tools.contract import Outcome
from matpho_tools.gateway import Gateway

WAY, TOOL, PROCESSOR, POLICY = "gateway, policy, audit", "tool alone", "processor time", "policy alone"
COMMITS, FLUSHES = "two bare commits", "two bare flushes"
WARM_UP = 20


async def measure(
    center: Center, gateway: Gateway, principal: Principal, event_id: str, folder: Path, calls: int
) -> list[dict[str, Any]]:
    """Rows with `engine`, `n`, `p50_ms`, `p95_ms`, `p99_ms` over so many calls of `get_event`.

    Raises RuntimeError when a call does not answer.
    """
    taken: dict[str, list[float]] = defaultdict(list)
    with bare_commit(folder / "bare.db") as commit, bare_flush(folder / "flushed") as flush:
        for number in range(calls + WARM_UP):
            one = await _call(gateway, principal, event_id)
            one[POLICY] = _timed(lambda: center.policy.decide(principal, "get_event", None, Facts(), None))
            one[COMMITS] = await asyncio.to_thread(_timed, commit, 2)
            one[FLUSHES] = await asyncio.to_thread(_timed, flush, 2)
            if number >= WARM_UP:
                for name, spent in one.items():
                    taken[name].append(spent)
    return [_row(name, taken[name]) for name in (WAY, TOOL, PROCESSOR, POLICY, COMMITS, FLUSHES)]


async def _call(gateway: Gateway, principal: Principal, event_id: str) -> dict[str, float]:
    started, computed = time.perf_counter(), time.thread_time()
    result = await gateway.call(principal, "get_event", {"event_id": event_id}, channel="bench")
    spent, computed = (time.perf_counter() - started) * 1000, (time.thread_time() - computed) * 1000
    if result.outcome is not Outcome.ANSWERED:
        raise RuntimeError(f"the call ended {result.outcome.value}, not answered")
    return {WAY: spent - result.milliseconds, TOOL: result.milliseconds, PROCESSOR: computed}


def _timed(act: Callable[[], object], times: int = 1) -> float:
    started = time.perf_counter()
    for _ in range(times):
        act()
    return (time.perf_counter() - started) * 1000


def _row(engine: str, samples: list[float]) -> dict[str, Any]:
    p50, p95, p99 = (round(float(value), 3) for value in np.percentile(samples, (50, 95, 99)))
    return {"engine": engine, "n": len(samples), "p50_ms": p50, "p95_ms": p95, "p99_ms": p99}
