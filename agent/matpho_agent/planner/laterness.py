"""Times told by the talk before: `hôm đó`, `hôm sau thì sao`, `the day before, same hours`, a bare `17-19h`."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

from matpho_agent.language.moments import DAY, HOURS, at, number
from matpho_agent.language.pieces import blanked
from matpho_agent.language.time_ranges import TimeRange
from matpho_agent.language.times import read_time
from matpho_agent.language.tokens import read_text
from matpho_agent.planner.clause import Clause
from matpho_agent.planner.plan import QueryPlan
from matpho_contracts.times import VIETNAM

Span = tuple[datetime | None, datetime | None]
_SAME = re.compile(
    r"(?<![0-9a-z])(?:(?:cung|ngay|trong|ca)? ?(?:ngay|hom|bua|buoi|bua)(?: hom)? (?:do|ay|day|no)|cung (?:ngay"
    r"|hom|bua)|hom ay"
    r"|(?:cung )?(?:dem|toi|sang|chieu|trua|khuya) (?:hom )?(?:do|ay|day|no)|(?:the |on )?(?:that|same)(?: same)? day"
    r"|of that day|that (?:morning|afternoon|evening|night)|the same (?:morning|afternoon|evening|night))(?![0-9a-z])"
)
_NEXT = re.compile(
    r"(?<![0-9a-z])(?:(?:hom|ngay|bua) (?:sau|ke tiep|tiep theo|ke)(?: do| nua)?|sau do mot (?:hom|ngay|bua)"
    r"|(?:the )?(?:next|following) day|(?:the )?day after(?: that)?)(?![0-9a-z])"
)
_LAST = re.compile(
    r"(?<![0-9a-z])(?:(?:hom|ngay|bua) (?:truoc (?:do|day|nua|ay)|lien truoc|truoc nua)|truoc do (?:mot"
    r"|1) (?:hom|ngay|bua)"
    r"|(?:hom|ngay|bua) truoc(?= *(?:thi|sao|nua|co|$|[?,.]))|(?:lui|quay|nguoc) (?:lai |ve )?(?:mot|1) (?:hom"
    r"|ngay|bua)"
    r"|(?:the )?day before(?: that)?(?! yesterday)|(?:the )?previous day|(?:a|one) day earlier)(?![0-9a-z])"
)
_WEEK = re.compile(
    r"(?<![0-9a-z])(?:(?P<last>tuan truoc (?:do|day|nua|ay)|tuan lien truoc|(?:the )?week before(?: that)?(?! last)"
    r"|(?:the )?previous week|a week earlier)"
    r"|(?P<next>tuan sau do|tuan (?:ke tiep|tiep theo)|(?:the )?(?:following week|week after(?: that)?)))(?![0-9a-z])"
)
WEEK = timedelta(days=7)
_HOURS = re.compile(
    r"(?<![0-9a-z])(?:cung (?:khung )?gio(?: do)?|gio do|khung gio do|(?:the )?same (?:hours?|times?|slot))(?![0-9a-z])"
)
_DAY_SAID = re.compile(
    r"(?<![0-9a-z])(?:(?:ngay|hom|bua)(?: hom)? (?:do|ay|day|no)|cung (?:ngay|hom|bua)|hom ay"
    r"|(?:that|same) day)(?![0-9a-z])"
)
"""The day itself, whatever part of it was spoken of before."""
_NIGHT_SAID = re.compile(r"(?<![0-9a-z])(?:dem|khuya|night)(?![0-9a-z])")
HALF = timedelta(hours=12)
DAWN = 5
"""Before this hour it is still the night of the day before."""
_WHOLE = re.compile(r"(?<![0-9a-z])(?:ca ngay|tron ngay|nguyen ngay|whole|entire|all day|full day)(?![0-9a-z])")
_PART = re.compile(
    r"(?<![0-9a-z])(?P<p>dem|toi|sang|chieu|trua|khuya|morning|afternoon|evening|night)(?= (?:hom )?(?:do|ay"
    r"|day)(?![0-9a-z])|$|[ ,.?!])"
)
_LENGTH_ALONE = re.compile(
    r"(?:(?:the|con|vay|va|trong|vong|thu|coi|xem|lay|what about|how about|and|the last|last|past|make it) )*"
    r"(?P<n>\d{1,3}|mot|hai|ba|bon|nam|sau|bay|tam|chin|muoi|one|two|three|four|five|six|seven)"
    r" ?(?P<u>h|tieng|gio|ngay|tuan|hours?|days?|weeks?)(?: (?:thi sao|di|nhe|nha|thoi|qua|gan day|xem sao|co))*"
)
_STILL = re.compile(
    r"(?<![0-9a-z])(?:bo|xem het|lay het|gom het|tat ca)(?![0-9a-z])"
    r".*(?:hom|ngay|bua) (?:sau|truoc) (?:do|ay|day)(?![0-9a-z])"
)
"""`bỏ mức độ đi, xem hết của hôm sau đó`: the day moved to already, with less said of it."""
UNITS = {
    "h": 1, "tieng": 1, "gio": 1, "hour": 1, "hours": 1, "ngay": 24, "day": 24, "days": 24, "tuan": 168, "week": 168,
    "weeks": 168,
}  # fmt: skip
"""Hours of a unit."""
WHOLE = timedelta(hours=24)
_SAME_AGAIN = re.compile(
    r"(?<![0-9a-z])(?:same (?:thing|again|question)|y (?:vay|the|chang)|tuong tu|cung the)(?![0-9a-z])"
)
"""The same question of another day keeps its hours."""
SHORT = timedelta(hours=25)
"""A range up to here is one day or a part of one, and moves as a whole."""


def time_of_talk(plan: QueryPlan, before: QueryPlan, clause: Clause) -> Span | None:
    """The range that a following sentence means; None where it says nothing about time."""
    plain, start = clause.free.plain, before.time_from
    if start is None:
        return (plan.time_from, plan.time_to) if plan.time_from or plan.time_to else None
    start = start.astimezone(VIETNAM)
    moved = 1 if _NEXT.search(plain) else -1 if _LAST.search(plain) else 0
    same = bool(_SAME.search(plain))
    said = clause.reading.time.range
    named = said is not None and said.dated and any(plain[a:b][-1:].isdigit() for a, b in clause.reading.time.spans)
    if moved and named:
        return plan.time_from, plan.time_to
    if (week := _WEEK.search(plain)) is not None:
        return _weeks_off(before, start, -1 if week["last"] else 1)
    if moved and _STILL.search(plain):
        return before.time_from, before.time_to
    if moved and (not same or moved):
        return _moved(before, start, moved, clause)
    if same:
        return _on_day(start, clause, before)
    if (hours := _length_alone(plain)) is not None:
        return clause.situation.now - timedelta(hours=hours), clause.situation.now
    found = clause.reading.time.range
    if found is None:
        return None
    short = before.time_to is not None and before.time_to - start < WHOLE and found.part is None and found.point is None
    hours_too = _HOURS.search(plain) or (_SAME_AGAIN.search(plain) and short)
    if hours_too and found.time_from and before.time_to:
        shift = at(found.time_from.astimezone(VIETNAM).date()) - at(start.date())
        return start + shift, before.time_to + shift
    if not found.dated and not plan.at_present:
        return _on_day(start, clause, before)
    return plan.time_from, plan.time_to


def _length_alone(plain: str) -> int | None:
    """The hours back that nothing but a length asks for: `thế 24 tiếng`; `20h` is a clock."""
    match = _LENGTH_ALONE.fullmatch(plain.strip(" ?.!,"))
    count = number(match["n"]) if match else None
    if match is None or not count or (match["u"] in {"h", "gio"} and count < HOURS_OF_DAY):
        return None
    return count * UNITS[match["u"]]


HOURS_OF_DAY = 24


def _weeks_off(before: QueryPlan, start: datetime, count: int) -> Span:
    """The range of the talk a week back or on; of less than a week the whole week beside it."""
    end = before.time_to or start + DAY
    if end - start >= WEEK:
        return start + count * WEEK, end + count * WEEK
    monday = at(start.date()) - start.weekday() * DAY
    return monday + count * WEEK, monday + (count + 1) * WEEK


def _moved(before: QueryPlan, start: datetime, days: int, clause: Clause) -> Span:
    """The range of the talk one day on or back; a part of the day named beside it is that day's."""
    if _PART.search(clause.free.plain):
        return _on_day(start + days * DAY, clause, before)
    end = before.time_to or start + DAY
    if end - start <= SHORT:
        return start + days * DAY, end + days * DAY
    edge = at(start.date()) if days < 0 else at(end.astimezone(VIETNAM).date())
    return (edge - DAY, edge) if days < 0 else (edge, edge + DAY)


def _on_day(day: datetime, clause: Clause, before: QueryPlan) -> Span:
    """What the clause says of hours, on the day that was spoken of; without any, the range as it was."""
    begin, plain = at(day.date()), clause.free.plain
    if _WHOLE.search(plain):
        return begin, begin + DAY
    of_night = before.time_to is not None and before.time_to - day < HALF
    if day.hour < DAWN and of_night and _NIGHT_SAID.search(plain):
        begin -= DAY
    told = _hours(clause, begin)
    now = clause.situation.now.astimezone(VIETNAM)
    if told is not None and begin.date() == now.date() and told.time_from and told.time_from < now:
        told = replace(told, time_to=min(told.time_to or now, now))
    if told is not None:
        return _within(told, before)
    short = before.time_to is not None and before.time_to - day <= SHORT
    if short and before.time_to is not None and _DAY_SAID.search(plain):
        return begin, max(begin + DAY, before.time_to)
    return before.time_from, before.time_to


def _within(told: TimeRange, before: QueryPlan) -> Span:
    """Hours said of a night that runs into the next day are those of its morning: `4 giờ rưỡi sáng đó`."""
    start, end = told.time_from, told.time_to
    if start and end and before.time_from and before.time_to and end <= before.time_from:
        later = start + DAY, end + DAY
        return later if later[0] < before.time_to else (start, end)
    return start, end


def _hours(clause: Clause, begin: datetime) -> TimeRange | None:
    """The clause's clock times and parts of a day, read as if that day were today and almost over."""
    words = read_text(clause.free.typed)
    spans = [match.span() for pattern in (_NEXT, _LAST) for match in pattern.finditer(words.plain)]
    words = blanked(words, spans)
    typed = re.sub(
        r"(?i)\b(?:hôm|ngày|bữa|buổi)? ?(?:đó|ấy|đấy)\b|\b(?:hom|ngay|bua|buoi) (?:do|ay|day)\b|\bthat (?=same )?",
        " ",
        words.typed,
    )
    typed = re.sub(r"(?i)(?<!\w)toi(?= (?:hom )?(?:do|ay|day|no)(?!\w))", "tối", typed)
    found = read_time(read_text(typed), begin + DAY - timedelta(minutes=1)).range
    if found is None or found.time_from is None:
        return None
    if not begin <= found.time_from <= begin + DAY:
        return None
    if found.part in HOURS and found.point is None:  # the reading ended with that day; the night runs on
        first, last = HOURS[found.part]
        return replace(found, time_from=at(begin.date(), first), time_to=at(begin.date(), last))
    return found


def shifts_day(clause: Clause) -> bool:
    """Whether the clause asks of the day before or after the one spoken of: `and the day before that`."""
    return bool(_NEXT.search(clause.free.plain) or _LAST.search(clause.free.plain))


def of_the_talk(clause: Clause) -> bool:
    """Whether the time said is on the day of the talk (`tối đó`, `rồi khuya`), so that the place is its place too."""
    found = clause.reading.time.range
    return bool(_SAME.search(clause.free.plain)) or (found is not None and not found.dated)
