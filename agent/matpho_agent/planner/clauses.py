"""Several wishes in one sentence: where to cut it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from matpho_agent.language.lexicon import Match, lexicon_of
from matpho_agent.language.pieces import blanked
from matpho_agent.language.tokens import Text, Token, read_text
from matpho_agent.planner.acts import acts_in, messages_in

MAX_SHOWING = 5
SHOWN = "search_events"
MAX_CLAUSES = 4
"""Tool calls that one sentence may ask for."""
SHORT = 3
"""A part of so few words (`liệt kê ra`, `show me`) only adds to the one before it, where it orders nothing itself."""
ORDERS = frozenset(
    {"ack", "open", "reopen", "close", "resolve", "dispatch", "escalate", "move", "export", "approve", "reject"}
)
LISTED = frozenset({"identity", "verify", "export"})
"""Wishes that list what they want."""
WHOLE = frozenset({"submit", "watch"})
"""Wishes that swallow the sentence: a report's text, and what a standing query waits for."""
_READ = (
    r"cho|xem|coi|mo|tim|kiem|liet ke|thong ke|dem(?! theo)|bao nhieu|chup|lay|hien|kiem tra|co (?:may|bao nhieu)"
    r"|show|find|list|count|how many|search|get|pull|open|give|play|take|check|tell|grab"
)
_ACT = (
    r"nhan canh bao|xac nhan canh bao|tiep nhan|dong vu|dong no|dong cai|dong luon|mo lai|lap vu|tao vu|dieu"
    r"|cu nguoi|cu doi"
    r"|chuyen|day|xoay|quay|lia|zoom|phong to|dua|tra cam|xuat|trich xuat|xac minh|duyet|phe duyet|tu choi|bac"
    r"|canh|dat canh bao"
    r"|gui|goi|keu|cap nhat|danh dau|bao chi huy|bao len|leo thang"
    r"|send|dispatch|close|reopen|ack|acknowledge|escalate|create|export|approve|reject|turn|move|rotate|pan"
    r"|tilt|alert|notify"
    r"|set up|mark|bump"
)
_VERB = rf"(?:(?:please|hay|giup|nho|vui long) )?(?:{_READ}|{_ACT})(?: |$)"
_ASKED = (
    r"(?:(?:cam|camera|vu|xe|phuong|ai|cho) nao|may (?:vu|xe|cam|camera)|hom nay|hom qua|toi qua|sang nay|con"
    r"|which|what|where|who|any|are there|is there|did|were there|was there|how)(?: |$)"
)
"""How a part begins that asks rather than orders; looked for only behind words that join whole wishes."""
_CUT = re.compile(
    r"(?:[.;!?\n]+ +|,? +(?:roi|voi lai|voi ca|tien the|tien tay|ngoai ra|dong thoi cung|also|plus also|sau do"
    r"|dong thoi|tiep theo|tien the|va|xong|and then|then|and also|and"
    r"|after that|plus),? +"
    rf"|, +)(?={_VERB})"
    rf"|,? +(?:voi lai|voi ca|tien tay|ngoai ra|nhan tien|dong thoi|and also|also|plus|as well as"
    rf"|besides),? +(?={_VERB}|{_ASKED})"
)
_FULL_STOP = re.compile(r"[?!;\n] +")
ADDING = frozenset(
    {"ahead", "assist", "motion", "incident", "report", "norm", "near", "allow", "return", "put", "lift", "aim", "done"}
    | {"give", "progress", "standing", "priority", "backlog", "grab", "resolve", "annotate"}
)
"""Acts that a part of a sentence may speak of without being a wish of its own."""
QUESTIONS = frozenset(
    {"co", "nao", "may", "thay", "any", "did", "what", "where", "who", "when", "which", "there", "bao"}
)


def clauses(text: str) -> list[str]:
    """The parts of a text that each begin with a verb of wishing; at most MAX_CLAUSES, the whole where none does.

    Nothing is cut inside a quotation, and a report that somebody files is one wish whatever it says.

    >>> clauses("tìm xe tải đổ rác tối qua rồi cho xem clip cái đầu tiên")
    ['tìm xe tải đổ rác tối qua', 'cho xem clip cái đầu tiên']
    """
    read = read_text(text)
    free = blanked(read, [span for _content, span in messages_in(read)], "_")
    if acts_in(free.tokens) & WHOLE:
        return [read.typed.strip()]
    if (otherwise := _otherwise(free)) is not None:
        return [_with_object(read.typed[:otherwise], read.typed[otherwise:].strip(" ,.;"))]
    listing = acts_in(free.tokens) & LISTED
    cuts = [match.span() for match in _CUT.finditer(free.plain) if not (listing and match[0].strip() == ",")]
    cuts += [
        match.span() for match in _FULL_STOP.finditer(free.plain) if not any(a <= match.start() < b for a, b in cuts)
    ]
    parts, begin = [], 0
    for start, end in sorted(cuts):
        before, after = _between(free.tokens, begin, start), _between(free.tokens, end, len(free.plain))
        if _same_wish(before, after):
            continue
        begins = _is_wish(before) or re.match(_VERB, free.plain[begin:start].lstrip())
        if begins and (_is_wish(after) or re.match(_VERB, free.plain[end:].lstrip())):
            parts.append(read.typed[begin:start])
            begin = end
    parts.append(read.typed[begin:])
    wishes: list[str] = []
    for part in (part.strip(" ,.;") for part in parts):
        if len(wishes) == 1 and _heads(wishes[0]) and part:
            wishes[0] = part
        elif wishes and len(part.split()) <= SHORT and not acts_in(read_text(part).tokens) & ORDERS:
            wishes[-1] = f"{wishes[-1]}, {part}"
        elif part:
            wishes.append(part)
    return wishes[:MAX_CLAUSES] or [read.typed.strip()]


_OTHERWISE = re.compile(
    rf"(?<![0-9a-z])chua[ ,.;?]+(?:neu )?chua(?: co| thi|, )+ ?(?={_VERB})"
    rf"|[,.;?] *(?:neu (?:chua|khong|ko)|chua|khong|ko)(?: co| ai| gi)? thi (?={_VERB})"
    rf"|[,.;?] *(?:and )?if (?:not|there is none|there isn't(?: one)?|nobody has),? (?:then )?(?={_VERB})"
)


def _otherwise(text: Text) -> int | None:
    """Where the order begins that stands behind its own condition: `đã có vụ việc chưa, chưa thì mở đi`.

    It is proposed like any act, and the proposal shows what there is already.
    """
    match = _OTHERWISE.search(text.plain)
    return match.end() if match else None


_OPENED = re.compile(r"(?i)(?:mở|mo|lập|lap|tạo|tao|open|create|raise|log)(?!\w)")
_CASE = re.compile(r"(?i)(?<!\w)(?:vụ việc|vu viec|hồ sơ vụ|vụ|vu|an incident|a case|an? ticket|incident|case)(?!\w)")


def _with_object(condition: str, order: str) -> str:
    """`mở đi` opens what its condition asked for."""
    asked = _CASE.search(condition)
    return f"{order} {asked[0]}" if asked and _OPENED.match(order) and not _CASE.search(order) else order


def _heads(part: str) -> bool:
    """Whether a part is one word of a briefing, which only heads what follows: `Sitrep. Open jobs, critical.`"""
    tokens = read_text(part).tokens
    return len(tokens) == 1 and acts_in(tokens) == {"briefing"}


def _between(tokens: Sequence[Token], start: int, end: int) -> list[Token]:
    return [token for token in tokens if start <= token.start < end]


def _same_wish(before: Sequence[Token], after: Sequence[Token]) -> bool:
    """Whether a part only adds to a check or a package asked for: `who owns X? … I need the owner`."""
    added = acts_in(after) - ADDING
    same = bool(added) and added <= acts_in(before) and added <= LISTED | {"procedure", "audit", "briefing"}
    return same or (not added and bool(after) and _only_shows(after))


def _only_shows(tokens: Sequence[Token]) -> bool:
    """Whether a part says no more than to show what was asked for: `liệt kê ra coi`."""
    said = lexicon_of("intent", "filler").exact(tokens)
    told = {number for match in said if match.category == "filler" or match.value == SHOWN for number in _span(match)}
    return len(tokens) <= MAX_SHOWING and len(told) == len(tokens)


def _span(match: Match) -> range:
    return range(match.start, match.end)


def _is_wish(tokens: Sequence[Token]) -> bool:
    """Whether a part asks for something itself; mere news (`SV.12 is done, close it`) stays with its order."""
    acts = acts_in(tokens)
    if "grab" in acts and any(any(c.isdigit() for c in token.plain) for token in tokens):
        return True
    if acts - ADDING or lexicon_of("intent").exact(tokens):
        return True
    return bool(lexicon_of("event").exact(tokens)) and any(token.plain in QUESTIONS for token in tokens)
