"""The default policy as data: which role may use which action, how far, under which conditions."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from matpho_platform.access.conditions import Condition
from matpho_platform.access.principal import Role

__all__ = ["ROLE_TABLE", "Condition", "Grant", "Reach"]


class Reach(StrEnum):
    """How far a grant goes."""

    OWN_AREAS = "own_areas"
    PROVINCE = "province"


class Grant(NamedTuple):
    """One yes of the table."""

    reach: Reach
    conditions: frozenset[Condition] = frozenset()


def _grant(reach: Reach, *conditions: Condition) -> Grant:
    return Grant(reach, frozenset(conditions))


_OWN = _grant(Reach.OWN_AREAS)
_ALL = _grant(Reach.PROVINCE)
_OFFICERS = {Role.OFFICER: _OWN, Role.INVESTIGATOR: _OWN, Role.COMMANDER: _ALL}
_FIELD = {Role.OFFICER: _OWN, Role.COMMANDER: _ALL}
_LEADER_EVENTS = _grant(Reach.PROVINCE, Condition.NO_PLATES, Condition.NO_THUMBNAILS_OF_PEOPLE)
_EVENTS = {**_OFFICERS, Role.LEADER: _LEADER_EVENTS}
_STATISTICS = {**_EVENTS, Role.CITIZEN: _grant(Reach.PROVINCE, Condition.PUBLIC_ONLY)}
_CAMERAS = {**_OFFICERS, Role.LEADER: _ALL, Role.ADMIN: _grant(Reach.PROVINCE, Condition.STATUS_ONLY)}
_MEDIA = {**_OFFICERS, Role.LEADER: _grant(Reach.PROVINCE, Condition.REDACTED)}
_INCIDENTS_READ = {**_OFFICERS, Role.LEADER: _ALL}
_EVERYBODY = dict.fromkeys(Role, _ALL)
_OWN_ACTIONS = _grant(Reach.PROVINCE, Condition.OWN_ACTIONS_ONLY)
_CASE = _grant(Reach.OWN_AREAS, Condition.CASE_NUMBER)
_CASE_ALL = _grant(Reach.PROVINCE, Condition.CASE_NUMBER)
_PARTIES = _grant(Reach.PROVINCE, Condition.REQUESTER_OR_DECIDER)

ROLE_TABLE: dict[str, dict[Role, Grant]] = {
    "search_events": _EVENTS,
    "get_event": _EVENTS,
    "find_similar_events": _EVENTS,
    "event_statistics": _STATISTICS,
    "list_cameras": _CAMERAS,
    "camera_status": _CAMERAS,
    "get_snapshot": _MEDIA,
    "get_clip": _MEDIA,
    "move_camera": _FIELD,
    "list_incidents": _INCIDENTS_READ,
    "get_incident": _INCIDENTS_READ,
    "acknowledge_alert": _FIELD,
    "update_incident": _FIELD,
    "open_incident": _FIELD,
    "dispatch_unit": _FIELD,
    "escalate_incident": _FIELD,
    "create_watch": {Role.OFFICER: _OWN, Role.INVESTIGATOR: _CASE, Role.COMMANDER: _ALL},
    "export_evidence": {Role.INVESTIGATOR: _CASE, Role.COMMANDER: _CASE_ALL},
    "request_identity_check": {Role.INVESTIGATOR: _CASE, Role.COMMANDER: _CASE_ALL},
    "decide_identity_check": {Role.COMMANDER: _grant(Reach.PROVINCE, Condition.NEVER_OWN_REQUEST)},
    "identity_check_result": {Role.INVESTIGATOR: _PARTIES, Role.COMMANDER: _PARTIES},
    "submit_feedback": _EVERYBODY,
    "feedback_status": _EVERYBODY,
    "public_information": _EVERYBODY,
    "search_audit": {Role.AUDITOR: _ALL, Role.LEADER: _OWN_ACTIONS, Role.ADMIN: _OWN_ACTIONS},
    "list_procedures": {**_EVERYBODY, Role.CITIZEN: _grant(Reach.PROVINCE, Condition.PUBLIC_ONLY)},
    "daily_briefing": {Role.OFFICER: _OWN, Role.COMMANDER: _ALL, Role.LEADER: _ALL},
}
"""Action to role to grant; whatever is not written here is denied."""
