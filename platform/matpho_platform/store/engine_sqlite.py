"""SQLite behind an event loop: a statement costs one trip to the connection's thread, beginning a transaction none.

The driver makes a trip of each step: cursor, begin, execute, fetch, close, commit. Here a statement takes its rows back
in the same trip, and what gives no answer (`later`) goes along with the next one, at the latest with the commit.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import aiosqlite
from aiosqlite.context import contextmanager
from sqlalchemy import event
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

READ_CONNECTIONS = 8
BUSY_TIMEOUT_S = 10.0
"""How long SQLite waits for another process's write."""
WRITER_COPIES_AFTER = 4_096
"""Pages in the write-ahead log (16 MiB) after which a commit itself copies them into the database; before that
`engine_wal.LogKeeper` does it beside the writers."""
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-32768")
_DRIVER_LOG = "aiosqlite"
"""At DEBUG this driver writes every statement with its parameters, people's data among them."""
T = TypeVar("T")


def sqlite_engine(url: URL, *, write: bool) -> AsyncEngine:
    """SQLite: WAL, FULL; the writing engine has one connection and takes the write lock when a transaction begins.

    A transaction begins with its first statement.
    """
    logging.getLogger(_DRIVER_LOG).setLevel(logging.INFO)
    path = url.database or ""

    async def connect() -> OneTripConnection:
        connection = OneTripConnection(lambda: _opened(path, write=write), reads=not write)
        connection._thread.daemon = True  # as SQLAlchemy does it where it connects
        await connection
        return connection

    engine = create_async_engine(url, pool_size=1 if write else READ_CONNECTIONS, max_overflow=0, async_creator=connect)

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        connection.connection.driver_connection.begin("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def _opened(path: str, *, write: bool) -> sqlite3.Connection:
    """A connection whose transactions are begun above, not guessed by the driver."""
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        for pragma in (*_PRAGMAS, f"wal_autocheckpoint={WRITER_COPIES_AFTER}" if write else "query_only=ON"):
            connection.execute(f"PRAGMA {pragma}").close()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


class OneTripConnection(aiosqlite.Connection):
    """The driver's connection, on fewer trips. Nobody waits for the commit of one that only reads."""

    def __init__(self, connector: Callable[[], sqlite3.Connection], *, reads: bool) -> None:
        super().__init__(connector, iter_chunk_size=64)
        self._reads = reads
        self._begin = ""
        """The statement that begins the transaction, until it was run."""
        self._ahead: list[tuple[str, Sequence[Sequence[Any]]]] = []
        """What goes first on the next trip."""
        self._open = False
        """Whether there is something to end: a trip was made, or something waits for one."""

    def begin(self, statement: str) -> None:
        """Begin a transaction with the next trip; without one there is none."""
        self._begin, self._ahead, self._open = statement, [], False

    def later(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a writing statement for each row ahead of the next one, at the latest of the commit; it fails there."""
        self._ahead.append((statement, rows))
        self._open = True

    async def trip(self, act: Callable[[sqlite3.Connection], T]) -> T:
        """On the connection's thread: what waits, and then `act`."""
        begin, ahead, raw = self._begin, self._ahead, self._conn
        self._begin, self._ahead, self._open = "", [], True

        def run() -> T:
            if begin:
                raw.execute(begin).close()
            for statement, rows in ahead:
                raw.executemany(statement, rows).close()
            return act(raw)

        return await self._on_thread(run)

    @contextmanager
    async def cursor(self) -> OneTripCursor:  # type: ignore[override]  # SQLAlchemy asks no more of a cursor
        """A cursor, without a trip."""
        return OneTripCursor(self)

    async def rows(self, sql: str, parameters: Sequence[Any]) -> Sequence[Any]:
        """Run a statement and give its rows."""
        return (await self.trip(lambda raw: _answer(raw.execute(sql, parameters)))).rows

    async def commit(self) -> None:
        """End the transaction; where that fails nothing of it stays."""
        if not self._open:
            return
        if self._reads:
            self._tx.put_nowait((None, self._conn.commit))
        else:
            try:
                await self.trip(sqlite3.Connection.commit)
            except sqlite3.Error:
                await self.rollback()
                raise
        self._open = False

    async def rollback(self) -> None:
        """End the transaction without a trace."""
        if self._open:
            self._begin, self._ahead, self._open = "", [], False
            await self._on_thread(self._conn.rollback)

    async def _on_thread(self, act: Callable[[], T]) -> T:
        answer: T = await self._execute(act)  # type: ignore[no-untyped-call]  # the driver's own, which has no types
        return answer


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a statement left, taken off its cursor."""

    rows: Sequence[Any] = ()
    description: Any = None
    rowcount: int = -1
    lastrowid: int | None = None


def _answer(cursor: sqlite3.Cursor) -> _Answer:
    rows = cursor.fetchall() if cursor.description else ()
    answer = _Answer(rows, cursor.description, cursor.rowcount, cursor.lastrowid)
    cursor.close()
    return answer


class OneTripCursor:
    """What SQLAlchemy asks of a cursor: one statement, whose rows come along."""

    arraysize = 1

    def __init__(self, connection: OneTripConnection) -> None:
        self._connection = connection
        self._answer = _Answer()

    @property
    def description(self) -> Any:
        """The columns of the rows, None where a statement gives none."""
        return self._answer.description

    @property
    def rowcount(self) -> int:
        """How many rows were written; -1 where that is not known."""
        return self._answer.rowcount

    @property
    def lastrowid(self) -> int | None:
        """The key of the row that was inserted last."""
        return self._answer.lastrowid

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> OneTripCursor:
        """Run a statement."""
        self._answer = await self._connection.trip(lambda raw: _answer(raw.execute(sql, parameters)))
        return self

    async def executemany(self, sql: str, parameters: Sequence[Sequence[Any]]) -> OneTripCursor:
        """Run a statement once for each of the parameters."""
        self._answer = await self._connection.trip(lambda raw: _answer(raw.executemany(sql, parameters)))
        return self

    async def fetchall(self) -> Sequence[Any]:
        """The rows."""
        return self._answer.rows

    async def close(self) -> None:
        """Nothing is held."""
