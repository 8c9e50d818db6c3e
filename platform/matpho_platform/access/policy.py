"""The decision: may this caller do this to that? A pure function over the role table; the unknown is denied."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from matpho_platform.access.principal import Principal, Role, Scope
from matpho_platform.access.role_table import ROLE_TABLE, Condition, Grant, Reach


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
    """What the policy is told of a call besides who and what; from checked arguments and the session, not from words."""

    case_number: str = ""
    purpose: str = ""
    subjects: int = 0
    """How many people or vehicles an identity check would be about."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """Yes, within a scope and under conditions that the caller of `decide` must keep."""

    scope: Scope
    conditions: frozenset[Condition] = frozenset()


@dataclass(frozen=True, slots=True)
class Denied:
    """No: the rule that says so and the roles that may."""

    rule: str
    who_can: tuple[Role, ...] = ()


def _version(table: Mapping[str, Mapping[Role, Grant]]) -> str:
    plain = {
        action: {role: [grant.reach, sorted(grant.conditions)] for role, grant in sorted(grants.items())}
        for action, grants in sorted(table.items())
    }
    return "roles-1-" + hashlib.sha256(json.dumps(plain).encode()).hexdigest()[:12]


POLICY_VERSION = _version(ROLE_TABLE)
"""Names the table that decided; an audit entry carries it."""


def decide(principal: Principal, action: str, resource: Resource | None = None) -> Allowed | Denied:
    """Decide in this order; the first that fits holds.

    1 an action the table does not know: denied (`unknown_action`)
    2 a role the action is not granted to: denied (`role`)
    3 a resource outside the caller's own areas where the grant reaches only these: denied (`area`)
    4 turning a fixed camera: denied (`not_ptz`)
    5 else allowed, with the scope of the grant and its conditions
    """
    grants = ROLE_TABLE.get(action)
    if grants is None:
        return Denied("unknown_action")
    who_can = tuple(role for role in Role if role in grants)
    grant = grants.get(principal.role)
    if grant is None:
        return Denied("role", who_can)
    own = grant.reach is Reach.OWN_AREAS
    if own and resource and resource.lineage and not set(resource.lineage) & set(principal.areas):
        return Denied("area", tuple(role for role in who_can if grants[role].reach is Reach.PROVINCE))
    if action == "move_camera" and resource and resource.camera_kind == "fixed":
        return Denied("not_ptz")
    return Allowed(Scope(principal.areas if own else None), grant.conditions)
