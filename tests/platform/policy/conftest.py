"""A second opinion on every decision: the rules of the tool contract in plain Python, sharing no code with the engine.

`Ask` is a request in plain words, `opinion` says what must come of it, `engine_says` brings the engine's answer into
the same shape, `random_ask` makes up requests that lean towards the edges of the rules.
"""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from matpho_platform.access.policy import Allowed, Facts, PolicyEngine, Resource
from matpho_platform.access.policy_files import DEFAULT_FOLDER
from matpho_platform.access.principal import Principal, Role
from matpho_platform.cameras.areas import Area, AreaTree

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
PARENTS = {
    "tp-ha-noi": None,
    "p-hoan-kiem": "tp-ha-noi",
    "cho-dong-xuan": "p-hoan-kiem",
    "quay-12": "cho-dong-xuan",
    "p-ba-dinh": "tp-ha-noi",
    "tp-hue": None,
    "p-thuan-hoa": "tp-hue",
}
AREAS_OF_ACCOUNTS = (
    (),
    ("tp-ha-noi",),
    ("p-hoan-kiem",),
    ("p-ba-dinh",),
    ("cho-dong-xuan", "p-thuan-hoa"),
    ("an-unknown-place", "quay-12"),
)
ROLES = ("citizen", "officer", "investigator", "commander", "leader", "auditor", "admin")
HEIGHT = {"citizen": 0, "auditor": 0, "admin": 0, "officer": 1, "investigator": 1, "commander": 2, "leader": 3}
EVENTS = {"search_events", "get_event", "find_similar_events", "event_statistics"}
PICTURES = {"get_snapshot", "get_clip"}
CAMERAS = {"list_cameras", "camera_status"}
READ_INCIDENTS = {"list_incidents", "get_incident"}
HANDLE = {"acknowledge_alert", "update_incident", "open_incident", "dispatch_unit", "escalate_incident"}
FOR_ALL = {"submit_feedback", "feedback_status", "public_information", "list_procedures"}
IDENTITY = {"request_identity_check", "decide_identity_check", "identity_check_result"}
SENSITIVE = IDENTITY | {"export_evidence"}
NO_TOKEN = SENSITIVE | {"list_identity_checks"}
ALONE = {"move_camera", "create_watch", "search_audit", "daily_briefing"}
ACTIONS = sorted(EVENTS | PICTURES | CAMERAS | READ_INCIDENTS | HANDLE | FOR_ALL | NO_TOKEN | ALONE)


@dataclass(frozen=True)
class Thing:
    place: str | None = None
    kind: str | None = None
    holder: str | None = None
    owner: str = ""
    decider: str = ""
    public: bool = False


@dataclass(frozen=True)
class Ask:
    role: str
    action: str
    who: str = "u1"
    areas: tuple[str, ...] = ("p-hoan-kiem",)
    thing: Thing | None = None
    mfa_age_s: float | None = 0.0
    token: frozenset[str] | None = None
    case: str = ""
    purpose: str = ""
    subjects: int = 0


@dataclass(frozen=True)
class Opinion:
    rule: str
    """Empty: yes."""
    conditions: frozenset[str] = frozenset()
    scope: tuple[str, ...] | None = ()
    who_can: tuple[str, ...] = ()


def above(place: str) -> list[str]:
    line = [place]
    while (parent := PARENTS.get(line[-1])) is not None:
        line.append(parent)
    return line


def reach(role: str, action: str) -> str:
    """'' for no, 'own', 'all': the roles table of the contract read aloud."""
    if action in FOR_ALL:
        return "all"
    if action == "search_audit":
        return "all" if role in ("leader", "auditor", "admin") else ""
    if action in ("identity_check_result", "list_identity_checks"):
        return "all" if role in ("investigator", "commander") else ""
    if role == "commander":
        return "all"
    if role == "officer":
        return "" if action in SENSITIVE else "own"
    if role == "investigator":
        barred = HANDLE | {"move_camera", "daily_briefing", "decide_identity_check"}
        return "" if action in barred else "own"
    if role == "leader":
        return "all" if action in EVENTS | PICTURES | CAMERAS | READ_INCIDENTS | {"daily_briefing"} else ""
    if role == "admin":
        return "all" if action in CAMERAS else ""
    if role == "citizen":
        return "all" if action == "event_statistics" else ""
    return ""


def conditions(role: str, action: str) -> frozenset[str]:
    words = set()
    if role == "citizen" and action in ("event_statistics", "list_procedures"):
        words.add("public_only")
    if role == "leader" and action in EVENTS:
        words |= {"no_plates", "no_thumbnails_of_people"}
    if role == "leader" and action in PICTURES:
        words.add("redacted")
    if role == "admin" and action in CAMERAS:
        words.add("status_only")
    if role in ("leader", "admin") and action == "search_audit":
        words.add("own_actions_only")
    if action in ("export_evidence", "request_identity_check") or (role, action) == ("investigator", "create_watch"):
        words.add("case_number")
    if action == "decide_identity_check":
        words.add("never_own_request")
    if action == "identity_check_result" or (role, action) == ("investigator", "list_identity_checks"):
        words.add("requester_or_decider")
    return frozenset(words)


def fine_rule(ask: Ask) -> str:
    """What still stands in the way of a role that may do this there."""
    thing, action = ask.thing, ask.action
    if action == "request_identity_check" and ask.subjects > 1:
        return "bulk"
    if thing is not None:
        if action == "move_camera" and thing.kind not in (None, "ptz"):
            return "not_ptz"
        if action == "move_camera" and thing.holder and HEIGHT[thing.holder] > HEIGHT[ask.role]:
            return "camera_held"
        if action == "decide_identity_check" and thing.owner == ask.who:
            return "own_request"
        if action == "identity_check_result" and ask.who not in (thing.owner, thing.decider):
            return "not_party"
        if action == "export_evidence" and ask.role != "commander" and thing.owner not in ("", ask.who):
            return "not_own_package"
        if action == "search_audit" and ask.role != "auditor" and thing.owner != ask.who:
            return "own_actions_only"
        if ask.role == "citizen":
            if action == "feedback_status" and thing.owner not in ("", ask.who):
                return "not_own_report"
            if action == "list_procedures" and not thing.public:
                return "public_only"
    if action in SENSITIVE and (ask.mfa_age_s is None or not -60 <= ask.mfa_age_s <= 300):
        return "step_up"
    return ""


def rule_of(ask: Ask) -> str:
    """The rule that says no, or nothing."""
    if ask.action not in ACTIONS:
        return "unknown_action"
    if ask.token is not None and (ask.action not in ask.token or ask.action in NO_TOKEN):
        return "token_scope"
    far = reach(ask.role, ask.action)
    if not far:
        return "role"
    place = ask.thing.place if ask.thing is not None else None
    inside = bool(ask.areas) if place is None else any(code in ask.areas for code in above(place))
    return "area" if far == "own" and not inside else fine_rule(ask)


def opinion(ask: Ask) -> Opinion:
    rule = rule_of(ask)
    if rule == "unknown_action":
        return Opinion(rule)
    if rule in ("role", "token_scope"):
        return Opinion(rule, who_can=tuple(role for role in ROLES if reach(role, ask.action)))
    if rule:
        return Opinion(rule, who_can=others(ask))
    mine = {code for code in [*PARENTS, *ask.areas] if any(step in ask.areas for step in above(code))}
    scope = None if reach(ask.role, ask.action) == "all" else tuple(sorted(mine))
    return Opinion("", conditions(ask.role, ask.action), scope)


def others(ask: Ask) -> tuple[str, ...]:
    """The roles in which somebody else, freshly signed in by hand, could do it there."""
    asks = [replace(ask, role=role, who="somebody else", mfa_age_s=0.0, token=None) for role in ROLES]
    return tuple(other.role for other in asks if not rule_of(other))


def engine_says(engine: PolicyEngine, ask: Ask) -> Opinion:
    mfa = None if ask.mfa_age_s is None else NOW - timedelta(seconds=ask.mfa_age_s)
    principal = Principal(ask.who, "Nguyễn Văn A", Role(ask.role), ask.areas, mfa_at=mfa, actions=ask.token)
    resource = None
    if (thing := ask.thing) is not None:
        resource = Resource(
            lineage=tuple(above(thing.place)) if thing.place is not None else (),
            camera_kind=thing.kind,  # type: ignore[arg-type]  # the test's own words
            held_by=Role(thing.holder) if thing.holder else None,
            owner=thing.owner,
            decider=thing.decider,
            public=thing.public,
        )
    facts = Facts(case_number=ask.case, purpose=ask.purpose, subjects=ask.subjects)
    decision = engine.decide(principal, ask.action, resource, facts, NOW)
    if isinstance(decision, Allowed):
        return Opinion("", frozenset(word.value for word in decision.conditions), decision.scope.areas)
    return Opinion(decision.rule, who_can=tuple(role.value for role in decision.who_can))


def random_thing(rng: random.Random, who: str) -> Thing:
    return Thing(
        place=rng.choice([*PARENTS, "an-unknown-place", None]),
        kind=rng.choice(["fixed", "ptz", "ptz", None]),
        holder=rng.choice([None, None, *ROLES]),
        owner=rng.choice(["", who, "u1", "u2"]),
        decider=rng.choice(["", who, "u3"]),
        public=rng.random() < 0.5,
    )


def random_ask(rng: random.Random, action: str | None = None) -> Ask:
    action = action or (rng.choice(ACTIONS) if rng.random() < 0.99 else rng.choice(["", "delete_log", "Get_Event"]))
    who = rng.choice(["u1", "u2"])
    token = rng.choice([{action, "say"}, {"say"}, set()]) if rng.random() < 0.1 else None
    ask = Ask(
        role=rng.choice([*ROLES, "officer", "investigator", "commander", "commander"]),
        action=action,
        who=who,
        areas=rng.choice(AREAS_OF_ACCOUNTS),
        thing=None if rng.random() < 0.25 else random_thing(rng, who),
        token=None if token is None else frozenset(token),
    )
    if action not in SENSITIVE:
        return replace(ask, mfa_age_s=rng.choice([None, 0.0]), subjects=rng.choice([0, 0, 2]))
    return replace(
        ask,
        mfa_age_s=rng.choice([None, 0.0, 12.0, 100.0, 299.5, 300.0, 300.001, 301.0, 86_400.0, -59.0, -61.0]),
        case=rng.choice(["", "HS-2026-017", "không có"]),
        purpose=rng.choice(["", "theft", "anything else"]),
        subjects=rng.choice([0, 1, 1, 2, 50]),
    )


@pytest.fixture(scope="session")
def tree() -> AreaTree:
    return AreaTree([Area(code=code, name=code, parent=parent) for code, parent in PARENTS.items()])


@pytest.fixture(scope="session")
def engine(tree: AreaTree) -> PolicyEngine:
    return PolicyEngine.load(tree)


@pytest.fixture(scope="session")
def second() -> SimpleNamespace:
    """The second opinion, for tests of any file here."""
    return SimpleNamespace(
        opinion=opinion, says=engine_says, random_ask=random_ask, Ask=Ask, Thing=Thing, actions=ACTIONS, roles=ROLES
    )


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    """A copy of the policies that ship, to be changed."""
    return shutil.copytree(DEFAULT_FOLDER, tmp_path / "policies")
