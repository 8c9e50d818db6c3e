"""Stretches of time said in a text: `2 giờ qua`, `tuần trước`, `tháng 10`, `cuối tuần rồi`, `đêm 20 rạng 21`."""

from __future__ import annotations

import re
from datetime import date, timedelta

from matpho_agent.language.dates import date_of, day_only
from matpho_agent.language.moments import DAY, MONTHS, Moment, Reader, at, month_start, number, week_start


def length(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`2 giờ qua`, `the past 3 days`: ends now; whole days and weeks begin at midnight."""
    if m["n"] == "may" and not reader.marked(*m.span("n"), "may"):
        return None
    count = number(m["n"]) if m["n"] else 1
    if count is None:
        return None
    unit = m["u"]
    minutes = {"phut": 1, "minute": 1, "min": 1, "gio": 60, "tieng": 60, "hour": 60, "h": 60}.get(unit.rstrip("s"))
    if m["n"] == "nua":
        return Moment(period=(reader.now - timedelta(minutes=30 if minutes == 60 else 720), reader.now))
    if minutes:
        extra = 30 if m["half"] and minutes == 60 else 0
        return Moment(period=(reader.now - timedelta(minutes=minutes * count + extra), reader.now))
    days = {"ngay": 1, "hom": 1, "day": 1, "tuan": 7, "week": 7, "thang": 30, "month": 30}[unit.rstrip("s")]
    return Moment(period=(reader.now - timedelta(days=days * count), reader.now))


def week_back(reader: Reader, back: int) -> Moment:
    """A week from its Monday; the present one ends with today, for nothing has been seen of the days to come."""
    monday = week_start(reader.today) - timedelta(weeks=back)
    return Moment(period=(at(monday), min(at(monday + timedelta(days=7)), at(reader.today + DAY))))


def month_back(reader: Reader, back: int) -> Moment:
    """A month; the present one ends with today."""
    end = min(month_start(reader.today, back - 1), reader.today + DAY)
    return Moment(period=(at(month_start(reader.today, back)), at(end)))


def whole_month(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`tháng 10`, `in October`: the latest such month that has begun, unless a year is named."""
    month = int(m["m"]) if m["m"].isdigit() else MONTHS[m["m"]]
    year = int(m["y"]) if m["y"] else reader.today.year - (1 if month > reader.today.month else 0)
    return Moment(period=(at(date(year, month, 1)), at(date(year + month // 12, month % 12 + 1, 1))))


def recent(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`dạo này`, `mấy hôm nay`, `lately`: the last seven days."""
    if m["may"] and not reader.marked(*m.span("may"), "may"):
        return None
    if m[0] == "gan day" and not reader.marked(m.end() - 3, m.end(), "đây"):
        return None
    return Moment(period=(reader.now - 7 * DAY, reader.now))


def since(reader: Reader, day: date) -> Moment:
    """From the beginning of a day until now."""
    return Moment(period=(at(day), reader.now))


def weekend(reader: Reader, m: re.Match[str]) -> Moment:
    """The Saturday and Sunday of this week once they have begun, else of the last."""
    saturday = week_start(reader.today) + timedelta(days=5)
    if saturday > reader.today or m[0].endswith(("qua", "truoc", "roi")) or m[0].startswith("last"):
        saturday -= timedelta(days=7)
    return Moment(period=(at(saturday), at(saturday + timedelta(days=2))))


def into_next(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`late on the 15th going into the 16th`: the evening and the night between two days."""
    first = day_only(reader, m)
    return Moment(period=(at(first.day, 18), at(first.day, 29))) if first and first.day else None


def night_to(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`đêm 20 rạng 21/11`: the night between two dates."""
    month = int(m["m"] or m["m1"] or reader.today.month)
    first = date_of(m["y"], month if m["m1"] is None else int(m["m1"]), int(m["d1"]), reader)
    return Moment(period=(at(first, 22), at(first, 29))) if first else None
