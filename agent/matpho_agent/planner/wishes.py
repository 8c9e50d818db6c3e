"""Which tool a clause asks for beyond reading events and cameras: rules over what it wants done and what it names.

A rule that fires on words of its own is `sure`; a tool that a bare code suggests is not, and gives way to a question
that waits for just that code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from matpho_agent.planner.clause import Clause
from matpho_agent.planner.orders import (
    acknowledges,
    asks,
    asks_of_incident,
    dispatches,
    escalates,
    lists_incidents,
    moves,
    opens,
    updates,
)

LONG_TEXT = 10
"""Words from which on a citizen who speaks of a report tells one."""
MINE = ("tôi", "em", "tui", "mình", "my", "me", "cháu", "con", "i")


@dataclass(frozen=True, slots=True)
class Wish:
    """A tool, and whether the clause itself says so."""

    tool: str
    sure: bool = True


def find_wish(clause: Clause) -> Wish | None:
    """The first rule that holds; None where the clause wants nothing but events or cameras, or nothing at all."""
    for tool, holds in RULES:
        if holds(clause):
            return Wish(tool)
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


def _submit(clause: Clause) -> bool:
    tells = clause.situation.role == "citizen" and "report" in clause.acts and len(clause.free.tokens) >= LONG_TEXT
    if tells and not clause.codes and not clause.acts & {"progress", "info"} and not _questions(clause):
        return True
    if clause.quotes and "enter" in clause.acts:
        return True
    if clause.code("incident") and clause.situation.role != "citizen" and "report" not in clause.acts:
        return bool(clause.quotes) and "submit" in clause.acts
    if clause.situation.role == "citizen" and "tell" in clause.acts and not _questions(clause):
        return True
    if clause.situation.role == "citizen" and _questions(clause) and not clause.quotes:
        return "submit" in clause.acts and ":" in clause.free.typed
    return "submit" in clause.acts and not ("info" in clause.acts and not clause.quotes)


def _questions(clause: Clause) -> bool:
    """Whether a clause asks how or how long, so that it tells of no trouble."""
    polite = clause.says("can", "could", "please", "giúp", "giùm")
    return ("?" in clause.free.typed and not polite) or any(way in clause.free.plain for way in HOW)


HOW = ("bao lau", "the nao", "khi nao", "lam sao", "ra sao", "how ", "when ", "o dau thi", "mat may")


def _watch(clause: Clause) -> bool:
    if clause.says("xóa", "xoá", "hủy", "huỷ", "delete", "cancel", "remove"):
        return False
    return "watch" in clause.acts and not clause.code("incident")


def _audit(clause: Clause) -> bool:
    if "audit" in clause.acts:
        return True
    done = clause.said("audited")
    if "login" in done and not clause.plan.event_types:
        return True
    if done and clause.says("ai", "who", "anyone", "anybody") and _asks_past(clause):
        return True
    if clause.situation.role == "auditor" and clause.codes and (done or "who" in clause.acts):
        return True
    own = clause.says("tôi", "mình", "em", "my") and "who" in clause.acts
    if "who" in clause.acts and not clause.plan.event_types:
        return bool(done or clause.people or own)
    tokens = clause.free.tokens
    named = [m for m in clause.people if any(token.plain in BY for token in tokens[max(0, m.start - 2) : m.start])]
    if done and clause.people and not clause.code("incident") and ("?" in clause.free.typed or _asks_whether(clause)):
        return True
    if done and clause.plan.time_from and clause.says("every", "mọi", "lần") and _asks_past(clause):
        return True
    return bool(done and named and (asks(clause) or clause.says("every", "all", "mọi", "lần")))


def _asks_past(clause: Clause) -> bool:
    """Whether staff ask what was done, rather than what somebody in the street did."""
    plan = clause.plan
    if plan.event_types or plan.objects or plan.plate or clause.situation.role == "citizen":
        return False
    return plan.time_from is not None or bool(clause.code("request") and clause.says("ai", "who"))


def _asks_whether(clause: Clause) -> bool:
    """`có … không`."""
    return clause.says("có") and clause.says("không", "ko", "chưa")


BY = ("by", "of", "cua", "do", "from")


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
    if "outcome" not in clause.acts:
        return False
    return bool(clause.code("request", "") or clause.acts & {"identity", "verify"} or clause.memory.request_id)


def _identity(clause: Clause) -> bool:
    found = clause.reading.identifiers
    if "identity" in clause.acts:
        return "procedure" not in clause.acts and not (clause.code("request") and not found.plate)
    subject = bool(found.plate or found.citizen_id or found.birth)
    return subject and ("verify" in clause.acts or bool(clause.code("case") and clause.said("field")))


def _briefing(clause: Clause) -> bool:
    if clause.code("incident", "report", "request"):
        return False
    if "briefing" in clause.acts:
        return True
    return "summary" in clause.acts and not clause.plan.event_types and not clause.plan.objects


def _status(clause: Clause) -> bool:
    if clause.code("report"):
        return True
    if clause.situation.role == "citizen" and len(clause.free.tokens) >= LONG_TEXT and "progress" not in clause.acts:
        return False
    if "report" not in clause.acts or "info" in clause.acts:
        return False
    return "progress" in clause.acts or bool(clause.memory.report_code) or clause.says(*MINE)


def _information(clause: Clause) -> bool:
    if clause.situation.role == "citizen" and clause.acts & {"submit", "report"} and _questions(clause):
        return not clause.codes and "progress" not in clause.acts
    return "info" in clause.acts and not clause.codes


def _procedures(clause: Clause) -> bool:
    if "procedure" in clause.acts:
        return not opens(clause)
    asks = "?" in clause.free.typed or clause.says(
        "gì", "nào", "sao", "bao", "mấy", "ai", "how", "what", "must", "should"
    )
    return "norm" in clause.acts and asks and clause.plan.time_from is None


def _statistics(clause: Clause) -> bool:
    plan = clause.plan
    if plan.metric != "count" or plan.forecast:
        return True
    if clause.says("tỷ", "tỉ", "percentage", "percent", "share", "proportion") and clause.said("state"):
        plan.metric = "resolved_share"
        return True
    counts = plan.intent == "event_statistics" and not clause.says("xem", "coi", "show", "liệt", "list", "những", "các", "nào", "kể")
    if counts and clause.acts & {"standing", "backlog"}:
        plan.metric = "open"
        return True
    return False


Rule = tuple[str, Callable[[Clause], bool]]
RULES: tuple[Rule, ...] = (
    ("submit_feedback", _submit),
    ("create_watch", _watch),
    ("search_audit", _audit),
    ("decide_identity_check", _decide),
    ("identity_check_result", _result),
    ("request_identity_check", _identity),
    ("event_statistics", _statistics),
    ("daily_briefing", _briefing),
    ("list_procedures", _procedures),
    ("public_information", _information),
    ("export_evidence", lambda clause: "export" in clause.acts),
    ("feedback_status", _status),
    ("acknowledge_alert", acknowledges),
    ("escalate_incident", escalates),
    ("update_incident", updates),
    ("open_incident", opens),
    ("dispatch_unit", dispatches),
    ("move_camera", moves),
    ("get_incident", asks_of_incident),
    ("list_incidents", lists_incidents),
)
"""The weightiest first."""
