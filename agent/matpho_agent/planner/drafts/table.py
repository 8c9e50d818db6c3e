"""Which reading belongs to which tool, and what a tool cannot be called without."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from matpho_agent.planner.clause import Clause
from matpho_agent.planner.drafts import cameras, citizens, identity, incidents, oversight, standing

Draft = Callable[[Clause], dict[str, Any]]
DRAFTS: Mapping[str, Draft] = {
    "move_camera": cameras.move,
    "acknowledge_alert": incidents.acknowledge,
    "open_incident": incidents.open_incident,
    "dispatch_unit": incidents.dispatch,
    "update_incident": incidents.update,
    "escalate_incident": incidents.escalate,
    "list_incidents": incidents.list_incidents,
    "get_incident": incidents.incident_id,
    "create_watch": standing.watch,
    "export_evidence": identity.export,
    "request_identity_check": identity.request_check,
    "decide_identity_check": identity.decide,
    "identity_check_result": identity.request_id,
    "submit_feedback": citizens.submit,
    "feedback_status": citizens.status,
    "public_information": citizens.question,
    "list_procedures": citizens.procedures,
    "daily_briefing": oversight.briefing,
    "search_audit": oversight.audit,
}
NEEDED: Mapping[str, tuple[str, ...]] = {
    "move_camera": ("camera_id", "pan"),
    "acknowledge_alert": ("incident_id",),
    "open_incident": ("event_ids",),
    "dispatch_unit": ("incident_id",),
    "update_incident": ("incident_id",),
    "escalate_incident": ("incident_id",),
    "get_incident": ("incident_id",),
    "create_watch": ("filter",),
    "export_evidence": ("case_number", "event_ids", "purpose"),
    "request_identity_check": ("case_number", "subject"),
    "decide_identity_check": ("request_id", "decision"),
    "identity_check_result": ("request_id",),
}
"""What the planner asks for or looks up itself, in this order; what else a tool lacks, the tool asks for."""
LISTING = frozenset({"list_incidents", "daily_briefing", "search_audit", "list_procedures"})
"""Tools without event filters whose wish the next sentence may go on from."""
FREE_TEXT = frozenset({"purpose", "reason", "note", "text", "name", "step_done", "location"})
"""Pieces that an answer to a question gives as it stands."""
PROPOSED = frozenset(NEEDED) - {"get_incident", "identity_check_result"} | {"submit_feedback"}
"""Tools that act, so that an answer to their proposal may change an argument."""
