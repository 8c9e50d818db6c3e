"""Faults written into the policy files one at a time: the second opinion must notice at least 95 of 100."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from matpho_contracts.errors import ConfigurationError
from matpho_platform.access.policy import PolicyEngine
from matpho_platform.access.policy_files import DEFAULT_FOLDER
from matpho_platform.cameras.areas import AreaTree

REQUESTS_PER_ACTION = 400
POLICY = re.compile(r'@id\("(?P<name>[^"]+)"\).*?;\n', re.DOTALL)
CLAUSE = re.compile(r"\n(when|unless) \{.*?\};\n", re.DOTALL)
SWAPS = (
    ("permit (", "forbid ("),
    ("forbid (", "permit ("),
    ("when {", "unless {"),
    ("unless {", "when {"),
    ("<= 5", "< 5"),
    ("<= 5", "<= 6"),
    ("<= 5", ">= 5"),
    ("> 1", "> 2"),
    ("> 1", ">= 1"),
    (".rank > ", ".rank >= "),
    (".rank > ", ".rank < "),
    ('!= "ptz"', '== "ptz"'),
    ('"ptz"', '"fixed"'),
    ("owner == principal", "owner != principal"),
    ("owner != principal", "owner == principal"),
    ("decider == principal", "decider != principal"),
    ("resource.owner == principal", "resource.decider == principal"),
    (") ||\n", ") &&\n"),
    (" && !", " && "),
    ("resource.public", "!resource.public"),
    ("resource in principal.areas", "principal.areas.contains(resource)"),
    ("resource in principal.areas", "!(resource in principal.areas)"),
    ('@rule("', '@rule("other_'),
)


def _mutations(policy: str) -> Iterator[tuple[str, str]]:
    """Faults of one policy: what was done, and its text afterwards."""
    yield "dropped", ""
    for old, new in SWAPS:
        if old in policy:
            yield f"{old.strip()} -> {new.strip()}", policy.replace(old, new, 1)
    if CLAUSE.search(policy):
        yield "clause removed", CLAUSE.sub(";\n", policy)
    if '@conditions("' in policy:
        yield "conditions removed", re.sub(r"@conditions.*\n", "", policy)
        yield "conditions changed", re.sub(r'@conditions\("[a-z_]+', '@conditions("own_actions_only', policy)
    if role := re.search(r'principal in Role::"(\w+)"', policy):
        yield "every role", policy.replace(role[0], "principal", 1)
        for other in ("citizen", "leader"):
            if other != role[1]:
                yield f"{role[1]} -> {other}", policy.replace(role[0], f'principal in Role::"{other}"', 1)
    for action in re.findall(r'Action::"\w+", ', policy):
        yield f"without {action}", policy.replace(action, "", 1)
    if "action ==" in policy:
        more = (
            "submit_feedback" if "forbid (" in policy else "move_camera" if "search_audit" in policy else "search_audit"
        )
        changed = re.sub(r'action == (Action::"\w+")', rf'action in [\1, Action::"{more}"]', policy, count=1)
        yield f"{more} too", changed


def _mutants() -> Iterator[tuple[str, str, str]]:
    """(file, what was done, text of the file afterwards)."""
    for path in sorted(DEFAULT_FOLDER.glob("*.cedar")):
        text = path.read_text(encoding="utf-8")
        for found in POLICY.finditer(text):
            for done, changed in _mutations(found[0]):
                if changed != found[0]:
                    yield path.name, f"{found['name']}: {done}", text[: found.start()] + changed + text[found.end() :]


def _survivors(
    mutants: Iterable[tuple[str, str, str]], folder: Path, tree: AreaTree, second: SimpleNamespace
) -> tuple[int, list[str]]:
    """How many mutants could be asked, and those of them that nobody noticed."""
    rng = random.Random(7)
    asks = {action: [second.random_ask(rng, action) for _ in range(REQUESTS_PER_ACTION)] for action in second.actions}
    known = {action: [(ask, second.opinion(ask)) for ask in several] for action, several in asks.items()}
    asked, survived = 0, []
    for file, done, text in mutants:
        original = (DEFAULT_FOLDER / file).read_text(encoding="utf-8")
        (folder / file).write_text(text, encoding="utf-8")
        try:
            mutant = PolicyEngine.load(tree, folder)
        except ConfigurationError:
            continue  # the schema noticed; such a file is never asked
        finally:
            (folder / file).write_text(original, encoding="utf-8")
        asked += 1
        touched = set(re.findall(r'Action::"(\w+)"', _difference(original, text))) or set(second.actions)
        if all(second.says(mutant, ask) == right for action in sorted(touched) for ask, right in known[action]):
            survived.append(done)
    return asked, survived


def test_every_fourth_mutant_is_noticed(policies: Path, tree: AreaTree, second: SimpleNamespace) -> None:
    asked, survived = _survivors(list(_mutants())[::4], policies, tree, second)
    assert asked >= 60
    assert len(survived) <= 0.05 * asked, survived


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_every_mutant_is_noticed(policies: Path, tree: AreaTree, second: SimpleNamespace) -> None:
    asked, survived = _survivors(_mutants(), policies, tree, second)
    assert asked >= 250
    assert len(survived) <= 0.05 * asked, survived


def _difference(original: str, changed: str) -> str:
    """The policies of the original that the changed text has not, and the other way round."""
    before = {found[0] for found in POLICY.finditer(original)}
    after = {found[0] for found in POLICY.finditer(changed)}
    return "".join(before ^ after)
