"""Serial numbers of events and audit entries, and the lock that giving them out takes."""

from __future__ import annotations

from sqlalchemy import insert, select, update

from matpho_platform.store.session import WriteSession
from matpho_platform.store.tables import counters


async def lock_serial(session: WriteSession, name: str) -> int:
    """The last serial given out; until the commit nobody else gets past this line."""
    query = select(counters.c.value).where(counters.c.name == name).with_for_update()
    value = await session.scalar(query)
    if value is None:
        await session.run(insert(counters).values(name=name, value=0))
        return 0
    return int(value)


async def save_serial(session: WriteSession, name: str, value: int) -> None:
    """Remember the last serial given out."""
    await session.run(update(counters).where(counters.c.name == name).values(value=value))
