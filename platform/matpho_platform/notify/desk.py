"""The notification desk of a center put together: the settings' channels, router, couriers, the watch over all."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path

import structlog

from matpho_contracts.signing import SigningKey
from matpho_contracts.times import now, unix_ms
from matpho_platform.access.accounts import Accounts
from matpho_platform.cameras.areas import AreaTree
from matpho_platform.notify import repository
from matpho_platform.notify.channels.http import Http
from matpho_platform.notify.channels.sms import SmsSender
from matpho_platform.notify.channels.telegram import TelegramSender
from matpho_platform.notify.channels.webhook import WebhookSender
from matpho_platform.notify.channels.zalo_bot import ZaloBotSender
from matpho_platform.notify.channels.zalo_oa import ZaloOaSender, ZaloTokens
from matpho_platform.notify.chats import ChatDesk
from matpho_platform.notify.delivery import LEASE_MS, Clock, Courier, Picture
from matpho_platform.notify.linking import Linking
from matpho_platform.notify.outgoing import Sender
from matpho_platform.notify.own_reach import OwnReach
from matpho_platform.notify.people import People
from matpho_platform.notify.routing import Router
from matpho_platform.notify.schemas import UNDELIVERED_AFTER
from matpho_platform.notify.service import Notifier
from matpho_platform.notify.settings import NotifySettings
from matpho_platform.notify.updates import Inbox
from matpho_platform.store.engine import Store
from matpho_platform.store.sealing import Vault
from matpho_platform.workers import Workers

POLL_S = 0.5
WATCH_EVERY_S = 2.0
MISSED_AT_ONCE = 100
_log = structlog.get_logger(__name__)


class Desk:
    """Delivers what `notifier` promises."""

    def __init__(
        self,
        store: Store,
        notifier: Notifier,
        people: People,
        senders: Sequence[Sender],
        *,
        router: Router,
        base: str,
        http: Http,
        inbox: Inbox,
        linking: Linking,
        own: OwnReach,
        picture: Picture | None = None,
        clock: Clock = now,
        lease_ms: int = LEASE_MS,
    ) -> None:
        self._store = store
        self.notifier = notifier
        self.people = people
        self.senders = {sender.channel: sender for sender in senders}
        self.base = base
        self._router = router
        self._http = http
        self._clock = clock
        self.inbox = inbox
        self.linking = linking
        self.own = own
        self.chats = ChatDesk(store, inbox, notifier, people, linking, dict(self.senders), clock=clock)
        self.couriers = tuple(
            Courier(
                store, sender, people, base=base, picture=picture, failed=notifier.wake, clock=clock, lease_ms=lease_ms
            )
            for sender in senders
        )

    def start(self, workers: Workers) -> None:
        """Begin to deliver, under supervision."""
        workers.start("notify-router", self.run)
        workers.start("notify-watch", self.keep_watch)
        workers.start("notify-chats", self.chats.run)
        for courier in self.couriers:
            workers.start(f"notify-{courier.channel}", courier.run)

    async def run(self) -> None:
        """Route until cancelled."""
        woken = self.notifier.woken
        while True:
            woken.clear()
            if not await self.route():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL_S):
                        await woken.wait()

    async def route(self) -> bool:
        """Make messages of the notices that are due; whether there were any."""
        at_ms = unix_ms(self._clock())
        async with self._store.reading() as session:
            if not await repository.any_due(session, at_ms):
                return False
        async with self._store.writing() as session:
            number = await self._router.route(session, at_ms)
        for courier in self.couriers:
            courier.wake()
        return bool(number)

    async def keep_watch(self) -> None:
        """Say in the log, once for each, what has reached nobody; the duty board needs none of this."""
        while True:
            await self.note_missed()
            await asyncio.sleep(WATCH_EVERY_S)

    async def note_missed(self) -> int:
        """Note alerts that have newly reached nobody; returns how many."""
        at = self._clock()
        before_ms = unix_ms(at - UNDELIVERED_AFTER)
        async with self._store.reading() as session:
            if not await repository.any_missed(session, before_ms):
                return 0
        async with self._store.writing() as session:
            rows = await repository.newly_missed(session, before_ms, MISSED_AT_ONCE)
            await repository.change(session, [row["notice_id"] for row in rows], {"missed_ms": unix_ms(at)})
        for row in rows:
            _log.error("notice_undelivered", notice=row["notice_id"], subject=row["subject"], area=row["area"])
        return len(rows)

    async def settle(self) -> None:
        """Route and deliver until nothing is due, for where no workers run."""
        while await self.route() or any([await courier.drain() for courier in self.couriers]):
            pass

    async def close(self) -> None:
        """Let go of connections."""
        for sender in self.senders.values():
            await sender.close()
        await self._http.close()


async def open_desk(
    settings: NotifySettings,
    store: Store,
    notifier: Notifier,
    areas: AreaTree,
    accounts: Accounts,
    *,
    key: SigningKey,
    data: Path,
    base: str,
    picture: Picture | None = None,
    clock: Clock = now,
    lease_ms: int = LEASE_MS,
) -> Desk:
    """The desk of a center; `lease_ms`: how long a process that died holds what it was sending.

    Raises ConfigurationError for settings that cannot be.
    """
    vault = await asyncio.to_thread(Vault.load_or_create, data / "notify.key")
    http = Http()
    senders = await asyncio.to_thread(_senders, settings, store, vault, http, key, data)
    people = People(store, vault, settings, [sender.channel for sender in senders])
    await people.configure()
    router = Router(areas, people, settings.manners)
    return Desk(
        store,
        notifier,
        people,
        senders,
        router=router,
        base=base,
        http=http,
        inbox=Inbox(store, vault, settings),
        linking=Linking(store, accounts, people, settings),
        own=OwnReach(store, notifier, people, senders, accounts.one_time, settings.manners, base=base, clock=clock),
        picture=picture,
        clock=clock,
        lease_ms=lease_ms,
    )


def _senders(
    settings: NotifySettings, store: Store, vault: Vault, http: Http, key: SigningKey, data: Path
) -> list[Sender]:
    """The channels that the settings name; libraries of those that they do not are not loaded."""
    found: list[Sender] = []
    if settings.telegram is not None:
        found.append(TelegramSender(settings.telegram, http))
    if settings.zalo_bot is not None:
        found.append(ZaloBotSender(settings.zalo_bot, http))
    if settings.zalo_oa is not None:
        found.append(ZaloOaSender(settings.zalo_oa, ZaloTokens(settings.zalo_oa, store, vault, http), http))
    if settings.sms is not None:
        found.append(SmsSender(settings.sms, http))
    if settings.webhooks:
        found.append(WebhookSender(settings.webhooks, key, http))
    if settings.email is not None:
        from matpho_platform.notify.channels.email import EmailSender

        found.append(EmailSender(settings.email))
    if settings.web_push is not None:
        from matpho_platform.notify.channels.web_push import VapidKey, WebPushSender

        found.append(WebPushSender(settings.web_push, VapidKey.load_or_create(data / "vapid.pem"), http))
    if settings.apprise:
        from matpho_platform.notify.channels.apprise import AppriseSender

        found.append(AppriseSender(settings.apprise))
    return found
