"""The store: durable, migrated, reading apart from writing, full disks refused whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, insert, select, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import create_async_engine

from matpho_contracts.errors import ConfigurationError, IntegrityError, NotFoundError, StorageFullError
from matpho_platform.store import FolderBlobs, Store, open_store
from matpho_platform.store import engine as engine_module
from matpho_platform.store.errors import DatabaseError, DuplicateError, DurabilityError
from matpho_platform.store.tables import counters, metadata

SHA_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def _differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


def _target(database: str | None, tmp_path: Path) -> str | Path:
    return database or tmp_path / "a.db"


async def test_migrations_make_exactly_the_tables_of_the_code(database: str | None, tmp_path: Path) -> None:
    target = _target(database, tmp_path)
    await (await open_store(target)).close()
    url = URL.create("sqlite+aiosqlite", database=str(target)) if isinstance(target, Path) else target
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        assert await connection.run_sync(_differences) == []
    await engine.dispose()


async def _count_up_to(store: Store, names: list[str], *, then: Exception | None = None) -> None:
    async with store.writing() as session:
        for name in names:
            await session.run(insert(counters).values(name=name, value=1))
            await session.run(text(f"CREATE TABLE made_for_{name} (x INTEGER)"))
        if then is not None:
            raise then


async def test_a_block_that_ends_well_is_committed_and_one_that_raises_is_gone(
    database: str | None, tmp_path: Path
) -> None:
    store = await open_store(_target(database, tmp_path))
    await _count_up_to(store, ["kept"])
    with pytest.raises(ZeroDivisionError):
        await _count_up_to(store, ["lost"], then=ZeroDivisionError())
    async with store.reading() as session:
        assert [row["name"] for row in await session.all(select(counters))] == ["kept"]
    await store.close()


async def test_a_reading_session_cannot_write(database: str | None, tmp_path: Path) -> None:
    store = await open_store(_target(database, tmp_path))
    with pytest.raises(DatabaseError):
        async with store.reading() as session:
            await session.scalar(text("INSERT INTO counters VALUES ('x', 1)"))
    await store.close()


async def test_a_second_row_of_a_key_is_a_duplicate(database: str | None, tmp_path: Path) -> None:
    store = await open_store(_target(database, tmp_path))
    with pytest.raises(DuplicateError):
        async with store.writing() as session:
            await session.run(insert(counters), [{"name": "one", "value": 1}, {"name": "one", "value": 2}])
    await store.close()


async def test_sqlite_flushes_every_commit(tmp_path: Path) -> None:
    store = await open_store(tmp_path / "a.db")
    async with store.writing() as session:
        assert await session.scalar(text("PRAGMA synchronous")) == 2
        assert await session.scalar(text("PRAGMA journal_mode")) == "wal"
    await store.close()


async def test_a_database_that_does_not_flush_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard itself: what a connection reports must be what is asked for (here: a level it does not have)."""
    monkeypatch.setattr(engine_module, "_SYNCHRONOUS_FULL", 3)
    with pytest.raises(DurabilityError):
        await open_store(tmp_path / "a.db")


async def test_a_full_database_refuses_whole(tmp_path: Path) -> None:
    store = await open_store(tmp_path / "a.db")
    async with store.writing() as session:
        pages = await session.scalar(text("PRAGMA page_count"))
        await session.scalar(text(f"PRAGMA max_page_count={pages + 2}"))
    with pytest.raises(StorageFullError):
        await _count_up_to(store, [f"n{number}" for number in range(50)])
    async with store.reading() as session:
        assert await session.all(select(counters)) == []
    await store.close()


@pytest.mark.parametrize("address", ["mysql://x/y", "no url at all"])
async def test_an_address_that_cannot_be_is_named(address: str) -> None:
    with pytest.raises(ConfigurationError):
        await open_store(address)


class TestFolderBlobs:
    async def test_keeps_bytes_by_digest(self, tmp_path: Path) -> None:
        blobs = FolderBlobs(tmp_path / "blobs", min_free_bytes=0)
        await blobs.put({SHA_ABC: b"abc"})
        await blobs.put({SHA_ABC: b"abc"})
        assert await blobs.get(SHA_ABC) == b"abc"
        assert await blobs.has(SHA_ABC)
        assert [path.name for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == [SHA_ABC]

    async def test_finds_a_changed_byte(self, tmp_path: Path) -> None:
        blobs = FolderBlobs(tmp_path / "blobs", min_free_bytes=0)
        await blobs.put({SHA_ABC: b"abc"})
        (tmp_path / "blobs" / SHA_ABC[:2] / SHA_ABC).write_bytes(b"abd")
        with pytest.raises(IntegrityError):
            await blobs.get(SHA_ABC)

    @pytest.mark.parametrize("name", ["0" * 64, "../../etc/passwd", "", SHA_ABC.upper()])
    async def test_gives_nothing_that_is_not_there(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(NotFoundError):
            await FolderBlobs(tmp_path / "blobs").get(name)

    async def test_leaves_the_last_room_to_the_database(self, tmp_path: Path) -> None:
        blobs = FolderBlobs(tmp_path / "blobs", min_free_bytes=1 << 60)
        with pytest.raises(StorageFullError):
            await blobs.put({SHA_ABC: b"abc"})
        assert not await blobs.has(SHA_ABC)
