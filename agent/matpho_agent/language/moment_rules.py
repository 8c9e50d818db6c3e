"""The ways to say a moment, each a pattern with its reading, tried in order at one place of a text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from matpho_agent.language.moments import (
    DAY,
    HOUR_NAMES,
    MONTHS,
    NUMBERS,
    PARTS,
    WEEKDAYS,
    Moment,
    Reader,
    at,
    hour_in_words,
    month_start,
    number,
    week_start,
)

Found = tuple[Moment, int]
Rule = tuple[re.Pattern[str], Callable[[Reader, re.Match[str]], Moment | None]]
_N = r"(?P<n>\d{1,3}|" + "|".join(sorted(NUMBERS, key=len, reverse=True)) + ")"


def _year(text: str | None, month: int, day: int, reader: Reader) -> date | None:
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


def _numeric(reader: Reader, m: re.Match[str]) -> Moment | None:
    return _dated(_year(m["y"], int(m["m"]), int(m["d"]), reader))


def _named_month(reader: Reader, m: re.Match[str]) -> Moment | None:
    return _dated(_year(m["y"], MONTHS[m["m"]], int(m["d"]), reader))


def _iso(reader: Reader, m: re.Match[str]) -> Moment | None:
    return _dated(_year(m["y"], int(m["m"]), int(m["d"]), reader))


def _day_only(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`ngày 19`: this month's, or last month's when it has not come yet; `quay phai ngay 20 do` tells of degrees."""
    degrees = _DEGREES.match(reader.typed.lower(), m.end())
    if degrees and (degrees[1] == "độ" or (m[0].startswith("ngay") and _TURNING.search(reader.plain))):
        return None
    day = int(m["d"])
    this = _year(str(reader.today.year), reader.today.month, day, reader)
    if this and this <= reader.today + timedelta(days=7):
        return _dated(this)
    before = month_start(reader.today, 1)
    return _dated(_year(str(before.year), before.month, day, reader))


def _weekday(reader: Reader, m: re.Match[str]) -> Moment | None:
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


def _length(reader: Reader, m: re.Match[str]) -> Moment | None:
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


def _week(reader: Reader, back: int) -> Moment:
    """A week from its Monday; the present one ends with today, for nothing has been seen of the days to come."""
    monday = week_start(reader.today) - timedelta(weeks=back)
    return Moment(period=(at(monday), min(at(monday + timedelta(days=7)), at(reader.today + DAY))))


def _month(reader: Reader, back: int) -> Moment:
    """A month; the present one ends with today."""
    end = min(month_start(reader.today, back - 1), reader.today + DAY)
    return Moment(period=(at(month_start(reader.today, back)), at(end)))


def _whole_month(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`tháng 10`, `in October`: the latest such month that has begun, unless a year is named."""
    month = int(m["m"]) if m["m"].isdigit() else MONTHS[m["m"]]
    year = int(m["y"]) if m["y"] else reader.today.year - (1 if month > reader.today.month else 0)
    return Moment(period=(at(date(year, month, 1)), at(date(year + month // 12, month % 12 + 1, 1))))


def _recent(reader: Reader, m: re.Match[str]) -> Moment | None:
    if m["may"] and not reader.marked(*m.span("may"), "may"):
        return None
    if m[0] == "gan day" and not reader.marked(m.end() - 3, m.end(), "đây"):
        return None
    return Moment(period=(reader.now - 7 * DAY, reader.now))


def _since(reader: Reader, day: date) -> Moment:
    return Moment(period=(at(day), reader.now))


def _weekend(reader: Reader, m: re.Match[str]) -> Moment:
    saturday = week_start(reader.today) + timedelta(days=5)
    if saturday > reader.today or m[0].endswith(("qua", "truoc", "roi")) or m[0].startswith("last"):
        saturday -= timedelta(days=7)
    return Moment(period=(at(saturday), at(saturday + timedelta(days=2))))


DAYS_BACK = {
    "nay": 0, "ni": 0, "hom nay": 0, "hom ni": 0, "bua nay": 0, "bua ni": 0, "ngay hom nay": 0,
    "qua": 1, "hom qua": 1, "bua qua": 1, "ngay hom qua": 1, "ngay qua": 1,
    "mai": -1, "ngay mai": -1, "kia": 2, "hom kia": 2, "bua kia": 2, "hom truoc": 2,
}  # fmt: skip
"""What a Vietnamese day part is said of: days before today."""


def _part_of_day(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`khuya 19`, `sáng 17`: a part of the day of this month."""
    dated = _day_only(reader, m)
    part = _part(reader, m)
    return dated.joined(part) if dated and part else None


def _before_yesterday(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`hôm kìa` is one day before `hôm kia`."""
    far = reader.typed[m.start() : m.end()].lower().endswith("kìa")
    return Moment(day=reader.today - (3 if far else 2) * DAY)


_SINCE_SAID = re.compile(r"(?<![0-9a-z])(?:tu|ke tu) [^,.;?!]{2,24} $")
_TO_WHEN = re.compile(
    r" (?:gio|nay|bay gio|hien|luc|thu|chu nhat|cn|t\d|ngay|hom|bua|sang|trua|chieu|dem|khuya|cuoi|het|\d)(?![a-z])"
)
_EVENING_SAID = re.compile(
    r"(?:(?<![0-9a-z])(?:buoi|hoi|ca|vao|moi|con|luc|den|chieu|trua|gio|ruoi|phut|som|gio may|\d{1,2} ?[hg]\d{0,2}"
    r"|gio \d{1,2}|hang|cac|nhung|ban|thi|va|hay|thu (?:hai|ba|tu|nam|sau|bay|\d)"
    r"|chu nhat|cn|(?:hom|bua) (?:qua|kia|nay)|\d/\d{1,2}|(?:ngay|hom|bua) \d{1,2})|,)$"
)


def _reaches(reader: Reader, m: re.Match[str]) -> bool:
    """Whether `toi` without marks is `tới` between two times: `tu thu hai toi thu tu`, `tu hom qua toi nay`."""
    bare = reader.typed[slice(*m.span("p"))].isascii()
    return bool(bare and _SINCE_SAID.search(reader.plain[: m.start()]) and _TO_WHEN.match(reader.plain[m.end("p") :]))


def _no_evening(reader: Reader, m: re.Match[str]) -> bool:
    """Whether a lone `toi` without marks is `tôi` or `tới`: nothing beside it speaks of time."""
    beside = _EVENING_SAID.search(reader.plain[: m.start()].rstrip()) or _TO_WHEN.match(reader.plain[m.end("p") :])
    return m["p"] == "toi" and not beside


def _part(reader: Reader, m: re.Match[str]) -> Moment | None:
    word = m["p"]
    if not reader.marked(*m.span("p"), word):
        return None
    name = PARTS[word]
    day = DAYS_BACK.get(m["w"] or "")
    if word == "toi" and _reaches(reader, m):
        return None
    if day is None:
        alone = "d" not in m.groupdict() and reader.typed[slice(*m.span("p"))].isascii()
        return None if alone and (reader.with_marks or _no_evening(reader, m)) else Moment(part=name)
    if day == 0 and name == "đêm" and reader.now.hour < 5:
        day = 1
    return Moment(day=reader.today - timedelta(days=day), part=name)


def _english_part(reader: Reader, m: re.Match[str]) -> Moment | None:
    name = PARTS[m["p"]]
    back = {"this": 0, "today": 0, "yesterday": 1, "last": 1}.get(m["w"] or "")
    return Moment(day=reader.today - timedelta(days=back) if back is not None else None, part=name)


def _clock(_reader: Reader, m: re.Match[str]) -> Moment | None:
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


def _clock_in_words(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`chín giờ rưỡi`, `nine o'clock`; `sau giờ học` is no six o'clock."""
    if m["hw"] == "sau" and reader.typed[slice(*m.span("hw"))].isascii():
        return None
    return Moment(clock=(hour_in_words(m["hw"]), 30 if m["half"] else 0))


_NO_NOW = re.compile(
    r" (?:please )?(?:list|show|give|tell|mark|tilt|pan|zoom|set|open|close|send|get|find|pull|check|let|make|turn|move"
    r"|swing|export|add|compare|file|log|put|split|escalate|ack|acknowledge|dispatch)(?![a-z])"
)
"""Orders behind a `now` that only begins a sentence."""


def _present(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`bây giờ`, `right now`; `bảy giờ` is seven o'clock, and `now list …` says nothing of time."""
    if m[0] == "now" and _NO_NOW.match(reader.plain, m.end()):
        return None
    return None if reader.typed[m.start() : m.end()].lower().startswith(("bảy", "bẩy")) else Moment(is_now=True)


def _clock_dated(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`3 giờ 11 sáng 17`: a clock, the part of the day, the day of this month; not `3 giờ chiều 2 xe tông nhau`."""
    counted = re.match(_NO_COUNT, reader.plain[m.end() :]) is None
    clock, part, dated = _clock(reader, m), _part(reader, m), _day_only(reader, m)
    if clock is None or part is None or dated is None or (counted and int(m["d"]) <= FEW):
        return None
    return replace(clock.joined(part).joined(dated), some=bool(m["some"]))


def _clock_and_some(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`4 giờ mấy`: somewhere in that hour."""
    clock = _clock(reader, m)
    return replace(clock, some=True) if clock else None


def _into_next(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`late on the 15th going into the 16th`: the evening and the night between two days."""
    first = _day_only(reader, m)
    return Moment(period=(at(first.day, 18), at(first.day, 29))) if first and first.day else None


def _night_to(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`đêm 20 rạng 21/11`: the night between two dates."""
    month = int(m["m"] or m["m1"] or reader.today.month)
    first = _year(m["y"], month if m["m1"] is None else int(m["m1"]), int(m["d1"]), reader)
    return Moment(period=(at(first, 22), at(first, 29))) if first else None


def _literal(make: Callable[[Reader], Moment]) -> Callable[[Reader, re.Match[str]], Moment | None]:
    return lambda reader, _match: make(reader)


def _rule(pattern: str, read: Callable[[Reader, re.Match[str]], Moment | None]) -> Rule:
    return re.compile(r"(?<![0-9a-z])(?:" + pattern + r")(?![0-9a-z])"), read


_MONTH_NAMES = "|".join(sorted(MONTHS, key=len, reverse=True))
_DAY_NAMES = "|".join(
    sorted((name for name in WEEKDAYS if name not in {"thu", "mon", "sun", "sat", "wed"}), key=len, reverse=True)
)
_FULL_MONTHS = "|".join(name for name in MONTHS if len(name) > 4 or name in {"may", "june", "july"})
_PART_VI = (
    "ban ngay|ban dem|rang sang|tang sang|sang som|gan sang|to mo sang|mo sang|tinh mo|trua chieu|chieu toi|sang|trua"
    "|chieu|toi|dem|khuya"
)
_PART_EN = (
    "early morning|daytime|daylight|after dark|daybreak|morning|noon|midday|lunchtime|afternoon|arvo|evening|night"
)
_SAID_OF = "|".join(sorted(DAYS_BACK, key=len, reverse=True))
FEW = 5
"""Up to here a number behind a part of the day may count things."""
_DEGREES = re.compile(r" (do|độ)(?!\w)")
_TURNING = re.compile(r"(?<![0-9a-z])(?:quay|xoay|lia|nghieng|ngang|ngua|cui|chuc|trai|phai)(?![0-9a-z])")
_NO_COUNT = r"(?! ?(?:h|g|gio|phut|nguoi|xe|vu|chiec|met|m|km|%|camera|cam|lan|tieng)(?![0-9a-z])|[0-9:/.%])"

RULES: tuple[Rule, ...] = (
    _rule(rf"(?P<h>\d{{1,2}}) ?(?:gio|h|g) ?(?P<min>\d{{2}})?(?: ?phut| (?P<some>may|hon)| (?P<half>ruoi))?"
          rf" (?P<p>{_PART_VI})(?P<w>$^)?"
          r" (?:ngay |hom )?(?P<d>\d{1,2})(?![0-9/:.\-])(?! ?(?:h|gio|g|phut)(?![0-9a-z]))", _clock_dated),
    _rule(r"(?:late |overnight )?(?:on |from )?(?:the )?(?:night of )?(?:the )?(?P<d>\d{1,2})(?:st|nd|rd|th)"
          r"(?: night)? (?:(?:going|running|rolling|through|and) )?into (?:the )?"
          r"(?:(?:early hours|morning) of (?:the )?)?"
          r"\d{1,2}(?:st|nd|rd|th)", _into_next),
    _rule(
        r"dem (?:ngay )?(?P<d1>\d{1,2})(?:/(?P<m1>\d{1,2}))? (?:rang|den|sang)(?: sang)?(?: ngay)? \d{1,2}"
        r"(?:/(?P<m>\d{1,2}))?(?:/(?P<y>\d{4}))?",
        _night_to,
    ),
    _rule(r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})", _iso),
    _rule(r"(?:ngay |hom |mung )?(?P<d>\d{1,2}) ?thang ?(?P<m>\d{1,2})(?: nam (?P<y>\d{4}))?", _numeric),
    _rule(r"(?:ngay |hom )?(?P<d>\d{1,2})[/\-](?P<m>\d{1,2})(?:[/\-](?P<y>\d{4}|\d{2}))?", _numeric),
    _rule(rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<m>{_MONTH_NAMES})\.?(?:,? (?P<y>\d{{4}}))?", _named_month),
    _rule(rf"(?P<m>{_MONTH_NAMES})\.? (?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?:,? (?P<y>\d{{4}}))?", _named_month),
    _rule(r"(?:ngay|hom|mung|bua|hom bua|bua hom)(?: ngay)? (?P<d>\d{1,2})" + _NO_COUNT, _day_only),
    _rule(rf"(?P<p>{_PART_VI})(?P<w>$^)? (?P<d>\d{{1,2}})" + _NO_COUNT, _part_of_day),
    _rule(r"(?:(?:on )?the |(?<=and )|(?<=or )|(?<=to )|(?<=& ))(?P<d>\d{1,2})(?:st|nd|rd|th)", _day_only),
    _rule(r"(?:(?<=i mean )|(?<=i meant )|(?<=y la )|(?<=just )|(?<=only ))(?:the )?(?P<d>\d{1,2})"
          r"(?=(?: only| thoi)?(?: *$| *[.,?!]))", _day_only),
    _rule(r"(?:dem|toi|khuya|hoi) hom(?! (?:qua|nay|kia|truoc|ni|\d|thu|chu))|hoi dem|hoi khuya",
          _literal(lambda r: Moment(day=r.today - DAY, part="night"))),
    _rule(r"(?:the )?night before last|(?<=last night or )(?:the )?night before",
          _literal(lambda r: Moment(day=r.today - 2 * DAY, part="night"))),
    _rule(r"dem qua(?: va)? rang sang(?: (?:hom )?nay)?", _literal(lambda r: Moment(day=r.today - DAY, part="đêm"))),
    _rule(rf"(?P<p>{_PART_VI})(?: cua| ngay)? (?P<w>{_SAID_OF})", _part),
    _rule(rf"(?P<w>this|yesterday|last|today) (?P<p>{_PART_EN})", _english_part),
    _rule(r"overnight", _literal(lambda r: Moment(day=r.today - DAY, part="night"))),
    _rule(r"tonight", _literal(lambda r: Moment(day=r.today, part="night"))),
    _rule(r"ngay mai|tomorrow", _literal(lambda r: Moment(day=r.today + DAY))),
    _rule(r"(?:trong |ca )?(?:ngay )?hom (?:nay|ni)|hnay|bua (?:nay|ni)|bua hom nay"
        r"|trong ngay(?: hom nay| nay|(?! (?:hom|thu|qua|kia|chu|ngay|\d)))"
        r"|today", _literal(lambda r: Moment(day=r.today))),
    _rule(r"(?:the )?day before yesterday|(?:ngay |bua )?hom kia|bua kia|hom truoc nua", _before_yesterday),
    _rule(r"(?:ngay |bua )?hom qua|hqua|bua qua|ngay qua|yesterday", _literal(lambda r: Moment(day=r.today - DAY))),
    _rule(
        rf"(?:(?:cai )?(?:hom|bua|ngay) )?(?P<a>this|last|previous)? ?(?P<w>{_DAY_NAMES})"
        r"(?P<b> tuan (?:nay|ni|truoc|roi|qua)| last week| this week| nay| vua roi| vua qua| roi)?",
        _weekday,
    ),
    _rule(
        r"(?:in |within |for |over |during )?(?:the )?"
        rf"(?:past|last(?! (?:week|month)(?![a-z]))|(?<=the )last|previous) (?:{_N} )?(?:of )?(?P<half>$^)?"
        r"(?P<u>minutes?|mins?|hours?|days?|weeks?|months?)",
        _length,
    ),
    _rule(
        rf"(?:trong )?(?:vong )?{_N} ?(?P<u>phut|gio|tieng|ngay|hom|tuan|thang)(?: dong ho)?(?P<half> ruoi)? "
        r"(?:qua|truoc|gan day|gan nhat|vua qua|vua roi|do lai|tro lai|nay|lai day)",
        _length,
    ),
    _rule(rf"{_N} (?P<u>minutes?|hours?|days?|weeks?)(?P<half>$^)? ago", _length),
    _rule(
        r"gan day|dao nay|dao ni|(?P<may>may) (?:hom|ngay|bua) (?:nay|ni|ray|truoc|qua|gio)"
        r"|(?:hom|bua) (?:ray|gio)|recently|lately|these days|of late",
        _recent,
    ),
    _rule(r"(?:tu )?sang gio", _literal(lambda r: Moment(period=(at(r.today, 5), max(r.now, at(r.today, 5)))))),
    _rule(r"(?:tu )?dau tuan(?: nay)?", _literal(lambda r: Moment(period=(at(week_start(r.today)), r.now)))),
    _rule(r"(?:tu )?dau thang(?: nay)?|month to date", _literal(lambda r: _since(r, month_start(r.today)))),
    _rule(r"(?:tu )?dau nam(?: nay)?|year to date", _literal(lambda r: _since(r, date(r.today.year, 1, 1)))),
    _rule(r"cuoi tuan(?: nay| qua| truoc| vua roi)?|(?:this |last |the )?weekend", _weekend),
    _rule(r"(?:ca |trong )?tuan (?:nay|ni)|trong tuan|ca tuan(?! (?:truoc|qua|roi|vua))|this week"
          r"|(?:the |all |this )?(?:whole|entire) week|all week", _literal(lambda r: _week(r, 0))),
    _rule(r"tuan truoc|tuan qua|tuan roi|tuan vua (?:roi|qua)|last week", _literal(lambda r: _week(r, 1))),
    _rule(r"thang (?:nay|ni)|trong thang|ca thang(?! (?:truoc|qua|roi|vua|\d))|this month",
          _literal(lambda r: _month(r, 0))),
    _rule(r"thang truoc|thang qua|thang roi|thang vua (?:roi|qua)|last month", _literal(lambda r: _month(r, 1))),
    _rule(rf"(?:thang|(?:in|during|since|for|last|this) (?:the month of )?(?=(?:{_FULL_MONTHS})))(?: "
        rf"|(?<= ))(?P<m>{_FULL_MONTHS}|1[0-2]|0?[1-9])"
          r"(?:(?:/| nam | )(?P<y>\d{4}))?", _whole_month),
    _rule(r"nam nay|this year", _literal(lambda r: Moment(period=(at(date(r.today.year, 1, 1)), r.now)))),
    _rule(r"bay gio|hien gio|hien tai|luc nay|right now|now", _present),
    _rule(r"(?P<h>\d{1,2}):(?P<min>\d{2}) ?(?P<ap>am|pm|a\.m\.|p\.m\.)?", _clock),
    _rule(r"(?P<h>\d{1,2}) ?(?:gio|h) ?kem ?(?P<less>\d{1,2})(?P<min>$^)?", _clock),
    _rule(r"(?P<h>\d{1,2})(?: ?(?:gio|h|g))? ?(?P<half>ruoi)(?P<min>$^)?(?= (?:sang|trua|chieu|toi|dem)(?![0-9a-z]))",
          _clock),
    _rule(r"(?P<h>\d{1,2}) ?(?:gio|h|g) ?(?P<half>ruoi)(?P<min>$^)?", _clock),
    _rule(r"(?P<h>\d{1,2}) ?(?:gio|h|g) ?(?:may|hon|may phut)(?P<min>$^)?"
          r"(?! (?:vu|xe|chiec|nguoi|cai|dua|thang|con|lan|gio)(?![0-9a-z]))", _clock_and_some),
    _rule(r"(?:hon|ngoai) (?P<h>\d{1,2}) ?(?:gio|h|g)(?P<min>$^)?(?! ?\d)"
          r"(?! (?:qua|truoc|dong ho|nay|lien|vua|gan)(?![0-9a-z]))", _clock_and_some),
    _rule(r"(?P<h>\d{1,2}) ?(?:gio|h|g) ?(?P<min>\d{2})?(?: ?phut)?", _clock),
    _rule(r"(?P<h>\d{1,2})(?P<min>$^)? ?(?P<ap>am|pm|a\.m\.|p\.m\.)", _clock),
    _rule(r"(?P<h>\d{1,2})(?P<min>$^)? ?o'?clock", _clock),
    _rule(rf"(?<!trong )(?<!vong )(?<!moi )(?P<hw>{HOUR_NAMES}) (?:gio(?! (?:dong ho|nua|lien))|o'?clock)"
          r"(?P<half> ruoi)?", _clock_in_words),
    _rule(r"(?<=since )noon|(?<=from )noon|(?<=after )noon|(?<=before )noon|(?<=until )noon|12 noon",
          _literal(lambda _r: Moment(clock=(12, 0), exact_hour=True))),
    _rule(r"midnight|nua dem", _literal(lambda _r: Moment(clock=(24, 0), exact_hour=True))),
    _rule(rf"(?P<p>{_PART_VI})(?P<w>$^)?", _part),
    _rule(rf"(?:in the |at |during the )?(?P<p>{_PART_EN})(?P<w>$^)?", _english_part),
)  # fmt: skip


def read_at(reader: Reader, position: int) -> Found | None:
    """The time expression that begins at `position`, and where it ends; None when there is none."""
    for pattern, read in RULES:
        match = pattern.match(reader.plain, position)
        if match and match.end() > position:
            moment = read(reader, match)
            if moment is not None:
                return moment, match.end()
    return None
