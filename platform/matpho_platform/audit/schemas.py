"""An audit entry: who did what under which rule and what came of it; names and hashes where values are personal."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from matpho_contracts.text import fold, normalise_plate
from matpho_contracts.times import AwareDatetime, now, to_rfc3339
from matpho_platform.audit.canonical import canonical_json

Short = Annotated[str, StringConstraints(max_length=200)]
PERSONAL = frozenset({"subject", "citizen_id", "date_of_birth", "plate", "image", "photos", "location", "contact"})
"""Arguments whose values never enter the trail: only that they were given, and a keyed hash to find them again by."""
FREE_TEXT = frozenset({"query", "text", "note", "notes", "message", "description", "reason", "caption", "name"})
"""Arguments that hold what a person said; `sealed` takes them out of the trail as it does the personal ones."""
MAX_RESULT_IDS = 200
MAX_POLICIES = 32
MAX_FIELDS = 200
MAX_TEXT = 500
MAX_PERSONAL = 2_000
"""Characters kept of one personal value."""
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
    """The server's time of the act."""
    event_at: AwareDatetime | None = None
    """The present that the act was judged in, where that is another than `at` (a replayed day)."""
    acting_for: Short = ""
    """On whose behalf: another person or unit; empty: their own."""
    device: Short = ""
    """The client: its network address, or the name of a device or partner system."""
    mfa_age_s: int | None = Field(default=None, ge=0)
    """Seconds since the session showed a second factor; None: it never did."""
    purpose: Short = ""
    """A code of the closed list of purposes."""
    case_number: Short = ""
    approver: Short = ""
    """Who else agreed: the second person of a four-eyes act."""
    policies: tuple[Short, ...] = Field(default=(), max_length=MAX_POLICIES)
    """Ids of the policies that decided."""
    model: Short = ""
    """Name and version of the language model that planned; empty: none did."""
    prompts: Short = ""
    """Hash of the prompt files that it read."""
    fields_returned: tuple[Short, ...] = Field(default=(), max_length=MAX_FIELDS)
    """Names of the fields that the caller got to see, never their values."""
    proposal: Short = ""
    """Id of the proposal that a person agreed to."""
    subject: Short = ""
    """Salted commitment of the person or thing the act is about; the log writes it (AuditLog.append)."""
    personal: dict[str, Short] = Field(default_factory=dict)
    """Salted commitments of personal values kept outside the log, by name; the log writes them."""
    logged_at: AwareDatetime | None = None
    """The log's own clock when it took the entry; the log writes it."""
    spooled_at: AwareDatetime | None = None
    """When the entry went to the spool because the log could not be written; the log writes it."""

    def canonical(self) -> bytes:
        """The bytes that are hashed and kept: RFC 8785 JSON; fields of `_SPARSE` only where they say something."""
        document = self.model_dump(mode="json", exclude=_TIMES)
        if self.ms.is_integer():
            document["ms"] = int(self.ms)  # as RFC 8785 writes it; the faster writer would add ".0"
        for name in _SPARSE:
            if not document.get(name) and document.get(name) != 0:
                document.pop(name, None)
        for name in _TIMES:
            moment = getattr(self, name)
            if moment is not None:
                document[name] = to_rfc3339(moment)
        return canonical_json(document)


_TIMES = {"at", "event_at", "logged_at", "spooled_at"}
_SPARSE = (
    "acting_for",
    "device",
    "mfa_age_s",
    "purpose",
    "case_number",
    "approver",
    "policies",
    "model",
    "prompts",
    "fields_returned",
    "proposal",
    "subject",
    "personal",
)


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


class AuditFilter(_Value):
    """Which entries are wanted; everything given must fit. Texts that are empty ask for nothing."""

    own: str = ""
    """Only what this user did, whatever else is asked: the scope of who may see their own acts alone."""
    actor: str = ""
    action: str = ""
    subject: str = ""
    """Any text an entry holds (an id, a commitment), or the plate, number or name of somebody it is about."""
    commitments: tuple[str, ...] = ()
    """Texts that stand for `subject` in the entries' arguments."""
    outcome: str = ""
    decision: str = ""
    case_number: str = ""
    from_ms: int | None = None
    to_ms: int | None = None
    limit: int = 50
    offset: int = 0


class AuditReport(_Value):
    """What a verification of the whole trail found."""

    entries: int
    checkpoints: int
    root: str
    problems: tuple[str, ...] = ()
    clock: tuple[str, ...] = ()
    """Where the log's own clock went back: nothing is changed, but times before and after do not fit together."""
    tiles: int = 0
    """Tiles and bundles of the published tree that were compared."""
    witnessed: int = 0
    """Size of the largest head that a witness kept and that this trail still grows from."""

    @property
    def intact(self) -> bool:
        """Whether nothing was changed."""
        return not self.problems


def argument_hash(arguments: Mapping[str, Any], secret: bytes) -> str:
    """A keyed hash of a call's arguments: equal calls meet, and nobody without the key can guess values from it."""
    return hmac.new(secret, canonical_json(_jsonable(arguments)), hashlib.sha256).hexdigest()


def commitment(value: Any, secret: bytes) -> str:
    """The keyed hash under which a personal value can be looked for; plates and names meet however they are typed."""
    text = normalise_plate(value) if isinstance(value, str) and any(map(str.isdigit, value)) else value
    plain = fold(text) if isinstance(text, str) else canonical_json(_jsonable(text)).decode()
    return hmac.new(secret, plain.encode(), hashlib.sha256).hexdigest()


def sealed(arguments: Mapping[str, Any]) -> tuple[dict[str, JsonValue], dict[str, str]]:
    """Arguments as the trail keeps them, and the personal values to give to `AuditLog.append(personal=...)`.

    In the trail a personal argument leaves its name and the names of its fields; what it said goes to the second part,
    a mapping's values as `argument.field`. Bytes are kept as their hash, texts are cut to MAX_PERSONAL.
    """
    kept: dict[str, JsonValue] = {}
    personal: dict[str, str] = {}
    for name, value in arguments.items():
        if name not in PERSONAL | FREE_TEXT or value in (None, "", [], (), {}):
            kept[name] = _cut(value)
        elif isinstance(value, Mapping):
            kept[name] = {"fields": [str(field) for field in value]}
            personal |= {f"{name}.{field}": _words(item) for field, item in value.items() if item not in (None, "")}
        else:
            kept[name] = {"sealed": True}
            personal[name] = _words(value)
    return kept, personal


def _words(value: Any) -> str:
    plain = _jsonable(value)
    return (plain if isinstance(plain, str) else canonical_json(plain).decode())[:MAX_PERSONAL]


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
