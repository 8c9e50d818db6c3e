"""How an installation reaches people: its gateways and bots, who is where, and the manners."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator

from matpho_contracts.ids import ShortId
from matpho_contracts.settings import SettingsBase
from matpho_platform.access.settings import is_loopback
from matpho_platform.notify.schemas import Channel

EMAIL = r"^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){0,6}$"
PHONE = r"^\+[1-9][0-9]{7,14}$"
"""E.164, as +84912345678."""
SMTP_PORT = 587


def _web(value: str) -> str:
    parts = urlsplit(value)
    local = parts.scheme == "http" and is_loopback(parts.hostname or "")
    if (parts.scheme != "https" and not local) or not parts.hostname or parts.username:
        raise ValueError("an https address without a password (plain http on this machine only)")
    return value.rstrip("/")


Web = Annotated[str, AfterValidator(_web), Field(max_length=300)]
EmailAddress = Annotated[str, StringConstraints(pattern=EMAIL, max_length=254)]
Phone = Annotated[str, StringConstraints(pattern=PHONE)]
HookSecret = Annotated[SecretStr, Field(min_length=8, max_length=256)]


class EmailSettings(SettingsBase):
    """A mail server that takes our mail (submission)."""

    host: str
    port: int = Field(default=SMTP_PORT, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    """`none` on this machine only."""
    username: str = ""
    password: SecretStr | None = None
    sender: EmailAddress

    @model_validator(mode="after")
    def _not_in_the_open(self) -> EmailSettings:
        if self.security == "none" and not is_loopback(self.host):
            raise ValueError("mail without TLS goes to this machine only")
        return self


class SmsSettings(SettingsBase):
    """A gateway that sends text messages; what it wants to hear is said here, so that any provider fits."""

    url: Web
    encoding: Literal["json", "form"] = "json"
    fields: dict[str, str] = Field(default={"to": "{to}", "text": "{text}", "id": "{key}"}, max_length=20)
    """Names and values of the request; `{to}`, `{text}` and `{key}` are filled in."""
    headers: dict[str, SecretStr] = Field(default={}, max_length=20)
    secret: SecretStr | None = None
    """Signs the request: `X-Matpho-Signature: sha256=` HMAC of timestamp, a dot and the body."""
    id_field: str = "id"
    """Where the gateway's answer has its own id of the message; ours serves where it is missing."""
    marks: bool = False
    """Whether texts keep their Vietnamese marks: 70 letters a part instead of 160."""
    max_parts: int = Field(default=3, ge=1, le=6)
    receipt_secret: HookSecret | None = None
    """With it the gateway may tell us what arrived (docs/notifications.md says how it signs)."""


class TelegramSettings(SettingsBase):
    """A bot of Telegram."""

    token: SecretStr
    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{3,64}$")]
    webhook_secret: HookSecret | None = None
    """Telegram brings it with every update; without it no update is taken."""
    url: Web = "https://api.telegram.org"


class ZaloBotSettings(SettingsBase):
    """A bot of the Zalo Bot Platform."""

    token: SecretStr
    name: str = Field(default="", max_length=100)
    webhook_secret: HookSecret | None = None
    url: Web = "https://bot-api.zaloplatforms.com"


class ZaloOaSettings(SettingsBase):
    """A Zalo official account."""

    app_id: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,32}$")]
    app_secret: SecretStr
    refresh_token: SecretStr
    """The first one; each use gives the next, which is kept sealed in the database."""
    kind: Literal["transaction", "cs"] = "transaction"
    """`cs`: only within 48 hours of the person's last word to the account."""
    template_type: Annotated[str, StringConstraints(pattern=r"^transaction_[a-z]{1,30}$")] = "transaction_event"
    """Which of Zalo's transaction templates the account may use."""
    oa_secret: HookSecret | None = None
    """Signs the account's webhooks."""
    signature: Literal["sha256", "hmac"] = "sha256"
    """`sha256` of app id, body, timestamp and secret in a row; or HMAC-SHA-256 of the first three under the secret."""
    url: Web = "https://openapi.zalo.me"
    oauth_url: Web = "https://oauth.zaloapp.com"


class WebPushSettings(SettingsBase):
    """Notices through people's browsers."""

    contact: Annotated[str, StringConstraints(pattern=r"^(mailto:|https://).{3,200}$")]
    """Whom a push service writes to about our messages (RFC 8292)."""
    services: tuple[str, ...] = (
        "fcm.googleapis.com",
        "updates.push.services.mozilla.com",
        "*.push.apple.com",
        "*.notify.windows.com",
    )
    """Hosts that a browser's subscription may name; nothing is sent anywhere else."""


class WebhookTarget(SettingsBase):
    """A system that gets notices as signed JSON."""

    name: ShortId
    url: Web
    secret: SecretStr | None = None
    """Also an HMAC under this, for receivers that know no RFC 9421."""


class AppriseTarget(SettingsBase):
    """Any service that the library apprise reaches (an extra); the address carries its secrets."""

    name: ShortId
    url: SecretStr


class PersonEntry(SettingsBase):
    """A person of the roster: where notices reach them, as the installation knows it."""

    user_id: ShortId
    email: EmailAddress | None = None
    phone: Phone | None = None
    webhook: ShortId | None = None
    apprise: ShortId | None = None


class Manners(SettingsBase):
    """How often is too often; critical notices pass all of it but the limits."""

    cooldown_s: int = Field(default=60, ge=0, le=3600)
    """After a notice about a camera, further ones about it wait so long and come together."""
    group_s: int = Field(default=5, ge=0, le=60)
    """Once somebody has had `group_from` messages within a minute, further ones are gathered so long."""
    group_from: int = Field(default=5, ge=1, le=100)
    per_minute: int = Field(default=12, ge=1, le=1000)
    """Messages to one person over one channel; what is over it is gathered into one until there is room."""
    snooze_minutes: int = Field(default=30, ge=1, le=24 * 60)


class NotifySettings(SettingsBase):
    """Everything about notices; a channel without settings is not there."""

    email: EmailSettings | None = None
    sms: SmsSettings | None = None
    telegram: TelegramSettings | None = None
    zalo_bot: ZaloBotSettings | None = None
    zalo_oa: ZaloOaSettings | None = None
    web_push: WebPushSettings | None = None
    webhooks: tuple[WebhookTarget, ...] = Field(default=(), max_length=50)
    apprise: tuple[AppriseTarget, ...] = Field(default=(), max_length=50)
    people: tuple[PersonEntry, ...] = Field(default=(), max_length=10_000)
    order: tuple[Channel, ...] = (
        Channel.TELEGRAM,
        Channel.ZALO_OA,
        Channel.ZALO_BOT,
        Channel.WEB_PUSH,
        Channel.SMS,
        Channel.EMAIL,
        Channel.APPRISE,
        Channel.WEBHOOK,
    )
    """In which order a person's channels are tried who has said nothing else."""
    manners: Manners = Manners()


def is_email(text: str) -> bool:
    """Whether a text may be an e-mail address."""
    return len(text) <= 254 and re.fullmatch(EMAIL, text) is not None


def is_phone(text: str) -> bool:
    """Whether a text is a telephone number in E.164."""
    return re.fullmatch(PHONE, text) is not None
