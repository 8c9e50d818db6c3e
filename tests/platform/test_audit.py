"""The audit log: durable, searchable, and no way to change it that a verification misses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from matpho_contracts import merkle
from matpho_contracts.signing import SigningKey
from matpho_platform.audit import repository
from matpho_platform.audit.errors import AuditBrokenError
from matpho_platform.audit.log import AuditLog
from matpho_platform.audit.schemas import AuditEntry, argument_hash, sealed
from matpho_platform.audit.tree import Frontier
from matpho_platform.store import Store, WriteSession, open_store
from matpho_platform.store.tables import audit_checkpoints as checkpoints
from matpho_platform.store.tables import audit_entries as entries
from matpho_platform.store.tables import counters

KEY = SigningKey.generate()


def entry(number: int = 0, user: str = "an", action: str = "search_events") -> AuditEntry:
    return AuditEntry(
        user_id=user, role="officer", action=action, decision="allowed", outcome="answered", arguments={"n": number}
    )


@pytest.fixture
async def store(database: str | None, tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(database or tmp_path / "a.db")
    yield opened
    await opened.close()


@pytest.fixture
async def log(store: Store, tmp_path: Path) -> AuditLog:
    made = AuditLog(store, KEY, tmp_path / "audit")
    await made.open()
    return made


@given(st.integers(0, 70))
def test_the_frontier_has_the_root_of_the_whole_tree(size: int) -> None:
    leaves = [merkle.leaf_hash(bytes([number])) for number in range(size)]
    tree = Frontier()
    for leaf in leaves:
        tree.append(leaf)
    assert (tree.size, tree.root()) == (size, merkle.root_hash(leaves))


@given(st.integers(0, 300), st.integers(0, 700))
def test_many_leaves_at_once_make_the_same_tree(first: int, more: int) -> None:
    leaves = [number.to_bytes(32, "big") for number in range(first + more)]
    tree = Frontier()
    tree.extend(leaves[:first])
    tree.extend(leaves[first:])
    assert (tree.size, tree.root()) == (first + more, merkle.root_hash(leaves))


async def test_entries_get_their_index_and_come_back(log: AuditLog) -> None:
    assert [await log.append(entry(number)) for number in range(3)] == [0, 1, 2]
    await log.append(entry(user="binh", action="get_clip"))
    page = await log.search(actor="an", limit=2)
    assert page.total == 3
    assert [record.entry.arguments["n"] for record in page.records] == [2, 1]
    assert (await log.search(action="get_clip")).records[0].entry.user_id == "binh"
    assert (await log.search(subject='"n":1')).total == 1


async def test_appends_at_once_leave_no_gap(log: AuditLog) -> None:
    indexes = await asyncio.gather(*(log.append(entry(number)) for number in range(40)))
    assert sorted(indexes) == list(range(40))
    assert (await log.verify()).intact


async def test_two_logs_on_one_database_share_one_trail(store: Store, log: AuditLog, tmp_path: Path) -> None:
    other = AuditLog(store, KEY, tmp_path / "other")
    await other.open()
    assert [await log.append(entry()), await other.append(entry()), await log.append(entry())] == [0, 1, 2]
    assert (await other.verify()).intact


async def test_a_trail_survives_reopening(store: Store, log: AuditLog, tmp_path: Path) -> None:
    await log.append(entry())
    await log.close()
    again = AuditLog(store, KEY, tmp_path / "audit")
    await again.open()
    assert await again.append(entry()) == 1
    report = await again.verify()
    assert report.intact
    assert report.entries == 2


Tamper = Callable[[WriteSession], Awaitable[object]]


async def _change_entry(session: WriteSession) -> None:
    row = await session.first(select(entries).where(entries.c.log_index == 3))
    assert row is not None
    changed = json.dumps(
        {**json.loads(row["entry"]), "user_id": "somebody-else"}, separators=(",", ":"), sort_keys=True
    )
    await session.run(update(entries).where(entries.c.log_index == 3).values(entry=changed))


async def _change_entry_and_leaf(session: WriteSession) -> None:
    await _change_entry(session)
    row = await session.first(select(entries).where(entries.c.log_index == 3))
    assert row is not None
    leaf = merkle.leaf_hash(row["entry"].encode())
    await session.run(update(entries).where(entries.c.log_index == 3).values(leaf=leaf, user_id="somebody-else"))


async def _change_column(session: WriteSession) -> None:
    await session.run(update(entries).where(entries.c.log_index == 3).values(user_id="somebody-else"))


async def _remove(session: WriteSession) -> None:
    await session.run(delete(entries).where(entries.c.log_index == 3))


async def _remove_and_close_the_gap(session: WriteSession) -> None:
    await _remove(session)
    for number in range(4, 8):
        await session.run(update(entries).where(entries.c.log_index == number).values(log_index=number - 1))


async def _swap(session: WriteSession) -> None:
    for old, new in ((3, 99), (4, 3), (99, 4)):
        await session.run(update(entries).where(entries.c.log_index == old).values(log_index=new))


async def _cut_the_tail(session: WriteSession) -> None:
    await session.run(delete(entries).where(entries.c.log_index >= 6))


async def _cut_the_tail_and_its_checkpoint(session: WriteSession) -> None:
    await _cut_the_tail(session)
    await session.run(delete(checkpoints).where(checkpoints.c.size > 6))


async def _drop_everything(session: WriteSession) -> None:
    for table in (entries, checkpoints, counters):
        await session.run(delete(table))


async def _forge_a_checkpoint(session: WriteSession) -> None:
    await session.run(update(checkpoints).values(root="0" * 64))


@pytest.mark.parametrize(
    "tamper",
    [
        _change_entry,
        _change_entry_and_leaf,
        _change_column,
        _remove,
        _remove_and_close_the_gap,
        _swap,
        _cut_the_tail,
        _cut_the_tail_and_its_checkpoint,
        _drop_everything,
        _forge_a_checkpoint,
    ],
)
async def test_verification_finds(store: Store, log: AuditLog, tmp_path: Path, tamper: Tamper) -> None:
    for number in range(8):
        await log.append(entry(number))
    await log.close()
    assert (await log.verify()).intact
    async with store.writing() as session:
        await tamper(session)
    assert not (await log.verify()).intact


async def test_another_keys_trail_is_not_ours(store: Store, log: AuditLog, tmp_path: Path) -> None:
    await log.append(entry())
    stranger = AuditLog(store, SigningKey.generate(), tmp_path / "none")
    await stranger.open()
    assert not (await stranger.verify()).intact


async def test_a_trail_that_shrank_takes_no_more(store: Store, log: AuditLog) -> None:
    await log.append(entry())
    await log.append(entry())
    async with store.writing() as session:
        await _drop_everything(session)
    with pytest.raises(AuditBrokenError):
        await log.append(entry())


async def test_only_round_checkpoints_stay(store: Store, log: AuditLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository, "KEEP_EVERY", 4)
    for number in range(10):
        await log.append(entry(number))
    async with store.reading() as session:
        assert [row["size"] for row in await repository.checkpoints(session)] == [4, 8, 10]
    assert (await log.verify()).intact


class TestPersonalValues:
    SECRET = b"key"

    def test_never_enter_the_trail(self) -> None:
        arguments = {
            "case_number": "VA-12",
            "subject": {"citizen_id": "001099012345", "name": "Nguyễn Văn Nam"},
            "plate": "30A-123.45",
        }
        kept, personal = sealed(arguments)
        assert kept["case_number"] == "VA-12"
        for value in ("001099012345", "Nam", "123.45", "12345"):
            assert value not in json.dumps(kept)
        assert kept["subject"]["fields"] == ["citizen_id", "name"]  # type: ignore[index,call-overload]  # a JSON object
        assert personal["plate"] == "30A-123.45"

    def test_the_argument_hash_needs_the_key(self) -> None:
        arguments = {"query": "xe tải trắng", "limit": 5, "when": None, "big": 2**80, "odd": "\ud800"}
        assert argument_hash(arguments, b"a") == argument_hash(dict(reversed(arguments.items())), b"a")
        assert argument_hash(arguments, b"a") != argument_hash(arguments, b"b")
