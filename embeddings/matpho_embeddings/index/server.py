"""The search process: answers from memory, while its keeper process makes every write durable.

A write is 1 given room in memory and on disk; 2 written and flushed by the keeper; 3 made visible to searches;
4 acknowledged. Searches run in threads over arrays that no writer locks, so none waits for a write.
"""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from matpho_contracts.errors import StorageFullError, UnavailableError
from matpho_embeddings.index._internal.child import end_child, start_child
from matpho_embeddings.index._internal.exact import ExactIndex
from matpho_embeddings.index._internal.wire import (
    ConnectionLostError,
    Message,
    error_message,
    pack,
    pack_found,
    pack_vectors,
    raise_error,
    read_frame,
    unpack_filter,
    unpack_points,
    unpack_query,
)
from matpho_embeddings.index.contract import Point

SEARCH_THREADS = 2
LOAD_PAGE = 512
APPLY_POINTS = 64
"""Points made visible in one go, so that the interpreter lock is free for searches between them."""
SWITCH_INTERVAL_S = 0.0005
"""How long a writing thread may hold the interpreter while a search wants it (Python's default is ten times that)."""
GC_THRESHOLDS = (50_000, 50, 1000)
"""Rare collections: the index holds many objects and no cycles, and looking through them would hold searches up."""
CLOSE_PATIENCE_S = 30.0
T = TypeVar("T")


class Keeper:
    """The process that owns the shard, as the search process sees it: requests are answered in order."""

    def __init__(self) -> None:
        self.process, self._socket = start_child("matpho_embeddings.index._internal.keeper")

    async def connect(self, opening: Message) -> None:
        """Open the shard; raises what the shard raised."""
        self._reader, self._writer = await asyncio.open_connection(sock=self._socket)
        await self.ask([opening])

    async def ask(self, messages: list[Message]) -> list[Message]:
        """Send requests together and wait for all answers; raises the first error among them."""
        try:
            self._writer.write(b"".join(pack(message) for message in messages))
            await self._writer.drain()
        except OSError as error:
            raise ConnectionLostError("The store process is gone.") from error
        answers = [await read_frame(self._reader) for _ in messages]
        for answer in answers:
            raise_error(answer)
        return answers

    async def close(self) -> None:
        """Let the keeper flush and end."""
        self._writer.close()
        await asyncio.to_thread(end_child, self.process, CLOSE_PATIENCE_S)


class SearchServer:
    """One owner's index: requests in, answers out, until the owner goes away."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._searching = ThreadPoolExecutor(SEARCH_THREADS, "search")
        self._writing = ThreadPoolExecutor(1, "write")
        # A write takes the second turn before it gives up the first, so that all writes show in the order they were
        # stored, while the keeper is already busy with the next.
        self._store_turn, self._show_turn = asyncio.Lock(), asyncio.Lock()
        self._promised = 0
        """Rows that writes under way will need."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._generation = 0

    async def serve(self) -> None:
        """Open, load, answer; ends when the owner closes the connection or the keeper is lost."""
        self._opening = await read_frame(self._reader)
        self._keeper = Keeper()
        try:
            await self._keeper.connect(self._opening)
            self._exact = await self._load()
        except Exception as error:
            self._writer.write(pack(error_message(error)))
            await self._writer.drain()
            return
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        self._writer.write(pack({"points": self._exact.living}))
        try:
            while True:
                task = asyncio.create_task(self._answer(await read_frame(self._reader)))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        except ConnectionLostError:
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._keeper.close()

    async def _load(self) -> ExactIndex:
        """All points from the keeper into a new exact index, oldest first."""
        folder = Path(self._opening["path"]) / "exact"
        self._generation += 1
        mine = folder / str(self._generation)
        if self._generation == 1:
            shutil.rmtree(folder, ignore_errors=True)
        fresh = ExactIndex(mine, self._opening["dim"])
        after: str | None = None
        while True:
            (answer,) = await self._keeper.ask([{"do": "page", "after": after, "limit": LOAD_PAGE}])
            points = sorted(unpack_points(answer["points"]), key=lambda point: point.payload.time_ms)
            await self._in(self._writing, partial(_apply, fresh, points))
            after = answer["next"]
            if after is None:
                return fresh

    async def _in(self, pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(pool, work)

    async def _answer(self, message: Message) -> None:
        try:
            answer = await self._carry_out(message)
        except ConnectionLostError:
            os._exit(1)  # The keeper died: end, so that the owner starts both anew and asks again.
        except Exception as error:
            answer = error_message(error)
        answer["id"] = message["id"]
        self._writer.write(pack(answer))

    async def _carry_out(self, message: Message) -> Message:
        match message["do"]:
            case "search":
                query, where = unpack_query(message), unpack_filter(message["where"])
                page = (message["limit"], message["offset"])
                return pack_found(await self._in(self._searching, lambda: self._exact.search(query, where, *page)))
            case "count":
                where = unpack_filter(message["where"])
                return {"count": await self._in(self._searching, lambda: self._exact.count(where))}
            case "vectors":
                vectors = self._exact.vectors(message["point"])
                return {"vectors": None if vectors is None else pack_vectors(vectors)}
            case "upsert":
                await self._upsert(message)
            case "delete":
                await self._delete(message["ids"])
            case other:
                raise UnavailableError(f"The index process knows no request {other!r:.40}.")
        return {}

    async def _upsert(self, message: Message) -> None:
        points = await self._in(self._writing, lambda: unpack_points(message["points"]))
        async with self._store_turn:
            self._promised += len(points)
            try:
                await self._in(self._writing, lambda: _reserve(self._exact, self._promised))
                await self._keeper.ask([{"do": "upsert", "points": message["points"]}])
                await self._show_turn.acquire()
            except BaseException:
                self._promised -= len(points)
                raise
        try:
            await self._in(self._writing, lambda: _apply(self._exact, points))
        finally:
            self._promised -= len(points)
            self._show_turn.release()
        await self._compact()

    async def _delete(self, ids: list[str]) -> None:
        async with self._store_turn:
            await self._keeper.ask([{"do": "delete", "ids": ids}])
            await self._show_turn.acquire()
        try:
            await self._in(self._writing, lambda: self._exact.remove(ids))
        finally:
            self._show_turn.release()
        await self._compact()

    async def _compact(self) -> None:
        """Rebuild beside the old when too many rows are dead; searches go on with the old until it is done."""
        if not self._exact.wants_compaction:
            return
        async with self._store_turn, self._show_turn:
            if not self._exact.wants_compaction:
                return
            await self._keeper.ask([{"do": "tidy"}])
            fresh = await self._load()
            old, self._exact = self._exact, fresh
            old.close()
            shutil.rmtree(Path(self._opening["path"]) / "exact" / str(self._generation - 1), ignore_errors=True)


def _reserve(exact: ExactIndex, count: int) -> None:
    try:
        exact.reserve(count)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise StorageFullError(
                "The disk of the index is full.", action="Free some space; nothing was written."
            ) from error
        raise UnavailableError(f"The index cannot grow: {error.strerror}.") from error


def _apply(exact: ExactIndex, points: list[Point]) -> None:
    for start in range(0, len(points), APPLY_POINTS):
        some = points[start : start + APPLY_POINTS]
        _reserve(exact, len(some))
        exact.write(some)


async def _serve(connection: socket.socket) -> None:
    reader, writer = await asyncio.open_connection(sock=connection)
    await SearchServer(reader, writer).serve()


def main() -> None:
    """Entry: the connection is the inherited socket whose number is the first argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    asyncio.run(_serve(socket.socket(fileno=int(sys.argv[1]))))


if __name__ == "__main__":
    main()
