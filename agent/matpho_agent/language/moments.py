"""Pieces of time expressions: dates, day parts, clock times, periods and lengths, read at one place of a text."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from matpho_agent.language.tokens import Token, read_text
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
PARTS = {
    "ban ngay": "ngày", "ban dem": "night", "daytime": "ngày", "daylight": "ngày", "after dark": "night",
    "rang sang": "dawn", "tang sang": "dawn", "sang som": "sáng sớm", "gan sang": "dawn", "to mo sang": "dawn",
    "mo sang": "dawn", "tinh mo": "dawn", "daybreak": "dawn", "sang": "sáng", "trua": "trưa", "chieu": "chiều",
    "toi": "tối", "dem": "đêm", "khuya": "đêm", "trua chieu": "trưa chiều", "chieu toi": "chiều tối",
    "early morning": "sáng sớm", "morning": "sáng", "noon": "trưa", "midday": "trưa", "lunchtime": "trưa",
    "afternoon": "chiều", "arvo": "chiều", "evening": "tối", "night": "night", "overnight": "đêm",
}  # fmt: skip
HOURS = {
    "dawn": (0, 5), "sáng sớm": (4, 8), "ngày": (5, 18), "sáng": (5, 11), "trưa": (11, 13), "chiều": (13, 18),
    "tối": (18, 22), "đêm": (22, 29), "night": (18, 29), "trưa chiều": (11, 18), "chiều tối": (13, 22),
}  # fmt: skip
"""Local hours; the five of the tool contract, `dawn` before them, the hours of light, and the English night (evening
and night)."""
MARKED = {
    "sang": ("sáng",),
    "toi": ("tối",),
    "dem": ("đêm",),
    "trua": ("trưa",),
    "chieu": ("chiều",),
    "som": ("sớm",),
    "may": ("mấy",),
    "ngay": ("ngày",),
}
"""How the Vietnamese day parts look with marks: `tôi qua` and `tới qua` are no `tối qua`."""


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

    def marked(self, start: int, end: int, word: str) -> bool:
        """Whether the typed word may be the day part `word`: bare, or with the right marks."""
        token = _one(self.typed[start:end])
        last = word.rsplit(" ", 1)[-1]
        return token is None or token.bare or any(token.marks == _one_marks(way) for way in MARKED.get(last, (last,)))


def _one(text: str) -> Token | None:
    tokens = read_text(text).tokens
    return tokens[-1] if tokens else None


def _one_marks(text: str) -> str:
    token = _one(text)
    return token.marks if token else ""


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
    if (
        (moment.part in {"chiều", "tối", "night"} and hour < 12)
        or (moment.part == "đêm" and 6 <= hour < 12)
        or (moment.part == "trưa" and hour < 4)
    ):
        hour += 12
    elif moment.part in {"đêm", "night"} and hour == 12:
        hour = 24
    return hour, minute
