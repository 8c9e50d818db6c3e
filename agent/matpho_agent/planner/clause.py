"""One clause opened up: quotations and announced pieces set apart, names, codes and acts found, filters read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from matpho_agent.language.codes import Code, CodeKind
from matpho_agent.language.lexicon import Match, lexicon_of, shipped
from matpho_agent.language.names import NameMatch, find_people, find_units, find_units_of_kind
from matpho_agent.language.pieces import blanked
from matpho_agent.language.tokens import Text, Token, agrees_alone, read_text
from matpho_agent.planner.acts import acts_in, implied, longest, messages_in, unplaced
from matpho_agent.planner.notes import DECIDED, NOTED, ahead_in, note_in, pieces_in, procedure_named
from matpho_agent.planner.plan import Memory, QueryPlan
from matpho_agent.planner.reader import build_plan
from matpho_agent.planner.scan import Reading, scan
from matpho_agent.planner.situation import Situation

UNIT_ACTS = frozenset({"dispatch"})
PERSON_ACTS = frozenset(
    {"assigned", "audit", "who", "move", "export", "identity", "dispatch", "close", "deeds", "incident", "standing"}
    | {"backlog"}
)
"""Acts beside which staff may be named; a name counts as one only where it stands as such."""


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
            unplaced(self.free.tokens, lexicon_of(category).matches(self.free.tokens, shipped().knows), self.placed)
        )

    def code(self, *kinds: CodeKind) -> str | None:
        """The first code of these kinds, in the order in which the kinds are given.

        `hồ sơ` and `case` are said of everything: a code behind them that looks like another kind counts as that too.
        """
        for kind in kinds:
            for code in self.codes:
                if code.kind == kind:
                    return code.text
        return next((c.text for c in self.codes if c.kind == "case" and c.looks and c.looks in kinds), None)

    @property
    def incident(self) -> str | None:
        """The code that may be an incident's: `case SC-201` names one where nothing says that it is a case number."""
        if "incident" in self.situation.codes.values():
            return self.code("incident", "")
        return self.code("incident", "") or next(
            (code.text for code in self.codes if code.kind == "case" and not code.looks), None
        )

    @property
    def codes(self) -> tuple[Code, ...]:
        """Every code."""
        return self.reading.identifiers.codes

    def says(self, *words: str) -> bool:
        """Whether any of the words occurs outside quotations; typed with marks it must have the right ones."""
        wanted = {word: _word(word) for word in words}
        return any(agrees_alone(token, word) for token in self.free.tokens for word in wanted.values())


@cache
def _word(word: str) -> Token:
    return read_text(word).tokens[0]


def open_clause(said: str, situation: Situation, memory: Memory, tool: str = "") -> Clause:
    """Open one clause; `tool` is the wish that it is expected to add to, if one waits. Raises nothing."""
    text = read_text(said)
    quoted = messages_in(text)
    free = blanked(text, [span for _content, span in quoted])
    placed = situation.places.named(free.tokens)
    acts = acts_in(free.tokens, placed)
    acts |= implied(free, acts, situation)
    pieces = pieces_in(text if not quoted or "watch" in acts else free, acts, tool)
    told = pieces.values.keys() & ({"reason"} if acts & DECIDED else {"note"})
    notes = note_in(blanked(free, pieces.spans), acts, situation) if not told else None
    values = dict(pieces.values)
    spans = [*pieces.spans]
    if notes is not None:
        values["reason" if acts & DECIDED and not acts & NOTED else "note"] = notes[0]
        spans.append(notes[1])
    free = blanked(free, spans)
    if "open" in acts:
        free = blanked(free, procedure_named(free))
    ahead = ahead_in(free, acts, tool, situation)
    units = (
        find_units(free.tokens, situation.units)
        if acts & UNIT_ACTS or tool == "dispatch_unit" or acts & {"motion", "assigned"}
        else []
    )
    if not units and "dispatch" in acts:
        units = find_units_of_kind(free.tokens, longest(lexicon_of("unitkind").exact(free.tokens)), situation.units)
    people = find_people(free.tokens, situation.people) if _speaks_of_people(acts, tool) else []
    people = [match for match in people if not _half_placed(free.tokens[match.start : match.end], placed)]
    reading = (
        scan(blanked(free, ahead), situation, shipped())
        if ahead
        else scan(free, situation, shipped(), [*units, *people])
    )
    return Clause(
        text, free, reading, build_plan(reading, situation), acts, values, tuple(content for content, _span in quoted),
        placed, tuple(units), tuple(people), situation, memory,
    )  # fmt: skip


def _half_placed(words: Sequence[Token], placed: frozenset[int]) -> bool:
    """Whether a person's name takes a part of a place's: `the Duy` of `the Duy Tan camera`."""
    inside = [token.start in placed for token in words]
    return any(inside) and not all(inside)


def _speaks_of_people(acts: frozenset[str], tool: str) -> bool:
    return bool(acts & PERSON_ACTS) or tool in {"list_incidents", "search_audit"}
