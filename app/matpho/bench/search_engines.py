"""The engines of the search benchmark, each asked the way a caller would ask it."""

from __future__ import annotations

import asyncio
import importlib
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from matpho.bench.search_data import Data, Where
from matpho_contracts.ids import new_event_id
from matpho_embeddings.index import IndexSettings, open_index
from matpho_embeddings.index.contract import SCENE, IndexFilter, Payload, Point, Query, VectorIndex

BATCH = 256
STALL_POINTS = 20_000
"""Points written at full speed while the longest search is looked for."""
GRAPH_EF = 64


class Answer(NamedTuple):
    """One search: how long the caller waited, and the rows found."""

    seconds: float
    rows: list[int]


class Fill(NamedTuple):
    """Filling an engine: seconds to write all points, and to build what its search needs after that."""

    write_s: float
    build_s: float


class Engine(Protocol):
    """One way to search. `absent` says why it cannot run here, if so."""

    name: str
    absent: str | None

    def fill(self, data: Data) -> Fill:
        """Write all points."""

    def search(self, queries: Sequence[tuple[NDArray[np.float32], Where]], k: int) -> list[Answer]:
        """Each query alone, one after the other."""

    def longest_while_writing(self, more: Data, query: NDArray[np.float32], where: Where, k: int) -> float | None:
        """Seconds of the longest search while points are written and indexed at full speed; None if not measured."""

    def close(self) -> None:
        """Let go."""


class NumpyExact:
    """All vectors in memory: a mask over the columns, then one matrix product of the rows that fit."""

    name = "numpy exact"
    absent: str | None = None

    def fill(self, data: Data) -> Fill:
        """Keep the arrays."""
        self._data = data
        return Fill(0.0, 0.0)

    def search(self, queries: Sequence[tuple[NDArray[np.float32], Where]], k: int) -> list[Answer]:
        """Mask, gather, multiply, partition."""
        return [_timed(partial(self._one, query, where, k)) for query, where in queries]

    def _one(self, query: NDArray[np.float32], where: Where, k: int) -> list[int]:
        data = self._data
        rows = None if where.types is None else data.rows(where)
        scores = (data.vectors if rows is None else data.vectors[rows]) @ query
        best = np.argpartition(-scores, min(k, len(scores) - 1))[:k]
        return [int(row) for row in (best if rows is None else rows[best])]

    def longest_while_writing(self, more: Data, query: NDArray[np.float32], where: Where, k: int) -> float | None:
        """Arrays do not grow: there is nothing to measure."""
        return None

    def close(self) -> None:
        """Nothing to let go of."""


class Matpho:
    """Our index as the center uses it: through the client, the socket and the search process."""

    name = "matpho"
    absent: str | None = None

    def __init__(self, folder: Path, dim: int) -> None:
        self._runner = asyncio.Runner()
        self._index: VectorIndex = self._runner.run(open_index(IndexSettings(path=folder / "matpho", dim=dim)))
        self._row_of: dict[str, int] = {}

    def fill(self, data: Data) -> Fill:
        """Durable upserts in batches; nothing is left to build."""
        points = self._points(data)
        started = time.perf_counter()
        self._runner.run(self._write(points))
        return Fill(time.perf_counter() - started, 0.0)

    def _points(self, data: Data) -> list[Point]:
        points = [
            Point(new_event_id(at), {SCENE: vector}, Payload(f"type-{code}", f"cam-{code}", "area", at, 2))
            for vector, code, at in zip(data.vectors, data.types.tolist(), data.times.tolist(), strict=True)
        ]
        first = len(self._row_of)
        self._row_of.update((point.id, first + i) for i, point in enumerate(points))
        return points

    async def _write(self, points: list[Point]) -> None:
        for start in range(0, len(points), 4 * BATCH):
            await self._index.upsert(points[start : start + 4 * BATCH])

    def search(self, queries: Sequence[tuple[NDArray[np.float32], Where]], k: int) -> list[Answer]:
        """One request after the other over the process boundary."""
        return self._runner.run(self._search(queries, k))

    async def _search(self, queries: Sequence[tuple[NDArray[np.float32], Where]], k: int) -> list[Answer]:
        answers = []
        for vector, where in queries:
            started = time.perf_counter()
            found = await self._index.search(Query({SCENE: vector}), _index_filter(where), limit=k)
            answers.append(Answer(time.perf_counter() - started, [self._row_of[hit.id] for hit in found.hits]))
        return answers

    def longest_while_writing(self, more: Data, query: NDArray[np.float32], where: Where, k: int) -> float | None:
        """One task searches without pause while another writes."""
        return self._runner.run(self._longest(self._points(more), query, where, k))

    async def _longest(self, points: list[Point], query: NDArray[np.float32], where: Where, k: int) -> float:
        writing = asyncio.create_task(self._write(points))
        longest = 0.0
        while not writing.done():
            (answer,) = await self._search([(query, where)], k)
            longest = max(longest, answer.seconds)
        await writing
        return longest

    def close(self) -> None:
        """End the index's processes."""
        self._runner.run(self._index.close())
        self._runner.close()


def _index_filter(where: Where) -> IndexFilter:
    if where.types is None:
        return IndexFilter()
    types = tuple(f"type-{code}" for code in where.types)
    return IndexFilter(event_types=types, time_from_ms=where.low, time_to_ms=where.high)


class NaiveEdge:
    """Qdrant Edge as its quick start uses it: in this process, default graph, payload indexes, `optimize`."""

    name = "qdrant-edge naive"
    absent: str | None = None

    def __init__(self, folder: Path, dim: int) -> None:
        import qdrant_edge as qe

        self._qe = qe
        path = folder / "naive"
        path.mkdir(parents=True)
        params = qe.EdgeVectorParams(size=dim, distance=qe.Distance.Cosine)
        self._shard = qe.EdgeShard.create(str(path), qe.EdgeConfig(vectors={SCENE: params}))
        for field, kind in (("type", qe.PayloadSchemaType.Integer), ("time", qe.PayloadSchemaType.Integer)):
            self._shard.update(qe.UpdateOperation.create_field_index(field, kind))
        self._written = 0

    def fill(self, data: Data) -> Fill:
        """Upserts in batches, then the graph."""
        started = time.perf_counter()
        self._write(data)
        written = time.perf_counter()
        self._shard.optimize()
        return Fill(written - started, time.perf_counter() - written)

    def _write(self, data: Data) -> None:
        qe = self._qe
        for start in range(0, len(data.times), BATCH):
            some = slice(start, start + BATCH)
            rows = zip(data.vectors[some], data.types[some].tolist(), data.times[some].tolist(), strict=True)
            points = [
                qe.Point(self._written + i, {SCENE: vector.tolist()}, {"type": code, "time": at})
                for i, (vector, code, at) in enumerate(rows)
            ]
            self._shard.update(qe.UpdateOperation.upsert_points(points))
            self._written += len(points)
        self._shard.flush()

    def search(self, queries: Sequence[tuple[NDArray[np.float32], Where]], k: int) -> list[Answer]:
        """The graph with its usual width."""
        return [_timed(partial(self._one, query, where, k)) for query, where in queries]

    def _one(self, query: NDArray[np.float32], where: Where, k: int) -> list[int]:
        qe = self._qe
        request = qe.QueryRequest(
            limit=k,
            query=qe.Query.Nearest(query.tolist(), using=SCENE),
            filter=self._filter(where),
            params=qe.SearchParams(hnsw_ef=GRAPH_EF),
        )
        return [int(hit.id) for hit in self._shard.query(request)]

    def _filter(self, where: Where) -> Any:
        qe = self._qe
        if where.types is None:
            return None
        return qe.Filter(
            must=[
                qe.FieldCondition("type", match=qe.MatchAny(list(where.types))),
                qe.FieldCondition("time", range=qe.RangeFloat(gte=float(where.low), lt=float(where.high))),
            ]
        )

    def longest_while_writing(self, more: Data, query: NDArray[np.float32], where: Where, k: int) -> float | None:
        """One thread searches without pause while this one writes and optimizes."""
        done = threading.Event()
        waited: list[float] = []

        def search() -> None:
            while not done.is_set():
                waited.append(_timed(partial(self._one, query, where, k)).seconds)

        searching = threading.Thread(target=search)
        searching.start()
        try:
            self._write(more)
            self._shard.optimize()
        finally:
            done.set()
            searching.join()
        return max(waited)

    def close(self) -> None:
        """Close the shard."""
        self._shard.close()


class SqliteVec:
    """sqlite-vec's vec0 table with metadata columns: an exact scan in C."""

    name = "sqlite-vec"

    def __init__(self, folder: Path, dim: int) -> None:
        self.absent: str | None = None
        try:
            self._execute, self._many, self._close = _open_sqlite(folder / "vec.db")
        except (ImportError, AttributeError) as error:
            self.absent = f"{error}; install sqlite-vec and apsw"
            return
        self._execute(f"CREATE VIRTUAL TABLE v USING vec0(e float[{dim}], type integer, time integer)", ())

    def fill(self, data: Data) -> Fill:
        """One transaction for all rows."""
        started = time.perf_counter()
        self._execute("BEGIN", ())
        rows = zip(data.vectors, data.types.tolist(), data.times.tolist(), strict=True)
        self._many(
            "INSERT INTO v(rowid, e, type, time) VALUES (?, ?, ?, ?)",
            ((i, vector.tobytes(), code, at) for i, (vector, code, at) in enumerate(rows)),
        )
        self._execute("COMMIT", ())
        return Fill(time.perf_counter() - started, 0.0)

    def search(self, queries: Sequence[tuple[NDArray[np.float32], Where]], k: int) -> list[Answer]:
        """The nearest by L2, which orders unit vectors as the cosine does."""
        return [_timed(partial(self._one, query, where, k)) for query, where in queries]

    def _one(self, query: NDArray[np.float32], where: Where, k: int) -> list[int]:
        text, values = "SELECT rowid FROM v WHERE e MATCH ? AND k = ?", [query.tobytes(), k]
        if where.types is not None:
            marks = ", ".join("?" * len(where.types))
            text += f" AND type IN ({marks}) AND time >= ? AND time < ?"
            values += [*where.types, where.low, where.high]
        return [int(row[0]) for row in self._execute(text, values)]

    def longest_while_writing(self, more: Data, query: NDArray[np.float32], where: Where, k: int) -> float | None:
        """Not measured: it has no index to build."""
        return None

    def close(self) -> None:
        """Close the file."""
        if self.absent is None:
            self._close()


def _open_sqlite(path: Path) -> tuple[Callable[..., list[Any]], Callable[..., Any], Callable[[], Any]]:
    """A SQLite with the extension in it; many Pythons' own sqlite3 cannot load extensions, apsw can.

    Raises ImportError when either package is missing.
    """
    apsw = importlib.import_module("apsw")
    sqlite_vec = importlib.import_module("sqlite_vec")
    connection = apsw.Connection(str(path))
    connection.enable_load_extension(True)
    connection.load_extension(sqlite_vec.loadable_path())
    cursor = connection.cursor()
    return lambda text, values: list(cursor.execute(text, values)), cursor.executemany, connection.close


def _timed(work: Callable[[], list[int]]) -> Answer:
    started = time.perf_counter()
    rows = work()
    return Answer(time.perf_counter() - started, rows)
