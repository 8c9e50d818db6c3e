"""SQLite behind an event loop: each connection has a thread of its own, and a statement costs one trip to it.

A transaction begins with its first trip; what gives no answer (`later`, `expect`) goes along with the next one, at the
latest with the commit. A thread does what it was told in order. So nobody waits for an end that has nothing to say (of
one who only reads, of one who gives up), and who is cancelled leaves the connection fit for the next.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, NullPool, create_engine
from sqlalchemy.exc import DBAPIError, IntegrityError

from matpho_platform.store.errors import DatabaseError, MovedError

READ_CONNECTIONS = 8
BUSY_TIMEOUT_S = 10.0
"""How long SQLite waits for another process's write."""
WAIT_S = 30.0
"""How long a transaction waits for a connection of this process."""
WRITER_COPIES_AFTER = 4_096
"""Pages in the write-ahead log (16 MiB) after which a commit itself copies them into the database; before that
`engine_wal.LogKeeper` does it beside the writers."""
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-32768")
_STEPS = 100_000
"""Of SQLite's machine, a few milliseconds, between two looks whether anybody still waits for the answer."""
Act = Callable[[Connection], Any]
T = TypeVar("T")


class FileDatabase:
    """A SQLite file: many connections that read, one that writes and takes the write lock when it begins."""

    dialect = "sqlite"

    def __init__(self, path: str) -> None:
        self._reads = _Threads(_engine(path, write=False), READ_CONNECTIONS)
        self._writes = _Threads(_engine(path, write=True), 1)

    @asynccontextmanager
    async def begin(self, *, write: bool) -> AsyncIterator[FileTransaction]:
        """A transaction: committed, which is on disk, when the block ends well; gone when it raises."""
        threads = self._writes if write else self._reads
        transaction = FileTransaction(await threads.take(), write=write)
        try:
            yield transaction
            await transaction.end()
        except BaseException:
            transaction.drop()
            raise
        finally:
            threads.put_back(transaction.thread)

    async def look_up(self, statement: str, parameters: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """The rows of one statement that reads, in a transaction of its own that SQLite begins and ends."""
        thread = await self._reads.take()
        try:
            return await thread.ask(lambda connection: _rows(connection, statement, parameters))
        finally:
            self._reads.put_back(thread)

    async def close(self) -> None:
        """Let go of every connection."""
        await self._reads.close()
        await self._writes.close()


def _engine(path: str, *, write: bool) -> Engine:
    """SQLAlchemy's part: it writes the statements; transactions are begun and ended here."""

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        try:
            for pragma in (*_PRAGMAS, f"wal_autocheckpoint={WRITER_COPIES_AFTER}" if write else "query_only=ON"):
                connection.execute(f"PRAGMA {pragma}").close()
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    return create_engine("sqlite://", creator=connect, poolclass=NullPool)


class _Threads:
    """So many connections at the most; who finds none free waits for one."""

    def __init__(self, engine: Engine, most: int) -> None:
        self._engine = engine
        self._places = asyncio.Semaphore(most)
        self._all: list[_Thread] = []
        self._free: list[_Thread] = []
        self._closed = False

    async def take(self) -> _Thread:
        """A connection for the caller alone, who puts it back. Raises DatabaseError when there is none."""
        if self._places.locked():
            await self._wait()
        else:
            await self._places.acquire()  # at once
        if self._closed:
            self._places.release()
            raise DatabaseError("The database is closed.")
        if not self._free:
            self._all.append(_Thread(self._engine))
            return self._all[-1]
        return self._free.pop()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(WAIT_S):
                await self._places.acquire()
        except TimeoutError as error:
            raise DatabaseError("The database is busy.", action="Try again soon.") from error

    def put_back(self, thread: _Thread) -> None:
        """Whoever comes next may have it."""
        self._free.append(thread)
        self._places.release()

    async def close(self) -> None:
        """Close them all, each after what it was told before."""
        self._closed = True
        while self._all:
            await self._all.pop().close()


class _Thread:
    """A connection and the thread that alone uses it; for SQLAlchemy it is in one endless transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._asked: asyncio.Future[Any] | None = None
        self._acts: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        threading.Thread(target=self._work, name="matpho-sqlite", daemon=True).start()

    def _work(self) -> None:
        while (act := self._acts.get()) is not None:
            act()
            del act  # keeps alive what it speaks of

    def _opened(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
            self._connection.begin()  # of this the driver hears nothing
            raw(self._connection).set_progress_handler(self._unwanted, _STEPS)
        return self._connection

    def tell(self, act: Act) -> None:
        """Have something done after all that was told before; nobody hears how it ended."""

        def run() -> None:
            self._asked = None
            with suppress(Exception):
                act(self._opened())

        self._acts.put(run)

    async def ask(self, act: Callable[[Connection], T]) -> T:
        """Have something done after all that was told before; what it gives or raises. Who is cancelled stops it."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def run() -> None:
            if answer.cancelled():
                return
            self._asked = answer
            try:
                settle = partial(_give, answer, act(self._opened()))
            except BaseException as error:
                settle = partial(_fail, answer, error)
            with suppress(RuntimeError):  # the loop is closed: nobody waits
                loop.call_soon_threadsafe(settle)

        self._acts.put(run)
        return await answer

    def _unwanted(self) -> bool:
        """Stops the statement that runs, when who asked was cancelled."""
        return self._asked is not None and self._asked.cancelled()

    async def close(self) -> None:
        """The last that it does."""
        await self.ask(Connection.close)
        self._acts.put(None)


def _give(answer: asyncio.Future[T], value: T) -> None:
    if not answer.done():
        answer.set_result(value)


def _fail(answer: asyncio.Future[Any], error: BaseException) -> None:
    if not answer.done():
        answer.set_exception(error)


def raw(connection: Connection) -> sqlite3.Connection:
    """The driver's own connection."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        raise RuntimeError("another driver than SQLite's")
    return driver


@dataclass(frozen=True, slots=True)
class _Writing:
    """A statement that waits, the rows that it is run for, and how many it must change, if that is told."""

    statement: str
    rows: Sequence[Sequence[Any]]
    touches: int | None = None


class FileTransaction:
    """One transaction on a connection's thread."""

    dialect = "sqlite"

    def __init__(self, thread: _Thread, *, write: bool) -> None:
        self.thread = thread
        self._write = write
        self._begin = "BEGIN IMMEDIATE" if write else "BEGIN"
        """The statement that begins it, until that was run."""
        self._ahead: list[_Writing] = []
        """What goes first on the next trip."""

    async def run(self, act: Callable[[Connection], T]) -> T:
        """What a function makes of SQLAlchemy's connection, in one trip."""
        ready = self._ready()

        def trip(connection: Connection) -> T:
            ready(raw(connection))
            return act(connection)

        return await self.thread.ask(trip)

    async def at_once(self, statement: str, parameters: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """The rows of a statement, which SQLAlchemy does not see."""
        return await self.run(lambda connection: _rows(connection, statement, parameters))

    async def later(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement for each row ahead of the next one, at the latest of the commit; it fails there."""
        self._ahead.append(_Writing(statement, rows))

    async def expect(self, statement: str, parameters: Sequence[Any]) -> None:
        """As `later`, of a statement that must change one row; MovedError, there, when it does not."""
        self._ahead.append(_Writing(statement, (parameters,), touches=1))

    def _ready(self) -> Callable[[sqlite3.Connection], None]:
        """Begins the transaction and runs what waits, on the thread."""
        begin, ahead = self._begin, self._ahead
        self._begin, self._ahead = "", []

        def ready(connection: sqlite3.Connection) -> None:
            with _as_sqlalchemy():
                if begin:
                    connection.execute(begin)
                for writing in ahead:
                    touched = connection.executemany(writing.statement, writing.rows).rowcount
                    if writing.touches not in (None, touched):
                        raise MovedError("The record is not what it was.")

        return ready

    async def end(self) -> None:
        """Commit, and wait until it is on the disk; of what only reads nobody waits for the end."""
        if self._begin and not self._ahead:
            return
        if not self._write:
            self.thread.tell(lambda connection: raw(connection).rollback())
            return
        ready = self._ready()

        def commit(connection: Connection) -> None:
            driver = raw(connection)
            ready(driver)
            with _as_sqlalchemy():
                if not driver.in_transaction:  # SQLite itself gave up, for want of room or memory
                    raise sqlite3.OperationalError("the transaction was rolled back")
                driver.commit()

        await self.thread.ask(commit)

    def drop(self) -> None:
        """Roll back; what waits is gone."""
        if not self._begin:
            self.thread.tell(lambda connection: raw(connection).rollback())


def _rows(connection: Connection, statement: str, parameters: Sequence[Any]) -> Sequence[Sequence[Any]]:
    with _as_sqlalchemy():
        return raw(connection).execute(statement, parameters).fetchall()


@contextmanager
def _as_sqlalchemy() -> Iterator[None]:
    """What the driver raises where SQLAlchemy is not asked, as SQLAlchemy would raise it."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise IntegrityError(None, None, error) from error
    except sqlite3.Error as error:
        raise DBAPIError(None, None, error) from error
