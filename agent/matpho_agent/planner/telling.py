"""Rows told by their words or their place in a list: `vụ ở ngã tư`, `the one with ninety people`, `hai vụ đầu`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from matpho_agent.language.moments import number
from matpho_agent.language.tokens import Token, agrees, read_text
from matpho_agent.planner.clause import Clause
from matpho_agent.planner.plan import Remembered

MAX_WORDS = 24
"""Words of a caption that the talk keeps; they are only ever compared with the person's own."""
MAX_WORD = 16
_ENDS = re.compile(
    r"(?<![0-9a-z])(?:(?P<n>hai|ba|bon|nam|sau|2|3|4|5|6) (?:cai|vu|su kien|clip|vu viec|con|chiec|dong|viec|ca|dua)"
    r" (?P<w>dau tien|dau|tren cung|tren|cuoi cung|cuoi|chot|duoi cung|moi nhat|gan nhat)"
    r"|(?:the )?(?P<v>first|top|last|latest|newest|bottom) (?P<m>two|three|four|five|[2-6]))(?![0-9a-z])"
)
PICTURED = frozenset({"event", "object", "colour"})
_FROM_END = frozenset({"cuoi cung", "cuoi", "chot", "duoi cung", "last", "bottom"})
_NEWEST = frozenset({"moi nhat", "gan nhat", "latest", "newest"})


def words_of(*texts: object) -> list[str]:
    """The words of what a row says, each once, short and few, whatever the text holds."""
    tokens = [token for text in texts if isinstance(text, str) for token in read_text(text).tokens]
    return list(dict.fromkeys(token.typed.lower()[:MAX_WORD] for token in tokens))[:MAX_WORDS]


def at_the_ends(rows: Sequence[Remembered], clause: Clause) -> list[Remembered]:
    """The first, last or newest rows by their number (`hai vụ đầu`); none where the words say nothing of the kind."""
    match = _ENDS.search(clause.free.plain)
    count = number(match["n"] or match["m"]) if match else None
    if match is None or not count or count > len(rows):
        return []
    which = match["w"] or match["v"]
    if which in _NEWEST:
        return sorted(rows, key=lambda row: row.time.timestamp() if row.time else 0.0, reverse=True)[:count]
    return list(rows[-count:]) if which in _FROM_END else list(rows[:count])


def told_by_words(rows: Sequence[Remembered], clause: Clause, *, kinds: bool = False) -> list[Remembered]:
    """The rows whose caption or place shares most of the words that nothing else explains; none where none shares.

    With `kinds` the words of kinds and things count too: `vụ pháo hoa` of rows among which there is no fire.
    """
    left = _left(clause, kinds)
    scores = {row.id: _shared(left, row, clause) for row in rows} if left else {}
    best = max(scores.values(), default=0)
    return [row for row in rows if scores[row.id] == best] if best else []


def nearest(rows: list[Remembered], clause: Clause) -> list[Remembered]:
    """Of several those that the words tell, where they tell any."""
    return (told_by_words(rows, clause) or rows) if len(rows) > 1 else rows


def _left(clause: Clause, kinds: bool) -> list[Token]:
    reading = clause.reading
    count = str(clause.plan.min_count or clause.reading.identifiers.min_count or "")
    return [
        token
        for place, token in enumerate(reading.text.tokens)
        if place not in reading.taken or token.plain == count or (kinds and reading.taken[place] in PICTURED)
    ]


def _shared(left: Sequence[Token], row: Remembered, clause: Clause) -> int:
    place = clause.situation.places.camera(row.camera_id)
    names = (place.name, *place.aliases) if place else ()
    named = [token for text in (*names, " ".join(row.words)) for token in read_text(text).tokens]
    return sum(any(agrees(token, word) for word in named) for token in left)
