"""The statements of intake: what was seen, and the rows of one commit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select

from matpho_contracts.times import now, unix_ms
from matpho_platform.store.session import ReadSession, WriteSession
from matpho_platform.store.tables import batches, events, inbox, outbox, quarantine

_IDS_AT_ONCE = 500
QUARANTINE_SIGNED = 10_000
"""Rejected events of enrolled boxes kept for a look; the oldest go first."""
QUARANTINE_UNSIGNED = 1_000
"""Batches that nobody could be shown to have sent; a flood of these pushes out only its own kind."""


async def seen(session: ReadSession, ids: Sequence[str]) -> dict[str, bytes]:
    """Which of these events were taken before, with the digest of their bytes."""
    found: dict[str, bytes] = {}
    for start in range(0, len(ids), _IDS_AT_ONCE):
        part = ids[start : start + _IDS_AT_ONCE]
        rows = await session.all(select(inbox.c.event_id, inbox.c.digest).where(inbox.c.event_id.in_(part)))
        found.update((row["event_id"], bytes(row["digest"])) for row in rows)
    return found


async def add_events(
    session: WriteSession,
    batch_rows: Sequence[Mapping[str, Any]],
    event_rows: Sequence[Mapping[str, Any]],
    inbox_rows: Sequence[Mapping[str, Any]],
    topics: Iterable[str],
) -> None:
    """Batches, events, inbox and the outbox jobs that follow from them."""
    if not batch_rows:
        return
    await session.insert_many(batches, batch_rows)
    await session.insert_many(events, event_rows)
    await session.insert_many(inbox, inbox_rows)
    jobs = [
        {"topic": topic, "first_seq": row["batch_id"], "last_seq": row["batch_id"] + row["stored"] - 1}
        | {"due_ms": 0, "attempts": 0}
        for row in batch_rows
        for topic in topics
    ]
    if jobs:
        await session.run(insert(outbox), jobs)


async def set_aside(session: WriteSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep what was rejected, within bounds."""
    if not rows:
        return
    at_ms = unix_ms(now())
    await session.run(insert(quarantine), [{"at_ms": at_ms, **row} for row in rows])
    for signed, most in ((True, QUARANTINE_SIGNED), (False, QUARANTINE_UNSIGNED)):
        if any(row["signed"] is signed for row in rows):
            newest = select(func.max(quarantine.c.entry_id)).where(quarantine.c.signed.is_(signed)).scalar_subquery()
            old = delete(quarantine).where(quarantine.c.signed.is_(signed), quarantine.c.entry_id <= newest - most)
            await session.run(old)
