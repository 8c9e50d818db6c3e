"""The policy files: the ones that ship are in order, a deployment's own are checked, a bad set is never loaded."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from matpho_contracts.errors import ConfigurationError
from matpho_platform.access.conditions import Condition
from matpho_platform.access.decisions import Allowed, Denied, Facts
from matpho_platform.access.policy import PolicyEngine
from matpho_platform.access.policy_files import DEFAULT_FOLDER, read_policies
from matpho_platform.access.principal import Principal, Role, Scope
from matpho_platform.cameras.areas import Area, AreaTree

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
COMMANDER = Principal("u1", "Lê Thị B", Role.COMMANDER, mfa_at=NOW)
OFFICER = Principal("u2", "Nguyễn Văn A", Role.OFFICER, ("p-hoan-kiem",), mfa_at=NOW)


def test_what_ships_fits_its_schema_and_every_policy_says_what_it_is() -> None:
    book = read_policies(DEFAULT_FOLDER)
    assert re.fullmatch(r"cedar-[0-9a-f]{12}", book.version)
    for path in DEFAULT_FOLDER.glob("*.cedar"):
        for block in path.read_text(encoding="utf-8").split(";\n"):
            if not block.strip():
                continue
            comments = re.findall(r"^// (.*)\n// (.*)\n@id", block, re.MULTILINE)
            assert comments, f"{path.name}: a policy without a Vietnamese and an English sentence: {block.strip()[:80]}"
            assert all(line.endswith(".") for line in comments[0])
    assert all(rule.reason == rule.name or rule.effect == "forbid" for rule in book.rules.values())


def test_the_version_is_that_of_the_files(tree: AreaTree, policies: Path) -> None:
    first = PolicyEngine.load(tree, policies)
    assert first.version == PolicyEngine.load(tree).version
    with (policies / "search.cedar").open("a", encoding="utf-8") as file:
        file.write("// one more line\n")
    assert PolicyEngine.load(tree, policies).version != first.version
    first.reload()
    assert first.version == PolicyEngine.load(tree, policies).version


BROKEN = {
    "not a policy": "permit (everybody);",
    "no id": 'permit (principal, action == Action::"get_event", resource);',
    "empty id": '@id("") permit (principal, action == Action::"get_event", resource);',
    "an id twice": '@id("search.officer") permit (principal, action == Action::"get_event", resource);',
    "an unknown action": '@id("x") permit (principal, action == Action::"fly", resource);',
    "an unknown attribute": '@id("x") forbid (principal, action, resource) when { principal.shoe_size > 5 };',
    "a thing not always known": '@id("x") forbid (principal, action, resource) when { context.mfa_minutes > 5 };',
    "an unknown kind": '@id("x") forbid (principal, action, resource is Weapon);',
    "an unknown role": '@id("x") forbid (principal in Role::"comander", action, resource);',
    "an unknown role within": '@id("x") forbid (principal, action, resource) when { principal.role == Role::"x" };',
    "an unknown condition": '@id("x") @conditions("none") permit (principal, action == Action::"get_clip", resource);',
    "conditions on a forbid": '@id("x") @conditions("redacted") forbid (principal, action, resource);',
    "a permit for every action": '@id("x") permit (principal in Role::"admin", action, resource);',
    "a template": '@id("x") permit (principal == ?principal, action == Action::"get_event", resource);',
    "a wrong type": '@id("x") forbid (principal, action, resource) when { context.subjects == "many" };',
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=list(BROKEN))
def test_a_bad_policy_is_not_loaded_and_the_old_ones_go_on(tree: AreaTree, policies: Path, text: str) -> None:
    engine = PolicyEngine.load(tree, policies)
    version = engine.version
    (policies / "zz.cedar").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError):
        PolicyEngine.load(tree, policies)
    with pytest.raises(ConfigurationError):
        engine.reload()
    assert engine.version == version
    assert isinstance(engine.decide(OFFICER, "get_event"), Allowed)
    assert engine.decide(OFFICER, "search_audit") == Denied("role", (Role.LEADER, Role.AUDITOR, Role.ADMIN))


@pytest.mark.parametrize("name", ["schema.cedarschema", "roles.json"])
@pytest.mark.parametrize("content", [None, b"", b"{", b"\xff\xfe", b"[]", b"x" * (2 << 20)])
def test_schema_and_roles_must_be_whole(tree: AreaTree, policies: Path, name: str, content: bytes | None) -> None:
    if content is None:
        (policies / name).unlink()
    else:
        (policies / name).write_bytes(content)
    with pytest.raises(ConfigurationError):
        PolicyEngine.load(tree, policies)


def test_every_role_needs_its_rank(tree: AreaTree, policies: Path) -> None:
    roles = json.loads((policies / "roles.json").read_text(encoding="utf-8"))
    (policies / "roles.json").write_text(json.dumps(roles[1:]), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="citizen"):
        PolicyEngine.load(tree, policies)


def test_an_empty_or_absent_folder_is_no_policy(tree: AreaTree, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(ConfigurationError):
            PolicyEngine.load(tree, folder)


def test_a_deployment_takes_a_right_away(tree: AreaTree, policies: Path) -> None:
    (policies / "zz-hue.cedar").write_text(
        '@id("hue.closed") @rule("closed")\n'
        'forbid (principal, action == Action::"get_clip", resource) when { resource in Area::"tp-hue" };',
        encoding="utf-8",
    )
    engine = PolicyEngine.load(tree, policies)
    listed = engine.decide(COMMANDER, "get_clip")
    assert isinstance(listed, Allowed)
    assert listed.scope == Scope(("cho-dong-xuan", "p-ba-dinh", "p-hoan-kiem", "quay-12", "tp-ha-noi"))
    assert engine.decide(COMMANDER, "get_snapshot") == Allowed(Scope(None))


def test_a_deployment_grants_a_role_one_area(tree: AreaTree, policies: Path) -> None:
    (policies / "zz-leader.cedar").write_text(
        '@id("leader.watch") @conditions("no_plates")\n'
        'permit (principal in Role::"leader", action == Action::"create_watch", resource)'
        ' when { resource in Area::"p-ba-dinh" };',
        encoding="utf-8",
    )
    engine = PolicyEngine.load(tree, policies)
    leader = Principal("u3", "Trần Văn C", Role.LEADER)
    assert engine.decide(leader, "create_watch") == Allowed(Scope(("p-ba-dinh",)), frozenset({Condition.NO_PLATES}))
    assert Role.LEADER in engine.grantees("create_watch")


def test_a_deployment_closes_the_list_of_purposes(tree: AreaTree, policies: Path) -> None:
    (policies / "zz-purposes.cedar").write_text(
        '@id("purposes") @rule("purpose")\n'
        'forbid (principal, action == Action::"request_identity_check", resource)\n'
        'when { context has purpose && !(["theft", "missing person"].contains(context.purpose)) };',
        encoding="utf-8",
    )
    engine = PolicyEngine.load(tree, policies)

    def rule(purpose: str) -> str:
        facts = Facts(case_number="HS-1", purpose=purpose, subjects=1)
        decision = engine.decide(COMMANDER, "request_identity_check", facts=facts, now=NOW)
        return decision.rule if isinstance(decision, Denied) else ""

    assert [rule(purpose) for purpose in ("theft", "", "curiosity")] == ["", "", "purpose"]


def test_areas_that_no_policy_tells_apart_are_asked_once_and_decided_alike(policies: Path) -> None:
    """The scope from one question per kind of area is the same as from a question about each area."""
    (policies / "zz.cedar").write_text(
        '@id("closed") forbid (principal, action == Action::"list_cameras", resource)'
        ' when { resource in Area::"c-7" || resource == Area::"c-11" || resource == Area::"p-1" };',
        encoding="utf-8",
    )
    communes = [Area(code=f"c-{number}", name="x", parent=f"p-{number % 3}") for number in range(60)]
    sites = [Area(code=f"s-{number}", name="x", parent=f"c-{number % 20}", level="site") for number in range(60)]
    tree = AreaTree([*(Area(code=f"p-{number}", name="x", level="province") for number in range(3)), *communes, *sites])
    engine = PolicyEngine.load(tree, policies)
    for role, areas in ((Role.COMMANDER, ()), (Role.OFFICER, ("p-1", "c-9")), (Role.OFFICER, ("c-7", "c-8", "s-1"))):
        caller = Principal("u9", "", role, areas)
        decision = engine.decide(caller, "list_cameras")
        assert isinstance(decision, Allowed)
        closed = {area.code for area in tree.all() if "c-7" in tree.lineage(area.code)} | {"c-11", "p-1"}
        own = {area.code for area in tree.all() if role is Role.COMMANDER or set(tree.lineage(area.code)) & set(areas)}
        assert decision.scope == Scope(tuple(sorted(own - closed)))


def test_the_policies_travel_in_the_wheel() -> None:
    names = {path.name for path in DEFAULT_FOLDER.iterdir()}
    assert {"schema.cedarschema", "roles.json", "search.cedar", "sessions.cedar"} <= names
    root = Path(__file__).parents[3]
    assert DEFAULT_FOLDER.is_relative_to(root / "platform" / "matpho_platform")
