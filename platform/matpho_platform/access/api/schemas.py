"""What browsers send to `/api/v1/auth` and get back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, SecretStr, StringConstraints

from matpho_contracts.ids import ShortId
from matpho_platform.access.principal import Role
from matpho_platform.web.problems import declared

UserText = Annotated[str, StringConstraints(max_length=64)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Secret = Annotated[SecretStr, Field(max_length=256)]
Code = Annotated[SecretStr, Field(max_length=64)]
Given = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Areas = Annotated[tuple[ShortId, ...], Field(max_length=200)]
Action = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,63}$")]


class Body(BaseModel):
    """What comes in: nothing beyond what is named."""

    model_config = ConfigDict(extra="forbid", frozen=True)


PROBLEMS = declared(
    {
        401: "Not signed in, or not by this.",
        403: "Not from this page, or not by this person.",
        404: "There is no such thing.",
        409: "Somebody else was first.",
        413: "Too large.",
        422: "Not as it should be.",
        429: "Too many wrong tries; Retry-After says how long to wait.",
        503: "Not available here or now.",
    }
)


class SignIn(Body):
    """What the sign-in page sends."""

    user_id: UserText
    password: Secret


class FirstAdministrator(Body):
    """Who sets up a new installation."""

    token: Given
    user_id: ShortId
    name: Name
    password: Secret


class Invited(Body):
    """Whoever was invited sets their password."""

    invitation: Given
    password: Secret


class NewPassword(Body):
    """One's own new password."""

    present: Secret
    password: Secret


class CodeShown(Body):
    """A code of the generator, or a recovery code."""

    code: Code


class PasskeyAnswer(Body):
    """What the browser's authenticator answered, as `PublicKeyCredential.toJSON()` gives it."""

    ceremony: Given
    credential: dict[str, JsonValue]


class NewPasskey(PasskeyAnswer):
    """A passkey that the browser made."""

    name: Name = "passkey"


class NewToken(Body):
    """An API token to make; what is left out is all of the account's."""

    name: Name
    actions: Annotated[tuple[Action, ...], Field(min_length=1, max_length=200)] | None = None
    areas: Annotated[tuple[ShortId, ...], Field(min_length=1, max_length=200)] | None = None
    days: Annotated[int, Field(ge=1, le=90)] = 30


class NewAccount(Body):
    """An account to make."""

    id: ShortId
    name: Name
    role: Role
    areas: Areas = ()


class AccountChange(Body):
    """What to change of an account; what is left out stays."""

    name: Name | None = None
    role: Role | None = None
    areas: Areas | None = None
    disabled: bool | None = None


class NewIdentity(Body):
    """Who at a provider an account belongs to."""

    issuer: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    subject: Annotated[str, StringConstraints(min_length=1, max_length=255)]


class FactorsShown(BaseModel):
    """Which second factors there are."""

    totp: bool
    passkeys: int
    recovery_codes: int


class Me(BaseModel):
    """Who is signed in, and how far."""

    user_id: str
    name: str
    role: Role
    areas: tuple[str, ...]
    second_factor: Literal["shown", "due", "missing", "none"]
    """`due`: show it to go on; `missing`: set one up to go on; `none`: none is needed."""
    factors: FactorsShown
    mfa_at: datetime | None
    expires_at: datetime


class Provider(BaseModel):
    """Somebody one may sign in through."""

    id: str
    name: str


class Ways(BaseModel):
    """What the sign-in page can offer."""

    passkeys: bool
    providers: tuple[Provider, ...]
    first_administrator: bool


class EnrolmentShown(BaseModel):
    """The secret of a new code generator, shown this once."""

    secret: str
    uri: str


class Confirmed(BaseModel):
    """The code generator counts from now on; recovery codes, shown this once."""

    recovery_codes: tuple[str, ...]
    me: Me


class RecoveryCodes(BaseModel):
    """New recovery codes, shown this once."""

    recovery_codes: tuple[str, ...]


class CeremonyShown(BaseModel):
    """What the browser's authenticator is asked."""

    ceremony: str
    options: dict[str, JsonValue]


class PasskeyShown(BaseModel):
    """One of the caller's passkeys."""

    id: str
    name: str
    created: datetime
    used: datetime | None


class SessionShown(BaseModel):
    """One of an account's sessions."""

    id: str
    current: bool
    created: datetime
    used: datetime
    expires: datetime
    mfa_at: datetime | None
    client: str
    device: str


class TokenShown(BaseModel):
    """One of the caller's API tokens."""

    id: str
    name: str
    actions: tuple[str, ...] | None
    areas: tuple[str, ...] | None
    created: datetime
    used: datetime | None
    expires: datetime


class TokenMade(BaseModel):
    """A new API token, shown this once."""

    token: str


class AccountShown(BaseModel):
    """An account as an administrator sees it."""

    id: str
    name: str
    role: Role
    areas: tuple[str, ...]
    disabled: bool
    has_password: bool
    created: datetime


class AccountDetail(AccountShown):
    """An account with its second factors."""

    factors: FactorsShown


class AccountList(BaseModel):
    """A page of accounts."""

    accounts: tuple[AccountShown, ...]
    total: int


class InvitationMade(BaseModel):
    """An invitation, shown this once: with it the person sets their password."""

    invitation: str


class Departure(BaseModel):
    """Where to send the browser."""

    url: str
