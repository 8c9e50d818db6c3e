"""Queries of identity requests. Every change of state names the state that it leaves, so that it happens once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, false, func, insert, or_, select, update

from matpho_platform.identity.schemas import LIVE, Status
from matpho_platform.store.session import ReadSession, WriteSession
from matpho_platform.store.tables import identity_requests as requests

_COLUMNS = requests.c
_DECIDED = ("approved", "answered", "failed")


async def find(session: ReadSession, request_id: str) -> RowMapping | None:
    """One request."""
    return await session.first(select(requests).where(_COLUMNS.request_id == request_id))


async def by_key(session: ReadSession, key: str) -> RowMapping | None:
    """The request that a call with this key opened."""
    return await session.first(select(requests).where(_COLUMNS.request_key == key))


async def live(session: ReadSession, live_key: str) -> RowMapping | None:
    """The request under way of one subject in one case."""
    return await session.first(select(requests).where(_COLUMNS.live_key == live_key))


async def opened_since(session: ReadSession, requester: str, since_ms: int) -> int:
    """How many requests somebody opened."""
    query = (
        select(func.count())
        .select_from(requests)
        .where(_COLUMNS.requester == requester, _COLUMNS.created_ms >= since_ms)
    )
    return int(await session.scalar(query) or 0)


async def approved_since(session: ReadSession, since_ms: int) -> int:
    """How many checks of the unit were approved, whatever came of them."""
    query = (
        select(func.count()).select_from(requests).where(_COLUMNS.decided_ms >= since_ms, _COLUMNS.status.in_(_DECIDED))
    )
    return int(await session.scalar(query) or 0)


def _for(user_id: str) -> ColumnElement[bool]:
    """What waits for somebody's decision: nobody decides their own."""
    return and_(_COLUMNS.status == Status.PENDING.value, _COLUMNS.requester != user_id)


async def seen_by(
    session: ReadSession, user_id: str, *, deciding: bool, waiting: bool, limit: int, offset: int
) -> tuple[Sequence[RowMapping], int]:
    """What somebody asked for or decided and, for those who decide, what waits for them, or only that; newest first.

    Returns a page and how many there are in all.
    """
    mine = or_(_COLUMNS.requester == user_id, _COLUMNS.decided_by == user_id)
    theirs = _for(user_id) if deciding else false()
    seen = theirs if waiting else or_(mine, theirs)
    order = (_COLUMNS.created_ms.desc(), _COLUMNS.request_id.desc())
    rows = await session.all(select(requests).where(seen).order_by(*order).limit(limit).offset(offset))
    return rows, int(await session.scalar(select(func.count()).select_from(requests).where(seen)) or 0)


async def waiting_for(session: ReadSession, user_id: str) -> int:
    """How many requests wait for somebody's decision."""
    return int(await session.scalar(select(func.count()).select_from(requests).where(_for(user_id))) or 0)


async def unanswered(session: ReadSession, now_ms: int, limit: int) -> Sequence[RowMapping]:
    """Approved requests that nobody is asking the centre about at this moment."""
    query = select(requests).where(_COLUMNS.status == Status.APPROVED.value, _free(now_ms))
    return await session.all(query.order_by(_COLUMNS.decided_ms).limit(limit))


async def add(session: WriteSession, row: Mapping[str, Any]) -> None:
    """Keep a new request; raises DuplicateError at the commit when its key or its live key is taken."""
    await session.run(insert(requests).values(**row))


async def decide(session: WriteSession, request_id: str, values: Mapping[str, Any]) -> bool:
    """Leave `pending`; whether it was still that."""
    pending = and_(_COLUMNS.request_id == request_id, _COLUMNS.status == Status.PENDING.value)
    return await session.run(update(requests).where(pending).values(**values)) == 1


async def claim(session: WriteSession, request_id: str, now_ms: int, until_ms: int) -> bool:
    """Take the right to ask the centre until a moment; whether nobody else has it."""
    free = and_(_COLUMNS.request_id == request_id, _COLUMNS.status == Status.APPROVED.value, _free(now_ms))
    values = {"asking_until_ms": until_ms, "attempts": _COLUMNS.attempts + 1}
    return await session.run(update(requests).where(free).values(values)) == 1


async def settle(session: WriteSession, request_id: str, values: Mapping[str, Any]) -> bool:
    """Leave or keep `approved` after asking; whether it was still that."""
    asked = and_(_COLUMNS.request_id == request_id, _COLUMNS.status == Status.APPROVED.value)
    return await session.run(update(requests).where(asked).values(asking_until_ms=None, **values)) == 1


def _over(now_ms: int) -> ColumnElement[bool]:
    return and_(_COLUMNS.status.in_([status.value for status in LIVE]), _COLUMNS.expires_ms <= now_ms)


async def any_over(session: ReadSession, now_ms: int) -> bool:
    """Whether there is a live request whose time is over."""
    return await session.first(select(_COLUMNS.request_id).where(_over(now_ms)).limit(1)) is not None


async def expire(session: WriteSession, now_ms: int) -> int:
    """End and erase every live request whose time is over; returns how many."""
    return await session.run(
        update(requests).where(_over(now_ms)).values(status=Status.EXPIRED.value, **erased(now_ms))
    )


def erased(now_ms: int) -> dict[str, Any]:
    """The values of a request whose personal data is gone."""
    return {"subject": None, "answer": None, "live_key": None, "asking_until_ms": None, "erased_ms": now_ms}


def _free(now_ms: int) -> Any:
    return or_(_COLUMNS.asking_until_ms.is_(None), _COLUMNS.asking_until_ms <= now_ms)
