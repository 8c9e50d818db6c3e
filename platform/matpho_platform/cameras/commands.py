"""The command queue: what the center asks of its boxes, which come and fetch it (long poll) and bring the answers.

Commands live as long as somebody waits for them: in memory, bounded, each with a deadline. Each is handed out once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from datetime import timedelta

from matpho_contracts.edge_api import (
    MAX_CLIP_BYTES,
    MAX_SNAPSHOT_BYTES,
    ClipArguments,
    Command,
    CommandFailure,
    MoveArguments,
    SnapshotArguments,
)
from matpho_contracts.ids import new_event_id
from matpho_contracts.times import now
from matpho_platform.cameras.errors import CommandFailedError, EdgeSilentError, QueueFullError

WAITING_PER_EDGE = 32
HANDED_OUT_AT_ONCE = 8
MOVE_ANSWER_BYTES = 4096
Arguments = SnapshotArguments | ClipArguments | MoveArguments


@dataclass(slots=True)
class _Pending:
    edge_id: str
    command: Command
    answer: asyncio.Future[bytes]


class CommandQueue:
    """One queue for each box."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[_Pending]] = {}
        self._pending: dict[str, _Pending] = {}
        self._arrived = asyncio.Condition()

    async def ask(self, edge_id: str, camera_id: str, arguments: Arguments, timeout_s: float) -> bytes:
        """Ask a box and wait for its answer's bytes.

        Raises EdgeSilentError when nothing came in time, CommandFailedError with the box's own reason, QueueFullError.
        """
        command = Command(
            id=new_event_id(),
            camera_id=camera_id,
            deadline=now() + timedelta(seconds=timeout_s),
            arguments=arguments,
        )
        pending = _Pending(edge_id, command, asyncio.get_running_loop().create_future())
        queue = self._queues.setdefault(edge_id, deque())
        if len(queue) >= WAITING_PER_EDGE:
            raise QueueFullError(f"Too many requests wait for the box {edge_id}.", action="Try again soon.")
        queue.append(pending)
        self._pending[command.id] = pending
        try:
            async with self._arrived:
                self._arrived.notify_all()
            async with asyncio.timeout(timeout_s):
                return await pending.answer
        except TimeoutError as error:
            raise EdgeSilentError(
                f"The box {edge_id} of camera {camera_id} did not answer within {timeout_s:g} s.",
                action="Check the box's connection, then try again.",
            ) from error
        finally:
            self._pending.pop(command.id, None)
            if pending in queue:
                queue.remove(pending)

    async def wait(self, edge_id: str, wait_s: float) -> tuple[Command, ...]:
        """The commands waiting for a box, held open up to `wait_s` seconds; empty when nothing came."""
        try:
            async with asyncio.timeout(wait_s), self._arrived:
                await self._arrived.wait_for(lambda: bool(self._queues.get(edge_id)))
        except TimeoutError:
            return ()
        queue = self._queues[edge_id]
        taken: list[Command] = []
        while queue and len(taken) < HANDED_OUT_AT_ONCE:
            pending = queue.popleft()
            if pending.command.deadline > now():
                taken.append(pending.command)
        return tuple(taken)

    def answer_limit(self, edge_id: str, command_id: str) -> int:
        """How many bytes a command's answer may have; 0 when nobody waits for it from this box."""
        pending = self._pending.get(command_id)
        if pending is None or pending.edge_id != edge_id:
            return 0
        limits = {"snapshot": MAX_SNAPSHOT_BYTES, "clip": MAX_CLIP_BYTES, "move": MOVE_ANSWER_BYTES}
        return limits[pending.command.arguments.kind]

    def answer(self, edge_id: str, command_id: str, body: bytes | CommandFailure) -> bool:
        """Hand an answer to who waits for it; False when nobody does any more."""
        pending = self._pending.get(command_id)
        if pending is None or pending.edge_id != edge_id or pending.answer.done():
            return False
        if isinstance(body, CommandFailure):
            camera = pending.command.camera_id
            message = f"The box {edge_id} could not do it for camera {camera}: {body.message} ({body.code})."
            pending.answer.set_exception(CommandFailedError(message))
        else:
            pending.answer.set_result(body)
        return True
