"""The ways to say a moment, each a pattern with its reading, tried in order at one place of a text."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

from matpho_agent.language.clocks import (
    MINUTES_IN_WORDS,
    NO_COUNT,
    clock_and_some,
    clock_dated,
    clock_in_words,
    clock_time,
    hour_alone,
    now_said,
    past_hour,
    told_in_words,
)
from matpho_agent.language.dates import before_yesterday, day_only, iso, named_month, numeric, weekday
from matpho_agent.language.day_parts import DAYS_BACK, day_part, english_part, part_of_day, rush_said
from matpho_agent.language.moments import (
    DAY,
    HOUR_NAMES,
    MONTHS,
    NUMBERS,
    PARTS_EN,
    PARTS_VI,
    WEEKDAYS,
    Moment,
    Reader,
    at,
    month_start,
    week_start,
)
from matpho_agent.language.stretches import (
    days_ago,
    into_next,
    just_before,
    length,
    month_back,
    night_to,
    nights_back,
    part_of_month,
    quarter,
    recent,
    shift_before,
    since,
    week_back,
    weekday_night,
    weekend,
    whole_month,
)

Found = tuple[Moment, int]
Rule = tuple[re.Pattern[str], Callable[[Reader, re.Match[str]], Moment | None]]
_N = r"(?P<n>\d{1,3}|" + "|".join(sorted(NUMBERS, key=len, reverse=True)) + ")"


def _literal(make: Callable[[Reader], Moment]) -> Callable[[Reader, re.Match[str]], Moment | None]:
    return lambda reader, _match: make(reader)


def _rule(pattern: str, read: Callable[[Reader, re.Match[str]], Moment | None]) -> Rule:
    return re.compile(r"(?<![0-9a-z])(?:" + pattern + r")(?![0-9a-z])"), read


_MONTH_NAMES = "|".join(sorted(MONTHS, key=len, reverse=True))
_DAY_NAMES = "|".join(
    sorted((name for name in WEEKDAYS if name not in {"thu", "mon", "sun", "sat", "wed"}), key=len, reverse=True)
)
_FULL_MONTHS = "|".join(name for name in MONTHS if len(name) > 4 or name in {"may", "june", "july"})
_PART_VI = "|".join(sorted(PARTS_VI, key=len, reverse=True))
_PART_EN = "|".join(sorted(PARTS_EN, key=len, reverse=True))
_NUMBER = "\\d{1,2}|" + "|".join(sorted((name for name in NUMBERS if name != "nua"), key=len, reverse=True))
_HOURS_EN = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_MINUTES_VI = "|".join(sorted(MINUTES_IN_WORDS, key=len, reverse=True))
_SAID_OF = "|".join(sorted(DAYS_BACK, key=len, reverse=True))
RULES: tuple[Rule, ...] = (
    _rule(rf"(?P<h>\d{{1,2}}) ?(?:gio|h|g) ?(?P<min>\d{{2}})?(?: ?phut| (?P<some>may|hon)| (?P<half>ruoi))?"
          rf" (?P<p>{_PART_VI})(?P<w>$^)?"
          r" (?:ngay |hom )?(?P<d>\d{1,2})(?![0-9/:.\-])(?! ?(?:h|gio|g|phut)(?![0-9a-z]))", clock_dated),
    _rule(r"(?:late |overnight )?(?:on |from )?(?:the )?(?:night of )?(?:the )?(?P<d>\d{1,2})(?:st|nd|rd|th)"
          r"(?: night)? (?:(?:going|running|rolling|through|and) )?into (?:the )?"
          r"(?:(?:early hours|morning) of (?:the )?)?"
          r"\d{1,2}(?:st|nd|rd|th)", into_next),
    _rule(
        r"dem (?:ngay )?(?P<d1>\d{1,2})(?:/(?P<m1>\d{1,2}))? (?:rang|den|sang)(?: sang)?(?: ngay)? \d{1,2}"
        r"(?:/(?P<m>\d{1,2}))?(?:/(?P<y>\d{4}))?",
        night_to,
    ),
    _rule(r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})", iso),
    _rule(r"(?:ngay |hom |mung )?(?P<d>\d{1,2}) ?thang ?(?P<m>\d{1,2})(?: nam (?P<y>\d{4}))?", numeric),
    _rule(r"(?:ngay |hom )?(?P<d>\d{1,2})[/\-](?P<m>\d{1,2})(?:[/\-](?P<y>\d{4}|\d{2}))?", numeric),
    _rule(rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<m>{_MONTH_NAMES})\.?(?:,? (?P<y>\d{{4}}))?", named_month),
    _rule(rf"(?P<m>{_MONTH_NAMES})\.? (?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?:,? (?P<y>\d{{4}}))?", named_month),
    _rule(r"(?:ngay|hom|mung|bua|hom bua|bua hom)(?: ngay)? (?P<d>\d{1,2})" + NO_COUNT, day_only),
    _rule(rf"(?P<p>{_PART_VI})(?P<w>$^)? (?P<d>\d{{1,2}})" + NO_COUNT, part_of_day),
    _rule(r"(?:(?:on )?the |(?<=and )|(?<=or )|(?<=to )|(?<=& ))(?P<d>\d{1,2})(?:st|nd|rd|th)", day_only),
    _rule(r"(?:(?<=i mean )|(?<=i meant )|(?<=y la )|(?<=just )|(?<=only ))(?:the )?(?P<d>\d{1,2})"
          r"(?=(?: only| thoi)?(?: *$| *[.,?!]))", day_only),
    _rule(r"(?:dem|toi|khuya|hoi) hom(?! (?:qua|nay|kia|truoc|ni|\d|thu|chu))|hoi dem|hoi khuya",
          _literal(lambda r: Moment(day=r.today - DAY, part="night"))),
    _rule(r"(?:the )?night before last|(?<=last night or )(?:the )?night before",
          _literal(lambda r: Moment(day=r.today - 2 * DAY, part="night"))),
    _rule(r"dem qua(?: va)? rang sang(?: (?:hom )?nay)?", _literal(lambda r: Moment(day=r.today - DAY, part="đêm"))),
    _rule(rf"(?P<p>{_PART_VI})(?: cua| ngay)? (?P<w>{_SAID_OF})", day_part),
    _rule(rf"(?P<w>this|yesterday|last|today) (?P<p>{_PART_EN})", english_part),
    _rule(rf"(?P<p>late|early|{_PART_EN}) (?:of )?(?P<w>this morning|last night|yesterday|today)", english_part),
    _rule(rf"rush hour (?P<w>this|yesterday|last|today) (?P<p>{_PART_EN})", rush_said),
    _rule(rf"(?P<n>{_NUMBER}) (?P<u>nights?|days?|weeks?) ago(?: today)?", days_ago),
    _rule(rf"cach (?:day|nay) (?P<n>{_NUMBER}) (?P<u>dem|ngay|hom|bua|tuan)|"
          rf"(?<!trong )(?<!vong )(?<!suot )(?P<n2>{_NUMBER}) (?P<u2>dem|ngay|hom|bua|tuan) truoc", days_ago),
    _rule(rf"(?:the )?(?:last|past) (?P<n>{_NUMBER}) nights|(?P<n2>{_NUMBER}) (?:dem|toi) (?:qua|nay|gan day|lien)",
          nights_back),
    _rule(rf"(?:(?:overnight|night)(?: of| on| from)? (?P<w>{_DAY_NAMES})(?: night)?|(?P<w2>{_DAY_NAMES}) night)"
          rf" (?:in|on|over)?to (?:the )?(?:early hours of |early )?(?:{_DAY_NAMES})(?: morning)?", weekday_night),
    _rule(r"overnight", _literal(lambda r: Moment(day=r.today - DAY, part="night"))),
    _rule(r"tonight", _literal(lambda r: Moment(day=r.today, part="night"))),
    _rule(r"ngay mai|tomorrow", _literal(lambda r: Moment(day=r.today + DAY))),
    _rule(r"(?:trong |ca )?(?:ngay )?hom (?:nay|ni)|hnay|bua (?:nay|ni)|bua hom nay"
        r"|trong ngay(?: hom nay| nay|(?! (?:hom|thu|qua|kia|chu|ngay|\d)))"
        r"|today", _literal(lambda r: Moment(day=r.today))),
    _rule(r"(?:the )?day before yesterday|(?:ngay |bua )?hom kia|bua kia|hom truoc nua", before_yesterday),
    _rule(r"(?:ngay |bua )?hom qua|hqua|bua qua|ngay qua|yesterday", _literal(lambda r: Moment(day=r.today - DAY))),
    _rule(
        rf"(?:(?:cai )?(?:hom|bua|ngay) )?(?P<a>this|last|previous)? ?(?P<w>{_DAY_NAMES})"
        r"(?P<b> tuan (?:nay|ni|truoc|roi|qua)| last week| this week| nay| vua roi| vua qua| roi)?",
        weekday,
    ),
    _rule(
        r"(?:in |within |for |over |during )?(?:the )?"
        rf"(?:past|last(?! (?:week|month)(?![a-z]))|(?<=the )last|previous) (?:{_N} )?(?:of )?(?P<half>$^)?"
        r"(?P<u>minutes?|mins?|hours?|days?|weeks?|months?)",
        length,
    ),
    _rule(
        rf"(?:trong )?(?:vong )?{_N} ?(?P<u>phut|gio|tieng|ngay|hom|tuan|thang)(?: dong ho)?(?P<half> ruoi)? "
        r"(?:qua|truoc|gan day|gan nhat|vua qua|vua roi|do lai|tro lai|nay|lai day)",
        length,
    ),
    _rule(rf"{_N} (?P<u>minutes?|mins?|hours?|hrs?)(?P<half>$^)? ago", length),
    _rule(r"(?:in |within |for |over |during )?(?:the )?(?:past|last|previous) (?P<n>half)(?: an?)? (?P<u>hour|day)"
          r"(?P<half>$^)?|(?P<n2>half) an? (?P<u2>hour) ago", length),
    _rule(r"(?:in |within |over )?(?:the )?(?:past|last) quarter of an hour",
          _literal(lambda r: Moment(period=(r.now - timedelta(minutes=15), r.now)))),
    _rule(r"(?:with)?in the hour", _literal(lambda r: Moment(period=(r.now - timedelta(hours=1), r.now)))),
    _rule(r"(?:trong )?(?:vong )?(?P<n>\d{1,3}) ?(?P<u>h|p|ph)(?P<half>$^)? (?:qua|truoc|gan day|gan nhat|vua qua"
          r"|vua roi|do lai|tro lai|lai day)(?! (?:nay|qua))", length),
    _rule(r"(?:vua|hoi|ban|luc|moi|khi) nay(?! (?:co xe|day))", just_before),
    _rule(r"just now|a (?:moment|while|minute) ago|moments ago|vua xong|moi day", just_before),
    _rule(r"ca (?:truc )?(?:truoc|vua roi|roi)|(?:the )?(?:previous|last) shift", shift_before),
    _rule(r"(?:this time|gio nay|dung gio nay|tam nay) (?:yesterday|hom qua|bua qua)",
          _literal(lambda r: Moment(day=r.today - DAY, clock=(r.now.hour, r.now.minute), exact_hour=True))),
    _rule(r"(?P<w>dau|giua|cuoi) thang (?:(?P<m>1[0-2]|0?[1-9])(?! ?(?:h|gio))|(?P<back>truoc|roi|qua))",
          part_of_month),
    _rule(r"(?:quy|quarter) ?(?P<q>[1-4])(?: nam (?P<y>\d{4}))?", quarter),
    _rule(
        r"gan day|dao nay|dao ni|(?:hom|bua) no|bua truoc|the other day"
        r"|(?P<may>may) (?:hom|ngay|bua) (?:nay|ni|ray|truoc|qua|gio)"
        r"|(?:hom|bua) (?:ray|gio)|recently|lately|these days|of late",
        recent,
    ),
    _rule(r"(?:tu )?sang gio", _literal(lambda r: Moment(period=(at(r.today, 5), max(r.now, at(r.today, 5)))))),
    _rule(r"(?:tu )?dau tuan(?: nay)?", _literal(lambda r: Moment(period=(at(week_start(r.today)), r.now)))),
    _rule(r"(?:tu )?dau thang(?: nay)?|month to date", _literal(lambda r: since(r, month_start(r.today)))),
    _rule(r"(?:tu )?dau nam(?: nay)?|year to date", _literal(lambda r: since(r, date(r.today.year, 1, 1)))),
    _rule(r"cuoi tuan(?: nay| qua| truoc| vua roi)?|(?:this |last |the )?weekend", weekend),
    _rule(r"(?:ca |trong )?tuan (?:nay|ni)|(?:trong|ca) tuan(?! (?:truoc|qua|roi|vua))|this week"
          r"|(?:the |all |this )?(?:whole|entire) week|all week", _literal(lambda r: week_back(r, 0))),
    _rule(r"(?:trong|suot) tuan (?:qua|vua qua)|(?:in |over |during )?the past week",
          _literal(lambda r: since(r, r.today - 7 * DAY))),
    _rule(r"tuan truoc nua|(?:the )?week before last", _literal(lambda r: week_back(r, 2))),
    _rule(r"tuan truoc|tuan qua|tuan roi|tuan vua (?:roi|qua)|last week", _literal(lambda r: week_back(r, 1))),
    _rule(r"thang (?:nay|ni)|(?:trong|ca) thang(?! ?(?:truoc|qua|roi|vua|\d))|this month",
          _literal(lambda r: month_back(r, 0))),
    _rule(r"thang truoc|thang qua|thang roi|thang vua (?:roi|qua)|last month", _literal(lambda r: month_back(r, 1))),
    _rule(rf"(?:(?:trong |hoi )?thang|(?:in|during|since|for|last|this) (?:the month of )?(?=(?:{_FULL_MONTHS})))(?: "
        rf"|(?<= ))(?P<m>{_FULL_MONTHS}|1[0-2]|0?[1-9])"
          r"(?:(?:/| nam | )(?P<y>\d{4}))?", whole_month),
    _rule(r"nam nay|this year", _literal(lambda r: Moment(period=(at(date(r.today.year, 1, 1)), r.now)))),
    _rule(r"bay gio|hien gio|hien tai|luc nay|right now|now", now_said),
    _rule(rf"(?P<to>half|quarter|five|ten|twenty|twenty five|\d{{1,2}})(?: minutes?)? (?P<way>past|after|to|before) "
          rf"(?P<h>\d{{1,2}}|{_HOURS_EN})(?: ?(?P<ap>am|pm|a\.m\.|p\.m\.))?(?![:\d])", past_hour),
    _rule(rf"(?P<to>half) (?P<way>)(?P<h>{_HOURS_EN})(?! (?:of|day|hour|an|people|men|cars))", past_hour),
    _rule(r"(?:(?<=at )|(?<=around )|(?<=about )|(?<=by )|(?<=after )|(?<=before ))"
          rf"(?P<h>\d{{1,2}}|{_HOURS_EN})(?:ish)?(?= (?:in the|at night|last night|tonight|yesterday|today"
          r"|this (?:morning|afternoon|evening)|on (?:the|[a-z]+day))(?![0-9a-z]))", hour_alone),
    _rule(rf"(?P<h>\d{{1,2}}|{_HOURS_EN})(?:ish(?![0-9a-z])|(?= (?:in the (?:morning|afternoon|evening)|at night)))",
          hour_alone),
    _rule(rf"(?P<h>{_HOURS_EN}) (?P<way>)(?P<to>fifteen|thirty|forty five)(?: ?(?P<ap>am|pm))?", past_hour),
    _rule(rf"(?P<h>{HOUR_NAMES}|\d{{1,2}}) ?(?:gio|h) ?(?:kem|thieu) ?"
          rf"(?P<less>{_MINUTES_VI}|\d{{1,2}})(?: phut)?",
          told_in_words),
    _rule(rf"(?P<h>{HOUR_NAMES}|\d{{1,2}}) gio (?P<min>{_MINUTES_VI})(?: phut)?(?! (?:xe|vu|nguoi|chiec))",
          told_in_words),
    _rule(r"(?:(?<=luc )|(?<=tam )|(?<=khoang )|(?<=hoi )|(?<=gan )|(?<=tu )|(?<=den ))"
          rf"(?P<h>{HOUR_NAMES}|\d{{1,2}}) (?P<half>ruoi)", told_in_words),
    _rule(rf"(?P<h>{HOUR_NAMES}) (?P<half>ruoi)(?= (?:sang|trua|chieu|toi|dem)(?![0-9a-z]))", told_in_words),
    _rule(r"(?P<h>\d{1,2}):(?P<min>\d{2}) ?(?P<ap>am|pm|a\.m\.|p\.m\.)?", clock_time),
    _rule(r"(?P<h>\d{1,2}) ?(?:gio|h) ?kem ?(?P<less>\d{1,2})(?P<min>$^)?", clock_time),
    _rule(r"(?P<h>\d{1,2})(?: ?(?:gio|h|g))? ?(?P<half>ruoi)(?P<min>$^)?(?= (?:sang|trua|chieu|toi|dem)(?![0-9a-z]))",
          clock_time),
    _rule(r"(?P<h>\d{1,2}) ?(?:gio|h|g) ?(?P<half>ruoi)(?P<min>$^)?", clock_time),
    _rule(r"(?P<h>\d{1,2}) ?(?:gio|h|g) ?(?:may|hon|may phut)(?P<min>$^)?"
          r"(?! (?:vu|xe|chiec|nguoi|cai|dua|thang|con|lan|gio)(?![0-9a-z]))", clock_and_some),
    _rule(r"(?:hon|ngoai) (?P<h>\d{1,2}) ?(?:gio|h|g)(?P<min>$^)?(?! ?\d)"
          r"(?! (?:qua|truoc|dong ho|nay|lien|vua|gan)(?![0-9a-z]))", clock_and_some),
    _rule(r"(?P<h>\d{1,2}) ?(?:gio|h|g) ?(?P<min>\d{2})?(?: ?phut)?", clock_time),
    _rule(r"(?P<h>\d{1,2})(?P<min>$^)? ?(?P<ap>am|pm|a\.m\.|p\.m\.)", clock_time),
    _rule(r"(?P<h>\d{1,2})(?P<min>$^)? ?o'?clock", clock_time),
    _rule(rf"(?<!trong )(?<!vong )(?<!moi )(?P<hw>{HOUR_NAMES}) (?:gio(?! (?:dong ho|nua|lien))|o'?clock)"
          r"(?P<half> ruoi)?", clock_in_words),
    _rule(r"(?<=since )noon|(?<=from )noon|(?<=after )noon|(?<=before )noon|(?<=until )noon|12 noon",
          _literal(lambda _r: Moment(clock=(12, 0), exact_hour=True))),
    _rule(r"midnight|nua dem", _literal(lambda _r: Moment(clock=(24, 0), exact_hour=True))),
    _rule(rf"(?:buoi )?(?P<p>{_PART_VI})(?P<w>$^)?", day_part),
    _rule(rf"(?:in the |at |during the )?(?P<p>{_PART_EN})(?P<w>$^)?", english_part),
)  # fmt: skip


_ANY = re.compile("|".join(re.sub(r"\(\?P<\w+>", "(?:", pattern.pattern) for pattern, _read in RULES))
"""All rules at once: at most places in a text none of them begins."""


def read_at(reader: Reader, position: int) -> Found | None:
    """The time expression that begins at `position`, and where it ends; None when there is none."""
    if _ANY.match(reader.plain, position) is None:
        return None
    for pattern, read in RULES:
        match = pattern.match(reader.plain, position)
        if match and match.end() > position:
            moment = read(reader, match)
            if moment is not None:
                return moment, match.end()
    return None
