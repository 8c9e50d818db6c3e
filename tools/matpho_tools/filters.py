"""The event filters that several tools share, with the argument names of the tool contract."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from matpho_contracts.ids import ShortId
from matpho_contracts.text import normalise_plate
from matpho_contracts.times import AwareDatetime
from matpho_contracts.vocabulary import Colour, EventType, Severity
from matpho_platform.events.schemas import MAX_LIMIT, EventFilter, NearPlace, Word
from matpho_tools.contract import Arguments, Named

MAX_LIST = 64
"""Values in one list argument."""
MAX_QUERY_CHARS = 400
MAX_OFFSET = 100_000
"""How far into a list a page may begin."""
PlatePart = Annotated[str, StringConstraints(min_length=2, max_length=20, pattern=r"^[0-9A-Za-zĐđ .\-]+$")]


class FilterArguments(Arguments):
    """What events to speak of; all given conditions hold together, inside a list any one suffices.

    Times are RFC 3339 with an offset, half open (`time_from` <= t < `time_to`); `near` is WGS 84 and metres.
    """

    event_types: tuple[EventType, ...] = Field(default=(), max_length=MAX_LIST)
    objects: tuple[Word, ...] = Field(default=(), max_length=MAX_LIST)
    objects_not: tuple[Word, ...] = Field(default=(), max_length=MAX_LIST)
    colors: tuple[Colour, ...] = Field(default=(), max_length=MAX_LIST)
    min_count: Annotated[int, Field(ge=1, le=100_000)] | None = None
    plate: PlatePart | None = None
    areas: tuple[ShortId, ...] = Field(default=(), max_length=MAX_LIST)
    camera_ids: tuple[ShortId, ...] = Field(default=(), max_length=MAX_LIST)
    time_from: AwareDatetime | None = None
    time_to: AwareDatetime | None = None
    near: NearPlace | None = None
    severity_min: Severity | None = None

    @model_validator(mode="after")
    def _sense(self) -> FilterArguments:
        if self.time_from and self.time_to and self.time_to <= self.time_from:
            raise ValueError("time_to must be later than time_from")
        if self.plate is not None and len(normalise_plate(self.plate)) < 2:
            raise ValueError("plate needs at least two letters or digits")
        return self

    def event_filter(self) -> EventFilter:
        """The same conditions as the center takes them."""
        return EventFilter(**{name: getattr(self, name) for name in FilterArguments.model_fields})

    def named(self) -> Named:
        """The places that the conditions name."""
        return Named(areas=self.areas, camera_ids=self.camera_ids)


class Paging(Arguments):
    """Which page of a list: `limit` rows from `offset` on."""

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = 20
    offset: Annotated[int, Field(ge=0, le=MAX_OFFSET)] = 0
