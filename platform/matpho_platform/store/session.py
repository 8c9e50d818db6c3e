"""Two kinds of session: one that can only read and one that may write; the type says which a function needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Executable, RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection


class ReadSession:
    """Runs queries inside one read-only transaction: everything in it sees one moment."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._connection.dialect.name

    async def all(self, query: Executable) -> Sequence[RowMapping]:
        """Every row of a query; give it a limit."""
        return (await self._connection.execute(query)).mappings().all()

    async def first(self, query: Executable) -> RowMapping | None:
        """The first row, or None."""
        return (await self._connection.execute(query)).mappings().first()

    async def scalar(self, query: Executable) -> Any:
        """The first column of the first row, or None."""
        return (await self._connection.execute(query)).scalar()


class WriteSession(ReadSession):
    """May write too; it neither commits nor rolls back: `Store.writing` does, once."""

    async def run(self, statement: Executable, rows: Sequence[Mapping[str, Any]] | None = None) -> int:
        """Run one statement, once or for each of `rows`; returns how many rows it touched (-1: not known)."""
        result = await self._connection.execute(statement, rows) if rows else await self._connection.execute(statement)
        return int(getattr(result, "rowcount", -1))
