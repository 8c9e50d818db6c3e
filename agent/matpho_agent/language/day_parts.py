"""Parts of a day said in a text: `tối qua`, `sáng 17`, `this morning`; a bare `toi` may be none."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from matpho_agent.language.dates import day_only
from matpho_agent.language.moments import NEEDS_MARKS, PARTS, Moment, Reader

DAYS_BACK = {
    "nay": 0, "ni": 0, "hom nay": 0, "hom ni": 0, "bua nay": 0, "bua ni": 0, "ngay hom nay": 0,
    "qua": 1, "hom qua": 1, "bua qua": 1, "ngay hom qua": 1, "ngay qua": 1,
    "mai": -1, "ngay mai": -1, "kia": 2, "hom kia": 2, "bua kia": 2, "hom truoc": 2,
}  # fmt: skip
"""What a Vietnamese day part is said of: days before today."""
_SINCE_SAID = re.compile(r"(?<![0-9a-z])(?:tu|ke tu) [^,.;?!]{2,24} $")
_TO_WHEN = re.compile(
    r" (?:gio|nay|bay gio|hien|luc|thu|chu nhat|cn|t\d|ngay|hom|bua|sang|trua|chieu|dem|khuya|cuoi|het|\d)(?![a-z])"
)
_EVENING_SAID = re.compile(
    r"(?:(?<![0-9a-z])(?:buoi|hoi|ca|vao|moi|con|luc|den|chieu|trua|gio|ruoi|phut|som|gio may|\d{1,2} ?[hg]\d{0,2}"
    r"|gio \d{1,2}|hang|cac|nhung|ban|thi|va|hay|thu (?:hai|ba|tu|nam|sau|bay|\d)"
    r"|chu nhat|cn|(?:hom|bua) (?:qua|kia|nay)|\d/\d{1,2}|(?:ngay|hom|bua) \d{1,2})|,)$"
)


_COUNTS = re.compile(r" (?:theo|so|giup|gium|tung|bao|may|tong)(?![a-z])")
"""Words behind which `dem` without marks is `đếm`."""


def part_of_day(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`khuya 19`, `sáng 17`: a part of the day of this month."""
    dated = day_only(reader, m)
    part = day_part(reader, m)
    return dated.joined(part) if dated and part else None


def _reaches(reader: Reader, m: re.Match[str]) -> bool:
    """Whether `toi` without marks is `tới` between two times: `tu thu hai toi thu tu`, `tu hom qua toi nay`."""
    bare = reader.typed[slice(*m.span("p"))].isascii()
    return bool(bare and _SINCE_SAID.search(reader.plain[: m.start()]) and _TO_WHEN.match(reader.plain[m.end("p") :]))


def _no_evening(reader: Reader, m: re.Match[str]) -> bool:
    """Whether a lone `toi` without marks is `tôi` or `tới`: nothing beside it speaks of time."""
    beside = _EVENING_SAID.search(reader.plain[: m.start()].rstrip()) or _TO_WHEN.match(reader.plain[m.end("p") :])
    return m["p"] == "toi" and not beside


def day_part(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`tối qua`, `sáng`: with the day it is said of, if one stands behind it."""
    word = m["p"]
    if not reader.marked(*m.span("p"), word):
        return None
    if word == "dem" and reader.typed[slice(*m.span("p"))].isascii() and _COUNTS.match(reader.plain, m.end("p")):
        return None
    name = PARTS[word]
    day = DAYS_BACK.get(m["w"] or "")
    if word == "toi" and _reaches(reader, m):
        return None
    if day is None:
        alone = "d" not in m.groupdict() and word in NEEDS_MARKS and reader.typed[slice(*m.span("p"))].isascii()
        return None if alone and (reader.with_marks or _no_evening(reader, m)) else Moment(part=name)
    if day == 0 and name == "đêm" and reader.now.hour < 5:
        day = 1
    return Moment(day=reader.today - timedelta(days=day), part=name)


LATER_PARTS = {
    ("late", "last night"): "late night",
    ("early", "this morning"): "sáng sớm",
    ("late", "this morning"): "late morning",
}
"""`late last night`, `early this morning`."""


def rush_said(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`rush hour this morning`, `rush hour yesterday evening`."""
    said = english_part(reader, m)
    return replace(said, part="morning rush" if said.part in {"sáng", "sáng sớm"} else "evening rush") if said else None


def english_part(reader: Reader, m: re.Match[str]) -> Moment | None:
    """`this morning`, `last night`, `in the evening`."""
    word, when = m["p"], m["w"] or ""
    name = PARTS.get(word) or LATER_PARTS.get((word, when), "")
    back = {"this": 0, "today": 0, "this morning": 0, "yesterday": 1, "last": 1, "last night": 1}.get(when)
    if not name or (word == "morning" and when == "last night"):
        return None
    return Moment(day=reader.today - timedelta(days=back) if back is not None else None, part=name)
