"""An audit entry: who did what under which rule and what came of it; names and hashes where values are personal."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import rfc8785
from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from matpho_contracts.text import fold, normalise_plate
from matpho_contracts.times import AwareDatetime, now, to_rfc3339

Short = Annotated[str, StringConstraints(max_length=200)]
PERSONAL = frozenset({"subject", "citizen_id", "date_of_birth", "plate", "image", "photos", "location", "contact"})
"""Arguments whose values never enter the trail: only that they were given, and a keyed hash to find them again by."""
MAX_RESULT_IDS = 200
MAX_TEXT = 500
_EXACT = 2**53
"""Numbers beyond this are no canonical JSON; they are kept as text, as NaN is."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AuditEntry(_Value):
    """One line of the trail."""

    user_id: Short
    role: Short
    action: Annotated[str, StringConstraints(max_length=64)]
    """The tool or the administrative act."""
    decision: Literal["allowed", "denied", "refused", "confirm", "none"] = "none"
    rule: Short = ""
    policy_version: Short = ""
    argument_hash: Short = ""
    arguments: dict[str, JsonValue] = Field(default_factory=dict)
    outcome: Annotated[str, StringConstraints(max_length=16)] = ""
    result_ids: tuple[Short, ...] = Field(default=(), max_length=MAX_RESULT_IDS)
    count: int = 0
    ms: float = 0.0
    channel: Short = ""
    conversation: Short = ""
    session_id: Short = ""
    refers_to: int | None = None
    """Log index of the decision whose outcome this is."""
    at: AwareDatetime = Field(default_factory=now)

    def canonical(self) -> bytes:
        """The bytes that are hashed and kept: RFC 8785 JSON."""
        document = self.model_dump(mode="json")
        document["at"] = to_rfc3339(self.at)
        return rfc8785.dumps(document)


class AuditRecord(_Value):
    """An entry with its place in the log."""

    log_index: int
    entry: AuditEntry


class AuditPage(_Value):
    """A page of the trail, newest first."""

    records: tuple[AuditRecord, ...]
    total: int
    offset: int = 0
    limit: int = 50


class AuditReport(_Value):
    """What a verification of the whole trail found."""

    entries: int
    checkpoints: int
    root: str
    problems: tuple[str, ...] = ()

    @property
    def intact(self) -> bool:
        """Whether nothing was found."""
        return not self.problems


def argument_hash(arguments: Mapping[str, Any], secret: bytes) -> str:
    """A keyed hash of a call's arguments: equal calls meet, and nobody without the key can guess values from it."""
    return hmac.new(secret, rfc8785.dumps(_jsonable(arguments)), hashlib.sha256).hexdigest()


def commitment(value: Any, secret: bytes) -> str:
    """The keyed hash under which a personal value can be looked for; plates and names meet however they are typed."""
    text = normalise_plate(value) if isinstance(value, str) and any(map(str.isdigit, value)) else value
    plain = fold(text) if isinstance(text, str) else rfc8785.dumps(_jsonable(text)).decode()
    return hmac.new(secret, plain.encode(), hashlib.sha256).hexdigest()


def loggable(arguments: Mapping[str, Any], secret: bytes) -> dict[str, JsonValue]:
    """Arguments as the trail keeps them: personal ones as field names and a commitment, long texts cut."""
    kept: dict[str, JsonValue] = {}
    for name, value in arguments.items():
        if name in PERSONAL and value not in (None, "", [], ()):
            fields: list[JsonValue] = [str(key) for key in value] if isinstance(value, Mapping) else []
            kept[name] = {"fields": fields, "commitment": commitment(value, secret)}
        else:
            kept[name] = _cut(value)
    return kept


def _cut(value: Any) -> JsonValue:
    plain = _jsonable(value)
    return plain[:MAX_TEXT] if isinstance(plain, str) else plain


def _jsonable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_jsonable(item) for item in value]
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and abs(value) <= _EXACT:
        return value
    return str(value).encode("utf-8", "replace").decode()
