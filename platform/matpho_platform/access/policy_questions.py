"""The border to Cedar: who, what and where as entities and requests, and answers that are a yes only without errors."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import cedarpy

from matpho_contracts.errors import MatphoError
from matpho_platform.access.decisions import Facts, Resource
from matpho_platform.access.principal import Principal, Role

Uid = Mapping[str, str]
EVERYWHERE: Uid = {"type": "Everywhere", "id": "all"}
THING: Uid = {"type": "Thing", "id": "this"}
MAX_MINUTES = 24 * 60
"""A second factor longer ago counts as this old."""
CLOCK_TOLERANCE = timedelta(minutes=1)
"""How far a second factor may lie in the future, where two machines' clocks differ."""


class PolicyEngineError(MatphoError):
    """The policy engine did not come to a decision; nothing is permitted by that."""

    code = "engine"
    status = 403


@dataclass(frozen=True, slots=True)
class Verdict:
    """One answer of Cedar: yes or no, and the `@id`s of the policies that made it so."""

    allowed: bool
    policies: tuple[str, ...]


def area(code: str) -> Uid:
    """The name of an area."""
    return {"type": "Area", "id": code}


def account(user_id: str) -> Uid:
    """The name of an account."""
    return {"type": "Account", "id": user_id}


def _role(role: Role) -> Uid:
    return {"type": "Role", "id": role.value}


def _reference(uid: Uid) -> dict[str, Uid]:
    return {"__entity": uid}


def area_entities(lineages: Iterable[Sequence[str]]) -> list[dict[str, Any]]:
    """Areas, each with every area above it."""
    return [{"uid": area(line[0]), "attrs": {}, "parents": [area(code) for code in line[1:]]} for line in lineages]


def account_entity(user_id: str, role: Role, areas: Iterable[str]) -> dict[str, Any]:
    """Who asks."""
    attrs = {"role": _reference(_role(role)), "areas": [_reference(area(code)) for code in areas]}
    return {"uid": account(user_id), "attrs": attrs, "parents": [_role(role)]}


def thing_entity(resource: Resource, lineage: Sequence[str]) -> dict[str, Any]:
    """The single thing that an action is about, placed in `lineage`; what is not known of it is left out."""
    attrs: dict[str, Any] = {"public": resource.public}
    if resource.camera_kind is not None:
        attrs["camera_kind"] = resource.camera_kind
    if resource.held_by is not None:
        attrs["held_by"] = _reference(_role(resource.held_by))
    if resource.owner:
        attrs["owner"] = _reference(account(resource.owner))
    if resource.decider:
        attrs["decider"] = _reference(account(resource.decider))
    return {"uid": THING, "attrs": attrs, "parents": [area(code) for code in lineage]}


def context(facts: Facts, mfa_minutes: int | None, token_covers: bool | None) -> dict[str, Any]:
    """What the center knows of the call, as the schema's `Call`; what is not known is left out."""
    told: dict[str, Any] = {"subjects": facts.subjects}
    if facts.case_number:
        told["case_number"] = facts.case_number
    if facts.purpose:
        told["purpose"] = facts.purpose
    if mfa_minutes is not None:
        told["mfa_minutes"] = mfa_minutes
    if token_covers is not None:
        told["token_covers"] = token_covers
    return told


def minutes_since_mfa(principal: Principal, now: datetime | None) -> int | None:
    """Whole minutes, rounded up, since the second factor; None when there was none or the moment is not known."""
    if principal.mfa_at is None or now is None:
        return None
    age = now - principal.mfa_at
    if age < -CLOCK_TOLERANCE:
        return None
    return min(max(0, -(-age // timedelta(minutes=1))), MAX_MINUTES)


def entities(base: cedarpy.Entities, more: Sequence[Mapping[str, Any]]) -> cedarpy.Entities:
    """A base with a few entities more."""
    return base.with_added_json_str(json.dumps(more))


def ask(
    policies: cedarpy.PolicySet,
    schema: cedarpy.Schema,
    known: cedarpy.Entities,
    requests: Sequence[tuple[Uid, str, Uid]],
    told: Mapping[str, Any],
) -> list[Verdict]:
    """Ask about (who, action, what) triples under one context.

    Raises PolicyEngineError when an answer is no decision, comes with errors, or is missing.
    """
    written = json.dumps(told)
    answers = cedarpy.is_authorized_batch(
        [
            {"principal": who, "action": {"type": "Action", "id": action}, "resource": what, "context": written}
            for who, action, what in requests
        ],
        policies,
        known,
        schema,
    )
    if len(answers) != len(requests):
        raise PolicyEngineError("The policy engine left questions unanswered.")
    return [_verdict(answer) for answer in answers]


def _verdict(answer: cedarpy.AuthzResult) -> Verdict:
    if answer.diagnostics.errors or answer.decision not in (cedarpy.Decision.Allow, cedarpy.Decision.Deny):
        raise PolicyEngineError(f"The policy engine did not decide: {'; '.join(map(str, answer.diagnostics.errors))}")
    return Verdict(answer.decision is cedarpy.Decision.Allow, tuple(sorted(answer.diagnostics.reasons)))
