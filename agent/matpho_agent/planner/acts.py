"""What the words of a clause want done: phrases, words near one another, and what things named together imply."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from matpho_agent.language.identifiers import read_identifiers
from matpho_agent.language.lexicon import Match, lexicon_of, shipped
from matpho_agent.language.pieces import MIN_QUOTED_WORDS, Span, quotations
from matpho_agent.language.senses import senses
from matpho_agent.language.tokens import Text, Token, read_text
from matpho_agent.planner.sending import sent_off
from matpho_agent.planner.situation import Situation


def longest(matches: Iterable[Match]) -> list[Match]:
    """The matches that stay when each word is explained once, by the longest phrase, exact before guessed."""
    kept: list[Match] = []
    for match in sorted(matches, key=lambda m: (m.typo, -m.length, m.start)):
        if not any(other.start < match.end and match.start < other.end for other in kept):
            kept.append(match)
    return sorted(kept, key=lambda match: match.start)


def acts_in(tokens: Sequence[Token], placed: frozenset[int] = frozenset()) -> frozenset[str]:
    """What the words want done, by meaning."""
    found = unplaced(tokens, lexicon_of("act").matches(tokens, shipped().knows), placed)
    meant = {sense.value for sense in senses(tokens, placed) if sense.category == "act"}
    return frozenset(match.value for match in longest(found)) | meant


def unplaced(tokens: Sequence[Token], matches: Iterable[Match], placed: frozenset[int]) -> list[Match]:
    """The matches less those inside the names of places (`Hà Đông` closes nothing) and slips that reach into one."""
    return [match for match in matches if not placed or not _named(tokens, match, placed)]


def _named(tokens: Sequence[Token], match: Match, placed: frozenset[int]) -> bool:
    inside = (tokens[number].start in placed for number in range(match.start, match.end))
    return any(inside) if match.typo else all(inside)


OBSERVE = (("watch",), ("monitor",), ("theo", "doi"), ("canh",), ("giam", "sat"), ("de", "mat"), ("trong", "chung"))
"""First words of a wish to be told of what is to come."""


def implied(text: Text, acts: frozenset[str], situation: Situation) -> frozenset[str]:
    """What things named together ask for in any words: a plate, a case and a field; an incident and a level above."""
    if acts & {"export", "watch", "submit", "approve", "reject", "audit"}:
        return frozenset()
    if sent_off(text, situation):
        return frozenset({"motion", "assist"})
    found = read_identifiers(text, situation.registered, situation.codes)
    first = tuple(token.plain for token in text.tokens[:2])
    told = found.plate or lexicon_of("event").exact(text.tokens)
    if told and any(first[: len(words)] == words for words in OBSERVE) and not found.codes:
        return frozenset({"watch"})
    if "wrap" in acts and (found.event_ids or any(code.kind == "case" for code in found.codes) or _of_case(text)):
        return frozenset({"export"})
    if (
        "lift" in acts
        and any(code.kind == "incident" for code in found.codes)
        and lexicon_of("level").exact(text.tokens)
    ):
        return frozenset({"escalate"})
    of_case = any(code.kind == "case" for code in found.codes)
    if not (found.citizen_id or (found.plate and of_case)):
        return frozenset()
    return frozenset({"verify"}) if lexicon_of("field").exact(text.tokens) else frozenset()


def _of_case(text: Text) -> bool:
    """Whether a case or a purpose is spoken of, so that what is wrapped up is evidence."""
    return re.search(r"(?<![0-9a-z])(?:ho so|muc dich|case|file|purpose|evidence)(?![0-9a-z])", text.plain) is not None


def messages_in(text: Text) -> list[tuple[str, Span]]:
    """Quotations that are somebody's words: long ones, and short ones that would order something (`"đóng vụ K-3"`)."""
    return [
        (content, span)
        for content, span in quotations(text, 1)
        if len(content.split()) >= MIN_QUOTED_WORDS or acts_in(read_text(content).tokens)
    ]
