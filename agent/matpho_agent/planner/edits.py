"""A change to a waiting proposal: the arguments that an answer names, put over those that were shown."""

from __future__ import annotations

from typing import Any

from matpho_agent.language.lexicon import lexicon_of
from matpho_agent.planner.clause import Clause, longest, open_clause
from matpho_agent.planner.complete import MOVEMENTS
from matpho_agent.planner.drafts import cameras
from matpho_agent.planner.drafts.standing import watch_filter
from matpho_agent.planner.drafts.table import DRAFTS
from matpho_agent.planner.plan import Memory, Proposal
from matpho_agent.planner.situation import Situation
from matpho_agent.planner.wishes import find_wish

MAX_EDIT_WORDS = 40
NEUTRAL = frozenset(
    {"priority", "aim", "assist", "motion", "give", "report", "incident", "near", "verify", "lift", "put", "ahead"}
)
"""Acts that a change may speak of without being a wish of its own."""
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
    corrected = bool(longest(lexicon_of("edit").exact(clause.text.tokens)))
    if not corrected and _wants_more(clause, proposal):
        return None
    said = {name: value for name, value in draft(clause).items() if name not in REMOVED}
    changes = {**_special(clause, proposal, said), **said}
    if not changes:
        return None
    return {name: value for name, value in changes.items() if value != proposal.arguments.get(name)}


def _wants_more(clause: Clause, proposal: Proposal) -> bool:
    """Whether the clause orders or asks something itself rather than naming a value."""
    wish = find_wish(clause)
    if wish is not None and (wish.sure or wish.tool != proposal.tool):
        return not (wish.tool == proposal.tool and not clause.acts - NEUTRAL)
    return bool(clause.plan.intent) or bool(clause.acts - NEUTRAL)


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


def _movement(clause: Clause, proposal: Proposal, said: dict[str, Any]) -> dict[str, Any]:
    """A new way to move takes the place of the old; bare degrees keep the old direction."""
    arguments = proposal.arguments
    camera = clause.plan.camera_ids[:1]
    changes: dict[str, Any] = {"camera_id": camera[0]} if camera else {}
    turned = next((name for name in ("pan", "tilt") if arguments.get(name)), None)
    degrees = cameras.degrees_in(clause.free.plain)
    if not any(name in said for name in MOVEMENTS):
        if degrees is not None and turned:
            changes[turned] = degrees if arguments[turned] > 0 else -degrees
        elif turned and (where := cameras.direction(clause)):
            changes |= {turned: None, **cameras.turn(where, abs(arguments[turned]))}
        return changes
    return {**{name: None for name in MOVEMENTS if name in arguments and name not in said}, **changes}
