"""Which audit entry is which kind of security event: signature ids and severities (CEF, 0 to 10), one table.

A signature id is a group of the acts below times ten, plus how the act came out. What is in no row is still sent, as
"other act". Ids never change meaning; new rows get new numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

OTHER = 990
OUTCOMES: dict[str, tuple[int, str, int]] = {
    "answered": (0, "", 0),
    "confirm": (1, "waits for a person's yes", 0),
    "clarify": (2, "lacks something", 0),
    "denied": (3, "denied", 3),
    "refused": (4, "refused", 4),
    "failed": (5, "failed", 2),
    "damaged": (6, "damaged", 5),
    "cancelled": (7, "cancelled", 0),
    "": (9, "begins", 0),
}
"""Offset of the signature id, words, and what the outcome adds to the severity."""
ACTS: dict[str, tuple[int, str, int]] = {
    # seeing
    "search_events": (100, "Search of events", 2),
    "get_event": (101, "Event opened", 2),
    "find_similar_events": (102, "Search by likeness", 3),
    "event_statistics": (103, "Statistics", 1),
    "event_still": (104, "Still picture shown", 3),
    "get_snapshot": (105, "Live picture shown", 4),
    "get_clip": (106, "Video shown", 4),
    "live_events": (107, "Stream of events opened", 3),
    "open_clip": (108, "Video loaded", 4),
    # cameras
    "list_cameras": (110, "Cameras listed", 1),
    "camera_status": (111, "Camera state read", 1),
    "move_camera": (112, "Camera moved", 5),
    # incidents
    "list_incidents": (120, "Incidents listed", 1),
    "get_incident": (121, "Incident opened", 2),
    "acknowledge_alert": (122, "Alert acknowledged", 3),
    "update_incident": (123, "Incident changed", 4),
    "open_incident": (124, "Incident made", 4),
    "dispatch_unit": (125, "Unit sent", 5),
    "escalate_incident": (126, "Incident escalated", 5),
    "list_procedures": (127, "Procedures listed", 1),
    "list_duties": (128, "Duty roster read", 1),
    "set_duty": (129, "Duty set", 4),
    "list_false_alarms": (137, "False alarms read", 1),
    "support_incident": (138, "Area brought into an incident", 4),
    "end_duty": (136, "Duty taken off", 4),
    # watching and evidence
    "create_watch": (130, "Watch set", 6),
    "export_evidence": (131, "Evidence exported", 7),
    "open_evidence": (132, "Evidence loaded", 7),
    "list_watches": (133, "Own watches listed", 1),
    "end_watch": (135, "Own watch ended", 4),
    "list_notifications": (134, "What watches told read", 2),
    # identity
    "request_identity_check": (140, "Identity check asked for", 7),
    "decide_identity_check": (141, "Identity check decided", 7),
    "identity_check_result": (142, "Identity check read", 7),
    "list_identity_checks": (143, "Identity checks listed", 5),
    # citizens and reports
    "submit_feedback": (150, "Report of a citizen", 1),
    "feedback_status": (151, "Report's state read", 1),
    "public_information": (152, "Public information read", 0),
    "daily_briefing": (153, "Briefing read", 2),
    "say": (154, "Words judged", 3),
    "feedback_photo": (155, "Photo of a report shown", 3),
    # accounts
    "sign_in": (200, "Sign-in", 3),
    "sign_out": (201, "Sign-out", 1),
    "step_up": (202, "Second factor shown", 3),
    "lock_out": (203, "Account locked out", 8),
    "password": (204, "Password changed", 5),
    "factor": (205, "Second factor changed", 6),
    "passkey": (206, "Passkey changed", 6),
    "token": (207, "API token changed", 6),
    "account": (208, "Account changed", 7),
    "session": (209, "Session revoked", 4),
    "first_run": (210, "First administrator made", 8),
    "oidc": (211, "Sign-in by a provider", 3),
    "totp": (212, "Code generator changed", 6),
    "recovery_code": (213, "Recovery code used", 6),
    "new_recovery_codes": (214, "Recovery codes made", 6),
    "end_sessions": (215, "All sessions revoked", 5),
    "reset_factors": (216, "Second factors taken away", 8),
    "invite": (217, "Account invited", 6),
    "link_identity": (218, "Provider's identity linked", 7),
    "unlink_identity": (219, "Provider's identity unlinked", 7),
    "policies_reload": (220, "Policy files put to work", 8),
    # the log itself
    "search_audit": (300, "Audit log searched", 4),
    "audit_verify": (301, "Audit log verified", 3),
    "audit_export": (302, "Audit log exported", 7),
    "audit_checkpoint": (303, "Checkpoint read", 1),
    "audit_key": (304, "Audit key read", 1),
    "audit_inclusion": (305, "Proof of inclusion read", 2),
    "audit_consistency": (306, "Proof of consistency read", 2),
    "audit_tile": (307, "Audit tile read", 3),
    "audit_spool": (308, "Spool of the audit log", 5),
    "erase_subject": (309, "Personal values erased", 6),
    # troubles of the log, told from outside it
    "audit_spooled": (320, "Audit entry spooled: the log cannot be written", 8),
    "audit_stopped": (321, "Audit log stopped: the disk failed", 10),
    "audit_not_published": (322, "Audit log does not fit what was published", 10),
}
"""First digits of the signature id, words, and severity where the act is answered."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of event as a receiver's rules name it."""

    signature_id: int
    name: str
    severity: int


def kind_of(action: str, outcome: str) -> Kind:
    """The kind of an entry; acts are found by their name, else by the longest word they begin with."""
    base, name, severity = ACTS.get(action) or _beginning(action)
    offset, words, more = OUTCOMES.get(outcome, (8, outcome[:16], 1))
    return Kind(base * 10 + offset, f"{name}: {words}" if words else name, min(10, severity + more))


def _beginning(action: str) -> tuple[int, str, int]:
    known = [name for name in ACTS if action.startswith(f"{name}_") or action.endswith(f"_{name}")]
    return ACTS[max(known, key=len)] if known else (OTHER, "Other act", 3)


def all_kinds() -> Iterator[tuple[str, str, Kind]]:
    """Every row of the table: act, outcome, kind."""
    for action in ACTS:
        for outcome in OUTCOMES:
            yield action, outcome, kind_of(action, outcome)
