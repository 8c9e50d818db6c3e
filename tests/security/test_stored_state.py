"""Conversations in the hands of whoever can write their database: no code runs, nobody else's talk is read."""

from __future__ import annotations

import json
import os
import pickle
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from typing import Any

import ormsgpack
import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from matpho_agent.conversations import thread_of
from matpho_contracts.errors import BadInputError

OpenTown = Callable[..., AbstractAsyncContextManager[Any]]
TALK = "forged"
QUESTION = "có vụ nào đang mở không"
GUESSES = 300
VERSION = f"{2:032}.0.5"
"""As the store of conversations writes them."""


class Evil:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.mark}",)


def constructors(mark: Path) -> Iterator[Any]:
    """Values whose rebuilding would call something, by every extension code of the format."""
    targets = [
        ("os", "system", f"touch {mark}"),
        ("subprocess", "getoutput", f"touch {mark}"),
        ("builtins", "eval", f"open({str(mark)!r}, 'w')"),
        ("builtins", "exec", f"open({str(mark)!r}, 'w')"),
        ("pathlib", "Path", str(mark)),
        ("importlib", "import_module", "antigravity"),
        ("matpho_agent.planner.plan", "Memory", "x"),
    ]
    for module, name, argument in targets:
        for code in range(8):
            for shape in ((module, name, argument), (module, name, [argument]), (module, name, {"cmd": argument}),
                          (module, name, [argument], "touch"), (module, name, argument, "write_text")):  # fmt: skip
                yield ormsgpack.Ext(code, ormsgpack.packb(shape))


def rows(mark: Path, large: int) -> Iterator[tuple[str, bytes]]:
    """(type, bytes) of forged checkpoints."""
    plain = {
        "v": 4, "ts": "2026-11-21T00:00:00+00:00", "id": "1f0c0000-0000-6000-8000-000000000000",
        "channel_versions": {"memory": VERSION, "text": VERSION, "calls": VERSION}, "versions_seen": {},
        "updated_channels": None,
    }  # fmt: skip
    for value in constructors(mark):
        document = {**plain, "channel_values": {"memory": value, "text": "x"}}
        yield "msgpack", ormsgpack.packb(document, option=ormsgpack.OPT_NON_STR_KEYS)
    for wrong in (
        "text",
        7,
        [1],
        {"proposal": "x"},
        {"history": {"a": 1}},
        {"language": "xx"},
        {"turns": "many"},
        None,
    ):
        yield "msgpack", ormsgpack.packb({**plain, "channel_values": {"memory": wrong, "calls": "x"}})
    big = {"memory": {"rest": "x" * large}}
    yield "msgpack", ormsgpack.packb({**plain, "channel_values": big})
    for hostile in (b"", b"\x00", b"\xc1" * 50, b"\x81" * 5000, b"\x91" * 100_000, secrets.token_bytes(2000)):
        yield "msgpack", hostile
    yield "pickle", pickle.dumps(Evil(mark))
    yield "pickle", pickle.dumps({**plain, "channel_values": {"memory": Evil(mark)}})
    for name in (["os", "system"], ["subprocess", "getoutput"], ["builtins", "eval"]):
        built = {"lc": 2, "type": "constructor", "id": name, "args": [f"touch {mark}"], "kwargs": {}}
        yield "json", json.dumps({**plain, "channel_values": {"memory": built}}).encode()
    yield "json", b'{"channel_values": {"memory": {"rest": "\\ud800"}}}'
    yield "json", "\ud800".encode("utf-8", "surrogatepass")
    yield "json", b"[" * 50_000
    for kind in ("", "yaml", "null", "bytes", "python", "msgpack\0"):
        yield kind, b"\x80"


async def _forged_rows_run_nothing(town: OpenTown, tmp_path: Path, large: int) -> int:
    mark, number = tmp_path / "mark", 0
    async with town() as opened:
        await opened.say("off-hg", TALK, QUESTION)
        before = await opened.snapshot()
        database = sqlite3.connect(opened.home / "conversations.db", timeout=10)
        thread = thread_of("off-hg", TALK)
        [kept] = database.execute("SELECT type, checkpoint FROM checkpoints WHERE thread_id = ?", (thread,)).fetchall()
        for kind, forged in rows(mark, large):
            number += 1
            _put(database, thread, kind, forged)
            turn = await opened.say("off-hg", TALK, QUESTION)
            assert turn.outcome in {"answered", "failed", "clarify"}, (kind, forged[:60], turn)
            assert not mark.exists(), (kind, forged[:200])
        _put(database, thread, *kept)
        database.close()
        assert before == await opened.snapshot()
    return number


def _put(database: sqlite3.Connection, thread: str, kind: str, forged: bytes) -> None:
    """One forged newest checkpoint in place of what is there."""
    database.execute("DELETE FROM writes WHERE thread_id = ?", (thread,))
    database.execute("DELETE FROM checkpoints WHERE thread_id = ?", (thread,))
    database.execute(
        "INSERT INTO checkpoints (thread_id, checkpoint_ns, checkpoint_id, type, checkpoint, metadata)"
        " VALUES (?, '', '1f0c0000-0000-6000-8000-000000000000', ?, ?, ?)",
        (thread, kind, forged, b'{"source": "loop", "step": 1, "parents": {}}'),
    )
    database.commit()


async def test_forged_rows_run_nothing(town: OpenTown, tmp_path: Path) -> None:
    assert await _forged_rows_run_nothing(town, tmp_path, 2_000_000) >= 200


def test_the_forged_values_are_live(tmp_path: Path) -> None:
    """A serializer that rebuilds what it is told runs them: the test above is not blind."""
    mark = tmp_path / "mark"
    lax = JsonPlusSerializer(allowed_msgpack_modules=True)
    for kind, forged in rows(mark, 10):
        if kind == "msgpack" and b"system" in forged:
            with suppress(Exception):
                lax.loads_typed((kind, forged))
    assert mark.exists()


@pytest.mark.nightly
@pytest.mark.timeout(1200)
async def test_forged_rows_of_fifty_megabytes_run_nothing(town: OpenTown, tmp_path: Path) -> None:
    assert await _forged_rows_run_nothing(town, tmp_path, 50_000_000) >= 200


async def test_a_conversation_id_is_no_sql(town: OpenTown) -> None:
    async with town() as opened:
        await opened.say("off-hg", "mine", QUESTION)
        for guess in (
            "' OR 1=1--",
            "x'; DROP TABLE checkpoints;--",
            "%",
            "*",
            "mine' UNION SELECT 1",
            "mine\0",
            "../mine",
            "m" * 65,
            "",
            "mine OR mine",
        ):
            with pytest.raises(BadInputError):
                await opened.say("off-hg", guess, QUESTION)
            with pytest.raises(BadInputError):
                await opened.assistant.forget(opened.who("off-hg"), guess)
        database = sqlite3.connect(opened.home / "conversations.db")
        assert database.execute("SELECT count(*) FROM checkpoints").fetchone()[0] == 1
        database.close()


async def test_a_guessed_conversation_is_an_empty_one(town: OpenTown) -> None:
    """Another's conversation id, or the key under which the store keeps it, leads to nothing of theirs."""
    async with town() as opened:
        shown = await opened.say("cmd-1", "secret-talk", "cho xem va chạm ở phường Bãi Cháy hôm nay")
        [event] = shown.result_ids
        guesses = ["secret-talk", thread_of("cmd-1", "secret-talk"), thread_of("", "secret-talk"), "cmd-1",
                   *(secrets.token_hex(16) for _ in range(6))]  # fmt: skip
        for guess in guesses:
            turn = await opened.say("cmd-2", guess[:64], "cho xem chi tiết vụ đó")
            assert event not in turn.model_dump_json(), guess
        for _ in range(GUESSES):
            theirs = thread_of("cmd-2", secrets.token_hex(8))
            assert theirs != thread_of("cmd-1", "secret-talk")
