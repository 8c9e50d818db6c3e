"""Pictures and clips as tools get them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Still:
    """A JPEG and when it was taken."""

    jpeg: bytes
    captured_at: datetime


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip in the cache: `id` opens it again, `path` is the file now."""

    id: str
    path: Path
    media_type: str
    start: datetime
    end: datetime
