"""What incidents and units look like from outside."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from matpho_contracts.ids import EventId, ShortId
from matpho_contracts.times import AwareDatetime
from matpho_contracts.vocabulary import Severity

MAX_EVENTS = 50
"""Events of one incident."""
MAX_NOTE = 1_000
MAX_REASON = 500
MAX_MINUTES = 366 * 24 * 60
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_NOTE)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_REASON)]


class Priority(StrEnum):
    """How much an incident presses, in rising order."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for `low` up to 3 for `critical`."""
        return list(Priority).index(self)

    @staticmethod
    def of(severity: Severity) -> Priority:
        """The priority of an event that no procedure speaks of."""
        return Priority.LOW if severity is Severity.INFO else Priority(severity.value)


class Status(StrEnum):
    """The states of an incident."""

    NEW = "new"
    IN_PROGRESS = "in_progress"
    ESCALATED = "escalated"
    RESOLVED = "resolved"
    CLOSED = "closed"
    REOPENED = "reopened"


class Level(StrEnum):
    """Who an incident lies with, in rising order."""

    WARD = "ward"
    COMMANDER = "commander"
    PROVINCE = "province"
    MINISTRY = "ministry"

    @property
    def rank(self) -> int:
        """0 for `ward` up to 3 for `ministry`."""
        return list(Level).index(self)


class UnitKind(StrEnum):
    """What a unit can do."""

    POLICE = "police"
    FIRE = "fire"
    MEDICAL = "medical"
    TRAFFIC = "traffic"
    ENVIRONMENT = "environment"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Unit(_Value):
    """A force that can be sent."""

    id: ShortId
    name: Name
    aliases: Annotated[tuple[Name, ...], Field(max_length=50)] = ()
    area: ShortId
    kind: UnitKind


class IncidentRecord(_Value):
    """An incident as an installation is filled with it."""

    id: ShortId
    event_ids: Annotated[tuple[EventId, ...], Field(max_length=MAX_EVENTS)] = ()
    procedure: ShortId | None = None
    priority: Priority
    status: Status = Status.NEW
    area: ShortId
    opened_at: AwareDatetime
    acknowledged_at: AwareDatetime | None = None
    assigned_to: ShortId | None = None
    level: Level | None = None


class StepProgress(_Value):
    """A step of one incident: `overdue` when it is its turn, its time is over and the incident is still open.

    `state`: `waiting` (not its turn yet; `due_at` is then as planned), `ready`, `done`, `skipped` or `not_needed`.
    """

    id: str = ""
    name: str
    role: str
    kind: str = "task"
    state: str = "ready"
    answer: str = ""
    """Of a question that was answered."""
    question: str = ""
    answers: tuple[str, ...] = ()
    """What may be answered to it, where one incident is shown whole."""
    forced: bool = False
    due_at: AwareDatetime
    done_at: AwareDatetime | None = None
    done_by: str | None = None
    overdue: bool = False


class IncidentSummary(_Value):
    """An incident as a list shows it; `type`, `camera_id` and `time` are those of its leading event."""

    id: ShortId
    event_ids: tuple[EventId, ...]
    type: str
    camera_id: str
    camera_name: str
    time: AwareDatetime
    area: ShortId
    procedure: str | None
    title: str
    """The procedure's title; empty without one."""
    priority: Priority
    status: Status
    level: Level
    opened_at: AwareDatetime
    acknowledged_at: AwareDatetime | None
    assigned_to: str | None
    assigned_name: str
    steps_done: int
    steps_total: int
    next_step: StepProgress | None
    """The first step that is not done, while the incident is open."""
    overdue: int
    """How many steps are overdue."""


class IncidentPage(_Value):
    """Incidents, newest first; `total` counts all that fit within the caller's scope."""

    incidents: tuple[IncidentSummary, ...]
    total: int
    offset: int = 0
    limit: int = 20


class IncidentEvent(_Value):
    """An event of an incident."""

    id: EventId
    type: str
    time: AwareDatetime
    camera_id: str
    camera_name: str


class IncidentTask(_Value):
    """What a unit was sent to do; `state` is `sent` until the unit answers."""

    id: str
    unit_id: ShortId
    unit_name: str
    state: str
    sent_at: AwareDatetime
    sent_by: str
    note: str


class TimelineEntry(_Value):
    """One thing that happened to an incident; never changed afterwards."""

    at: AwareDatetime
    actor: str
    action: str
    details: dict[str, str] = Field(default_factory=dict)
    note: str = ""
    reason: str = ""


class IncidentDetail(IncidentSummary):
    """One incident with its steps, tasks and timeline (the newest entries, in order of time)."""

    opened_by: str
    acknowledged_by: str | None
    steps: tuple[StepProgress, ...]
    events: tuple[IncidentEvent, ...]
    tasks: tuple[IncidentTask, ...]
    timeline: tuple[TimelineEntry, ...]
    helping: tuple[ShortId, ...] = ()
    """Areas of others that help with it, and may see it."""
    total: int = 1


class IncidentAction(_Value):
    """What came of an act: `changed` is false when it had been done before (same key, or the event has an incident)."""

    action: str
    changed: bool
    incident: IncidentDetail
    task: IncidentTask | None = None
    total: int = 1


GroupBy = Literal["hour", "day", "week", "area", "camera", "event_type", "severity"]


class FigureRow(_Value):
    """Figures of one group of incidents, its key in the order of `group_by` (`severity` groups by priority)."""

    key: tuple[str, ...]
    opened: int
    open: int
    acknowledged: int
    mean_response_minutes: float | None
    """From opening to acknowledgement, over those acknowledged; None when none was."""
    resolved_share: float | None
    """Resolved or closed, of all opened in the period; None when none was opened."""


class IncidentFigures(_Value):
    """Figures by group and over all (`whole`, with an empty key)."""

    group_by: tuple[GroupBy, ...]
    rows: tuple[FigureRow, ...]
    whole: FigureRow
