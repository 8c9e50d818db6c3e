"""Who may do what by a set of policy files, as a table; and what is different between two sets.

The table is asked of the engine, not read off the files: every role with one area of its own, every action, about no
single thing. What stands against single things (a fixed camera, one's own request) is in `forbid` policies, which a
difference names one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from matpho_platform.access.conditions import Condition
from matpho_platform.access.decisions import Allowed, Denied, Facts
from matpho_platform.access.policy_files import PolicyBook, Rule
from matpho_platform.access.policy_judge import Judge
from matpho_platform.access.principal import Principal, Role
from matpho_platform.cameras.areas import Area, AreaTree

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
OWN, INSIDE = "own", "inside-own"
TREE = AreaTree(
    [
        Area(code="province", name="province"),
        Area(code=OWN, name=OWN, parent="province"),
        Area(code=INSIDE, name=INSIDE, parent=OWN),
        Area(code="beside", name="beside", parent="province"),
    ]
)
CASE = Facts(case_number="HS-2026-001", subjects=1)
"""A call as orderly as can be: one subject, a case."""


class Reach(StrEnum):
    """How far a role's right to an action goes."""

    NO = "no"
    OWN = "own"
    """Its own areas and what is inside them."""
    ALL = "all"
    OTHER = "other"
    """Neither: some areas that the policies name, or own areas without what is inside."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What one role may of one action."""

    reach: Reach
    conditions: frozenset[Condition] = frozenset()
    second_factor: bool = False
    """Whether it takes a fresh second factor."""


@dataclass(frozen=True, slots=True)
class CellChange:
    """A cell that is another one now."""

    action: str
    role: Role
    before: Cell
    after: Cell


@dataclass(frozen=True, slots=True)
class RuleChange:
    """A policy that was added (`before` is None), taken out (`after` is None) or written otherwise."""

    name: str
    before: Rule | None
    after: Rule | None


def table(book: PolicyBook) -> dict[tuple[str, Role], Cell]:
    """Every action that the policies know, for every role. Raises PolicyEngineError when they do not answer."""
    judge = Judge(book, TREE)
    return {(action, role): _cell(judge, action, role) for action in sorted(book.actions) for role in Role}


def changed_cells(before: PolicyBook, after: PolicyBook) -> tuple[CellChange, ...]:
    """Where the tables of two sets differ; an action that one of them lacks is a no there."""
    old, new = table(before), table(after)
    no = Cell(Reach.NO)
    return tuple(
        CellChange(action, role, old.get((action, role), no), new.get((action, role), no))
        for action, role in sorted(old.keys() | new.keys())
        if old.get((action, role), no) != new.get((action, role), no)
    )


def changed_rules(before: PolicyBook, after: PolicyBook) -> tuple[RuleChange, ...]:
    """The policies that are not in both sets with the same words, in the order of the newer files, gone ones last."""
    return tuple(_changed_rules(before.rules, after.rules))


def _changed_rules(before: Mapping[str, Rule], after: Mapping[str, Rule]) -> Iterator[RuleChange]:
    for name, rule in after.items():
        old = before.get(name)
        if old is None or old.text != rule.text:
            yield RuleChange(name, old, rule)
    for name, rule in before.items():
        if name not in after:
            yield RuleChange(name, rule, None)


def _cell(judge: Judge, action: str, role: Role) -> Cell:
    fresh = Principal("somebody", "", role, (OWN,), mfa_at=NOW)
    verdict = judge.decide(fresh, action, None, CASE, NOW)
    if isinstance(verdict, Denied):
        return Cell(Reach.NO)
    without = judge.decide(Principal("somebody", "", role, (OWN,)), action, None, CASE, NOW)
    return Cell(_reach(verdict), verdict.conditions, isinstance(without, Denied))


def _reach(verdict: Allowed) -> Reach:
    areas = verdict.scope.areas
    if areas is None:
        return Reach.ALL
    return Reach.OWN if set(areas) == {OWN, INSIDE} else Reach.OTHER
