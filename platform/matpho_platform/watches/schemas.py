"""What a watch is, and what it found."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from matpho_contracts.ids import EventId, ShortId
from matpho_contracts.times import AwareDatetime
from matpho_contracts.vocabulary import EventType, Severity
from matpho_platform.events.schemas import EventFilter

MAX_NAME = 200
MAX_QUERY = 400
MAX_NOTIFY = 20
DEFAULT_LIFE = timedelta(days=7)
MAX_LIFE = timedelta(days=90)
MAX_OPEN = 50
"""Watches that one account may have at once."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WatchFilter(_Value):
    """What to watch for: the conditions of a search without its period, and words that a caption must hold."""

    where: EventFilter = EventFilter()
    query: Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_QUERY)] = ""

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing at all."""
        return not self.query and self.where == EventFilter()


class WatchPlan(_Value):
    """A watch as somebody wants it."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NAME)]
    filter: WatchFilter
    notify: Annotated[tuple[ShortId, ...], Field(min_length=1, max_length=MAX_NOTIFY)]
    """Accounts to tell."""
    expires_at: AwareDatetime
    case_number: Annotated[str, StringConstraints(max_length=64)] = ""


class Watch(WatchPlan):
    """A watch that stands."""

    id: str
    owner: ShortId
    created_at: AwareDatetime
    ended_at: AwareDatetime | None = None


class WatchPage(_Value):
    """One's own watches that stand, newest first; MAX_OPEN at most, so all of them."""

    watches: tuple[Watch, ...]
    total: int


class EndedWatch(_Value):
    """A watch that its owner ended: nothing that happens from then on is held against it."""

    id: str
    ended_at: AwareDatetime


class Notification(_Value):
    """One event that a watch found, for one person."""

    watch_id: str
    watch_name: str
    event_id: EventId
    type: EventType
    time: AwareDatetime
    camera_id: ShortId
    area: ShortId
    severity: Severity
    seen: bool


class NotificationPage(_Value):
    """Notifications, the newest event first; `total` counts all within the reader's scope."""

    notifications: tuple[Notification, ...]
    total: int
    unseen: int
