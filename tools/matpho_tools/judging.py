"""Step 3 for the single things that a call names: every event, incident, unit and request is judged by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from matpho_platform.access.policy import Allowed, Denied, Facts, Resource
from matpho_platform.access.principal import Principal

Decide = Callable[[Principal, str, Resource | None, Facts, datetime], Allowed | Denied]
NOWHERE = Resource(lineage=("",))
"""What does not exist is judged like a thing of nowhere: outside every area, and nobody's."""


@dataclass(frozen=True, slots=True)
class Permit:
    """A yes to a whole call; `missing` tells that something it names does not exist."""

    allowed: Allowed
    missing: bool = False


def permit(
    decide: Decide,
    principal: Principal,
    action: str,
    first: Allowed,
    resources: Sequence[Resource | None],
    facts: Facts,
    now: datetime,
) -> Permit | Denied:
    """The yes to all of them, with every condition that any of the deciding policies makes; else the first no."""
    conditions, policies = first.conditions, list(first.policies)
    if not resources and facts != Facts():
        verdict = decide(principal, action, None, facts, now)
        if isinstance(verdict, Denied):
            return verdict
        conditions |= verdict.conditions
        policies.extend(verdict.policies)
    for resource in resources:
        verdict = decide(principal, action, resource or NOWHERE, facts, now)
        if isinstance(verdict, Denied):
            return alike(decide, principal, action, verdict, now)
        conditions |= verdict.conditions
        policies.extend(verdict.policies)
    allowed = Allowed(first.scope, conditions, tuple(dict.fromkeys(policies)))
    return Permit(allowed, any(resource is None for resource in resources))


Verdict = TypeVar("Verdict", Denied, Allowed | Denied)


def alike(decide: Decide, principal: Principal, action: str, verdict: Verdict, now: datetime) -> Verdict | Denied:
    """A no for the place, in the words for a thing of nowhere: who else might would tell what kind of thing it is."""
    if not isinstance(verdict, Denied) or verdict.rule != "area":
        return verdict
    nowhere = decide(principal, action, NOWHERE, Facts(), now)
    return nowhere if isinstance(nowhere, Denied) else verdict
