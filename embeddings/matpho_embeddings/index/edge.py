"""The index on one machine: Qdrant Edge keeps the points, an exact search process answers, this client supervises both.

A crash of either process is survived: the client starts them anew, they load what the shard holds, and the call is
made again; every call may be repeated without harm.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import shutil
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import Popen
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matpho_contracts.errors import StorageFullError, UnavailableError
from matpho_embeddings.index._internal.child import end_child, start_child
from matpho_embeddings.index._internal.wire import (
    ConnectionLostError,
    Message,
    pack,
    pack_points,
    pack_search,
    raise_error,
    read_frame,
    unpack_found,
    unpack_vectors,
)
from matpho_embeddings.index.checks import check_filter, check_id, check_points, check_query
from matpho_embeddings.index.contract import Found, IndexFilter, Point, Query
from matpho_embeddings.index.settings import IndexSettings

UPSERT_POINTS = 256
"""Points in one durable step."""
AT_ONCE = 4
"""Steps under way together."""
MAX_DELETE_IDS = 10_000
STREAM_LIMIT = 1 << 20
TRIES = 4
RESTARTS, RESTART_WINDOW_S = 5, 60.0
"""More restarts than this within the window mean that starting again does not help."""
CLOSE_PATIENCE_S = 60.0
ROOM_TO_START = 64 * 1024 * 1024


class EdgeIndex:
    """A `VectorIndex` in a folder; the one owner of its processes. Use it from the event loop that opened it."""

    def __init__(self, settings: IndexSettings) -> None:
        self._settings = settings
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Message]] = {}
        self._starts: deque[float] = deque(maxlen=RESTARTS + 1)
        self._starting = asyncio.Lock()
        self._process: Popen[bytes] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        self._closed = False
        self._lost: asyncio.StreamWriter | None = None
        """The connection that failed last; a new one is made before the next request."""

    @classmethod
    async def open(cls, settings: IndexSettings) -> EdgeIndex:
        """Start the processes and load the points; raises ConfigurationError or UnavailableError when that fails."""
        index = cls(settings)
        await index._connection()
        return index

    @property
    def process_id(self) -> int | None:
        """The search process, for supervision and tests; None when it is not running."""
        return None if self._process is None else self._process.pid

    async def upsert(self, points: Sequence[Point]) -> None:
        """Add or replace points; durable and searchable on return. All are checked before the first is written."""
        check_points(points, self._settings.dim)
        latest = list({point.id: point for point in points}.values())
        for start in range(0, len(latest), UPSERT_POINTS * AT_ONCE):
            some = latest[start : start + UPSERT_POINTS * AT_ONCE]
            steps = [some[at : at + UPSERT_POINTS] for at in range(0, len(some), UPSERT_POINTS)]
            asked = [self._ask({"do": "upsert", "points": pack_points(step)}) for step in steps]
            outcomes = await asyncio.gather(*asked, return_exceptions=True)
            for outcome in outcomes:
                if isinstance(outcome, BaseException):
                    raise outcome

    async def delete(self, ids: Sequence[str]) -> None:
        """Remove points, durably; an unknown id is no error."""
        for point_id in ids:
            check_id(point_id)
        for start in range(0, len(ids), MAX_DELETE_IDS):
            await self._ask({"do": "delete", "ids": list(ids[start : start + MAX_DELETE_IDS])})

    async def search(self, query: Query, where: IndexFilter, *, limit: int, offset: int = 0) -> Found:
        """The best points among those that fit, always exact; without a query the newest first with score 0."""
        check_query(query, where, limit, offset, self._settings.dim)
        message = {"do": "search", **pack_search(query, where), "limit": limit, "offset": offset}
        return unpack_found(await self._ask(message))

    async def count(self, where: IndexFilter) -> int:
        """How many points fit."""
        check_filter(where)
        return int((await self._ask({"do": "count", **pack_search(Query(), where)}))["count"])

    async def vectors(self, point_id: str) -> Mapping[str, NDArray[np.float32]] | None:
        """A stored point's vectors, or None when it is not there."""
        check_id(point_id)
        packed = (await self._ask({"do": "vectors", "point": point_id}))["vectors"]
        return None if packed is None else unpack_vectors(packed)

    async def close(self) -> None:
        """Flush and end both processes."""
        self._closed = True
        async with self._starting:
            await self._let_go(CLOSE_PATIENCE_S)

    async def _ask(self, message: dict[str, Any]) -> Message:
        """Send a request and wait; starts the processes anew when they were lost on the way."""
        for attempt in range(TRIES):
            number = next(self._numbers)
            writer = None
            try:
                writer = await self._connection()
                answered = asyncio.get_running_loop().create_future()
                self._waiting[number] = answered
                writer.write(pack({**message, "id": number}))
                await writer.drain()
                answer: Message = await answered
            except (ConnectionLostError, ConnectionError):
                if self._closed or attempt == TRIES - 1:
                    raise UnavailableError("The index was closed or its process keeps failing.") from None
                self._lost = writer
                continue
            finally:
                self._waiting.pop(number, None)
            raise_error(answer)
            return answer
        raise AssertionError("unreachable")

    async def _connection(self) -> asyncio.StreamWriter:
        """The way to a running process; starts one when there is none."""
        async with self._starting:
            if self._closed:
                raise UnavailableError("The index is closed.")
            if self._writer is None or self._writer is self._lost or self._listening is None or self._listening.done():
                await self._let_go(0.0)
                await self._start()
            assert self._writer is not None  # noqa: S101 - _start has set it or raised
            return self._writer

    async def _start(self) -> None:
        now = time.monotonic()
        if len(self._starts) > RESTARTS and now - self._starts[0] < RESTART_WINDOW_S:
            raise UnavailableError(
                "The index process has failed too often.", action="Look at its last messages, then start again."
            )
        self._starts.append(now)
        self._process, connection = start_child("matpho_embeddings.index.server")
        reader, self._writer = await asyncio.open_connection(sock=connection, limit=STREAM_LIMIT)
        self._writer.write(
            pack(
                {
                    "path": str(self._settings.folder.absolute()),
                    "dim": self._settings.dim,
                    "reserve_bytes": self._settings.reserve_bytes,
                }
            )
        )
        try:
            raise_error(await read_frame(reader))
        except BaseException as error:
            await self._let_go(CLOSE_PATIENCE_S)
            if isinstance(error, UnavailableError) and _without_room(self._settings.folder):
                raise StorageFullError(
                    "The disk of the index is full, so that it cannot start.", action="Free some space, then try again."
                ) from error
            raise
        self._listening = asyncio.create_task(self._listen(reader))

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        """Hand answers to those who wait; at the end of the stream tell all that the connection is lost."""
        try:
            while True:
                answer = await read_frame(reader)
                waiting = self._waiting.get(answer["id"])
                if waiting is not None and not waiting.done():
                    waiting.set_result(answer)
        except ConnectionLostError:
            return
        finally:
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(ConnectionLostError("The index process is gone."))

    async def _let_go(self, patience_s: float) -> None:
        """Close the connection and wait for the process; after a crash there is little to wait for."""
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()
        if self._listening is not None:
            await asyncio.wait([self._listening])
        if self._process is not None:
            await asyncio.to_thread(end_child, self._process, max(patience_s, 1.0))
        self._writer = self._listening = self._process = None


def _without_room(folder: Path) -> bool:
    """Whether the disk has so little left that the store's mapped files cannot grow, which kills its process."""
    try:
        return shutil.disk_usage(folder).free < ROOM_TO_START
    except OSError:
        return False
