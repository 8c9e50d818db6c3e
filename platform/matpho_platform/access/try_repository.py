"""Queries on wrong tries at signing in, and on whose turn is next where tries are paced."""

from __future__ import annotations

import secrets
from collections.abc import Collection

from sqlalchemy import delete, func, insert, select, update

from matpho_platform.store.session import ReadSession, WriteSession
from matpho_platform.store.tables import try_turns, wrong_tries


async def counted(session: ReadSession, names: Collection[str], since_ms: int) -> dict[str, tuple[int, int]]:
    """How many tries of each name there were after a moment, and when the last was; without those of none."""
    query = select(wrong_tries.c.name, func.count().label("tries"), func.max(wrong_tries.c.at_ms).label("last_ms"))
    query = query.where(wrong_tries.c.name.in_(list(names)), wrong_tries.c.at_ms > since_ms)
    rows = await session.all(query.group_by(wrong_tries.c.name))
    return {row["name"]: (int(row["tries"]), int(row["last_ms"])) for row in rows}


async def add(session: WriteSession, names: Collection[str], at_ms: int) -> None:
    """A wrong try under each name."""
    rows = [{"try_id": secrets.token_hex(16), "name": name, "at_ms": at_ms} for name in names]
    await session.run(insert(wrong_tries), rows)


async def forgive(session: WriteSession, name: str) -> None:
    """Forget the tries of a name."""
    await session.run(delete(wrong_tries).where(wrong_tries.c.name == name))


async def forget(session: WriteSession, before_ms: int) -> None:
    """Forget every try, and every turn, that lies before a moment."""
    await session.run(delete(wrong_tries).where(wrong_tries.c.at_ms <= before_ms))
    await session.run(delete(try_turns).where(try_turns.c.next_ms <= before_ms))


async def next_turn(session: ReadSession, names: Collection[str], *, lock: bool = False) -> int:
    """When the next turn of all of these is, Unix milliseconds; 0 where nobody has taken any."""
    query = select(try_turns.c.next_ms).where(try_turns.c.name.in_(list(names))).order_by(try_turns.c.name)
    rows = await session.all(query.with_for_update() if lock else query)
    return max((int(row["next_ms"]) for row in rows), default=0)


async def take_turn(session: WriteSession, names: Collection[str], at_ms: int, next_ms: int) -> None:
    """The turn of this moment: the next is not before `next_ms`.

    Raises DuplicateError, by the commit at the latest, when somebody else has taken it: who finds no row adds one.
    """
    for name in sorted(names):
        due = update(try_turns).where(try_turns.c.name == name, try_turns.c.next_ms <= at_ms)
        if not await session.run(due.values(next_ms=next_ms)):
            await session.run(insert(try_turns).values(name=name, next_ms=next_ms))
