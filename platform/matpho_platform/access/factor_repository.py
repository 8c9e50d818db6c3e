"""Queries on second factors, passkeys, and what is given out once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, delete, insert, select, update

from matpho_platform.store.session import ReadSession, WriteSession
from matpho_platform.store.tables import one_time, passkeys, recovery_codes, totp_factors


async def find_totp(session: ReadSession, user_id: str) -> RowMapping | None:
    """An account's code generator, confirmed or not."""
    return await session.first(select(totp_factors).where(totp_factors.c.user_id == user_id))


async def put_totp(session: WriteSession, values: Mapping[str, Any]) -> None:
    """A new code generator in place of an unconfirmed one; DuplicateError at the commit beside a confirmed one."""
    unconfirmed = (totp_factors.c.user_id == values["user_id"], totp_factors.c.confirmed.is_(False))
    await session.run(delete(totp_factors).where(*unconfirmed))
    await session.run(insert(totp_factors).values(**values))


async def take_step(session: WriteSession, user_id: str, step: int, *, confirm: bool) -> int:
    """Take a code's time step; 0 when it or a later one was taken before, by whomever."""
    mine = (
        totp_factors.c.user_id == user_id,
        totp_factors.c.last_step < step,
        totp_factors.c.confirmed.is_(not confirm),
    )
    return await session.run(update(totp_factors).where(*mine).values(last_step=step, confirmed=True))


async def drop_totp(session: WriteSession, user_id: str) -> int:
    """Forget an account's code generator and its recovery codes."""
    await session.run(delete(recovery_codes).where(recovery_codes.c.user_id == user_id))
    return await session.run(delete(totp_factors).where(totp_factors.c.user_id == user_id))


async def replace_recovery_codes(session: WriteSession, user_id: str, hashes: Sequence[str]) -> None:
    """New recovery codes in place of all old ones."""
    await session.run(delete(recovery_codes).where(recovery_codes.c.user_id == user_id))
    await session.run(insert(recovery_codes), [{"user_id": user_id, "code_hash": code} for code in hashes])


async def take_recovery_code(session: WriteSession, user_id: str, code_hash: str) -> int:
    """Use a recovery code up; 0 when there is none like it."""
    mine = (recovery_codes.c.user_id == user_id, recovery_codes.c.code_hash == code_hash)
    return await session.run(delete(recovery_codes).where(*mine))


async def recovery_codes_left(session: ReadSession, user_id: str) -> int:
    """How many recovery codes an account has."""
    return len(await session.all(select(recovery_codes.c.code_hash).where(recovery_codes.c.user_id == user_id)))


async def find_passkey(session: ReadSession, passkey_id: str) -> RowMapping | None:
    """A passkey."""
    return await session.first(select(passkeys).where(passkeys.c.passkey_id == passkey_id))


async def passkeys_of(session: ReadSession, user_id: str) -> Sequence[RowMapping]:
    """An account's passkeys, the oldest first."""
    return await session.all(select(passkeys).where(passkeys.c.user_id == user_id).order_by(passkeys.c.created_ms))


async def add_passkey(session: WriteSession, values: Mapping[str, Any]) -> None:
    """A new passkey; DuplicateError at the commit when the authenticator is registered already."""
    await session.run(insert(passkeys).values(**values))


async def use_passkey(session: WriteSession, passkey_id: str, counted: int, count: int, at_ms: int) -> int:
    """Note a passkey's new signature counter; 0 when somebody noted another meanwhile."""
    mine = (passkeys.c.passkey_id == passkey_id, passkeys.c.sign_count == counted)
    return await session.run(update(passkeys).where(*mine).values(sign_count=count, used_ms=at_ms))


async def drop_passkey(session: WriteSession, passkey_id: str, user_id: str) -> int:
    """Forget one of an account's passkeys."""
    mine = (passkeys.c.passkey_id == passkey_id, passkeys.c.user_id == user_id)
    return await session.run(delete(passkeys).where(*mine))


async def drop_passkeys(session: WriteSession, user_id: str) -> int:
    """Forget all of an account's passkeys."""
    return await session.run(delete(passkeys).where(passkeys.c.user_id == user_id))


async def add_one_time(session: WriteSession, values: Mapping[str, Any], at_ms: int) -> None:
    """Give something out once; what has run out is forgotten."""
    await session.run(delete(one_time).where(one_time.c.expires_ms < at_ms))
    await session.run(insert(one_time).values(**values))


async def find_one_time(session: ReadSession, secret_hash: str, purpose: str) -> RowMapping | None:
    """What was given out under a secret."""
    mine = (one_time.c.secret_hash == secret_hash, one_time.c.purpose == purpose)
    return await session.first(select(one_time).where(*mine))


async def take_one_time(session: WriteSession, secret_hash: str) -> int:
    """Take it back; 0 when it was taken before."""
    return await session.run(delete(one_time).where(one_time.c.secret_hash == secret_hash))


async def waiting_one_time(session: ReadSession, purpose: str, at_ms: int) -> int:
    """How many of a purpose are out and have not run out."""
    mine = (one_time.c.purpose == purpose, one_time.c.expires_ms >= at_ms)
    return len(await session.all(select(one_time.c.secret_hash).where(*mine)))


async def drop_one_time(session: WriteSession, purpose: str, subject: str) -> None:
    """Take back all of a purpose that were given out to somebody."""
    mine = (one_time.c.purpose == purpose, one_time.c.subject == subject)
    await session.run(delete(one_time).where(*mine))
