"""Queries of event search and statistics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, bindparam, func, select

from matpho_platform.store.engine import Store
from matpho_platform.store.session import Prepared, ReadSession
from matpho_platform.store.tables import events, inbox


async def newest(
    session: ReadSession, where: ColumnElement[bool], limit: int, offset: int
) -> tuple[Sequence[RowMapping], int]:
    """Events that fit, newest first (then last stored first), and how many fit."""
    query = select(events.c.seq, events.c.raw).where(where).order_by(events.c.time_ms.desc(), events.c.seq.desc())
    rows = await session.all(query.limit(limit).offset(offset))
    if len(rows) < limit and (rows or not offset):
        return rows, offset + len(rows)
    return rows, await count(session, where)


_AREA_OF = Prepared(
    select(events.c.area)
    .select_from(inbox.join(events, inbox.c.seq == events.c.seq))
    .where(inbox.c.event_id == bindparam("event_id"))
)


async def area_of(store: Store, event_id: str) -> str | None:
    """The area of one event; None where it is not stored."""
    row = await store.look_up(_AREA_OF, event_id)
    return None if row is None else str(row["area"])


async def count(session: ReadSession, where: ColumnElement[bool]) -> int:
    """How many events fit."""
    return int(await session.scalar(select(func.count()).select_from(events).where(where)) or 0)


async def span(session: ReadSession, where: ColumnElement[bool]) -> tuple[int, int] | None:
    """The first and last time of what fits, Unix milliseconds, or None."""
    ends = select(func.min(events.c.time_ms).label("low"), func.max(events.c.time_ms).label("high"))
    row = await session.first(ends.where(where))
    return None if row is None or row["low"] is None else (int(row["low"]), int(row["high"]))


async def grouped(
    session: ReadSession, keys: Sequence[ColumnElement[Any]], where: ColumnElement[bool], limit: int
) -> Sequence[tuple[tuple[Any, ...], int]]:
    """Counts by keys, in the keys' order."""
    labelled = [key.label(f"key{number}") for number, key in enumerate(keys)]
    query = select(*labelled, func.count().label("number")).where(where).group_by(*labelled).order_by(*labelled)
    rows = await session.all(query.limit(limit))
    return [(tuple(row[label.name] for label in labelled), int(row["number"])) for row in rows]
