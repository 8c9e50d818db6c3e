"""Whether a clause asks about incidents: how far one has come, who is on it, or which there are."""

from __future__ import annotations

import re

from matpho_agent.planner.clause import Clause
from matpho_agent.planner.intents import speaks_of_cameras, wants_a_list
from matpho_agent.planner.orders import CASES, NOBODY, asks, asks_if_done, speaks_of_many

DONE_TO_INCIDENTS = frozenset({"dispatch", "ack", "escalate", "open", "close", "resolve"})


def asks_of_incident(clause: Clause) -> bool:
    """`get_incident`: how far it has come, or the incident of the event pointed at."""
    plan = clause.plan
    if clause.acts & {"assigned", "priority"} and asks(clause):
        return False
    if (
        wants_a_list(clause.reading)
        and clause.says(*CASES)
        and not clause.codes
        and not clause.reading.has("reference")
    ):
        return False
    described = bool(plan.areas or plan.camera_ids) and (clause.says(*CASES) or clause.memory.topic == "incident")
    pointed = clause.reading.has("reference") or clause.reading.has("ordinal") or bool(plan.event_types) or described
    spoken_of = bool(clause.code("incident", "") or pointed or clause.memory.topic in {"event", "incident"})
    if (
        plan.event_types
        and clause.says("status")
        and "?" in clause.free.typed
        and not speaks_of_cameras(clause.reading)
    ):
        return True
    if "progress" in clause.acts or (asks_if_done(clause) and clause.acts & DONE_TO_INCIDENTS):
        return spoken_of
    if _asks_who_came(clause):
        return spoken_of
    if "dossier" in clause.acts and pointed:
        return True
    return (
        "incident" in clause.acts and clause.reading.has("reference") and not clause.says("nào", "mấy", "những", "các")
    )


_CAME = re.compile(
    r"(?<![0-9a-z])(?:luc luong|doi|to|don vi|anh em|quan|cong an|canh sat|csgt|cuu hoa|cuu thuong|chua chay|ai|who"
    r"|anyone|anybody|somebody|units?|police|crews?|forces?|teams?)(?: [0-9a-z]+){0,4} (?:toi|den|xuong|ra do|co mat"
    r"|tiep can|sent|dispatched|arrived|there|on (?:the )?(?:scene|way|site)|responding|attending)(?![0-9a-z])"
)


_ARRIVED = frozenset({"tới", "đến", "xuống", "đó", "mặt", "cận"})
"""How the words for coming look with marks: a `vượt đèn đỏ` comes nowhere."""
_ON_IT = re.compile(
    r"(?<![0-9a-z])who(?:'s| is| has|s)(?: currently| now)? (?:on|got|handling|dealing with|looking after"
    r"|taking care of|working on|responsible for) (?:it|that|this|them)(?![0-9a-z])"
)


def _asks_who_came(clause: Clause) -> bool:
    """`đã có lực lượng nào tới chưa`, `who has been sent there`: how far an incident has come, and no order."""
    if _ON_IT.search(clause.free.plain):
        return True
    asked = asks(clause) or asks_if_done(clause) or clause.says("who", "anyone", "anybody")
    came = _CAME.search(clause.free.plain)
    last = clause.free.typed[came.start() : came.end()].lower().split()[-1] if came else ""
    written = last.isascii() or last in _ARRIVED
    return asked and came is not None and written and set(clause.plan.objects) <= {"person"}


def lists_incidents(clause: Clause) -> bool:
    """`list_incidents`: by state, priority, whose they are, or simply all."""
    if "backlog" in clause.acts and not clause.plan.event_types and not clause.codes:
        return True
    if "worst" in clause.reading.values("ordinal") and clause.says("nào", "which", "what") and clause.says(*CASES):
        return not clause.plan.event_types and not clause.memory.results
    cases = clause.says("việc", "vụ", "incident", "incidents", "cases", "case", "ca", "dụ", "job", "jobs", "tickets")
    cases = cases or clause.says(*NOBODY[:3]) or speaks_of_many(clause)
    if clause.plan.group_by or (
        clause.plan.intent == "event_statistics" and clause.says("tổng", "đếm", "count", "number")
    ):
        return False
    if "incident" in clause.acts and not clause.codes:
        return True
    if (
        clause.says("vụ", "incidents")
        and clause.says("khẩn", "urgent")
        and asks(clause)
        and not clause.plan.event_types
    ):
        return not clause.codes
    listed = clause.acts & {"standing", "backlog", "assigned", "priority"}
    if listed == {"assigned"} and clause.plan.event_types and _TRAFFIC.search(clause.free.plain):
        return False
    return bool(cases and listed and not clause.codes)


_TRAFFIC = re.compile(r"(?<![0-9a-z])giao thong(?![0-9a-z])")
"""The `giao` of `giao thông` hands nothing over."""
