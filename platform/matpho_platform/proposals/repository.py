"""Queries on waiting acts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, delete, insert, or_, select

from matpho_platform.store.session import ReadSession, WriteSession
from matpho_platform.store.tables import proposals


async def add(session: WriteSession, values: Mapping[str, Any]) -> None:
    """A new one."""
    await session.run(insert(proposals).values(**values))


async def find(session: WriteSession, proposal_id: str) -> RowMapping | None:
    """One by its id."""
    return await session.first(select(proposals).where(proposals.c.proposal_id == proposal_id))


async def waiting(session: ReadSession, user_id: str, at_ms: int) -> Sequence[RowMapping]:
    """What waits for a user's yes, newest first."""
    mine = (proposals.c.user_id == user_id) & (proposals.c.expires_ms >= at_ms)
    return await session.all(select(proposals).where(mine).order_by(proposals.c.created_ms.desc()))


async def remove(session: WriteSession, proposal_id: str, user_id: str) -> int:
    """Take it away, once: of two who try, one gets 1 and the other 0."""
    mine = (proposals.c.proposal_id == proposal_id) & (proposals.c.user_id == user_id)
    return await session.run(delete(proposals).where(mine))


async def tidy(session: WriteSession, user_id: str, keep: int, at_ms: int) -> None:
    """Forget what ran out, and this user's oldest beyond `keep`."""
    newest = (
        select(proposals.c.proposal_id)
        .where(proposals.c.user_id == user_id)
        .order_by(proposals.c.created_ms.desc(), proposals.c.proposal_id.desc())
        .limit(keep)
    )
    excess = (proposals.c.user_id == user_id) & proposals.c.proposal_id.not_in(newest)
    await session.run(delete(proposals).where(or_(proposals.c.expires_ms < at_ms, excess)))
