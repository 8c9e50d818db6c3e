"""The contract of a vector index: points with payload, and a search that filters before it ranks.

One conformance suite (tests/embeddings) runs on every implementation: Qdrant Edge in its own process, a Qdrant server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

SCENE = "scene"
OBJECT = "object"
TEXT = "text"
VECTOR_NAMES = (SCENE, OBJECT, TEXT)
"""Named vectors of a point: CLIP image of the whole still, of the main object, CLIP text of the caption."""


def attribute(label: str = "", colour: str = "") -> str:
    """An attribute's name: of one object its class, its colour, or both, so that a red car beside a white truck is no
    red truck.

    >>> attribute("truck"), attribute(colour="white"), attribute("truck", "white")
    ('truck', ':white', 'truck:white')
    """
    return f"{label}:{colour}" if colour else label


@dataclass(frozen=True, slots=True)
class Payload:
    """What a point can be filtered by; times are Unix milliseconds UTC, texts already folded where the name says so."""

    event_type: str
    camera_id: str
    area: str
    time_ms: int
    severity: int
    """Rank 0..4."""
    attributes: Mapping[str, float] = field(default_factory=dict)
    """What may be said of its objects, each with a certainty 0..1 (see `attribute`), the doubtful included."""
    sure: tuple[str, ...] = ()
    """Those attributes that whoever saw it settled on."""
    object_count: int = 0
    plates: tuple[str, ...] = ()
    """Normalised plates."""
    lat: float | None = None
    lon: float | None = None
    zone: str | None = None
    text: str = ""
    """Folded caption and names, for word matching (BM25)."""


@dataclass(frozen=True, slots=True)
class Point:
    """One event in the index; every given vector is unit length, float32, shape (dim,)."""

    id: str
    vectors: Mapping[str, NDArray[np.float32]]
    payload: Payload


@dataclass(frozen=True, slots=True)
class Near:
    """A disc on the ground: WGS 84 degrees, radius in metres."""

    lat: float
    lon: float
    radius_m: float


@dataclass(frozen=True, slots=True)
class IndexFilter:
    """All given conditions hold together; an empty tuple or None is no condition. Inside a tuple any one suffices."""

    event_types: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    """What must at least be possible."""
    sure: tuple[str, ...] = ()
    sure_not: tuple[str, ...] = ()
    """What must not have been settled on."""
    camera_ids: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    scope_areas: tuple[str, ...] | None = None
    """The caller's areas by policy: None is everywhere, the empty tuple is nowhere."""
    time_from_ms: int | None = None
    time_to_ms: int | None = None
    """Half open: from <= t < to."""
    severity_min: int | None = None
    min_count: int | None = None
    plate: str | None = None
    """Normalised, whole or part."""
    near: Near | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """What to rank by: any of dense vectors (by vector name), words and attributes; none at all means newest first."""

    dense: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    """Query vector for each named vector that shall take part."""
    words: tuple[str, ...] = ()
    """Folded words for BM25."""
    attributes: tuple[str, ...] = ()
    """Attributes any of which is wanted; ranked by how certain they are."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One found point: the fused score and each part's own (`scene`, `object`, `text` cosines, `words` BM25,
    `attributes` certainty 0..1)."""

    id: str
    score: float
    parts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Found:
    """A page of hits, best first, and how many points fit the filter in all."""

    hits: Sequence[Hit]
    total: int
    exact: bool
    """Whether every point that fits the filter was compared (no approximation)."""


class VectorIndex(Protocol):
    """Points in, ranked points out. Async; safe for many callers; a search never waits for indexing work."""

    async def upsert(self, points: Sequence[Point]) -> None:
        """Add or replace points; durable and searchable on return. Raises BadInputError for NaN or a wrong size."""

    async def delete(self, ids: Sequence[str]) -> None:
        """Remove points; an unknown id is no error."""

    async def search(self, query: Query, where: IndexFilter, *, limit: int, offset: int = 0) -> Found:
        """The best points among those that fit `where`."""

    async def count(self, where: IndexFilter) -> int:
        """How many points fit."""

    async def vectors(self, point_id: str) -> Mapping[str, NDArray[np.float32]] | None:
        """A stored point's vectors, or None when it is not there."""

    async def close(self) -> None:
        """Flush and let go of files, processes and connections."""
