"""What the policy is asked about and what it answers: values, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from matpho_platform.access.conditions import Condition
from matpho_platform.access.principal import Role, Scope


@dataclass(frozen=True, slots=True)
class Resource:
    """What an action is about, as the center knows it (never as the caller says)."""

    lineage: tuple[str, ...] = ()
    """Its area and every area above it, innermost first; empty when the action is about no single place."""
    camera_kind: Literal["fixed", "ptz"] | None = None
    held_by: Role | None = None
    """The role that holds the camera's lens at this moment, if anybody but the caller does."""
    owner: str = ""
    """The account that a report, a watch or an identity request belongs to."""
    decider: str = ""
    """The account that decided an identity request."""
    public: bool = False
    """Whether it is meant for everybody: a public procedure."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the policy is told of a call besides who and what; from checked arguments, not from words."""

    case_number: str = ""
    purpose: str = ""
    subjects: int = 0
    """How many people or vehicles an identity check would be about."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """Yes, within a scope and under conditions that the caller of `decide` must keep."""

    scope: Scope
    conditions: frozenset[Condition] = frozenset()
    policies: tuple[str, ...] = field(default=(), compare=False)
    """The `@id`s of the policies that permitted."""


@dataclass(frozen=True, slots=True)
class Denied:
    """No: the rule that says so and the roles that may."""

    rule: str
    who_can: tuple[Role, ...] = ()
    policies: tuple[str, ...] = field(default=(), compare=False)
    """The `@id`s of the policies that forbade; empty when nothing permitted."""
