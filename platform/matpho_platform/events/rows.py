"""From a signed event to the columns it is found by. One function, so that a check can derive them again."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from matpho_contracts.events import Event
from matpho_contracts.times import unix_ms
from matpho_contracts.vocabulary import Severity

SEPARATOR = "|"
_RANKS = {severity: severity.rank for severity in Severity}
_UNSAFE = str.maketrans({SEPARATOR: "/", "\0": None})
"""PostgreSQL takes no NUL in a text."""


@lru_cache(maxsize=4096)
def words_column(words: frozenset[str]) -> str:
    """Words as `|a|b|`, lower case, sorted; the empty string when there are none."""
    if not words:
        return ""
    clean = sorted(word.lower().translate(_UNSAFE) for word in words)
    return SEPARATOR + SEPARATOR.join(clean) + SEPARATOR


def columns_of(event: Event) -> dict[str, Any]:
    """Every derived column of the events table but those of receipt (seq, batch, proof)."""
    data = event.data
    objects = data.objects
    return {
        "id": event.id,
        "time_ms": unix_ms(event.time),
        "event_type": event.event_type.value,
        "camera_id": data.camera_id,
        "area": data.area,
        "severity": _RANKS[data.severity],
        "object_count": max(data.object_count, len(objects)),
        "labels": words_column(frozenset(item.label for item in objects)),
        "pairs": words_column(frozenset(f"{item.label}:{item.colour}" for item in objects if item.colour)),
        "plates": words_column(frozenset(item.plate.normalised for item in objects if item.plate)),
        "lat": data.location.lat if data.location else None,
        "lon": data.location.lon if data.location else None,
        "still": data.evidence.thumbnail_sha256,
    }
