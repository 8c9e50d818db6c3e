"""What a leader reads in the morning and a shift reads when it hands over."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from matpho_contracts.times import AwareDatetime
from matpho_platform.feedback.schemas import FeedbackCounts


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Trend(_Value):
    """A figure beside those of the day before and of the same weekday a week before, over the same hours."""

    key: str
    value: int
    day_before: int
    week_before: int


class OpenIncident(_Value):
    """An incident that waits for somebody."""

    id: str
    title: str
    type: str
    area: str
    priority: str
    status: str
    opened_at: AwareDatetime
    assigned_name: str
    overdue: int


class OverdueStep(_Value):
    """A step of an open incident whose time is over."""

    incident_id: str
    area: str
    step: str
    due_at: AwareDatetime


class IncidentDay(_Value):
    """Incidents of the day, and those open now, the most pressing first; lists are cut, the counts are not."""

    opened: int
    open: int
    mean_response_minutes: float | None
    resolved_share: float | None
    waiting: tuple[OpenIncident, ...] = ()
    overdue_steps: tuple[OverdueStep, ...] = ()
    overdue_total: int = 0


class Devices(_Value):
    """Cameras by state as they are now; `away` and `poor` are the first of those offline and degraded, by name."""

    cameras: int
    online: int
    offline: int
    degraded: int
    away: tuple[str, ...] = ()
    poor: tuple[str, ...] = ()


class Briefing(_Value):
    """One local day; `partial` where it is still going on, so that it ends now and is held against the same hours."""

    date: str
    time_from: AwareDatetime
    time_to: AwareDatetime
    partial: bool
    areas: tuple[str, ...]
    """What was asked for; empty is everything within the reader's reach."""
    events: Trend
    by_type: tuple[Trend, ...]
    by_area: tuple[Trend, ...]
    """The places with the most events."""
    by_camera: tuple[Trend, ...]
    incidents: IncidentDay
    devices: Devices
    feedback: FeedbackCounts
