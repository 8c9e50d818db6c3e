"""Queries on watches and what they found."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, func, insert, or_, select, update

from matpho_platform.access.principal import Scope
from matpho_platform.events.filters import within
from matpho_platform.store.session import ReadSession, WriteSession
from matpho_platform.store.tables import events, inbox, watch_matches, watches

MAX_WATCHES = 10_000
_IDS_AT_ONCE = 500


async def add(session: WriteSession, values: Mapping[str, Any]) -> None:
    """A new watch; raises DuplicateError for a key that was used."""
    await session.run(insert(watches).values(**values))


async def by_key(session: ReadSession, key: str) -> RowMapping | None:
    """The watch that was made under a key."""
    return await session.first(select(watches).where(watches.c.key == key))


async def open_of(session: ReadSession, owner: str, at_ms: int) -> Sequence[RowMapping]:
    """An account's watches that stand at a moment, newest first."""
    mine = and_(watches.c.owner == owner, watches.c.ended_ms.is_(None), watches.c.expires_ms > at_ms)
    return await session.all(select(watches).where(mine).order_by(watches.c.created_ms.desc(), watches.c.watch_id))


async def end(session: WriteSession, owner: str, watch_id: str, at_ms: int) -> int:
    """End an account's watch; returns whether there was one that stood."""
    mine = and_(watches.c.watch_id == watch_id, watches.c.owner == owner, watches.c.ended_ms.is_(None))
    return await session.run(update(watches).where(mine).values(ended_ms=at_ms))


async def standing(session: ReadSession, first_ms: int, last_ms: int) -> Sequence[RowMapping]:
    """Every watch that stood at some time within a span of event times."""
    alive = or_(watches.c.ended_ms.is_(None), watches.c.ended_ms > first_ms)
    span = and_(watches.c.created_ms <= last_ms, watches.c.expires_ms > first_ms)
    return await session.all(select(watches).where(alive, span).order_by(watches.c.watch_id).limit(MAX_WATCHES))


async def any_standing(session: ReadSession) -> bool:
    """Whether there is a watch that nobody has ended (it may have run out)."""
    return await session.first(select(watches.c.watch_id).where(watches.c.ended_ms.is_(None)).limit(1)) is not None


async def fitting(session: ReadSession, serials: Collection[int], where: ColumnElement[bool]) -> set[int]:
    """Which of some stored events fit a condition."""
    query = select(events.c.seq).where(events.c.seq.in_(list(serials)), where)
    return {int(row["seq"]) for row in await session.all(query)}


async def told(session: ReadSession, watch_id: str, event_ids: Sequence[str]) -> set[tuple[str, str]]:
    """(event, account) pairs that a watch has told already."""
    pairs: set[tuple[str, str]] = set()
    for start in range(0, len(event_ids), _IDS_AT_ONCE):
        some = watch_matches.c.event_id.in_(event_ids[start : start + _IDS_AT_ONCE])
        query = select(watch_matches.c.event_id, watch_matches.c.user_id)
        rows = await session.all(query.where(watch_matches.c.watch_id == watch_id, some))
        pairs |= {(row["event_id"], row["user_id"]) for row in rows}
    return pairs


async def tell(session: WriteSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note what is to be told."""
    await session.run(insert(watch_matches), rows)


_joined = (
    watch_matches.join(watches, watches.c.watch_id == watch_matches.c.watch_id)
    .join(inbox, inbox.c.event_id == watch_matches.c.event_id)
    .join(events, events.c.seq == inbox.c.seq)
)


async def notifications(
    session: ReadSession, user_id: str, scope: Scope, limit: int, offset: int
) -> tuple[Sequence[RowMapping], int, int]:
    """What a person was told, the newest event first, with how many in all and unseen; `scope` is expanded already."""
    mine = and_(watch_matches.c.user_id == user_id, within(scope))
    columns = (
        watch_matches.c.watch_id,
        watches.c.name,
        watch_matches.c.event_id,
        watch_matches.c.seen,
        events.c.event_type,
        events.c.time_ms,
        events.c.camera_id,
        events.c.area,
        events.c.severity,
    )
    order = (events.c.time_ms.desc(), events.c.seq.desc(), watch_matches.c.watch_id)
    rows = await session.all(
        select(*columns).select_from(_joined).where(mine).order_by(*order).limit(limit).offset(offset)
    )
    count = select(func.count()).select_from(_joined)
    total = int(await session.scalar(count.where(mine)) or 0)
    unseen = int(await session.scalar(count.where(mine, watch_matches.c.seen.is_(False))) or 0)
    return rows, total, unseen


async def mark_seen(session: WriteSession, user_id: str, watch_id: str, event_ids: Sequence[str]) -> int:
    """A person has seen some of what a watch told; returns how many."""
    mine = and_(watch_matches.c.user_id == user_id, watch_matches.c.watch_id == watch_id)
    some = watch_matches.c.event_id.in_(list(event_ids)[:_IDS_AT_ONCE])
    return await session.run(update(watch_matches).where(mine, some).values(seen=True))
