"""Queries on how and where people are reached."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, delete, insert, select, update

from matpho_platform.store.session import ReadSession, WriteSession
from matpho_platform.store.tables import notify_addresses, notify_mutes, notify_people


async def wishes(session: ReadSession, user_ids: Collection[str]) -> Mapping[str, RowMapping]:
    """Some people's wishes, by account."""
    rows = await session.all(select(notify_people).where(notify_people.c.user_id.in_(list(user_ids))))
    return {row["user_id"]: row for row in rows}


async def set_wishes(session: WriteSession, values: Mapping[str, Any]) -> None:
    """Note somebody's wishes in place of earlier ones."""
    await session.run(delete(notify_people).where(notify_people.c.user_id == values["user_id"]))
    await session.run(insert(notify_people).values(**values))


async def channels_of(session: ReadSession, user_ids: Collection[str]) -> Mapping[str, frozenset[str]]:
    """On which channels some people have an address that is verified and lives."""
    good = (notify_addresses.c.verified_ms.is_not(None), notify_addresses.c.dead_ms.is_(None))
    query = select(notify_addresses.c.user_id, notify_addresses.c.channel).distinct()
    rows = await session.all(query.where(notify_addresses.c.user_id.in_(list(user_ids)), *good))
    return {who: frozenset(row["channel"] for row in rows if row["user_id"] == who) for who in user_ids}


async def all_of(session: ReadSession, user_id: str) -> Sequence[RowMapping]:
    """Every address of somebody."""
    mine = notify_addresses.c.user_id == user_id
    order = (notify_addresses.c.channel, notify_addresses.c.created_ms)
    return await session.all(select(notify_addresses).where(mine).order_by(*order))


async def of_origin(session: ReadSession, origin: str) -> Sequence[RowMapping]:
    """Every address that came this way."""
    return await session.all(select(notify_addresses).where(notify_addresses.c.origin == origin))


async def one(session: ReadSession, address_id: str) -> RowMapping | None:
    """An address."""
    return await session.first(select(notify_addresses).where(notify_addresses.c.address_id == address_id))


async def by_owner(session: ReadSession, owner: str) -> RowMapping | None:
    """The address of a chat account."""
    return await session.first(select(notify_addresses).where(notify_addresses.c.owner == owner))


async def put(session: WriteSession, values: Mapping[str, Any]) -> str:
    """A new address, or the one that says the same already; returns its id."""
    mine = (
        notify_addresses.c.user_id == values["user_id"],
        notify_addresses.c.channel == values["channel"],
        notify_addresses.c.mark == values["mark"],
    )
    there = await session.first(select(notify_addresses.c.address_id, notify_addresses.c.verified_ms).where(*mine))
    if there is None:
        await session.run(insert(notify_addresses).values(**values))
        return str(values["address_id"])
    if values["verified_ms"] is not None:
        alive = {"verified_ms": there["verified_ms"] or values["verified_ms"], "dead_ms": None}
        await session.run(update(notify_addresses).where(*mine).values(origin=values["origin"], **alive))
    return str(there["address_id"])


async def change(session: WriteSession, address_id: str, values: Mapping[str, Any]) -> None:
    """Change an address."""
    await session.run(update(notify_addresses).where(notify_addresses.c.address_id == address_id).values(**values))


async def drop(session: WriteSession, address_id: str) -> None:
    """Forget an address."""
    await session.run(delete(notify_addresses).where(notify_addresses.c.address_id == address_id))


async def drop_owner(session: WriteSession, owner: str) -> None:
    """Forget to whom a chat account belongs."""
    await session.run(delete(notify_addresses).where(notify_addresses.c.owner == owner))


async def drop_channel(session: WriteSession, user_id: str, channel: str) -> None:
    """Forget somebody's addresses on a channel."""
    mine = (notify_addresses.c.user_id == user_id, notify_addresses.c.channel == channel)
    await session.run(delete(notify_addresses).where(*mine))


async def mute(session: WriteSession, user_id: str, subject: str, until_ms: int) -> None:
    """Somebody's notices about a subject wait until then."""
    mine = (notify_mutes.c.user_id == user_id, notify_mutes.c.subject == subject)
    await session.run(delete(notify_mutes).where(*mine))
    await session.run(insert(notify_mutes).values(user_id=user_id, subject=subject, until_ms=until_ms))


async def muted(session: ReadSession, user_ids: Collection[str], at_ms: int) -> Mapping[tuple[str, str], int]:
    """Until when some people's notices about subjects wait (Unix ms), by person and subject."""
    mine = (notify_mutes.c.user_id.in_(list(user_ids)), notify_mutes.c.until_ms > at_ms)
    rows = await session.all(select(notify_mutes).where(*mine))
    return {(row["user_id"], row["subject"]): row["until_ms"] for row in rows}


async def living_of(session: ReadSession, user_ids: Collection[str], channel: str) -> Sequence[RowMapping]:
    """Verified, living addresses of some people on a channel, the newest first."""
    mine = (notify_addresses.c.user_id.in_(list(user_ids)), notify_addresses.c.channel == channel)
    good = (notify_addresses.c.verified_ms.is_not(None), notify_addresses.c.dead_ms.is_(None))
    order = (notify_addresses.c.created_ms.desc(), notify_addresses.c.address_id)
    return await session.all(select(notify_addresses).where(*mine, *good).order_by(*order))
