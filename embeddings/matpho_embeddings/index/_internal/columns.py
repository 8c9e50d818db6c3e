"""The payload as columns: one small array for each field, so that a filter is a few passes over numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matpho_embeddings.index.contract import IndexFilter, Near, Payload

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius (IUGG)."""
BLOCK_ROWS = 4096
"""Rows for which the earliest and latest time are kept, to skip what a time range leaves out."""
GROW = 1.5
NEVER = np.iinfo(np.int64).max
CHUNK_WORDS = 4096
"""Distinct words joined into one text, so that most are passed over in one substring search."""
_MANY = ("attributes", "sure", "plates")
_ONE = ("event_type", "camera_id", "area")


class Growing:
    """A one-dimensional array with room to grow; a reader's view of the old one stays right."""

    def __init__(self, dtype: type[np.generic]) -> None:
        self.values: NDArray[Any] = np.zeros(1024, dtype)

    def reserve(self, needed: int) -> None:
        """Make room for `needed` values."""
        if needed > len(self.values):
            grown = np.zeros(max(needed, int(len(self.values) * GROW)), self.values.dtype)
            grown[: len(self.values)] = self.values
            self.values = grown


class SetColumn:
    """A column of sets of words: every distinct set has a code, every word knows the codes of the sets it is in."""

    def __init__(self) -> None:
        self.codes = Growing(np.uint32)
        self._code_of: dict[tuple[str, ...], int] = {}
        self._sets_with: dict[str, list[int]] = {}
        self._joined: list[str] = []
        self._recent: list[str] = []

    def code(self, values: Iterable[str]) -> int:
        """The code of a set of words, a new one when it was never seen."""
        key = tuple(sorted(set(values)))
        code = self._code_of.get(key)
        if code is None:
            code = len(self._code_of)
            for value in key:
                self._sets_with.setdefault(value, []).append(code)
                if len(self._sets_with[value]) == 1:
                    self._remember(value)
            self._code_of[key] = code
        return code

    def _remember(self, value: str) -> None:
        """Keep a new word for substring search."""
        self._recent.append(value)
        if len(self._recent) == CHUNK_WORDS:
            self._joined.append("\n".join(self._recent))
            self._recent = []

    def any_of(self, values: Iterable[str], rows: slice) -> NDArray[np.bool_]:
        """For each row whether its set holds any of the words."""
        return self._look_up([code for value in values for code in self._sets_with.get(value, ())], rows)

    def any_containing(self, part: str, rows: slice) -> NDArray[np.bool_]:
        """For each row whether any word of its set contains `part`."""
        recent, joined = self._recent, list(self._joined)
        words = [word for chunk in joined if part in chunk for word in chunk.split("\n")]
        return self.any_of([word for word in (*words, *recent) if part in word], rows)

    def _look_up(self, codes: list[int], rows: slice) -> NDArray[np.bool_]:
        column = self.codes.values[rows]
        if not codes:
            return np.zeros(len(column), np.bool_)
        if len(codes) == 1:
            return np.asarray(column == codes[0])
        # A writer may add codes beyond this table while we read: they belong to rows we do not look at.
        table = np.zeros(len(self._code_of) + 1, np.bool_)
        table[codes] = True
        return np.asarray(np.take(table, column, mode="clip"))


class Columns:
    """All payload columns by row number. One writer; a reader looks at the first `n` rows that stood when it began."""

    def __init__(self) -> None:
        self.time = Growing(np.int64)
        self.died = Growing(np.int64)
        """The row count from which on a row is dead: a reader of the first `n` rows skips those with died <= n."""
        self._severity = Growing(np.uint8)
        self._object_count = Growing(np.int32)
        self._lat = Growing(np.float64)
        self._lon = Growing(np.float64)
        self._sets = {name: SetColumn() for name in (*_ONE, *_MANY)}
        self._earliest = Growing(np.int64)
        self._latest = Growing(np.int64)

    def reserve(self, needed: int) -> None:
        """Make room for rows 0..needed-1."""
        for column in (self.time, self.died, self._severity, self._object_count, self._lat, self._lon):
            column.reserve(needed)
        for sets in self._sets.values():
            sets.codes.reserve(needed)
        self._earliest.reserve(needed // BLOCK_ROWS + 1)
        self._latest.reserve(needed // BLOCK_ROWS + 1)

    def write(self, row: int, payload: Payload) -> None:
        """Store a payload at a reserved row, the next one in order."""
        self.time.values[row] = payload.time_ms
        self._severity.values[row] = payload.severity
        self._object_count.values[row] = payload.object_count
        self._lat.values[row] = np.nan if payload.lat is None else payload.lat
        self._lon.values[row] = np.nan if payload.lon is None else payload.lon
        for name in _ONE:
            self._sets[name].codes.values[row] = self._sets[name].code((getattr(payload, name),))
        for name in _MANY:
            self._sets[name].codes.values[row] = self._sets[name].code(getattr(payload, name))
        self.died.values[row] = NEVER
        block = row // BLOCK_ROWS
        fresh = row % BLOCK_ROWS == 0
        earliest, latest = self._earliest.values, self._latest.values
        earliest[block] = payload.time_ms if fresh else min(int(earliest[block]), payload.time_ms)
        latest[block] = payload.time_ms if fresh else max(int(latest[block]), payload.time_ms)

    def rows(self, where: IndexFilter, n: int, *, all_alive: bool) -> NDArray[np.int64]:
        """Row numbers, ascending, of the living points among the first `n` that fit the filter."""
        if where.scope_areas == () or n == 0:
            return np.empty(0, np.int64)
        span = self._span(where, n)
        mask = None if all_alive else np.asarray(self.died.values[span] > n)
        for condition in self._conditions(where, span):
            mask = condition if mask is None else np.logical_and(mask, condition, out=mask)
        if mask is None:
            return np.arange(span.start, span.stop)
        found = np.flatnonzero(mask)
        found += span.start
        return self._near(found, where.near) if where.near else found

    def _span(self, where: IndexFilter, n: int) -> slice:
        """The shortest run of blocks outside which no row lies in the time range."""
        blocks = (n + BLOCK_ROWS - 1) // BLOCK_ROWS
        hit = np.ones(blocks, np.bool_)
        if where.time_from_ms is not None:
            hit &= np.asarray(self._latest.values[:blocks] >= where.time_from_ms)
        if where.time_to_ms is not None:
            hit &= np.asarray(self._earliest.values[:blocks] < where.time_to_ms)
        inside = np.flatnonzero(hit)
        if not len(inside):
            return slice(0, 0)
        return slice(int(inside[0]) * BLOCK_ROWS, min(n, (int(inside[-1]) + 1) * BLOCK_ROWS))

    def _conditions(self, where: IndexFilter, span: slice) -> Iterable[NDArray[np.bool_]]:
        if where.time_from_ms is not None:
            yield np.asarray(self.time.values[span] >= where.time_from_ms)
        if where.time_to_ms is not None:
            yield np.asarray(self.time.values[span] < where.time_to_ms)
        if where.severity_min is not None:
            yield np.asarray(self._severity.values[span] >= where.severity_min)
        if where.min_count is not None:
            yield np.asarray(self._object_count.values[span] >= where.min_count)
        for name, values in (
            ("event_type", where.event_types),
            ("camera_id", where.camera_ids),
            ("area", where.areas),
            ("area", where.scope_areas or ()),
            ("attributes", where.attributes),
            ("sure", where.sure),
        ):
            if values:
                yield self._sets[name].any_of(values, span)
        if where.sure_not:
            yield ~self._sets["sure"].any_of(where.sure_not, span)
        if where.plate is not None:
            yield self._sets["plates"].any_containing(where.plate, span)
        if where.near is not None:
            yield ~np.isnan(self._lat.values[span].astype(np.float64, copy=False))

    def _near(self, rows: NDArray[np.int64], near: Near) -> NDArray[np.int64]:
        """Those rows that lie within the disc (haversine distance on the mean sphere)."""
        lat = np.radians(self._lat.values[rows].astype(np.float64))
        lon = np.radians(self._lon.values[rows].astype(np.float64))
        lat0, lon0 = np.radians(near.lat), np.radians(near.lon)
        chord = np.sin((lat - lat0) / 2) ** 2 + np.cos(lat) * np.cos(lat0) * np.sin((lon - lon0) / 2) ** 2
        distance = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(chord, 0, 1)))
        inside: NDArray[np.int64] = rows[distance <= near.radius_m]
        return inside
