"""Where conversations are kept: checkpoints of plain values, one newest per conversation, bound to its user."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import AsyncExitStack
from pathlib import Path

import aiosqlite
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from matpho_agent.planner.model_settings import AssistantSettings
from matpho_contracts.errors import ConfigurationError

MAX_CONVERSATION_ID = 64


def thread_of(user_id: str, conversation_id: str) -> str:
    """The store's key of a conversation: another user's guess of the same id leads elsewhere."""
    return hashlib.sha256(f"{user_id}\0{conversation_id}".encode()).hexdigest()


class Conversations:
    """Opens the store and forgets what is superseded."""

    def __init__(self, saver: BaseCheckpointSaver[str], connection: aiosqlite.Connection | None) -> None:
        self.saver = saver
        self._connection = connection

    async def forget_old(self, thread: str) -> None:
        """Keep the newest checkpoint of a conversation only, so that it costs the same after a thousand turns."""
        if self._connection is not None:
            for table in ("checkpoints", "writes"):
                await self._connection.execute(
                    f"DELETE FROM {table} WHERE thread_id = ? AND checkpoint_id < "  # noqa: S608 # one of two names above
                    "(SELECT max(checkpoint_id) FROM checkpoints WHERE thread_id = ?)",
                    (thread, thread),
                )
            await self._connection.commit()
        elif isinstance(self.saver, InMemorySaver):
            _forget_in_memory(self.saver, thread)

    async def delete(self, user_id: str, conversation_id: str) -> None:
        """Forget a conversation whole."""
        await self.saver.adelete_thread(thread_of(user_id, conversation_id))


def _forget_in_memory(saver: InMemorySaver, thread: str) -> None:
    for namespace, checkpoints in saver.storage.get(thread, {}).items():
        newest = max(checkpoints, default="")
        for old in [name for name in checkpoints if name != newest]:
            del checkpoints[old]
            saver.writes.pop((thread, namespace, old), None)
    versions = {
        (channel, str(version))
        for namespace in saver.storage.get(thread, {})
        for held in [saver.get_tuple({"configurable": {"thread_id": thread, "checkpoint_ns": namespace}})]
        if held is not None
        for channel, version in held.checkpoint["channel_versions"].items()
    }
    for key in [k for k in saver.blobs if k[0] == thread and (k[2], str(k[3])) not in versions]:
        del saver.blobs[key]


async def open_conversations(settings: AssistantSettings, stack: AsyncExitStack) -> Conversations:
    """The store of the settings; closed with `stack`. Raises ConfigurationError for a SQLite store without a path."""
    if settings.memory == "process":
        return Conversations(InMemorySaver(), None)
    if settings.memory_path is None:
        raise ConfigurationError("The conversation store needs a file.", action="Set memory_path, or memory: process.")
    await asyncio.to_thread(_private, settings.memory_path)
    connection = await aiosqlite.connect(settings.memory_path)
    stack.push_async_callback(connection.close)
    saver = AsyncSqliteSaver(connection)
    await saver.setup()
    return Conversations(saver, connection)


def _private(path: Path) -> None:
    """Make the file readable by its owner alone before anything is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600, exist_ok=True)
    path.chmod(0o600)
