"""Pieces of a clause that are content: announced purposes, reasons and notes, news behind a comma, times ahead."""

from __future__ import annotations

import re
from collections.abc import Mapping

from matpho_agent.language.deadlines import read_deadline, read_horizon
from matpho_agent.language.lexicon import lexicon_of, shipped
from matpho_agent.language.pieces import Pieces, Span, blanked, read_pieces
from matpho_agent.language.tokens import Text
from matpho_agent.planner.acts import acts_in, longest
from matpho_agent.planner.scan import scan
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
MIN_NOTE_WORDS = 2
DECIDED = frozenset({"approve", "reject", "allow", "return"})
PURPOSEFUL = frozenset({"export_evidence", "request_identity_check"})
"""Tools that are asked for a purpose: what answers such a question may say it in any way."""


_PROCEDURE = re.compile(
    r"(?<![0-9a-z])(?:(?:theo|dung|ap dung|voi|under|with|using|per|by) )*(?:the )?"
    r"(?:(?:quy trinh|qui trinh|sop|kich ban)(?: xu ly)? [^,;.\-0-9]{2,40}?"
    r"|[a-z]{3,}(?: [a-z]+)? (?:sop|procedure|protocol|playbook))"
    r"(?=\s*(?:[,;.]|$)| (?:cho|voi|doi voi|uu tien|muc|ghi chu|for|on|priority|nhe|nha|di|giup)(?![0-9a-z]))"
)


def procedure_named(text: Text) -> list[Span]:
    """Where a new incident's procedure is named by what it is for, no word about the event: `quy trình đổ rác`."""
    return [match.span() for match in _PROCEDURE.finditer(text.plain)]


def pieces_in(text: Text, acts: frozenset[str], tool: str) -> Pieces:
    """Pieces announced for the acts of this clause; for a waiting wish only by words that mean nothing else."""
    wanted = {name for act in acts for name in PIECES_OF.get(act, ())}
    wanted |= {"reason"} if acts & REASONED else set()
    wanted |= {"note"} if acts & NOTED else set()
    if acts & DECIDED and "export" not in acts:
        wanted = {"reason"}
    if wanted:
        found = read_pieces(text, wanted)
        if "reason" in found.values and not acts_in(blanked(text, found.spans).tokens) & (REASONED | DECIDED):
            return read_pieces(text, wanted - {"reason"})
        return found
    return read_pieces(text, PIECES_OF_TOOL.get(tool, ()), sure=tool not in PURPOSEFUL)


def ahead_in(text: Text, acts: frozenset[str], tool: str, situation: Situation) -> list[Span]:
    """Stretches that speak of the time to come and must not be read as the time of events."""
    spans = []
    if "watch" in acts or tool == "create_watch":
        deadline = read_deadline(text, situation.now)
        spans += [deadline[1]] if deadline else []
    elif longest(lexicon_of("forecast").matches(text.tokens)) or tool == "event_statistics":
        horizon = read_horizon(text)
        spans += [horizon[1]] if horizon else []
    return spans


def note_in(text: Text, acts: frozenset[str], situation: Situation) -> tuple[str, Span] | None:
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
