"""Queries on the updates of chat platforms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, Select, select, update
from sqlalchemy.dialects import postgresql, sqlite

from matpho_platform.store.session import ReadSession, WriteSession
from matpho_platform.store.tables import notify_updates


async def add(session: WriteSession, values: Mapping[str, Any]) -> bool:
    """Keep an update; False where its id was there before."""
    kind = sqlite.insert if session.dialect == "sqlite" else postgresql.insert
    added = kind(notify_updates).values(**values).on_conflict_do_nothing().returning(notify_updates.c.update_id)
    return await session.first(added) is not None


def _due(at_ms: int, limit: int) -> Select[Any]:
    due = (notify_updates.c.due_ms.is_not(None), notify_updates.c.due_ms <= at_ms)
    return select(notify_updates).where(*due).order_by(notify_updates.c.due_ms).limit(limit)


async def any_due(session: ReadSession, at_ms: int) -> bool:
    """Whether there is one to do."""
    return await session.first(_due(at_ms, 1)) is not None


async def claim(session: WriteSession, at_ms: int, limit: int, until_ms: int) -> Sequence[RowMapping]:
    """Take updates to do; nobody else has them until `until_ms`."""
    rows = await session.all(_due(at_ms, limit).with_for_update(skip_locked=True))
    for row in rows:
        values = {"due_ms": until_ms, "attempts": row["attempts"] + 1}
        await change(session, row["channel"], row["update_id"], values)
    return rows


async def change(session: WriteSession, channel: str, update_id: str, values: Mapping[str, Any]) -> None:
    """Change an update."""
    mine = (notify_updates.c.channel == channel, notify_updates.c.update_id == update_id)
    await session.run(update(notify_updates).where(*mine).values(**values))
