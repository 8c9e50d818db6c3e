"""Clock times said in a text: `7 rưỡi`, `19h kém 15`, `nine o'clock`, `4 giờ mấy`, `bây giờ`."""

from __future__ import annotations

import re
from dataclasses import replace

from matpho_agent.language.dates import day_only
from matpho_agent.language.day_parts import day_part
from matpho_agent.language.moments import Moment, Reader, hour_in_words


def clock_time(_reader: Reader, m: re.Match[str]) -> Moment | None:
    """`15h30`, `7 rưỡi`, `10:15 pm`, `8 giờ kém 5`; None where there is no such time."""
    hour, minute = int(m["h"]), int(m["min"] or 0)
    if m.groupdict().get("half"):
        minute = 30
    if m.groupdict().get("less"):
        hour, minute = hour - 1, 60 - int(m["less"])
    meridiem = m.groupdict().get("ap")
    if meridiem:
        hour = hour % 12 + (12 if meridiem.startswith("p") else 0)
    if not (0 <= hour <= 24 and 0 <= minute < 60):
        return None
    return Moment(clock=(hour, minute), exact_hour=bool(meridiem) or hour > 12 or hour == 0)


MINUTES_IN_WORDS = {
    "nam": 5, "muoi": 10, "muoi lam": 15, "hai muoi": 20, "hai muoi lam": 25, "hai lam": 25, "ba muoi": 30,
    "ba muoi lam": 35, "ba lam": 35, "bon muoi": 40, "bon muoi lam": 45, "bon lam": 45, "nam muoi": 50,
    "nam muoi lam": 55, "nam lam": 55,
}  # fmt: skip
_PAST = {"half": 30, "thirty": 30, "quarter": 15, "fifteen": 15, "five": 5, "ten": 10, "twenty": 20, "twenty five": 25,
         "forty five": 45}  # fmt: skip


def hour_alone(_reader: Reader, m: re.Match[str]) -> Moment | None:
    """`at 2 last night`, `8ish`, `5 in the afternoon`."""
    hour = hour_in_words(m["h"])
    return Moment(clock=(hour, 0), exact_hour=hour > 12) if hour < 24 else None


def past_hour(_reader: Reader, m: re.Match[str]) -> Moment | None:
    """`half past ten`, `quarter to nine`, `seven thirty pm`; `ten to twelve people` is none."""
    minute = _PAST.get(m["to"]) or (int(m["to"]) if m["to"].isdigit() else 0)
    before = m["way"] in {"to", "before"}
    if not 0 < minute < 60 or (m["to"] == "half" and before) or (m["to"].isdigit() and m["way"] not in {"past"}):
        return None
    hour = hour_in_words(m["h"]) - (1 if before else 0)
    meridiem = m.groupdict().get("ap")
    if meridiem:
        hour = hour % 12 + (12 if meridiem.startswith("p") else 0)
    minute = 60 - minute if before else minute
    return Moment(clock=(hour, minute), exact_hour=bool(meridiem) or hour > 12) if 0 <= hour < 24 else None


def told_in_words(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`bảy giờ kém mười`, `9 giờ hai mươi`, `tầm chín rưỡi`."""
    groups = m.groupdict()
    if not all(reader.counted(*m.span(name)) for name in ("h", "min", "less") if groups.get(name)):
        return None
    hour, minute = hour_in_words(m["h"]), 30 if groups.get("half") else _minutes(groups.get("min"))
    if groups.get("less"):
        hour, minute = hour - 1, 60 - _minutes(groups["less"])
    return Moment(clock=(hour, minute), exact_hour=hour > 12) if 0 <= hour < 24 and 0 <= minute < 60 else None


def _minutes(said: str | None) -> int:
    return 0 if not said else int(said) if said.isdigit() else MINUTES_IN_WORDS[said]


def clock_in_words(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`chín giờ rưỡi`, `nine o'clock`; `sau giờ học` is no six o'clock."""
    bare = reader.typed[slice(*m.span("hw"))].isascii()
    if (m["hw"] == "sau" and bare) or not reader.counted(*m.span("hw")):
        return None
    return Moment(clock=(hour_in_words(m["hw"]), 30 if m["half"] else 0))


_NO_NOW = re.compile(
    r" (?:please )?(?:list|show|give|tell|mark|tilt|pan|zoom|set|open|close|send|get|find|pull|check|let|make|turn|move"
    r"|swing|export|add|compare|file|log|put|split|escalate|ack|acknowledge|dispatch)(?![a-z])"
)
"""Orders behind a `now` that only begins a sentence."""
_UP_TO = re.compile(r"(?:up to|up until|until|till|den|toi|tinh den|tinh toi) $")
"""`up to now` ends what another word begins."""


def now_said(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`bây giờ`, `right now`; `bảy giờ` is seven o'clock, and `now list …` says nothing of time."""
    if _UP_TO.search(reader.plain[: m.start()]):
        return None
    if m[0] == "now" and _NO_NOW.match(reader.plain, m.end()):
        return None
    return None if reader.typed[m.start() : m.end()].lower().startswith(("bảy", "bẩy")) else Moment(is_now=True)


NO_COUNT = r"(?! ?(?:h|g|gio|phut|nguoi|xe|vu|chiec|met|m|km|%|camera|cam|lan|tieng)(?![0-9a-z])|[0-9:/.%])"
FEW = 5
"""Up to here a number behind a part of the day may count things."""


def clock_dated(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`3 giờ 11 sáng 17`: a clock, the part of the day, the day of this month; not `3 giờ chiều 2 xe tông nhau`."""
    counted = re.match(NO_COUNT, reader.plain[m.end() :]) is None
    clock, part, dated = clock_time(reader, m), day_part(reader, m), day_only(reader, m)
    if clock is None or part is None or dated is None or (counted and int(m["d"]) <= FEW):
        return None
    return replace(clock.joined(part).joined(dated), some=bool(m["some"]))


def clock_and_some(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`4 giờ mấy`: somewhere in that hour."""
    clock = clock_time(reader, m)
    return replace(clock, some=True) if clock else None
