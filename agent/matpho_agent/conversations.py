"""Where conversations are kept: checkpoints of plain values, one newest per conversation, bound to its user."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import aiosqlite
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from pydantic import SecretStr

from matpho_agent.planner.model_settings import AssistantSettings
from matpho_contracts.errors import ConfigurationError, IntegrityError, UnavailableError

if TYPE_CHECKING:
    from psycopg import AsyncConnection
    from psycopg.rows import DictRow
    from psycopg_pool import AsyncConnectionPool

MAX_CONVERSATION_ID = 64


class UnreadableConversationError(IntegrityError):
    """A stored conversation is not what the assistant wrote; it begins anew."""

    code = "unreadable_conversation"


POSTGRES_CONNECTIONS = 8


def thread_of(user_id: str, conversation_id: str) -> str:
    """The store's key of a conversation: another user's guess of the same id leads elsewhere."""
    return hashlib.sha256(f"{user_id}\0{conversation_id}".encode()).hexdigest()


class Tidy(Protocol):
    """Forgets what a newer checkpoint supersedes, in one kind of store."""

    async def __call__(self, thread: str) -> None:
        """Keep the newest checkpoint of a thread only."""


class Conversations:
    """The open store. Only a conversation's newest checkpoint is kept, so that turn 1000 costs what turn 1 does."""

    def __init__(self, saver: BaseCheckpointSaver[str], tidy: Tidy) -> None:
        self.saver = saver
        self._tidy = tidy

    async def forget_old(self, thread: str) -> None:
        """Keep the newest checkpoint of a conversation only."""
        await self._tidy(thread)

    async def delete(self, user_id: str, conversation_id: str) -> None:
        """Forget a conversation whole."""
        await self.saver.adelete_thread(thread_of(user_id, conversation_id))


async def open_conversations(settings: AssistantSettings, stack: AsyncExitStack) -> Conversations:
    """The store of the settings; closed with `stack`.

    Raises ConfigurationError for a store without its path or address, UnavailableError for a database that is away.
    """
    if settings.memory == "process":
        return _in_process()
    if settings.memory == "postgres":
        if settings.memory_url is None:
            raise ConfigurationError("The conversation store needs an address.", action="Set memory_url.")
        return await _on_postgres(settings.memory_url, stack)
    if settings.memory_path is None:
        raise ConfigurationError("The conversation store needs a file.", action="Set memory_path, or memory: process.")
    return await _on_sqlite(settings.memory_path, stack)


def _in_process() -> Conversations:
    saver = InMemorySaver()

    async def tidy(thread: str) -> None:
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

    return Conversations(saver, tidy)


async def _on_sqlite(path: Path, stack: AsyncExitStack) -> Conversations:
    await asyncio.to_thread(_private, path)
    connection = await aiosqlite.connect(path)
    stack.push_async_callback(connection.close)
    saver = AsyncSqliteSaver(connection)
    await saver.setup()

    async def tidy(thread: str) -> None:
        for table in ("checkpoints", "writes"):
            await connection.execute(
                f"DELETE FROM {table} WHERE thread_id = ? AND checkpoint_id < "  # noqa: S608 # one of two names above
                "(SELECT max(checkpoint_id) FROM checkpoints WHERE thread_id = ?)",
                (thread, thread),
            )
        await connection.commit()

    return Conversations(saver, tidy)


def _private(path: Path) -> None:
    """Make the file readable by its owner alone before anything is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600, exist_ok=True)
    path.chmod(0o600)


async def _on_postgres(address: SecretStr, stack: AsyncExitStack) -> Conversations:
    """The driver is imported here, so that a laptop needs none of it."""
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
    from psycopg import OperationalError
    from psycopg.rows import dict_row
    from psycopg_pool import AsyncConnectionPool, PoolTimeout

    pool: AsyncConnectionPool[AsyncConnection[DictRow]] = AsyncConnectionPool(
        address.get_secret_value().replace("postgresql+psycopg://", "postgresql://", 1),
        open=False,
        max_size=POSTGRES_CONNECTIONS,
        kwargs={"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row},
    )
    try:
        await pool.open(wait=True, timeout=10)
        stack.push_async_callback(pool.close)
        saver = AsyncPostgresSaver(pool)
        await saver.setup()
    except (OperationalError, PoolTimeout) as error:
        await pool.close()
        raise UnavailableError("The database of conversations does not answer.") from error
    return Conversations(saver, _postgres_tidy(pool))


def _postgres_tidy(pool: AsyncConnectionPool[AsyncConnection[DictRow]]) -> Tidy:
    newest = "(SELECT max(checkpoint_id) FROM checkpoints WHERE thread_id = %(thread)s)"
    statements = (
        f"DELETE FROM checkpoint_writes WHERE thread_id = %(thread)s AND checkpoint_id < {newest}",  # noqa: S608
        f"DELETE FROM checkpoints WHERE thread_id = %(thread)s AND checkpoint_id < {newest}",  # noqa: S608
        """DELETE FROM checkpoint_blobs b WHERE b.thread_id = %(thread)s AND NOT EXISTS (
             SELECT 1 FROM checkpoints c WHERE c.thread_id = b.thread_id AND c.checkpoint_ns = b.checkpoint_ns
             AND c.checkpoint -> 'channel_versions' ->> b.channel = b.version)""",
    )

    async def tidy(thread: str) -> None:
        async with pool.connection() as connection, connection.transaction():
            for statement in statements:
                await connection.execute(statement.encode(), {"thread": thread})

    return tidy
