"""The typed plan of one request, and the memory of the talk that references are read against."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from matpho_contracts.times import AwareDatetime

MAX_REMEMBERED_RESULTS = 20
"""Results of the last list that `cái thứ hai` can point at."""
Follow = Literal["replace", "narrow"]


class _Value(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NearPlan(_Value):
    """A disc: WGS 84 degrees, metres."""

    lat: float
    lon: float
    radius_m: float


class EventReference(_Value):
    """How the text points at an event: by its id, its place in the last list, its local time, or just `that`."""

    event_id: str | None = None
    ordinal: int | None = None
    """1 is the first; -1 the last of the list, -2 the one before it; 0 the newest."""
    which: Literal["", "oldest", "worst", "next", "previous"] = ""
    """A row by what sets it apart, or by its place beside the one spoken of last."""
    clock: AwareDatetime | None = None
    that: bool = False


class QueryPlan(_Value):
    """What one clause asks for. Places are codes and ids, times local and half open; `query` is what is left.

    `intent` is a tool's name, or empty where the text only adds to what was asked before.
    """

    intent: str = ""
    event_types: list[str] = Field(default_factory=list)
    objects: list[str] = Field(default_factory=list)
    objects_not: list[str] = Field(default_factory=list)
    colors: list[str] = Field(default_factory=list)
    min_count: int | None = None
    plate: str | None = None
    areas: list[str] = Field(default_factory=list)
    camera_ids: list[str] = Field(default_factory=list)
    camera_options: list[str] = Field(default_factory=list)
    """Cameras that an incomplete name may mean."""
    time_from: AwareDatetime | None = None
    time_to: AwareDatetime | None = None
    time_point: AwareDatetime | None = None
    near: NearPlan | None = None
    severity_min: str | None = None
    limit: int | None = None
    query: str = ""
    group_by: list[str] = Field(default_factory=list)
    compare_to: str | None = None
    metric: str = "count"
    forecast: bool = False
    forecast_days: int | None = None
    status: str | None = None
    kind: str | None = None
    owner: str | None = None
    event: EventReference | None = None
    camera_that: bool = False
    at_present: bool = False
    """Whether the time said is just now."""
    everywhere: bool = False
    own_area: bool = False
    follow: Follow | None = None
    direction: Literal["left", "right", "up", "down"] | None = None
    """Where a camera is to turn while nobody has said how far."""
    talk: str | None = None
    arguments: dict[str, Any] = Field(default_factory=dict)
    """What is known of the arguments of a tool that takes no event filters, named as the tool names them."""

    def has_filters(self) -> bool:
        """Whether anything narrows which events are meant."""
        return bool(
            self.event_types or self.objects or self.objects_not or self.colors or self.min_count or self.plate
            or self.areas or self.camera_ids or self.camera_options or self.time_from or self.time_to or self.near
            or self.severity_min
        )  # fmt: skip

    def known(self) -> dict[str, Any]:
        """The arguments known so far, the one camera that is meant among them."""
        return {**self.arguments, **({"camera_id": self.camera_ids[0]} if len(self.camera_ids) == 1 else {})}


class Remembered(_Value):
    """One row of the last list (an event or an incident), as far as pointing at it needs."""

    id: str
    camera_id: str = ""
    area: str = ""
    time: datetime | None = None
    type: str = ""
    plate: str = ""
    objects: list[str] = Field(default_factory=list)
    colors: list[str] = Field(default_factory=list)
    severity: str = ""
    status: str = ""
    priority: str = ""
    event_ids: list[str] = Field(default_factory=list)
    """The events of an incident."""
    incident_id: str = ""
    """The incident of an event."""
    words: list[str] = Field(default_factory=list)
    """Words of its caption, few and short: data from outside, only compared with the person's own words."""


class Pending(_Value):
    """A request that waits for one missing piece."""

    plan: QueryPlan
    missing: str
    options: list[str] = Field(default_factory=list)
    turn: int | None = None
    """The one turn that may answer, by `Memory.turns`; None while the question stands."""


class Proposal(_Value):
    """An acting call that waits for the person's yes; the center keeps the call itself under `id`."""

    id: str
    tool: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    expires: AwareDatetime | None = None


Topic = Literal["", "event", "incident", "camera", "request", "report"]


class Memory(_Value):
    """What the assistant remembers of a conversation; plain values, small whatever the talk's length."""

    language: Literal["vi", "en"] = "vi"
    plan: QueryPlan | None = None
    """The last plan that listed or counted something, with everything inherited."""
    results: list[Remembered] = Field(default_factory=list)
    """Events of the last list of events."""
    incidents: list[Remembered] = Field(default_factory=list)
    """Incidents of the last list of incidents."""
    event_id: str | None = None
    incident_id: str | None = None
    camera_id: str | None = None
    request_id: str | None = None
    """The identity request spoken of last."""
    report_code: str | None = None
    """The citizen's report spoken of last."""
    case_number: str | None = None
    """The case that was named last."""
    topic: Topic = ""
    """What kind of thing was spoken of last: `nó` and `it` mean that."""
    cameras: list[str] = Field(default_factory=list)
    """Cameras of the last camera list."""
    last: str = ""
    """The tool of the last call, whatever came of it."""
    pending: Pending | None = None
    proposal: Proposal | None = None
    """The act that waits for a yes; the graph sets and clears it."""
    rest: str = ""
    """What the sentence that led to the pause still asks for; planned after the yes."""
    history: list[dict[str, Any]] = Field(default_factory=list)
    """The last exchanges in short, for a model that plans."""
    turns: int = 0
