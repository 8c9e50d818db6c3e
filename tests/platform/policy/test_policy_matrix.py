"""Role x action x place x case x purpose, cell by cell, against the table written by hand in matrix.txt."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pytest

from matpho_contracts.times import VIETNAM
from matpho_platform.access.conditions import Condition
from matpho_platform.access.decisions import Allowed, Denied, Facts, Resource
from matpho_platform.access.policy import PolicyEngine
from matpho_platform.access.principal import Principal, Role, Scope

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=VIETNAM)
OWN = ("p-hoan-kiem",)
OWN_AND_INSIDE = ("cho-dong-xuan", "p-hoan-kiem", "quay-12")
PLACES = {
    "own": ("p-hoan-kiem", "tp-ha-noi"),
    "inside own": ("cho-dong-xuan", "p-hoan-kiem", "tp-ha-noi"),
    "deep inside own": ("quay-12", "cho-dong-xuan", "p-hoan-kiem", "tp-ha-noi"),
    "beside own": ("p-ba-dinh", "tp-ha-noi"),
    "above own": ("tp-ha-noi",),
    "another province": ("p-thuan-hoa", "tp-hue"),
    "nowhere": ("",),
}
INSIDE = {"own", "inside own", "deep inside own"}
CASES = ("", "HS-2026-017")
PURPOSES = ("", "theft", "a purpose that nobody granted")


class Cell(NamedTuple):
    reach: str
    conditions: frozenset[Condition]
    second_factor: bool


def _read() -> dict[tuple[str, Role], Cell]:
    table = {}
    for line in (Path(__file__).parent / "matrix.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not line.strip():
            continue
        action, *columns = (part.strip() for part in line.split("|"))
        assert len(columns) == 8, line
        for role, text in zip(Role, columns, strict=False):
            reach, *words = text.split()
            assert reach in ("no", "own", "all"), line
            conditions = frozenset(Condition(word.removeprefix("+")) for word in words)
            table[action, role] = Cell(reach, conditions, columns[7] == "yes")
    return table


TABLE = _read()
ACTIONS = sorted({action for action, _role in TABLE})


def _somebody(role: Role, *, fresh: bool = True) -> Principal:
    return Principal("u1", "Nguyễn Văn A", role, OWN, mfa_at=NOW - timedelta(minutes=5) if fresh else None)


def _granted(action: str) -> tuple[Role, ...]:
    return tuple(role for role in Role if TABLE[action, role].reach != "no")


def _thing(action: str, lineage: tuple[str, ...]) -> Resource:
    """A thing that no fine rule stands against: of the caller where it must be, of another where it must not."""
    owner = {"identity_check_result": "u1", "search_audit": "u1", "decide_identity_check": "u2"}.get(action, "")
    return Resource(lineage, camera_kind="ptz", owner=owner, public=True)


def test_the_table_covers_the_contract(engine: PolicyEngine) -> None:
    assert len(ACTIONS) == 28
    assert len(TABLE) == 28 * 7
    assert set(ACTIONS) == engine.actions


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", ACTIONS)
def test_every_cell(engine: PolicyEngine, action: str, role: Role) -> None:
    cell = TABLE[action, role]
    for case, purpose in product(CASES, PURPOSES):
        facts = Facts(case_number=case, purpose=purpose, subjects=1)
        listed = engine.decide(_somebody(role), action, None, facts, NOW)
        if cell.reach == "no":
            assert listed == Denied("role", _granted(action))
        else:
            scope = Scope(None) if cell.reach == "all" else Scope(OWN_AND_INSIDE)
            assert listed == Allowed(scope, cell.conditions)
        for place, lineage in PLACES.items():
            decided = engine.decide(_somebody(role), action, _thing(action, lineage), facts, NOW)
            if cell.reach == "no":
                assert decided == Denied("role", _granted(action)), place
            elif cell.reach == "own" and place not in INSIDE:
                assert isinstance(decided, Denied), place
                assert decided.rule == "area", place
                assert set(decided.who_can) == {r for r in Role if TABLE[action, r].reach == "all"}, place
            else:
                assert decided == listed, place


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", ACTIONS)
def test_who_needs_a_second_factor(engine: PolicyEngine, action: str, role: Role) -> None:
    cell = TABLE[action, role]
    decided = engine.decide(_somebody(role, fresh=False), action, None, Facts(), NOW)
    if cell.reach == "no":
        assert decided == Denied("role", _granted(action))
    elif cell.second_factor:
        assert isinstance(decided, Denied)
        assert decided.rule == "step_up"
        assert decided.who_can == _granted(action)
    else:
        assert isinstance(decided, Allowed)


@pytest.mark.parametrize("action", ACTIONS)
def test_grantees_are_the_roles_of_the_row(engine: PolicyEngine, action: str) -> None:
    assert engine.grantees(action) == _granted(action)
