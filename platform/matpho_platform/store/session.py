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

from matpho_platform.store.engine_sqlite import OneTripConnection


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
        raw = (await self._connection.get_raw_connection()).driver_connection
        if isinstance(raw, OneTripConnection):
            try:
                return await raw.rows(statement, parameters)
            except sqlite3.IntegrityError as error:
                raise IntegrityError(None, None, error) from error
            except sqlite3.Error as error:
                raise DBAPIError(None, None, error) from error
        result = await self._connection.exec_driver_sql(statement.replace("?", "%s"), tuple(parameters))
        return result.fetchall() if result.returns_rows else []


@cache
def _insert_text(table: Table) -> str:
    """`INSERT` of every column."""
    names = ", ".join(column.name for column in table.columns)
    return f"INSERT INTO {table.name} ({names}) VALUES ({', '.join('?' * len(table.columns))})"  # noqa: S608 - our own names


class WriteSession(ReadSession):
    """May write too; it neither commits nor rolls back: `Store.writing` does, once."""

    async def run(self, statement: Executable, rows: Sequence[Mapping[str, Any]] | None = None) -> int:
        """Run one statement, once or for each of `rows`; returns how many rows it touched (-1: not known)."""
        result = await self._connection.execute(statement, rows) if rows else await self._connection.execute(statement)
        return int(getattr(result, "rowcount", -1))

    async def later(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a writing statement once for each row of parameters, marked as for `at_once`.

        On SQLite it goes along with the next trip to the driver, at the latest with the commit; what fails, fails
        there.
        """
        raw = (await self._connection.get_raw_connection()).driver_connection
        if isinstance(raw, OneTripConnection):
            raw.later(statement, rows)
        else:
            await self._connection.exec_driver_sql(statement.replace("?", "%s"), [tuple(row) for row in rows])

    async def insert_many(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows that give every column, as `later`: the hot path of intake.

        Types are those of the driver: int, float, str, bytes, None.
        """
        columns = itemgetter(*(column.name for column in table.columns))
        await self.later(_insert_text(table), [columns(row) for row in rows])
