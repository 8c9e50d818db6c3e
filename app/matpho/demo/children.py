"""The processes of the demo: started in order, watched, stopped in reverse; each says when it is ready.

A child writes one JSON object a line on standard output; `{"ready": {...}}` ends its start, anything else is progress.
Its log goes to a file, so that the terminal stays readable.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matpho_contracts.errors import MatphoError

STOP_SECONDS = 10.0
"""How long a child may take to end by itself after it was asked."""
MAX_LINE = 1 << 20


class ChildFailedError(MatphoError):
    """A part of the demo ended before it was ready, or while it should run."""

    code = "child_failed"
    exit_code = 2


@dataclass(slots=True)
class Child:
    """One process: its name for people, its arguments, its log."""

    name: str
    module: str
    arguments: Sequence[str]
    log: Path
    process: asyncio.subprocess.Process | None = field(default=None, init=False)
    _reader: asyncio.Task[None] | None = field(default=None, init=False)

    async def start(self, on_progress: Callable[[str], None], within_s: float) -> Mapping[str, Any]:
        """Start it and wait until it is ready; gives what it said then. Raises ChildFailedError with its last words."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                self.module,
                *self.arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                limit=MAX_LINE,
                # Ctrl-C reaches the demo alone; it then stops the parts in their order.
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        try:
            async with asyncio.timeout(within_s):
                return await self._until_ready(on_progress)
        except TimeoutError:
            raise ChildFailedError(
                f"{self.name} was not ready within {within_s:.0f} s.", action=self._see_log()
            ) from None

    async def _until_ready(self, on_progress: Callable[[str], None]) -> Mapping[str, Any]:
        process = self._running()
        assert process.stdout is not None  # noqa: S101 - asked for as a pipe above
        while line := await process.stdout.readline():
            said = _said(line)
            if "ready" in said:
                self._reader = asyncio.create_task(_drain(process.stdout))
                ready: Mapping[str, Any] = said["ready"]
                return ready
            if "progress" in said:
                on_progress(str(said["progress"]))
            if "error" in said:
                raise ChildFailedError(str(said["error"]))
        await process.wait()
        raise ChildFailedError(f"{self.name} ended while it was starting.", action=self._see_log())

    async def ended(self) -> ChildFailedError:
        """Wait until the process ends by itself and say so."""
        code = await self._running().wait()
        return ChildFailedError(f"{self.name} ended unexpectedly (exit code {code}).", action=self._see_log())

    async def stop(self) -> None:
        """Ask it to end, and make it end when it does not."""
        process = self.process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                # Its own process group: nothing that it started outlives it.
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        if self._reader is not None:
            await self._reader

    def _running(self) -> asyncio.subprocess.Process:
        if self.process is None:
            raise ChildFailedError(f"{self.name} was never started.")
        return self.process

    def _see_log(self) -> str:
        return f"Its log: {self.log}"


def _said(line: bytes) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


async def _drain(stream: asyncio.StreamReader) -> None:
    """Read on, so that a talkative child never blocks on a full pipe."""
    while await stream.read(MAX_LINE):
        pass


def say(**what: object) -> None:
    """Called in a child: one line to the demo that started it."""
    sys.stdout.write(json.dumps(what, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()
