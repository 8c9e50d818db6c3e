"""`matpho notify`: what waits, and a trial of a channel against a real mail server."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from matpho.home import Home
from matpho.main import build


class Postbox(threading.Thread):
    """A mail server in a thread of its own, since the command has the main one's event loop."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.letters: list[bytes] = []
        self.up = threading.Event()
        self.port = 0
        self.end: asyncio.Future[None] | None = None

    def run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self.end = asyncio.get_running_loop().create_future()
        async with await asyncio.start_server(self._talk, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            self.up.set()
            await self.end

    def close(self) -> None:
        if self.end is not None:
            self.end.get_loop().call_soon_threadsafe(self.end.set_result, None)
        self.join(10)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 postbox\r\n")
        while line := (await reader.readline()).strip().upper():
            if line == b"DATA":
                writer.write(b"354 go on\r\n")
                self.letters.append(await reader.readuntil(b"\r\n.\r\n"))
            writer.write(b"221 bye\r\n" if line == b"QUIT" else b"250 fine\r\n")
            if line == b"QUIT":
                break
        await writer.drain()
        writer.close()


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    made = Postbox()
    made.start()
    assert made.up.wait(10)
    yield made
    made.close()


@pytest.fixture
def home(tmp_path: Path, postbox: Postbox, monkeypatch: pytest.MonkeyPatch) -> Home:
    made = Home(tmp_path / "m").make()
    made.settings_file.write_text(
        "notify:\n"
        f"  email: {{host: 127.0.0.1, port: {postbox.port}, security: none, sender: m@matpho.example}}\n"
        "  people: [{user_id: officer, email: officer@matpho.example}]\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("MATPHO_HOME", str(made.root))
    return made


def test_a_trial_goes_to_the_rosters_address(home: Home, postbox: Postbox) -> None:
    del home
    runner, app = CliRunner(), build("notify")
    done = runner.invoke(app, ["notify", "test", "email", "--to", "officer"])
    assert done.exit_code == 0, done.output
    assert "email: sent to officer (1 address)" in done.output
    assert b"To: officer@matpho.example" in postbox.letters[0]
    shown = json.loads(runner.invoke(app, ["notify", "--json"]).output)
    assert shown == {"channels": ["email"], "waiting": {"undelivered": 0}}
