"""Checking the whole event store again: every byte that is kept, searched or served against what was signed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from pydantic import BaseModel, ConfigDict
from sqlalchemy import RowMapping, func, select

from matpho_contracts.errors import IntegrityError, NotFoundError
from matpho_contracts.signing import PublicKey
from matpho_platform.cameras.edges import EdgeRegistry
from matpho_platform.events import reading
from matpho_platform.store.blobs import BlobStore
from matpho_platform.store.engine import Store
from matpho_platform.store.session import ReadSession
from matpho_platform.store.tables import batches, events, inbox

_AT_ONCE = 500
MAX_FINDINGS = 10_000


class Finding(BaseModel):
    """One thing that is not as it was signed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    event_id: str
    seq: int
    problem: str


class VerificationReport(BaseModel):
    """What a check of the whole store found."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    events: int
    stills: int
    stills_missing: int
    """Stills that events name and that are not here: never sent, or removed."""
    findings: tuple[Finding, ...] = ()

    @property
    def intact(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


async def verify_events(store: Store, blobs: BlobStore, registry: EdgeRegistry) -> VerificationReport:
    """Walk the store.

    1 each event's proof, bytes and columns (reading.check_row); 2 its inbox row; 3 its still's bytes; 4 that every
    batch still has as many events as were stored of it, and every inbox row its event.
    """
    walk = _Walk(blobs, registry.public_key)
    seq = 0
    while True:
        async with store.reading() as session:
            rows = await reading.after(session, seq, _AT_ONCE)
            digests = await _inbox(session, rows[0]["seq"], rows[-1]["seq"]) if rows else {}
        if not rows:
            break
        for row in rows:
            await walk.check(row, digests.get(row["seq"]))
        seq = rows[-1]["seq"]
    async with store.reading() as session:
        walk.findings += await _incomplete(session)
        walk.findings += await _lost(session)
    return VerificationReport(
        events=walk.events,
        stills=walk.stills,
        stills_missing=walk.missing,
        findings=tuple(walk.findings[:MAX_FINDINGS]),
    )


class _Walk:
    """What gathers on the way through the store."""

    def __init__(self, blobs: BlobStore, find_key: Callable[[str], PublicKey | None]) -> None:
        self._blobs = blobs
        self._find_key = find_key
        self.events = self.stills = self.missing = 0
        self.findings: list[Finding] = []

    async def check(self, row: RowMapping, seen: tuple[str, bytes] | None) -> None:
        """One event."""
        self.events += 1
        problem = reading.check_row(row, self._find_key)
        if not problem and seen != (row["id"], hashlib.sha256(bytes(row["raw"])).digest()):
            problem = "The inbox does not have the event as it is stored."
        problem = problem or await self._still(row["still"])
        if problem:
            self.findings.append(Finding(event_id=row["id"], seq=row["seq"], problem=problem))

    async def _still(self, digest: str | None) -> str:
        if digest is None:
            return ""
        try:
            await self._blobs.get(digest)
        except NotFoundError:
            self.missing += 1
        except IntegrityError as error:
            return error.message
        else:
            self.stills += 1
        return ""


async def _inbox(session: ReadSession, first: int, last: int) -> dict[int, tuple[str, bytes]]:
    query = select(inbox).where(inbox.c.event_id.in_(select(events.c.id).where(events.c.seq.between(first, last))))
    return {row["seq"]: (row["event_id"], bytes(row["digest"])) for row in await session.all(query)}


async def _incomplete(session: ReadSession) -> list[Finding]:
    here = (
        select(events.c.batch_id, func.count().label("here"), func.min(events.c.seq).label("seq"))
        .group_by(events.c.batch_id)
        .subquery()
    )
    query = (
        select(batches.c.batch_id, batches.c.stored, func.coalesce(here.c.here, 0).label("here"))
        .select_from(batches.outerjoin(here, here.c.batch_id == batches.c.batch_id))
        .where(batches.c.stored != func.coalesce(here.c.here, 0))
        .limit(MAX_FINDINGS)
    )
    return [
        Finding(event_id="", seq=row["batch_id"], problem=f"Of {row['stored']} stored events {row['here']} are there.")
        for row in await session.all(query)
    ]


async def _lost(session: ReadSession) -> list[Finding]:
    query = (
        select(inbox.c.event_id, inbox.c.seq)
        .select_from(inbox.outerjoin(events, events.c.seq == inbox.c.seq))
        .where(events.c.seq.is_(None))
        .limit(MAX_FINDINGS)
    )
    return [
        Finding(event_id=row["event_id"], seq=row["seq"], problem="The event was taken in and is not there.")
        for row in await session.all(query)
    ]
