"""PostgreSQL: a pool of connections; who reads sees one moment."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from matpho_platform.store.errors import MovedError

CONNECTIONS = 8
BURST = 4
"""Connections more while many ask at once."""
T = TypeVar("T")


class ServerDatabase:
    """A database on a server."""

    dialect = "postgresql"

    def __init__(self, url: URL) -> None:
        self._writes = create_async_engine(url, pool_size=CONNECTIONS, max_overflow=BURST, pool_pre_ping=True)
        self._reads = self._writes.execution_options(postgresql_readonly=True, isolation_level="REPEATABLE READ")

    @asynccontextmanager
    async def begin(self, *, write: bool) -> AsyncIterator[ServerTransaction]:
        """A transaction: committed, which is on disk, when the block ends well; gone when it raises."""
        async with (self._writes if write else self._reads).begin() as connection:
            yield ServerTransaction(connection)

    async def look_up(self, statement: str, parameters: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """The rows of one statement that reads."""
        async with self.begin(write=False) as transaction:
            return await transaction.at_once(statement, parameters)

    async def close(self) -> None:
        """Let go of every connection."""
        await self._writes.dispose()


class ServerTransaction:
    """One transaction; every statement is a round trip."""

    dialect = "postgresql"

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def run(self, act: Callable[[Connection], T]) -> T:
        """What a function makes of SQLAlchemy's connection."""
        return await self._connection.run_sync(act)

    async def at_once(self, statement: str, parameters: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """The rows of a statement whose parameters are marked by `?`."""
        result = await self._connection.exec_driver_sql(_marked(statement), tuple(parameters))
        return result.fetchall() if result.returns_rows else []

    async def later(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement for each row, now."""
        await self._connection.exec_driver_sql(_marked(statement), [tuple(row) for row in rows])

    async def expect(self, statement: str, parameters: Sequence[Any]) -> None:
        """Run a statement that must change one row; raises MovedError when it does not."""
        if (await self._connection.exec_driver_sql(_marked(statement), tuple(parameters))).rowcount != 1:
            raise MovedError("The record is not what it was.")


def _marked(statement: str) -> str:
    return statement.replace("?", "%s")
