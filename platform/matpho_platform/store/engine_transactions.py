"""Transactions of either database: SQLAlchemy runs the statements, who begins and ends differs."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Protocol

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from matpho_platform.store.engine_sqlite import OneTripConnection, opened
from matpho_platform.store.errors import DatabaseError

READ_CONNECTIONS = 8
WAIT_S = 30.0
"""How long a transaction waits for a connection, as SQLAlchemy's pools do."""
Held = tuple[AsyncConnection, OneTripConnection | None]
"""A connection within a transaction; the second is its driver's, where statements can go there directly."""


class Transactions(Protocol):
    """Where transactions come from."""

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""

    def begin(self) -> AbstractAsyncContextManager[Held]:
        """A transaction: committed when the block ends well, gone when it raises."""

    async def close(self) -> None:
        """Let go of every connection."""


class PooledTransactions:
    """Of a server, over a pool."""

    dialect = "postgresql"

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Held]:
        """As `Transactions`."""
        async with self._engine.begin() as connection:
            yield connection, None

    async def close(self) -> None:
        """As `Transactions`."""
        await self._engine.dispose()


class FileTransactions:
    """Of a SQLite file, over so many connections that stay open; for SQLAlchemy each is in one endless transaction.

    A transaction begins with its first statement. What the thread of a connection was told it does in order: whoever
    takes a connection finds what came before ended, even where a cancelled caller did not wait for it.
    """

    dialect = "sqlite"

    def __init__(self, url: URL, *, write: bool) -> None:
        path, count = url.database or "", 1 if write else READ_CONNECTIONS
        self._engine = create_async_engine(url, poolclass=NullPool, async_creator=lambda: opened(path, write=write))
        self._places = asyncio.Semaphore(count)
        self._free: list[tuple[AsyncConnection, OneTripConnection]] = []

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Held]:
        """As `Transactions`."""
        await self._place()
        try:
            connection, raw = self._free.pop() if self._free else await self._connected()
            raw.begin()
            try:
                yield connection, raw
                with driver_errors():
                    await raw.end()
            except BaseException:
                raw.drop()
                raise
            finally:
                if connection.invalidated:  # by a caller who was cancelled within a statement; its thread ends
                    await connection.close()
                else:
                    self._free.append((connection, raw))
        finally:
            self._places.release()

    async def _place(self) -> None:
        """Wait for one's turn; where nobody is before us that costs nothing."""
        try:
            async with asyncio.timeout(WAIT_S if self._places.locked() else None):
                await self._places.acquire()
        except TimeoutError as error:
            raise DatabaseError("The database is busy.", action="Try again soon.") from error

    async def _connected(self) -> tuple[AsyncConnection, OneTripConnection]:
        connection = await self._engine.connect()
        await connection.begin()
        raw = (await connection.get_raw_connection()).driver_connection
        if not isinstance(raw, OneTripConnection):
            raise RuntimeError("another driver than ours")
        return connection, raw

    async def close(self) -> None:
        """As `Transactions`."""
        while self._free:
            await self._free.pop()[0].close()
        await self._engine.dispose()


def transactions(url: URL) -> tuple[Transactions, Transactions]:
    """Those that read and those that write, of the database at an address."""
    if url.get_backend_name() == "sqlite":
        return FileTransactions(url, write=False), FileTransactions(url, write=True)
    engine = create_async_engine(url, pool_size=READ_CONNECTIONS, max_overflow=4, pool_pre_ping=True)
    reading = engine.execution_options(postgresql_readonly=True, isolation_level="REPEATABLE READ")
    return PooledTransactions(reading), PooledTransactions(engine)


@contextmanager
def driver_errors() -> Iterator[None]:
    """What the driver raises where SQLAlchemy is not asked, as SQLAlchemy would raise it."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise IntegrityError(None, None, error) from error
    except sqlite3.Error as error:
        raise DBAPIError(None, None, error) from error
