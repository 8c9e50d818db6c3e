"""Reading a clause against the talk so far: the answer to a question, ellipsis, narrowing, then the call."""

from __future__ import annotations

from collections.abc import Sequence

from matpho_agent.planner import event_calls
from matpho_agent.planner.answers import answer_to_question
from matpho_agent.planner.clause import Clause, open_clause
from matpho_agent.planner.complete import complete, draft
from matpho_agent.planner.drafts.oversight import forecast_days
from matpho_agent.planner.drafts.table import DRAFTS, LISTING
from matpho_agent.planner.event_calls import FILTERS
from matpho_agent.planner.lookups import Found
from matpho_agent.planner.plan import Memory, QueryPlan
from matpho_agent.planner.situation import Situation
from matpho_agent.planner.step import Step
from matpho_agent.planner.wishes import find_wish

TALK_SPAN = 6
"""A greeting in a sentence longer than this is no greeting but a beginning."""
EVENT_LISTS = frozenset({"search_events", "event_statistics", "list_cameras"})


def take_step(said: str, situation: Situation, memory: Memory, found: Sequence[Found] = ()) -> Step:
    """Read one clause in its context. Raises nothing; what is unclear becomes a question for just that piece.

    `found` is what the lookups of this very wish have brought so far.
    """
    clause = open_clause(said, situation, memory, _expected(memory))
    wish = find_wish(clause)
    plan = clause.plan
    answered = answer_to_question(clause, wish)
    if answered is not None:
        plan = answered
    elif wish is not None and (wish.sure or plan.intent not in {"get_clip", "get_snapshot", "find_similar_events"}):
        plan.intent = wish.tool
        plan = _wished(plan, clause)
    elif plan.talk and not plan.has_filters() and (not plan.intent or len(clause.free.tokens) <= TALK_SPAN):
        return Step(plan, talk=plan.talk)
    else:
        plan = _continued(plan, clause)
    if not plan.intent:
        return Step(plan, talk="unclear")
    if situation.tools and plan.intent not in situation.tools:
        return Step(plan, talk="unavailable", about=plan.intent)
    if plan.intent in DRAFTS:
        return complete(plan, clause, found)
    return event_calls.call(plan, memory)


def _expected(memory: Memory) -> str:
    """The tool that the next words may add to."""
    if memory.pending is not None:
        return memory.pending.plan.intent
    return memory.plan.intent if memory.plan is not None else ""


def _wished(plan: QueryPlan, clause: Clause) -> QueryPlan:
    """A wish said outright; figures go on from what was counted before, other tools begin anew."""
    if plan.intent == "event_statistics":
        plan.forecast_days = forecast_days(clause)
        before = clause.memory.plan
        if before is not None and before.intent in {"search_events", "event_statistics"} and not plan.has_filters():
            return _merged(plan, before)
        return plan
    before = clause.memory.plan
    if plan.intent in LISTING and before is not None and before.intent == plan.intent and plan.follow == "narrow":
        plan.arguments = dict(before.arguments)
    return draft(plan, clause)


def _continued(plan: QueryPlan, clause: Clause) -> QueryPlan:
    """Give the clause what it leaves out: its wish, and the filters of what was asked before."""
    memory = clause.memory
    before = memory.plan
    fragment = not plan.intent and not plan.event_types
    if plan.camera_that and not plan.camera_ids and not plan.areas:
        _point_at_place(plan, memory)
    if plan.event is not None and plan.event.ordinal == 0 and plan.intent in {"", "search_events"}:
        return _newest(plan, clause)
    if before is not None and before.intent in LISTING and fragment:
        return _listed_on(plan, before, clause)
    if before is not None and before.intent in EVENT_LISTS and (fragment or plan.follow == "narrow") and _goes_on(plan):
        if plan.event_types and set(plan.event_types) != set(before.event_types):
            plan.intent = plan.intent or before.intent
            return plan
        return _merged(plan, before)
    if plan.intent == "event_statistics" and before is not None and not plan.has_filters():
        return _merged(plan, before)
    if not plan.intent and (plan.has_filters() or plan.query) and _is_wish(plan):
        plan.intent = "search_events"
    return plan


def _newest(plan: QueryPlan, clause: Clause) -> QueryPlan:
    """`cái nào mới nhất`: of the last list where nothing else is said, else the one that a search brings first."""
    memory = clause.memory
    if memory.results and not plan.has_filters() and not plan.query:
        plan.intent = "get_event"
        return plan
    plan.intent, plan.query = "search_events", ""
    plan.limit = None if clause.says("các", "những", "events") else 1
    if memory.plan is not None and memory.plan.intent == "search_events" and not plan.event_types:
        limit = plan.limit
        plan = _merged(plan, memory.plan)
        plan.limit = limit
    return plan


def _listed_on(plan: QueryPlan, before: QueryPlan, clause: Clause) -> QueryPlan:
    """The last list again with what the clause says put in its place: another day, another person, fewer states."""
    if before.intent == "list_procedures":
        said = draft(QueryPlan(intent=before.intent), clause).arguments if _questions(clause) else {}
    else:
        said = draft(QueryPlan(intent=before.intent), clause).arguments
    if not said:
        if not plan.intent and plan.has_filters() and _is_wish(plan):
            plan.intent = "search_events"
        return plan
    merged = before.model_copy(deep=True)
    merged.arguments = {**before.arguments, **said}
    if plan.time_from or plan.time_to:
        for name in ("time_from", "time_to"):
            if name in before.arguments and name not in said:
                merged.arguments.pop(name)
    if plan.everywhere:
        merged.arguments.pop("areas", None)
    return merged


def _questions(clause: Clause) -> bool:
    return "?" in clause.free.typed or clause.says(
        "gì", "sao", "bao", "mấy", "ai", "nào", "how", "what", "who", "when", "còn"
    )


def _goes_on(plan: QueryPlan) -> bool:
    return plan.has_filters() or bool(plan.group_by or plan.compare_to or plan.status or plan.kind or plan.owner)


def _is_wish(plan: QueryPlan) -> bool:
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
    for name in (*FILTERS, "status", "kind", "owner"):
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
    merged.forecast, merged.forecast_days = plan.forecast, plan.forecast_days
    merged.group_by = plan.group_by or merged.group_by
    merged.compare_to = plan.compare_to or merged.compare_to
    merged.metric = plan.metric if plan.metric != "count" else merged.metric
    if merged.min_count and merged.objects == ["person"] and merged.event_types:
        merged.objects = []
    return merged
