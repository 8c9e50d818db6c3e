"""The inner loop of exact search: int8 dot products at memory speed."""

from __future__ import annotations

from typing import cast

import numkong
import numpy as np
from numpy.typing import NDArray

GATHER_ROWS = 4096
"""Rows copied together before they are multiplied: 2 MiB of 512 int8 numbers, which stays in the L2/L3 cache."""


def dot_int8(query: NDArray[np.int8], matrix: NDArray[np.int8]) -> NDArray[np.float64]:
    """Dot products (n,) of one int8 vector (dim,) with the rows of a contiguous (n, dim) matrix; drops the GIL.

    The sums are whole numbers. The library's own output array is taken: given one of ours it is twenty times slower.
    """
    if not len(matrix):
        return np.empty(0, np.float64)
    return np.asarray(numkong.cdist(query[None], matrix, "dot"), np.float64).reshape(-1)


def dot_int8_rows(query: NDArray[np.int8], matrix: NDArray[np.int8], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """The same for chosen rows, in their order."""
    out = np.empty(len(rows), np.float64)
    buffer = np.empty((min(GATHER_ROWS, len(rows)), matrix.shape[1]), np.int8)
    for start in range(0, len(rows), GATHER_ROWS):
        chosen = rows[start : start + GATHER_ROWS]
        part = buffer[: len(chosen)]
        np.take(matrix, chosen, axis=0, out=part, mode="clip")
        out[start : start + len(chosen)] = dot_int8(query, part)
    return out


BLOCK = 64


def kth_largest_floor(values: NDArray[np.floating], k: int) -> float:
    """A number that at least `k` of `values` reach, close to the k-th largest; -inf when there are fewer than `k`.

    Block maxima are cheap and belong to distinct elements, so their k-th largest is such a number.
    """
    if len(values) < k or k <= 0:
        return -np.inf
    if len(values) >= 4 * BLOCK * k:
        whole = len(values) // BLOCK * BLOCK
        maxima = values[:whole].reshape(-1, BLOCK).max(axis=1)
        floor = float(np.partition(maxima, len(maxima) - k)[len(maxima) - k])
        values = values[values >= floor]
    return cast(float, np.partition(values, len(values) - k)[len(values) - k])
