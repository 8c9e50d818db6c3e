"""Several wishes in one sentence: where to cut it."""

from __future__ import annotations

import re

from matpho_agent.language.tokens import read_text

MAX_CLAUSES = 4
"""Tool calls that one sentence may ask for."""
SHORT = 3
"""A part of so few words (`liệt kê ra`, `show me`) only adds to the one before it."""
_CUT = re.compile(
    r"(?:[.;!?\n]+ +|,? +(?:roi|sau do|dong thoi|tiep theo|tien the|va|and then|then|and also|and|after that|plus) +"
    r"|, +)"
    r"(?=(?:cho|xem|coi|mo|tim|kiem|liet ke|thong ke|dem|bao nhieu|chup|lay|gui|hien|kiem tra|co (?:may|bao nhieu)"
    r"|show|find|list|count|how many|search|get|pull|open|give|play|take|check|tell|grab)(?: |$))"
)
_FULL_STOP = re.compile(r"[?!;\n] +")


def clauses(text: str) -> list[str]:
    """The parts of a text that each begin with a verb of wishing; at most MAX_CLAUSES, the whole where none does.

    >>> clauses("tìm xe tải đổ rác tối qua rồi cho xem clip cái đầu tiên")
    ['tìm xe tải đổ rác tối qua', 'cho xem clip cái đầu tiên']
    """
    read = read_text(text)
    cuts = [match.span() for match in (*_CUT.finditer(read.plain),)]
    cuts += [
        match.span() for match in _FULL_STOP.finditer(read.plain) if not any(a <= match.start() < b for a, b in cuts)
    ]
    parts, begin = [], 0
    for start, end in sorted(cuts):
        parts.append(read.typed[begin:start])
        begin = end
    parts.append(read.typed[begin:])
    wishes: list[str] = []
    for part in (part.strip(" ,.;") for part in parts):
        if wishes and len(part.split()) <= SHORT:
            wishes[-1] = f"{wishes[-1]}, {part}"
        elif part:
            wishes.append(part)
    return wishes[:MAX_CLAUSES] or [read.typed.strip()]
