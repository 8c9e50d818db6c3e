"""The made-up city of the search benchmark: clustered unit vectors, event types, times, and filters by selectivity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CLUSTERS = 2000
CLOSENESS = 0.7
"""Cosine of a vector and the middle of its cluster, before scaling; embeddings of street scenes cluster by camera."""
TYPES = 25
ASKED_TYPES = 5
START_MS = 1_760_000_000_000
STEP_MS = 1000
SHARES = (1.0, 0.1, 0.01, 0.001)


@dataclass(frozen=True, slots=True)
class Where:
    """The filter: type in `types` and low <= time < high; both None for no filter. `share` of all points fit."""

    share: float
    types: tuple[int, ...] | None
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Data:
    """`vectors` (n, dim) float32 unit rows, in the order of `times` (n,) Unix ms; `types` (n,) codes below TYPES."""

    vectors: NDArray[np.float32]
    types: NDArray[np.int64]
    times: NDArray[np.int64]

    def rows(self, where: Where) -> NDArray[np.int64]:
        """Rows that fit, ascending."""
        if where.types is None:
            return np.arange(len(self.times))
        mask = (self.times >= where.low) & (self.times < where.high) & np.isin(self.types, where.types)
        return np.flatnonzero(mask)


def make_data(n: int, dim: int, random: np.random.Generator) -> Data:
    """`n` events, one a second."""
    middles = _unit(random.standard_normal((CLUSTERS, dim), dtype=np.float32))
    vectors = _around(middles[random.integers(CLUSTERS, size=n)], random)
    return Data(vectors, random.integers(TYPES, size=n), START_MS + STEP_MS * np.arange(n))


def make_queries(data: Data, count: int, random: np.random.Generator) -> NDArray[np.float32]:
    """Unit vectors (count, dim) near stored ones, none of them stored."""
    return _around(data.vectors[random.integers(len(data.times), size=count)], random)


def make_filter(data: Data, share: float, random: np.random.Generator) -> Where:
    """A filter on five types and a stretch of time that about `share` of the points fit; 1.0 is no filter."""
    if share >= 1.0:
        return Where(1.0, None, 0, 0)
    span = int(len(data.times) * share * TYPES / ASKED_TYPES) * STEP_MS
    low = START_MS + int(random.integers(max(1, len(data.times) * STEP_MS - span)))
    types = random.choice(TYPES, ASKED_TYPES, replace=False)
    return Where(share, tuple(int(code) for code in types), low, low + span)


def exact(data: Data, query: NDArray[np.float32], where: Where, k: int) -> list[int]:
    """The true best `k` rows among those that fit."""
    rows = data.rows(where)
    scores = data.vectors[rows] @ query
    return [int(row) for row in rows[np.argsort(-scores, kind="stable")[:k]]]


def _around(middles: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    noise = random.standard_normal(middles.shape, dtype=np.float32) / np.float32(np.sqrt(middles.shape[1]))
    return _unit(np.float32(CLOSENESS) * middles + np.float32(np.sqrt(1 - CLOSENESS**2)) * noise)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)
