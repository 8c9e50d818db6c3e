"""The answer to a question just asked: the waiting request with its missing piece filled."""

from __future__ import annotations

import re
from collections.abc import Sequence

from matpho_agent.language.tokens import read_text
from matpho_agent.planner.clause import Clause
from matpho_agent.planner.complete import draft
from matpho_agent.planner.drafts import cameras
from matpho_agent.planner.drafts.table import DRAFTS, FREE_TEXT
from matpho_agent.planner.lookups import described
from matpho_agent.planner.plan import Pending, QueryPlan
from matpho_agent.planner.references import at_place, nth, nth_name
from matpho_agent.planner.replies import plain_answer
from matpho_agent.planner.wishes import Wish

DESCRIBED = frozenset({"incident_id", "event_ids"})
POINTED = frozenset({"incident_id", "event_ids", "event_id", "camera_id", "unit_id", "request_id"})
"""Pieces of which the only one offered is taken by a mere yes."""
DESCRIPTION = (
    "event_types", "objects", "objects_not", "colors", "min_count", "plate", "areas", "camera_ids", "camera_options",
    "time_from", "time_to", "time_point", "near", "event",
)  # fmt: skip
MAX_ANSWER_WORDS = 60
MAX_DEGREES = 360
READING_ANEW = frozenset({"search_events", "event_statistics", "list_cameras", "find_similar_events"})


def answer_to_question(clause: Clause, wish: Wish | None) -> QueryPlan | None:
    """The waiting plan, completed by this clause; None where the clause is a wish of its own or answers nothing."""
    pending = clause.memory.pending
    if pending is None or _another_wish(pending, clause, wish):
        return None
    if pending.turn is not None and pending.turn != clause.memory.turns:
        return None
    if pending.plan.intent in DRAFTS:
        return _for_tool(pending, clause, wish)
    return _for_reading(pending, clause)


def _another_wish(pending: Pending, clause: Clause, wish: Wish | None) -> bool:
    waiting = pending.plan.intent
    if wish is not None and wish.sure and wish.tool != waiting:
        return not (
            waiting == "move_camera"
            or (wish.tool in {"get_incident", "list_incidents"} and pending.missing in DESCRIBED)
        )
    if pending.missing in DESCRIBED and _questions(clause):
        return True
    read = clause.plan.intent
    if wish is None and read and read != waiting:
        return pending.missing not in DESCRIBED or read not in {"search_events", "get_event"}
    return False


def _questions(clause: Clause) -> bool:
    """`có … không`, `ở đâu`: asks for events rather than naming one."""
    return (
        "?" in clause.free.typed or clause.says("đâu", "mấy") or (clause.says("có") and clause.says("không", "ko", "k"))
    )


def _asks_whether(clause: Clause) -> bool:
    """`có … không`, a question of its own rather than a place."""
    return clause.says("có") and clause.free.plain.rstrip(" .!").endswith((" khong", " hong", " ko", " chua"))


def _for_tool(pending: Pending, clause: Clause, wish: Wish | None) -> QueryPlan | None:
    """Read the clause for the waiting tool; what it says goes over what was known."""
    before = pending.plan.model_copy(deep=True)
    plan = draft(before.model_copy(deep=True), clause)
    if before.intent == "move_camera" and (clause.plan.camera_ids or clause.plan.camera_options):
        plan.camera_ids, plan.camera_options = clause.plan.camera_ids, clause.plan.camera_options
    chosen = _chosen(pending, clause)
    if chosen is not None and pending.missing not in plan.arguments:
        plan.arguments[pending.missing] = [chosen] if pending.missing == "event_ids" else chosen
    if pending.missing == "camera_id":
        camera = chosen_camera(clause, pending.options)
        if camera:
            plan.camera_ids, plan.camera_options = [camera], []
            return plan
    if pending.missing in DESCRIBED and pending.missing not in plan.arguments:
        if not described(clause.plan) and clause.plan.event is None:
            return None
        _describe(plan, clause.plan)
        return plan
    if pending.missing in plan.arguments and plan.arguments.get(pending.missing) != before.arguments.get(
        pending.missing
    ):
        return plan
    if pending.missing in {"pan", "tilt", "zoom"} and plan.arguments != before.arguments:
        return plan
    if pending.missing in {"pan", "tilt", "zoom"}:
        return _turned(plan, before, clause)
    if pending.missing in {"area", "location"}:
        return _place(plan, pending, clause)
    words = clause.text.typed.strip()
    if pending.missing == "case_number" and pending.missing not in plan.arguments and (number := _numbered(clause)):
        plan.arguments["case_number"] = number
        return plan
    if (
        pending.missing in FREE_TEXT
        and wish is None
        and "?" not in words
        and not plain_answer(words)
        and 0 < len(words.split()) <= MAX_ANSWER_WORDS
    ):
        plan.arguments[pending.missing] = words.strip(" \"“”'.")
        return plan
    if pending.missing == "fields" and wish is None and words and not plain_answer(words):
        plan.arguments["fields"] = [part.strip() for part in words.replace(" và ", ",").split(",") if part.strip()]
        return plan
    return plan if plan.arguments != before.arguments else None


_NUMBERED = re.compile(
    r"^(?:a |da |la |hs |ho so |case |so |no |number |:)*(?P<n>\d{2,8})(?:(?: nam |[/\-])(?P<y>\d{4}))?(?![\w:])"
)


def _numbered(clause: Clause) -> str | None:
    """A case told by its number alone: `số 0199 năm 2026`."""
    match = _NUMBERED.match(clause.text.plain.strip())
    return (f"{match['n']}/{match['y']}" if match["y"] else match["n"]) if match else None


def _turned(plan: QueryPlan, before: QueryPlan, clause: Clause) -> QueryPlan | None:
    """A direction alone, or degrees alone where the direction is known: `sang trái`, `20`."""
    where = cameras.direction(clause)
    bare = clause.text.typed.strip(" .°")
    if bare.isdigit() and before.direction and int(bare) <= MAX_DEGREES:
        plan.arguments.update(cameras.turn(before.direction, int(bare)))
        return plan
    if where is None or (clause.plan.has_filters() and clause.plan.event_types):
        return None
    plan.direction = where  # type: ignore[assignment] # one of the four
    return plan


def _place(plan: QueryPlan, pending: Pending, clause: Clause) -> QueryPlan | None:
    """Where a report is about: an area of the registry, and the citizen's own words beside it."""
    words = clause.text.typed.strip()
    if "?" in words or not words or plain_answer(words) or _asks_whether(clause):
        return None
    plan.arguments["location"] = words[:300]
    return plan


def _describe(plan: QueryPlan, said: QueryPlan) -> None:
    for name in DESCRIPTION:
        value = getattr(said, name)
        if value:
            setattr(plan, name, value)


def _chosen(pending: Pending, clause: Clause) -> str | None:
    """An option by its place in the list that was shown, or by its id."""
    typed = clause.text.typed.strip().strip(".")
    for option in pending.options:
        if option.casefold() == typed.casefold():
            return option
    if typed.isdigit() and 0 < int(typed) <= len(pending.options):
        return pending.options[int(typed) - 1]
    if len(pending.options) == 1 and pending.missing in POINTED and plain_answer(clause.text.typed) == "yes":
        return pending.options[0]
    reference = clause.plan.event
    named = nth_name(pending.options, reference)
    if named is not None:
        return named
    if reference is not None and reference.ordinal == 0 and pending.options:
        rows = [row for row in (*clause.memory.incidents, *clause.memory.results) if row.id in pending.options]
        newest = nth(rows, 0)
        return newest.id if newest else None
    return None


def _for_reading(pending: Pending, clause: Clause) -> QueryPlan | None:
    plan = clause.plan
    waiting = pending.plan.model_copy(deep=True)
    if pending.missing == "camera_id":
        camera = chosen_camera(clause, pending.options)
        if camera is None:
            return None
        waiting.camera_ids, waiting.camera_options = [camera], []
        return waiting
    if pending.missing == "event_id":
        chosen = _chosen(pending, clause)
        reference = plan.event or at_place(plan.areas, plan.camera_ids, clause.memory)
        if chosen is not None and reference is not None:
            reference = reference.model_copy(update={"event_id": chosen})
        told = described(plan) and not pending.options
        if reference is None and not told:
            return None
        if told:
            _describe(waiting, plan)
        waiting.event = reference or waiting.event
        return waiting
    if pending.missing == "time_from" and plan.time_from is not None:
        waiting.time_from, waiting.time_to, waiting.time_point = plan.time_from, plan.time_to, plan.time_point
        return waiting
    return None


def chosen_camera(clause: Clause, options: Sequence[str]) -> str | None:
    """The camera that an answer names, by its name, its place in the list, or the words that only one option has."""
    plan = clause.plan
    named = [camera for camera in (*plan.camera_ids, *plan.camera_options) if not options or camera in options]
    if len(named) == 1:
        return named[0]
    pointed = nth_name(options, plan.event)
    if pointed is None and len(options) == 1 and plain_answer(clause.text.typed) == "yes":
        pointed = options[0]
    if pointed is not None:
        return pointed
    typed = clause.text.typed.strip()
    if typed.isdigit() and 0 < int(typed) <= len(options):
        return options[int(typed) - 1]
    said = {token.plain for token in clause.text.tokens}
    scores = sorted(((_shared(said, camera, clause), camera) for camera in named or options), reverse=True)
    if scores and scores[0][0] > 0 and (len(scores) == 1 or scores[0][0] > scores[1][0]):
        return scores[0][1]
    return None


def _shared(said: set[str], camera: str, clause: Clause) -> int:
    place = clause.situation.places.camera(camera)
    names = (place.name, *place.aliases) if place else ()
    return len(said & {token.plain for name in names for token in read_text(name).tokens})
