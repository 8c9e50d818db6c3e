"""Which tool a clause asks for beyond reading events and cameras: rules over what it wants done and what it names.

A rule that fires on words of its own is `sure`; a tool that a bare code suggests is not, and gives way to a question
that waits for just that code.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from matpho_agent.planner.auditing import searches_audit
from matpho_agent.planner.citizens import asks_of_report, informs, submits, wonders_at_large
from matpho_agent.planner.clause import Clause
from matpho_agent.planner.inquiries import asks_of_incident, lists_incidents
from matpho_agent.planner.orders import (
    acknowledges,
    asks,
    dispatches,
    escalates,
    moves,
    opens,
    reads_cameras,
    updates,
)


@dataclass(frozen=True, slots=True)
class Wish:
    """A tool, and whether the clause itself says so."""

    tool: str
    sure: bool = True


def find_wish(clause: Clause) -> Wish | None:
    """The first rule that holds; None where the clause wants nothing but events or cameras, or nothing at all."""
    if reads_cameras(clause):
        return None
    for tool, holds in RULES:
        if holds(clause):
            return Wish(tool)
    if wonders_at_large(clause):
        return Wish("public_information", sure=False)
    return _by_code(clause)


def _by_code(clause: Clause) -> Wish | None:
    kinds = {code.kind for code in clause.codes}
    if "request" in kinds:
        return Wish("identity_check_result", sure=False)
    if "report" in kinds:
        return Wish("feedback_status", sure=False)
    if "procedure" in kinds:
        return Wish("list_procedures", sure=False)
    if "incident" in kinds or (kinds == {"case"} and clause.incident):
        return Wish("get_incident", sure=False)
    if "" in kinds and not clause.plan.has_filters() and not clause.plan.intent:
        return Wish("feedback_status" if clause.situation.role == "citizen" else "get_incident", sure=False)
    return None


def _watch(clause: Clause) -> bool:
    if clause.says("xóa", "xoá", "hủy", "huỷ", "delete", "cancel", "remove"):
        return False
    if "norm" in clause.acts and (clause.free.typed.rstrip().endswith("?") or clause.says("bao", "mấy", "how")):
        return False  # `trong bao lâu thì phải báo chỉ huy khi có cháy` asks of a duty
    if "ack" in clause.acts and not clause.plan.has_filters():
        return False
    return "watch" in clause.acts and not clause.code("incident")


def _decide(clause: Clause) -> bool:
    asks = clause.free.typed.rstrip().endswith("?") and not clause.says("please", "giúp")
    if asks or clause.says("chưa") or clause.code("incident"):
        return False
    if clause.acts & {"allow", "return"} and clause.code("request") and "outcome" not in clause.acts:
        return True
    if not clause.acts & {"approve", "reject"}:
        return False
    about = clause.code("request", "") or clause.acts & {"identity", "verify"} or clause.memory.request_id
    return bool(about or clause.says("yêu", "phiếu", "request", "requests", "duyệt", "approve", "reject"))


def _result(clause: Clause) -> bool:
    if _asks_which_wait(clause):
        return True
    if "outcome" not in clause.acts:
        return False
    return bool(clause.code("request", "") or clause.acts & {"identity", "verify"} or clause.memory.request_id)


_WAITING = re.compile(
    r"(?<![0-9a-z])(?:(?:cho|chua|can) (?:duoc )?(?:duyet|phe duyet|xu ly|quyet|ky)|dang cho|pending|waiting|awaiting"
    r"|ton dong|outstanding)(?![0-9a-z])"
)


def _asks_which_wait(clause: Clause) -> bool:
    """`yêu cầu xác minh nào đang chờ duyệt?`: asks after requests and opens none; which one is asked back."""
    found = clause.reading.identifiers
    if not clause.acts & {"identity", "verify"} or found.plate or found.citizen_id or clause.codes:
        return False
    return bool(_WAITING.search(clause.free.plain)) and asks(clause)


_RELATIVE = re.compile(
    r"(?<![a-z])whose (?:number )?(?:plates?|numbers?|registrations?) "
    r"(?:ends?|ending|starts?|begins?|contains?|has|reads?|is|was)(?![a-z])"
)
"""`the lorry whose plate ends in 640.33` is looked for, not asked after."""


def _identity(clause: Clause) -> bool:
    found = clause.reading.identifiers
    if _RELATIVE.search(clause.free.plain):
        return False
    if "identity" in clause.acts:
        return "procedure" not in clause.acts and not (clause.code("request") and not found.plate)
    subject = bool(found.plate or found.citizen_id or found.birth)
    return subject and ("verify" in clause.acts or bool(clause.code("case") and clause.said("field")))


def _briefing(clause: Clause) -> bool:
    if clause.code("incident", "report", "request") or "move" in clause.acts:
        return False
    if clause.said("priority") and clause.says("vụ", "incidents", "jobs", "cases") and asks(clause):
        return False
    if "briefing" in clause.acts:
        return True
    pictured = clause.plan.event_types or clause.plan.objects or clause.plan.group_by
    return "summary" in clause.acts and not pictured


def _procedures(clause: Clause) -> bool:
    if clause.situation.role == "citizen" and (clause.acts & {"report", "submit", "curious"} or clause.code("report")):
        return False
    if "procedure" in clause.acts:
        return not opens(clause)
    asks = "?" in clause.free.typed or clause.says(
        "gì", "nào", "sao", "bao", "mấy", "ai", "how", "what", "must", "should"
    )
    if clause.plan.time_from is not None:
        return False
    return ("norm" in clause.acts and asks) or _asks_on(clause)


def _asks_on(clause: Clause) -> bool:
    """After an answer from the procedures: `còn … thì răng`, `can we use radios there?`."""
    before = clause.memory.plan
    if before is None or before.intent != "list_procedures" or clause.memory.pending is not None:
        return False
    return "may" in clause.acts and not clause.codes and not clause.plan.plate


def _statistics(clause: Clause) -> bool:
    plan = clause.plan
    if plan.metric == "count" and "response" in clause.acts and clause.situation.role != "citizen":
        plan.metric = "mean_response_minutes"
    if plan.metric != "count" or plan.forecast:
        return True
    if clause.says("tỷ", "tỉ", "percentage", "percent", "share", "proportion") and clause.said("state"):
        plan.metric = "resolved_share"
        return True
    counts = plan.intent == "event_statistics" and not clause.says(
        "xem", "coi", "show", "liệt", "list", "những", "các", "nào", "kể"
    )
    if counts and clause.acts & {"standing", "backlog"}:
        plan.metric = "open"
        return True
    return False


Rule = tuple[str, Callable[[Clause], bool]]
RULES: tuple[Rule, ...] = (
    ("submit_feedback", submits),
    ("create_watch", _watch),
    ("search_audit", searches_audit),
    ("decide_identity_check", _decide),
    ("identity_check_result", _result),
    ("request_identity_check", _identity),
    ("event_statistics", _statistics),
    ("daily_briefing", _briefing),
    ("list_procedures", _procedures),
    ("public_information", informs),
    ("export_evidence", lambda clause: "export" in clause.acts),
    ("feedback_status", asks_of_report),
    ("acknowledge_alert", acknowledges),
    ("open_incident", opens),
    ("escalate_incident", escalates),
    ("update_incident", updates),
    ("dispatch_unit", dispatches),
    ("move_camera", moves),
    ("get_incident", asks_of_incident),
    ("list_incidents", lists_incidents),
)
"""The weightiest first."""
