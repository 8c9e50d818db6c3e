"""Figures of incidents by time, place and kind: response, open ones, the share resolved. Aggregated in the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, and_, case, func, select

from matpho_contracts.errors import BadInputError
from matpho_contracts.times import VIETNAM, from_unix_ms
from matpho_platform.incidents.schemas import FigureRow, GroupBy, Priority, Status
from matpho_platform.incidents.states import OPEN
from matpho_platform.store.session import ReadSession
from matpho_platform.store.tables import incidents

MAX_ROWS = 5_000
"""Rows of one table; a finer question must be narrower."""
_HOUR_MS = 3_600_000
_MINUTE_MS = 60_000
_OFFSET_MS = 7 * _HOUR_MS
"""Vietnam is UTC+7 all year."""
_BUCKETS: dict[str, tuple[int, int]] = {
    "hour": (_HOUR_MS, _OFFSET_MS),
    "day": (24 * _HOUR_MS, _OFFSET_MS),
    "week": (7 * 24 * _HOUR_MS, _OFFSET_MS + 3 * 24 * _HOUR_MS),
}
"""Width, and what moves 1970-01-01T00:00Z (a Thursday) to the start of a bucket: local midnight, local Monday."""
_COLUMNS: dict[str, ColumnElement[Any]] = {
    "area": incidents.c.area,
    "camera": incidents.c.camera_id,
    "event_type": incidents.c.event_type,
    "severity": incidents.c.priority,
}
_OPEN_WORDS = sorted(status.value for status in OPEN)
_ENDED_WORDS = sorted(status.value for status in Status if status not in OPEN)


async def tabulate(
    session: ReadSession, groups: Sequence[GroupBy], where: Sequence[ColumnElement[bool]]
) -> tuple[tuple[FigureRow, ...], FigureRow]:
    """The rows by group, in order, and the row over all. Raises BadInputError for a table too large."""
    whole = _row((), (await session.all(_query((), where)))[0])
    if not groups:
        return (), whole
    rows = await session.all(_query(groups, where).limit(MAX_ROWS + 1))
    if len(rows) > MAX_ROWS:
        raise BadInputError(f"The table would have more than {MAX_ROWS} rows.", action="Narrow the period.")
    made = (_row(tuple(_label(group, row[f"key{number}"]) for number, group in enumerate(groups)), row) for row in rows)
    return tuple(made), whole


def _query(groups: Sequence[GroupBy], where: Sequence[ColumnElement[bool]]) -> Select[Any]:
    keys = [_key(group).label(f"key{number}") for number, group in enumerate(groups)]
    answered = incidents.c.acknowledged_ms.is_not(None)
    query = select(
        *keys,
        func.count().label("opened"),
        func.sum(case((incidents.c.status.in_(_OPEN_WORDS), 1), else_=0)).label("open"),
        func.sum(case((incidents.c.status.in_(_ENDED_WORDS), 1), else_=0)).label("ended"),
        func.sum(case((answered, 1), else_=0)).label("acknowledged"),
        func.sum(case((answered, incidents.c.acknowledged_ms - incidents.c.opened_ms), else_=0)).label("waited_ms"),
    ).where(and_(*where))
    return query.group_by(*keys).order_by(*keys) if keys else query


def _key(group: GroupBy) -> ColumnElement[Any]:
    if group in _BUCKETS:
        width, offset = _BUCKETS[group]
        moved = incidents.c.opened_ms + offset
        return moved - moved % width
    return _COLUMNS[group]


def _label(group: GroupBy, value: Any) -> str:
    """As event statistics label them: `2026-11-21T14:00+07:00`, `2026-11-21`, `2026-W47`, or the code itself."""
    if group == "severity":
        return list(Priority)[int(value)].value
    if group not in _BUCKETS:
        return str(value)
    local = from_unix_ms(int(value) - _BUCKETS[group][1]).astimezone(VIETNAM)
    if group == "hour":
        return local.isoformat(timespec="minutes")
    return local.strftime("%G-W%V") if group == "week" else local.date().isoformat()


def _row(key: tuple[str, ...], row: RowMapping) -> FigureRow:
    opened, acknowledged = int(row["opened"]), int(row["acknowledged"] or 0)
    return FigureRow(
        key=key,
        opened=opened,
        open=int(row["open"] or 0),
        acknowledged=acknowledged,
        mean_response_minutes=float(row["waited_ms"]) / acknowledged / _MINUTE_MS if acknowledged else None,
        resolved_share=int(row["ended"]) / opened if opened else None,
    )
