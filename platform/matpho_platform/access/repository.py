"""Queries on accounts and sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, delete, insert, select, update

from matpho_platform.store.session import ReadSession, WriteSession
from matpho_platform.store.tables import accounts, sessions


async def find_account(session: ReadSession, user_id: str) -> RowMapping | None:
    """An account's row."""
    return await session.first(select(accounts).where(accounts.c.user_id == user_id))


async def all_accounts(session: ReadSession) -> Sequence[RowMapping]:
    """Every account, by id."""
    return await session.all(select(accounts).order_by(accounts.c.user_id))


async def add_account(session: WriteSession, values: Mapping[str, Any]) -> None:
    """A new account; raises DuplicateError at the commit when it is there."""
    await session.run(insert(accounts).values(**values))


async def change_account(session: WriteSession, user_id: str, values: Mapping[str, Any]) -> int:
    """Change an account; returns how many there were."""
    return await session.run(update(accounts).where(accounts.c.user_id == user_id).values(**values))


async def find_session(session: ReadSession, token_hash: str) -> RowMapping | None:
    """A session with its account."""
    joined = sessions.join(accounts, sessions.c.user_id == accounts.c.user_id)
    columns = (accounts.c.user_id, accounts.c.name, accounts.c.role, accounts.c.areas, accounts.c.disabled)
    query = select(sessions.c.kind, sessions.c.used_ms, sessions.c.expires_ms, *columns).select_from(joined)
    return await session.first(query.where(sessions.c.token_hash == token_hash))


async def add_session(session: WriteSession, values: Mapping[str, Any]) -> None:
    """A new session."""
    await session.run(insert(sessions).values(**values))


async def touch_session(session: WriteSession, token_hash: str, at_ms: int) -> None:
    """The session was used."""
    await session.run(update(sessions).where(sessions.c.token_hash == token_hash).values(used_ms=at_ms))


async def end_session(session: WriteSession, token_hash: str) -> None:
    """Forget a session."""
    await session.run(delete(sessions).where(sessions.c.token_hash == token_hash))


async def end_sessions(session: WriteSession, user_id: str) -> int:
    """Forget all of an account's sessions and tokens; returns how many."""
    return await session.run(delete(sessions).where(sessions.c.user_id == user_id))


async def end_expired(session: WriteSession, at_ms: int) -> None:
    """Forget what has run out."""
    await session.run(delete(sessions).where(sessions.c.expires_ms < at_ms))
