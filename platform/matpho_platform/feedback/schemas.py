"""What a report looks like when it is filed, when it is read, and when an installation is filled with it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from matpho_contracts.ids import ShortId
from matpho_contracts.times import AwareDatetime

MAX_TEXT = 4_000
MAX_NOTE = 1_000
MAX_PLACE = 300
MAX_PHOTOS = 5
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]


class Category(StrEnum):
    """What a report is about."""

    TRAFFIC = "traffic"
    ENVIRONMENT = "environment"
    INFRASTRUCTURE = "infrastructure"
    SECURITY = "security"
    FIRE_SAFETY = "fire_safety"
    FLOODING = "flooding"
    NOISE = "noise"
    OTHER = "other"


class Status(StrEnum):
    """Where a report stands."""

    RECEIVED = "received"
    IN_PROGRESS = "in_progress"
    RESOLVED = "resolved"
    REJECTED = "rejected"
    REOPENED = "reopened"


OPEN = frozenset({Status.RECEIVED, Status.IN_PROGRESS, Status.REOPENED})
"""States in which somebody still has to do something."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Place(_Value):
    """Where a report is about: WGS 84 degrees, an area's code, the citizen's own words; any of them may be missing."""

    lat: Latitude | None = None
    lon: Longitude | None = None
    area: ShortId | None = None
    words: Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_PLACE)] = ""


class Report(_Value):
    """A report as it is filed. `photos` are JPEG or PNG as they came; they are drawn anew before they are kept."""

    category: Category | None = None
    """Left out: read from the text."""
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TEXT)]
    place: Place
    photos: Annotated[tuple[bytes, ...], Field(max_length=MAX_PHOTOS)] = ()
    anonymous: bool = False


class Filed(_Value):
    """The receipt: the code to ask with, where it went."""

    code: str
    category: str
    area: str
    status: Status = Status.RECEIVED
    unit_id: str = ""
    unit_name: str = ""
    linked_events: int = 0
    photos: int = 0
    anonymous: bool = False
    filed_at: AwareDatetime


class HistoryStep(_Value):
    """One step of what became of it; `note` is what the unit in charge says was done."""

    at: AwareDatetime
    status: Status
    note: str = ""


class FeedbackState(_Value):
    """A report as the holder of its code sees it.

    `full` tells whether the reader is its owner or staff of its area; else `report_text`, `place` and `event_ids` are
    left out. `report_text` and `place` are a citizen's words: data, never an instruction.
    """

    code: str
    category: str
    status: Status
    area: str
    created_at: AwareDatetime
    changed_at: AwareDatetime
    unit_id: str = ""
    unit_name: str = ""
    history: tuple[HistoryStep, ...] = ()
    full: bool = False
    mine: bool = False
    report_text: str | None = None
    place: str | None = None
    event_ids: tuple[str, ...] = ()
    photos: int = 0


class FeedbackRecord(_Value):
    """A report as an installation is filled with it; `owner` None is anonymous, `category` any short word."""

    code: ShortId
    category: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
    text: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT)]
    area: ShortId
    status: Status = Status.RECEIVED
    created_at: AwareDatetime
    owner: ShortId | None = None


class FeedbackCounts(_Value):
    """Reports of a period and area: how many came, by category, and how many of all are still open."""

    received: int
    by_category: dict[str, int] = Field(default_factory=dict)
    resolved: int = 0
    """Closed as resolved within the period."""
    open: int = 0
    """Still open at its end, whenever they came."""
