"""SQLite behind an event loop: a statement costs one trip to the connection's thread, beginning a transaction none.

The driver makes a trip of each step: cursor, begin, execute, fetch, close, commit. Here a statement takes its rows back
in the same trip, and what gives no answer (`later`) goes along with the next one, at the latest with the commit.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import aiosqlite
from aiosqlite.context import contextmanager

BUSY_TIMEOUT_S = 10.0
"""How long SQLite waits for another process's write."""
WRITER_COPIES_AFTER = 4_096
"""Pages in the write-ahead log (16 MiB) after which a commit itself copies them into the database; before that
`engine_wal.LogKeeper` does it beside the writers."""
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-32768")
_DRIVER_LOG = "aiosqlite"
"""At DEBUG this driver writes every statement with its parameters, people's data among them."""
_Writing = tuple[str, Sequence[Sequence[Any]]]
"""A statement and the rows that it is run for."""
T = TypeVar("T")


async def opened(path: str, *, write: bool) -> OneTripConnection:
    """A connection of its own thread: WAL, FULL; it begins transactions as it is told, not as the driver guesses."""
    logging.getLogger(_DRIVER_LOG).setLevel(logging.INFO)
    connection = OneTripConnection(lambda: _connected(path, write=write), reads=not write)
    connection._thread.daemon = True  # as SQLAlchemy has it
    await connection
    return connection


def _connected(path: str, *, write: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        for pragma in (*_PRAGMAS, f"wal_autocheckpoint={WRITER_COPIES_AFTER}" if write else "query_only=ON"):
            connection.execute(f"PRAGMA {pragma}").close()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


class OneTripConnection(aiosqlite.Connection):
    """The driver's connection, on fewer trips. Its thread takes them in order, so that nobody need wait for an end that
    has nothing to say: the commit of one that only reads, a rollback.
    """

    def __init__(self, connector: Callable[[], sqlite3.Connection], *, reads: bool) -> None:
        super().__init__(connector, iter_chunk_size=64)
        self._reads = reads
        self._begin = ""
        """The statement that begins the transaction, until it was run."""
        self._ahead: list[_Writing] = []
        """What goes first on the next trip."""
        self._open = False
        """Whether there is something to end: a trip was made, or something waits for one."""

    def begin(self) -> None:
        """Begin a transaction with the next trip; without one there is none."""
        self._begin, self._ahead, self._open = "BEGIN" if self._reads else "BEGIN IMMEDIATE", [], False

    def later(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a writing statement for each row ahead of the next one, at the latest of the commit; it fails there."""
        self._ahead.append((statement, rows))
        self._open = True

    async def trip(self, act: Callable[[sqlite3.Connection], T]) -> T:
        """On the connection's thread: what waits, and then `act`."""
        begin, ahead, raw = self._begin, self._ahead, self._conn
        self._begin, self._ahead, self._open = "", [], True

        def run() -> T:
            _run(raw, begin, ahead)
            return act(raw)

        answer: T = await self._execute(run)  # type: ignore[no-untyped-call]  # the driver's own, which has no types
        return answer

    async def end(self) -> None:
        """Commit, and wait until it is on the disk; where that fails nothing of the transaction stays."""
        begin, ahead, opened, raw = self._begin, self._ahead, self._open, self._conn
        self._begin, self._ahead, self._open = "", [], False
        if opened and self._reads:
            self._tx.put_nowait((None, raw.commit))
        elif opened:
            await self._execute(_committed, raw, begin, ahead)  # type: ignore[no-untyped-call]  # as above

    def drop(self) -> None:
        """Roll back; what waits is gone."""
        self._begin, self._ahead, self._open = "", [], False
        if self._connection is not None:
            self._tx.put_nowait((None, self._connection.rollback))

    @contextmanager
    async def cursor(self) -> OneTripCursor:  # type: ignore[override]  # SQLAlchemy asks no more of a cursor
        """A cursor, without a trip."""
        return OneTripCursor(self)

    async def rows(self, sql: str, parameters: Sequence[Any]) -> Sequence[Any]:
        """Run a statement and give its rows."""
        return (await self.trip(lambda raw: _answer(raw.execute(sql, parameters)))).rows

    async def commit(self) -> None:
        """SQLAlchemy's commit; `end` is the transaction's."""

    async def rollback(self) -> None:
        """SQLAlchemy's rollback; `drop` is the transaction's."""


def _run(raw: sqlite3.Connection, begin: str, writings: Sequence[_Writing]) -> None:
    if begin:
        raw.execute(begin).close()
    for statement, rows in writings:
        raw.executemany(statement, rows).close()


def _committed(raw: sqlite3.Connection, begin: str, writings: Sequence[_Writing]) -> None:
    try:
        _run(raw, begin, writings)
        raw.commit()
    except BaseException:
        with suppress(sqlite3.Error):  # what failed first is what is told
            raw.rollback()
        raise


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
