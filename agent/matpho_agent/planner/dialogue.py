"""Reading a clause against the talk so far: the answer to a question, ellipsis, narrowing, then the call."""

from __future__ import annotations

from collections.abc import Sequence

from matpho_agent.planner import event_calls
from matpho_agent.planner.answers import answer_to_question
from matpho_agent.planner.clause import Clause, open_clause
from matpho_agent.planner.complete import complete, draft
from matpho_agent.planner.drafts.oversight import forecast_days, further
from matpho_agent.planner.drafts.table import DRAFTS, LISTING
from matpho_agent.planner.going_on import EVENT_LISTS, goes_on, lists_them, of_those, other_matter
from matpho_agent.planner.lookups import Found, fitting
from matpho_agent.planner.merging import changes, merged
from matpho_agent.planner.plan import Memory, QueryPlan
from matpho_agent.planner.pointing import about_what_was_said, retold
from matpho_agent.planner.reader import read_clause
from matpho_agent.planner.replies import plain_answer, puts_off
from matpho_agent.planner.scan import OF_CAMERAS
from matpho_agent.planner.situation import Situation
from matpho_agent.planner.step import Step, ask
from matpho_agent.planner.tails import point_by_tail
from matpho_agent.planner.wishes import find_wish

FEW_LEFT = 2
"""Words left over beside `mới nhất` that describe nothing new."""
ONE_CAMERA = frozenset({"camera_status", "get_snapshot"})
TALK_SPAN = 6
"""A greeting in a sentence longer than this is no greeting but a beginning."""


def take_step(said: str, situation: Situation, memory: Memory, found: Sequence[Found] = ()) -> Step:
    """Read one clause in its context. Raises nothing; what is unclear becomes a question for just that piece.

    `found` is what the lookups of this very wish have brought so far.
    """
    if not found and (plain_answer(said) == "no" or puts_off(said)):
        return Step(QueryPlan(), talk="dropped" if memory.pending is not None else "nothing_waits")
    clause = open_clause(said, situation, memory, _expected(memory))
    point_by_tail(clause)
    wish = find_wish(clause)
    plan = clause.plan
    wish = retold(wish, clause)
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
        return _no_wish(said, plan, memory)
    if situation.tools and plan.intent not in situation.tools:
        return Step(plan, talk="unavailable", about=plan.intent)
    if plan.intent in DRAFTS:
        return complete(plan, clause, found)
    return event_calls.call(plan, clause, found)


def _no_wish(said: str, plan: QueryPlan, memory: Memory) -> Step:
    """A mere yes: to a question it is no answer, so that is asked again; where nothing waits that is said."""
    if plain_answer(said) != "yes":
        return Step(plan, talk="unclear")
    waiting = memory.pending
    if waiting is None or waiting.turn is not None:
        return Step(plan, talk="nothing_waits")
    return ask(waiting.plan, waiting.missing, waiting.options)


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
        if before is not None and before.intent in {"search_events", "event_statistics"} and of_those(plan, clause):
            return merged(plan, before, clause, other_kind=other_matter(plan, before, clause))
        return plan
    before = clause.memory.plan
    if plan.intent in LISTING and before is not None and before.intent == plan.intent and plan.follow == "narrow":
        plan.arguments = dict(before.arguments)
    return draft(plan, clause)


def _continued(plan: QueryPlan, clause: Clause) -> QueryPlan:
    """Give the clause what it leaves out: its wish, and the filters of what was asked before."""
    memory = clause.memory
    before = memory.plan
    if (plan.camera_that or _faults_of_it(plan, clause)) and not plan.camera_ids and not plan.areas:
        _point_at_place(plan, memory)
    pointed = about_what_was_said(plan, clause)
    if pointed is not None:
        return pointed
    if plan.event is not None and plan.event.ordinal == 0 and plan.intent in {"", "search_events"}:
        return _newest(plan, clause)
    if before is not None:
        _as_before(plan, before, clause)
    fragment = not plan.intent and not plan.event_types
    if fragment and _another_camera(plan, clause):
        plan.intent = memory.last
        return plan
    if before is not None and before.intent == "list_incidents" and plan.event_types and plan.follow == "narrow":
        fit = fitting(memory.incidents, plan, clause.situation)
        return QueryPlan(intent="get_incident", arguments={"incident_id": fit[0].id}) if len(fit) == 1 else before
    if before is not None and before.intent == "list_procedures" and fragment and plan.time_from:
        return _such_events(plan, before, clause)
    if before is not None and before.intent in LISTING and fragment:
        return _listed_on(plan, before, clause)
    if before is not None and before.forecast_days and fragment and (days := further(clause)):
        plan = before.model_copy(deep=True)
        plan.forecast_days = days
        return plan
    if before is not None and before.intent == "event_statistics" and lists_them(plan, clause):
        plan.intent = "search_events"
        other = bool(plan.event_types) and set(plan.event_types) != set(before.event_types)
        return merged(plan, before, clause, other_kind=other)
    if before is not None and before.intent in EVENT_LISTS and goes_on(plan, before, clause):
        adds = any(change.kind == "add" for change in changes(clause))
        other = bool(plan.event_types) and not set(plan.event_types) <= set(before.event_types) and not adds
        other = other or other_matter(plan, before, clause)
        return merged(plan, before, clause, other_kind=other)
    if plan.intent == "event_statistics" and before is not None and of_those(plan, clause):
        return merged(plan, before, clause, other_kind=other_matter(plan, before, clause))
    if not plan.intent and _points_at_nothing(plan, memory):
        plan.intent = "get_event"
        return plan
    if (
        not plan.intent
        and (plan.has_filters() or plan.query)
        and _is_wish(plan)
        and not plain_answer(clause.text.typed)
    ):
        plan.intent = "search_events"
    return plan


FAULT_STATES = {"camera_offline": "offline", "image_degraded": "degraded"}


def _as_before(plan: QueryPlan, before: QueryPlan, clause: Clause) -> None:
    """Words of two meanings in the sense of the talk: faults behind a list of cameras, `do bay` behind rubbish."""
    faults = [FAULT_STATES[name] for name in plan.event_types if name in FAULT_STATES]
    if before.intent == "list_cameras" and faults and plan.time_from is None:
        plan.event_types, plan.status, plan.intent = [], faults[0], "list_cameras"
    if before.event_types == ["illegal_dumping"] and plan.event_types == ["illegal_parking"]:
        tokens = clause.reading.text.tokens
        told = [tokens[match.start] for match in clause.reading.matches if match.category == "event"]
        if all(token.bare and token.plain == "do" for token in told):
            plan.event_types = ["illegal_dumping"]


def _points_at_nothing(plan: QueryPlan, memory: Memory) -> bool:
    """`cái xe đấy biển gì` where nothing has been spoken of: what is meant is asked."""
    pointed = plan.event is not None and plan.event.that
    return pointed and not plan.has_filters() and not (memory.topic or memory.results or memory.plan)


def _another_camera(plan: QueryPlan, clause: Clause) -> bool:
    """`thế cam chợ Hàn`, `còn ga`: the question asked of one camera, asked of another."""
    named = plan.camera_ids or plan.camera_options
    alone = not (plan.time_from or plan.objects or plan.colors or plan.status or plan.kind)
    return bool(named) and alone and clause.memory.last in ONE_CAMERA


def _newest(plan: QueryPlan, clause: Clause) -> QueryPlan:
    """`cái nào mới nhất`: of the last list where nothing else is said, else the one that a search brings first."""
    memory = clause.memory
    if memory.results and not plan.has_filters() and len(plan.query.split()) <= FEW_LEFT:
        plan.intent = "get_event"
        return plan
    plan.intent, plan.query = "search_events", ""
    plan.limit = None if clause.says("các", "những", "events") else 1
    if memory.plan is not None and memory.plan.intent == "search_events" and not plan.event_types:
        limit = plan.limit
        plan = merged(plan, memory.plan, clause)
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


def _such_events(plan: QueryPlan, before: QueryPlan, clause: Clause) -> QueryPlan:
    """`hôm nay có vụ nào như vậy không` behind a question to the rules: events of the kind that it was about."""
    asked, _reading = read_clause(str(before.arguments.get("query", "")), clause.situation)
    plan.event_types, plan.event, plan.query = asked.event_types, None, ""
    plan.intent = "search_events"
    return plan


def _questions(clause: Clause) -> bool:
    return "?" in clause.free.typed or clause.says(
        "gì", "sao", "bao", "mấy", "ai", "nào", "how", "what", "who", "when", "còn"
    )


def _is_wish(plan: QueryPlan) -> bool:
    """Whether a clause without a verb still asks for events, rather than being no request at all."""
    return plan.has_filters() or len(plan.query.split()) >= 2


def _faults_of_it(plan: QueryPlan, clause: Clause) -> bool:
    """`nó có hay mất tín hiệu không` of the camera spoken of."""
    pointed = plan.event is not None and plan.event.that
    of_cameras = bool(plan.event_types) and set(plan.event_types) <= OF_CAMERAS
    return pointed and of_cameras and clause.memory.topic == "camera" and not plan.camera_options


def _point_at_place(plan: QueryPlan, memory: Memory) -> None:
    if memory.camera_id:
        plan.camera_ids = [memory.camera_id]
    elif memory.plan is not None:
        plan.camera_ids = list(memory.plan.camera_ids)
        plan.areas = list(memory.plan.areas)
