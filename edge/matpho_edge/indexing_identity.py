"""Names that never change: of a source by its bytes, of an event by what it was made from."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from pathlib import Path

from matpho_contracts.times import unix_ms
from matpho_edge.rules import RuleHit

_MAX_MS = (1 << 48) - 1


def file_digest(path: Path) -> str:
    """SHA-256 of the file's bytes: a renamed or copied file is the same source."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def event_ids(seed: str) -> Callable[[RuleHit], str]:
    """A maker of event ids that gives the same id for the same hit of the same run."""

    def make(hit: RuleHit) -> str:
        rule, zone, track = hit.key
        return event_id(unix_ms(hit.end), f"{seed}|{rule}|{zone or ''}|{track or 0}|{unix_ms(hit.end)}")

    return make


def event_id(at_unix_ms: int, seed: str) -> str:
    """A UUID shaped as version 7 (RFC 9562): the time first, the rest from the seed instead of chance.

    >>> event_id(0, "a") == event_id(0, "a") != event_id(0, "b")
    True
    """
    chance = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:10], "big")
    value = (min(max(at_unix_ms, 0), _MAX_MS) << 80) | chance
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return str(uuid.UUID(int=value))
