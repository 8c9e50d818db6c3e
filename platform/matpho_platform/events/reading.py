"""Stored events read back whole: bytes, proof and key together, and checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError
from sqlalchemy import ColumnElement, RowMapping, select

from matpho_contracts.errors import BadInputError
from matpho_contracts.events import Event, parse_event
from matpho_contracts.signing import BatchHeader, EventProof, PublicKey, SignatureError, verify_event
from matpho_contracts.times import from_unix_ms
from matpho_platform.events.rows import columns_of
from matpho_platform.store.session import ReadSession
from matpho_platform.store.tables import batches, events, inbox

_IDS_AT_ONCE = 500
_HASH_BYTES = 32
_stored = select(events, batches.c.header, batches.c.received_ms, batches.c.edge_id).select_from(
    events.outerjoin(batches, events.c.batch_id == batches.c.batch_id)
)


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A row of the store, its event already parsed."""

    seq: int
    event: Event
    row: RowMapping

    @property
    def received_at(self) -> datetime:
        """When the center took it."""
        return from_unix_ms(self.row["received_ms"])


def parse_row(row: RowMapping) -> StoredEvent | None:
    """The event of a row, or None when its bytes are no event any more."""
    try:
        return StoredEvent(row["seq"], parse_event(bytes(row["raw"])), row)
    except BadInputError:
        return None


def proof_of(row: RowMapping) -> EventProof:
    """A row's inclusion proof; raises SignatureError when its parts are no proof any more."""
    path = bytes(row["path"])
    try:
        return EventProof(
            header=BatchHeader.model_validate_json(bytes(row["header"] or b"")),
            index=row["batch_index"],
            path=tuple(path[start : start + _HASH_BYTES].hex() for start in range(0, len(path), _HASH_BYTES)),
        )
    except ValidationError as error:
        raise SignatureError("The stored proof cannot be read.") from error


def check_row(row: RowMapping, find_key: Callable[[str], PublicKey | None]) -> str:
    """What is wrong with a stored event, in a sentence; empty when nothing is.

    1 the proof reads and names a key that was enrolled for the box of the batch
    2 the bytes are those that were signed
    3 every column that is searched or served says what the bytes say
    """
    try:
        proof = proof_of(row)
        key = find_key(proof.header.key_id)
        if key is None or proof.header.edge_id != row["edge_id"]:
            return "The key that signed the event is not one of its box."
        verify_event(bytes(row["raw"]), proof, key)
    except SignatureError as error:
        return error.message
    stored = parse_row(row)
    if stored is None:
        return "The bytes are no event."
    if stored.event.source.split(":")[3:4] != [row["edge_id"]]:
        return "The event names another box than the one that signed it."
    altered = [name for name, value in columns_of(stored.event).items() if row[name] != value]
    return f"The stored columns differ from the signed bytes: {', '.join(altered)}." if altered else ""


async def by_range(session: ReadSession, first_seq: int, last_seq: int) -> Sequence[RowMapping]:
    """The rows of a range of serials, in order."""
    return await session.all(_stored.where(events.c.seq.between(first_seq, last_seq)).order_by(events.c.seq))


async def after(session: ReadSession, seq: int, limit: int) -> Sequence[RowMapping]:
    """The next rows after a serial, in order."""
    return await session.all(_stored.where(events.c.seq > seq).order_by(events.c.seq).limit(limit))


async def by_ids(session: ReadSession, ids: Iterable[str], scope: ColumnElement[bool]) -> dict[str, RowMapping]:
    """The rows of some ids within a scope."""
    wanted, found = list(ids), {}
    for start in range(0, len(wanted), _IDS_AT_ONCE):
        serials = select(inbox.c.seq).where(inbox.c.event_id.in_(wanted[start : start + _IDS_AT_ONCE]))
        for row in await session.all(_stored.where(events.c.seq.in_(serials), scope)):
            found[row["id"]] = row
    return found
