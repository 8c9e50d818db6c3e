"""Whether a clause asks the audit trail: who did what on the system, and what somebody did there."""

from __future__ import annotations

from matpho_agent.planner.clause import Clause
from matpho_agent.planner.orders import asks

BY = ("by", "of", "cua", "do", "from")
OWN = ("tôi", "mình", "em", "tui", "my", "i", "me")


def searches_audit(clause: Clause) -> bool:
    """`search_audit`: the trail named, a doer asked for, or the deeds of somebody on the system."""
    if "audit" in clause.acts:
        return True
    if clause.situation.role == "citizen" or "procedure" in clause.acts:
        return False
    if "outcome" in clause.acts and clause.code("request") and not (clause.people or clause.says("ai", "who")):
        return False
    done = clause.said("audited")
    before = clause.memory.plan
    if before is not None and before.intent == "search_audit" and done and clause.says("ai", "who"):
        return True
    if "login" in done and not clause.plan.event_types:
        return True
    if "deeds" in clause.acts and (clause.people or (clause.says(*OWN) and not clause.plan.talk)):
        return True
    if "deeds" in clause.acts and doer_before(clause):
        return True
    if "who" in clause.acts and done and clause.plan.intent in {"get_clip", "get_snapshot"}:
        return True
    if done and clause.says("ai", "who", "anyone", "anybody") and _asks_past(clause):
        return True
    if clause.situation.role == "auditor" and (done or "who" in clause.acts) and _about_something(clause):
        return True
    if "who" in clause.acts and not clause.plan.event_types:
        return bool(done or clause.people or clause.says(*OWN[:3], "my"))
    return _deeds_of_somebody(clause, done)


def doer_before(clause: Clause) -> str | None:
    """The account that the last search of the trail was about, where only `she` or `ổng` is said now."""
    before = clause.memory.plan
    if before is None or before.intent != "search_audit" or not clause.says(*PRONOUNS):
        return None
    actor = before.arguments.get("actor")
    return actor if isinstance(actor, str) else None


PRONOUNS = ("she", "he", "they", "her", "him", "ổng", "bả", "ảnh", "chỉ", "họ", "nó", "ấy", "này", "đó")


def _about_something(clause: Clause) -> bool:
    """Whether a thing of the system, a time or a doer is named beside what was done."""
    plan = clause.plan
    doer = "who" in clause.acts or clause.people
    return bool(clause.codes or (doer and (plan.camera_ids or plan.plate or plan.time_from)))


def _deeds_of_somebody(clause: Clause, done: list[str]) -> bool:
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
