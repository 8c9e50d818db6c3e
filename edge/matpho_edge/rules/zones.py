"""Zones: the parts of a camera's picture that mean something to a rule."""

from __future__ import annotations

import math
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from matpho_contracts.geometry import Point, contains
from matpho_contracts.settings import SettingsBase


class ZoneKind(StrEnum):
    """What a zone is."""

    CARRIAGEWAY = "carriageway"
    NO_PARKING = "no_parking"
    RESTRICTED = "restricted"
    PAVEMENT = "pavement"
    CROSSING = "crossing"
    WAITING = "waiting"
    """Where vehicles queue at a light: standing there is no event."""
    CROWD_AREA = "crowd_area"
    WATER = "water"
    DUMPING = "dumping"
    """Where rubbish must not be left."""
    MASKED = "masked"
    """Blacked out before anything is analysed or stored: a window, a garden, a bed."""


class Zone(SettingsBase):
    """A named polygon in normalised image coordinates, with a direction of traffic where it has one."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    kind: ZoneKind
    polygon: tuple[Point, ...] = Field(min_length=3, max_length=100)
    direction: tuple[float, float] | None = None
    """Which way traffic may flow, in normalised image coordinates; any length is taken and made one."""
    name_vi: Annotated[str, StringConstraints(max_length=64)] = ""
    """What a caption calls the place in Vietnamese; `name` where empty."""
    name_en: Annotated[str, StringConstraints(max_length=64)] = ""

    @field_validator("direction")
    @classmethod
    def _unit(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value is None:
            return None
        length = math.hypot(*value)
        if not math.isfinite(length) or length == 0:
            raise ValueError("a direction needs a length above zero")
        return value[0] / length, value[1] / length

    @model_validator(mode="after")
    def _area(self) -> Self:
        if abs(_shoelace(self.polygon)) < 1e-6:
            raise ValueError(f"the zone {self.name} has no area")
        return self

    def holds(self, x: float, y: float) -> bool:
        """Whether the point lies in the zone."""
        return contains(list(self.polygon), x, y)

    def holds_well(self, x: float, y: float, margin: float) -> bool:
        """Whether the point lies in the zone and at least about `margin` from its border."""
        return all(self.holds(x + dx * margin, y + dy * margin) for dx, dy in _AROUND)

    def is_near(self, x: float, y: float, margin: float) -> bool:
        """Whether the point lies in the zone or within about `margin` of it."""
        return any(self.holds(x + dx * margin, y + dy * margin) for dx, dy in _AROUND)


_AROUND = ((0.0, 0.0), (1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0))


def of_kind(zones: Iterable[Zone], *kinds: ZoneKind) -> list[Zone]:
    """The zones of some kinds, in the order given."""
    return [zone for zone in zones if zone.kind in kinds]


def in_any(zones: Iterable[Zone], x: float, y: float) -> bool:
    """Whether one of the zones holds the point."""
    return any(zone.holds(x, y) for zone in zones)


def _shoelace(polygon: tuple[Point, ...]) -> float:
    pairs = zip(polygon, polygon[1:] + polygon[:1], strict=True)
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs) / 2
