"""Pieces of time expressions: dates, day parts, clock times, periods and lengths, read at one place of a text."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from matpho_agent.language.tokens import agrees, read_text
from matpho_contracts.times import VIETNAM

DAY = timedelta(days=1)
NUMBERS = {
    "mot": 1, "hai": 2, "ba": 3, "bon": 4, "nam": 5, "sau": 6, "bay": 7, "tam": 8, "chin": 9, "muoi": 10, "nua": 0,
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "twelve": 12, "vai": 3, "may": 3, "few": 3, "couple": 2,
}  # fmt: skip
HOURS_IN_WORDS = {
    "muoi hai": 12, "muoi mot": 11, "muoi": 10, "mot": 1, "hai": 2, "ba": 3, "bon": 4, "nam": 5, "sau": 6, "bay": 7,
    "tam": 8, "chin": 9, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
}  # fmt: skip
HOUR_NAMES = "(?:" + "|".join(sorted(HOURS_IN_WORDS, key=len, reverse=True)) + ")"
"""A pattern of the hours in words, the longer first."""
WEEKDAYS = {
    "thu hai": 0, "thu 2": 0, "t2": 0, "monday": 0, "mon": 0, "thu ba": 1, "thu 3": 1, "t3": 1, "tuesday": 1, "tue": 1,
    "thu tu": 2, "thu 4": 2, "t4": 2, "wednesday": 2, "wed": 2, "thu nam": 3, "thu 5": 3, "t5": 3, "thursday": 3,
    "thu": 3, "thu sau": 4, "thu 6": 4, "t6": 4, "friday": 4, "fri": 4, "thu bay": 5, "thu 7": 5, "t7": 5,
    "saturday": 5, "sat": 5, "chu nhat": 6, "chu nhut": 6, "cn": 6, "sunday": 6, "sun": 6,
}  # fmt: skip
MONTHS = {
    name: index
    for index, names in enumerate(
        ("january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug",
         "september sept sep", "october oct", "november nov", "december dec"), 1,
    )
    for name in names.split()
}  # fmt: skip
_SAID = {
    "ban ngày": "ngày", "ban đêm": "night", "rạng sáng": "dawn", "tảng sáng": "dawn", "sáng sớm": "sáng sớm",
    "gần sáng": "dawn", "tờ mờ sáng": "dawn", "mờ sáng": "dawn", "tinh mơ": "dawn", "tinh sương": "dawn",
    "nửa đêm về sáng": "dawn", "sáng": "sáng", "giữa trưa": "trưa", "đứng bóng": "trưa", "trưa": "trưa",
    "đầu giờ chiều": "đầu chiều", "cuối giờ chiều": "late afternoon", "xế chiều": "late afternoon",
    "cuối chiều": "late afternoon", "chiều muộn": "late afternoon", "đầu giờ sáng": "early day",
    "cuối giờ sáng": "late morning", "gần trưa": "late morning", "chiều": "chiều", "chập tối": "dusk",
    "nhá nhem tối": "dusk", "nhá nhem": "dusk", "chạng vạng": "dusk", "tối muộn": "late evening", "tối": "tối",
    "giữa đêm": "đêm", "đêm khuya": "đêm", "khuya": "đêm", "đêm": "đêm", "trưa chiều": "trưa chiều",
    "chiều tối": "chiều tối", "giờ cao điểm sáng": "morning rush", "cao điểm sáng": "morning rush",
    "giờ cao điểm chiều": "evening rush", "cao điểm chiều": "evening rush", "giờ tan tầm": "evening rush",
    "lúc tan tầm": "evening rush", "tan tầm": "evening rush", "giờ tan sở": "evening rush", "tan sở": "evening rush",
    "giờ đi làm về": "evening rush", "giờ đi làm": "morning rush",
}  # fmt: skip
_SPELLED = {tuple(token.plain for token in read_text(said).tokens): read_text(said).tokens for said in _SAID}
PARTS_VI = {" ".join(words): _SAID[said] for said, words in zip(_SAID, _SPELLED, strict=True)}
PARTS_EN = {
    "daytime": "ngày", "daylight": "ngày", "after dark": "night", "daybreak": "dawn", "small hours": "dawn",
    "early hours": "dawn", "wee hours": "dawn", "early morning": "sáng sớm", "mid-morning": "late morning",
    "late morning": "late morning", "morning rush hour": "morning rush", "morning rush": "morning rush",
    "morning peak": "morning rush", "morning": "sáng", "noon": "trưa", "midday": "trưa", "lunchtime": "trưa",
    "lunch time": "trưa", "early afternoon": "early afternoon", "late afternoon": "late afternoon",
    "afternoon rush hour": "evening rush", "afternoon rush": "evening rush", "afternoon": "chiều", "arvo": "chiều",
    "early evening": "early evening", "late evening": "late evening", "evening rush hour": "evening rush",
    "evening rush": "evening rush", "evening peak": "evening rush", "evening": "tối", "dusk": "dusk",
    "late night": "late night", "night": "night", "overnight": "đêm",
}  # fmt: skip
PARTS = {**PARTS_VI, **PARTS_EN}
HOURS: dict[str, tuple[float, float]] = {
    "dawn": (0, 5), "sáng sớm": (4, 8), "ngày": (5, 18), "sáng": (5, 11), "trưa": (11, 13), "chiều": (13, 18),
    "tối": (18, 22), "đêm": (22, 29), "night": (18, 29), "trưa chiều": (11, 18), "chiều tối": (13, 22),
    "early day": (7, 9), "đầu chiều": (13, 15), "late morning": (9, 12), "early afternoon": (12, 15),
    "late afternoon": (15.5, 18),
    "dusk": (17, 19.5), "early evening": (17, 20), "late evening": (20, 24), "late night": (22, 29),
    "morning rush": (6.5, 9), "evening rush": (16.5, 19),
}  # fmt: skip
"""Local hours; the five of the tool contract, `dawn` before them, the hours of light, the English night (evening and
night), the ends of the parts, and the hours when all are on the road."""
NEEDS_MARKS = frozenset(" ".join(words) for words, said in _SPELLED.items() if any(not token.bare for token in said))
"""Parts of the day that are typed with marks where marks are typed at all."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What a piece of text says about time; unsaid parts are None. `period` is a finished half-open range."""

    day: date | None = None
    part: str | None = None
    clock: tuple[int, int] | None = None
    some: bool = False
    """Whether minutes were left open: `4 giờ mấy`."""
    exact_hour: bool = False
    """Whether the clock already says which half of the day it is in."""
    period: tuple[datetime, datetime] | None = None
    is_now: bool = False

    def joined(self, other: Moment) -> Moment:
        """Both said together; the earlier word wins where both speak."""
        return Moment(
            self.day or other.day,
            self.part or other.part,
            self.clock or other.clock,
            self.some or other.some,
            self.exact_hour or other.exact_hour,
            self.period or other.period,
            self.is_now or other.is_now,
        )

    def clashes(self, other: Moment) -> bool:
        """Whether both speak of the same thing, so that they cannot be one moment."""
        return bool(
            (self.day and other.day)
            or (self.part and other.part)
            or (self.clock and other.clock)
            or (self.period and (other.period or other.day))
            or (self.day and other.period)
            or self.is_now
            or other.is_now
        )


@dataclass(frozen=True, slots=True)
class Reader:
    """The text (bare), its typed twin of equal length, and the local present."""

    plain: str
    typed: str
    now: datetime

    @property
    def today(self) -> date:
        """The local day."""
        return self.now.date()

    @property
    def with_marks(self) -> bool:
        """Whether the text is typed with marks, so that a word without is meant without."""
        tokens = read_text(self.typed).tokens
        return sum(not token.bare for token in tokens) * 5 >= len(tokens) * 2

    def counted(self, start: int, end: int) -> bool:
        """Whether the typed words may be the numbers that they look like bare: `tầm 9h` is no `tám`."""
        return all(
            token.marks in _NUMBER_MARKS.get(token.plain, (token.plain,))
            or (token.bare and not (self.with_marks and token.plain in _NUMBER_MARKS))
            for token in read_text(self.typed[start:end]).tokens
        )

    def marked(self, start: int, end: int, word: str) -> bool:
        """Whether the typed words may be these: without any marks, or with the right ones."""
        spelled = _SPELLED.get(tuple(word.split()), read_text(word).tokens)
        typed = read_text(self.typed[start:end]).tokens
        return len(typed) == len(spelled) and all(map(agrees, typed, spelled))


LATE_EVENING, DAWN = 22, 6
"""A part of the day that begins at the first hour or later runs to the second: `4 giờ` in it is of the morning."""
NIGHTS = frozenset({"đêm", "night", "late night"})
_NUMBER_MARKS = {
    word.plain: tuple(way.marks for way in read_text(ways).tokens)
    for ways in ("một mốt", "bốn", "năm", "sáu", "bảy bẩy", "tám", "chín", "mười mươi", "nửa", "mấy", "vài")
    for word in read_text(ways).tokens[:1]
}
"""How the Vietnamese numbers look with marks, for those that have any."""


def at(day: date, hours: float = 0) -> datetime:
    """The local time of a day and an hour count; 24 and more run into the next day."""
    return datetime(day.year, day.month, day.day, tzinfo=VIETNAM) + timedelta(hours=hours)


def week_start(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def month_start(day: date, back: int = 0) -> date:
    """The first of a day's month, or of the `back`-th month before."""
    months = day.year * 12 + day.month - 1 - back
    return date(months // 12, months % 12 + 1, 1)


def number(text: str) -> int | None:
    """A count in digits or words."""
    return int(text) if text.isdigit() else NUMBERS.get(text)


def hour_in_words(text: str) -> int:
    """An hour in digits or words."""
    return int(text) if text.isdigit() else HOURS_IN_WORDS[text]


def with_half_day(moment: Moment, like: Moment, *, ahead: bool = False) -> Moment:
    """The clock moved to the half of the day that a neighbour names: `between 10 and 10:30 pm`.

    With `ahead` the neighbour is the earlier one: `from 10pm to 11`.
    """
    if moment.clock and not moment.exact_hour and like.clock and like.exact_hour and not moment.part:
        hour, minute = moment.clock
        later = hour + 12 > like.clock[0] if ahead else hour + 12 <= like.clock[0]
        if like.clock[0] > 12 and hour < 12 and later:
            return replace(moment, clock=(hour + 12, minute), exact_hour=True)
    return moment


def hour_of(moment: Moment) -> tuple[int, int]:
    """The 24-hour clock of a moment, by its day part where one is named: `3 giờ chiều` is 15:00."""
    if moment.clock is None:
        raise ValueError("the moment names no clock time")
    hour, minute = moment.clock
    if moment.exact_hour:
        return hour, minute
    begins = HOURS[moment.part][0] if moment.part else 0
    if (
        (12 <= begins < LATE_EVENING and hour < 12 and not (moment.part in NIGHTS and hour < DAWN))
        or (begins >= LATE_EVENING and DAWN <= hour < 12)
        or (moment.part in {"trưa", "trưa chiều"} and hour < 4)
    ):
        hour += 12
    elif moment.part in NIGHTS and hour == 12:
        hour = 24
    return hour, minute
