"""Stretches of time said in a text: `2 giờ qua`, `tuần trước`, `tháng 10`, `cuối tuần rồi`, `đêm 20 rạng 21`."""

from __future__ import annotations

import re
from datetime import date, timedelta

from matpho_agent.language.dates import date_of, day_only
from matpho_agent.language.moments import DAY, MONTHS, WEEKDAYS, Moment, Reader, at, month_start, number, week_start

MINUTES = {"phut": 1, "p": 1, "ph": 1, "minute": 1, "min": 1, "gio": 60, "tieng": 60, "hour": 60, "hr": 60, "h": 60}
DAYS = {"ngay": 1, "hom": 1, "bua": 1, "day": 1, "tuan": 7, "week": 7, "thang": 30, "month": 30}
JUST = timedelta(hours=1)
SHIFT = timedelta(hours=8)
_POINTS = re.compile(
    r"(?<![0-9a-z])(?:vu|cai|con|chiec|clip|doan|tin|cau|danh sach|list|xe|anh|hinh|video|viec|ca|dua) $"
)
"""Words for one thing, behind which `lúc nãy` is no time but that thing spoken of."""


def length(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`2 giờ qua`, `the past 3 days`: ends now; whole days and weeks begin at midnight."""
    said, unit, where = _count_of(m)
    if said and not reader.counted(*m.span(where)):
        return None
    count = number(said) if said else 1
    minutes = MINUTES.get(unit if unit in MINUTES else unit.rstrip("s"))
    if said in {"nua", "half"}:
        return Moment(period=(reader.now - timedelta(minutes=30 if minutes == 60 else 720), reader.now))
    if count is None:
        return None
    if minutes:
        extra = 30 if m["half"] and minutes == 60 else 0
        return Moment(period=(reader.now - timedelta(minutes=minutes * count + extra), reader.now))
    return Moment(period=(reader.now - timedelta(days=DAYS[unit.rstrip("s")] * count), reader.now))


def _count_of(m: re.Match[str]) -> tuple[str, str, str]:
    """The number said, its unit, and the group that holds the number; a pattern may have two of each."""
    groups = m.groupdict()
    where = "n" if groups.get("u") else "n2"
    return groups.get(where) or "", groups.get("u") or groups.get("u2") or "", where


def days_ago(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`three days ago`, `cách đây hai hôm`: that day; `two nights ago`: the night that began on it."""
    said, unit, where = _count_of(m)
    count = number(said)
    if count is None or not reader.counted(*m.span(where)):
        return None
    day = reader.today - DAYS.get(unit.rstrip("s"), 1) * count * DAY
    return Moment(day=day, part="night" if unit.startswith("night") else "đêm" if unit == "dem" else None)


def nights_back(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`the last two nights`, `mấy đêm nay`: from the evening of the first of them."""
    where = "n" if m["n"] else "n2"
    count = number(m[where])
    if count is None or not reader.counted(*m.span(where)):
        return None
    return Moment(period=(at(reader.today - count * DAY, 18), reader.now))


def just_before(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`hồi nãy`, `just now`: the last hour; `vụ lúc nãy` points at what was spoken of, and `lúc này` is the present."""
    if m[0].endswith(" nay"):
        typed = reader.typed[m.start() : m.end()].lower()
        if not typed.endswith("nãy") and (not typed.isascii() or m[0] in {"luc nay", "khi nay", "moi nay"}):
            return None
    return None if _POINTS.search(reader.plain[: m.start()]) else Moment(period=(reader.now - JUST, reader.now))


def shift_before(reader: Reader, _match: re.Match[str]) -> Moment:
    """The watch before the present one, of three that change at six, fourteen and twenty-two."""
    begin = next(at(reader.today, hour) for hour in (22, 14, 6, -2) if at(reader.today, hour) <= reader.now)
    return Moment(period=(begin - SHIFT, begin))


def part_of_month(reader: Reader, m: re.Match[str]) -> Moment:
    """`đầu tháng 10`, `cuối tháng trước`: a third of the month."""
    today = reader.today
    first = month_start(today, 1) if m["back"] else date(today.year - (int(m["m"]) > today.month), int(m["m"]), 1)
    after = month_start(first, -1)
    days = {"dau": (first, first + 10 * DAY), "giua": (first + 10 * DAY, first + 20 * DAY)}
    begin, end = days.get(m["w"], (first + 20 * DAY, after))
    return Moment(period=(at(begin), min(at(end), at(today + DAY))))


def quarter(reader: Reader, m: re.Match[str]) -> Moment:
    """`quý 3`: the latest that has begun, unless a year is named."""
    month = int(m["q"]) * 3 - 2
    first = date(int(m["y"]) if m["y"] else reader.today.year - (month > reader.today.month), month, 1)
    return Moment(period=(at(first), min(at(month_start(first, -3)), at(reader.today + DAY))))


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
    if m["may"] and not reader.counted(*m.span("may")):
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


def weekday_night(reader: Reader, m: re.Match[str]) -> Moment:
    """`overnight Sunday to Monday`, `Friday night into Saturday`: the evening and the night between two days."""
    back = (reader.today.weekday() - WEEKDAYS[m["w"] or m["w2"]]) % 7
    return Moment(day=reader.today - back * DAY, part="night")


def night_to(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`đêm 20 rạng 21/11`: the night between two dates."""
    month = int(m["m"] or m["m1"] or reader.today.month)
    first = date_of(m["y"], month if m["m1"] is None else int(m["m1"]), int(m["d1"]), reader)
    return Moment(period=(at(first, 22), at(first, 29))) if first else None
