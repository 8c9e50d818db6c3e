"""Queries on boxes and their keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, insert, select, update

from matpho_platform.store.session import ReadSession, WriteSession
from matpho_platform.store.tables import edge_keys, edges


async def find_edge(session: ReadSession, edge_id: str) -> RowMapping | None:
    """A box's row."""
    return await session.first(select(edges).where(edges.c.edge_id == edge_id))


async def all_edges(session: ReadSession) -> Sequence[RowMapping]:
    """Every box, by id."""
    return await session.all(select(edges).order_by(edges.c.edge_id))


async def all_keys(session: ReadSession) -> Sequence[RowMapping]:
    """Every key there ever was, revoked ones too: old events are checked with them."""
    return await session.all(select(edge_keys))


async def add_edge(session: WriteSession, values: dict[str, Any]) -> None:
    """A new box."""
    await session.run(insert(edges).values(**values))


async def change_edge(session: WriteSession, edge_id: str, values: dict[str, Any]) -> None:
    """Change a box's row."""
    await session.run(update(edges).where(edges.c.edge_id == edge_id).values(**values))


async def use_token(session: WriteSession, edge_id: str, token_hash: str, key_id: str) -> bool:
    """Bind an unused token to a key; False when somebody was first."""
    statement = (
        update(edges)
        .where(edges.c.edge_id == edge_id, edges.c.token_hash == token_hash, edges.c.token_used_by.is_(None))
        .values(token_used_by=key_id)
    )
    return await session.run(statement) == 1


async def add_key(session: WriteSession, values: dict[str, Any]) -> None:
    """Register a key."""
    await session.run(insert(edge_keys).values(**values))


async def revoke_keys(session: WriteSession, edge_id: str, at_ms: int) -> int:
    """Revoke a box's keys that are in use; returns how many."""
    statement = update(edge_keys).where(edge_keys.c.edge_id == edge_id, edge_keys.c.revoked_ms.is_(None))
    return await session.run(statement.values(revoked_ms=at_ms))
