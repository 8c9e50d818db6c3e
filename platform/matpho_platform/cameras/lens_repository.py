"""Queries on who holds a lens and which turns were asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import RowMapping, insert, select, update

from matpho_platform.store.session import ReadSession, WriteSession
from matpho_platform.store.tables import lens_locks, lens_moves


async def find_lock(session: ReadSession, camera_id: str, *, for_update: bool = False) -> RowMapping | None:
    """Who turned this camera last; with `for_update` nobody else takes it until the commit."""
    query = select(lens_locks).where(lens_locks.c.camera_id == camera_id)
    return await session.first(query.with_for_update() if for_update else query)


async def save_lock(session: WriteSession, known: bool, values: Mapping[str, Any]) -> None:
    """Take the lens."""
    if known:
        same = lens_locks.c.camera_id == values["camera_id"]
        await session.run(update(lens_locks).where(same).values(**values))
    else:
        await session.run(insert(lens_locks).values(**values))


async def find_move(session: ReadSession, key: str) -> RowMapping | None:
    """The turn of a key."""
    return await session.first(select(lens_moves).where(lens_moves.c.key == key))


async def add_move(session: WriteSession, values: Mapping[str, Any]) -> None:
    """Note that a turn was asked for."""
    await session.run(insert(lens_moves).values(**values))


async def finish(session: WriteSession, key: str, at_ms: int) -> None:
    """Note that the box has done it."""
    await session.run(update(lens_moves).where(lens_moves.c.key == key).values(done_ms=at_ms))
