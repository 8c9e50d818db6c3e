"""The decision: may this caller do this to that? Asked of the policy files; whatever is not a clear yes is a no."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cedarpy

from matpho_platform.access.decisions import Allowed, Denied, Facts, Resource
from matpho_platform.access.policy_files import DEFAULT_FOLDER, PolicyBook, read_policies
from matpho_platform.access.policy_questions import (
    EVERYWHERE,
    THING,
    Uid,
    Verdict,
    account,
    account_entity,
    area,
    area_entities,
    ask,
    context,
    entities,
    minutes_since_mfa,
    thing_entity,
)
from matpho_platform.access.principal import Principal, Role, Scope
from matpho_platform.access.role_table import ROLE_TABLE, Grant, Reach

if TYPE_CHECKING:
    from matpho_platform.cameras.areas import AreaTree

__all__ = ["Allowed", "Denied", "Facts", "PolicyEngine", "Resource"]

MAX_REMEMBERED = 4096
"""Answers about all areas that are remembered; the memory is emptied when it is full."""
ANY_AREA = "(any area)"
"""Stands for an area of one's own when asking which roles may at all."""
NO_FACTS = Facts()
BEST_CASE: Mapping[str, Any] = {"subjects": 0, "mfa_minutes": 0}
log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Asked:
    """A policy book and what it has answered so far; replaced whole when the files change."""

    book: PolicyBook
    somewhere: dict[tuple[object, ...], Allowed | Denied] = field(default_factory=dict)
    grantees: dict[str, tuple[Role, ...]] = field(default_factory=dict)
    alike: dict[frozenset[str], tuple[tuple[str, ...], ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Where:
    """What a question is asked about: targets, with the entities that they need."""

    targets: tuple[Uid, ...]
    known: tuple[Mapping[str, Any], ...]


class PolicyEngine:
    """Decides by the policy files. Pure but for its memory; safe to share."""

    def __init__(self, areas: AreaTree, folder: Path, book: PolicyBook) -> None:
        self._areas = areas
        self._folder = folder
        self._asked = _Asked(book)

    @classmethod
    def load(cls, areas: AreaTree, folder: Path | None = None) -> PolicyEngine:
        """The engine over a folder of policy files, by default those that ship.

        Raises ConfigurationError when the files are not all there, do not parse or do not fit their schema.
        """
        chosen = folder or DEFAULT_FOLDER
        return cls(areas, chosen, read_policies(chosen))

    def reload(self) -> None:
        """Read the files again. Raises ConfigurationError as `load`, and then goes on deciding by the old ones."""
        self._asked = _Asked(read_policies(self._folder))

    @property
    def version(self) -> str:
        """Names the files that decide; an audit entry carries it."""
        return self._asked.book.version

    @property
    def actions(self) -> frozenset[str]:
        """Every action that the policy knows."""
        return self._asked.book.actions

    def decide(
        self,
        principal: Principal,
        action: str,
        resource: Resource | None = None,
        facts: Facts = NO_FACTS,
        now: datetime | None = None,
    ) -> Allowed | Denied:
        """Whether the caller may do this, where, and under which conditions; never raises, an error is a no.

        Without a resource, or with one that is in no place, the policy is asked about every area and the scope says
        where it agreed (Scope(None): everywhere). `now` (with an offset) is the moment of the call; without it no
        second factor counts as fresh. The rule of a denial is the first that holds of:

        1 `unknown_action`: no policy permits it to anybody
        2 `token_scope`: the API token does not cover it
        3 `role`: no policy permits it to the caller's role
        4 `area`: none permits it there
        5 the `@rule` of the first policy in the files that forbids it, `step_up` last
        (`engine`: the policy could not be asked)
        """
        asked = self._asked
        try:
            return self._decide(asked, principal, action, resource, facts, now)
        except Exception:
            log.exception("no decision, so denied", extra={"action": action[:64], "policy": asked.book.version})
            return Denied("engine")

    def explain(
        self,
        principal: Principal,
        action: str,
        resource: Resource | None = None,
        facts: Facts = NO_FACTS,
        now: datetime | None = None,
    ) -> tuple[str, ...]:
        """The `@id`s of the policies that decide this; empty when nothing permits it."""
        return self.decide(principal, action, resource, facts, now).policies

    def grantees(self, action: str) -> tuple[Role, ...]:
        """The roles that some policy permits the action to, somewhere; none when the policy cannot be asked."""
        asked = self._asked
        try:
            return self._grantees(asked, action)
        except Exception:
            log.exception("no decision, so nobody", extra={"action": action[:64], "policy": asked.book.version})
            return ()

    def _decide(
        self,
        asked: _Asked,
        principal: Principal,
        action: str,
        resource: Resource | None,
        facts: Facts,
        now: datetime | None,
    ) -> Allowed | Denied:
        if action not in asked.book.actions:
            return Denied("unknown_action")
        covers = None if principal.actions is None else action in principal.actions
        told = context(facts, minutes_since_mfa(principal, now), covers)
        somewhere = self._somewhere(asked, principal, action, told)
        if resource is None or (isinstance(somewhere, Denied) and somewhere.rule in ("token_scope", "role")):
            return somewhere
        where = _about(resource, resource.lineage or self._a_place(principal, somewhere))
        verdict = _ask(asked.book, asked.book.whole, [principal], action, where, told)[0]
        if not verdict.allowed:
            return self._why(asked, principal, action, where, told, verdict.policies)
        scope = somewhere.scope if isinstance(somewhere, Allowed) else Scope(resource.lineage[:1])
        return _allowed(asked.book, scope, verdict.policies)

    def _a_place(self, principal: Principal, somewhere: Allowed | Denied) -> tuple[str, ...]:
        """Where to stand with a thing that is in no place: nowhere for who may everywhere, else an own area."""
        areas = somewhere.scope.areas if isinstance(somewhere, Allowed) else principal.areas
        return self._areas.lineage(areas[0]) if areas else ()

    def _somewhere(self, asked: _Asked, principal: Principal, action: str, told: Mapping[str, Any]) -> Allowed | Denied:
        """The answer over all areas, remembered for this caller, action and context."""
        key = (principal.user_id, principal.role, principal.areas, action, tuple(told.items()))
        answer = asked.somewhere.get(key)
        if answer is None:
            answer = self._over_all_areas(asked, principal, action, told)
            if len(asked.somewhere) >= MAX_REMEMBERED:
                asked.somewhere.clear()
            asked.somewhere[key] = answer
        return answer

    def _over_all_areas(
        self, asked: _Asked, principal: Principal, action: str, told: Mapping[str, Any]
    ) -> Allowed | Denied:
        groups = self._alike(asked, principal.areas)
        where = self._everywhere(groups)
        everywhere, *each = _ask(asked.book, asked.book.whole, [principal], action, where, told)
        allowed = [verdict for verdict in (everywhere, *each) if verdict.allowed]
        if not allowed:
            fired = {name for verdict in (everywhere, *each) for name in verdict.policies}
            return self._why(asked, principal, action, where, told, fired)
        seen = sorted(code for group, verdict in zip(groups, each, strict=True) if verdict.allowed for code in group)
        whole = everywhere.allowed and len(allowed) == len(each) + 1
        return _allowed(
            asked.book,
            Scope(None if whole else tuple(seen)),
            {name for verdict in allowed for name in verdict.policies},
        )

    def _alike(self, asked: _Asked, own: Iterable[str]) -> tuple[tuple[str, ...], ...]:
        """All areas in groups that no policy can tell apart.

        An area has nothing but its name and the areas above it, and a policy can hold these only against the caller's
        own areas and the areas that it names itself.
        """
        marked = frozenset(own) | asked.book.areas
        groups = asked.alike.get(marked)
        if groups is None:
            table: dict[tuple[str, frozenset[str]], list[str]] = {}
            codes = dict.fromkeys([found.code for found in self._areas.all()] + sorted(marked))
            for code in codes:
                line = frozenset(self._areas.lineage(code))
                table.setdefault((code if code in marked else "", line & marked), []).append(code)
            groups = tuple(tuple(group) for group in table.values())
            if len(asked.alike) >= MAX_REMEMBERED:
                asked.alike.clear()
            asked.alike[marked] = groups
        return groups

    def _everywhere(self, groups: Iterable[Sequence[str]]) -> _Where:
        """Everywhere, and one area of each group."""
        first = [group[0] for group in groups]
        lines = [self._areas.lineage(code) for code in first]
        return _Where((EVERYWHERE, *(area(code) for code in first)), tuple(area_entities(lines)))

    def _why(
        self,
        asked: _Asked,
        principal: Principal,
        action: str,
        where: _Where,
        told: Mapping[str, Any],
        fired: Iterable[str],
    ) -> Denied:
        """Which denial it is, in the order that `decide` tells."""
        rules = sorted((asked.book.rules[name] for name in fired), key=lambda rule: rule.order)
        forbidding = [rule for rule in rules if rule.effect == "forbid"]
        reasons = [rule.reason for rule in forbidding]
        names = tuple(rule.name for rule in forbidding)
        roles = self._grantees(asked, action)
        if "token_scope" in reasons:
            return Denied("token_scope", self._who_can(asked, principal, action, where, told), names)
        if principal.role not in roles:
            return Denied("role", roles, names)
        granted = _ask(asked.book, asked.book.grants, [principal], action, where, told)
        if not any(verdict.allowed for verdict in granted):
            return Denied("area", self._who_can(asked, principal, action, where, told), names)
        rule = min(reasons, key=lambda reason: reason == "step_up")
        return Denied(rule, self._who_can(asked, principal, action, where, told), names)

    def _who_can(
        self, asked: _Asked, principal: Principal, action: str, where: _Where, told: Mapping[str, Any]
    ) -> tuple[Role, ...]:
        """The roles in which another person with the same areas, freshly signed in, could do it there."""
        roles = self._grantees(asked, action)
        others = [Principal(f"(another {role})", "", role, principal.areas) for role in roles]
        fresh = {key: value for key, value in told.items() if key != "token_covers"} | {"mfa_minutes": 0}
        return _roles(roles, _ask(asked.book, asked.book.whole, others, action, where, fresh), len(where.targets))

    def _grantees(self, asked: _Asked, action: str) -> tuple[Role, ...]:
        if action not in asked.book.actions:
            return ()
        roles = asked.grantees.get(action)
        if roles is None:
            own = (ANY_AREA, *asked.book.areas)
            anybody = [Principal(f"(any {role})", "", role, own) for role in Role]
            where = self._everywhere(self._alike(asked, own))
            verdicts = _ask(asked.book, asked.book.grants, anybody, action, where, BEST_CASE)
            roles = asked.grantees[action] = _roles(tuple(Role), verdicts, len(where.targets))
        return roles


def _about(resource: Resource, lineage: Sequence[str]) -> _Where:
    return _Where((THING,), (thing_entity(resource, lineage),))


def _ask(
    book: PolicyBook,
    policies: cedarpy.PolicySet,
    people: Sequence[Principal],
    action: str,
    where: _Where,
    told: Mapping[str, Any],
) -> list[Verdict]:
    """Every person about every target, person by person. Raises PolicyEngineError."""
    accounts = [account_entity(person.user_id, person.role, person.areas) for person in people]
    known = entities(book.roles, [*accounts, *where.known])
    triples = [(account(person.user_id), action, target) for person in people for target in where.targets]
    return ask(policies, book.schema, known, triples, told)


def _roles(roles: Sequence[Role], verdicts: Sequence[Verdict], targets: int) -> tuple[Role, ...]:
    """Those of the roles, asked in this order about so many targets each, that got a yes about any."""
    return tuple(
        role
        for number, role in enumerate(roles)
        if any(verdict.allowed for verdict in verdicts[number * targets : (number + 1) * targets])
    )


def _allowed(book: PolicyBook, scope: Scope, policies: Iterable[str]) -> Allowed:
    names = tuple(sorted(policies))
    conditions = frozenset(condition for name in names for condition in book.rules[name].conditions)
    return Allowed(scope, conditions, names)


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
