"""From the pieces that speak of time to one half-open range of local times."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise

from matpho_agent.language.moments import DAY, HOURS, NIGHTS, Moment, Reader, at, hour_of, with_half_day
from matpho_agent.language.time_pieces import Piece
from matpho_contracts.times import VIETNAM

POINT_BEFORE = timedelta(minutes=10)
POINT_AFTER = timedelta(minutes=10)
"""`lúc 15h30` looks a little before and after: nobody reads a clock to the second."""
POINT_ROUGH = timedelta(minutes=30)
"""`khoảng 10 giờ` looks that far before and after."""
_OR = re.compile(r" *,? *(?:hoac la|hoac|hay la|hay|or|and|va|lan)(?: la| maybe| perhaps)? +(?:vao |on |in )?")
_TOO = re.compile(r" *(?:luon|nua|lun|too|as well)(?![0-9a-z])")
_ASKED_NOW = re.compile(
    r" *(?:(?:thi|no|xe do|cai do) )?(?:co|con|thi)(?![0-9a-z]).*(?:khong|ko|hong|hok|k|sao|nua)(?![a-z])"
)
"""A question behind a second time is asked of that time: `tháng trước mất tín hiệu, hôm qua có mất nữa không`."""
_CORRECTED = re.compile(
    r"(?<![0-9a-z])(?:(?:a|o|u|oi|ay)(?: khong| nham| lon)+|nham|lon|noi nham|noi lon"
    r"|y (?:toi|em|anh|chi|minh|tui)(?: la)?"
    r"|sorry|no wait|wait no|i mean|i meant|actually|rather|scratch that|make that)(?: roi)?(?: no)?[ ,.:]"
)
"""Words by which somebody mends what they have just said: the times behind them count."""


@dataclass(frozen=True, slots=True)
class TimeRange:
    """A half-open range of aware local times; `point` is the one time named, if one was."""

    time_from: datetime | None
    time_to: datetime | None
    point: datetime | None = None
    part: str | None = None
    dated: bool = True
    """Whether a day was named; a bare clock time or day part may be narrowed by the talk so far."""


def resolved(reader: Reader, pieces: list[Piece]) -> TimeRange:
    """The one range that all the pieces together speak of."""
    pieces = _mended(reader, pieces)
    if (union := _either(reader, pieces)) is not None:
        return union
    ranges = [piece for piece in pieces if piece.last is not None or piece.side]
    singles = [piece.first for piece in pieces if piece.last is None and not piece.side]
    common = Moment()
    for single in singles:
        if not common.clashes(single) or common == Moment():
            common = common.joined(single)
    if not ranges:
        return _widened(_one(reader, common)) if any(piece.rough for piece in pieces) else _one(reader, common)
    piece = ranges[0]
    first, last = _share(piece.first, piece.last, common, reader.today)
    return _between(reader, first, last, piece.side)


def _widened(found: TimeRange) -> TimeRange:
    if found.point is None:
        return found
    return replace(found, time_from=found.point - POINT_ROUGH, time_to=found.point + POINT_ROUGH)


def _mended(reader: Reader, pieces: list[Piece]) -> list[Piece]:
    """The pieces with those first that stand behind a word of correction: `on Friday, sorry, today`."""
    cut = max((match.end() for match in _CORRECTED.finditer(reader.plain)), default=0)
    for one, other in pairwise(pieces):
        asked = "," in reader.plain[one.end : other.start] and _ASKED_NOW.match(reader.plain, other.end)
        if asked and one.first.clashes(other.first):
            cut = max(cut, other.start)
    return sorted(pieces, key=lambda piece: piece.start < cut)


def _either(reader: Reader, pieces: list[Piece]) -> TimeRange | None:
    """`hôm kia hay hôm qua`, `last night or the night before`: from the earlier one's beginning to the later's end."""
    for one, other in pairwise(pieces):
        if one.last or other.last or one.side or other.side or one.first.clock or other.first.clock:
            continue
        between, behind = reader.plain[one.end : other.start], reader.plain[other.end :]
        both = (
            _OR.fullmatch(between)
            or (one.end < other.start and not between.strip(" ,") and _days_alone(one, other))
            or ("," in between and _TOO.match(behind))
        )
        if not both or not one.first.clashes(other.first):
            continue
        day = one.first.day or other.first.day
        first = _one(reader, replace(one.first, day=day))
        second = _one(reader, replace(other.first, day=other.first.day or day))
        begins = [each.time_from for each in (first, second) if each.time_from]
        ends = [each.time_to for each in (first, second) if each.time_to]
        return TimeRange(min(begins), max(ends))
    return None


def _days_alone(one: Piece, other: Piece) -> bool:
    """Whether both are nothing but days: `hôm qua hôm kia`."""
    return all(piece.first.day and not piece.first.part and not piece.first.clock for piece in (one, other))


def _share(first: Moment, last: Moment | None, common: Moment, today: date) -> tuple[Moment, Moment | None]:
    """Give each end what only the other end, or the rest of the sentence, says."""
    day = first.day or common.day or (last.day if last else None)
    if last is not None and not last.is_now:
        first, last = _past_midnight(today, first, last, day), _small_hours(first, last)
        first = with_half_day(first, last)
        if first.part is None and first.clock and last.part and last.clock and last.clock >= first.clock:
            first = replace(first, part=last.part)
        part = common.part if last.clock and not last.exact_hour else None
        last = replace(last, day=last.day or day, part=last.part or part)
    if first.period is None:
        first = replace(first, day=day, part=first.part or (common.part if first.clock else None))
    return first, last


MIDNIGHT = (24, 0)
LATE, MORNING = 20, 8
"""A range that begins at the first hour or later and ends before the other ends in the morning."""


def _past_midnight(today: date, first: Moment, last: Moment, day: date | None) -> Moment:
    """`từ nửa đêm` of a day named is where that day begins; of last night, where it ends."""
    if first.clock != MIDNIGHT or day is None or day == today - DAY or (last.clock and last.clock[0] > LATE):
        return first
    return replace(first, clock=(0, 0))


def _small_hours(first: Moment, last: Moment) -> Moment:
    """An end like `six` behind a late beginning is six in the morning."""
    if not first.clock or not last.clock or last.part or last.exact_hour:
        return last
    late = first.clock == MIDNIGHT or (first.exact_hour and first.clock[0] >= LATE and last.clock[0] < MORNING)
    return replace(last, exact_hour=True) if late else last


def _start(reader: Reader, moment: Moment) -> datetime:
    return reader.now if moment.is_now else (_one(reader, moment, points=False).time_from or reader.now)


def _between(reader: Reader, first: Moment, last: Moment | None, side: str) -> TimeRange:
    dated = first.day is not None or first.period is not None or bool(last and last.day)
    if side == "before":
        end = _start(reader, first)
        return TimeRange(at(end.date()) if first.clock else None, end, dated=dated)
    begin = _start(reader, first)
    if last is None:
        end = _rest_of(begin, first, reader) if side == "after" else reader.now
        return TimeRange(begin, max(end, begin + timedelta(minutes=1)), dated=dated)
    if last.is_now:
        return TimeRange(begin, max(reader.now, begin + timedelta(minutes=1)), dated=True)
    end = _start(reader, last) if last.clock else _one(reader, last, points=False).time_to or reader.now
    if end <= begin:
        end += DAY
    return TimeRange(begin, end, dated=dated)


def _rest_of(begin: datetime, first: Moment, reader: Reader) -> datetime:
    """Where `sau 10 giờ đêm qua` ends: with that part of the day, or with the night once it is late; never ahead."""
    if not first.clock or begin.date() >= reader.today:
        return reader.now
    day = first.day or begin.date()
    end = at(day, HOURS[first.part][1]) if first.part else at(begin.date() + DAY)
    if end - begin <= timedelta(hours=1) or first.part in NIGHTS:
        end = at(day, HOURS["đêm"][1])
    return min(end, reader.now)


def _one(reader: Reader, moment: Moment, *, points: bool = True) -> TimeRange:
    """The range of one moment; a clock time gives a short stretch around it."""
    if moment.clock is not None:
        return _at_clock(reader, moment, points=points)
    if moment.period is not None:
        begin, end = moment.period
        if moment.part:
            return TimeRange(begin, end, part=moment.part)
        return TimeRange(begin, end)
    if moment.is_now and moment.part is None and moment.day is None:
        return TimeRange(reader.now - timedelta(minutes=30), reader.now)
    day = moment.day or reader.today
    if moment.part is None:
        return TimeRange(at(day), at(day + DAY))
    first, last = HOURS[moment.part]
    begin, end = at(day, first), at(day, last)
    if moment.day is None and begin > reader.now:
        begin, end = begin - DAY, end - DAY
    if begin <= reader.now < end:
        end = reader.now
    return TimeRange(begin, max(end, begin + timedelta(minutes=1)), part=moment.part, dated=moment.day is not None)


def _at_clock(reader: Reader, moment: Moment, *, points: bool) -> TimeRange:
    hour, minute = hour_of(moment)
    day = moment.day or (moment.period[0].astimezone(VIETNAM).date() if moment.period else None)
    point = at(day or reader.today, hour + minute / 60)
    if moment.part in {"đêm", "night"} and day is not None and hour < 6:
        point += DAY
    if day is None and point > reader.now:
        point -= DAY
    if not points:
        return TimeRange(point, point, point)
    if moment.some:
        return TimeRange(point, point + timedelta(hours=1), point, dated=day is not None)
    return TimeRange(point - POINT_BEFORE, point + POINT_AFTER, point, dated=day is not None)
