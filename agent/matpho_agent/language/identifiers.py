"""Things with a fixed shape: event ids, licence plates, codes of cases, counts; read from the typed text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from matpho_agent.language.codes import NO_BEGINNINGS, Code, birth_date, citizen_id, read_codes
from matpho_agent.language.spoken_plates import spoken_plate
from matpho_agent.language.tokens import Text

_EVENT_ID = re.compile(r"(?<![0-9a-f-])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-f-])")
_PLATE = re.compile(
    r"(?<![0-9a-z-])(\d{2}[ .-]?[a-z]{1,2}\d?[ .-]?\d{3}[.,]?\d{2}|\d{2}[ .-]?[a-z]\d?[ .-]?\d{4})(?![0-9a-z-])"
)
"""Province code, series, four or five digits; two-line motorcycle plates with their digit after the series."""
_PLATE_PART = re.compile(
    r"(?<![0-9a-z])(?:duoi|so duoi|bien so|bien|bsx|bks|plate|plates|(?:ending|ends?)(?: in| with)?|number plate"
    r"|licen[cs]e plate)"
    r"(?: so| la| xe| kiem soat| co| chua| (?:ending|ends?|starts?|begins?|contains)(?: in| with)?| number"
    r"| with)* ?:? ?"
    r"(?P<part>[0-9][0-9a-z.\-]{1,11})(?![0-9a-z])"
)
_PLATE_BIT = re.compile(
    r"(?:bien(?: so)?|plate)(?: \w+){0,2} (?:khuc|doan|cum|chuoi|bat dau bang|bat dau|ket thuc bang|dau|duoi"
    r"|starting with|beginning with|containing|contains|has|with)(?: so| la)? "
    r"(?P<part>[0-9][0-9a-z.\-]{1,11})(?![0-9a-z])"
    r"|(?<![0-9a-z.\-])(?P<before>[0-9][0-9a-z.]{2,8}) (?:(?:o )?(?:trong|tren) (?:cai )?bien"
    r"|(?:on|in) (?:the|its) plate)"
    r"|(?<![0-9a-z])(?:xe (?P<bare>[0-9]{3}\.[0-9]{2})|(?:con xe|cai xe|con|chiec|xe|cai) (?!11[345] )"
    r"(?P<seen>[0-9]{3,5})(?= (?:ay|do|day|kia|nay)(?![0-9a-z])))(?![0-9a-z])"
)
"""A part of a plate said in other ways: `biển có khúc 556`, `640 on the plate`, `cái xe 888.16`."""
_RADIUS = re.compile(
    r"(?:ban kinh|trong vong|cach|within|radius of|in a radius of)? ?(\d{1,5}(?:[.,]\d+)?) ?"
    r"(km|kilomet(?:er|re)s?|cay so|met|m|metres?|meters?)(?![0-9a-z])"
)
_COUNTED = r"(?= *(?:nguoi|xe|chiec|people|persons|vehicles|cars|trucks|bikes|motor|o to))"
_MORE = re.compile(r"(?:hon|tren|qua|more than|over|above|>) ?(\d{1,5})" + _COUNTED)
_LEAST = re.compile(
    r"(?:tu|it nhat|toi thieu|at least|>=|minimum) ?(\d{1,5})"
    + _COUNTED
    + r"|(\d{1,5}) ?(?:nguoi|xe|chiec|people|vehicles|cars|trucks)? ?(?:tro len|or more)"
)


@dataclass(frozen=True, slots=True)
class Identifiers:
    """What was found, and which stretches of the text it takes."""

    event_ids: tuple[str, ...] = ()
    plate: str | None = None
    codes: tuple[Code, ...] = ()
    citizen_id: str | None = None
    birth: str | None = None
    """YYYY-MM-DD."""
    radius_m: float | None = None
    min_count: int | None = None
    spans: tuple[tuple[int, int], ...] = ()


def read_identifiers(
    text: Text, known: Callable[[str], bool] = lambda _id: False, beginnings: Mapping[str, str] = NO_BEGINNINGS
) -> Identifiers:
    """Find every identifier; the plate is given as typed, for the caller to normalise.

    `known` says that an id is one of the registry's own (a camera, an area, a unit) and therefore no code; `beginnings`
    how codes of one kind begin in this installation.
    """
    plain = text.plain
    spans: list[tuple[int, int]] = []
    events = tuple(_take(m, spans) for m in _EVENT_ID.finditer(plain))
    citizen, birth = _kept(citizen_id(plain), spans), _kept(birth_date(plain), spans)
    plate = _plate(text, spans, _PLATE, 1) or _kept(spoken_plate(text), spans)
    codes = tuple(read_codes(text, spans, known, beginnings))
    spans.extend((code.start, code.end) for code in codes)
    radius = _radius(plain, spans)
    count = _count(plain, spans)
    plate = plate or _plate(text, spans, _PLATE_PART, "part")
    plate = plate or next((found for name in BITS if (found := _plate_bit(text, spans, name))), None)
    return Identifiers(events, plate, codes, citizen, birth, radius, count, tuple(spans))


BITS = ("part", "before", "bare", "seen")


def _plate_bit(text: Text, spans: list[tuple[int, int]], name: str) -> str | None:
    match = next((m for m in _PLATE_BIT.finditer(text.plain) if m[name]), None)
    if match is None or _inside(match.span(name), spans):
        return None
    spans.append(match.span())
    return text.typed[match.start(name) : match.end(name)].strip(" .-").upper()


def _kept(found: tuple[str, tuple[int, int]] | None, spans: list[tuple[int, int]]) -> str | None:
    if found is None:
        return None
    spans.append(found[1])
    return found[0]


def _take(match: re.Match[str], spans: list[tuple[int, int]]) -> str:
    spans.append(match.span())
    return match[0]


def _inside(span: tuple[int, int], spans: list[tuple[int, int]]) -> bool:
    return any(start < span[1] and span[0] < end for start, end in spans)


def _plate(text: Text, spans: list[tuple[int, int]], pattern: re.Pattern[str], group: int | str) -> str | None:
    for match in pattern.finditer(text.plain):
        if not _inside(match.span(group), spans) and sum(c.isdigit() for c in match[group]) >= 2:
            spans.append(match.span())
            return text.typed[match.start(group) : match.end(group)].strip(" .-").upper()
    return None


def _radius(plain: str, spans: list[tuple[int, int]]) -> float | None:
    match = _RADIUS.search(plain)
    if match is None or _inside(match.span(), spans):
        return None
    spans.append(match.span())
    value = float(match[1].replace(",", "."))
    return value * 1000 if match[2].startswith(("k", "c")) else value


def _count(plain: str, spans: list[tuple[int, int]]) -> int | None:
    more = _MORE.search(plain)
    if more:
        spans.append(more.span())
        return int(more[1]) + 1
    least = _LEAST.search(plain)
    if least:
        spans.append(least.span())
        return int(least[1] or least[2])
    return None
