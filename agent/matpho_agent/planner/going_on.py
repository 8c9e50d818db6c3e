"""Whether a clause goes on from the list or the figures before it, and what of them it leaves behind."""

from __future__ import annotations

import re

from matpho_agent.planner.clause import Clause
from matpho_agent.planner.laterness import of_the_talk, time_of_talk
from matpho_agent.planner.merging import bare_colour, changes, widens
from matpho_agent.planner.plan import QueryPlan

_FOLLOWS = re.compile(
    r"(?<![0-9a-z])(?:con|the|vay|thi sao|thi the nao|what about|how about|nua|too|as well|cung|chuyen sang"
    r"|doi sang|doi qua"
    r"|chuyen qua|doi thanh|thay bang|instead|then|there|o do|cho do|tai do|noi do|o day|cho do|cho ay|same"
    r"|cung cho|cung ngay"
    r"|hom do|hom ay|(?:bua|sang|trua|chieu|toi|dem|khuya) (?:hom )?(?:do|ay|no)"
    r"|luc do|luc ay"
    r"|those|these|nearby|near there|around there|gan do|quanh do|xung quanh do"
    r"|khi do|hoi do|at that time|at the time"
    r"|that (?:day|morning|afternoon|evening|night)|y toi la|nham|i mean|i meant"
    r"|rieng)(?![0-9a-z])"
    r"|^ *(?:and|ok and|also|roi|xong roi|roi thi|the roi|vay roi|ua|u|zay|roi con) "
)
"""Words of a sentence that goes on from the one before."""
BRIEF = 3
"""Words up to which a kind of event alone stands for the same question asked of it."""
EVENT_LISTS = frozenset({"search_events", "event_statistics", "list_cameras"})
VEHICLES = frozenset({"car", "truck", "bus", "van", "motorcycle", "bicycle", "tricycle", "vehicle"})
OF_NO_VEHICLE = frozenset(
    {"fire", "smoke", "fight", "person_fallen", "crowd", "gate_crowding", "loitering", "abandoned_object"}
)
"""Kinds of events whose things are no vehicles: who names one behind them asks of something else."""
_TYPES = re.compile(r"(?<![0-9a-z])(?:su kien|vi pham|su co|events?|violations?)(?![0-9a-z])")
"""Events at large."""


def lists_them(plan: QueryPlan, clause: Clause) -> bool:
    """Whether what was counted is now to be shown: `liệt kê ra từng vụ`, `chiếc màu đỏ thôi`."""
    if plan.intent not in {"", "search_events"} or plan.group_by or plan.compare_to:
        return False
    if clause.says("liệt", "kể", "list", "danh") and not plan.event_types:
        return True
    looks = plan.objects or plan.colors or plan.time_from or plan.camera_ids or bare_colour(clause)
    return bool(looks) and not plan.event_types and clause.says("chiếc", "con", "cái", "one", "ones")


def goes_on(plan: QueryPlan, before: QueryPlan, clause: Clause) -> bool:
    """Whether a clause adds to the list or the figures before it, rather than asking anew."""
    if before.intent == "list_cameras" and (plan.event_types or plan.objects or plan.time_from):
        return False
    said = plan.has_filters() or bool(plan.group_by or plan.compare_to or plan.status or plan.kind or plan.owner)
    said = said or plan.everywhere or bool(changes(clause)) or widens(clause) or bare_colour(clause)
    said = said or (not plan.time_from and time_of_talk(plan, before, clause) is not None)
    if not said:
        return False
    if _whole_question(plan) and not of_the_talk(clause) and not changes(clause) and plan.follow is None:
        return False
    follows = (
        plan.follow is not None or widens(clause) or bool(changes(clause)) or bool(_FOLLOWS.search(clause.free.plain))
    )
    if not plan.event_types:
        return not plan.intent or (follows and plan.intent in {before.intent, "search_events", "event_statistics"})
    if plan.intent not in {"", before.intent, "search_events"}:
        return False
    same = set(plan.event_types) == set(before.event_types)
    return follows or (not plan.intent and (same or len(clause.free.tokens) <= BRIEF))


def _whole_question(plan: QueryPlan) -> bool:
    """Whether a kind, a time and a place are all said, so that nothing is left to be taken from the talk."""
    return bool(plan.event_types and plan.time_from and (plan.camera_ids or plan.camera_options or plan.areas))


def of_those(plan: QueryPlan, clause: Clause) -> bool:
    """Whether figures are wanted of what was spoken of: nothing else is named, or it is pointed at (`mấy vụ đó`)."""
    elsewhere = plan.time_from or plan.areas or plan.camera_ids or plan.camera_options
    return not plan.has_filters() or (clause.says("đó", "ấy", "those", "these") and not elsewhere)


def other_matter(plan: QueryPlan, before: QueryPlan, clause: Clause) -> bool:
    """Whether a clause without a kind of its own asks of something else than the kind spoken of.

    `xe máy đỏ sáng nay` behind a fire names its own thing and time, `thống kê theo loại` asks of all kinds; a mere
    place, time or colour, or a word that leads on (`còn … thì sao`), does not.
    """
    if plan.event_types or not before.event_types or before.intent == "list_cameras":
        return False
    if "event_type" in plan.group_by:
        return True
    if plan.follow is not None or plan.camera_that or changes(clause) or widens(clause) or _leads_on(clause):
        return False
    if set(plan.objects) & VEHICLES and set(before.event_types) <= OF_NO_VEHICLE:
        return True
    timed = plan.time_from is not None and not of_the_talk(clause) and not plan.event
    at_large = bool(_TYPES.search(clause.free.plain))
    return timed and bool(plan.plate or at_large or (plan.objects and not set(plan.objects) & set(before.objects)))


_LEADS_ON = re.compile(
    r"(?<![0-9a-z])(?:thi sao|thi the nao|what about|how about|nua|too|as well|cung|same|y vay|those|these|them|of it)"
    r"(?![0-9a-z])|^(?:the|and|or|then|roi|va|hay|vay|con(?! xe| o ?to| moto)) "
)


def _leads_on(clause: Clause) -> bool:
    """Whether words keep to what was spoken of; the `đỏ` of a red thing is no `đó`."""
    pointed = clause.says("ấy", "đấy") or (clause.says("đó") and "red" not in clause.plan.colors)
    return pointed or bool(_LEADS_ON.search(clause.free.plain))
