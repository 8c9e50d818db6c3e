"""Step 2 of intake, pure: a verified batch taken apart into events that may be stored and lines that may not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from matpho_contracts import merkle
from matpho_contracts.edge_api import EventResult
from matpho_contracts.errors import BadInputError
from matpho_contracts.events import Event, parse_event, source_urn
from matpho_contracts.ids import is_event_id
from matpho_contracts.signing import PublicKey, SignatureError
from matpho_contracts.times import unix_ms
from matpho_contracts.wire import Batch
from matpho_platform.cameras.edges import EdgeKey
from matpho_platform.events.rows import columns_of

MAX_AHEAD = timedelta(hours=24)
"""A box's clock may be wrong, but an event of tomorrow would stand first in every list until then."""
MAX_REASON = 200
_JPEG_MAGIC = b"\xff\xd8\xff"


@dataclass(frozen=True, slots=True)
class Rejection:
    """One line that is not stored: why, in a word and in a sentence."""

    code: str
    reason: str


@dataclass(slots=True)
class Candidates:
    """A batch ready to be written: one entry of `lines` for each event line, in order."""

    edge_id: str
    header: bytes
    received_ms: int
    raws: Sequence[bytes]
    lines: list[dict[str, Any] | Rejection] = field(default_factory=list)
    """A row of the events table (without `seq` and `batch_id`), or why not."""
    digests: list[bytes] = field(default_factory=list)
    stills: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the events of a box must fit: known at the center, not taken from the batch."""

    areas: frozenset[str] | None
    """Areas the box speaks for, with everything inside them; None is any."""
    owners: Mapping[str, str]
    """Box of every registered camera."""
    now: datetime


def take_apart(batch: Batch, key: EdgeKey, bounds: Bounds) -> Candidates:
    """Verify the signature, then judge each line on its own; raises SignatureError for the whole batch."""
    paths = verified_paths(batch, key.key)
    header = batch.header.model_dump_json().encode()
    taken = Candidates(batch.header.edge_id, header, unix_ms(bounds.now), batch.events)
    for index, (raw, path) in enumerate(zip(batch.events, paths, strict=True)):
        line = _line(raw, batch, bounds)
        if isinstance(line, dict):
            line["batch_index"], line["path"], line["raw"] = index, b"".join(path), raw
        taken.digests.append(hashlib.sha256(raw).digest())
        taken.lines.append(line)
    wanted = {line["still"] for line in taken.lines if isinstance(line, dict)}
    taken.stills = {digest: jpeg for digest, jpeg in batch.stills.items() if digest in wanted}
    return taken


def verified_paths(batch: Batch, key: PublicKey) -> list[list[bytes]]:
    """Check a batch as `signing.verify_batch` does (a test holds the two equal), giving each inclusion path in bytes.

    Proofs as objects, made for every event and taken apart again at once, would cost more than the signature.
    """
    header = batch.header
    if key.key_id != header.key_id:
        raise SignatureError("The batch is signed by another key than the box's.")
    root, paths = merkle.inclusion_proofs([merkle.leaf_hash(raw) for raw in batch.events])
    if len(batch.events) != header.size or root.hex() != header.root:
        raise SignatureError("The events are not those that were signed.")
    key.verify(header.statement(), bytes.fromhex(header.signature))
    return paths


def _line(raw: bytes, batch: Batch, bounds: Bounds) -> dict[str, Any] | Rejection:
    try:
        event = parse_event(raw)
    except BadInputError as error:
        return Rejection("schema", error.message[:MAX_REASON])
    problem = _problem(event, batch, bounds)
    if problem is not None:
        return problem
    return columns_of(event)


def _problem(event: Event, batch: Batch, bounds: Bounds) -> Rejection | None:
    data, edge_id = event.data, batch.header.edge_id
    if event.source != source_urn(edge_id, data.camera_id):
        return Rejection("source", "The event names another source than the box and camera that signed it.")
    if bounds.owners.get(data.camera_id, edge_id) != edge_id:
        return Rejection("camera", "The camera belongs to another box.")
    if bounds.areas is not None and data.area not in bounds.areas:
        return Rejection("area", "The box does not speak for this area.")
    if event.time > bounds.now + MAX_AHEAD:
        return Rejection("clock", "The event lies more than a day in the future.")
    still = batch.stills.get(data.evidence.thumbnail_sha256 or "")
    if still is not None and not still.startswith(_JPEG_MAGIC):
        return Rejection("still", "The still is no JPEG.")
    return None


def claimed_id(raw: bytes) -> str:
    """The id that a rejected line says it has, for the answer; empty when it has none."""
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        return ""
    found = document.get("id") if isinstance(document, dict) else None
    return found if isinstance(found, str) and is_event_id(found) else ""


def rejected(raw: bytes, rejection: Rejection) -> EventResult:
    """The answer for a line that was not stored."""
    return EventResult(
        id=claimed_id(raw), status="rejected", reason=f"{rejection.code}: {rejection.reason}"[:MAX_REASON]
    )
