"""Queries on the audit trail: entries are only ever added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, delete, func, insert, select

from matpho_platform.store.session import ReadSession, WriteSession
from matpho_platform.store.tables import audit_checkpoints, audit_entries

KEEP_EVERY = 256
"""Checkpoints at these sizes stay; between them only the newest one does."""


async def newest_checkpoint(session: ReadSession) -> RowMapping | None:
    """The checkpoint over the whole trail."""
    return await session.first(select(audit_checkpoints).order_by(audit_checkpoints.c.size.desc()).limit(1))


async def checkpoints(session: ReadSession) -> Sequence[RowMapping]:
    """Every checkpoint that is kept, by size."""
    return await session.all(select(audit_checkpoints).order_by(audit_checkpoints.c.size))


async def entries_from(session: ReadSession, first: int, limit: int) -> Sequence[RowMapping]:
    """Entries in order of their index."""
    query = select(audit_entries).where(audit_entries.c.log_index >= first).order_by(audit_entries.c.log_index)
    return await session.all(query.limit(limit))


async def leaves_from(session: ReadSession, first: int, limit: int) -> Sequence[bytes]:
    """Leaf hashes in order of their index."""
    query = select(audit_entries.c.leaf).where(audit_entries.c.log_index >= first).order_by(audit_entries.c.log_index)
    return [bytes(row["leaf"]) for row in await session.all(query.limit(limit))]


async def add(session: WriteSession, entry: Mapping[str, Any], checkpoint: Mapping[str, Any]) -> None:
    """An entry and the checkpoint that covers it; the checkpoint before it goes, unless it is one to keep."""
    await session.run(insert(audit_entries).values(**entry))
    before = checkpoint["size"] - 1
    if before % KEEP_EVERY:
        await session.run(delete(audit_checkpoints).where(audit_checkpoints.c.size == before))
    await session.run(insert(audit_checkpoints).values(**checkpoint))


async def search(
    session: ReadSession,
    *,
    actor: str | None,
    action: str | None,
    subject: str | None,
    from_ms: int | None,
    to_ms: int | None,
    limit: int,
    offset: int,
) -> tuple[Sequence[RowMapping], int]:
    """Entries that fit, newest first, and how many; `subject` is text that the entry must hold."""
    conditions: list[ColumnElement[bool]] = [and_(True)]
    if actor:
        conditions.append(audit_entries.c.user_id == actor)
    if action:
        conditions.append(audit_entries.c.action == action)
    if from_ms is not None:
        conditions.append(audit_entries.c.at_ms >= from_ms)
    if to_ms is not None:
        conditions.append(audit_entries.c.at_ms < to_ms)
    if subject:
        conditions.append(audit_entries.c.entry.contains(subject, autoescape=True))
    where = and_(*conditions)
    newest = select(audit_entries).where(where).order_by(audit_entries.c.log_index.desc())
    rows = await session.all(newest.limit(limit).offset(offset))
    return rows, int(await session.scalar(select(func.count()).select_from(audit_entries).where(where)) or 0)
