"""The answer to a pause: a plain yes, a plain no, a change to the proposal, or something else. Rules only, no model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from matpho_agent.language.lexicon import lexicon_of
from matpho_agent.language.tokens import Token, read_text
from matpho_agent.planner.acts import acts_in
from matpho_agent.planner.clause import open_clause
from matpho_agent.planner.edits import changes_in
from matpho_agent.planner.plan import Memory, Proposal
from matpho_agent.planner.situation import Situation
from matpho_agent.planner.wishes import find_wish

MAX_PLAIN_WORDS = 12
"""A longer answer is no plain yes or no, whatever its words."""
MAX_LONE_WORDS = 2
"""`rồi`, `có em`: words that agree only where next to nothing else is said."""
QUOTES = frozenset("\"“”„«»‹›'‘’`「」『』")
"""A yes between quotes is somebody else's; the apostrophe of `don't` stands inside a word and does not count."""

WEIGHTS = ("no", "ask", "yes", "wait", "alone", "soft")
"""Of the kinds that one word without marks may be, the first that fits."""
SIGNS: tuple[tuple[str, Literal["yes", "no"]], ...] = (("👎❌🚫✖", "no"), ("👍👌✅✔🆗", "yes"))
"""Pictures that answer without a word."""
_PAUSE = re.compile(r"[,.;:!–-]+ +")


@dataclass(frozen=True, slots=True)
class Reply:
    """What an answer to a proposal means.

    `yes`: run exactly what was shown. `no`: drop it. `edit`: propose again with `changes` put over the arguments, where
    None takes an argument out. `other`: neither; the proposal is dropped and the text is a wish of its own.
    """

    kind: Literal["yes", "no", "edit", "other"]
    changes: dict[str, Any] = field(default_factory=dict)
    rest: str = ""
    """Of `other`: what stands behind a no and is to be planned alone."""


def read_reply(text: str, memory: Memory, situation: Situation) -> Reply:
    """What `text` says about `memory.proposal`. Pure; raises nothing. Without a proposal everything is `other`.

    A yes that carries anything more (a condition, a quotation, a question, another wish) is none. A no may say why.
    """
    proposal = memory.proposal
    if proposal is None:
        return Reply("other")
    plain = plain_answer(text, *_own(proposal))
    if plain == "yes" and _decides_otherwise(text, proposal):
        return Reply("edit", {"decision": "approve"})
    if plain:
        return Reply(plain)
    changes = changes_in(text, memory, proposal, situation)
    if changes is not None:
        return Reply("edit", changes)
    if puts_off(text):
        return Reply("no")
    refused, rest = _first_refused(text, proposal)
    if refused and not _wants_something(rest, memory, situation):
        return Reply("no")
    return Reply("other", rest=rest if refused else "")


def plain_answer(text: str, *own: str) -> Literal["", "yes", "no"]:
    """`yes` or `no` where the text is nothing but that, else empty; yes and no together are a no.

    `own` names the act that waits: said again (`đóng đi`) it is a yes.

    >>> plain_answer("ok em, gửi đi nhé"), plain_answer("thôi khỏi"), plain_answer("ok nếu chỉ huy đồng ý")
    ('yes', 'no', '')
    """
    read = read_text(text)
    tokens = read.tokens
    if not tokens:
        return next((answer for signs, answer in SIGNS if any(sign in text for sign in signs)), "")
    if len(tokens) > MAX_PLAIN_WORDS or "?" in read.typed or _quoted(read.typed, tokens):
        return ""
    said = _covered(tokens, own)
    if said is None or "ask" in said:
        return ""
    if "no" in said:
        return "no"
    alone = said <= {"alone", "soft"} and "alone" in said and len(tokens) <= MAX_LONE_WORDS
    return "yes" if "yes" in said or alone else ""


def _own(proposal: Proposal) -> tuple[str, ...]:
    """The names under which the words of a waiting act are listed."""
    arguments = proposal.arguments
    return proposal.tool, str(arguments.get("status", "")), str(arguments.get("decision", ""))


def _decides_otherwise(text: str, proposal: Proposal) -> bool:
    """Whether somebody says `duyệt` to a proposal to reject: no yes to that."""
    if proposal.tool != "decide_identity_check" or proposal.arguments.get("decision") != "reject":
        return False
    tokens = read_text(text).tokens
    return "approve" in acts_in(tokens) or "wait" in (_covered(tokens, ()) or ())


def puts_off(text: str) -> bool:
    """`khoan, để tôi xem lại`: nothing is agreed to, and nothing else is asked for."""
    read = read_text(text)
    if not read.tokens or "?" in read.typed or _quoted(read.typed, read.tokens):
        return False
    said = _covered(read.tokens, ())
    if said is not None and "wait" in said and said <= {"wait", "soft", "alone"}:
        return True
    later = _LATER.search(read.plain.strip(" .!")) if len(read.tokens) <= MAX_PLAIN_WORDS else None
    return later is not None and (later["end"] is None or read.tokens[-1].typed.lower() in {"đã", "da"})


_LATER = re.compile(
    r"^(?:(?:thoi|khoan|a|u|da|ma|hay|khoi)[ ,]+)*(?:de|doi|cho den khi|khi nao|chung nao|bao gio|luc nao) .{1,40}"
    r" (?:(?:roi |thi |moi |se |hay |hang )?(?:tinh|hay)(?: tiep| sau| lai)?|(?:roi|thi) (?:hay )?(?:lam|gui|quyet)"
    r"|(?P<end>da))$"
)
"""`để họp xong tính`, `đợi chỉ huy về rồi hãy làm`: put off till something else."""


def _first_refused(text: str, proposal: Proposal) -> tuple[bool, str]:
    """Whether the part before the first pause of the sentence is a plain no, and what stands behind it."""
    for cut in _PAUSE.finditer(text):
        head, rest = text[: cut.start()], text[cut.end() :].strip()
        if plain_answer(head, *_own(proposal)) == "no":
            return True, rest
        if not puts_off(head):
            break
    return False, ""


def _wants_something(rest: str, memory: Memory, situation: Situation) -> bool:
    """Whether the words behind a no ask or order something themselves, rather than say why."""
    if not rest:
        return False
    clause = open_clause(rest, situation, memory)
    wish = find_wish(clause)
    return "?" in rest or (wish is not None and wish.sure) or bool(clause.plan.intent or clause.plan.event_types)


def _quoted(typed: str, tokens: Sequence[Token]) -> bool:
    inside = {place for token in tokens for place in range(token.start, token.end)}
    return any(character in QUOTES and place not in inside for place, character in enumerate(typed))


def _covered(tokens: Sequence[Token], acts: Sequence[str]) -> set[str] | None:
    """The kinds of all words, longest phrases first; None where a word is no part of a plain answer."""
    longest: dict[int, tuple[tuple[int, int], str]] = {}
    for match in lexicon_of("reply", "agree").exact(tokens):
        own = match.category == "agree"
        if own and match.value not in acts:
            continue
        kind = "yes" if own else match.value
        weight = (match.end, -WEIGHTS.index(kind))
        if weight > longest.get(match.start, ((0, 0), ""))[0]:
            longest[match.start] = (weight, kind)
    said, place = set(), 0
    while place < len(tokens):
        if place not in longest:
            return None
        (place, _weight), value = longest[place]
        said.add(value)
    return said
