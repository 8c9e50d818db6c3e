"""Reading a clause against the talk so far: ellipsis, narrowing, references, the answer to a question just asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from matpho_agent.language.tokens import read_text
from matpho_agent.planner.intents import ACTING
from matpho_agent.planner.plan import EventReference, Memory, Pending, QueryPlan, Remembered
from matpho_agent.planner.reader import Situation, clip_window, read_clause

FILTERED = frozenset({"search_events", "event_statistics", "find_similar_events"})
"""Tools that take event filters and whose plan the next sentence may go on from."""
FILTERS = (
    "event_types", "objects", "objects_not", "colors", "min_count", "plate", "areas", "camera_ids", "time_from",
    "time_to", "near", "severity_min", "query",
)  # fmt: skip
COUNTED = frozenset({"count", "rate"})
"""What the event store can be asked for; figures about incidents come with the incidents."""
CLOCK_TOLERANCE = timedelta(minutes=15)
TALK_SPAN = 6
"""A greeting in a sentence longer than this is no greeting but a beginning."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one clause comes to: a tool call, a question back, or a word of talk; exactly one is set."""

    plan: QueryPlan
    tool: str = ""
    arguments: dict[str, Any] | None = None
    ask: Pending | None = None
    talk: str = ""
    about: str = ""


def take_step(clause: str, situation: Situation, memory: Memory) -> Step:
    """Read one clause in its context. Raises nothing; what is unclear becomes a question for just that piece."""
    plan, reading = read_clause(clause, situation)
    answered = _answer_to_question(plan, clause, situation, memory)
    if answered is not None:
        plan = answered
    elif plan.talk and not plan.has_filters() and (not plan.intent or len(reading.text.tokens) <= TALK_SPAN):
        return Step(plan, talk=plan.talk)
    else:
        plan = _continued(plan, memory, situation)
    if not plan.intent:
        return Step(plan, talk="unclear")
    if plan.intent == "event_statistics" and (plan.metric not in COUNTED or plan.forecast):
        return Step(plan, talk="unavailable", about="forecast" if plan.forecast else plan.metric)
    if plan.intent not in situation.tools:
        return Step(plan, talk="unavailable", about=plan.intent)
    return _call(plan, memory, situation)


def _answer_to_question(plan: QueryPlan, clause: str, situation: Situation, memory: Memory) -> QueryPlan | None:
    """The waiting request with its missing piece filled, when the clause is that piece and no wish of its own."""
    pending = memory.pending
    if pending is None or plan.intent in ACTING or (plan.intent and plan.intent != pending.plan.intent):
        return None
    waiting = pending.plan.model_copy(deep=True)
    if pending.missing == "camera_id":
        camera = _chosen_camera(plan, clause, situation, pending.options)
        if camera is None:
            return None
        waiting.camera_ids, waiting.camera_options = [camera], []
        return waiting
    if pending.missing == "event_id":
        reference = plan.event or _place_reference(plan, memory)
        if reference is None:
            return None
        waiting.event = reference
        return waiting
    if pending.missing == "time_from" and plan.time_from is not None:
        waiting.time_from, waiting.time_to, waiting.time_point = plan.time_from, plan.time_to, plan.time_point
        return waiting
    return None


def _chosen_camera(plan: QueryPlan, clause: str, situation: Situation, options: Sequence[str]) -> str | None:
    named = [camera for camera in (*plan.camera_ids, *plan.camera_options) if not options or camera in options]
    if len(named) == 1:
        return named[0]
    if plan.event and plan.event.ordinal and 0 < plan.event.ordinal <= len(options):
        return options[plan.event.ordinal - 1]
    if clause.strip().isdigit() and 0 < int(clause) <= len(options):
        return options[int(clause) - 1]
    said = {token.plain for token in read_text(clause).tokens}
    scores = []
    for camera in named or options:
        place = situation.places.camera(camera)
        names = (place.name, *place.aliases) if place else ()
        words = {token.plain for name in names for token in read_text(name).tokens}
        scores.append((len(said & words), camera))
    scores.sort(reverse=True)
    if scores and scores[0][0] > 0 and (len(scores) == 1 or scores[0][0] > scores[1][0]):
        return scores[0][1]
    return None


def _place_reference(plan: QueryPlan, memory: Memory) -> EventReference | None:
    """`cái ở Cầu Giấy`: the one result of the last list that is there."""
    there = [r for r in memory.results if r.camera_id in plan.camera_ids or r.area in plan.areas]
    return EventReference(event_id=there[0].id) if len(there) == 1 else None


def _continued(plan: QueryPlan, memory: Memory, situation: Situation) -> QueryPlan:
    """Give the clause what it leaves out: its wish, and the filters of what was asked before."""
    before = memory.plan
    fragment = not plan.intent and not plan.event_types
    if plan.camera_that and not plan.camera_ids and not plan.areas:
        _point_at_place(plan, memory)
    if before is not None and (fragment or plan.follow == "narrow") and _goes_on(plan):
        if plan.event_types and set(plan.event_types) != set(before.event_types):
            plan.intent = plan.intent or before.intent
            return plan
        return _merged(plan, before)
    if plan.intent == "event_statistics" and before is not None and not plan.has_filters():
        return _merged(plan, before)
    if not plan.intent and (plan.has_filters() or plan.query) and _is_wish(plan, situation):
        plan.intent = "search_events"
    return plan


def _goes_on(plan: QueryPlan) -> bool:
    return plan.has_filters() or bool(plan.group_by or plan.compare_to)


def _is_wish(plan: QueryPlan, situation: Situation) -> bool:
    """Whether a clause without a verb still asks for events, rather than being no request at all."""
    return plan.has_filters() or len(plan.query.split()) >= 2


def _point_at_place(plan: QueryPlan, memory: Memory) -> None:
    if memory.camera_id:
        plan.camera_ids = [memory.camera_id]
    elif memory.plan is not None:
        plan.camera_ids = list(memory.plan.camera_ids)
        plan.areas = list(memory.plan.areas)


def _merged(plan: QueryPlan, before: QueryPlan) -> QueryPlan:
    """The earlier plan with what the clause says put in its place; narrowing adds, a new place replaces the old one."""
    merged = before.model_copy(deep=True)
    for name in FILTERS:
        said = getattr(plan, name)
        if said:
            setattr(merged, name, said)
    if plan.areas or plan.camera_ids or plan.near or plan.everywhere:
        merged.areas, merged.camera_ids, merged.near = list(plan.areas), list(plan.camera_ids), plan.near
        merged.camera_options, merged.everywhere = list(plan.camera_options), plan.everywhere
    elif plan.camera_options:
        merged.areas, merged.camera_ids, merged.camera_options = [], [], list(plan.camera_options)
    if plan.time_from or plan.time_to:
        merged.time_from, merged.time_to = plan.time_from, plan.time_to
    merged.intent = plan.intent or before.intent
    if merged.intent == "search_events":
        merged.group_by, merged.compare_to = [], None
    merged.forecast = plan.forecast
    merged.group_by = plan.group_by or merged.group_by
    merged.compare_to = plan.compare_to or merged.compare_to
    merged.metric = plan.metric if plan.metric != "count" else merged.metric
    if merged.min_count and merged.objects == ["person"] and merged.event_types:
        merged.objects = []
    return merged


def _call(plan: QueryPlan, memory: Memory, situation: Situation) -> Step:
    """The tool call of a finished plan, or the question for what it lacks."""
    if plan.intent in {"search_events", "event_statistics"}:
        return Step(plan, plan.intent, _filters(plan, with_query=plan.intent == "search_events"))
    if plan.intent == "list_cameras":
        wanted = {"areas": plan.areas, "status": plan.status, "kind": plan.kind, "owner": plan.owner}
        return Step(plan, plan.intent, {name: value for name, value in wanted.items() if value})
    if plan.intent in {"camera_status", "get_snapshot"}:
        return _about_camera(plan, memory)
    if plan.intent == "get_clip" and not _points_at_event(plan, memory) and (plan.camera_ids or plan.camera_options):
        return _camera_clip(plan, memory)
    return _about_event(plan, memory, situation)


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
    if plan.camera_options and not plan.camera_ids:
        arguments["camera_ids"] = list(plan.camera_options)
    if not with_query:
        extra = {"group_by": plan.group_by, "compare_to": plan.compare_to}
        arguments |= {name: value for name, value in extra.items() if value}
        if plan.metric != "count":
            arguments["metric"] = plan.metric
    return arguments


def _about_camera(plan: QueryPlan, memory: Memory) -> Step:
    if len(plan.camera_ids) == 1:
        return Step(plan, plan.intent, {"camera_id": plan.camera_ids[0]})
    options = plan.camera_ids or plan.camera_options
    if not options:
        focus = _result_camera(plan, memory) or memory.camera_id
        if focus:
            return Step(plan, plan.intent, {"camera_id": focus})
        options = memory.cameras if len(memory.cameras) > 1 else []
    return Step(plan, ask=Pending(plan=plan, missing="camera_id", options=options[:10]))


def _result_camera(plan: QueryPlan, memory: Memory) -> str | None:
    """The camera of the event that is pointed at, if one is."""
    if plan.event is None:
        return None
    found = point_at(plan.event, memory)
    return next((r.camera_id for r in memory.results if found and r.id == found[0]), None) if len(found) == 1 else None


def _points_at_event(plan: QueryPlan, memory: Memory) -> bool:
    return plan.event is not None and bool(plan.event.event_id or memory.results or memory.event_id)


def _camera_clip(plan: QueryPlan, memory: Memory) -> Step:
    if len(plan.camera_ids) != 1:
        return Step(
            plan, ask=Pending(plan=plan, missing="camera_id", options=(plan.camera_ids or plan.camera_options)[:10])
        )
    camera = plan.camera_ids[0]
    there = [result for result in memory.results if result.camera_id == camera]
    if plan.time_from is None and len(there) == 1:
        return Step(plan, "get_clip", {"event_id": there[0].id})
    if plan.time_point is not None:
        begin, end = clip_window(plan.time_point)
    elif (
        plan.time_from is not None
        and plan.time_to is not None
        and plan.time_to - plan.time_from <= timedelta(minutes=10)
    ):
        begin, end = plan.time_from, plan.time_to
    else:
        return Step(plan, ask=Pending(plan=plan, missing="time_from"))
    return Step(plan, "get_clip", {"camera_id": camera, "time_from": begin.isoformat(), "time_to": end.isoformat()})


def _about_event(plan: QueryPlan, memory: Memory, situation: Situation) -> Step:
    """Tools that need one event: the one pointed at, else the only one there is."""
    found = point_at(plan.event, memory)
    if plan.event is None or not plan.event.event_id:
        there = _place_reference(plan, memory)
        if there is not None and there.event_id:
            found = [there.event_id]
    if len(found) > 1 and plan.intent == "find_similar_events":
        found = found[:1]
    if len(found) != 1:
        return Step(plan, ask=Pending(plan=plan, missing="event_id", options=found[:10]))
    if plan.intent == "find_similar_events":
        filters = _filters(plan, with_query=False)
        kept = {
            name: value for name, value in filters.items() if name in {"time_from", "time_to", "areas", "camera_ids"}
        }
        return Step(plan, plan.intent, {"event_id": found[0], **kept})
    return Step(plan, plan.intent, {"event_id": found[0]})


def point_at(reference: EventReference | None, memory: Memory) -> list[str]:
    """The events that a reference may mean: one where it is plain, several where it is not, none where none fits."""
    results = memory.results
    if reference is not None and reference.event_id:
        return [reference.event_id]
    if reference is not None and reference.clock is not None and results:
        near = [r for r in results if r.time and abs(r.time - reference.clock) <= CLOCK_TOLERANCE]
        near.sort(key=lambda r: abs(r.time - reference.clock) if r.time and reference.clock else timedelta.max)
        if near:
            return [near[0].id]
    if reference is not None and reference.ordinal is not None:
        chosen = _nth(results, reference.ordinal)
        return [chosen.id] if chosen else []
    if memory.event_id and (len(results) != 1 or results[0].id == memory.event_id):
        return [memory.event_id]
    return [result.id for result in results]


def _nth(results: Sequence[Remembered], ordinal: int) -> Remembered | None:
    if ordinal == 0:
        return max(results, key=lambda r: r.time.timestamp() if r.time else 0.0, default=None)
    if ordinal == -1:
        return results[-1] if results else None
    return results[ordinal - 1] if 0 < ordinal <= len(results) else None
