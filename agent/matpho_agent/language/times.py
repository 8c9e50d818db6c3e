"""Time ranges in a text: `tối qua`, `từ 7h đến 9h ngày 19/11`, `in the past 2 hours`; local time, half open."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from matpho_agent.language.moments import DAY, Reader, at
from matpho_agent.language.time_pieces import pieces_in
from matpho_agent.language.time_ranges import TimeRange, resolved
from matpho_agent.language.tokens import Text
from matpho_contracts.times import VIETNAM

_HUM = re.compile(r"(?<![0-9a-z])hum(?= (?:nay|qua|kia|truoc|ni|ray|bua|do|sau|thu|chu|\d))")
"""`hum nay` is `hôm nay` as many write it."""


@dataclass(frozen=True, slots=True)
class TimeReading:
    """What a text says about time and which stretches of it say so."""

    range: TimeRange | None
    spans: tuple[tuple[int, int], ...]


def read_time(text: Text, now: datetime) -> TimeReading:
    """Read every time expression and join them into one range.

    `now` must be aware; the answer is in Asia/Ho_Chi_Minh.
    """
    reader = Reader(_HUM.sub("hom", text.plain), text.typed, now.astimezone(VIETNAM))
    pieces = pieces_in(reader)
    if not pieces:
        return TimeReading(None, ())
    return TimeReading(resolved(reader, pieces), tuple((piece.start, piece.end) for piece in pieces))


def describe(time_from: datetime | None, time_to: datetime | None, language: str) -> str:
    """The range in words for the reader to check, local time: `18:00–22:00 ngày 20/11/2026`."""
    if time_from is None and time_to is None:
        return ""
    begin = time_from.astimezone(VIETNAM) if time_from else None
    end = time_to.astimezone(VIETNAM) if time_to else None
    day = "%d/%m/%Y" if language == "vi" else "%d %b %Y"
    if begin and end and begin == at(begin.date()) and end == at(end.date()):
        last = end.date() - DAY
        if last <= begin.date():
            return begin.strftime(f"ngày {day}" if language == "vi" else day)
        return f"{begin.strftime(day)} – {last.strftime(day)}"
    if begin and end and begin.date() == end.date():
        return f"{begin:%H:%M}–{end:%H:%M}, " + begin.strftime(day)
    if begin and end:
        return f"{begin.strftime('%H:%M ' + day)} – {end.strftime('%H:%M ' + day)}"
    known = begin or end
    word = ("từ" if begin else "trước") if language == "vi" else ("since" if begin else "before")
    return f"{word} {known.strftime('%H:%M ' + day)}" if known else ""
