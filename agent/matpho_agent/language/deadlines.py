"""Times ahead: when a standing wish ends (`tới hết 30/11`, `expires in 7 days`), how far to look (`3 ngày tới`)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from matpho_agent.language.moments import DAY, at, month_start, number, week_start
from matpho_agent.language.pieces import Span, blanked
from matpho_agent.language.times import read_time
from matpho_agent.language.tokens import Text
from matpho_contracts.times import VIETNAM

WEEK_DAYS = 7
MONTH_DAYS = 30
_COUNT = (
    r"(?P<n>\d{1,3}|mot|hai|ba|bon|nam|sau|bay|tam|chin|muoi|a|an|one|two|three|four|five|six|seven|eight|nine|ten)"
)
_UNIT = r"(?P<u>phut|gio|tieng|h|ngay|hom|tuan|thang|minutes?|hours?|days?|weeks?|months?)(?![0-9a-z])"
_AHEAD = r"(?: (?:toi|nua|sau|tiep theo|tiep|ke tiep|sap toi|toi day)(?! (?:nay|mai|qua)))"
_HOURS = {"phut": 1 / 60, "minute": 1 / 60, "gio": 1, "tieng": 1, "h": 1, "hour": 1, "ngay": 24, "hom": 24, "day": 24}
_LONGER = {"tuan": 24 * WEEK_DAYS, "week": 24 * WEEK_DAYS, "thang": 24 * MONTH_DAYS, "month": 24 * MONTH_DAYS}
_LENGTH = re.compile(
    r"(?<![0-9a-z])(?:(?:het han|hieu luc|keo dai|co hieu luc)(?: trong| sau)?|trong vong|trong|expires? (?:in|after)"
    r"|expiring in|ends? in|valid for|lasting|lasts|for|within|in|for the next|over the next|next)(?: the)?(?: next)? "
    + _COUNT + r" ?" + _UNIT + _AHEAD + r"?(?! (?:qua|truoc|ago|gan day|vua))"
    r"|(?<![0-9a-z])" + _COUNT.replace("<n>", "<n2>") + r" ?" + _UNIT.replace("<u>", "<u2>") + "(?:" + _AHEAD
    + r"|(?= *(?:thoi|nhe|nha|a|di)? *[.!]? *$))"
)  # fmt: skip
_UNTIL = re.compile(
    r"(?<![0-9a-z])(?:(?:keo dai |hieu luc |canh |theo doi )?(?:cho den het|cho toi het|den het|toi het|cho den|cho toi"
    r"|den|toi|het han(?: vao| ngay)?|het|han(?: den| toi| chot)?)|until the end of|until|till|through|up to"
    r"|expires?(?: on| at| by)?|expiring(?: on)?|ends?(?: on| at)?|by)(?: vao| luc| khi)? "
)
_NAMED_END = re.compile(
    r"(?<![0-9a-z])(?:het|cuoi|den cuoi|toi cuoi|end of(?: the| this)?|the end of(?: the| this)?) ?"
    r"(?P<w>thang(?: nay)?|tuan(?: nay)?|ngay(?: (?:hom )?nay)?(?! ?\d)|hom nay|month|week|day|today)(?![0-9a-z])"
)
_HORIZON = re.compile(
    r"(?<![0-9a-z])(?:(?:next|coming|following) " + _COUNT + r"? ?(?P<u>days?|weeks?|months?)|"
    + _COUNT.replace("<n>", "<n2>") + r" ?(?P<u2>ngay|hom|tuan|thang)" + _AHEAD + r"|"
    r"(?P<u3>ngay|tuan|thang)(?: (?:toi|sau|ke tiep|tiep theo|sap toi))|(?P<u4>ngay mai|tomorrow)"
    r"|(?:du bao|du doan|uoc)(?: cho| trong| truoc)? " + _COUNT.replace("<n>", "<n6>")
    + r" ?(?P<u6>ngay|hom|tuan|thang)"
    r"|(?P<n5>\d{1,3}) (?P<u5>days?|weeks?|months?)(?: (?:ahead|out|more|forward))?)(?![0-9a-z])"
)  # fmt: skip


def read_deadline(text: Text, now: datetime) -> tuple[datetime, Span] | None:
    """When a standing wish ends and where the text says so; None where it says nothing. `now` is aware.

    A named day lasts until its end; a weekday or clock time that has passed is the next one.
    """
    local = now.astimezone(VIETNAM)
    length = next((m for m in _LENGTH.finditer(text.plain) if not text.typed[: m.end()].endswith("tối")), None)
    if length:
        return local + timedelta(hours=_hours(length["n"] or length["n2"], length["u"] or length["u2"])), length.span()
    named = _NAMED_END.search(text.plain)
    if named:
        return _end_of(named["w"], local), named.span()
    for cue in _UNTIL.finditer(text.plain):
        found = read_time(blanked(text, [(0, cue.end())]), local)
        if found.range is None or not found.spans or found.spans[0][0] > cue.end() + 2:
            continue
        end = found.range.point or found.range.time_to
        if end is not None:
            step = DAY if found.range.point or not found.range.dated else timedelta(days=WEEK_DAYS)
            while end <= local:
                end += step
            return end, (cue.start(), found.spans[0][1])
    return None


def read_horizon(text: Text) -> tuple[int, Span] | None:
    """How many days ahead a forecast should look, and where the text says so."""
    match = _HORIZON.search(text.plain)
    if match is None:
        return None
    if match["u4"]:
        return 1, match.span()
    unit = match["u"] or match["u2"] or match["u3"] or match["u5"] or match["u6"]
    count = match["n"] or match["n2"] or match["n5"] or match["n6"]
    return max(1, round(_hours(count or "1", unit) / 24)), match.span()


def _hours(count: str, unit: str) -> float:
    each = {**_HOURS, **_LONGER}
    return (number(count) or 1) * each[unit if unit in each else unit.rstrip("s")]


def _end_of(word: str, local: datetime) -> datetime:
    today = local.date()
    if word.startswith(("thang", "month")):
        return at(month_start(today, -1))
    if word.startswith(("tuan", "week")):
        return at(week_start(today) + timedelta(days=WEEK_DAYS))
    return at(today + DAY)
