"""Who may do what, read once more from the tool contract's table: small, on its own, sharing nothing with the policy.

`may` knows a role and places; the ledger asks it about every change that an attack left behind.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

OWN, PROVINCE = "own areas", "province"
_FIELD = {"officer": OWN, "investigator": OWN, "commander": PROVINCE}
_SEEING = {**_FIELD, "leader": PROVINCE}
_HANDLING = {"officer": OWN, "commander": PROVINCE}
_EVERYBODY = dict.fromkeys(("citizen", "officer", "investigator", "commander", "leader", "auditor", "admin"), PROVINCE)
_IDENTITY = {"investigator": PROVINCE, "commander": PROVINCE}
TABLE: Mapping[str, Mapping[str, str]] = {
    "search_events": _SEEING,
    "get_event": _SEEING,
    "find_similar_events": _SEEING,
    "event_still": _SEEING,
    "event_statistics": {**_SEEING, "citizen": PROVINCE},
    "list_cameras": {**_SEEING, "admin": PROVINCE},
    "camera_status": {**_SEEING, "admin": PROVINCE},
    "get_snapshot": _SEEING,
    "get_clip": _SEEING,
    "open_clip": _SEEING,
    "move_camera": _HANDLING,
    "list_incidents": _SEEING,
    "get_incident": _SEEING,
    "acknowledge_alert": _HANDLING,
    "update_incident": _HANDLING,
    "open_incident": _HANDLING,
    "dispatch_unit": _HANDLING,
    "escalate_incident": _HANDLING,
    "support_incident": _HANDLING,
    "list_duties": _HANDLING,
    "list_false_alarms": _SEEING,
    "set_duty": _HANDLING,
    "end_duty": _HANDLING,
    "create_watch": _FIELD,
    "export_evidence": {"investigator": OWN, "commander": PROVINCE},
    "open_evidence": {"investigator": OWN, "commander": PROVINCE},
    "request_identity_check": _IDENTITY,
    "decide_identity_check": {"commander": PROVINCE},
    "identity_check_result": _IDENTITY,
    "submit_feedback": _EVERYBODY,
    "feedback_status": _EVERYBODY,
    "feedback_photo": _EVERYBODY,
    "public_information": _EVERYBODY,
    "list_procedures": _EVERYBODY,
    "daily_briefing": {"officer": OWN, "commander": PROVINCE, "leader": PROVINCE},
    "list_watches": _FIELD,
    "end_watch": _FIELD,
    "list_notifications": _SEEING,
    "list_notices": _SEEING,
    "list_undelivered": _SEEING,
    "snooze_notices": _SEEING,
    "list_identity_checks": _IDENTITY,
    "search_audit": {"leader": PROVINCE, "auditor": PROVINCE, "admin": PROVINCE},
}
"""Tool -> role -> where; a role that is not named may not."""
COVERED_BY = {
    "open_clip": "get_clip",
    "open_evidence": "export_evidence",
    "event_still": "get_event",
    "support_incident": "escalate_incident",
    "list_duties": "dispatch_unit",
    "list_false_alarms": "list_incidents",
    "set_duty": "dispatch_unit",
    "end_duty": "dispatch_unit",
    "feedback_photo": "feedback_status",
    "list_watches": "create_watch",
    "end_watch": "create_watch",
    "list_notifications": "search_events",
    "list_notices": "search_events",
    "list_undelivered": "list_incidents",
    "snooze_notices": "search_events",
}
"""Files and lists of what another tool found or made: a token for that tool fetches them too."""
ACTS = frozenset(
    {
        "move_camera", "acknowledge_alert", "update_incident", "open_incident", "dispatch_unit", "escalate_incident",
        "create_watch", "export_evidence", "request_identity_check", "decide_identity_check",
    }
)  # fmt: skip
"""What waits for the yes of the person who asked."""
CASE_TOOLS = frozenset({"export_evidence", "request_identity_check"})
NO_TOKEN = frozenset({"list_identity_checks"})
"""What is never for a program's token, though it asks for no second factor."""
FRESH_TOOLS = frozenset({"export_evidence", "open_evidence", "request_identity_check", "decide_identity_check"}) | {
    "identity_check_result"
}
"""What asks for a second factor at most five minutes old, and is never for a program's token."""
FRESH_S = 300.0
TOUCHES: Mapping[str, frozenset[str]] = {
    "move_camera": frozenset({"lens_moves", "lens_locks", "box"}),
    "acknowledge_alert": frozenset({"incidents", "incident_timeline", "sop_signals"}),
    "update_incident": frozenset(
        {"incidents", "incident_steps", "incident_timeline", "rule_outcomes", "sop_runs", "sop_signals"}
    ),
    "open_incident": frozenset(
        {
            "incidents",
            "incident_events",
            "incident_steps",
            "incident_timeline",
            "procedure_versions",
            "sop_runs",
            "sop_signals",
        }
    ),
    "dispatch_unit": frozenset({"incidents", "incident_steps", "incident_tasks", "incident_timeline", "sop_signals"}),
    "escalate_incident": frozenset({"incidents", "incident_timeline", "sop_signals"}),
    "support_incident": frozenset({"incident_areas", "incident_timeline", "sop_signals"}),
    "set_duty": frozenset({"duty_roster"}),
    "end_duty": frozenset({"duty_roster"}),
    "create_watch": frozenset({"watches"}),
    "end_watch": frozenset({"watches"}),
    "snooze_notices": frozenset({"notify_mutes"}),
    "export_evidence": frozenset({"evidence_packages"}),
    "request_identity_check": frozenset({"identity_requests"}),
    "decide_identity_check": frozenset({"identity_requests"}),
    "identity_check_result": frozenset({"identity_requests"}),
    "list_identity_checks": frozenset({"identity_requests"}),
    "submit_feedback": frozenset({"feedback", "feedback_history"}),
}
"""Tool -> the tables that it may change. Accounts, sessions, tokens and factors are in none of them."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asked, in plain words; `mfa_age_s` None: no second factor; `token`: the actions of a program's token."""

    user_id: str
    role: str
    areas: tuple[str, ...] = ()
    mfa_age_s: float | None = None
    program: bool = False
    token: frozenset[str] | None = None


def may(caller: Caller, tool: str, places: Collection[Collection[str]] = ()) -> str:
    """Empty where the contract lets this caller do that, else why not.

    `places`: for every thing that the call is about, its area and all areas above; a thing of nowhere has none.
    """
    where = TABLE.get(tool, {}).get(caller.role)
    if where is None:
        return f"{tool} is not for a {caller.role}"
    if where == OWN and not all(set(line) & set(caller.areas) for line in places):
        return f"{tool} outside the areas of {caller.user_id}"
    if tool in FRESH_TOOLS and (caller.program or caller.mfa_age_s is None or caller.mfa_age_s > FRESH_S):
        return f"{tool} without a fresh second factor"
    if tool in NO_TOKEN and caller.program:
        return f"{tool} for a program"
    if caller.token is not None and COVERED_BY.get(tool, tool) not in caller.token:
        return f"{tool} with a token that does not cover it"
    return ""
