"""Queries on what is open in an account's name: web sessions and API tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, Select, bindparam, delete, insert, select, update

from matpho_platform.store.engine import Store
from matpho_platform.store.session import Prepared, ReadSession, WriteSession
from matpho_platform.store.tables import accounts, api_tokens, sessions

_ACCOUNT = (accounts.c.name, accounts.c.role, accounts.c.areas, accounts.c.disabled)


def _sessions() -> Select[Any]:
    joined = sessions.join(accounts, sessions.c.user_id == accounts.c.user_id)
    return select(sessions, *_ACCOUNT).select_from(joined)


def _tokens() -> Select[Any]:
    joined = api_tokens.join(accounts, api_tokens.c.user_id == accounts.c.user_id)
    own = [api_tokens.c.name.label("token_name"), api_tokens.c.areas.label("token_areas")]
    rest = [column for column in api_tokens.c if column.name not in ("name", "areas")]
    return select(*rest, *own, *_ACCOUNT).select_from(joined)


_SESSION = Prepared(_sessions().where(sessions.c.token_hash == bindparam("token_hash")))
_TOKEN = Prepared(_tokens().where(api_tokens.c.token_hash == bindparam("token_hash")))


async def find_session(store: Store, token_hash: str) -> Mapping[str, Any] | None:
    """A session with its account."""
    return await store.look_up(_SESSION, token_hash)


async def sessions_by_id(session: ReadSession, ids: Sequence[str]) -> Sequence[RowMapping]:
    """Those of some sessions that are there, with their accounts."""
    return await session.all(_sessions().where(sessions.c.session_id.in_(ids)))


async def sessions_of(session: ReadSession, user_id: str) -> Sequence[RowMapping]:
    """An account's sessions, the newest first."""
    return await session.all(_sessions().where(sessions.c.user_id == user_id).order_by(sessions.c.created_ms.desc()))


async def add_session(session: WriteSession, values: Mapping[str, Any]) -> None:
    """A new session."""
    await session.run(insert(sessions).values(**values))


async def touch_session(session: WriteSession, session_id: str, at_ms: int) -> None:
    """The session was used."""
    await session.run(update(sessions).where(sessions.c.session_id == session_id).values(used_ms=at_ms))


async def rotate_session(session: WriteSession, token_hash: str, values: Mapping[str, Any]) -> int:
    """Change the session that a token opens; 0 when another rotation was first."""
    return await session.run(update(sessions).where(sessions.c.token_hash == token_hash).values(**values))


async def end_session(session: WriteSession, session_id: str, user_id: str) -> int:
    """Forget one of an account's sessions."""
    mine = (sessions.c.session_id == session_id, sessions.c.user_id == user_id)
    return await session.run(delete(sessions).where(*mine))


async def end_sessions(session: WriteSession, user_id: str, keep: str = "") -> int:
    """Forget all of an account's sessions but one; returns how many."""
    mine = (sessions.c.user_id == user_id, sessions.c.session_id != keep)
    return await session.run(delete(sessions).where(*mine))


async def end_expired(session: WriteSession, at_ms: int) -> None:
    """Forget what has run out."""
    await session.run(delete(sessions).where(sessions.c.expires_ms < at_ms))
    await session.run(delete(api_tokens).where(api_tokens.c.expires_ms < at_ms))


async def find_token(store: Store, token_hash: str) -> Mapping[str, Any] | None:
    """An API token with its account."""
    return await store.look_up(_TOKEN, token_hash)


async def tokens_by_id(session: ReadSession, ids: Sequence[str]) -> Sequence[RowMapping]:
    """Those of some tokens that are there, with their accounts."""
    return await session.all(_tokens().where(api_tokens.c.token_id.in_(ids)))


async def tokens_of(session: ReadSession, user_id: str) -> Sequence[RowMapping]:
    """An account's API tokens, the newest first."""
    return await session.all(_tokens().where(api_tokens.c.user_id == user_id).order_by(api_tokens.c.created_ms.desc()))


async def add_token(session: WriteSession, values: Mapping[str, Any]) -> None:
    """A new API token."""
    await session.run(insert(api_tokens).values(**values))


async def touch_token(session: WriteSession, token_id: str, at_ms: int) -> None:
    """The token was used."""
    await session.run(update(api_tokens).where(api_tokens.c.token_id == token_id).values(used_ms=at_ms))


async def end_token(session: WriteSession, token_id: str, user_id: str) -> int:
    """Forget one of an account's API tokens."""
    mine = (api_tokens.c.token_id == token_id, api_tokens.c.user_id == user_id)
    return await session.run(delete(api_tokens).where(*mine))


async def end_tokens(session: WriteSession, user_id: str) -> int:
    """Forget all of an account's API tokens."""
    return await session.run(delete(api_tokens).where(api_tokens.c.user_id == user_id))
