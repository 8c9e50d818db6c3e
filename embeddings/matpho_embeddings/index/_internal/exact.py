"""The exact index in memory: columns, words and vectors of every point, one writer, many readers, no locks to wait on.

A row is written where nobody looks yet and becomes visible when `n` is raised; a replaced point's old row dies at that
same `n`. A reader takes `n` once at the beginning, so it sees each point exactly once, before or after a change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from matpho_embeddings.index._internal.columns import Columns
from matpho_embeddings.index._internal.kernels import kth_largest_floor
from matpho_embeddings.index._internal.matrix import VectorColumn
from matpho_embeddings.index._internal.sparse import AttributeIndex, WordIndex
from matpho_embeddings.index.contract import VECTOR_NAMES, Found, Hit, IndexFilter, Point, Query
from matpho_embeddings.index.ranking import ATTRIBUTES, WORDS, candidates, fuse

ID_BYTES = 16
COMPACT_MIN_DEAD = 5_000
COMPACT_SHARE = 0.3
"""Dead rows above this share of all (and the minimum) make a rebuild worth while."""


class Ranked(NamedTuple):
    """The best rows of one part, unordered, with their scores."""

    rows: NDArray[np.int64]
    scores: NDArray[np.float32]


class ExactIndex:
    """Every point's row. `write` and `remove` belong to one thread at a time; everything else to any."""

    def __init__(self, folder: Path, dim: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._columns = Columns()
        self._words = WordIndex()
        self._attributes = AttributeIndex()
        self._vectors = {name: VectorColumn(folder, name, dim) for name in VECTOR_NAMES}
        self._dim = dim
        self._ids = np.zeros((1024, ID_BYTES), np.uint8)
        self._row_of: dict[bytes, int] = {}
        self._dead = 0
        self.n = 0
        """Rows that may be read, dead ones included."""

    def reserve(self, more: int) -> None:
        """Make room for `more` rows; raises OSError (ENOSPC) with nothing changed that a reader sees."""
        needed = self.n + more
        for column in self._vectors.values():
            column.reserve(needed)
        self._columns.reserve(needed)
        if needed > len(self._ids):
            grown = np.zeros((max(needed, len(self._ids) * 3 // 2), ID_BYTES), np.uint8)
            grown[: len(self._ids)] = self._ids
            self._ids = grown

    def write(self, points: Sequence[Point]) -> None:
        """Add or replace checked points (room was reserved); visible on return."""
        latest = {UUID(point.id).bytes: point for point in points}
        first = self.n
        for offset, (key, point) in enumerate(latest.items()):
            row = first + offset
            self._ids[row] = np.frombuffer(key, np.uint8)
            self._columns.write(row, point.payload)
            self._words.write(row, point.payload.text)
            self._attributes.write(row, point.payload.attributes)
        for name, column in self._vectors.items():
            given = [(row, p.vectors[name]) for row, p in enumerate(latest.values(), first) if name in p.vectors]
            column.complete &= len(given) == len(latest)
            if given:
                column.write(np.array([row for row, _ in given]), np.stack([v for _, v in given]).astype(np.float32))
        old = [self._row_of[key] for key in latest if key in self._row_of]
        self._dead += len(old)
        self._columns.died.values[old] = first + len(latest)
        self.n = first + len(latest)
        self._row_of.update(zip(latest, range(first, self.n), strict=True))

    def remove(self, ids: Sequence[str]) -> None:
        """Forget points; unknown ids are passed over."""
        for point_id in ids:
            row = self._row_of.pop(UUID(point_id).bytes, None)
            if row is not None:
                self._dead += 1
                self._columns.died.values[row] = self.n

    @property
    def living(self) -> int:
        """Points that are there."""
        return len(self._row_of)

    @property
    def wants_compaction(self) -> bool:
        """Whether so many rows are dead that a rebuild pays."""
        return self._dead >= COMPACT_MIN_DEAD and self._dead > COMPACT_SHARE * self.n

    def count(self, where: IndexFilter) -> int:
        """How many points fit."""
        return len(self._fitting(where, self.n))

    def vectors(self, point_id: str) -> dict[str, NDArray[np.float32]] | None:
        """A point's vectors, or None when it is not there."""
        row = self._row_of.get(UUID(point_id).bytes)
        if row is None:
            return None
        found = {name: column.vector(row) for name, column in self._vectors.items()}
        return {name: vector for name, vector in found.items() if vector is not None}

    def search(self, query: Query, where: IndexFilter, limit: int, offset: int) -> Found:
        """1 filter; 2 the best of each part; 3 fuse; 4 order (ties: newest, then id); 5 cut the page."""
        n = self.n
        rows = self._fitting(where, n)
        total = len(rows)
        if not total:
            return Found((), 0, exact=True)
        parts = len(query.dense) + bool(query.words) + bool(query.attributes)
        window = offset + limit
        if not parts:
            newest = self._newest(rows, window)
            return Found(self._page(newest, np.zeros(len(newest), np.float32), {}, limit, offset), total, exact=True)
        wanted = window if parts == 1 else candidates(window)
        sparse = self._sparse(query, n)
        best = {name: self._best_dense(name, vector, rows, wanted) for name, vector in query.dense.items()}
        best |= {name: self._best_sparse(scores, rows, wanted) for name, scores in sparse.items()}
        best = {name: ranked for name, ranked in best.items() if len(ranked.rows)}
        if not best:
            return Found((), total, exact=True)
        chosen, scores, table = self._join(best, query.dense, sparse, single=parts == 1)
        return Found(self._page(chosen, scores, table, limit, offset), total, exact=True)

    def _sparse(self, query: Query, n: int) -> dict[str, NDArray[np.float32]]:
        """The sparse parts that are asked for: every row's score, 0 where it has none of it."""
        sparse = {}
        if query.words:
            sparse[WORDS] = self._words.scores(query.words, n)
        if query.attributes:
            sparse[ATTRIBUTES] = self._attributes.scores(query.attributes, n)
        return sparse

    def _fitting(self, where: IndexFilter, n: int) -> NDArray[np.int64]:
        return self._columns.rows(where, n, all_alive=self._dead == 0)

    def _newest(self, rows: NDArray[np.int64], window: int) -> NDArray[np.int64]:
        times = self._columns.time.values[rows].astype(np.float64)
        return rows[times >= kth_largest_floor(times, window)]

    def _best_dense(self, name: str, query: NDArray[np.float32], rows: NDArray[np.int64], k: int) -> Ranked:
        column = self._vectors[name]
        if not column.complete:
            rows = rows[column.present[rows]]
        if not len(rows):
            return Ranked(rows, np.empty(0, np.float32))
        return self._keep(Ranked(*column.candidates(query.astype(np.float32, copy=False), rows, k)), k)

    def _best_sparse(self, all_scores: NDArray[np.float32], rows: NDArray[np.int64], k: int) -> Ranked:
        scores = all_scores[rows]
        hit = scores > 0
        return self._keep(Ranked(rows[hit], scores[hit]), k)

    def _keep(self, ranked: Ranked, k: int) -> Ranked:
        """The best `k`; of those that tie for the last places the newest."""
        rows, scores = ranked
        if len(rows) <= k:
            return ranked
        last = kth_largest_floor(scores, k)
        better, tied = np.flatnonzero(scores > last), np.flatnonzero(scores == last)
        if len(tied) > k - len(better):
            times = self._columns.time.values[rows[tied]].astype(np.int64)
            tied = tied[np.argsort(times, kind="stable")[len(tied) - (k - len(better)) :]]
        chosen = np.concatenate([better, tied])
        return Ranked(rows[chosen], scores[chosen])

    def _join(
        self,
        best: Mapping[str, Ranked],
        dense: Mapping[str, NDArray[np.float32]],
        sparse: Mapping[str, NDArray[np.float32]],
        *,
        single: bool,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32], dict[str, NDArray[np.float32]]]:
        """Candidate rows of all parts, their one score, and each part's own score (NaN where it is missing)."""
        if single:
            name, ranked = next(iter(best.items()))
            return ranked.rows, ranked.scores, {name: ranked.scores}
        chosen = np.unique(np.concatenate([ranked.rows for ranked in best.values()]))
        table: dict[str, NDArray[np.float32]] = {}
        for name in best:
            if name in sparse:
                own = sparse[name][chosen]
                table[name] = np.where(own > 0, own, np.float32(np.nan))
            else:
                column = self._vectors[name]
                own = column.dots(dense[name].astype(np.float32, copy=False), chosen)
                table[name] = np.where(column.present[chosen], own, np.float32(np.nan))
        limits = {name: (float(ranked.scores.min()), float(ranked.scores.max())) for name, ranked in best.items()}
        return chosen, fuse(table, limits), table

    def _page(
        self,
        rows: NDArray[np.int64],
        scores: NDArray[np.float32],
        table: Mapping[str, NDArray[np.float32]],
        limit: int,
        offset: int,
    ) -> tuple[Hit, ...]:
        """The hits offset..offset+limit in final order; equal scores go by time, newest first, then by id."""
        window = offset + limit
        keep = np.flatnonzero(scores >= kth_largest_floor(scores, window)) if len(rows) > window else None
        if keep is not None:
            rows, scores = rows[keep], scores[keep]
            table = {name: values[keep] for name, values in table.items()}
        times = self._columns.time.values[rows].astype(np.int64)
        ids = [UUID(bytes=self._ids[row].tobytes()) for row in rows.tolist()]
        order = sorted(range(len(rows)), key=lambda i: (float(scores[i]), int(times[i]), ids[i]), reverse=True)
        return tuple(
            Hit(
                str(ids[i]),
                float(scores[i]),
                {name: float(values[i]) for name, values in table.items() if not np.isnan(values[i])},
            )
            for i in order[offset:window]
        )

    def close(self) -> None:
        """Let go of the files."""
        for column in self._vectors.values():
            column.close()
