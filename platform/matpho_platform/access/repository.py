"""Queries on accounts, who vouches for them, and the devices they are known on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, Select, delete, exists, func, insert, or_, select, update

from matpho_platform.store.session import ReadSession, WriteSession
from matpho_platform.store.tables import accounts, known_devices, linked_identities, passkeys


async def find_account(session: ReadSession, user_id: str) -> RowMapping | None:
    """An account's row."""
    return await session.first(select(accounts).where(accounts.c.user_id == user_id))


async def all_accounts(session: ReadSession) -> Sequence[RowMapping]:
    """Every account, by id."""
    return await session.all(select(accounts).order_by(accounts.c.user_id))


async def page_of_accounts(session: ReadSession, after: str, part: str, limit: int) -> tuple[Sequence[RowMapping], int]:
    """Accounts with an id after `after` whose id or name holds `part`, and how many do in all."""
    fits = or_(accounts.c.user_id.contains(part, autoescape=True), accounts.c.name.contains(part, autoescape=True))
    rows = await session.all(
        select(accounts).where(fits, accounts.c.user_id > after).order_by(accounts.c.user_id).limit(limit)
    )
    return rows, int(await session.scalar(select(func.count()).select_from(accounts).where(fits)))


async def add_account(session: WriteSession, values: Mapping[str, Any]) -> None:
    """A new account; raises DuplicateError at the commit when it is there."""
    await session.run(insert(accounts).values(**values))


async def change_account(session: WriteSession, user_id: str, values: Mapping[str, Any]) -> int:
    """Change an account; returns how many there were."""
    return await session.run(update(accounts).where(accounts.c.user_id == user_id).values(**values))


def _who_can_sign_in(role: str) -> Select[Any]:
    of_account = passkeys.c.user_id == accounts.c.user_id
    linked = linked_identities.c.user_id == accounts.c.user_id
    can = or_(
        accounts.c.password_hash != "",
        exists(select(passkeys.c.passkey_id).where(of_account)),
        exists(select(linked_identities.c.subject).where(linked)),
    )
    enabled = accounts.c.disabled.is_(False)
    return select(accounts.c.user_id).where(accounts.c.role == role, enabled, can).order_by(accounts.c.user_id)


async def is_anybody(session: ReadSession, role: str) -> bool:
    """Whether there is an enabled account of a role that somebody can sign in to."""
    return await session.first(_who_can_sign_in(role).limit(1)) is not None


async def lock_all(session: WriteSession, role: str) -> Sequence[str]:
    """Ids of the enabled accounts of a role that somebody can sign in to; nobody changes them until the commit."""
    return [row["user_id"] for row in await session.all(_who_can_sign_in(role).with_for_update())]


async def find_identity(session: ReadSession, issuer: str, subject: str) -> RowMapping | None:
    """The account that somebody at a provider is linked to."""
    mine = (linked_identities.c.issuer == issuer, linked_identities.c.subject == subject)
    return await session.first(select(linked_identities).where(*mine))


async def identities_of(session: ReadSession, user_id: str) -> Sequence[RowMapping]:
    """Who vouches for an account."""
    mine = linked_identities.c.user_id == user_id
    return await session.all(select(linked_identities).where(mine).order_by(linked_identities.c.issuer))


async def link_identity(session: WriteSession, values: Mapping[str, Any]) -> None:
    """Link; raises DuplicateError at the commit when that person is linked already."""
    await session.run(insert(linked_identities).values(**values))


async def unlink_identities(session: WriteSession, user_id: str) -> int:
    """Forget who vouches for an account."""
    return await session.run(delete(linked_identities).where(linked_identities.c.user_id == user_id))


async def is_known_device(session: ReadSession, device_hash: str, user_id: str, since_ms: int) -> bool:
    """Whether an account was signed in to from a device since then."""
    mine = (known_devices.c.device_hash == device_hash, known_devices.c.user_id == user_id)
    query = select(known_devices.c.used_ms).where(*mine, known_devices.c.used_ms >= since_ms)
    return await session.first(query) is not None


async def rename_device(session: WriteSession, old: str, new: str) -> None:
    """Everybody known on a device is known by its new name."""
    await session.run(update(known_devices).where(known_devices.c.device_hash == old).values(device_hash=new))


async def remember_device(session: WriteSession, device_hash: str, user_id: str, at_ms: int) -> None:
    """An account was signed in to from a device."""
    mine = (known_devices.c.device_hash == device_hash, known_devices.c.user_id == user_id)
    if not await session.run(update(known_devices).where(*mine).values(used_ms=at_ms)):
        await session.run(insert(known_devices).values(device_hash=device_hash, user_id=user_id, used_ms=at_ms))


async def forget_devices(session: WriteSession, user_id: str, before_ms: int | None = None) -> None:
    """Forget an account's devices, all or those not used since."""
    query = delete(known_devices).where(known_devices.c.user_id == user_id)
    await session.run(query if before_ms is None else query.where(known_devices.c.used_ms < before_ms))
