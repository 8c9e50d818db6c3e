"""Time ranges in a text: `tối qua`, `từ 7h đến 9h ngày 19/11`, `in the past 2 hours`; local time, half open."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise

from matpho_agent.language.moment_rules import read_at
from matpho_agent.language.moments import (
    DAY,
    HOUR_NAMES,
    HOURS,
    Moment,
    Reader,
    at,
    hour_in_words,
    hour_of,
    with_half_day,
)
from matpho_agent.language.tokens import Text
from matpho_contracts.times import VIETNAM

POINT_BEFORE = timedelta(minutes=10)
POINT_AFTER = timedelta(minutes=10)
"""`lúc 15h30` looks a little before and after: nobody reads a clock to the second."""
_GLUE = re.compile(
    r"(?:[ ,]+|(?:vao|luc|on|at|of|in|the|khoang|tam|trong|buoi|hoi|from|gan|around|about|cua|va)(?= ))+"
)
_FROM = re.compile(
    r"(?<![0-9a-z])(?<!nga )(?<!thu )(tu|ke tu|from|between|since|trong khoang|khoang tu|starting)(?: luc| khi)?"
    r"(?![0-9a-z])"
)
_TO = re.compile(
    r" *(?:den het|toi het|cho den|cho toi|den|toi|to|until|till|and|through|->|–|—|-|~|sang)(?: luc| ngay)? *"
)
_NOW = re.compile(r"(?:gio|nay|bay gio|hien tai|hien nay|luc nay|now|hien gio|present)(?![0-9a-z])")
_BEFORE = re.compile(r"(?<![0-9a-z])(truoc|before|until|den truoc)(?: luc)? $")
_AFTER = re.compile(r"(?<![0-9a-z])(?<!nga )(?<!thu )(sau|after|since|tu|ke tu|from)(?: luc)? $")
_HUM = re.compile(r"(?<![0-9a-z])hum(?= (?:nay|qua|kia|truoc|ni|ray|bua|do|sau|thu|chu|\d))")
"""`hum nay` is `hôm nay` as many write it."""
_BARE_HOUR = re.compile(
    rf"(?:(\d{{1,2}})(?::(\d{{2}}))?|(?P<w>{HOUR_NAMES})(?= *(?:$|[,.?!;-]|(?:gio|and|to|den|until|till"
    r"|sang|toi|chieu|trua|dem|hom|ngay|today"
    r"|yesterday|on|this|last|in|the|am|pm|o'clock)(?![0-9a-z]))))(?![0-9a-z/])"
)
_PM = re.compile(r"pm(?![0-9a-z])|p\.m\.")
_TILL_HOUR = re.compile(r"toi (?=\d{1,2} ?(?:gio|h|g|:)|\d{1,2}$|gio(?![0-9a-z])|bay gio|hien|luc nay|nay(?= *$))")
"""`toi` without marks between two hours is `tới`, no `tối`."""
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
_PAIR = re.compile(rf"(?P<n>\d{{1,2}}|{HOUR_NAMES})(?:(?P<to> ?(?:-|–|den|toi|to|and|until) ?)|, ?| )")
_ORDINAL_BEFORE = re.compile(r"(?:cai|vu|su kien|clip|video|anh|so|chiec|nguoi|hinh|doan|camera|cam) $")


@dataclass(frozen=True, slots=True)
class TimeRange:
    """A half-open range of aware local times; `point` is the one time named, if one was."""

    time_from: datetime | None
    time_to: datetime | None
    point: datetime | None = None
    part: str | None = None
    dated: bool = True
    """Whether a day was named; a bare clock time or day part may be narrowed by the talk so far."""


@dataclass(frozen=True, slots=True)
class TimeReading:
    """What a text says about time and which stretches of it say so."""

    range: TimeRange | None
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class _Piece:
    first: Moment
    last: Moment | None
    start: int
    end: int
    side: str = ""
    """`before` or `after` where such a word stands in front."""


def read_time(text: Text, now: datetime) -> TimeReading:
    """Read every time expression and join them into one range.

    `now` must be aware; the answer is in Asia/Ho_Chi_Minh.
    """
    reader = Reader(_HUM.sub("hom", text.plain), text.typed, now.astimezone(VIETNAM))
    pieces = _pieces(reader)
    if not pieces:
        return TimeReading(None, ())
    return TimeReading(_resolve(reader, pieces), tuple((piece.start, piece.end) for piece in pieces))


def _pieces(reader: Reader) -> list[_Piece]:
    found: list[_Piece] = []
    position = 0
    while position < len(reader.plain):
        piece = _range_at(reader, position) or _single_at(reader, position)
        if piece is None:
            position += 1
            continue
        found.append(piece)
        position = max(piece.end, position + 1)
    return found


def _expression(reader: Reader, position: int) -> tuple[Moment, int] | None:
    """Neighbouring pieces that make one moment: `15h30 ngày 19/11`, `7h tối qua`."""
    first = read_at(reader, position)
    return _joined(reader, *first) if first else None


def _joined(reader: Reader, moment: Moment, end: int) -> tuple[Moment, int]:
    """A moment with the pieces right behind it that add to it."""
    while True:
        glue = _GLUE.match(reader.plain, end)
        if moment.clock and glue and _till(reader, glue.end()):
            return moment, end
        following = read_at(reader, glue.end() if glue else end) if end < len(reader.plain) else None
        if following is None or moment.clashes(following[0]):
            return moment, end
        moment, end = moment.joined(following[0]), following[1]


def _till(reader: Reader, position: int) -> bool:
    return _TILL_HOUR.match(reader.plain, position) is not None and not reader.typed.startswith(
        ("tối", "Tối"), position
    )


def _range_at(reader: Reader, position: int) -> _Piece | None:
    opening = _FROM.match(reader.plain, position)
    start = position
    if opening:
        space = _GLUE.match(reader.plain, opening.end())
        start = space.end() if space else opening.end()
    bare_pair = _bare_pair(reader, start)
    if bare_pair:
        return _opened(bare_pair, position)
    first = _expression(reader, start) or (_bare(reader, start) if opening else None)
    if first is None:
        return None
    between = _TO.match(reader.plain, first[1])
    if between is None or (not opening and first[0].clock is None and first[0].day is None):
        return _open_ended(reader, opening, first, position)
    until_now = _NOW.match(reader.plain, between.end())
    if until_now:
        return _Piece(first[0], Moment(is_now=True), position, until_now.end())
    bare = None if (last := _expression(reader, between.end())) else _bare(reader, between.end())
    last = last or (_joined(reader, *bare) if bare else None)
    if bare and last and _PM.search(reader.plain, start, between.start()):
        last = with_half_day(last[0], first[0], ahead=True), last[1]
    last = _bare_day(reader, first[0], between.end()) or last
    if last is None or _unlike(first[0], last[0]):
        return _open_ended(reader, opening, first, position)
    return _Piece(first[0], last[0], position, last[1])


def _bare_day(reader: Reader, first: Moment, position: int) -> tuple[Moment, int] | None:
    """The end of `từ hôm 16 đến hết 18`: a day of the first one's month, where no unit stands behind."""
    match = _DAY_NUMBER.match(reader.plain, position)
    if match is None or first.day is None or first.clock or not first.day.day < int(match[1]) <= MAX_DAY:
        return None
    day = first.day + (int(match[1]) - first.day.day) * DAY
    return (Moment(day=day), match.end()) if day.month == first.day.month else None


_DAY_NUMBER = re.compile(
    r"(?:het |hom |ngay )?(\d{1,2})(?![0-9:/.\-])(?! ?(?:h|g|gio|phut|nguoi|xe|vu|am|pm)(?![0-9a-z]))"
)
MAX_DAY = 31


def _opened(piece: _Piece, start: int) -> _Piece:
    return replace(piece, start=start)


def _unlike(first: Moment, last: Moment) -> bool:
    """Two ends of one range speak the same way: both have clocks, or neither has."""
    return (first.clock is None) != (last.clock is None) and not (first.part or last.part or last.is_now)


def _open_ended(
    reader: Reader, opening: re.Match[str] | None, first: tuple[Moment, int], position: int
) -> _Piece | None:
    if opening and opening[1] in {"tu", "ke tu", "since", "from", "starting"} and first[0].period is None:
        return _Piece(first[0], None, position, first[1], "after")
    return None


def _bare(reader: Reader, position: int) -> tuple[Moment, int] | None:
    """An hour without a unit, allowed only inside a range: `between 10 and 10:30 pm`, `từ 7 đến 9h`."""
    match = _BARE_HOUR.match(reader.plain, position)
    if match is None:
        return None
    hour, minute = hour_in_words(match[1] or match["w"]), int(match[2] or 0)
    return (Moment(clock=(hour, minute), exact_hour=hour > 12), match.end()) if hour <= 24 and minute < 60 else None


def _bare_pair(reader: Reader, position: int) -> _Piece | None:
    """`7-9h`, `15-19/11`, `chín mười giờ`: the first number takes its unit from the second."""
    if position and reader.plain[position - 1].isalnum():
        return None
    match = _PAIR.match(reader.plain, position)
    last = _expression(reader, match.end()) if match else None
    if match is None or last is None:
        return None
    count = hour_in_words(match["n"])
    if not match["to"] and (match["n"].isdigit() or not last[0].clock or last[0].clock[0] != count + 1):
        return None
    if last[0].clock and count <= 24:
        return _Piece(Moment(clock=(count, 0), exact_hour=count > 12), last[0], position, last[1])
    if last[0].day and last[0].clock is None and 1 <= count <= last[0].day.day:
        return _Piece(Moment(day=last[0].day.replace(day=count)), last[0], position, last[1])
    return None


def _single_at(reader: Reader, position: int) -> _Piece | None:
    found = _expression(reader, position)
    if found is None:
        return None
    moment, end = found
    before = reader.plain[:position]
    if (
        moment.day
        and reader.plain[position:].startswith(("thu ", "hom "))
        and _ORDINAL_BEFORE.search(before)
        and reader.plain.startswith("thu ", position)
    ):
        return None
    side = "before" if _BEFORE.search(before) else "after" if _AFTER.search(before) else ""
    if side and moment.clock is None and moment.day is None:
        side = ""
    return _Piece(moment, None, position, end, side)


def _resolve(reader: Reader, pieces: list[_Piece]) -> TimeRange:
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
        return _one(reader, common)
    piece = ranges[0]
    first, last = _share(piece.first, piece.last, common, reader.today)
    return _between(reader, first, last, piece.side)


def _mended(reader: Reader, pieces: list[_Piece]) -> list[_Piece]:
    """The pieces with those first that stand behind a word of correction: `on Friday, sorry, today`."""
    cut = max((match.end() for match in _CORRECTED.finditer(reader.plain)), default=0)
    for one, other in pairwise(pieces):
        asked = "," in reader.plain[one.end : other.start] and _ASKED_NOW.match(reader.plain, other.end)
        if asked and one.first.clashes(other.first):
            cut = max(cut, other.start)
    return sorted(pieces, key=lambda piece: piece.start < cut)


def _either(reader: Reader, pieces: list[_Piece]) -> TimeRange | None:
    """`hôm kia hay hôm qua`, `last night or the night before`: from the earlier one's beginning to the later's end."""
    for one, other in pairwise(pieces):
        if one.last or other.last or one.side or other.side or one.first.clock or other.first.clock:
            continue
        between, behind = reader.plain[one.end : other.start], reader.plain[other.end :]
        both = _OR.fullmatch(between) or ("," in between and _TOO.match(behind))
        if not both or not one.first.clashes(other.first):
            continue
        day = one.first.day or other.first.day
        first = _one(reader, replace(one.first, day=day))
        second = _one(reader, replace(other.first, day=other.first.day or day))
        begins = [each.time_from for each in (first, second) if each.time_from]
        ends = [each.time_to for each in (first, second) if each.time_to]
        return TimeRange(min(begins), max(ends))
    return None


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
        end = at(begin.date() + DAY) if first.clock and begin.date() < reader.today else reader.now
        return TimeRange(begin, max(end, begin + timedelta(minutes=1)), dated=dated)
    if last.is_now:
        return TimeRange(begin, max(reader.now, begin + timedelta(minutes=1)), dated=True)
    end = _start(reader, last) if last.clock else _one(reader, last, points=False).time_to or reader.now
    if end <= begin:
        end += DAY
    return TimeRange(begin, end, dated=dated)


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
