"""What people do in chats, done: linking, and answers to notices by whoever they were sent to. Nothing else.

1 a group is no person: only private chats are heard
2 a code links the chat to the account that made it
3 a button or answer words name an act and a message; the chat must be linked, the message must be that account's, and
sent over this very channel
4 Telegram itself must vouch for a press: a forged, replayed or old one it does not answer for
5 the act goes through the tool gateway as that account, with all that the policy says of it; approvals and
confirmations of anything else have no way in
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import structlog
from sqlalchemy import RowMapping

from matpho_contracts.errors import MatphoError
from matpho_contracts.times import now, unix_ms
from matpho_platform.notify import repository
from matpho_platform.notify import update_repository as updates
from matpho_platform.notify.channels.telegram import CODES
from matpho_platform.notify.delivery import Clock
from matpho_platform.notify.errors import RefusedError
from matpho_platform.notify.linking import Linking, code_in
from matpho_platform.notify.outgoing import Language
from matpho_platform.notify.people import People
from matpho_platform.notify.reading import notice_of
from matpho_platform.notify.rendering import said
from matpho_platform.notify.schemas import Action, Channel, Notice, Receipt, ReceiptKind
from matpho_platform.notify.service import Notifier
from matpho_platform.notify.updates import Inbox, Update
from matpho_platform.store.engine import Store

POLL_S = 0.5
AT_ONCE = 16
LEASE_MS = 60_000
MAX_ATTEMPTS = 5
PROVED = "proved"
_PRESS = re.compile(r"^([asf]):([2-9A-Z]{10})$")
_ANSWER = re.compile(r"^(NHAN|NHẬN|ACK|HOAN|HOÃN|SNOOZE|GIA|GIẢ|FALSE)\s+([2-9A-Z]{10})$")
_LETTERS = {letter: action for action, letter in CODES.items()}
_SAID = {
    **dict.fromkeys(("NHAN", "NHẬN", "ACK"), Action.ACKNOWLEDGE),
    **dict.fromkeys(("HOAN", "HOÃN", "SNOOZE"), Action.SNOOZE),
    **dict.fromkeys(("GIA", "GIẢ", "FALSE"), Action.FALSE_ALARM),
}
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Wish:
    """An act that somebody asked for in a chat, of those that a notice of theirs offers."""

    user_id: str
    action: Action
    channel: Channel
    notice_id: str
    notice: Notice
    language: Language


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a wish; `why` says it to the person where it was not done."""

    good: bool
    why: str = ""


Acts = Callable[[Wish], Awaitable[Done]]
"""Does a wish through the tool gateway."""


class Talks(Protocol):
    """A channel that can answer."""

    async def say(self, chat: str, text: str) -> None:
        """A sentence to a chat."""
        ...


class Presses(Protocol):
    """A channel that vouches for presses."""

    async def answer_press(self, query_id: str, text: str) -> None:
        """Answer one; raises RefusedError for one that it does not know."""
        ...


class ChatDesk:
    """Does what came in."""

    def __init__(
        self,
        store: Store,
        inbox: Inbox,
        notifier: Notifier,
        people: People,
        linking: Linking,
        senders: dict[Channel, object],
        *,
        clock: Clock = now,
    ) -> None:
        self._store = store
        self._inbox = inbox
        self._notifier = notifier
        self._people = people
        self._linking = linking
        self._senders = senders
        self._clock = clock
        self.acts: Acts | None = None
        """Set by whoever has the gateway; until then no act is taken from a chat."""

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            if not await self.drain():
                await asyncio.sleep(POLL_S)

    async def drain(self) -> bool:
        """Do the updates that are due; whether there were any."""
        at_ms = unix_ms(self._clock())
        async with self._store.reading() as session:
            if not await updates.any_due(session, at_ms):
                return False
        async with self._store.writing() as session:
            rows = await updates.claim(session, at_ms, AT_ONCE, at_ms + LEASE_MS)
        for row in rows:
            await self._row(row)
        return bool(rows)

    async def _row(self, row: RowMapping) -> None:
        channel = Channel(row["channel"])
        update = self._inbox.open(channel, row["update_id"], row["body"])
        try:
            outcome = await self._do(channel, update, proved=row["outcome"] == PROVED)
        except MatphoError as error:
            _log.warning("chat_update_failed", channel=channel.value, code=error.code)
            if row["attempts"] + 1 < MAX_ATTEMPTS:
                return
            outcome = "failed"
        done = {"due_ms": None, "body": None, "outcome": outcome[:24]}
        async with self._store.writing() as session:
            await updates.change(session, channel.value, row["update_id"], done)

    async def _do(self, channel: Channel, update: Update, *, proved: bool) -> str:
        for foreign_id, kind in update.receipts:
            receipt = Receipt(channel=channel, foreign_id=foreign_id, kind=ReceiptKind(kind))
            await self._notifier.receipt(receipt, at=self._clock())
        if update.receipts or not update.chat or not (update.text or update.press):
            return "receipt" if update.receipts else "empty"
        if not update.private:  # 1
            return "group"
        code = code_in(update.text)
        if code is not None:
            return await self._link(channel, update.chat, code)  # 2
        asked = _asked(channel, update)
        async with self._store.reading() as session:
            user_id = await self._people.linked_to(session, channel, update.chat)
        if user_id is None:
            await self._say(channel, update.chat, "unlinked", "vi")
            return "unlinked"
        language = (await self._people.preferences(user_id)).language
        if asked is None:
            await self._say(channel, update.chat, "help", language)
            return "help"
        wish = await self._wish(channel, user_id, *asked, language)  # 3
        if wish is None:
            await self._say(channel, update.chat, "gone", language)
            return "gone"
        if update.query and not proved and not await self._vouched(channel, update, language):  # 4
            return "forged"
        return await self._act(update.chat, wish)  # 5

    async def _link(self, channel: Channel, chat: str, code: str) -> str:
        user_id = await self._linking.redeem(channel, chat, code, self._clock())
        if user_id is None:
            await self._say(channel, chat, "bad_code", "vi")
            return "bad_code"
        await self._say(channel, chat, "linked", (await self._people.preferences(user_id)).language, who=user_id)
        return "linked"

    async def _wish(
        self, channel: Channel, user_id: str, action: Action, token: str, language: Language
    ) -> Wish | None:
        async with self._store.reading() as session:
            row = await repository.message(session, token)
            if row is None or row["user_id"] != user_id or row["channel"] != channel.value:
                return None
            contents = await repository.contents_of(session, [row["message_id"]])
        offered = len(contents) == 1 and contents[0]["expires_ms"] > unix_ms(self._clock())
        if not offered or action not in notice_of(contents[0]).actions:
            return None
        return Wish(user_id, action, channel, contents[0]["notice_id"], notice_of(contents[0]), language)

    async def _vouched(self, channel: Channel, update: Update, language: Language) -> bool:
        sender = self._senders.get(channel)
        if not hasattr(sender, "answer_press"):
            return False
        presses: Presses = sender
        try:
            await presses.answer_press(update.query, "…")
        except RefusedError:
            return False
        async with self._store.writing() as session:
            await updates.change(session, channel.value, update.update_id, {"outcome": PROVED})
        return True

    async def _act(self, chat: str, wish: Wish) -> str:
        done = await self.acts(wish) if self.acts is not None else Done(False, "-")
        if done.good:
            at_ms = unix_ms(self._clock())
            async with self._store.writing() as session:
                await self._notifier.acted(session, [wish.notice_id], wish.user_id, at_ms)
            name = said("actions", wish.action.value, wish.language)
            await self._say(wish.channel, chat, "done", wish.language, action=name)
            return wish.action.value
        await self._say(wish.channel, chat, "refused", wish.language, why=done.why)
        return "refused"

    async def _say(self, channel: Channel, chat: str, sentence: str, language: Language, **values: str) -> None:
        """A reply; it may get lost, what was done stands."""
        sender = self._senders.get(channel)
        if hasattr(sender, "say"):
            talks: Talks = sender
            with contextlib.suppress(MatphoError):
                await talks.say(chat, said("replies", sentence, language, **values))


def _asked(channel: Channel, update: Update) -> tuple[Action, str] | None:
    """The act and the message that a press or a text names. Telegram has buttons, and takes no answer words."""
    if channel is Channel.TELEGRAM:
        found = _PRESS.fullmatch(update.press) if update.query else None
        return (_LETTERS[found[1]], found[2]) if found else None
    found = _ANSWER.fullmatch(" ".join(update.text.upper().split()))
    return (_SAID[found[1]], found[2]) if found else None
