"""From what a wish says to its call: references resolved, descriptions looked up, the missing piece asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from matpho_agent.language.places import Place
from matpho_agent.planner.clause import Clause
from matpho_agent.planner.drafts import cameras
from matpho_agent.planner.drafts.standing import MAX_NAME
from matpho_agent.planner.drafts.table import DRAFTS, NEEDED
from matpho_agent.planner.lookups import Found
from matpho_agent.planner.plan import QueryPlan
from matpho_agent.planner.references import point_at
from matpho_agent.planner.resolve import Resolution, find_events, find_incident, plural
from matpho_agent.planner.step import Step, ask
from matpho_agent.planner.tails import whole_codes

MOVEMENTS = ("preset", "pan", "tilt", "zoom", "home")
ONE_EVENT_ONLY = frozenset({"open_incident"})


def draft(plan: QueryPlan, clause: Clause) -> QueryPlan:
    """The plan with what this clause says about its tool's arguments put over what was known before."""
    said = DRAFTS[plan.intent](clause)
    known = dict(plan.arguments)
    if plan.intent == "move_camera" and any(name in said for name in MOVEMENTS):
        known = {name: value for name, value in known.items() if name not in MOVEMENTS}
    if "status" in said and plan.intent == "update_incident":
        known.pop("step_done", None)
    plan.arguments = {**known, **said}
    if plan.intent == "move_camera":
        plan.direction = cameras.direction(clause) or plan.direction  # type: ignore[assignment] # one of the four
    return plan


def complete(plan: QueryPlan, clause: Clause, found: Sequence[Found]) -> Step:
    """The call, the lookup before it, or the question for the first piece that is missing."""
    arguments = dict(plan.arguments)
    _of_vehicle(plan, clause, arguments)
    if (first := whole_codes(plan, clause, found, arguments)) is not None:
        return first
    for name in NEEDED.get(plan.intent, ()):
        if name in arguments:
            continue
        step = _needed(name, plan, clause, found, arguments)
        if step is not None:
            _keep_pointed(name, plan, clause, arguments)
            return step
    options = arguments.pop("unit_options", None)
    if options:
        return ask(plan, "unit_id", options)
    _remembered_codes(plan.intent, arguments, clause)
    return Step(plan, plan.intent, arguments)


def _keep_pointed(name: str, plan: QueryPlan, clause: Clause, arguments: dict[str, Any]) -> None:
    """Before another piece is asked for: the events pointed at now (`2 cái đó`), which later words will not name."""
    if name == "event_ids" or "event_ids" not in NEEDED[plan.intent] or "event_ids" in arguments:
        return
    resolution = find_events(plan, clause, ())
    if resolution.lookup is None and (len(resolution.ids) == 1 or _all_meant(clause, resolution)):
        plan.arguments["event_ids"] = list(resolution.ids)


def _needed(
    name: str, plan: QueryPlan, clause: Clause, found: Sequence[Found], arguments: dict[str, Any]
) -> Step | None:
    """Fill one piece into `arguments`, or say what must happen before that."""
    if name == "camera_id":
        return _camera(plan, clause, arguments)
    if name == "pan":
        return _movement(plan, arguments)
    if name == "incident_id":
        return _resolved(name, find_incident(plan, clause, found, arguments), plan, arguments)
    if name == "event_ids":
        return _resolved(name, find_events(plan, clause, found), plan, arguments, clause)
    if name == "subject" and (plate := plate_in_focus(clause)):
        arguments[name] = {"plate": plate}
        return None
    if name == "filter" and (plate := plate_in_focus(clause)):
        arguments[name] = {"plate": plate}
        return None
    if name == "request_id" and clause.memory.request_id:
        arguments[name] = clause.memory.request_id
        return None
    return ask(plan, name)


def plate_in_focus(clause: Clause) -> str | None:
    """The plate of the vehicle pointed at: of the event spoken of last, or the only one of the last list."""
    memory = clause.memory
    ids = point_at(clause.plan.event, memory)
    plates = {row.plate for row in memory.results if row.id in ids and row.plate}
    return plates.pop() if len(plates) == 1 and clause.says(*POINTERS) else None


def _of_vehicle(plan: QueryPlan, clause: Clause, arguments: dict[str, Any]) -> None:
    """`theo dõi biển này ở Ninh Kiều`: the plate pointed at belongs to what is waited for."""
    wanted = arguments.get("filter")
    if plan.intent != "create_watch" or not wanted or wanted.get("plate"):
        return
    if not _PLATE_POINTED.search(clause.free.plain):
        return
    if (plate := plate_in_focus(clause)) is not None:
        name = f"{plate} – {arguments.get('name', '')}"
        arguments["filter"], arguments["name"] = {**wanted, "plate": plate}, name[:MAX_NAME]


_PLATE_POINTED = re.compile(
    r"(?<![0-9a-z])(?:(?:bien(?: so)?|xe|chiec|con|con xe|chiec xe) (?:do|nay|ay|day|kia)"
    r"|(?:that|this|the same) (?:plate|number|car|vehicle|truck|van|bike|motorbike|lorry))(?![0-9a-z])"
)
POINTERS = ("đó", "này", "ấy", "đấy", "nó", "kia", "that", "this", "it", "its", "xe", "biển")


def _resolved(
    name: str, resolution: Resolution, plan: QueryPlan, arguments: dict[str, Any], clause: Clause | None = None
) -> Step | None:
    if resolution.lookup is not None:
        tool, wanted = resolution.lookup
        return Step(plan, tool, wanted, lookup=True)
    several = clause is not None and len(resolution.ids) > 1 and _all_meant(clause, resolution)
    if len(resolution.ids) != 1 and not several:
        return ask(plan, name, resolution.ids)
    arguments[name] = list(resolution.ids) if name == "event_ids" else resolution.ids[0]
    return None


def _all_meant(clause: Clause, resolution: Resolution) -> bool:
    """`các vụ đó`, `both`: all of them; a single focus never is several."""
    return plural(clause, len(resolution.ids)) or (
        clause.memory.topic == "incident" and bool(clause.memory.incident_id)
    )


def _camera(plan: QueryPlan, clause: Clause, arguments: dict[str, Any]) -> Step | None:
    """The camera named first, else the one spoken of; of several bearers of a name the only one that can turn."""
    index = clause.situation.places
    named = plan.camera_ids[:1] if len(plan.camera_ids) > 1 else plan.camera_ids
    options = [] if named else plan.camera_options
    if clause.memory.topic == "camera" and clause.memory.camera_id in options and "preset" in arguments:
        named = [clause.memory.camera_id]
    movable = [camera for camera in options if (place := index.camera(camera)) and place.camera_kind == "ptz"]
    pointed = plan.event is not None and plan.event.that and not named
    chosen = list(named or (_spoken_of(plan, clause) if pointed else ()) or (movable if len(movable) == 1 else ()))
    if not chosen and not options:
        chosen = _spoken_of(plan, clause)
    if len(chosen) != 1:
        return ask(plan, "camera_id", list(options) or _movable_nearby(plan, clause))
    arguments["camera_id"] = chosen[0]
    return None


MAX_OFFERED = 8
"""Cameras that a question may offer; of more nobody chooses from a list."""


def _movable_nearby(plan: QueryPlan, clause: Clause) -> list[str]:
    """The cameras that can turn: of the last list, else in the areas named, else in the caller's own; few or none."""
    index, areas = clause.situation.places, set(plan.areas or clause.situation.own_areas)
    listed = [camera for camera in clause.memory.cameras if _turns(index.camera(camera))]
    if listed:
        return listed[:MAX_OFFERED]
    if not areas:
        return []
    there = [place.id for place in index.places if _turns(place) and areas & set(index.lineage(place.area))]
    return there if len(there) <= MAX_OFFERED else []


def _turns(place: Place | None) -> bool:
    return place is not None and place.kind == "camera" and place.camera_kind == "ptz"


def _spoken_of(plan: QueryPlan, clause: Clause) -> list[str]:
    memory = clause.memory
    ordinal = plan.event is not None and (plan.event.ordinal is not None or plan.event.which)
    if memory.topic == "camera" and memory.camera_id and not ordinal:
        return [memory.camera_id]
    if plan.event is not None and memory.results:
        ids = point_at(plan.event, memory)
        cameras_there = {row.camera_id for row in memory.results if row.id in ids and row.camera_id}
        if len(cameras_there) == 1:
            return list(cameras_there)
    return [memory.camera_id] if memory.camera_id else []


def _movement(plan: QueryPlan, arguments: dict[str, Any]) -> Step | None:
    """One way to move; degrees that came alone belong to the direction said before."""
    degrees = arguments.pop("degrees", None)
    if degrees is not None and plan.direction:
        arguments.update(cameras.turn(plan.direction, degrees))
    if any(name in arguments for name in MOVEMENTS):
        return None
    return ask(plan, "tilt" if plan.direction in {"up", "down"} else "pan")


def _remembered_codes(tool: str, arguments: dict[str, Any], clause: Clause) -> None:
    """A report or request that is only pointed at is the one spoken of last."""
    if tool == "feedback_status" and "code" not in arguments and clause.memory.report_code:
        arguments["code"] = clause.memory.report_code
