"""What identity checks take and give."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from matpho_contracts.identity_api import Person, Subject, Vehicle, Word
from matpho_contracts.ids import ShortId
from matpho_contracts.settings import SettingsBase
from matpho_contracts.times import AwareDatetime

DAILY_QUOTA = 200


class IdentityGrant(SettingsBase):
    """What the authentication centre lets this unit ask; enforced here before anything leaves, and there again."""

    unit_code: ShortId
    purposes: tuple[Word, ...] = Field(min_length=1, max_length=50)
    fields: tuple[Word, ...] = Field(min_length=1, max_length=50)
    valid_to: AwareDatetime
    quota: int = Field(default=DAILY_QUOTA, ge=1, le=100_000)
    """Checks a local day."""


class CentreEntry(SettingsBase):
    """Where the authentication centre is and what its answers are signed with."""

    url: str
    """`https://…`; plain http only on loopback."""
    public_key: str = Field(pattern=r"^[0-9a-f]{64}$")
    timeout_s: float = Field(default=8.0, gt=0, le=60)


class IdentitySettings(SettingsBase):
    """Identity checks of a center; without a grant none can be asked for."""

    grant: IdentityGrant | None = None
    centre: CentreEntry | None = None


class Status(StrEnum):
    """The life of a request: pending, then rejected or approved, then answered or failed; expired from any live one."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    ANSWERED = "answered"
    FAILED = "failed"
    EXPIRED = "expired"


LIVE = (Status.PENDING, Status.APPROVED, Status.ANSWERED)


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class NewRequest(_Value):
    """A request as it will be sent: purpose and fields are those of the grant, word for word."""

    case_number: str
    purpose: Word
    subject: Subject = Field(repr=False)
    fields: tuple[Word, ...]


class RequestView(_Value):
    """A request as its requester and whoever may decide it see it; `subject` is masked in lists, gone after the end."""

    id: str
    case_number: str
    purpose: str
    fields: tuple[str, ...]
    subject: dict[str, str] = Field(default_factory=dict, repr=False)
    requester: str
    status: Status
    created_at: AwareDatetime
    expires_at: AwareDatetime
    decided_by: str | None = None
    decided_at: AwareDatetime | None = None
    reason: str = ""
    content_hash: str = ""
    problem: str = ""
    """Why there is no answer, as a code: `silent`, `untrusted`, or the centre's own rule."""
    anomalous: bool = False
    """Whether it lies above the officer's usual number of a day."""


class RequestPage(_Value):
    """Requests, newest first; `total` counts all that fit."""

    requests: tuple[RequestView, ...]
    total: int
    waiting: int = 0
    """How many wait for this reader's decision: pending, and asked for by somebody else."""


class ResultView(_Value):
    """What the centre said, as long as it may be shown; `found` is None while there is no answer."""

    request: RequestView
    found: bool | None = None
    values: dict[str, str] = Field(default_factory=dict, repr=False)
    not_known: tuple[str, ...] = ()
    """Asked fields that the centre has no value for."""
    answered_at: AwareDatetime | None = None
    answer_number: str = ""


def plain(subject: Subject) -> dict[str, str]:
    """A subject as plain words, by the names of the tool contract."""
    return {name: str(value) for name, value in subject.model_dump(mode="json").items()}


def masked(subject: Subject) -> dict[str, str]:
    """Enough to tell two requests apart, not enough to know whom they are about."""
    if isinstance(subject, Vehicle):
        return {"plate": f"{subject.plate[:2]}•••{subject.plate[-2:]}"}
    return {"citizen_id": f"{subject.citizen_id[:3]}•••••••{subject.citizen_id[-2:]}"}


__all__ = [
    "DAILY_QUOTA",
    "LIVE",
    "CentreEntry",
    "IdentityGrant",
    "IdentitySettings",
    "NewRequest",
    "Person",
    "RequestView",
    "ResultView",
    "Status",
    "Subject",
    "Vehicle",
    "masked",
    "plain",
]
