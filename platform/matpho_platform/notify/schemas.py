"""What is told to whom: notices, their facts and actions, and how far they have come."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from matpho_contracts.ids import EventId, ShortId
from matpho_contracts.times import AwareDatetime
from matpho_contracts.vocabulary import EventType, Severity
from matpho_platform.access.principal import Role

MAX_KEY = 200
MAX_FACT = 500
MAX_WORDS = 12
UNDELIVERED_AFTER = timedelta(seconds=110)
"""A notice that has reached nobody this long after it was owed is UNDELIVERED; the bar is two minutes."""
DEFAULT_LIFE = timedelta(hours=12)


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Channel(StrEnum):
    """The ways to reach a person."""

    TELEGRAM = "telegram"
    ZALO_BOT = "zalo_bot"
    ZALO_OA = "zalo_oa"
    WEB_PUSH = "web_push"
    SMS = "sms"
    EMAIL = "email"
    WEBHOOK = "webhook"
    APPRISE = "apprise"
    IN_APP = "in_app"


CHATS = frozenset({Channel.TELEGRAM, Channel.ZALO_BOT, Channel.ZALO_OA})
"""Channels on which a person can answer; their addresses come from linking alone."""


class Action(StrEnum):
    """What a person may do about a notice with a button."""

    ACKNOWLEDGE = "acknowledge"
    SNOOZE = "snooze"
    FALSE_ALARM = "false_alarm"


class Template(StrEnum):
    """What a notice is about; each has its words in every language."""

    ALERT = "alert"
    ESCALATION = "escalation"
    DEADLINE = "deadline"
    TASK = "task"
    SKIPPED = "skipped"
    WATCH = "watch"
    TEST = "test"
    CODE = "code"


class Person(_Value):
    """One account."""

    kind: Literal["person"] = "person"
    user_id: ShortId


class Post(_Value):
    """Everybody of a role who answers for an area at the time of sending: the duty officer, the commander."""

    kind: Literal["post"] = "post"
    role: Role
    area: ShortId | None = None


Recipient = Annotated[Person | Post, Field(discriminator="kind")]
Word = Annotated[str, StringConstraints(max_length=MAX_FACT)]
PagePath = Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9/_.?=&#%-]{0,300}$")]
"""Where in our own pages a notice leads; the address before it is the installation's."""


class Facts(_Value):
    """What a notice tells. The names of places and cameras are the registry's; `caption` and `words` come from outside
    (a model, a report, a person) and are shown quoted, as data."""

    incident_id: ShortId | None = None
    event_id: EventId | None = None
    event_type: EventType | None = None
    camera_id: ShortId | None = None
    camera_name: Word = ""
    area: ShortId | None = None
    place: Word = ""
    time: AwareDatetime | None = None
    caption: Word = ""
    level: Word = ""
    step: Word = ""
    words: Annotated[
        dict[Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,24}$")], Word], Field(max_length=MAX_WORDS)
    ] = {}
    """Further values that a template names, such as `unit` or `note`."""


class Notice(_Value):
    """Something that somebody must learn. `key` makes it one, however often it is promised."""

    key: Annotated[str, StringConstraints(min_length=1, max_length=MAX_KEY)]
    to: Recipient
    template: Template = Template.ALERT
    severity: Severity = Severity.MEDIUM
    facts: Facts = Facts()
    channels: tuple[Channel, ...] = Field(default=(), max_length=len(Channel))
    """Channels to try first; the person's own follow."""
    link: PagePath = "/"
    actions: tuple[Action, ...] = ()
    alert: bool = True
    """Whether it shows as UNDELIVERED where it reaches nobody."""
    subject: ShortId | None = None
    """What it is about, for snoozing and withdrawing; the incident, else the camera, where it is left out."""
    expires_at: AwareDatetime | None = None
    """After this nobody needs it any more; twelve hours where it is left out."""

    @property
    def about(self) -> str:
        """The subject, as it is kept."""
        return self.subject or self.facts.incident_id or self.facts.camera_id or ""

    @property
    def critical(self) -> bool:
        """Whether it passes quiet hours, cool-down and snoozing."""
        return self.severity is Severity.CRITICAL


class State(StrEnum):
    """How far a notice or a message has come; only notices are `acted` or `UNDELIVERED`."""

    PROMISED = "promised"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    SEEN = "seen"
    ACTED = "acted"
    FAILED = "failed"
    UNDELIVERED = "UNDELIVERED"
    ENDED = "ended"


class ReceiptKind(StrEnum):
    """What a channel or a person says of a message."""

    DELIVERED = "delivered"
    SEEN = "seen"
    FAILED = "failed"


class Receipt(_Value):
    """A channel's word on a message that it took."""

    channel: Channel
    foreign_id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    kind: ReceiptKind


class Sending(_Value):
    """One message of a notice, for whoever looks after it."""

    user_id: ShortId
    channel: Channel
    state: State
    attempts: int
    sent_at: AwareDatetime | None
    error: str


class Progress(_Value):
    """A notice and what became of it."""

    notice_id: str
    key: str
    state: State
    template: Template
    severity: Severity
    subject: str
    area: str
    user_id: str
    role: str
    promised_at: AwareDatetime
    owed_at: AwareDatetime
    reached_at: AwareDatetime | None
    acted_at: AwareDatetime | None
    acted_by: str | None
    sendings: tuple[Sending, ...] = ()


class Board(_Value):
    """The duty board: notices that have reached nobody, the longest overdue first."""

    undelivered: tuple[Progress, ...]
    total: int


class Shown(_Value):
    """A notice in the console."""

    token: str
    """Names it when it is opened or answered."""
    state: State
    at: AwareDatetime
    notices: tuple[Notice, ...]
