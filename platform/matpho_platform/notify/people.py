"""How people want to be reached, and where: the roster's addresses, their own, and chats that they linked.

An address comes from the settings, from its owner in a signed-in session, or from linking a chat; never from an event,
a report or a model. It is kept sealed.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping

from matpho_contracts.ids import new_event_id
from matpho_contracts.times import AwareDatetime, from_unix_ms, now, unix_ms
from matpho_platform.notify import address_repository as repository
from matpho_platform.notify.errors import AddressError
from matpho_platform.notify.outgoing import Language
from matpho_platform.notify.schemas import CHATS, Channel
from matpho_platform.notify.settings import NotifySettings, PersonEntry
from matpho_platform.store.engine import Store
from matpho_platform.store.sealing import Vault
from matpho_platform.store.session import ReadSession, WriteSession

ROSTER, OWN, LINKED = "roster", "own", "linked"
MAX_ADDRESSES = 10
"""Of one person on one channel: browsers, mostly."""
DAY_MINUTES = 24 * 60
Minute = Annotated[int, Field(ge=0, lt=DAY_MINUTES)]


class Preferences(BaseModel):
    """How somebody wants to be reached."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Language = "vi"
    channels: tuple[Channel, ...] = Field(default=(), max_length=len(Channel))
    """In this order; the installation's others follow. Empty: the installation's order."""
    quiet_from: Minute | None = None
    quiet_to: Minute | None = None
    """Minutes of the local day between which only critical notices come; both or neither."""


class AddressView(BaseModel):
    """An address as its owner sees it, its middle hidden."""

    id: str
    channel: Channel
    shown: str
    origin: str
    verified: bool
    dead: bool
    created_at: AwareDatetime


@dataclass(frozen=True, slots=True)
class Address:
    """Where a channel reaches somebody; its repr says nothing."""

    address_id: str
    value: str

    def __repr__(self) -> str:
        return f"Address({self.address_id!r})"


@dataclass(frozen=True, slots=True)
class Reach:
    """How somebody can be reached now: their wishes, and the channels that have an address, in their order."""

    preferences: Preferences
    channels: tuple[Channel, ...]


class People:
    """Preferences and addresses of all accounts."""

    def __init__(self, store: Store, vault: Vault, settings: NotifySettings, channels: Collection[Channel]) -> None:
        self._store = store
        self._vault = vault
        self._settings = settings
        self._channels = frozenset(channels)

    async def configure(self) -> None:
        """Take over the roster of the settings: what it names is there, what it named before is not."""
        wanted = {(entry.user_id, channel, value) for entry in self._settings.people for channel, value in _of(entry)}
        marks = {(user_id, channel, self._mark(channel, value)): value for user_id, channel, value in wanted}
        async with self._store.writing() as session:
            for row in await repository.of_origin(session, ROSTER):
                if (row["user_id"], Channel(row["channel"]), row["mark"]) not in marks:
                    await repository.drop(session, row["address_id"])
            for (user_id, channel, mark), value in marks.items():
                await repository.put(session, self._row(user_id, channel, mark, value, ROSTER, unix_ms(now())))

    async def preferences(self, user_id: str) -> Preferences:
        """Somebody's wishes, or the defaults."""
        async with self._store.reading() as session:
            return _preferences((await repository.wishes(session, [user_id])).get(user_id))

    async def wish(self, user_id: str, wanted: Preferences, *, at: datetime | None = None) -> None:
        """Note somebody's wishes; raises AddressError for quiet hours with one end."""
        if (wanted.quiet_from is None) != (wanted.quiet_to is None):
            raise AddressError("Quiet hours have a beginning and an end.")
        values = {
            "user_id": user_id,
            "language": wanted.language,
            "channels": json.dumps([channel.value for channel in wanted.channels]),
            "quiet_from": wanted.quiet_from,
            "quiet_to": wanted.quiet_to,
            "changed_ms": unix_ms(at or now()),
        }
        async with self._store.writing() as session:
            await repository.set_wishes(session, values)

    async def reach(self, session: ReadSession, user_ids: Collection[str]) -> dict[str, Reach]:
        """How some people can be reached; verified, living addresses on channels that are there."""
        wishes = await repository.wishes(session, user_ids)
        alive = await repository.channels_of(session, user_ids)
        found: dict[str, Reach] = {}
        for user_id in user_ids:
            preferences = _preferences(wishes.get(user_id))
            order = dict.fromkeys((*preferences.channels, *self._settings.order))
            mine = alive.get(user_id, frozenset())
            usable = tuple(one for one in order if one in self._channels and one.value in mine)
            found[user_id] = Reach(preferences, usable)
        return found

    async def addresses(self, session: ReadSession, user_id: str, channel: Channel) -> Sequence[Address]:
        """Where a channel reaches somebody now."""
        return (await self.addresses_of(session, [user_id], channel))[user_id]

    async def addresses_of(
        self, session: ReadSession, user_ids: Collection[str], channel: Channel
    ) -> dict[str, tuple[Address, ...]]:
        """Where a channel reaches some people now."""
        found: dict[str, tuple[Address, ...]] = dict.fromkeys(user_ids, ())
        for row in await repository.living_of(session, user_ids, channel.value):
            found[row["user_id"]] += (Address(row["address_id"], self._open(row)),)
        return found

    async def bury(self, session: WriteSession, address_id: str, at_ms: int) -> None:
        """A channel says that an address is nobody's any more."""
        await repository.change(session, address_id, {"dead_ms": at_ms})

    async def add(
        self,
        session: WriteSession,
        user_id: str,
        channel: Channel,
        value: str,
        *,
        origin: str,
        verified: bool,
        at: datetime,
    ) -> str:
        """Note an address of somebody, and return its id; raises AddressError where there are too many."""
        if len(await repository.living_of(session, [user_id], channel.value)) >= MAX_ADDRESSES:
            raise AddressError("There are too many addresses on this channel.", action="Remove one first.")
        row = self._row(user_id, channel, self._mark(channel, value), value, origin, unix_ms(at), verified=verified)
        return await repository.put(session, row)

    async def link(self, session: WriteSession, user_id: str, channel: Channel, chat: str, at: datetime) -> None:
        """Bind a chat to an account, and to no other: both the account's earlier chat and the chat's earlier account
        are let go."""
        mark = self._mark(channel, chat)
        await repository.drop_owner(session, _owner(channel, mark))
        await repository.drop_channel(session, user_id, channel.value)
        await repository.put(session, self._row(user_id, channel, mark, chat, LINKED, unix_ms(at)))

    async def linked_to(self, session: ReadSession, channel: Channel, chat: str) -> str | None:
        """The account that a chat is linked to."""
        row = await repository.by_owner(session, _owner(channel, self._mark(channel, chat)))
        return None if row is None or row["verified_ms"] is None else str(row["user_id"])

    async def is_linked(self, session: ReadSession, user_id: str, channel: Channel) -> bool:
        """Whether an account has a chat on a channel, also one that is dead."""
        return any(row["channel"] == channel.value for row in await repository.all_of(session, user_id))

    async def own(self, user_id: str) -> Sequence[AddressView]:
        """Somebody's addresses, for themselves."""
        async with self._store.reading() as session:
            rows = await repository.all_of(session, user_id)
        return tuple(self._view(row) for row in rows)

    async def remove(self, user_id: str, address_id: str) -> None:
        """Forget an address of one's own; raises AddressError for any other and for the roster's."""
        async with self._store.writing() as session:
            row = await repository.one(session, address_id)
            if row is None or row["user_id"] != user_id or row["origin"] == ROSTER:
                raise AddressError("This is no address of yours that you can remove.")
            await repository.drop(session, address_id)

    async def verify(self, session: WriteSession, user_id: str, address_id: str, at_ms: int) -> None:
        """Its owner has shown that an address is theirs; raises AddressError."""
        row = await repository.one(session, address_id)
        if row is None or row["user_id"] != user_id:
            raise AddressError("There is no such address of yours.")
        await repository.change(session, address_id, {"verified_ms": at_ms, "dead_ms": None})

    def _row(
        self, user_id: str, channel: Channel, mark: str, value: str, origin: str, at_ms: int, *, verified: bool = True
    ) -> dict[str, object]:
        return {
            "address_id": new_event_id(),
            "user_id": user_id,
            "channel": channel.value,
            "sealed": self._vault.seal(value.encode(), f"{user_id}:{channel.value}"),
            "mark": mark,
            "owner": _owner(channel, mark) if channel in CHATS else None,
            "origin": origin,
            "verified_ms": at_ms if verified else None,
            "created_ms": at_ms,
            "dead_ms": None,
        }

    def _mark(self, channel: Channel, value: str) -> str:
        return self._vault.commit(f"{channel.value}:{value}".encode())

    def _open(self, row: RowMapping) -> str:
        return self._vault.open(row["sealed"], f"{row['user_id']}:{row['channel']}").decode()

    def _view(self, row: RowMapping) -> AddressView:
        channel = Channel(row["channel"])
        return AddressView(
            id=row["address_id"],
            channel=channel,
            shown=_hidden(channel, self._open(row)),
            origin=row["origin"],
            verified=row["verified_ms"] is not None,
            dead=row["dead_ms"] is not None,
            created_at=from_unix_ms(row["created_ms"]),
        )


def _owner(channel: Channel, mark: str) -> str:
    return f"{channel.value[:12]}:{mark}"


def _of(entry: PersonEntry) -> Iterator[tuple[Channel, str]]:
    for channel, value in (
        (Channel.EMAIL, entry.email),
        (Channel.SMS, entry.phone),
        (Channel.WEBHOOK, entry.webhook),
        (Channel.APPRISE, entry.apprise),
    ):
        if value is not None:
            yield channel, value


def _preferences(row: Mapping[str, object] | RowMapping | None) -> Preferences:
    if row is None:
        return Preferences()
    return Preferences(
        language="en" if row["language"] == "en" else "vi",
        channels=tuple(Channel(name) for name in json.loads(str(row["channels"]))),
        quiet_from=row["quiet_from"],
        quiet_to=row["quiet_to"],
    )


def _hidden(channel: Channel, value: str) -> str:
    if channel is Channel.WEB_PUSH:
        return "…"
    if channel is Channel.EMAIL:
        name, _, domain = value.partition("@")
        return f"{name[:2]}…@{domain}"
    return f"…{value[-3:]}"
