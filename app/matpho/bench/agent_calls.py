"""What the way through the gateway costs a call: who calls, judging, narrowing, two durable audit entries, redacting.

`gateway, policy, audit` is everything of a call but the tool's own body: the caller's session is read, the event found
that the policy is asked about, the policy asked, an entry written before and another after, the result redacted. `tool
alone` is that body; `processor time` what the call computes in all, on every thread of the process, work beside it (the
log's publishing, copying the write-ahead log) included, which other load stretches less than the clock; `policy alone`
is one decision about an event's place, `policy, first time` one about a caller never met before; `two bare commits`
is what the disk asks for two rows made durable one after the other, which no audit trail that is written before and
after an act can go below, `two bare flushes` the disk's own part in them. They take turns, so that a busy machine slows
all alike. Callers and events change from call to call.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from matpho.bench.flushes import bare_commit, bare_flush
from matpho_platform.access.policy import Facts, Resource
from matpho_platform.access.principal import Principal, Role
from matpho_platform.center import Center
from matpho_tools.contract import Call, Outcome, Produced
from matpho_tools.gateway import Gateway
from matpho_tools.registry import TOOLS

WAY, TOOL, PROCESSOR = "gateway, policy, audit", "tool alone", "processor time"
POLICY, POLICY_FIRST = "policy alone", "policy, first time"
COMMITS, FLUSHES = "two bare commits", "two bare flushes"
ROWS = (WAY, TOOL, PROCESSOR, POLICY, POLICY_FIRST, COMMITS, FLUSHES)
NAME = "get_event"
OFFICERS = 20
WARM_UP = 100
"""Calls that do not count: the policy has met everybody, and the database's write-ahead log has grown to its size."""


async def measure(center: Center, area: str, events: Sequence[str], folder: Path, calls: int) -> list[dict[str, Any]]:
    """Rows with `engine`, `n`, `p50_ms`, `p95_ms`, `p99_ms` over so many calls of `get_event` by officers of the area.

    Raises RuntimeError when a call does not answer.
    """
    taken: dict[str, list[float]] = defaultdict(list)
    caller = _Caller(center, await _sessions(center, area), events)
    place = Resource(center.areas.lineage(area))
    now = datetime.now(UTC)
    with bare_commit(folder / "bare.db") as commit, bare_flush(folder / "flushed") as flush:
        for number in range(calls + WARM_UP):
            one, principal = await caller.call()
            stranger = Principal(f"stranger-{number}", "", Role.OFFICER, (area,))
            for row, who in ((POLICY, principal), (POLICY_FIRST, stranger)):
                one[row] = _timed(partial(center.policy.decide, who, NAME, place, Facts(), now))
            one[COMMITS] = await asyncio.to_thread(_timed, commit, 2)
            one[FLUSHES] = await asyncio.to_thread(_timed, flush, 2)
            if number >= WARM_UP:
                for name, spent in one.items():
                    taken[name].append(spent)
    return [_row(name, taken[name]) for name in ROWS]


class _Caller:
    """Calls the tool as a request does, by one officer after the other, and stops the tool's own time apart."""

    def __init__(self, center: Center, tokens: Sequence[str], events: Sequence[str]) -> None:
        tool = TOOLS[NAME]
        self._center = center
        self._tokens, self._events = cycle(tokens), cycle(events)
        self._gateway = Gateway(center, tools={**TOOLS, NAME: replace(tool, run=self._stopped(tool.run))})
        self._tool_ms = 0.0

    def _stopped(self, run: Callable[[Call[Any]], Awaitable[Produced]]) -> Callable[[Call[Any]], Awaitable[Produced]]:
        async def stopped(call: Call[Any]) -> Produced:
            started = time.perf_counter()
            produced = await run(call)
            self._tool_ms = (time.perf_counter() - started) * 1000
            return produced

        return stopped

    async def call(self) -> tuple[dict[str, float], Principal]:
        """One call's times in milliseconds, and who made it."""
        token, event_id = next(self._tokens), next(self._events)
        started, computed = time.perf_counter(), time.process_time()
        principal = await self._center.accounts.principal(token)
        result = await self._gateway.call(principal, NAME, {"event_id": event_id}, channel="bench")
        spent, computed = (time.perf_counter() - started) * 1000, (time.process_time() - computed) * 1000
        if result.outcome is not Outcome.ANSWERED:
            raise RuntimeError(f"the call ended {result.outcome.value}, not answered")
        return {WAY: spent - self._tool_ms, TOOL: self._tool_ms, PROCESSOR: computed}, principal


async def _sessions(center: Center, area: str) -> list[str]:
    """Tokens of officers who are signed in, with a second factor."""
    tokens = []
    for number in range(OFFICERS):
        user_id = f"officer-{number}"
        await center.accounts.create(user_id, user_id, Role.OFFICER, None, areas=(area,))
        opened = await center.accounts.sessions.open(user_id, Role.OFFICER, full=True, mfa_at=datetime.now(UTC))
        tokens.append(opened.token)
    return tokens


def _timed(act: Callable[[], object], times: int = 1) -> float:
    started = time.perf_counter()
    for _ in range(times):
        act()
    return (time.perf_counter() - started) * 1000


def _row(engine: str, samples: list[float]) -> dict[str, Any]:
    p50, p95, p99 = (round(float(value), 3) for value in np.percentile(samples, (50, 95, 99)))
    return {"engine": engine, "n": len(samples), "p50_ms": p50, "p95_ms": p95, "p99_ms": p99}
