"""The pieces of a text that speak of time, ranges among them: `từ 7h đến 9h`, `7-9h`, `trước 8h sáng nay`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from matpho_agent.language.moment_rules import read_at
from matpho_agent.language.moments import DAY, HOUR_NAMES, Moment, Reader, hour_in_words, with_half_day

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
_AFTER = re.compile(r"(?<![0-9a-z])(?<!nga )(?<!thu )(sau|after|past)(?: luc| khi)? $")
_SINCE = re.compile(r"(?<![0-9a-z])(?<!nga )(?<!thu )(since|tu|ke tu|from|starting)(?: luc)? $")
_ROUGH = re.compile(
    r"(?<![0-9a-z])(?:khoang|tam|co|chung|gan|do chung|quang|xap xi|lo mo|around|about|roughly"
    r"|approximately|near|nearly|some time around|sometime around)(?: luc| vao| chung)?"
    r"(?= *(?:\d|[a-z]+ (?:gio|ruoi)|half|quarter|" + HOUR_NAMES + r"))"
)
"""Words that leave the minutes open: `khoảng 10 giờ`, `around nine`."""
_BARE_HOUR = re.compile(
    rf"(?:(\d{{1,2}})(?::(\d{{2}}))?|(?P<w>{HOUR_NAMES})(?= *(?:$|[,.?!;-]|(?:gio|and|to|den|until|till"
    r"|sang|toi|chieu|trua|dem|hom|ngay|today"
    r"|yesterday|on|this|last|in|the|am|pm|o'clock)(?![0-9a-z]))))(?![0-9a-z/])"
)
_PM = re.compile(r"pm(?![0-9a-z])|p\.m\.")
_TILL_HOUR = re.compile(r"toi (?=\d{1,2} ?(?:gio|h|g|:)|\d{1,2}$|gio(?![0-9a-z])|bay gio|hien|luc nay|nay(?= *$))")
"""`toi` without marks between two hours is `tới`, no `tối`."""
_PAIR = re.compile(rf"(?P<n>\d{{1,2}}|{HOUR_NAMES})(?:(?P<to> ?(?:-|–|den|toi|to|and|until) ?)|, ?| )")
ROUGH_REACH = 22
"""Letters before a clock time among which such a word may stand."""
_ORDINAL_BEFORE = re.compile(r"(?:cai|vu|su kien|clip|video|anh|so|chiec|nguoi|hinh|doan|camera|cam) $")
_DAY_NUMBER = re.compile(
    r"(?:het |hom |ngay )?(\d{1,2})(?![0-9:/.\-])(?! ?(?:h|g|gio|phut|nguoi|xe|vu|am|pm)(?![0-9a-z]))"
)
MAX_DAY = 31


@dataclass(frozen=True, slots=True)
class Piece:
    """One stretch of a text that speaks of time: a moment, or the two ends of a range."""

    first: Moment
    last: Moment | None
    start: int
    end: int
    side: str = ""
    """`before`, `after` or `since` where such a word stands in front."""
    rough: bool = False
    """Whether a clock time is said to be near rather than right: `khoảng 10 giờ`."""


def pieces_in(reader: Reader) -> list[Piece]:
    """Every piece, in the order of the text, none overlapping."""
    found: list[Piece] = []
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


def _range_at(reader: Reader, position: int) -> Piece | None:
    opening = _FROM.match(reader.plain, position)
    start = position
    if opening:
        space = _GLUE.match(reader.plain, opening.end())
        start = space.end() if space else opening.end()
    bare_pair = _bare_pair(reader, start)
    if bare_pair:
        return _opened(bare_pair, position)
    first = _expression(reader, start) or (_bare_first(reader, start) if opening else None)
    if first is None:
        return None
    between = _TO.match(reader.plain, first[1])
    if between is None or (not opening and first[0].clock is None and first[0].day is None):
        return _open_ended(reader, opening, first, position)
    until_now = _NOW.match(reader.plain, between.end())
    if until_now:
        return Piece(first[0], Moment(is_now=True), position, until_now.end())
    bare = None if (last := _expression(reader, between.end())) else _bare(reader, between.end())
    last = last or (_joined(reader, *bare) if bare else None)
    if bare and last and _PM.search(reader.plain, start, between.start()):
        last = with_half_day(last[0], first[0], ahead=True), last[1]
    last = _bare_day(reader, first[0], between.end()) or last
    if last is None or _unlike(first[0], last[0]):
        return _open_ended(reader, opening, first, position)
    return Piece(first[0], last[0], position, last[1])


def _bare_day(reader: Reader, first: Moment, position: int) -> tuple[Moment, int] | None:
    """The end of `từ hôm 16 đến hết 18`: a day of the first one's month, where no unit stands behind."""
    match = _DAY_NUMBER.match(reader.plain, position)
    if match is None or first.day is None or first.clock or not first.day.day < int(match[1]) <= MAX_DAY:
        return None
    day = first.day + (int(match[1]) - first.day.day) * DAY
    return (Moment(day=day), match.end()) if day.month == first.day.month else None


def _opened(piece: Piece, start: int) -> Piece:
    return replace(piece, start=start)


def _unlike(first: Moment, last: Moment) -> bool:
    """Two ends of one range speak the same way: both have clocks, or neither has."""
    return (first.clock is None) != (last.clock is None) and not (first.part or last.part or last.is_now)


def _open_ended(
    reader: Reader, opening: re.Match[str] | None, first: tuple[Moment, int], position: int
) -> Piece | None:
    if opening and opening[1] in {"tu", "ke tu", "since", "from", "starting"} and first[0].period is None:
        return Piece(first[0], None, position, first[1], "since")
    return None


def _bare(reader: Reader, position: int) -> tuple[Moment, int] | None:
    """An hour without a unit, allowed only inside a range: `between 10 and 10:30 pm`, `từ 7 đến 9h`."""
    match = _BARE_HOUR.match(reader.plain, position)
    if match is None or (match["w"] and not reader.counted(*match.span("w"))):
        return None
    hour, minute = hour_in_words(match[1] or match["w"]), int(match[2] or 0)
    return (Moment(clock=(hour, minute), exact_hour=hour > 12), match.end()) if hour <= 24 and minute < 60 else None


def _bare_first(reader: Reader, position: int) -> tuple[Moment, int] | None:
    """An hour without a unit at the beginning of a range, with the day behind it: `between 10 last night and 2`."""
    bare = _bare(reader, position)
    return _joined(reader, *bare) if bare else None


def _bare_pair(reader: Reader, position: int) -> Piece | None:
    """`7-9h`, `15-19/11`, `chín mười giờ`: the first number takes its unit from the second."""
    if position and reader.plain[position - 1].isalnum():
        return None
    match = _PAIR.match(reader.plain, position)
    last = _expression(reader, match.end()) if match else None
    if match is None or last is None or not reader.counted(*match.span("n")):
        return None
    if not match["to"] and reader.plain[match.end() : match.end() + 1].isdigit():
        return None
    count = hour_in_words(match["n"])
    if not match["to"] and (match["n"].isdigit() or not last[0].clock or last[0].clock[0] != count + 1):
        return None
    if last[0].clock and count <= 24:
        return Piece(Moment(clock=(count, 0), exact_hour=count > 12), last[0], position, last[1])
    if last[0].day and last[0].clock is None and 1 <= count <= last[0].day.day:
        return Piece(Moment(day=last[0].day.replace(day=count)), last[0], position, last[1])
    return None


def _single_at(reader: Reader, position: int) -> Piece | None:
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
    side = side or ("since" if _SINCE.search(before) else "")
    if side and moment.clock is None and moment.day is None:
        side = ""
    said = reader.plain[max(0, position - ROUGH_REACH) : end]
    return Piece(moment, None, position, end, side, rough=bool(moment.clock and _ROUGH.search(said)))
