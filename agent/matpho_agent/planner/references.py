"""Pointing at a row of the last list: `cái thứ hai`, `vụ áp chót`, `vụ 0h42`, `cái mới nhất`, `cái kế tiếp`, `nó`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from matpho_agent.planner.plan import EventReference, Memory, Remembered

DAY = timedelta(days=1)
CLOCK_TOLERANCE = timedelta(minutes=15)
HOUR_TOLERANCE = timedelta(minutes=50)
"""How far from `lúc 9 giờ` the nearest row may lie; half of it more than from `lúc 9h10`."""
RANKS = ("low", "medium", "high", "critical")


def point_at(reference: EventReference | None, memory: Memory, rows: Sequence[Remembered] | None = None) -> list[str]:
    """The events that a reference may mean: one where it is plain, several where it is not, none where none fits.

    `rows` are those of the last list that the words describe; without them all of the list.
    """
    results = memory.results if rows is None else list(rows)
    if reference is not None and reference.event_id:
        return [reference.event_id]
    if reference is not None and reference.clock is not None and results:
        chosen = _at_clock(reference.clock, results)
        if chosen:
            return chosen
    if reference is not None and (reference.ordinal is not None or reference.which):
        row = chosen_row(results, reference, memory.event_id)
        return [row.id] if row else []
    if rows is None and memory.event_id and (len(results) != 1 or results[0].id == memory.event_id):
        return [memory.event_id]
    return [result.id for result in results]


def _at_clock(clock: datetime, results: Sequence[Remembered]) -> list[str]:
    near = sorted((_apart(row.time, clock), row.id) for row in results if row.time is not None)
    limit = CLOCK_TOLERANCE if clock.minute else HOUR_TOLERANCE
    if clock.minute == 0:
        within = [row.id for row in results if row.time and row.time.astimezone(clock.tzinfo).hour == clock.hour]
        if len(within) == 1:
            return within
    return [near[0][1]] if near and near[0][0] <= limit else []


def _apart(time: datetime, clock: datetime) -> timedelta:
    """How far two clocks are apart, whatever the day."""
    apart = abs(time - clock) % DAY
    return min(apart, DAY - apart)


def chosen_row(rows: Sequence[Remembered], reference: EventReference, focus: str | None) -> Remembered | None:
    """The row that an ordinal, a superlative or a neighbourhood points at; `focus` is the row spoken of last."""
    if reference.which == "oldest":
        return min(rows, key=lambda row: row.time.timestamp() if row.time else float("inf"), default=None)
    if reference.which == "worst":
        return max(rows, key=_weight, default=None)
    if reference.which:
        place = next((number for number, row in enumerate(rows) if row.id == focus), None)
        if place is None:
            return rows[0] if rows and reference.which == "next" else None
        place += 1 if reference.which == "next" else -1
        return rows[place] if 0 <= place < len(rows) else None
    return nth(rows, reference.ordinal) if reference.ordinal is not None else None


def _weight(row: Remembered) -> tuple[int, float]:
    rank = max((RANKS.index(name) for name in (row.priority, row.severity) if name in RANKS), default=-1)
    return rank, row.time.timestamp() if row.time else 0.0


def nth(results: Sequence[Remembered], ordinal: int) -> Remembered | None:
    """1 is the first, -1 the last, -2 the one before it, 0 the newest."""
    if ordinal == 0:
        return max(results, key=lambda r: r.time.timestamp() if r.time else 0.0, default=None)
    if ordinal < 0:
        return results[ordinal] if -ordinal <= len(results) else None
    return results[ordinal - 1] if ordinal <= len(results) else None


def nth_name(names: Sequence[str], reference: EventReference | None, focus: str | None = None) -> str | None:
    """The name in a plain list (of cameras, of options) that a reference points at."""
    rows = [Remembered(id=name) for name in names]
    if reference is None or reference.ordinal == 0 or reference.which in {"oldest", "worst"}:
        return None
    row = chosen_row(rows, reference, focus)
    return row.id if row else None


def at_place(areas: Sequence[str], camera_ids: Sequence[str], memory: Memory) -> EventReference | None:
    """`cái ở Cầu Giấy`: the one result of the last list that is there."""
    there = [r for r in memory.results if r.camera_id in camera_ids or r.area in areas]
    return EventReference(event_id=there[0].id) if len(there) == 1 else None
