"""Flat geometry in image coordinates: normalised to 0..1, origin top left, x right, y down."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Unit = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Point = tuple[Unit, Unit]
"""(x, y) in normalised image coordinates."""


class Box(BaseModel):
    """An upright rectangle in normalised image coordinates; `x2 >= x1`, `y2 >= y1`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    x1: Unit
    y1: Unit
    x2: Unit
    y2: Unit

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.x2 < self.x1 or self.y2 < self.y1:
            raise ValueError("a box needs x1 <= x2 and y1 <= y2")
        return self

    @property
    def area(self) -> float:
        """Share of the picture that the box covers, 0..1."""
        return (self.x2 - self.x1) * (self.y2 - self.y1)

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the box."""
        return (self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2

    @property
    def foot(self) -> tuple[float, float]:
        """Middle of the lower edge: where the object touches the ground."""
        return (self.x1 + self.x2) / 2, self.y2

    def intersection_over_union(self, other: Box) -> float:
        """Overlap of two boxes, 0 (apart) to 1 (the same)."""
        width = min(self.x2, other.x2) - max(self.x1, other.x1)
        height = min(self.y2, other.y2) - max(self.y1, other.y1)
        if width <= 0 or height <= 0:
            return 0.0
        shared = width * height
        return shared / (self.area + other.area - shared)


class Location(BaseModel):
    """A place on Earth, WGS 84 degrees."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]


def contains(polygon: list[tuple[float, float]], x: float, y: float) -> bool:
    """Whether the point lies in the polygon (even-odd rule); points on an edge may fall either way.

    >>> contains([(0, 0), (1, 0), (1, 1), (0, 1)], 0.5, 0.5)
    True
    """
    inside = False
    count = len(polygon)
    for index in range(count):
        x1, y1 = polygon[index]
        x2, y2 = polygon[(index + 1) % count]
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside
