"""The answer to a pause: a plain yes, a plain no, a change to the proposal, or something else. Rules only, no model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from matpho_agent.language.lexicon import Lexicon, lexicon_of
from matpho_agent.language.tokens import Token, read_text
from matpho_agent.planner.edits import changes_in
from matpho_agent.planner.plan import Memory
from matpho_agent.planner.situation import Situation

MAX_PLAIN_WORDS = 12
"""A longer answer is no plain yes or no, whatever its words."""
QUOTES = frozenset("\"“”„«»‹›'‘’`「」『』")
"""A yes between quotes is somebody else's; the apostrophe of `don't` stands inside a word and does not count."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What an answer to a proposal means.

    `yes`: run exactly what was shown. `no`: drop it. `edit`: propose again with `changes` put over the arguments, where
    None takes an argument out. `other`: neither; the proposal is dropped and the text is a wish of its own.
    """

    kind: Literal["yes", "no", "edit", "other"]
    changes: dict[str, Any] = field(default_factory=dict)


def read_reply(text: str, memory: Memory, situation: Situation) -> Reply:
    """What `text` says about `memory.proposal`. Pure; raises nothing. Without a proposal everything is `other`.

    A yes that carries anything more (a condition, a quotation, a question, another wish) is none.
    """
    if memory.proposal is None:
        return Reply("other")
    plain = plain_answer(text)
    if plain:
        return Reply(plain)
    changes = changes_in(text, memory, memory.proposal, situation)
    return Reply("other") if changes is None else Reply("edit", changes)


def plain_answer(text: str) -> Literal["", "yes", "no"]:
    """`yes` or `no` where the text is nothing but that, else empty; yes and no together are a no.

    >>> plain_answer("ok em, gửi đi nhé"), plain_answer("thôi khỏi"), plain_answer("ok nếu chỉ huy đồng ý")
    ('yes', 'no', '')
    """
    read = read_text(text)
    tokens = read.tokens
    if not tokens or len(tokens) > MAX_PLAIN_WORDS or "?" in read.typed or _quoted(read.typed, tokens):
        return ""
    said = _covered(tokens, lexicon_of("reply"))
    if said is None or "ask" in said:
        return ""
    return "no" if "no" in said else "yes" if "yes" in said else ""


def _quoted(typed: str, tokens: Sequence[Token]) -> bool:
    inside = {place for token in tokens for place in range(token.start, token.end)}
    return any(character in QUOTES and place not in inside for place, character in enumerate(typed))


def _covered(tokens: Sequence[Token], lexicon: Lexicon) -> set[str] | None:
    """The kinds of all words, longest phrases first; None where a word is no part of a plain answer."""
    longest: dict[int, tuple[int, str]] = {}
    for match in lexicon.exact(tokens):
        if match.end > longest.get(match.start, (0, ""))[0]:
            longest[match.start] = (match.end, match.value)
    said, place = set(), 0
    while place < len(tokens):
        if place not in longest:
            return None
        place, value = longest[place]
        said.add(value)
    return said
