"""Words typed without marks, told by their neighbours: `chay o cho` burns, `dam nhau` by vehicles collides."""

from __future__ import annotations

from collections.abc import Sequence

from matpho_agent.language.lexicon import Match
from matpho_agent.language.tokens import Token

WHEELED = frozenset({"vehicle", "bicycle", "motorcycle", "car", "van", "truck", "bus", "ambulance", "fire_engine"})
RUNS = frozenset({"xuong", "ra", "nguoc", "qua", "vao", "vo", "tren", "sai", "lan", "ngang", "xe", "bo", "nhanh"})
"""What stands behind `chay` where somebody runs or drives."""
BURNS = frozenset({"o", "tai", "lon", "to", "nha", "quan", "kho", "xuong", "rung", "bai", "no", "lan", "khu", "tren"})
"""What stands behind `chay` where something burns, if nobody stands before it."""
NO_FLOOD = frozenset({"bat", "ngon", "tran"})
"""`ngon ngap`, `tran ngap`."""
SMOKES = frozenset({"o", "bay", "boc", "nghi", "um", "den", "trang", "mu", "len", "cuon", "day", "mit"})
"""What stands behind `khoi` where something smokes."""
NO_RUBBISH = frozenset({"roi", "rai"})
"""`rac roi`, `rai rac`."""


def bare_events(tokens: Sequence[Token], candidates: Sequence[Match]) -> list[Match]:
    """Fires and rubbish told by bare words, where no phrase among the candidates tells of them."""
    told = {number for match in candidates if not match.typo for number in range(match.start, match.end)}
    movers = any(match.category == "object" and not match.typo for match in candidates)
    found = []
    for number, token in enumerate(tokens):
        if not token.bare or number in told:
            continue
        after = tokens[number + 1].plain if number + 1 < len(tokens) else ""
        before = tokens[number - 1].plain if number else ""
        if token.plain == "chay" and not movers and after in BURNS and (after not in RUNS or not number):
            found.append(Match(number, number + 1, "event", "fire"))
        elif token.plain == "ngap" and before not in NO_FLOOD:
            found.append(Match(number, number + 1, "event", "flooding"))
        elif token.plain == "khoi" and after in SMOKES and before not in {"thoi", "den", "ra"}:
            found.append(Match(number, number + 1, "event", "smoke"))
        elif token.plain == "rac" and after not in NO_RUBBISH and before not in NO_RUBBISH:
            found.append(Match(number, number + 1, "object", "rubbish"))
    return found


def settled(tokens: Sequence[Token], matches: Sequence[Match]) -> list[Match]:
    """The matches less the wrong one of two that a bare `dam nhau` may be: vehicles collide, people fight."""
    wheels = any(match.category == "object" and match.value in WHEELED for match in matches)
    wrong = "fight" if wheels else "collision"
    return [
        match
        for match in matches
        if match.category != "event"
        or not (
            (match.value == wrong and _doubtful(tokens[match.start : match.end]))
            or _where(tokens, match)
            or _shut(tokens, match)
        )
    ]


SHUT = frozenset({"lai", "vu", "no", "luon", "gium", "giup", "ho", "ca", "case", "di"})
"""What stands behind a bare `dong` that closes something."""


def _shut(tokens: Sequence[Token], match: Match) -> bool:
    """Whether a bare `dong lai` closes a matter (`đóng lại`) rather than telling of a crowd."""
    token = tokens[match.start]
    after = tokens[match.start + 1].plain if match.start + 1 < len(tokens) else ""
    return match.value == "crowd" and token.plain == "dong" and token.bare and after in SHUT


def _where(tokens: Sequence[Token], match: Match) -> bool:
    """Whether a bare `o dau bay` asks `ở đâu` rather than telling of parking (`đậu bậy`)."""
    token = tokens[match.start]
    asked = match.start > 0 and tokens[match.start - 1].plain == "o"
    return match.value == "illegal_parking" and token.plain == "dau" and token.bare and asked


PARKED_HOW = frozenset({"sai", "bay", "trai", "tren", "duoi", "truoc", "ngay", "giua", "hoai", "lan", "chan", "cho"})


def parked_not_first(tokens: Sequence[Token], candidates: Sequence[Match]) -> list[Match]:
    """The candidates less a bare `chiec dau` that is `chiếc đậu …`, no `chiếc đầu`."""
    return [
        match
        for match in candidates
        if match.category != "ordinal"
        or not tokens[match.end - 1].bare
        or tokens[match.end - 1].plain != "dau"
        or match.end == len(tokens)
        or tokens[match.end].plain not in PARKED_HOW
    ]


def _doubtful(words: Sequence[Token]) -> bool:
    return bool(words) and words[0].plain == "dam" and words[0].bare
