"""Days of the calendar said in a text: `ngày 19/11`, `thứ tư tuần trước`, `the 15th`, `hôm kìa`."""

from __future__ import annotations

import re
from datetime import date, timedelta

from matpho_agent.language.moments import DAY, MONTHS, WEEKDAYS, Moment, Reader, month_start, week_start


def date_of(text: str | None, month: int, day: int, reader: Reader) -> date | None:
    """The date of a day and month: the year given, else the latest such day that is not far ahead."""
    try:
        if text:
            year = int(text)
            return date(year + 2000 if year < 100 else year, month, day)
        found = date(reader.today.year, month, day)
        return found.replace(year=found.year - 1) if found > reader.today + timedelta(days=183) else found
    except ValueError:
        return None


def _dated(day: date | None) -> Moment | None:
    return Moment(day=day) if day else None


def numeric(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`19/11`, `19 tháng 11 năm 2026`; None where there is no such day."""
    return _dated(date_of(m["y"], int(m["m"]), int(m["d"]), reader))


def named_month(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`19 November`, `Nov 19th, 2026`."""
    return _dated(date_of(m["y"], MONTHS[m["m"]], int(m["d"]), reader))


def iso(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`2026-11-19`."""
    return _dated(date_of(m["y"], int(m["m"]), int(m["d"]), reader))


_DEGREES = re.compile(r" (do|độ)(?!\w)")
_TURNING = re.compile(r"(?<![0-9a-z])(?:quay|xoay|lia|nghieng|ngang|ngua|cui|chuc|trai|phai)(?![0-9a-z])")


def day_only(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`ngày 19`: this month's, or last month's when it has not come yet; `quay phai ngay 20 do` tells of degrees."""
    degrees = _DEGREES.match(reader.typed.lower(), m.end())
    if degrees and (degrees[1] == "độ" or (m[0].startswith("ngay") and _TURNING.search(reader.plain))):
        return None
    day = int(m["d"])
    this = date_of(str(reader.today.year), reader.today.month, day, reader)
    if this and this <= reader.today + timedelta(days=7):
        return _dated(this)
    before = month_start(reader.today, 1)
    return _dated(date_of(str(before.year), before.month, day, reader))


def weekday(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`thứ tư`, `last Friday`: the latest such day, unless a week is named."""
    wanted = WEEKDAYS[m["w"]]
    monday = week_start(reader.today)
    which = (m["a"] or "") + " " + (m["b"] or "")
    if "truoc" in which or "tuan roi" in which or "tuan qua" in which or "last week" in which:
        return _dated(monday - timedelta(days=7 - wanted))
    if "nay" in which or "this" in which:
        return _dated(monday + timedelta(days=wanted))
    back = (reader.today.weekday() - wanted) % 7
    if "last" in which or "previous" in which:
        return _dated(reader.today - timedelta(days=back or 7))
    return _dated(reader.today - timedelta(days=back))


def before_yesterday(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`hôm kìa` is one day before `hôm kia`."""
    far = reader.typed[m.start() : m.end()].lower().endswith("kìa")
    return Moment(day=reader.today - (3 if far else 2) * DAY)
