"""The policy files of an installation: read, checked against their schema, and never half loaded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cedarpy

from matpho_contracts.errors import ConfigurationError
from matpho_platform.access.conditions import Condition
from matpho_platform.access.principal import Role

DEFAULT_FOLDER = Path(__file__).parent / "policies"
"""The policies that ship; a deployment points to a folder of its own."""
SCHEMA_FILE = "schema.cedarschema"
ROLES_FILE = "roles.json"
MAX_FILES = 200
MAX_FILE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Rule:
    """One policy as the engine speaks of it."""

    name: str
    """Its `@id`."""
    effect: Literal["permit", "forbid"]
    reason: str
    """What a denial by it is called: its `@rule`, else its `@id`."""
    conditions: frozenset[Condition]
    actions: frozenset[str] | None
    """The actions that it names; None: every action."""
    roles: frozenset[Role]
    """The roles that it can be about: the one that its head names, else every role."""
    order: int
    """Its place in the files, read by name."""
    text: str
    """What it says, in one form however it is laid out: JSON with sorted keys, comments left out."""


@dataclass(frozen=True, slots=True)
class PolicyBook:
    """One checked set of policy files, ready to be asked."""

    version: str
    """`cedar-` and 12 hex digits over every file; an audit entry carries it."""
    whole: cedarpy.PolicySet
    grants: cedarpy.PolicySet
    """The permits alone: who may at all, before the fine rules."""
    schema: cedarpy.Schema
    roles: cedarpy.Entities
    rules: Mapping[str, Rule]
    actions: frozenset[str]
    """Every action that some permit names; any other is unknown."""
    grantees: Mapping[str, tuple[Role, ...]]
    """The roles that the permits of each action can be about."""
    areas: frozenset[str]
    """The areas that policies name outright."""


def read_policies(folder: Path) -> PolicyBook:
    """Read a folder of `*.cedar` files with their schema and roles.

    Raises ConfigurationError, which names the file or the policy, when anything is missing, does not parse, uses a
    word that the schema has not, has no `@id` or one that another has, or permits without naming its actions.
    """
    texts = _read(folder)
    schema_text, roles_text = texts[SCHEMA_FILE], texts[ROLES_FILE]
    text = "\n".join(content for name, content in texts.items() if name.endswith(".cedar"))
    try:
        schema = cedarpy.Schema.from_str(schema_text)
        roles = cedarpy.Entities.from_json_str(roles_text, schema)
        _every_role_is_there(roles_text)
        checked = cedarpy.validate_policies(text, schema)
        if not checked.validation_passed:
            raise ConfigurationError("The policies do not fit: " + "; ".join(str(error) for error in checked.errors))
        document = json.loads(cedarpy.policies_to_json_str(text))
        rules, named = _named(document)
        permits = [rule for rule in rules.values() if rule.effect == "permit"]
        actions = frozenset().union(*(rule.actions or () for rule in permits))
        return PolicyBook(
            version=_version(texts),
            whole=_policy_set(named),
            grants=_policy_set({rule.name: named[rule.name] for rule in permits}),
            schema=schema,
            roles=roles,
            rules=rules,
            actions=actions,
            grantees={action: _grantees(action, permits) for action in actions},
            areas=frozenset(_names("Area", named)),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"The policies in {folder.name} cannot be read: {error}") from error


def _read(folder: Path) -> dict[str, str]:
    """Every policy file by name, in order. Raises ConfigurationError."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".cedar")
        if not paths or len(paths) > MAX_FILES:
            raise ConfigurationError(f"{folder.name} must hold between 1 and {MAX_FILES} .cedar files.")
        texts = {}
        for path in (*paths, folder / SCHEMA_FILE, folder / ROLES_FILE):
            if path.stat().st_size > MAX_FILE_BYTES:
                raise ConfigurationError(f"{path.name} is larger than {MAX_FILE_BYTES} bytes.")
            texts[path.name] = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The policies in {folder.name} cannot be read: {error}") from error
    return texts


def _every_role_is_there(text: str) -> None:
    told = {str(entity["uid"]["id"]) for entity in json.loads(text) if entity["uid"]["type"] == "Role"}
    lacking = sorted(set(Role) - told)
    if lacking:
        raise ConfigurationError(f"{ROLES_FILE} lacks the roles {', '.join(lacking)}.")


def _named(document: Mapping[str, Any]) -> tuple[dict[str, Rule], dict[str, Any]]:
    """The rules, and the policies in JSON form, both by `@id`."""
    if document["templates"] or document["templateLinks"]:
        raise ConfigurationError("Policy templates are not used; write the policy out.")
    rules: dict[str, Rule] = {}
    named: dict[str, Any] = {}
    numbered = sorted(document["staticPolicies"].items(), key=lambda item: int(item[0].removeprefix("policy")))
    for order, (_number, policy) in enumerate(numbered):
        rule = _rule(policy, order)
        if rule.name in rules:
            raise ConfigurationError(f'Two policies are called @id("{rule.name}").')
        rules[rule.name], named[rule.name] = rule, policy
    return rules, named


def _rule(policy: Mapping[str, Any], order: int) -> Rule:
    notes = policy.get("annotations") or {}
    name = notes.get("id")
    if not name:
        raise ConfigurationError(f"Policy number {order + 1} has no @id.")
    words = [word.strip() for word in (notes.get("conditions") or "").split(",") if word.strip()]
    unknown = sorted(set(words) - set(Condition))
    if unknown:
        raise ConfigurationError(f'@conditions of "{name}" has words that nobody keeps: {", ".join(unknown)}.')
    strange = sorted(set(_names("Role", policy)) - set(Role))
    if strange:
        raise ConfigurationError(f'"{name}" names roles that do not exist: {", ".join(strange)}.')
    actions = _actions(policy["action"])
    if policy["effect"] == "permit" and actions is None:
        raise ConfigurationError(f'"{name}" permits without naming its actions.')
    if policy["effect"] == "forbid" and words:
        raise ConfigurationError(f'"{name}" forbids; @conditions belong to what permits.')
    return Rule(
        name=name,
        effect=policy["effect"],
        reason=notes.get("rule") or name,
        conditions=frozenset(Condition(word) for word in words),
        actions=actions,
        roles=_roles(policy["principal"]),
        order=order,
        text=json.dumps(policy, sort_keys=True, ensure_ascii=False),
    )


def _roles(scope: Mapping[str, Any]) -> frozenset[Role]:
    """The role that `principal in Role::"…"` names; any other head may be about everybody."""
    entity = scope.get("entity") or {}
    if scope["op"] == "in" and entity.get("type") == "Role":
        return frozenset({Role(entity["id"])})
    return frozenset(Role)


def _grantees(action: str, permits: Iterable[Rule]) -> tuple[Role, ...]:
    granted = frozenset().union(*(rule.roles for rule in permits if rule.actions and action in rule.actions))
    return tuple(role for role in Role if role in granted)


def _actions(scope: Mapping[str, Any]) -> frozenset[str] | None:
    if scope["op"] == "All":
        return None
    entities = scope["entities"] if "entities" in scope else [scope["entity"]]
    return frozenset(str(entity["id"]) for entity in entities)


def _names(kind: str, document: Any) -> Iterator[str]:
    """Every entity of a kind that is named anywhere in policies in JSON form."""
    if isinstance(document, dict):
        if document.get("type") == kind and isinstance(document.get("id"), str):
            yield document["id"]
        for item in document.values():
            yield from _names(kind, item)
    elif isinstance(document, list):
        for item in document:
            yield from _names(kind, item)


def _policy_set(named: Mapping[str, Any]) -> cedarpy.PolicySet:
    document = {"templates": {}, "staticPolicies": dict(named), "templateLinks": []}
    return cedarpy.PolicySet.from_json_str(json.dumps(document))


def _version(texts: Mapping[str, str]) -> str:
    return "cedar-" + hashlib.sha256(json.dumps(dict(sorted(texts.items()))).encode()).hexdigest()[:12]
