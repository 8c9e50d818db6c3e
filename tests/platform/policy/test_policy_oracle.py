"""The policies against a second opinion: over random requests they agree on rule, conditions, scope and who can."""

from __future__ import annotations

import random
from types import SimpleNamespace

import pytest

from matpho_platform.access.policy import PolicyEngine
from matpho_platform.access.principal import Role


def _disagreements(engine: PolicyEngine, second: SimpleNamespace, count: int, seed: int) -> tuple[list[str], set[str]]:
    rng = random.Random(seed)
    wrong: list[str] = []
    rules = set()
    for _ in range(count):
        ask = second.random_ask(rng)
        expected, got = second.opinion(ask), second.says(engine, ask)
        rules.add(expected.rule)
        if expected != got:
            wrong.append(f"{ask}\n  expected {expected}\n  got      {got}")
    return wrong, rules


EVERY_RULE = {
    "",
    "unknown_action",
    "token_scope",
    "role",
    "area",
    "bulk",
    "not_ptz",
    "camera_held",
    "own_request",
    "not_party",
    "own_actions_only",
    "not_own_report",
    "not_own_package",
    "public_only",
    "step_up",
}


def test_a_hundred_thousand_random_requests(engine: PolicyEngine, second: SimpleNamespace) -> None:
    wrong, rules = _disagreements(engine, second, 100_000, seed=20261121)
    assert not wrong, "\n".join([f"{len(wrong)} disagreements", *wrong[:5]])
    assert rules == EVERY_RULE  # the requests reached every rule


@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_a_million_random_requests(engine: PolicyEngine, second: SimpleNamespace) -> None:
    wrong, _rules = _disagreements(engine, second, 1_000_000, seed=random.SystemRandom().randrange(2**32))
    assert not wrong, "\n".join([f"{len(wrong)} disagreements", *wrong[:5]])


def test_the_second_opinion_speaks_of_the_same_roles_and_actions(engine: PolicyEngine, second: SimpleNamespace) -> None:
    assert second.roles == tuple(role.value for role in Role)
    assert set(second.actions) == engine.actions
