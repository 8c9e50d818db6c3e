"""One named vector's columns: float32 rows in a mapped file, int8 rows beside them, certified top-k by both.

The int8 rows are scanned (a quarter of the bytes), then every row that could still belong to the best `k`, by the
Cauchy-Schwarz bound on what rounding can have cost, is compared in float32: no row that fits is lost.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matpho_embeddings.index._internal.kernels import dot_int8, dot_int8_rows, kth_largest_floor

GROW_MIN_ROWS = 1024
GROW_MAX_ROWS = 65_536
SCAN_SHARE = 0.35
"""From this share of the rows on, scanning all is cheaper than gathering the chosen ones."""
RESCORE_ROWS = 2048


class MappedRows:
    """A growing (n, dim) array in a file: grown by allocation on the disk, so a full disk is an error and no crash."""

    def __init__(self, path: Path, dim: int, dtype: np.dtype[np.generic]) -> None:
        self._dim, self._dtype = dim, dtype
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        self.capacity = 0
        self.rows = np.empty((0, dim), dtype)

    def reserve(self, needed: int) -> None:
        """Make room for `needed` rows; raises OSError (ENOSPC) with the old rows intact. Old views stay valid."""
        if needed <= self.capacity:
            return
        step = min(max(GROW_MIN_ROWS, self.capacity // 2), GROW_MAX_ROWS)
        capacity = max(needed, self.capacity + step)
        size = capacity * self._dim * self._dtype.itemsize
        os.posix_fallocate(self._file, 0, size)
        mapped = mmap.mmap(self._file, size, access=mmap.ACCESS_WRITE)
        self.rows = np.frombuffer(mapped, self._dtype).reshape(capacity, self._dim)
        self.capacity = capacity

    def close(self) -> None:
        """Let go of the file; views that are still held stay readable."""
        os.close(self._file)


class VectorColumn:
    """All vectors of one name by row number. One writer; readers use what stood when they began."""

    def __init__(self, folder: Path, name: str, dim: int) -> None:
        self._exact = MappedRows(folder / f"{name}.f32", dim, np.dtype(np.float32))
        self._small = MappedRows(folder / f"{name}.i8", dim, np.dtype(np.int8))
        self._scale = np.zeros(0, np.float32)
        self.present = np.zeros(0, np.bool_)
        self.complete = True
        """Whether every row written so far has this vector."""
        self._worst_error = 0.0
        """Largest length of (vector - its int8 form) so far."""

    def reserve(self, needed: int) -> None:
        """Make room for rows 0..needed-1; raises OSError when the disk is full."""
        self._exact.reserve(needed)
        self._small.reserve(needed)
        if needed > len(self.present):
            capacity = self._exact.capacity
            present, scale = np.zeros(capacity, np.bool_), np.zeros(capacity, np.float32)
            present[: len(self.present)], scale[: len(self._scale)] = self.present, self._scale
            self._scale, self.present = scale, present

    def write(self, rows: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Store vectors (m, dim) at reserved rows that nobody reads yet."""
        peak = np.abs(vectors).max(axis=1)
        scale = np.where(peak > 0, peak, 1) / np.float32(127)
        small = np.rint(vectors / scale[:, None]).astype(np.int8)
        error = float(np.linalg.norm(vectors - small * scale[:, None], axis=1).max(initial=0))
        self._worst_error = max(self._worst_error, error)
        self._exact.rows[rows] = vectors
        self._small.rows[rows] = small
        self._scale[rows] = scale
        self.present[rows] = True

    def dots(self, query: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """float32 dot products of the query with chosen rows."""
        out = np.empty(len(rows), np.float32)
        for start in range(0, len(rows), RESCORE_ROWS):
            chosen = rows[start : start + RESCORE_ROWS]
            out[start : start + len(chosen)] = self._exact.rows[chosen] @ query
        return out

    def candidates(
        self, query: NDArray[np.float32], rows: NDArray[np.int64], k: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Rows among `rows` (all present) that certainly hold the best `k`, ties included, with float32 scores."""
        if len(rows) <= max(4 * k, RESCORE_ROWS):
            return rows, self.dots(query, rows)
        step = np.float32(np.abs(query).max()) / np.float32(127)
        small = np.rint(query / step).astype(np.int8)
        approximate = self._scan(small, rows)
        approximate *= step
        query_error = float(np.linalg.norm(query - small * step))
        length = float(np.linalg.norm(query))
        worst = self._worst_error
        bound = worst * length + (1 + worst) * query_error + 1e-5
        chosen = rows[approximate >= kth_largest_floor(approximate, k) - 2 * bound]
        return chosen, self.dots(query, chosen)

    def _scan(self, small: NDArray[np.int8], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Approximate scores of rows (ascending), the query's own scale left out."""
        first, last = int(rows[0]), int(rows[-1]) + 1
        if len(rows) == last - first:
            return _scaled(dot_int8(small, self._small.rows[first:last]), self._scale[first:last])
        if len(rows) >= SCAN_SHARE * (last - first):
            dots = dot_int8(small, self._small.rows[first:last])[rows - first]
        else:
            dots = dot_int8_rows(small, self._small.rows, rows)
        return _scaled(dots, self._scale[rows])

    def vector(self, row: int) -> NDArray[np.float32] | None:
        """A copy of the vector at `row`, or None when the point has none of this name."""
        return self._exact.rows[row].copy() if self.present[row] else None

    def close(self) -> None:
        """Let go of the files."""
        self._exact.close()
        self._small.close()


def _scaled(dots: NDArray[np.float64], scale: NDArray[np.float32]) -> NDArray[np.float32]:
    """The products in float32."""
    return np.multiply(dots, scale, dtype=np.float32, casting="same_kind")
