"""One set of policy files at work: asks them about a thing or about every area, and says why the answer is no."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import cedarpy

from matpho_platform.access.decisions import Allowed, Denied, Facts, Resource
from matpho_platform.access.policy_files import PolicyBook
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

if TYPE_CHECKING:
    from matpho_platform.cameras.areas import AreaTree

MAX_REMEMBERED = 16_384
"""Answers of a kind that are remembered; a full memory is emptied."""
OF_A_CASE = frozenset({"case_number", "purpose"})
"""Words that a person wrote: an answer that may hang on them is not kept, so that nobody fills the memory with them."""
Key = TypeVar("Key")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class _Question:
    """Somebody, an action, and what it is about: a single thing (`resource`), or everywhere and every kind of area."""

    principal: Principal
    action: str
    told: Mapping[str, Any]
    targets: tuple[Uid, ...]
    known: tuple[Mapping[str, Any], ...]
    """The entities of the targets."""
    resource: Resource | None = None


class Judge:
    """Decides by one policy book, over one area tree. Raises PolicyEngineError when the book does not answer."""

    def __init__(self, book: PolicyBook, areas: AreaTree) -> None:
        self.book = book
        self._areas = areas
        self._somewhere: dict[tuple[object, ...], Allowed | Denied] = {}
        self._of_things: dict[tuple[object, ...], Allowed | Denied] = {}
        self._who_can: dict[tuple[object, ...], tuple[Role, ...]] = {}
        self._accounts: dict[tuple[tuple[str, Role, tuple[str, ...]], ...], cedarpy.Entities] = {}
        self._groups: dict[frozenset[str], tuple[tuple[str, ...], ...]] = {}

    def decide(
        self, principal: Principal, action: str, resource: Resource | None, facts: Facts, now: datetime | None
    ) -> Allowed | Denied:
        """As `PolicyEngine.decide`, but it raises."""
        if action not in self.book.actions:
            return Denied("unknown_action")
        grantees = self.book.grantees[action]
        if principal.actions is None and principal.role not in grantees:
            return Denied("role", grantees)
        told = context(facts, minutes_since_mfa(principal, now), _covers(principal, action))
        if resource is None:
            return self._over_all_areas(principal, action, told)
        key = (*_who(principal), action, resource, tuple(told.items()))
        answer = self._of_things.get(key)
        if answer is None:
            answer = self._of_thing(principal, action, resource, told)
            if not OF_A_CASE & told.keys() and self._is_place(resource):
                _remember(self._of_things, key, answer)
        return answer

    def _of_thing(
        self, principal: Principal, action: str, resource: Resource, told: Mapping[str, Any]
    ) -> Allowed | Denied:
        """The answer about a single thing, where it stands."""
        lineage = resource.lineage or self._a_place(principal, action, told)
        question = _Question(principal, action, told, (THING,), (thing_entity(resource, lineage),), resource)
        verdict = self._ask(self.book.whole, [principal], question)[0]
        if not verdict.allowed:
            return self._why(question, verdict.policies)
        everywhere = self._over_all_areas(principal, action, told)
        scope = everywhere.scope if isinstance(everywhere, Allowed) else Scope(lineage[:1])
        return self._allowed(scope, verdict.policies)

    def _is_place(self, resource: Resource) -> bool:
        """Whether nothing of a thing but its place and kind can matter, of which there are only so many."""
        known = all(not code or self._areas.find(code) is not None for code in resource.lineage)
        return known and not resource.owner and not resource.decider

    def _a_place(self, principal: Principal, action: str, told: Mapping[str, Any]) -> tuple[str, ...]:
        """Where to stand with a thing that is in no place: nowhere for who may everywhere, else an own area."""
        somewhere = self._over_all_areas(principal, action, told)
        areas = somewhere.scope.areas if isinstance(somewhere, Allowed) else principal.areas
        return self._areas.lineage(areas[0]) if areas else ()

    def _over_all_areas(self, principal: Principal, action: str, told: Mapping[str, Any]) -> Allowed | Denied:
        """The answer about no single thing, remembered for this caller, action and context unless a case is named."""
        key = (*_who(principal), action, tuple(told.items()))
        answer = self._somewhere.get(key)
        if answer is None:
            groups = self._alike(principal.areas)
            question = self._everywhere(principal, action, told, groups)
            verdicts = self._ask(self.book.whole, [principal], question)
            answer = self._summed_up(question, groups, verdicts)
            if not OF_A_CASE & told.keys():
                _remember(self._somewhere, key, answer)
        return answer

    def _summed_up(
        self, question: _Question, groups: Sequence[Sequence[str]], verdicts: Sequence[Verdict]
    ) -> Allowed | Denied:
        """One answer from those about everywhere (the first) and each group of areas."""
        allowed = [verdict for verdict in verdicts if verdict.allowed]
        names = {name for verdict in allowed or verdicts for name in verdict.policies}
        if not allowed:
            return self._why(question, names)
        if len(allowed) == len(verdicts):
            return self._allowed(Scope(None), names)
        seen = (code for group, verdict in zip(groups, verdicts[1:], strict=True) if verdict.allowed for code in group)
        return self._allowed(Scope(tuple(sorted(seen))), names)

    def _alike(self, own: Iterable[str]) -> tuple[tuple[str, ...], ...]:
        """All areas, and those of one's own that the tree does not know, in groups that no policy can tell apart.

        An area has nothing but its name and the areas above it, and a policy can hold these only against the caller's
        own areas and the areas that it names itself.
        """
        mine = frozenset(own)
        marked = mine | self.book.areas
        groups = self._groups.get(mine)
        if groups is None:
            table: dict[tuple[str, frozenset[str]], list[str]] = {}
            for code in dict.fromkeys([found.code for found in self._areas.all()] + sorted(mine)):
                above = marked.intersection(self._areas.lineage(code))
                table.setdefault((code if code in marked else "", above), []).append(code)
            groups = _remember(self._groups, mine, tuple(tuple(group) for group in table.values()))
        return groups

    def _everywhere(
        self, principal: Principal, action: str, told: Mapping[str, Any], groups: Iterable[Sequence[str]]
    ) -> _Question:
        """About everywhere, and about one area of each group."""
        first = [group[0] for group in groups]
        known = area_entities([self._areas.lineage(code) for code in first])
        return _Question(principal, action, told, (EVERYWHERE, *(area(code) for code in first)), tuple(known))

    def _why(self, question: _Question, fired: Iterable[str]) -> Denied:
        """Which denial it is, in the order that `PolicyEngine.decide` tells; `fired` are the policies that forbade."""
        rules = sorted((self.book.rules[name] for name in fired), key=lambda rule: rule.order)
        names = tuple(rule.name for rule in rules)
        reasons = [rule.reason for rule in rules]
        grantees = self.book.grantees[question.action]
        if "token_scope" in reasons:
            return Denied("token_scope", grantees, names)
        if question.principal.role not in grantees:
            return Denied("role", grantees, names)
        if not reasons or not self._granted(question):
            return Denied("area", self._others(question))
        return Denied(min(reasons, key=lambda reason: reason == "step_up"), self._others(question), names)

    def _granted(self, question: _Question) -> bool:
        """Whether the permits alone would let it pass."""
        return any(verdict.allowed for verdict in self._ask(self.book.grants, [question.principal], question))

    def _others(self, question: _Question) -> tuple[Role, ...]:
        """The roles in which another person with the same areas, freshly signed in, could do it there."""
        told = {name: value for name, value in question.told.items() if name != "token_covers"} | {"mfa_minutes": 0}
        areas = question.principal.areas
        key = (question.action, areas, question.resource, tuple(told.items()))
        roles = self._who_can.get(key)
        if roles is None:
            others = [Principal(f"(another {role})", "", role, areas) for role in self.book.grantees[question.action]]
            asked = _Question(question.principal, question.action, told, question.targets, question.known)
            roles = self._roles(self.book.whole, others, asked)
            if not OF_A_CASE & told.keys():
                _remember(self._who_can, key, roles)
        return roles

    def _roles(self, policies: cedarpy.PolicySet, people: Sequence[Principal], question: _Question) -> tuple[Role, ...]:
        """The roles of those of the people who get a yes about any target."""
        verdicts = self._ask(policies, people, question)
        each = len(question.targets)
        return tuple(
            person.role
            for number, person in enumerate(people)
            if any(verdict.allowed for verdict in verdicts[number * each : (number + 1) * each])
        )

    def _ask(self, policies: cedarpy.PolicySet, people: Sequence[Principal], question: _Question) -> list[Verdict]:
        """Each of the people about each target, person by person. Raises PolicyEngineError."""
        known = entities(self._with_accounts(people), question.known)
        triples = [
            (account(person.user_id), question.action, target) for person in people for target in question.targets
        ]
        return ask(policies, self.book.schema, known, triples, question.told)

    def _with_accounts(self, people: Sequence[Principal]) -> cedarpy.Entities:
        """The roles and these people, remembered."""
        key = tuple(_who(person) for person in people)
        known = self._accounts.get(key)
        if known is None:
            accounts = [account_entity(*identity) for identity in key]
            known = _remember(self._accounts, key, entities(self.book.roles, accounts))
        return known

    def _allowed(self, scope: Scope, policies: Iterable[str]) -> Allowed:
        names = tuple(sorted(policies))
        return Allowed(scope, frozenset().union(*(self.book.rules[name].conditions for name in names)), names)


def _who(principal: Principal) -> tuple[str, Role, tuple[str, ...]]:
    """What the policy knows of a caller besides the context."""
    return principal.user_id, principal.role, principal.areas


def _covers(principal: Principal, action: str) -> bool | None:
    """Whether the API token covers an action; None: no program asks but a person."""
    if principal.actions is None:
        return True if principal.program else None
    return action in principal.actions


def _remember(memory: dict[Key, Answer], key: Key, answer: Answer) -> Answer:
    if len(memory) >= MAX_REMEMBERED:
        memory.clear()
    memory[key] = answer
    return answer
