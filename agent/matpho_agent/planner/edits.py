"""A change to a waiting proposal: the arguments that an answer names, put over those that were shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from matpho_agent.language.lexicon import lexicon_of
from matpho_agent.language.tokens import read_text
from matpho_agent.planner.acts import longest
from matpho_agent.planner.clause import Clause, open_clause
from matpho_agent.planner.complete import MOVEMENTS
from matpho_agent.planner.drafts import cameras
from matpho_agent.planner.drafts.standing import FILTERED, MAX_NAME, watch_filter
from matpho_agent.planner.drafts.table import DRAFTS
from matpho_agent.planner.merging import Change, changes, merged
from matpho_agent.planner.plan import Memory, Proposal, QueryPlan
from matpho_agent.planner.situation import Situation
from matpho_agent.planner.wishes import find_wish

MAX_EDIT_WORDS = 40
NEUTRAL = frozenset(
    {"priority", "aim", "assist", "motion", "give", "report", "incident", "near", "verify", "lift", "put", "ahead"}
)
"""Acts that a change may speak of without being a wish of its own."""
_AMOUNT = re.compile(r"(?<![0-9a-z])(?P<n>\d{1,3}(?:[.,]\d)?)(?: ?(?:do|°|degrees?|deg))?(?![0-9a-z])")
_SIDES = re.compile(
    r"(?<![0-9a-z])(?:trai|phai|left|right|xuong duoi|len tren|up|down|cui|ngua|ngang|zoom|preset)(?![0-9a-z])"
)
_MORE = re.compile(r"(?<![0-9a-z])(?:them|cong them|nua|more|further|another)(?![0-9a-z])")
_LESS = re.compile(r"(?<![0-9a-z])(?:bot|giam bot|tru|less|fewer)(?![0-9a-z])")
_OTHER_WAY = re.compile(
    r"(?<![0-9a-z])(?:(?:huong|ben|phia|chieu) (?:kia|nguoc lai|con lai)|nguoc lai|nguoc huong|the other (?:way"
    r"|side|direction)"
    r"|opposite(?: way| direction)?)(?![0-9a-z])"
)
REMOVED = frozenset({"unit_options", "degrees"})


def changes_in(text: str, memory: Memory, proposal: Proposal, situation: Situation) -> dict[str, Any] | None:
    """The arguments that `text` changes; None where it names none, or asks for something else.

    Empty where it names what stands there already: the proposal is shown again as it was. None as a value takes the
    argument out (a preset gives way to a turn).
    """
    clause = open_clause(text, situation, memory, proposal.tool)
    draft = DRAFTS.get(proposal.tool)
    if draft is None or clause.quotes or "?" in clause.free.typed or len(clause.text.tokens) > MAX_EDIT_WORDS:
        return None
    said = {name: value for name, value in draft(clause).items() if name not in REMOVED}
    if proposal.tool == "create_watch" and (named := _NAMED.search(clause.text.plain)) is not None:
        return {"name": clause.text.typed[named.start("name") :].strip(" .!\"'“”")[:MAX_NAME]}
    corrected = bool(longest(lexicon_of("edit").exact(clause.text.tokens)))
    if not corrected and _wants_more(clause, proposal, said):
        return None
    changed = {**_special(clause, proposal, said), **said}
    changed = {**changed, **_listed(clause, proposal, changed)}
    if not changed:
        return None
    return {name: value for name, value in changed.items() if value != proposal.arguments.get(name)}


_NAMED = re.compile(
    r"(?<![0-9a-z])(?:(?:dat|doi|lay|de|sua)(?: lai)?(?: cai)? ten(?: lai)?(?: no)?|(?:name|call|rename) it"
    r"|change the name)(?: thanh| la| to| as)*:? (?P<name>\S.*)$"
)
"""A new name for what is waited for."""


def _wants_more(clause: Clause, proposal: Proposal, said: dict[str, Any]) -> bool:
    """Whether the clause orders or asks something itself rather than naming a value."""
    wish = find_wish(clause)
    if wish is not None and wish.tool == proposal.tool and clause.pieces:
        return False
    if wish is not None and (wish.sure or wish.tool != proposal.tool):
        return not (wish.tool == proposal.tool and not clause.acts - NEUTRAL)
    counted = clause.plan.intent == "event_statistics" and bool(said) and not clause.plan.has_filters()
    return bool(clause.plan.intent and not counted) or bool(clause.acts - NEUTRAL)


def _listed(clause: Clause, proposal: Proposal, said: dict[str, Any]) -> dict[str, Any]:
    """Lists of names that a change adds to or takes from: fields of a check, what a watch waits for."""
    if proposal.tool == "request_identity_check":  # `lấy thêm cả …` announces a piece, and adds to the list
        clause = replace(clause, free=clause.text)
    spans = changes(clause)
    if not spans:
        return {}
    if proposal.tool == "request_identity_check":
        return _fields(clause, list(proposal.arguments.get("fields", ())), list(said.get("fields", ())), spans)
    if proposal.tool == "create_watch" and isinstance(proposal.arguments.get("filter"), dict):
        return _watched(clause, proposal.arguments["filter"], spans)
    return {}


def _fields(clause: Clause, before: list[str], said: list[str], spans: Sequence[Change]) -> dict[str, Any]:
    tokens = clause.free.tokens
    gone, more = set[str](), list[str]()
    for match in longest(lexicon_of("field").exact(tokens)):
        place = tokens[match.start].start
        kind = next((span.kind for span in spans if span.start <= place < span.end), "")
        words = clause.free.typed[place : tokens[match.end - 1].end]
        if kind == "remove":
            gone |= {match.value, words.casefold()}
        elif kind == "add":
            more.append(words)
    if gone:
        named, shown = ([name for name in names if not _same_field(name, gone)] for names in (said, before))
        return {"fields": named or shown or before}
    return {"fields": list(dict.fromkeys([*before, *(more or said)]))} if more or said else {}


def _same_field(name: str, gone: set[str]) -> bool:
    values = {match.value for match in longest(lexicon_of("field").exact(read_text(name).tokens))}
    return name.casefold() in gone or bool(values & gone)


def _watched(clause: Clause, before: dict[str, Any], spans: Sequence[Change]) -> dict[str, Any]:
    """What a watch waits for, with things, kinds and places added or taken out."""
    known = QueryPlan(**{name: value for name, value in before.items() if name in QueryPlan.model_fields})
    now = merged(clause.plan, known, clause)
    told = {name: getattr(now, name) for name in FILTERED if getattr(now, name)}
    if "near" in told:
        told["near"] = told["near"].model_dump()
    return {"filter": told} if told else {}


def _special(clause: Clause, proposal: Proposal, said: dict[str, Any]) -> dict[str, Any]:
    """What a change means beside the value it names."""
    if proposal.tool == "move_camera":
        return _movement(clause, proposal, said)
    if proposal.tool == "update_incident" and "status" in said:
        return {"step_done": None} if "step_done" in proposal.arguments else {}
    if proposal.tool == "create_watch" and "filter" in said:
        said["filter"] = {**proposal.arguments.get("filter", {}), **watch_filter(clause)}
        if not clause.pieces.get("name"):
            said.pop("name", None)
    if proposal.tool == "request_identity_check" and "subject" in said:
        before = proposal.arguments.get("subject", {})
        if "plate" not in said["subject"] and "plate" not in before:
            said["subject"] = {**before, **said["subject"]}
    if proposal.tool in {"open_incident", "export_evidence"} and not said.get("event_ids"):
        said.pop("event_ids", None)
    return {}


def _says(clause: Clause, name: str) -> bool:
    """Whether the clause has a preset's name in it."""
    return re.search(rf"(?<![0-9a-z]){re.escape(read_text(name).plain)}(?![0-9a-z])", clause.text.plain) is not None


def _movement(clause: Clause, proposal: Proposal, said: dict[str, Any]) -> dict[str, Any]:
    """A new way to move takes the place of the old; bare degrees keep the old direction."""
    arguments = proposal.arguments
    place = clause.situation.places.camera(str(arguments.get("camera_id", "")))
    preset = next((name for name in (place.presets if place else ()) if _says(clause, name)), None)
    if preset is not None and not {"pan", "tilt"} & said.keys():
        for name in MOVEMENTS:
            said.pop(name, None)
        return {**{name: None for name in MOVEMENTS if name in arguments}, "preset": preset}
    camera = clause.plan.camera_ids[:1]
    found: dict[str, Any] = {"camera_id": camera[0]} if camera else {}
    turned = next((name for name in ("pan", "tilt") if arguments.get(name)), None)
    plain = clause.free.plain
    degrees = cameras.degrees_in(plain)
    amount = _AMOUNT.search(plain)
    if turned and amount and not _SIDES.search(plain):
        before = abs(arguments[turned])
        told = float(amount["n"].replace(",", "."))
        told = before + told if _MORE.search(plain) else before - told if _LESS.search(plain) else told
        for name in MOVEMENTS:
            said.pop(name, None)
        size = int(told) if told == int(told) else told
        return {**found, turned: size if arguments[turned] > 0 else -size}
    if turned and _OTHER_WAY.search(plain):
        return {**found, turned: -arguments[turned]}
    if not any(name in said for name in MOVEMENTS):
        if degrees is not None and turned:
            found[turned] = degrees if arguments[turned] > 0 else -degrees
        elif turned and (where := cameras.direction(clause)):
            found |= {turned: None, **cameras.turn(where, abs(arguments[turned]))}
        return found
    return {**{name: None for name in MOVEMENTS if name in arguments and name not in said}, **found}
