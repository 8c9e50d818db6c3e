"""Two kinds of session: one that can only read and one that may write; the type says which a function needs."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Executable, RowMapping, Table
from sqlalchemy.exc import DBAPIError, IntegrityError
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

    async def at_once(self, statement: str, parameters: Sequence[Any] = ()) -> Sequence[Sequence[Any]]:
        """Run a statement in one round trip to the driver, for paths where each one counts; returns its rows.

        The statement marks parameters by `?`; their types are those of `insert_many`.
        """
        if self.dialect == "sqlite":
            raw = (await self._connection.get_raw_connection()).driver_connection
            try:
                return list(await raw.execute_fetchall(statement, parameters)) if raw is not None else []
            except sqlite3.IntegrityError as error:
                raise IntegrityError(None, None, error) from error
            except sqlite3.Error as error:
                raise DBAPIError(None, None, error) from error
        result = await self._connection.exec_driver_sql(statement.replace("?", "%s"), tuple(parameters))
        return result.fetchall() if result.returns_rows else []


@cache
def _insert_text(table: Table, dialect: str) -> str:
    """`INSERT` of every column in the driver's own parameter style."""
    marks = {"sqlite": "?", "postgresql": "%s"}[dialect]
    names = ", ".join(column.name for column in table.columns)
    return f"INSERT INTO {table.name} ({names}) VALUES ({', '.join([marks] * len(table.columns))})"  # noqa: S608 - our own names


class WriteSession(ReadSession):
    """May write too; it neither commits nor rolls back: `Store.writing` does, once."""

    async def run(self, statement: Executable, rows: Sequence[Mapping[str, Any]] | None = None) -> int:
        """Run one statement, once or for each of `rows`; returns how many rows it touched (-1: not known)."""
        result = await self._connection.execute(statement, rows) if rows else await self._connection.execute(statement)
        return int(getattr(result, "rowcount", -1))

    async def insert_many(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows that give every column, straight through the driver: the hot path of intake.

        Types are those of the driver: int, float, str, bytes, None.
        """
        columns = itemgetter(*(column.name for column in table.columns))
        await self._connection.exec_driver_sql(_insert_text(table, self.dialect), [columns(row) for row in rows])
