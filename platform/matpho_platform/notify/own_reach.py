"""What people do about their own reach: confirm an address, subscribe a browser, try a channel, put things off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from matpho_contracts.ids import new_event_id
from matpho_contracts.times import now, unix_ms
from matpho_platform.access.one_time import OneTime, Purpose
from matpho_platform.notify import address_repository, repository
from matpho_platform.notify.delivery import Clock
from matpho_platform.notify.errors import AddressError, ChannelUnknownError
from matpho_platform.notify.outgoing import Language, Outgoing, Sender
from matpho_platform.notify.people import OWN, People
from matpho_platform.notify.reading import notice_of
from matpho_platform.notify.rendering import render
from matpho_platform.notify.schemas import MAX_KEY, Channel, Facts, Notice, Person, Template
from matpho_platform.notify.service import Notifier
from matpho_platform.notify.settings import Manners, is_email, is_phone
from matpho_platform.store.engine import Store

CODE_LIFE = timedelta(minutes=30)
REMINDER_LIFE = timedelta(hours=1)


@runtime_checkable
class Subscribes(Protocol):
    """A channel whose addresses browsers make."""

    public_key: str

    def checked(self, address: str) -> str:
        """An address as it is kept; raises AddressError."""
        ...


class OwnReach:
    """Each person for themselves; the caller says who asks."""

    def __init__(
        self,
        store: Store,
        notifier: Notifier,
        people: People,
        senders: Sequence[Sender],
        one_time: OneTime,
        manners: Manners,
        *,
        base: str,
        clock: Clock = now,
    ) -> None:
        self._store = store
        self._notifier = notifier
        self._people = people
        self._senders = {sender.channel: sender for sender in senders}
        self._one_time = one_time
        self._manners = manners
        self._base = base
        self._clock = clock

    async def try_out(self, channel: Channel, user_id: str) -> int:
        """Send a test notice to somebody over a channel, at once and past all manners; returns to how many addresses.

        Raises ChannelUnknownError, AddressError where they have none, and what the channel raises.
        """
        sender = self._sender(channel)
        async with self._store.reading() as session:
            addresses = await self._people.addresses(session, user_id, channel)
        if not addresses:
            raise AddressError(f"{user_id} has no address on {channel.value}.", action="Link or add one first.")
        language = (await self._people.preferences(user_id)).language
        notice = Notice(key="test", to=Person(user_id=user_id), template=Template.TEST, facts=Facts(time=self._clock()))
        for address in addresses:
            await sender.send(address.value, self._rendered(notice, language))
        return len(addresses)

    async def claim_address(self, user_id: str, channel: Channel, value: str) -> str:
        """Somebody says that a mail address or a telephone is theirs; what confirms it goes there. Returns its id.

        Raises ChannelUnknownError, AddressError, and what the channel raises.
        """
        fits = {Channel.EMAIL: is_email, Channel.SMS: is_phone}.get(channel)
        if fits is None or not fits(value):
            raise AddressError("An address is an e-mail address, or a telephone as +84912345678.")
        sender = self._sender(channel)
        async with self._store.writing() as session:
            address_id = await self._people.add(
                session, user_id, channel, value, origin=OWN, verified=False, at=self._clock()
            )
        payload = {"address_id": address_id}
        code = await self._one_time.give(Purpose.NOTICE_ADDRESS, CODE_LIFE, subject=user_id, payload=payload, only=True)
        language = (await self._people.preferences(user_id)).language
        facts = Facts(words={"code": code})
        notice = Notice(
            key=f"code:{address_id}:{code[:8]}", to=Person(user_id=user_id), template=Template.CODE, facts=facts
        )
        await sender.send(value, self._rendered(notice, language))
        return address_id

    async def confirm_address(self, user_id: str, code: str) -> None:
        """The code that went to an address: from now on notices do too. Raises OneTimeError, AddressError."""
        async with self._store.writing() as session:
            given = await self._one_time.take(code, Purpose.NOTICE_ADDRESS, within=session)
            if given.subject != user_id:
                raise AddressError("This code is not yours.")
            at_ms = unix_ms(self._clock())
            await self._people.verify(session, user_id, str(given.payload["address_id"]), at_ms)

    async def subscribe(self, user_id: str, subscription: str) -> str:
        """A browser of somebody's wants notices; returns the address's id. Raises ChannelUnknownError, AddressError."""
        sender = self._sender(Channel.WEB_PUSH)
        if not isinstance(sender, Subscribes):
            raise ChannelUnknownError("Browsers cannot subscribe here.")
        value = sender.checked(subscription)
        async with self._store.writing() as session:
            return await self._people.add(
                session, user_id, Channel.WEB_PUSH, value, origin=OWN, verified=True, at=self._clock()
            )

    @property
    def push_key(self) -> str:
        """What a page needs to subscribe a browser; empty where the installation does not push."""
        sender = self._senders.get(Channel.WEB_PUSH)
        return sender.public_key if isinstance(sender, Subscribes) else ""

    async def snooze(self, user_id: str, subject: str, *, at: datetime) -> datetime:
        """Put somebody's notices about a subject off, critical ones excepted; what they had of it lately comes again
        then. Returns until when."""
        until = at + timedelta(minutes=self._manners.snooze_minutes)
        async with self._store.writing() as session:
            await address_repository.mute(session, user_id, subject, unix_ms(until))
            last = await repository.last_about(session, user_id, subject)
            if last is not None:
                await self._notifier.promise(session, _again(notice_of(last), user_id, until), at=at)
        return until

    def _sender(self, channel: Channel) -> Sender:
        sender = self._senders.get(channel)
        if sender is None:
            raise ChannelUnknownError(f"This installation has no channel {channel.value}.")
        return sender

    def _rendered(self, notice: Notice, language: Language) -> Outgoing:
        return render([notice], language, key=f"{notice.key}:{new_event_id()}", token="", base=self._base)


def _again(notice: Notice, user_id: str, until: datetime) -> Notice:
    """The reminder after a snooze."""
    key = f"snooze:{unix_ms(until)}:{user_id}:{notice.about}"[:MAX_KEY]
    expires = until + REMINDER_LIFE
    return notice.model_copy(update={"key": key, "to": Person(user_id=user_id), "expires_at": expires, "alert": False})
