"""What a search takes and gives: the filters of the tool contract, hits, pages, details, statistics."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from matpho_contracts.events import Event, SeenObject
from matpho_contracts.ids import EventId, ShortId
from matpho_contracts.signing import EventProof
from matpho_contracts.times import AwareDatetime
from matpho_contracts.vocabulary import Colour, EventType, Severity

MAX_LIMIT = 200
Word = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NearPlace(_Value):
    """A disc on the ground, WGS 84 degrees and metres."""

    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    radius_m: Annotated[float, Field(gt=0, le=100_000, allow_inf_nan=False)]


class EventFilter(_Value):
    """The filters of `search_events`: all given ones hold together; inside a list any one suffices."""

    event_types: tuple[EventType, ...] = ()
    objects: tuple[Word, ...] = ()
    objects_not: tuple[Word, ...] = ()
    colors: tuple[Colour, ...] = ()
    """With `objects`, one object must have both the class and the colour."""
    min_count: Annotated[int, Field(ge=1, le=100_000)] | None = None
    plate: Annotated[str, StringConstraints(min_length=1, max_length=20)] | None = None
    areas: tuple[ShortId, ...] = ()
    camera_ids: tuple[ShortId, ...] = ()
    time_from: AwareDatetime | None = None
    time_to: AwareDatetime | None = None
    near: NearPlace | None = None
    severity_min: Severity | None = None


class EventHit(_Value):
    """One search result, safe to show once redacted for the role."""

    id: EventId
    type: EventType
    time: AwareDatetime
    camera_id: ShortId
    camera_name: str
    area: ShortId
    severity: Severity
    caption_vi: str
    caption_en: str
    objects: tuple[SeenObject, ...] = ()
    object_count: int = 0
    certain: bool = True
    """Whether an object has the asked class and colour by name; else they are only among what it may be."""
    score: float = 0.0
    matched: dict[str, float] = Field(default_factory=dict)
    """How it matched: cosine of `scene`, `object`, `text`, BM25 of `words`, certainty of `attributes`."""
    thumbnail: str | None = None
    """Path of the still at this center, or None."""


class EventPage(_Value):
    """A page of hits; `total` counts everything that fits the filters within the caller's scope."""

    hits: tuple[EventHit, ...]
    total: int
    possible: int = 0
    """How many of `total` are not `certain`."""
    offset: int = 0
    limit: int = 20
    exact: bool = True


SignatureState = Literal["valid", "invalid"]


class EventDetail(_Value):
    """One stored event with its proof, checked again at the moment of reading."""

    event: Event
    proof: EventProof
    received_at: AwareDatetime
    camera_name: str
    signature: SignatureState
    signature_reason: str = ""
    thumbnail: str | None = None
    incident_id: str | None = None
    """The newest incident that was opened for it."""


Metric = Literal["count", "rate", "mean_response_minutes", "open", "resolved_share"]
INCIDENT_METRICS: frozenset[Metric] = frozenset({"mean_response_minutes", "open", "resolved_share"})
"""Figures of incidents, not of events."""
GroupBy = Literal["hour", "day", "week", "area", "camera", "event_type", "severity"]


class StatisticsQuery(_Value):
    """What to count (`rate` is events an hour; figures of incidents are not asked for here), by what, against what."""

    metric: Metric = "count"
    group_by: tuple[GroupBy, ...] = ()
    where: EventFilter = EventFilter()
    compare_to: Literal["previous_period", "same_day_last_week"] | None = None


class StatisticsRow(_Value):
    """One row: the group's values in `group_by` order, the figure, the compared period's figure.

    A figure of incidents is None where there was nothing to take it from; `sample` is over how many it was taken.
    """

    key: tuple[str, ...]
    value: float | None
    compared: float | None = None
    sample: int | None = None


class ForecastDay(_Value):
    """What is expected of one local day; with the chance of `Forecast.level` the figure falls in [low, high]."""

    date: str
    value: float
    low: float
    high: float


class Forecast(_Value):
    """Expected counts a day, from what was counted before; `method` is how, in one word (events.forecast says more)."""

    method: Literal["weekday_mean", "mean"]
    history_days: int
    """Whole local days that the forecast was taken from."""
    level: float
    days: tuple[ForecastDay, ...]
    trusted: bool
    """Whether there was enough history to tell weekdays apart; without, this is only a mean."""


class StatisticsTable(_Value):
    """The answer of a statistics query; `total` is over the whole period."""

    metric: Metric
    group_by: tuple[GroupBy, ...]
    rows: tuple[StatisticsRow, ...]
    total: float | None
    compared_total: float | None = None
    sample: int | None = None
    """Over how many incidents `total` was taken, for figures of incidents."""
    time_from: AwareDatetime | None = None
    time_to: AwareDatetime | None = None
