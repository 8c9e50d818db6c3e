"""Times: RFC 3339 with an offset on every wire, Asia/Ho_Chi_Minh for people, the day parts of a Vietnamese day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated

from pydantic import AfterValidator

VIETNAM = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
"""UTC+7 all year: Vietnam has no summer time, so no zone database is needed."""

DAY_PARTS: dict[str, tuple[int, int]] = {
    "sáng": (5, 11),
    "trưa": (11, 13),
    "chiều": (13, 18),
    "tối": (18, 22),
    "đêm": (22, 29),
}
"""Local start and end hour of each part of the day; `đêm` ends at 05:00 of the next day."""


def now() -> datetime:
    """The present, aware, in UTC."""
    return datetime.now(UTC)


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a time needs an offset, for example 2026-11-21T14:30:00+07:00")
    return value


AwareDatetime = Annotated[datetime, AfterValidator(_aware)]
"""A datetime that carries its offset; a naive one is refused."""


def to_rfc3339(value: datetime) -> str:
    """Write an aware time with milliseconds and its own offset; UTC as `Z`.

    >>> to_rfc3339(datetime(2026, 11, 21, 7, 30, tzinfo=UTC))
    '2026-11-21T07:30:00.000Z'
    """
    return _aware(value).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_rfc3339(text: str) -> datetime:
    """Read an RFC 3339 time; raises ValueError when it has no offset."""
    return _aware(datetime.fromisoformat(text))


def unix_ms(value: datetime) -> int:
    """Milliseconds since 1970-01-01T00:00Z."""
    return round(_aware(value).timestamp() * 1000)


def from_unix_ms(milliseconds: int) -> datetime:
    """The UTC time of a count of Unix milliseconds."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
