"""What a center may ask of a box, and how each request is carried out at most once and answered."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

import structlog

from matpho_contracts.edge_api import (
    MAX_CLIP_BYTES,
    MAX_SNAPSHOT_BYTES,
    ClipArguments,
    Command,
    CommandFailure,
    MoveArguments,
    SnapshotArguments,
)
from matpho_contracts.errors import MatphoError, NotFoundError, UnavailableError
from matpho_contracts.times import now
from matpho_edge.uplink_backoff import Backoff
from matpho_edge.uplink_link import CenterLink, NotAcceptedError, RefusedError

MAX_AT_ONCE = 4
MAX_REMEMBERED = 1000
MAX_DELIVERIES = 4
JPEG, MP4, NOTHING = "image/jpeg", "video/mp4", "application/octet-stream"

_log = structlog.get_logger(__name__)


class CommandHandler(Protocol):
    """What the box can do; each method raises MatphoError when it cannot."""

    async def snapshot(self, camera_id: str) -> bytes:
        """A JPEG of now, at most MAX_SNAPSHOT_BYTES."""

    async def clip(self, camera_id: str, start: datetime, end: datetime) -> Path:
        """A new MP4 file of the recorded range, which the caller deletes."""

    async def move(self, camera_id: str, arguments: MoveArguments) -> None:
        """Turn the lens; returns when the camera has taken the order."""


class CommandRunner:
    """Runs commands side by side, each id once, none after its deadline."""

    def __init__(self, link: CenterLink, handler: CommandHandler) -> None:
        self._link, self._handler = link, handler
        self._room = asyncio.Semaphore(MAX_AT_ONCE)
        self._known: OrderedDict[str, None] = OrderedDict()

    def is_new(self, command: Command) -> bool:
        """Whether this command has not been begun before; remembers it."""
        if command.id in self._known:
            return False
        self._known[command.id] = None
        while len(self._known) > MAX_REMEMBERED:
            self._known.popitem(last=False)
        return True

    async def run(self, command: Command) -> None:
        """Carry out one command and deliver its answer or why there is none; never raises but CancelledError."""
        async with self._room:
            try:
                if now() > command.deadline:
                    raise UnavailableError("The command came after its deadline and was not begun.")
                body, media_type = await self._carry_out(command)
            except MatphoError as error:
                failure = CommandFailure(code=error.code, message=str(error)[:200])
                await self._deliver(command, lambda: self._link.fail(command.id, failure))
            except Exception as error:
                _log.exception("command failed", command=command.id, kind=command.arguments.kind)
                failure = CommandFailure(code="internal", message=f"The box failed ({type(error).__name__}).")
                await self._deliver(command, lambda: self._link.fail(command.id, failure))
            else:
                await self._deliver(command, lambda: self._link.answer(command.id, body, media_type))

    async def _deliver(self, command: Command, send: Callable[[], Awaitable[None]]) -> None:
        """Try a few times: the answer has cost the camera something, a dropped connection must not waste it."""
        backoff = Backoff(0.2, 2.0)
        for _ in range(MAX_DELIVERIES):
            try:
                await send()
                return
            except (RefusedError, NotAcceptedError) as error:
                _log.warning("answer not wanted", command=command.id, error=str(error)[:200])
                return
            except MatphoError as error:
                _log.warning("answer not delivered", command=command.id, error=str(error)[:200])
                await asyncio.sleep(backoff.next())

    async def _carry_out(self, command: Command) -> tuple[bytes, str]:
        arguments = command.arguments
        if isinstance(arguments, SnapshotArguments):
            jpeg = await self._handler.snapshot(command.camera_id)
            if len(jpeg) > MAX_SNAPSHOT_BYTES:
                raise UnavailableError("The camera's picture is too large.")
            return jpeg, JPEG
        if isinstance(arguments, ClipArguments):
            path = await self._handler.clip(command.camera_id, arguments.start, arguments.end)
            return await asyncio.to_thread(_take_file, path), MP4
        await self._handler.move(command.camera_id, arguments)
        return b"", NOTHING


def _take_file(path: Path) -> bytes:
    """The file's bytes; the file itself is gone afterwards."""
    try:
        if path.stat().st_size > MAX_CLIP_BYTES:
            raise UnavailableError("The clip is too large to be sent.", action="Ask for a shorter one.")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise NotFoundError("The clip is not there any more.") from error
    finally:
        path.unlink(missing_ok=True)
