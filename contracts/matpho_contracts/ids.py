"""Identifiers: time-ordered event ids and the short names of cameras, boxes and areas."""

from __future__ import annotations

import re
from typing import Annotated

import uuid_utils
from pydantic import StringConstraints

SHORT_ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$"
"""Cameras, edge boxes, areas, users: 1 to 64 characters, safe in a path, a URL and a log line."""

EVENT_ID_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
"""An event's id as text: a lower-case UUID (version 7 where we make it)."""

ShortId = Annotated[str, StringConstraints(pattern=SHORT_ID_PATTERN)]
EventId = Annotated[str, StringConstraints(pattern=EVENT_ID_PATTERN)]


def new_event_id(at_unix_ms: int | None = None) -> str:
    """Make a UUIDv7 (RFC 9562): sorts by `at_unix_ms` (Unix milliseconds, default now), unique by 74 random bits.

    >>> new_event_id(0) < new_event_id(1)
    True
    """
    if at_unix_ms is None:
        return str(uuid_utils.uuid7())
    seconds, milliseconds = divmod(at_unix_ms, 1000)
    return str(uuid_utils.uuid7(timestamp=seconds, nanos=milliseconds * 1_000_000))


def is_event_id(text: str) -> bool:
    """Whether `text` has the shape of an event id."""
    return re.fullmatch(EVENT_ID_PATTERN, text) is not None


def is_short_id(text: str) -> bool:
    """Whether `text` may name a camera, a box, an area or a user."""
    return re.fullmatch(SHORT_ID_PATTERN, text) is not None
