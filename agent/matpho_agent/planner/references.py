"""Pointing at a row of the last list: `cái thứ hai`, `vụ 0h42`, `cái mới nhất`, `nó`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from matpho_agent.planner.plan import EventReference, Memory, Remembered

DAY = timedelta(days=1)
CLOCK_TOLERANCE = timedelta(minutes=15)


def point_at(reference: EventReference | None, memory: Memory) -> list[str]:
    """The events that a reference may mean: one where it is plain, several where it is not, none where none fits."""
    results = memory.results
    if reference is not None and reference.event_id:
        return [reference.event_id]
    if reference is not None and reference.clock is not None and results:
        clock = reference.clock
        near = sorted((_apart(row.time, clock), row.id) for row in results if row.time is not None)
        if near and near[0][0] <= CLOCK_TOLERANCE:
            return [near[0][1]]
    if reference is not None and reference.ordinal is not None:
        chosen = nth(results, reference.ordinal)
        return [chosen.id] if chosen else []
    if memory.event_id and (len(results) != 1 or results[0].id == memory.event_id):
        return [memory.event_id]
    return [result.id for result in results]


def _apart(time: datetime, clock: datetime) -> timedelta:
    """How far two clocks are apart, whatever the day."""
    apart = abs(time - clock) % DAY
    return min(apart, DAY - apart)


def nth(results: Sequence[Remembered], ordinal: int) -> Remembered | None:
    """1 is the first, -1 the last, 0 the newest."""
    if ordinal == 0:
        return max(results, key=lambda r: r.time.timestamp() if r.time else 0.0, default=None)
    if ordinal == -1:
        return results[-1] if results else None
    return results[ordinal - 1] if 0 < ordinal <= len(results) else None


def at_place(areas: Sequence[str], camera_ids: Sequence[str], memory: Memory) -> EventReference | None:
    """`cái ở Cầu Giấy`: the one result of the last list that is there."""
    there = [r for r in memory.results if r.camera_id in camera_ids or r.area in areas]
    return EventReference(event_id=there[0].id) if len(there) == 1 else None
