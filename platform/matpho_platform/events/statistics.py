"""Statistics: counts and rates by local time, place and kind, against an earlier period where asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement

from matpho_contracts.errors import BadInputError
from matpho_contracts.times import VIETNAM, from_unix_ms, unix_ms
from matpho_contracts.vocabulary import Severity
from matpho_platform.access.principal import Scope
from matpho_platform.cameras.areas import AreaTree
from matpho_platform.events import repository
from matpho_platform.events.filters import to_sql
from matpho_platform.events.schemas import (
    INCIDENT_METRICS,
    GroupBy,
    StatisticsQuery,
    StatisticsRow,
    StatisticsTable,
)
from matpho_platform.store.session import ReadSession
from matpho_platform.store.tables import events

MAX_ROWS = 5_000
"""Rows of one table; a finer question must be narrower."""
_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_WEEK_MS = 7 * _DAY_MS
_OFFSET_MS = 7 * _HOUR_MS
"""Vietnam is UTC+7 all year."""
_MONDAY_MS = 3 * _DAY_MS
"""1970-01-01 was a Thursday: weeks from Monday start three days earlier."""
_BUCKETS: dict[str, tuple[int, int]] = {
    "hour": (_HOUR_MS, _OFFSET_MS),
    "day": (_DAY_MS, _OFFSET_MS),
    "week": (_WEEK_MS, _OFFSET_MS + _MONDAY_MS),
}
_COLUMNS: dict[str, ColumnElement[Any]] = {
    "area": events.c.area,
    "camera": events.c.camera_id,
    "event_type": events.c.event_type,
    "severity": events.c.severity,
}


@dataclass(frozen=True, slots=True)
class _Period:
    """Unix milliseconds, half open."""

    start: int
    end: int

    @property
    def hours(self) -> float:
        return max((self.end - self.start) / _HOUR_MS, 1 / 60)


def _key(group: GroupBy, shift_ms: int) -> ColumnElement[Any]:
    """A group as SQL; time groups as the start of their bucket, moved by `shift_ms` so that two periods meet."""
    if group in _BUCKETS:
        width, offset = _BUCKETS[group]
        moved = events.c.time_ms + (offset + shift_ms)
        return moved - moved % width
    return _COLUMNS[group]


def _label(group: GroupBy, value: Any) -> str:
    """A group's value for people: `2026-11-21T14:00+07:00`, `2026-11-21`, `2026-W47`, or the code itself."""
    if group == "severity":
        return list(Severity)[int(value)].value
    if group not in _BUCKETS:
        return str(value)
    local = from_unix_ms(int(value) - _BUCKETS[group][1]).astimezone(VIETNAM)
    if group == "hour":
        return local.isoformat(timespec="minutes")
    return local.strftime("%G-W%V") if group == "week" else local.date().isoformat()


async def tabulate(
    session: ReadSession, query: StatisticsQuery, scope: Scope, areas: AreaTree, at: datetime
) -> StatisticsTable:
    """The table; `scope` is expanded already, `at` is the present. Raises BadInputError for an open period with
    `compare_to`, or a figure that is not of events.
    """
    if query.metric in INCIDENT_METRICS:
        raise BadInputError(f"{query.metric} is a figure of incidents.", action="Ask the incidents for it.")
    where = to_sql(query.where, scope, areas)
    period = await _period(session, query, where, at)
    counts = await _counts(session, query.group_by, where, 0)
    compared, compared_total, hours_before = await _compared(session, query, scope, areas, period)
    total = sum(counts.values()) if counts else await repository.count(session, where)
    keys = sorted(counts.keys() | compared.keys())
    rate = query.metric == "rate"
    rows = []
    for key in keys:
        hours = _hours(query.group_by, key, period) if rate else 1.0
        before = compared.get(key, 0) / hours if query.compare_to else None
        names = tuple(_label(group, value) for group, value in zip(query.group_by, key, strict=True))
        rows.append(StatisticsRow(key=names, value=counts.get(key, 0) / hours, compared=before))
    return StatisticsTable(
        metric=query.metric,
        group_by=query.group_by,
        rows=tuple(rows),
        total=total / (period.hours if rate else 1.0),
        compared_total=None if compared_total is None else compared_total / (hours_before if rate else 1.0),
        time_from=from_unix_ms(period.start).astimezone(VIETNAM),
        time_to=from_unix_ms(period.end).astimezone(VIETNAM),
    )


async def _period(session: ReadSession, query: StatisticsQuery, where: ColumnElement[bool], at: datetime) -> _Period:
    """The asked period; an open end is the present, an open start the first event that fits."""
    end = unix_ms(query.where.time_to or at)
    if query.where.time_from is not None:
        return _Period(unix_ms(query.where.time_from), end)
    if query.compare_to is not None:
        raise BadInputError("A comparison needs a period with a start.", action="Give time_from.")
    found = await repository.span(session, where)
    return _Period(min(found[0], end), end) if found else _Period(end, end)


async def _counts(
    session: ReadSession, groups: Sequence[GroupBy], where: ColumnElement[bool], shift_ms: int
) -> Mapping[tuple[Any, ...], int]:
    if not groups:
        return {}
    rows = await repository.grouped(session, [_key(group, shift_ms) for group in groups], where, MAX_ROWS + 1)
    if len(rows) > MAX_ROWS:
        raise BadInputError(
            f"The table would have more than {MAX_ROWS} rows.", action="Narrow the period or the groups."
        )
    return {tuple(key): number for key, number in rows}


async def _compared(
    session: ReadSession, query: StatisticsQuery, scope: Scope, areas: AreaTree, period: _Period
) -> tuple[Mapping[tuple[Any, ...], int], int | None, float]:
    """The earlier period's counts under this period's keys, its total and its hours."""
    if query.compare_to is None:
        return {}, None, 1.0
    shift = period.end - period.start if query.compare_to == "previous_period" else _WEEK_MS
    back = timedelta(milliseconds=shift)
    moved = {"time_from": from_unix_ms(period.start) - back, "time_to": from_unix_ms(period.end) - back}
    where = to_sql(query.where.model_copy(update=moved), scope, areas)
    counts = await _counts(session, query.group_by, where, shift)
    return counts, await repository.count(session, where), period.hours


def _hours(groups: Sequence[GroupBy], key: tuple[Any, ...], period: _Period) -> float:
    """The hours a row stands for: its smallest time bucket, as far as it lies in the period; else the period."""
    times = [(_BUCKETS[group], value) for group, value in zip(groups, key, strict=True) if group in _BUCKETS]
    if not times:
        return period.hours
    (width, offset), value = min(times)
    start = int(value) - offset
    return _Period(max(start, period.start), min(start + width, period.end)).hours
