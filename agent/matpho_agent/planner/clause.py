"""One clause opened up: quotations and announced pieces set apart, names, codes and acts found, filters read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from matpho_agent.language.codes import Code, CodeKind, hinted
from matpho_agent.language.deadlines import read_deadline, read_horizon
from matpho_agent.language.frames import framed
from matpho_agent.language.identifiers import read_identifiers
from matpho_agent.language.lexicon import Match, lexicon_of, shipped
from matpho_agent.language.names import NameMatch, find_people, find_units
from matpho_agent.language.pieces import MIN_QUOTED_WORDS, Pieces, Span, blanked, quotations, read_pieces
from matpho_agent.language.tokens import Text, Token, agrees, read_text
from matpho_agent.planner.plan import Memory, QueryPlan
from matpho_agent.planner.reader import build_plan
from matpho_agent.planner.scan import Reading, scan
from matpho_agent.planner.situation import Situation

REASONED = frozenset({"approve", "reject", "reopen", "close", "resolve", "working", "update", "escalate"})
NOTED = frozenset({"ack", "open", "dispatch", "escalate", "close", "reopen", "resolve", "update", "step", "annotate"})
PIECES_OF: Mapping[str, frozenset[str]] = {
    "export": frozenset({"purpose"}),
    "identity": frozenset({"purpose", "fields"}),
    "verify": frozenset({"purpose", "fields"}),
    "watch": frozenset({"name"}),
}
PIECES_OF_TOOL: Mapping[str, frozenset[str]] = {
    "export_evidence": frozenset({"purpose"}),
    "request_identity_check": frozenset({"purpose", "fields"}),
    "create_watch": frozenset({"name"}),
    "decide_identity_check": frozenset({"reason"}),
    "update_incident": frozenset({"reason", "note"}),
    "escalate_incident": frozenset({"note"}),
    "acknowledge_alert": frozenset({"note"}),
    "open_incident": frozenset({"note"}),
    "dispatch_unit": frozenset({"note"}),
}
UNIT_ACTS = frozenset({"dispatch"})
PERSON_ACTS = frozenset({"assigned", "audit", "who", "move", "export", "identity", "dispatch", "close", "deeds"})
"""Acts beside which staff may be named; a name counts as one only where it stands as such."""
MIN_NOTE_WORDS = 2
DECIDED = frozenset({"approve", "reject", "allow", "return"})
PURPOSEFUL = frozenset({"export_evidence", "request_identity_check"})
"""Tools that are asked for a purpose: what answers such a question may say it in any way."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause with everything found in it. `free` is the text less what is content rather than wish."""

    text: Text
    free: Text
    reading: Reading
    plan: QueryPlan
    acts: frozenset[str]
    pieces: Mapping[str, str]
    quotes: tuple[str, ...]
    placed: frozenset[int]
    """Offsets at which words of whole place names begin; nothing else is read into them."""
    unit_names: tuple[NameMatch, ...]
    people: tuple[NameMatch, ...]
    situation: Situation
    memory: Memory

    def said(self, category: str) -> list[str]:
        """The values of one of the small dictionaries (priority, state, level …) in the order of the text."""
        return [match.value for match in self.found(category)]

    def found(self, category: str) -> list[Match]:
        """The matches of one of the small dictionaries, longest first at each place, none overlapping."""
        return longest(
            _unplaced(self.free.tokens, lexicon_of(category).matches(self.free.tokens, shipped().knows), self.placed)
        )

    def code(self, *kinds: CodeKind) -> str | None:
        """The first code of these kinds, in the order in which the kinds are given.

        `hồ sơ` and `case` are said of everything: a code behind them that looks like another kind counts as that too.
        """
        for kind in kinds:
            for code in self.codes:
                if code.kind == kind:
                    return code.text
        return next(
            (c.text for c in self.codes if c.kind == "case" and (like := hinted(c.text)) and like in kinds), None
        )

    @property
    def incident(self) -> str | None:
        """The code that may be an incident's: `case SC-201` names one where nothing says that it is a case number."""
        return self.code("incident", "") or next(
            (code.text for code in self.codes if code.kind == "case" and not hinted(code.text)), None
        )

    @property
    def codes(self) -> tuple[Code, ...]:
        """Every code."""
        return self.reading.identifiers.codes

    def says(self, *words: str) -> bool:
        """Whether any of the words occurs outside quotations; typed with marks it must have the right ones."""
        wanted = {word: _word(word) for word in words}
        return any(agrees(token, word) for token in self.free.tokens for word in wanted.values())


def longest(matches: Iterable[Match]) -> list[Match]:
    """The matches that stay when each word is explained once, by the longest phrase, exact before guessed."""
    kept: list[Match] = []
    for match in sorted(matches, key=lambda m: (m.typo, -m.length, m.start)):
        if not any(other.start < match.end and match.start < other.end for other in kept):
            kept.append(match)
    return sorted(kept, key=lambda match: match.start)


@cache
def _word(word: str) -> Token:
    return read_text(word).tokens[0]


def acts_in(tokens: Sequence[Token], placed: frozenset[int] = frozenset()) -> frozenset[str]:
    """What the words want done, by meaning."""
    found = _unplaced(tokens, lexicon_of("act").matches(tokens, shipped().knows), placed)
    frames = _unplaced(tokens, framed(tokens), placed)
    return frozenset(match.value for match in (*longest(found), *frames))


def _unplaced(tokens: Sequence[Token], matches: Iterable[Match], placed: frozenset[int]) -> list[Match]:
    """The matches less those inside the names of places: `Hà Đông` closes nothing."""
    return [
        match
        for match in matches
        if not placed or not all(tokens[number].start in placed for number in range(match.start, match.end))
    ]


def open_clause(said: str, situation: Situation, memory: Memory, tool: str = "") -> Clause:
    """Open one clause; `tool` is the wish that it is expected to add to, if one waits. Raises nothing."""
    text = read_text(said)
    quoted = messages_in(text)
    free = blanked(text, [span for _content, span in quoted])
    placed = situation.places.named(free.tokens)
    acts = acts_in(free.tokens, placed)
    acts |= _implied(free, acts, situation)
    pieces = _pieces(text if not quoted or "watch" in acts else free, acts, tool)
    told = pieces.values.keys() & ({"reason"} if acts & DECIDED else {"note"})
    notes = _note(blanked(free, pieces.spans), acts, situation) if not told else None
    values = dict(pieces.values)
    spans = [*pieces.spans]
    if notes is not None:
        values["reason" if acts & DECIDED and not acts & NOTED else "note"] = notes[0]
        spans.append(notes[1])
    free = blanked(free, spans)
    ahead = _ahead(free, acts, tool, situation)
    units = (
        find_units(free.tokens, situation.units)
        if acts & UNIT_ACTS or tool == "dispatch_unit" or "motion" in acts
        else []
    )
    people = find_people(free.tokens, situation.people) if _speaks_of_people(acts, tool) else []
    reading = (
        scan(blanked(free, ahead), situation, shipped())
        if ahead
        else scan(free, situation, shipped(), [*units, *people])
    )
    return Clause(
        text, free, reading, build_plan(reading, situation), acts, values, tuple(content for content, _span in quoted),
        placed, tuple(units), tuple(people), situation, memory,
    )  # fmt: skip


OBSERVE = frozenset({"watch", "monitor"})


def _implied(text: Text, acts: frozenset[str], situation: Situation) -> frozenset[str]:
    """What things named together ask for in any words: a plate, a case and a field; an incident and a level above."""
    if acts & {"export", "watch", "submit", "approve", "reject", "audit"}:
        return frozenset()
    if text.tokens and text.tokens[0].plain in OBSERVE and lexicon_of("event").exact(text.tokens):
        return frozenset({"watch"})
    found = read_identifiers(text, situation.registered)
    if "wrap" in acts and (found.event_ids or any(code.kind == "case" for code in found.codes)):
        return frozenset({"export"})
    if (
        "lift" in acts
        and any(code.kind == "incident" for code in found.codes)
        and lexicon_of("level").exact(text.tokens)
    ):
        return frozenset({"escalate"})
    if not (found.plate or found.citizen_id) or all(code.kind != "case" for code in found.codes):
        return frozenset()
    return frozenset({"verify"}) if lexicon_of("field").exact(text.tokens) else frozenset()


def _speaks_of_people(acts: frozenset[str], tool: str) -> bool:
    return bool(acts & PERSON_ACTS) or tool in {"list_incidents", "search_audit"}


def messages_in(text: Text) -> list[tuple[str, Span]]:
    """Quotations that are somebody's words: long ones, and short ones that would order something (`"đóng vụ K-3"`)."""
    return [
        (content, span)
        for content, span in quotations(text, 1)
        if len(content.split()) >= MIN_QUOTED_WORDS or acts_in(read_text(content).tokens)
    ]


def _pieces(text: Text, acts: frozenset[str], tool: str) -> Pieces:
    """Pieces announced for the acts of this clause; for a waiting wish only by words that mean nothing else."""
    wanted = {name for act in acts for name in PIECES_OF.get(act, ())}
    wanted |= {"reason"} if acts & REASONED else set()
    wanted |= {"note"} if acts & NOTED else set()
    if acts & DECIDED:
        wanted = {"reason"}
    if wanted:
        return read_pieces(text, wanted)
    return read_pieces(text, PIECES_OF_TOOL.get(tool, ()), sure=tool not in PURPOSEFUL)


def _ahead(text: Text, acts: frozenset[str], tool: str, situation: Situation) -> list[Span]:
    """Stretches that speak of the time to come and must not be read as the time of events."""
    spans = []
    if "watch" in acts or tool == "create_watch":
        deadline = read_deadline(text, situation.now)
        spans += [deadline[1]] if deadline else []
    elif longest(lexicon_of("forecast").matches(text.tokens)) or tool == "event_statistics":
        horizon = read_horizon(text)
        spans += [horizon[1]] if horizon else []
    return spans


def _note(text: Text, acts: frozenset[str], situation: Situation) -> tuple[str, Span] | None:
    """The last part of an acting sentence, behind a comma, where it says nothing but news: `…, cháy lan rồi`."""
    if not acts & (NOTED | DECIDED):
        return None
    cut = max(text.plain.rfind(mark) for mark in (", ", "; ", " - ", " – ", ". "))
    if cut <= 0:
        return None
    start = cut + 1 + (text.plain[cut + 1] in "-–" if cut + 1 < len(text.plain) else 0)
    tail = [token for token in text.tokens if token.start >= start]
    if len(tail) < MIN_NOTE_WORDS or not any(token.end <= cut for token in text.tokens):
        return None
    if _means_something(blanked(text, [(0, start)]), acts, situation):
        return None
    return text.typed[start:].strip(" ,.;-–"), (cut, len(text.plain))


ARGUMENT_WORDS: Mapping[str, str] = {
    "open": "priority", "escalate": "level", "dispatch": "unitkind", "update": "state", "close": "state",
}  # fmt: skip
"""Which small dictionary an act's last part must not speak of to be mere news."""
NEWS = frozenset(
    {
        "assist",
        "motion",
        "progress",
        "give",
        "incident",
        "report",
        "norm",
        "near",
        "put",
        "lift",
        "aim",
        "ahead",
        "resolve",
    }
)


def _means_something(tail: Text, acts: frozenset[str], situation: Situation) -> bool:
    """Whether a last part carries an argument or a wish, so that it is no mere news."""
    if any(lexicon_of(category).exact(tail.tokens) for act, category in ARGUMENT_WORDS.items() if act in acts):
        return True
    if acts_in(tail.tokens) - NEWS:
        return True
    reading = scan(tail, situation, shipped())
    found = reading.identifiers
    return bool(found.codes or found.event_ids or found.plate or reading.places or reading.time.range)
