"""Arguments of the briefing, the audit search and the figures about incidents."""

from __future__ import annotations

import re
from typing import Any

from matpho_agent.language.deadlines import WEEK_DAYS, read_horizon
from matpho_agent.planner.auditing import doer_before
from matpho_agent.planner.clause import Clause
from matpho_agent.planner.drafts.incidents import who
from matpho_contracts.times import VIETNAM

MAX_DAYS = 31
_DAYS = re.compile(
    r"(?<![0-9a-z/])(?P<n>\d{1,2}) ?(?P<u>ngay|hom|tuan|day|week)s?(?! ?(?:qua|truoc|nay|ago|\d))(?![0-9a-z])"
)


def briefing(clause: Clause) -> dict[str, Any]:
    """`daily_briefing`: areas, and the day where one is named."""
    plan = clause.plan
    found: dict[str, Any] = {}
    if plan.areas:
        found["areas"] = list(plan.areas)
    if plan.time_from is not None:
        found["date"] = plan.time_from.astimezone(VIETNAM).date().isoformat()
    return found


def audit(clause: Clause) -> dict[str, Any]:
    """`search_audit`: who, what was done, to what, when."""
    plan = clause.plan
    found: dict[str, Any] = {}
    person = who(clause) or doer_before(clause)
    if person:
        found["actor"] = person
    done = [name for name in clause.said("audited") if name != "search_audit" or "who" in clause.acts]
    if done:
        found["action"] = done[0]
    subject = next((code.text for code in clause.codes), None) or next(iter(plan.camera_ids), None) or plan.plate
    subject = subject or next(iter(clause.reading.identifiers.event_ids), None)
    if subject:
        found["subject"] = subject
    if plan.time_from:
        found["time_from"] = plan.time_from.isoformat()
    if plan.time_to:
        found["time_to"] = plan.time_to.isoformat()
    return found


def further(clause: Clause) -> int | None:
    """A new number of days for a forecast just given: `7 ngày đi`, `two weeks`."""
    match = _DAYS.search(clause.free.plain)
    if match is None or clause.plan.event_types:
        return None
    return min(MAX_DAYS, int(match["n"]) * (WEEK_DAYS if match["u"] in {"tuan", "week"} else 1)) or None


def forecast_days(clause: Clause) -> int | None:
    """How far ahead figures are wanted; a week where only the wish for a forecast is said."""
    if not clause.plan.forecast:
        return None
    horizon = read_horizon(clause.free)
    return horizon[0] if horizon else WEEK_DAYS
