"""The decision by example: places, fine rules, the order of reasons, second factors, tokens, and errors that deny."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cedarpy
import pytest

from matpho_platform.access.conditions import Condition
from matpho_platform.access.decisions import Allowed, Denied, Facts, Resource
from matpho_platform.access.policy import PolicyEngine
from matpho_platform.access.principal import Principal, Role, Scope
from matpho_platform.cameras.areas import AreaTree

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
OWN = ("p-hoan-kiem",)
HERE = ("p-hoan-kiem", "tp-ha-noi")
MARKET = ("cho-dong-xuan", *HERE)
ELSEWHERE = ("p-ba-dinh", "tp-ha-noi")
SENSITIVE = ("request_identity_check", "decide_identity_check", "identity_check_result", "export_evidence")


def somebody(role: Role, *, mfa_s: float | None = 0, actions: frozenset[str] | None = None) -> Principal:
    mfa_at = None if mfa_s is None else NOW - timedelta(seconds=mfa_s)
    return Principal("u1", "Nguyễn Văn A", role, OWN, mfa_at=mfa_at, actions=actions)


def rule(decision: Allowed | Denied) -> str:
    return decision.rule if isinstance(decision, Denied) else ""


@pytest.mark.parametrize("action", ["", "delete_everything", "Search_Events", "search_events ", 'x"', "\x00", "say"])
@pytest.mark.parametrize("role", Role)
def test_what_no_policy_names_is_denied(engine: PolicyEngine, action: str, role: Role) -> None:
    assert engine.decide(somebody(role), action) == Denied("unknown_action")
    assert engine.grantees(action) == ()


def test_an_officer_is_bound_to_own_areas_and_what_is_inside_them(engine: PolicyEngine) -> None:
    officer = somebody(Role.OFFICER)
    denied = engine.decide(officer, "get_snapshot", Resource(ELSEWHERE))
    assert denied == Denied("area", (Role.COMMANDER, Role.LEADER))
    assert isinstance(engine.decide(officer, "get_snapshot", Resource(MARKET)), Allowed)
    assert isinstance(engine.decide(somebody(Role.COMMANDER), "get_snapshot", Resource(ELSEWHERE)), Allowed)
    above = engine.decide(officer, "get_snapshot", Resource(("tp-ha-noi",)))
    assert rule(above) == "area"


def test_a_list_gets_the_areas_that_the_policy_agreed_to(engine: PolicyEngine) -> None:
    def scope(role: Role, areas: tuple[str, ...]) -> Scope | None:
        decision = engine.decide(replace(somebody(role), areas=areas), "list_incidents")
        return decision.scope if isinstance(decision, Allowed) else None

    assert scope(Role.COMMANDER, ()) == Scope(None)
    assert scope(Role.OFFICER, OWN) == Scope(("cho-dong-xuan", "p-hoan-kiem", "quay-12"))
    assert scope(Role.OFFICER, ("p-ba-dinh", "quay-12")) == Scope(("p-ba-dinh", "quay-12"))
    assert scope(Role.OFFICER, ("tp-hue",)) == Scope(("p-thuan-hoa", "tp-hue"))
    assert scope(Role.OFFICER, ("not-in-the-tree",)) == Scope(("not-in-the-tree",))
    assert engine.decide(replace(somebody(Role.OFFICER), areas=()), "list_incidents") == Denied(
        "area", (Role.COMMANDER, Role.LEADER)
    )


def test_nobody_turns_a_fixed_camera(engine: PolicyEngine) -> None:
    commander = somebody(Role.COMMANDER)
    assert engine.decide(commander, "move_camera", Resource(camera_kind="fixed")) == Denied("not_ptz")
    assert isinstance(engine.decide(commander, "move_camera", Resource(camera_kind="ptz")), Allowed)


def test_a_camera_held_by_a_higher_role_stays_where_it_looks(engine: PolicyEngine) -> None:
    held = Resource(HERE, "ptz", held_by=Role.COMMANDER)
    assert engine.decide(somebody(Role.OFFICER), "move_camera", held) == Denied("camera_held", (Role.COMMANDER,))
    assert isinstance(engine.decide(somebody(Role.COMMANDER), "move_camera", held), Allowed)
    by_officer = replace(held, held_by=Role.OFFICER)
    assert isinstance(engine.decide(somebody(Role.OFFICER), "move_camera", by_officer), Allowed)
    assert isinstance(engine.decide(somebody(Role.COMMANDER), "move_camera", by_officer), Allowed)


def test_the_first_reason_is_told_and_gives_nothing_away(engine: PolicyEngine) -> None:
    hidden = Resource(ELSEWHERE, "fixed", held_by=Role.COMMANDER)
    assert rule(engine.decide(somebody(Role.CITIZEN), "move_camera", hidden)) == "role"
    assert rule(engine.decide(somebody(Role.OFFICER), "move_camera", hidden)) == "area"
    assert rule(engine.decide(somebody(Role.OFFICER), "move_camera", replace(hidden, lineage=HERE))) == "not_ptz"
    token = somebody(Role.CITIZEN, actions=frozenset())
    assert rule(engine.decide(token, "move_camera", hidden)) == "token_scope"
    assert rule(engine.decide(token, "fly", hidden)) == "unknown_action"
    own = Resource(owner="u1")
    assert (
        rule(engine.decide(somebody(Role.COMMANDER, mfa_s=None), "decide_identity_check", own, now=NOW))
        == "own_request"
    )


def test_nobody_decides_their_own_request(engine: PolicyEngine) -> None:
    commander = somebody(Role.COMMANDER)
    denied = engine.decide(commander, "decide_identity_check", Resource(owner="u1"), now=NOW)
    assert denied == Denied("own_request", (Role.COMMANDER,))  # another commander may
    allowed = engine.decide(commander, "decide_identity_check", Resource(owner="u2"), now=NOW)
    assert isinstance(allowed, Allowed)
    assert allowed.conditions == {Condition.NEVER_OWN_REQUEST}


@pytest.mark.parametrize("role", [Role.INVESTIGATOR, Role.COMMANDER])
@pytest.mark.parametrize(
    ("owner", "decider", "expected"),
    [("u1", "u2", ""), ("u2", "u1", ""), ("u2", "u3", "not_party"), ("u2", "", "not_party"), ("", "", "not_party")],
)
def test_a_result_is_for_its_two_parties(
    engine: PolicyEngine, role: Role, owner: str, decider: str, expected: str
) -> None:
    resource = Resource(owner=owner, decider=decider)
    assert rule(engine.decide(somebody(role), "identity_check_result", resource, now=NOW)) == expected


def test_checks_are_about_one_subject(engine: PolicyEngine) -> None:
    commander = somebody(Role.COMMANDER)
    one, two = Facts(case_number="HS-1", subjects=1), Facts(case_number="HS-1", subjects=2)
    assert rule(engine.decide(commander, "request_identity_check", facts=one, now=NOW)) == ""
    assert engine.decide(commander, "request_identity_check", facts=two, now=NOW) == Denied("bulk")
    missing = engine.decide(commander, "request_identity_check", facts=Facts(subjects=1), now=NOW)
    assert isinstance(missing, Allowed)  # it is asked for elsewhere
    assert Condition.CASE_NUMBER in missing.conditions


@pytest.mark.parametrize("action", SENSITIVE)
@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, ""),
        (299.9, ""),
        (300, ""),
        (300.001, "step_up"),
        (3600, "step_up"),
        (None, "step_up"),
        (-30, ""),
        (-61, "step_up"),
    ],
)
def test_identity_and_evidence_ask_for_a_fresh_second_factor(
    engine: PolicyEngine, action: str, seconds: float | None, expected: str
) -> None:
    assert rule(engine.decide(somebody(Role.COMMANDER, mfa_s=seconds), action, now=NOW)) == expected


@pytest.mark.parametrize("action", SENSITIVE)
def test_without_the_moment_of_the_call_no_second_factor_is_fresh(engine: PolicyEngine, action: str) -> None:
    assert rule(engine.decide(somebody(Role.COMMANDER), action)) == "step_up"


def test_a_token_does_what_it_was_made_for(engine: PolicyEngine) -> None:
    token = somebody(Role.OFFICER, mfa_s=None, actions=frozenset({"list_cameras"}))
    assert rule(engine.decide(token, "list_cameras")) == ""
    assert engine.decide(token, "search_events") == Denied("token_scope", engine.grantees("search_events"))
    assert rule(engine.decide(replace(token, actions=frozenset({"search_audit"})), "search_audit")) == "role"


@pytest.mark.parametrize("action", [*SENSITIVE, "list_identity_checks"])
def test_no_token_ever_reaches_identity_or_evidence(engine: PolicyEngine, action: str) -> None:
    token = somebody(Role.COMMANDER, actions=frozenset({action}))
    assert rule(engine.decide(token, action, now=NOW)) == "token_scope"
    of_the_whole_account = replace(somebody(Role.COMMANDER), program=True)
    assert rule(engine.decide(of_the_whole_account, action, now=NOW)) == "token_scope"


def test_a_token_of_the_whole_account_does_the_rest_of_what_its_role_may(engine: PolicyEngine) -> None:
    token = replace(somebody(Role.OFFICER, mfa_s=None), program=True)
    assert rule(engine.decide(token, "list_cameras")) == ""
    assert rule(engine.decide(token, "search_audit")) == "role"


def test_citizens_see_public_procedures_and_their_own_reports(engine: PolicyEngine) -> None:
    citizen = somebody(Role.CITIZEN, mfa_s=None)
    assert rule(engine.decide(citizen, "list_procedures", Resource(public=False))) == "public_only"
    assert rule(engine.decide(citizen, "list_procedures", Resource(public=True))) == ""
    assert rule(engine.decide(citizen, "feedback_status", Resource(HERE, owner="u2"))) == "not_own_report"
    assert rule(engine.decide(citizen, "feedback_status", Resource(HERE, owner="u1"))) == ""
    assert rule(engine.decide(citizen, "feedback_status", Resource(HERE))) == ""  # anonymous, with its code
    assert rule(engine.decide(somebody(Role.OFFICER), "feedback_status", Resource(ELSEWHERE, owner="u2"))) == ""


def test_the_log_of_others_is_for_auditors(engine: PolicyEngine) -> None:
    for role in (Role.LEADER, Role.ADMIN):
        assert rule(engine.decide(somebody(role), "search_audit", Resource(owner="u2"))) == "own_actions_only"
        assert rule(engine.decide(somebody(role), "search_audit", Resource(owner="u1"))) == ""
    assert rule(engine.decide(somebody(Role.AUDITOR), "search_audit", Resource(owner="u2"))) == ""


def test_a_decision_names_the_policies_that_made_it(engine: PolicyEngine) -> None:
    officer, commander = somebody(Role.OFFICER), somebody(Role.COMMANDER)
    assert engine.explain(officer, "search_events") == ("search.officer",)
    assert engine.explain(officer, "get_event", Resource(ELSEWHERE)) == ()
    assert engine.explain(commander, "move_camera", Resource(camera_kind="fixed")) == ("move_camera.not_ptz",)
    assert engine.explain(officer, "search_audit") == ()


def test_hostile_names_are_only_names(engine: PolicyEngine) -> None:
    for name in ('"', "u1\n", '") || true', "\x00", "\ud7ff", 'Account::"u1"', "(another officer)", "á" * 1000):
        officer = Principal(name, "", Role.OFFICER, (name,), mfa_at=NOW)
        assert isinstance(engine.decide(officer, "get_event", Resource((name,), owner=name)), Allowed)
        assert rule(engine.decide(officer, "get_event", Resource(HERE, owner=name))) == "area"


def test_what_a_person_writes_is_not_kept_in_memory(tree: AreaTree) -> None:
    engine = PolicyEngine.load(tree)
    commander, investigator = somebody(Role.COMMANDER), somebody(Role.INVESTIGATOR, mfa_s=None)
    memory = engine._judge
    engine.decide(commander, "search_events", now=NOW)
    kept = len(memory._somewhere), len(memory._who_can), len(memory._of_things)
    for number in range(50):
        facts = Facts(case_number=f"HS-{number}", purpose="x" * 5000, subjects=1)
        engine.decide(commander, "request_identity_check", facts=facts, now=NOW)
        engine.decide(investigator, "request_identity_check", Resource(HERE), facts, NOW)
        for thing in (Resource((f"nowhere-{number}", *HERE)), Resource(HERE, owner=f"u{number}")):
            engine.decide(commander, "search_events", thing, now=NOW)
    assert (len(memory._somewhere), len(memory._who_can), len(memory._of_things)) == kept


def test_what_is_remembered_of_a_place_is_not_said_of_another_thing(engine: PolicyEngine) -> None:
    officer = replace(somebody(Role.OFFICER), areas=(HERE[0],))
    for _ in range(2):
        ptz, fixed = (Resource(HERE, kind) for kind in ("ptz", "fixed"))
        assert isinstance(engine.decide(officer, "move_camera", ptz, now=NOW), Allowed)
        assert engine.decide(officer, "move_camera", fixed, now=NOW) == Denied("not_ptz", ())
        held = engine.decide(officer, "move_camera", replace(ptz, held_by=Role.COMMANDER), now=NOW)
        assert isinstance(held, Denied)
        elsewhere = engine.decide(replace(officer, areas=("p-ba-dinh",)), "move_camera", ptz, now=NOW)
        assert isinstance(elsewhere, Denied)
        assert elsewhere.rule == "area"


def test_a_full_memory_is_emptied_and_answers_stay_right(tree: AreaTree, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = PolicyEngine.load(tree)
    monkeypatch.setattr("matpho_platform.access.policy_judge.MAX_REMEMBERED", 3)
    for round_ in range(3):
        for number in range(10):
            caller = replace(somebody(Role.OFFICER), user_id=f"u{number}", areas=(f"a-{number % 5}",))
            assert engine.decide(caller, "search_events") == Allowed(Scope((f"a-{number % 5}",))), round_
    assert len(engine._judge._somewhere) <= 3


@pytest.mark.parametrize(
    "broken",
    [
        RuntimeError("the engine fell over"),
        MemoryError(),
        json.dumps({"decision": "NoDecision", "diagnostics": {"errors": [], "reason": []}}),
        json.dumps({"decision": "Allow", "diagnostics": {"errors": ["missing"], "reason": ["search.officer"]}}),
        json.dumps({"decision": "Allow", "diagnostics": {"errors": [], "reason": ["a policy that is not ours"]}}),
        json.dumps({"decision": "Perhaps"}),
        "{}",
        "not json",
        None,
    ],
)
@pytest.mark.parametrize("resource", [None, Resource(HERE), Resource()])
def test_every_error_of_the_engine_is_a_no(
    tree: AreaTree,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    broken: Exception | str | None,
    resource: Resource | None,
) -> None:
    def answer(requests: list[object], *_rest: object) -> list[str]:
        if isinstance(broken, Exception):
            raise broken
        return [] if broken is None else [broken] * len(requests)

    engine = PolicyEngine.load(tree)
    monkeypatch.setattr(cedarpy._internal, "is_authorized_batch", answer)
    for role in (Role.OFFICER, Role.COMMANDER):
        assert engine.decide(somebody(role), "get_event", resource, now=NOW) == Denied("engine")
    assert "no decision, so denied" in caplog.text
    monkeypatch.undo()
    assert isinstance(engine.decide(somebody(Role.OFFICER), "get_event", now=NOW), Allowed)  # nothing of it was kept


@pytest.mark.parametrize(
    "principal",
    [
        replace(somebody(Role.OFFICER), areas=(None,)),
        replace(somebody(Role.OFFICER), areas=None),
        replace(somebody(Role.OFFICER), user_id=7),
        replace(somebody(Role.COMMANDER), mfa_at=datetime(2026, 11, 21)),
        replace(somebody(Role.OFFICER), user_id="\ud800"),
    ],
)
def test_a_caller_that_makes_no_sense_is_denied(engine: PolicyEngine, principal: Principal) -> None:
    assert rule(engine.decide(principal, "get_event", Resource(HERE), now=NOW)) == "engine"


def test_an_attribute_that_is_missing_at_the_moment_of_deciding_is_a_no(tree: AreaTree, policies: Path) -> None:
    (policies / "roles.json").write_text(
        json.dumps([{"uid": {"type": "Role", "id": role.value}, "attrs": {"rank": 0}, "parents": []} for role in Role]),
        encoding="utf-8",
    )
    schema = (policies / "schema.cedarschema").read_text(encoding="utf-8")
    (policies / "schema.cedarschema").write_text(
        schema.replace("subjects: Long,", "subjects: Long, weekday: Long,"), encoding="utf-8"
    )
    (policies / "extra.cedar").write_text(
        '@id("weekday")\nforbid (principal, action, resource) when { context.weekday > 5 };', encoding="utf-8"
    )
    engine = PolicyEngine.load(tree, policies)
    assert rule(engine.decide(somebody(Role.COMMANDER), "list_cameras", now=NOW)) == "engine"
