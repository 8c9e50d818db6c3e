"""The policy: every cell of the role table, and the default that denies."""

from __future__ import annotations

import pytest

from matpho_platform.access.policy import POLICY_VERSION, Allowed, Denied, Resource, decide
from matpho_platform.access.principal import Principal, Role, Scope
from matpho_platform.access.role_table import ROLE_TABLE, Condition

OWN = ("p-hoan-kiem",)
C, O, I, M, L, A, D = Role  # citizen, officer, investigator, commander, leader, auditor, admin  # noqa: E741
# action -> the roles that may, as the tool contract's table says; `+` marks a scope of the whole province
EXPECTED: dict[str, set[tuple[Role, bool]]] = {
    **{
        key: {(O, False), (I, False), (M, True), (L, True)}
        for key in ("search_events", "get_event", "find_similar_events")
    },
    "event_statistics": {(C, True), (O, False), (I, False), (M, True), (L, True)},
    **{key: {(O, False), (I, False), (M, True), (L, True), (D, True)} for key in ("list_cameras", "camera_status")},
    **{key: {(O, False), (I, False), (M, True), (L, True)} for key in ("get_snapshot", "get_clip")},
    **{
        key: {(O, False), (M, True)}
        for key in (
            "move_camera",
            "acknowledge_alert",
            "update_incident",
            "open_incident",
            "dispatch_unit",
            "escalate_incident",
        )
    },
    **{key: {(O, False), (I, False), (M, True), (L, True)} for key in ("list_incidents", "get_incident")},
    "create_watch": {(O, False), (I, False), (M, True)},
    "export_evidence": {(I, False), (M, True)},
    "request_identity_check": {(I, False), (M, True)},
    "decide_identity_check": {(M, True)},
    "identity_check_result": {(I, True), (M, True)},
    **{key: {(role, True) for role in Role} for key in ("submit_feedback", "feedback_status", "public_information")},
    "search_audit": {(L, True), (A, True), (D, True)},
    "list_procedures": {(role, True) for role in Role},
    "daily_briefing": {(O, False), (M, True), (L, True)},
}


def somebody(role: Role) -> Principal:
    return Principal("u1", "Nguyễn Văn A", role, OWN)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", sorted(EXPECTED))
def test_every_cell_of_the_table(action: str, role: Role) -> None:
    decision = decide(somebody(role), action)
    if (role, True) in EXPECTED[action]:
        assert isinstance(decision, Allowed)
        assert decision.scope == Scope(None)
    elif (role, False) in EXPECTED[action]:
        assert isinstance(decision, Allowed)
        assert decision.scope == Scope(OWN)
    else:
        assert decision == Denied("role", tuple(r for r in Role if {(r, True), (r, False)} & EXPECTED[action]))


def test_the_table_has_no_action_that_the_contract_has_not() -> None:
    assert set(ROLE_TABLE) == set(EXPECTED)


@pytest.mark.parametrize("action", ["", "delete_everything", "Search_Events", "search_events "])
@pytest.mark.parametrize("role", Role)
def test_what_the_table_does_not_know_is_denied(action: str, role: Role) -> None:
    assert decide(somebody(role), action) == Denied("unknown_action")


def test_an_officer_is_bound_to_own_areas_and_what_is_inside_them() -> None:
    officer = somebody(Role.OFFICER)
    denied = decide(officer, "get_snapshot", Resource(("p-ba-dinh", "tp-ha-noi")))
    assert isinstance(denied, Denied)
    assert denied.rule == "area"
    assert Role.COMMANDER in denied.who_can
    assert Role.OFFICER not in denied.who_can
    assert isinstance(decide(officer, "get_snapshot", Resource(("cho-dong-xuan", *OWN))), Allowed)
    assert isinstance(decide(somebody(Role.COMMANDER), "get_snapshot", Resource(("p-ba-dinh",))), Allowed)


def test_nobody_turns_a_fixed_camera() -> None:
    assert decide(somebody(Role.COMMANDER), "move_camera", Resource(camera_kind="fixed")) == Denied("not_ptz")
    assert isinstance(decide(somebody(Role.COMMANDER), "move_camera", Resource(camera_kind="ptz")), Allowed)


@pytest.mark.parametrize(
    ("role", "action", "conditions"),
    [
        (L, "search_events", {Condition.NO_PLATES, Condition.NO_THUMBNAILS_OF_PEOPLE}),
        (L, "get_clip", {Condition.REDACTED}),
        (C, "event_statistics", {Condition.PUBLIC_ONLY}),
        (D, "list_cameras", {Condition.STATUS_ONLY}),
        (L, "search_audit", {Condition.OWN_ACTIONS_ONLY}),
        (A, "search_audit", set()),
        (I, "create_watch", {Condition.CASE_NUMBER}),
        (M, "create_watch", set()),
        (M, "decide_identity_check", {Condition.NEVER_OWN_REQUEST}),
        (O, "search_events", set()),
    ],
)
def test_conditions_travel_with_the_yes(role: Role, action: str, conditions: set[Condition]) -> None:
    decision = decide(somebody(role), action)
    assert isinstance(decision, Allowed)
    assert decision.conditions == conditions


def test_the_version_names_the_table() -> None:
    assert POLICY_VERSION.startswith("roles-1-")
