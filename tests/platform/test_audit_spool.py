"""While the log cannot be written: identity and exports stop, alerts go on, and their entries come home once."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from matpho_contracts.errors import MatphoError, UnavailableError
from matpho_contracts.signing import SigningKey
from matpho_platform.audit.log import AuditLog
from matpho_platform.audit.schemas import AuditEntry
from matpho_platform.audit.spool import Spool
from matpho_platform.store import Store, open_store

KEY = SigningKey.generate()
REFUSE = "CREATE TRIGGER full BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'no'); END"


def entry(mark: str) -> AuditEntry:
    return AuditEntry(user_id="an", role="commander", action="acknowledge_alert", conversation=mark)


@pytest.fixture
async def store(tmp_path: Path, migrated: Path) -> AsyncIterator[Store]:
    (tmp_path / "a.db").write_bytes(migrated.read_bytes())
    opened = await open_store(tmp_path / "a.db")
    yield opened
    await opened.close()


@pytest.fixture
async def log(store: Store, tmp_path: Path) -> AuditLog:
    made = AuditLog(store, KEY, tmp_path / "audit")
    await made.open()
    return made


def sql(tmp_path: Path, statement: str) -> None:
    with sqlite3.connect(tmp_path / "a.db") as database:
        database.execute(statement)
    database.close()


async def marks(log: AuditLog) -> list[str]:
    return [record.entry.conversation for record in (await log.search(limit=500)).records][::-1]


async def test_alerts_are_spooled_and_taken_over_in_order_once(log: AuditLog, tmp_path: Path) -> None:
    await log.append(entry("before"))
    sql(tmp_path, REFUSE)
    with pytest.raises(MatphoError):
        await log.append(entry("identity"))
    for number in range(5):
        assert await log.append_or_spool(entry(f"s{number}"), personal={"plate": f"30A-{number}"}) is None
    spool = tmp_path / "audit" / "spool"
    assert stat.S_IMODE(spool.stat().st_mode) == 0o600
    assert b"30A" not in spool.read_bytes()
    assert await marks(log) == ["before"]
    sql(tmp_path, "DROP TRIGGER full")
    assert await log.append(entry("after")) == 6
    assert await marks(log) == ["before", "s0", "s1", "s2", "s3", "s4", "after"]
    assert not spool.exists()
    assert await log.personal(2) == {"plate": "30A-1"}
    page = await log.search()
    assert all((one.entry.spooled_at is not None) == one.entry.conversation.startswith("s") for one in page.records)
    assert (await log.verify()).intact


async def test_a_crash_between_commit_and_clearing_does_not_repeat(store: Store, log: AuditLog, tmp_path: Path) -> None:
    sql(tmp_path, REFUSE)
    await log.append_or_spool(entry("one"))
    await log.append_or_spool(entry("two"))
    copy = (tmp_path / "audit" / "spool").read_bytes()
    sql(tmp_path, "DROP TRIGGER full")
    await log.append(entry("three"))
    (tmp_path / "audit" / "spool.taking").write_bytes(copy)  # as a crash before `done` leaves it
    again = AuditLog(store, KEY, tmp_path / "audit")
    await again.open()
    assert await again.append(entry("four")) == 3
    assert await marks(again) == ["one", "two", "three", "four"]


async def test_a_new_process_brings_the_spool_home(store: Store, log: AuditLog, tmp_path: Path) -> None:
    sql(tmp_path, REFUSE)
    await log.append_or_spool(entry("one"))
    sql(tmp_path, "DROP TRIGGER full")
    again = AuditLog(store, KEY, tmp_path / "audit")
    await again.open()
    await again.close()
    assert await marks(again) == ["one"]


async def test_a_damaged_line_is_told_and_the_others_come_home(store: Store, log: AuditLog, tmp_path: Path) -> None:
    sql(tmp_path, REFUSE)
    for mark in ("one", "two", "three"):
        await log.append_or_spool(entry(mark))
    spool = tmp_path / "audit" / "spool"
    lines = spool.read_bytes().split(b"\n")
    lines[1] = lines[1][:-8] + b"AAAAAAA="
    spool.write_bytes(b"\n".join(lines) + b"torn by a cra")
    sql(tmp_path, "DROP TRIGGER full")
    await log.append(entry("four"))
    page = await log.search(limit=10)
    assert [one.entry.outcome for one in page.records if one.entry.action == "audit_spool"] == ["damaged"]
    assert await marks(log) == ["one", "two", "", "four"]


async def test_neither_log_nor_spool(log: AuditLog, tmp_path: Path) -> None:
    sql(tmp_path, REFUSE)
    (tmp_path / "audit" / "spool").mkdir()
    with pytest.raises(UnavailableError, match="spool"):
        await log.append_or_spool(entry("one"))


async def test_troubles_are_told(log: AuditLog, tmp_path: Path) -> None:
    told: list[str] = []
    log.on_trouble = lambda action, _message: told.append(action)
    sql(tmp_path, REFUSE)
    await log.append_or_spool(entry("one"))
    assert told == ["audit_spooled"]


async def test_a_log_that_is_locked_does_not_hold_up_an_alert(
    log: AuditLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from matpho_platform.audit import log as module

    monkeypatch.setattr(module, "SPOOL_AFTER_S", 0.05)
    blocker = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    held = asyncio.create_task(log.append(entry("held")))
    await asyncio.sleep(0.02)
    assert await log.append_or_spool(entry("alert")) is None
    blocker.execute("COMMIT")
    blocker.close()
    assert await held == 0
    await log.append(entry("after"))
    assert await marks(log) == ["held", "alert", "after"]


def test_a_torn_line_is_not_mended_into_another(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    Spool(path).append(b"one")
    with path.open("ab") as file:
        file.write(b"dG9")  # a crash in the middle of a line
    again = Spool(path)
    assert again.waiting
    again.append(b"two")
    found = [line for line in again.take() if line in (b"one", b"two")]
    assert found == [b"one", b"two"]
    again.append(b"three")
    assert len(again.take()) == 3
    again.done()
    assert again.take() == [b"three"]
    again.done()
    assert not again.waiting
