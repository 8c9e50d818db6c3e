"""Statements that go along with later ones: in order, whole or not at all, whatever ends the transaction."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import bindparam, insert, select, text

from matpho_platform.store import Store, open_store
from matpho_platform.store.engine_sqlite import READ_CONNECTIONS
from matpho_platform.store.engine_wal import EVERY_COMMITS, LogKeeper
from matpho_platform.store.errors import DatabaseError, DuplicateError, MovedError
from matpho_platform.store.session import Prepared
from matpho_platform.store.tables import counters

ADD = "INSERT INTO counters (name, value) VALUES (?, ?)"


async def _open(database: str | None, tmp_path: Path) -> Store:
    return await open_store(database or tmp_path / "a.db")


async def _write(store: Store, *rows: tuple[str, int], then: Exception | None = None) -> None:
    async with store.writing() as session:
        await session.later(ADD, rows)
        if then is not None:
            raise then


async def _names(store: Store) -> list[str]:
    async with store.reading() as session:
        return [row["name"] for row in await session.all(select(counters).order_by(counters.c.name))]


async def test_what_waits_for_a_trip_is_committed(database: str | None, tmp_path: Path) -> None:
    store = await _open(database, tmp_path)
    async with store.writing() as session:
        await session.later(ADD, [("one", 1), ("two", 2)])
        await session.later(ADD, [("three", 3)])
    assert await _names(store) == ["one", "three", "two"]
    await store.close()


async def test_a_question_sees_what_was_to_be_written_before_it(database: str | None, tmp_path: Path) -> None:
    store = await _open(database, tmp_path)
    async with store.writing() as session:
        await session.later(ADD, [("one", 1)])
        assert await session.at_once("SELECT value FROM counters WHERE name = ?", ("one",)) == [(1,)]
        await session.later("UPDATE counters SET value = ? WHERE name = ?", [(5, "one")])
        assert await session.scalar(select(counters.c.value)) == 5
    await store.close()


async def test_what_fails_at_the_commit_leaves_nothing_and_the_next_writer_goes_on(
    database: str | None, tmp_path: Path
) -> None:
    store = await _open(database, tmp_path)
    with pytest.raises(DuplicateError):
        await _write(store, ("kept?", 1), ("twice", 1), ("twice", 2))
    assert await _names(store) == []
    await _write(store, ("next", 1))
    assert await _names(store) == ["next"]
    await store.close()


async def test_what_waits_is_gone_when_the_block_raises(database: str | None, tmp_path: Path) -> None:
    store = await _open(database, tmp_path)
    with pytest.raises(ZeroDivisionError):
        await _write(store, ("lost", 1), then=ZeroDivisionError())
    await _write(store, ("kept", 1))
    assert await _names(store) == ["kept"]
    await store.close()


async def test_a_block_without_a_statement_leaves_no_transaction(database: str | None, tmp_path: Path) -> None:
    store = await _open(database, tmp_path)
    for _ in range(2):
        async with store.writing():
            pass
        async with store.reading():
            pass
    await _write(store, ("one", 1))
    assert await _names(store) == ["one"]
    await store.close()


async def test_each_reading_block_sees_what_was_committed_before_it(database: str | None, tmp_path: Path) -> None:
    store = await _open(database, tmp_path)
    for number in range(20):
        await _write(store, (f"n{number:02d}", number))
        assert len(await _names(store)) == number + 1
    await store.close()


async def test_a_writer_who_is_cancelled_writes_nothing_and_holds_up_nobody(
    database: str | None, tmp_path: Path
) -> None:
    store = await _open(database, tmp_path)
    begun = asyncio.Event()

    async def write() -> None:
        async with store.writing() as session:
            await session.at_once("SELECT value FROM counters")
            await session.later(ADD, [("cancelled", 1)])
            begun.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(write())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await _write(store, ("next", 1))
    assert await _names(store) == ["next"]
    await store.close()


@pytest.mark.parametrize("steps", range(0, 24, 4))
async def test_a_writer_cancelled_anywhere_holds_up_nobody(tmp_path: Path, steps: int) -> None:
    store = await open_store(tmp_path / "a.db")
    long = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT max(i) FROM n"

    async def write() -> None:
        async with store.writing() as session:
            await session.later(ADD, [("cancelled", 1)])
            await session.scalar(text(long))

    task = asyncio.create_task(write())
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await _write(store, ("next", 1))
    assert await _names(store) == ["next"]
    await store.close()


@pytest.mark.parametrize(("commits", "kept"), [(EVERY_COMMITS, ["one"]), (EVERY_COMMITS - 1, [])])
async def test_the_log_is_copied_into_the_database_after_some_commits(
    tmp_path: Path, commits: int, kept: list[str]
) -> None:
    store = await open_store(tmp_path / "a.db")
    await store.close()  # the last to close copies everything
    writer = sqlite3.connect(tmp_path / "a.db")
    writer.execute(ADD, ("one", 1))
    writer.commit()
    keeper = LogKeeper(str(tmp_path / "a.db"))
    for _ in range(commits):
        keeper.committed()
    await keeper.close()
    shutil.copy(tmp_path / "a.db", tmp_path / "copy.db")  # without its write-ahead log
    reader = sqlite3.connect(tmp_path / "copy.db")
    assert [name for (name,) in reader.execute("SELECT name FROM counters")] == kept
    reader.close()
    writer.close()


async def test_the_store_has_its_log_copied(tmp_path: Path) -> None:
    store = await open_store(tmp_path / "a.db")
    for number in range(EVERY_COMMITS + 1):
        await _write(store, (f"n{number}", number))
    found = 0
    for _ in range(1_000):
        shutil.copy(tmp_path / "a.db", tmp_path / "copy.db")
        reader = sqlite3.connect(tmp_path / "copy.db")
        with contextlib.suppress(sqlite3.DatabaseError):  # copied before its tables were, or while they were
            found = reader.execute("SELECT count(*) FROM counters").fetchone()[0]
        reader.close()
        if found:
            break
        await asyncio.sleep(0.01)
    assert found
    await store.close()


async def test_a_change_is_made_only_where_the_record_is_as_expected(database: str | None, tmp_path: Path) -> None:
    store = await _open(database, tmp_path)
    await _write(store, ("one", 1))
    change = "UPDATE counters SET value = ? WHERE name = ? AND value = ?"
    async with store.writing() as session:
        await session.expect(change, (2, "one", 1))
    async with store.reading() as session:
        assert await session.scalar(select(counters.c.value)) == 2

    async def mistaken() -> None:
        async with store.writing() as session:
            await session.later(ADD, [("two", 1)])
            await session.expect(change, (9, "one", 8))

    with pytest.raises(MovedError):
        await mistaken()
    assert await _names(store) == ["one"]
    await store.close()


async def test_a_transaction_that_sqlite_gave_up_is_no_commit(tmp_path: Path) -> None:
    store = await open_store(tmp_path / "a.db")

    async def write() -> None:
        async with store.writing() as session:
            await session.run(insert(counters).values(name="lost", value=1))
            await session.at_once("ROLLBACK")

    with pytest.raises(DatabaseError):
        await write()
    await _write(store, ("next", 1))
    assert await _names(store) == ["next"]
    await store.close()


async def test_a_reader_who_is_cancelled_is_stopped_and_its_connection_serves_on(tmp_path: Path) -> None:
    store = await open_store(tmp_path / "a.db")
    endless = text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n")

    async def read() -> None:
        async with store.reading() as session:
            await session.scalar(endless)

    readers = [asyncio.create_task(read()) for _ in range(READ_CONNECTIONS + 1)]
    await asyncio.sleep(0.05)
    for reader in readers:
        reader.cancel()
    await asyncio.wait(readers)
    assert await _names(store) == []
    await store.close()


async def test_what_is_looked_up_sees_what_was_committed_and_cannot_write(database: str | None, tmp_path: Path) -> None:
    store = await _open(database, tmp_path)
    query = Prepared(select(counters.c.value, counters.c.name).where(counters.c.name == bindparam("name")))
    assert await store.look_up(query, "one") is None
    for value in (1, 2):
        await _write(store, (f"n{value}", value))
        assert await store.look_up(query, f"n{value}") == {"value": value, "name": f"n{value}"}
    query.text = "INSERT INTO counters (name, value) VALUES (?, 1)"
    with pytest.raises(DatabaseError):
        await store.look_up(query, "written")
    assert await _names(store) == ["n1", "n2"]
    await store.close()


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = await open_store(tmp_path / "a.db")
    await store.close()
    with pytest.raises(DatabaseError):
        await _names(store)


async def test_a_store_ends_its_threads(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    store = await open_store(tmp_path / "a.db")
    await asyncio.gather(*(_names(store) for _ in range(20)))
    own = {thread for thread in set(threading.enumerate()) - before if thread.name == "matpho-sqlite"}
    assert own
    await store.close()
    for thread in own:
        thread.join(timeout=10)
    assert not any(thread.is_alive() for thread in own)
