"""How a batch travels from a box to a center: newline-delimited, the events byte for byte as they were signed.

line 1          BatchHeader, JSON
lines 2..n+1    n events, canonical bytes (they hold no raw newline)
lines after     {"sha256": hex, "jpeg": base64} for each still that the events name
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from matpho_contracts.errors import BadInputError
from matpho_contracts.events import MAX_EVENT_BYTES
from matpho_contracts.signing import BatchHeader

CONTENT_TYPE = "application/x-ndjson"
MAX_BODY_BYTES = 32 * 1024 * 1024
MAX_STILL_BYTES = 512 * 1024
_MAX_HEADER_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as read from the wire; nothing in it is verified yet but the stills' digests."""

    header: BatchHeader
    events: Sequence[bytes]
    stills: Mapping[str, bytes] = field(default_factory=dict)
    """JPEG bytes by their SHA-256."""


def encode_batch(header: BatchHeader, events: Sequence[bytes], stills: Mapping[str, bytes]) -> bytes:
    """The body of one upload."""
    lines = [header.model_dump_json().encode(), *events]
    lines += [
        json.dumps({"sha256": digest, "jpeg": base64.b64encode(jpeg).decode()}).encode()
        for digest, jpeg in stills.items()
    ]
    return b"\n".join(lines) + b"\n"


def decode_batch(body: bytes) -> Batch:
    """Read an upload; raises BadInputError when it is too large or not of this shape."""
    if len(body) > MAX_BODY_BYTES:
        raise BadInputError(f"The batch is over {MAX_BODY_BYTES} bytes.", action="Send fewer events at once.")
    first, _, rest = body.partition(b"\n")
    try:
        if len(first) > _MAX_HEADER_BYTES:
            raise BadInputError("The batch header is too long.")
        header = BatchHeader.model_validate_json(first)
    except ValidationError as error:
        raise BadInputError("The first line is no batch header.") from error
    lines = rest.split(b"\n")
    if lines and lines[-1] == b"":
        lines.pop()
    if len(lines) < header.size:
        raise BadInputError(f"The batch announces {header.size} events and holds {len(lines)} lines.")
    events = lines[: header.size]
    if any(len(raw) > MAX_EVENT_BYTES for raw in events):
        raise BadInputError(f"An event is over {MAX_EVENT_BYTES} bytes.")
    return Batch(header, events, dict(_still(line) for line in lines[header.size :]))


def _still(line: bytes) -> tuple[str, bytes]:
    try:
        document = json.loads(line)
        jpeg = base64.b64decode(document["jpeg"], validate=True)
        digest = str(document["sha256"])
    except (ValueError, KeyError, TypeError) as error:
        raise BadInputError("A still of the batch cannot be read.") from error
    if len(jpeg) > MAX_STILL_BYTES or hashlib.sha256(jpeg).hexdigest() != digest:
        raise BadInputError("A still of the batch is too large or is not what its digest says.")
    return digest, jpeg
