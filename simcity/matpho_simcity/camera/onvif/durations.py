"""Durations of XML Schema (``PT10S``) and the absolute times that may stand in their place."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_DURATION = re.compile(
    r"P(?:(\d{1,4})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,9}(?:\.\d{1,9})?)S)?)?",
)
_UNITS = (86400, 3600, 60, 1)


def parse_duration(text: str) -> float | None:
    """Seconds of a duration in days, hours, minutes, seconds; None for anything else (years and months included)."""
    match = _DURATION.fullmatch(text.strip())
    if match is None or not any(match.groups()):
        return None
    return sum(float(part or 0) * unit for part, unit in zip(match.groups(), _UNITS, strict=True))


def parse_life(text: str, now: datetime) -> timedelta | None:
    """How long until a termination time, given as a duration or as a moment; None when it is neither."""
    if (seconds := parse_duration(text)) is not None:
        return timedelta(seconds=seconds)
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now


def moment(value: datetime) -> str:
    """A time in UTC as xs:dateTime with milliseconds."""
    return f"{value.astimezone(UTC).isoformat(timespec='milliseconds').removesuffix('+00:00')}Z"
