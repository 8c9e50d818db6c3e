"""Binding a chat to an account: a code made in a signed-in web session, sent once from the chat itself.

1 the account asks in its browser for a code of 256 bits, good once and for ten minutes; who has a chat already shows
their second factor first, so that a stolen session cannot take the chat over
2 the chat sends the code: from now on it is that account's, alone, and an earlier chat of the account is not
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from matpho_platform.access.accounts import Accounts
from matpho_platform.access.errors import OneTimeError
from matpho_platform.access.one_time import Purpose
from matpho_platform.access.principal import Principal
from matpho_platform.notify.errors import ChannelUnknownError
from matpho_platform.notify.people import People
from matpho_platform.notify.schemas import CHATS, Channel
from matpho_platform.notify.settings import NotifySettings
from matpho_platform.store.engine import Store

LIFE = timedelta(minutes=10)
_CODE = re.compile(r"^(?:/start\s+)?([A-Za-z0-9_-]{43})$")


@dataclass(frozen=True, slots=True)
class LinkCode:
    """A code for a chat, for its owner's page alone."""

    code: str
    link: str
    """Opens the chat with the code in it, where the platform can; else empty."""

    def __repr__(self) -> str:
        return "LinkCode()"


class Linking:
    """Makes codes and takes them back."""

    def __init__(self, store: Store, accounts: Accounts, people: People, settings: NotifySettings) -> None:
        self._store = store
        self._accounts = accounts
        self._people = people
        self._settings = settings

    async def begin(self, principal: Principal, channel: Channel) -> LinkCode:
        """Step 1. Raises ChannelUnknownError, StepUpError where a chat is linked already."""
        if channel not in CHATS or getattr(self._settings, channel.value) is None:
            raise ChannelUnknownError("This installation has no such chat.")
        async with self._store.reading() as session:
            linked = await self._people.is_linked(session, principal.user_id, channel)
        if linked:
            await self._accounts.require_fresh(principal)
        code = await self._accounts.one_time.give(
            Purpose.CHAT_LINK, LIFE, subject=principal.user_id, payload={"channel": channel.value}, only=True
        )
        telegram = self._settings.telegram
        named = telegram is not None and channel is Channel.TELEGRAM
        link = f"https://t.me/{telegram.name}?start={code}" if named and telegram is not None else ""
        return LinkCode(code, link)

    async def redeem(self, channel: Channel, chat: str, code: str, at: datetime) -> str | None:
        """Step 2: the account that the chat is bound to from now on; None for a code that is not good here."""
        try:
            async with self._store.writing() as session:
                given = await self._accounts.one_time.take(code, Purpose.CHAT_LINK, within=session)
                if given.payload.get("channel") != channel.value:
                    return None
                await self._people.link(session, given.subject, channel, chat, at)
        except OneTimeError:
            return None
        return given.subject


def code_in(text: str) -> str | None:
    """The code that a message consists of, or None."""
    found = _CODE.fullmatch(text.strip())
    return found[1] if found else None
