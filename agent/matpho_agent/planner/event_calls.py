"""The calls of the tools that read events and cameras, from a finished plan; or the question for what it lacks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from matpho_agent.planner.clause import Clause
from matpho_agent.planner.lookups import Found
from matpho_agent.planner.plan import Memory, QueryPlan
from matpho_agent.planner.reader import clip_window
from matpho_agent.planner.references import point_at
from matpho_agent.planner.resolve import find_events
from matpho_agent.planner.step import Step, ask

SIMILAR = "find_similar_events"
OF_INCIDENTS = frozenset({"open", "mean_response_minutes", "resolved_share"})
"""Figures about incidents, which have no objects, colours or plates."""
INCIDENT_FILTERS = frozenset({"event_types", "areas", "camera_ids", "time_from", "time_to", "severity_min"})
FILTERS = (
    "event_types", "objects", "objects_not", "colors", "min_count", "plate", "areas", "camera_ids", "time_from",
    "time_to", "near", "severity_min", "query",
)  # fmt: skip


def call(plan: QueryPlan, clause: Clause, found: Sequence[Found]) -> Step:
    """The tool call of a finished plan, or the question for what it lacks."""
    memory = clause.memory
    if plan.intent in {"search_events", "event_statistics"}:
        return Step(plan, plan.intent, _filters(plan, with_query=plan.intent == "search_events"))
    if plan.intent == "list_cameras":
        return Step(plan, plan.intent, camera_filters(plan))
    if plan.intent in {"camera_status", "get_snapshot"}:
        return _about_camera(plan, memory)
    if plan.intent == "get_clip" and _of_camera_spoken_of(plan, memory):
        plan.camera_ids = [str(memory.camera_id)]
    if plan.intent == "get_clip" and not _points_at_event(plan, memory) and _names_camera_only(plan):
        return _camera_clip(plan, memory)
    return _about_event(plan, clause, found)


def _filters(plan: QueryPlan, *, with_query: bool) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    for name in FILTERS:
        value = getattr(plan, name)
        if not value or (name == "query" and not with_query):
            continue
        if name in {"time_from", "time_to"}:
            value = value.isoformat()
        elif name == "near":
            value = value.model_dump()
        arguments[name] = value
    if with_query and plan.limit:
        arguments["limit"] = plan.limit
    if plan.camera_options and not plan.camera_ids:
        arguments["camera_ids"] = list(plan.camera_options)
    if not with_query and plan.metric in OF_INCIDENTS:
        arguments = {name: arguments[name] for name in arguments if name in INCIDENT_FILTERS}
    if not with_query:
        extra = {"group_by": plan.group_by, "compare_to": plan.compare_to}
        arguments |= {name: value for name, value in extra.items() if value}
        if plan.metric != "count":
            arguments["metric"] = plan.metric
        if plan.forecast_days:
            arguments["forecast_days"] = plan.forecast_days
    return arguments


def camera_filters(plan: QueryPlan) -> dict[str, Any]:
    """Arguments of `list_cameras`."""
    wanted = {"areas": plan.areas, "status": plan.status, "kind": plan.kind, "owner": plan.owner}
    return {name: value for name, value in wanted.items() if value}


def _about_camera(plan: QueryPlan, memory: Memory) -> Step:
    if len(plan.camera_ids) == 1:
        return Step(plan, plan.intent, {"camera_id": plan.camera_ids[0]})
    options = plan.camera_ids or plan.camera_options
    if not options:
        focus = _result_camera(plan, memory) or memory.camera_id
        if focus:
            return Step(plan, plan.intent, {"camera_id": focus})
        options = memory.cameras if len(memory.cameras) > 1 else []
    return ask(plan, "camera_id", options)


def _result_camera(plan: QueryPlan, memory: Memory) -> str | None:
    """The camera of the event that is pointed at, if one is."""
    if plan.event is None:
        return None
    found = point_at(plan.event, memory)
    return next((r.camera_id for r in memory.results if found and r.id == found[0]), None) if len(found) == 1 else None


def _points_at_event(plan: QueryPlan, memory: Memory) -> bool:
    return plan.event is not None and bool(plan.event.event_id or memory.results or memory.event_id)


def _of_camera_spoken_of(plan: QueryPlan, memory: Memory) -> bool:
    """`its recording from 9 to 9:05` where a camera was spoken of last."""
    told = plan.camera_ids or plan.camera_options or plan.event_types or plan.objects or plan.plate or plan.areas
    timed = plan.time_from is not None or plan.time_point is not None
    return bool(memory.topic == "camera" and memory.camera_id and timed and not told)


def _names_camera_only(plan: QueryPlan) -> bool:
    """Whether a stretch of a camera's recording is wanted rather than that of an event that is described."""
    return bool(plan.camera_ids or plan.camera_options) and not (plan.event_types or plan.objects or plan.plate)


def _camera_clip(plan: QueryPlan, memory: Memory) -> Step:
    named = plan.camera_ids or plan.camera_options
    there = [result for result in memory.results if result.camera_id in named]
    if plan.time_from is None and len(there) == 1:
        return Step(plan, "get_clip", {"event_id": there[0].id})
    if plan.time_from is None and there:
        return ask(plan, "event_id", [result.id for result in there])
    if len(plan.camera_ids) != 1:
        return ask(plan, "camera_id", named)
    camera = plan.camera_ids[0]
    if plan.time_point is not None:
        begin, end = clip_window(plan.time_point)
    elif (
        plan.time_from is not None
        and plan.time_to is not None
        and plan.time_to - plan.time_from <= timedelta(minutes=10)
    ):
        begin, end = plan.time_from, plan.time_to
    else:
        return ask(plan, "time_from")
    return Step(plan, "get_clip", {"camera_id": camera, "time_from": begin.isoformat(), "time_to": end.isoformat()})


def _about_event(plan: QueryPlan, clause: Clause, found: Sequence[Found]) -> Step:
    """Tools that need one event: the one pointed at or described, else the only one there is."""
    meant = plan.model_copy(update={"time_from": None, "time_to": None}) if plan.intent == SIMILAR else plan
    resolution = find_events(meant, clause, found)
    if resolution.lookup is not None:
        tool, wanted = resolution.lookup
        return Step(plan, tool, wanted, lookup=True)
    ids = resolution.ids
    if len(ids) > 1 and plan.intent == SIMILAR:
        ids = ids[:1]
    if len(ids) != 1:
        return ask(plan, "event_id", ids)
    if plan.intent == SIMILAR:
        filters = _filters(plan, with_query=False)
        kept = {
            name: value for name, value in filters.items() if name in {"time_from", "time_to", "areas", "camera_ids"}
        }
        return Step(plan, plan.intent, {"event_id": ids[0], **kept})
    return Step(plan, plan.intent, {"event_id": ids[0]})
