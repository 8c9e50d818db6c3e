"""Opening the database: durable by construction, migrated to the newest schema, one place that commits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from matpho_contracts.errors import ConfigurationError
from matpho_platform.store.engine_server import ServerDatabase
from matpho_platform.store.engine_sqlite import FileDatabase
from matpho_platform.store.engine_wal import LogKeeper
from matpho_platform.store.errors import DurabilityError, translated
from matpho_platform.store.migrate import upgrade
from matpho_platform.store.session import Prepared, ReadSession, WriteSession

_SYNCHRONOUS_FULL = 2
_POSTGRES_DURABLE = {"on", "remote_write", "remote_apply", "local"}


class Store:
    """The open database. `reading()` and `writing()` are the only ways in."""

    def __init__(self, url: URL) -> None:
        """Of a SQLite file or a PostgreSQL database; nothing is opened before the first transaction."""
        path = url.database or ""
        file = url.get_backend_name() == "sqlite"
        self._database: FileDatabase | ServerDatabase = FileDatabase(path) if file else ServerDatabase(url)
        self._keeper = LogKeeper(path) if file else None

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._database.dialect

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[ReadSession]:
        """A read-only transaction."""
        with translated():
            async with self._database.begin(write=False) as transaction:
                yield ReadSession(transaction)

    async def look_up(self, query: Prepared, *parameters: Any) -> Mapping[str, Any] | None:
        """The first row of one query, or None: who asks nothing else needs no transaction around it."""
        with translated():
            return query.first(await self._database.look_up(query.text, parameters))

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[WriteSession]:
        """A writing transaction: committed, which is on disk, when the block ends well; gone when it raises."""
        with translated():
            async with self._database.begin(write=True) as transaction:
                yield WriteSession(transaction)
        if self._keeper is not None:
            self._keeper.committed()

    async def migrate(self) -> None:
        """Bring the database to the newest schema."""
        with translated():
            async with self._database.begin(write=True) as transaction:
                await transaction.run(upgrade)

    async def close(self) -> None:
        """Let go of every connection."""
        if self._keeper is not None:
            await self._keeper.close()
        await self._database.close()


async def _check_durable(store: Store) -> None:
    """Refuse to start on a database that acknowledges before the bytes are safe."""
    async with store.writing() as session:
        if session.dialect == "sqlite":
            mode = await session.scalar(text("PRAGMA journal_mode"))
            level = await session.scalar(text("PRAGMA synchronous"))
            durable = mode == "wal" and level == _SYNCHRONOUS_FULL
        else:
            fsync = await session.scalar(text("SHOW fsync"))
            durable = fsync == "on" and await session.scalar(text("SHOW synchronous_commit")) in _POSTGRES_DURABLE
    if not durable:
        raise DurabilityError(
            "The database does not flush a commit to disk.",
            action="SQLite needs a disk with WAL and synchronous=FULL; PostgreSQL needs fsync and synchronous_commit.",
        )


def _url(address: str) -> URL:
    try:
        url = make_url(address)
    except ArgumentError as error:
        raise ConfigurationError("The database address is not a URL.", action="Use postgresql+psycopg://...") from error
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise ConfigurationError(f"The database {url.get_backend_name()!r} is not supported.")
    return url


async def open_store(address: str | Path) -> Store:
    """Open a SQLite file (a path) or any database by URL, migrate it, check that it is durable.

    Raises ConfigurationError for a wrong address, DurabilityError for a careless database.
    """
    if isinstance(address, Path):
        await asyncio.to_thread(address.parent.mkdir, parents=True, exist_ok=True)
        url = URL.create("sqlite", database=str(address))
    else:
        url = _url(address)
    store = Store(url)
    try:
        await store.migrate()
        await _check_durable(store)
    except BaseException:
        await store.close()
        raise
    return store
