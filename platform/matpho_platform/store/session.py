"""Two kinds of session: one that can only read and one that may write; the type says which a function needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Executable, RowMapping, Select, Table
from sqlalchemy.dialects import sqlite

T = TypeVar("T")
Row = RowMapping | Mapping[str, Any]
"""A row of any query, by the names of its columns."""


class Transaction(Protocol):
    """What a database gives its sessions; it is begun and ended elsewhere."""

    dialect: str

    async def run(self, act: Callable[[Connection], T]) -> T:
        """What a function makes of SQLAlchemy's connection."""

    async def at_once(self, statement: str, parameters: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """As `ReadSession.at_once`."""

    async def later(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """As `WriteSession.later`."""

    async def expect(self, statement: str, parameters: Sequence[Any]) -> None:
        """As `WriteSession.expect`."""


class Prepared:
    """A query written out once, for `Store.look_up` where each tenth of a millisecond counts: SQLAlchemy has no part in
    its runs.

    Its `bindparam`s are given in their order in the text; rows have the types of `WriteSession.insert_many`.
    """

    def __init__(self, query: Select[Any]) -> None:
        self.text = str(query.compile(dialect=sqlite.dialect(paramstyle="qmark")))  # both databases read it
        self._names = tuple(str(column.key) for column in query.selected_columns)

    def first(self, rows: Sequence[Sequence[Any]]) -> Mapping[str, Any] | None:
        """The first of its rows by the names of its columns, or None."""
        return dict(zip(self._names, rows[0], strict=True)) if rows else None


class ReadSession:
    """Runs queries inside one read-only transaction: everything in it sees one moment."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._transaction.dialect

    async def all(self, query: Executable) -> Sequence[RowMapping]:
        """Every row of a query; give it a limit."""
        return await self._transaction.run(lambda connection: connection.execute(query).mappings().all())

    async def first(self, query: Executable) -> RowMapping | None:
        """The first row, or None."""
        return await self._transaction.run(lambda connection: connection.execute(query).mappings().first())

    async def scalar(self, query: Executable) -> Any:
        """The first column of the first row, or None."""
        return await self._transaction.run(lambda connection: connection.execute(query).scalar())

    async def at_once(self, statement: str, parameters: Sequence[Any] = ()) -> Sequence[Sequence[Any]]:
        """Run a statement in one round trip to the driver, for paths where each one counts; returns its rows.

        The statement marks parameters by `?`; their types are those of `insert_many`.
        """
        return await self._transaction.at_once(statement, parameters)


@cache
def _insert_text(table: Table) -> str:
    """`INSERT` of every column."""
    names = ", ".join(column.name for column in table.columns)
    return f"INSERT INTO {table.name} ({names}) VALUES ({', '.join('?' * len(table.columns))})"  # noqa: S608 - our own names


class WriteSession(ReadSession):
    """May write too; it neither commits nor rolls back: `Store.writing` does, once."""

    async def run(self, statement: Executable, rows: Sequence[Mapping[str, Any]] | None = None) -> int:
        """Run one statement, once or for each of `rows`; returns how many rows it touched (-1: not known)."""

        def act(connection: Connection) -> int:
            result = connection.execute(statement, rows) if rows else connection.execute(statement)
            return int(getattr(result, "rowcount", -1))

        return await self._transaction.run(act)

    async def later(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a writing statement once for each row of parameters, marked as for `at_once`.

        On SQLite it goes along with the next trip to the driver, at the latest with the commit; what fails, fails
        there.
        """
        await self._transaction.later(statement, rows)

    async def expect(self, statement: str, parameters: Sequence[Any]) -> None:
        """As `later`, once, of a statement that must change one row; MovedError when it does not."""
        await self._transaction.expect(statement, parameters)

    async def insert_many(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows that give every column, as `later`: the hot path of intake.

        Types are those of the driver: int, float, str, bytes, None.
        """
        columns = itemgetter(*(column.name for column in table.columns))
        await self.later(_insert_text(table), [columns(row) for row in rows])
