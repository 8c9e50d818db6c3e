"""Serial numbers of events and audit entries, and the lock that giving them out takes."""

from __future__ import annotations

from sqlalchemy import select, text, update

from matpho_platform.store.session import WriteSession
from matpho_platform.store.tables import counters

_FIRST = text("INSERT INTO counters (name, value) VALUES (:name, 0) ON CONFLICT (name) DO NOTHING")


async def lock_serial(session: WriteSession, name: str) -> int:
    """The last serial given out; until the commit nobody else gets past this line.

    Of two writers who begin a serial at once, the second waits for the first and then reads what it left.
    """
    query = select(counters.c.value).where(counters.c.name == name).with_for_update()
    value = await session.scalar(query)
    if value is None:
        await session.run(_FIRST.bindparams(name=name))
        value = await session.scalar(query)
    return int(value or 0)


async def save_serial(session: WriteSession, name: str, value: int) -> None:
    """Remember the last serial given out."""
    await session.run(update(counters).where(counters.c.name == name).values(value=value))
