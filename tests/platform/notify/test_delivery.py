"""Delivery: the person's channels in turn, at least once to a channel, one row here, never lost, never silent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fastapi import Response
from sqlalchemy import func, select, update

from matpho_contracts.times import now
from matpho_contracts.vocabulary import Severity
from matpho_platform.access.principal import Role, Scope
from matpho_platform.notify.delivery import LEASE_MS, Courier
from matpho_platform.notify.desk import Desk
from matpho_platform.notify.outgoing import Outgoing, Taken
from matpho_platform.notify.people import Preferences
from matpho_platform.notify.schemas import Channel, Notice, Post, Receipt, ReceiptKind, State
from matpho_platform.notify.service import Notifier
from matpho_platform.store.engine import Store
from matpho_platform.store.tables import accounts, notice_messages
from matpho_platform.workers import Workers

from .conftest import BASE, Asked, Clock, OpenDesk, Postbox, World

Promise = Callable[[Notice], Awaitable[str]]
MakeAlert = Callable[..., Notice]


def settings(world: World, postbox: Postbox | None = None, **more: Any) -> dict[str, Any]:
    person = {"user_id": "an", "phone": "+84912345678"}
    found: dict[str, Any] = {"sms": {"url": f"{world.url}/sms"}, "people": [person]}
    if postbox is not None:
        person["email"] = "an@example.vn"
        found["email"] = {"host": "127.0.0.1", "port": postbox.port, "security": "none", "sender": "m@matpho.example"}
    return found | more


def failing(asked: Asked) -> Response:
    return Response("no", status_code=503)


async def states(store: Store, channel: str = "sms") -> list[str]:
    query = select(notice_messages.c.state).where(notice_messages.c.channel == channel)
    async with store.reading() as session:
        return [row["state"] for row in await session.all(query.order_by(notice_messages.c.created_ms))]


class TestDelivery:
    async def test_a_notice_reaches_its_person(
        self, open_with: OpenDesk, world: World, notifier: Notifier, promise: Promise, alert: MakeAlert
    ) -> None:
        desk = await open_with(settings(world))
        notice_id = await promise(alert())
        await desk.settle()
        assert [one.document["to"] for one in world.asked] == ["+84912345678"]
        progress = await notifier.state(notice_id)
        assert progress.state is State.SENT
        assert {(one.channel, one.state) for one in progress.sendings} == {
            (Channel.IN_APP, State.SENT),
            (Channel.SMS, State.SENT),
        }

    async def test_a_dead_channel_gives_way_to_the_persons_next(
        self, open_with: OpenDesk, world: World, postbox: Postbox, notifier: Notifier, promise: Promise,
        alert: MakeAlert, clock: Clock,
    ) -> None:  # fmt: skip
        world.answering = failing
        desk = await open_with(settings(world, postbox))
        notice_id = await promise(alert())
        for _ in range(12):
            await desk.settle()
            clock.on(2)
        assert len(postbox.letters) == 1
        assert (await notifier.state(notice_id, now=clock.at)).state is State.SENT
        assert len({one.document["id"] for one in world.asked}) == 1, "every try has the same idempotency key"
        assert len(world.asked) > 1

    async def test_a_refusal_gives_way_at_once(
        self, open_with: OpenDesk, world: World, postbox: Postbox, promise: Promise, alert: MakeAlert
    ) -> None:
        world.answering = lambda _asked: Response("no", status_code=400)
        desk = await open_with(settings(world, postbox))
        await promise(alert())
        await desk.settle()
        assert (len(world.asked), len(postbox.letters)) == (1, 1)

    async def test_reaching_nobody_shows_and_a_later_round_still_delivers(
        self, open_with: OpenDesk, world: World, notifier: Notifier, promise: Promise, alert: MakeAlert, clock: Clock
    ) -> None:
        world.answering = failing
        desk = await open_with(settings(world))
        notice_id = await promise(alert())
        for _ in range(24):
            await desk.settle()
            clock.on(5)
        board = await notifier.board(Scope(None), now=clock.at)
        assert [one.notice_id for one in board.undelivered] == [notice_id]
        assert await desk.note_missed() == 1
        assert await desk.note_missed() == 0, "said once"
        world.answering = World().answering
        clock.on(400)
        await desk.settle()
        assert (await notifier.board(Scope(None), now=clock.at)).total == 0
        assert (await notifier.state(notice_id, now=clock.at)).state is State.SENT

    async def test_somebody_without_any_channel_is_undelivered_until_the_console_shows_it(
        self, open_with: OpenDesk, notifier: Notifier, promise: Promise, alert: MakeAlert, clock: Clock
    ) -> None:
        desk = await open_with({})
        notice_id = await promise(alert())
        await desk.settle()
        clock.on(115)
        assert (await notifier.state(notice_id, now=clock.at)).state is State.UNDELIVERED
        shown = await notifier.console("an", Scope(("p-ba-dinh",)), at=clock.at)
        assert [one.state for one in shown] == [State.DELIVERED]
        assert (await notifier.state(notice_id, now=clock.at)).state is State.DELIVERED
        assert await notifier.console("binh", Scope(None), at=clock.at) == ()
        assert await notifier.console("an", Scope(("p-hoan-kiem",)), at=clock.at) == (), "moved away since"

    async def test_a_post_is_who_holds_it_now(
        self, open_with: OpenDesk, store: Store, notifier: Notifier, promise: Promise, alert: MakeAlert, clock: Clock
    ) -> None:
        desk = await open_with({})
        post = Post(role=Role.OFFICER, area="p-hoan-kiem")
        notice_id = await promise(alert().model_copy(update={"to": post}))
        await desk.settle()
        assert {one.user_id for one in (await notifier.state(notice_id)).sendings} == {"chi"}
        async with store.writing() as session:
            await session.run(update(accounts).where(accounts.c.user_id == "chi").values(disabled=True))
        other = await promise(alert("k-2").model_copy(update={"to": post}))
        await desk.settle()
        assert (await notifier.state(other)).sendings == ()
        clock.on(115)
        assert (await notifier.board(Scope(None), now=clock.at)).total == 2

    async def test_wishes_of_a_notice_come_first(
        self, open_with: OpenDesk, world: World, postbox: Postbox, promise: Promise, alert: MakeAlert
    ) -> None:
        desk = await open_with(settings(world, postbox))
        await promise(alert(channels=(Channel.EMAIL,)))
        await desk.settle()
        assert (len(world.asked), len(postbox.letters)) == (0, 1)

    async def test_the_persons_order_comes_before_the_installations(
        self, open_with: OpenDesk, world: World, postbox: Postbox, promise: Promise, alert: MakeAlert
    ) -> None:
        desk = await open_with(settings(world, postbox))
        await desk.people.wish("an", Preferences(channels=(Channel.EMAIL,)))
        await promise(alert())
        await desk.settle()
        assert (len(world.asked), len(postbox.letters)) == (0, 1)

    async def test_a_receipt_of_failure_tries_the_next_channel(
        self, open_with: OpenDesk, world: World, postbox: Postbox, notifier: Notifier, promise: Promise,
        alert: MakeAlert, clock: Clock,
    ) -> None:  # fmt: skip
        world.answering = lambda _asked: Response(json.dumps({"id": "g-7"}), media_type="application/json")
        desk = await open_with(settings(world, postbox))
        notice_id = await promise(alert())
        await desk.settle()
        receipt = Receipt(channel=Channel.SMS, foreign_id="g-7", kind=ReceiptKind.FAILED)
        assert await notifier.receipt(receipt, at=clock.at)
        assert (await notifier.state(notice_id, now=clock.at)).reached_at is None
        await desk.settle()
        assert len(postbox.letters) == 1
        assert not await notifier.receipt(receipt.model_copy(update={"foreign_id": "no-such"}))

    async def test_a_receipt_of_delivery_counts_once(
        self, open_with: OpenDesk, world: World, notifier: Notifier, promise: Promise, alert: MakeAlert, clock: Clock
    ) -> None:
        world.answering = lambda _asked: Response(json.dumps({"id": "g-7"}), media_type="application/json")
        desk = await open_with(settings(world))
        notice_id = await promise(alert())
        await desk.settle()
        for kind, expected in ((ReceiptKind.SEEN, State.SEEN), (ReceiptKind.DELIVERED, State.SEEN)):
            await notifier.receipt(Receipt(channel=Channel.SMS, foreign_id="g-7", kind=kind), at=clock.at)
            assert (await notifier.state(notice_id)).state is expected


class TestClaims:
    async def test_two_workers_share_the_work_and_send_nothing_twice(
        self, open_with: OpenDesk, world: World, store: Store, promise: Promise, alert: MakeAlert
    ) -> None:
        wide = {"per_minute": 1000, "group_from": 100, "cooldown_s": 0}
        desks = [await open_with(settings(world, manners=wide)) for _ in range(2)]
        for number in range(40):
            await promise(alert(f"k-{number}", severity=Severity.CRITICAL))
        await asyncio.gather(*(desk.settle() for desk in desks))
        assert len({one.document["id"] for one in world.asked}) == len(world.asked) == 40
        assert set(await states(store)) == {"sent"}

    async def test_what_a_dead_worker_had_is_sent_again_under_the_same_key(
        self, open_with: OpenDesk, world: World, store: Store, promise: Promise, alert: MakeAlert, clock: Clock
    ) -> None:
        desk = await open_with(settings(world))
        await promise(alert())
        await desk.route()

        class Dies:
            channel, takes_pictures = Channel.SMS, False

            async def send(self, address: str, message: Outgoing) -> Taken:
                await desk.senders[Channel.SMS].send(address, message)
                raise RuntimeError("the process ends here")

            async def close(self) -> None:
                pass

        with pytest.raises(RuntimeError):
            await Courier(store, Dies(), desk.people, base=BASE, clock=clock).drain()
        await desk.settle()
        assert len(world.asked) == 1, "the claim still holds"
        clock.on(LEASE_MS / 1000 + 1)
        await desk.settle()
        assert len(world.asked) == 2
        assert len({one.headers["idempotency-key"] for one in world.asked}) == 1
        async with store.reading() as session:
            sms = notice_messages.c.channel == "sms"
            assert await session.scalar(select(func.count()).select_from(notice_messages).where(sms)) == 1
        assert await states(store) == ["sent"]

    async def test_workers_deliver_by_themselves(
        self, open_with: OpenDesk, world: World, notifier: Notifier, store: Store, alert: MakeAlert, clock: Clock
    ) -> None:
        clock.at, arrived = now(), asyncio.Event()

        def arrives(_asked: Asked) -> Response:
            arrived.set()
            return Response("{}")

        world.answering = arrives
        desk: Desk = await open_with(settings(world))
        workers = Workers()
        desk.start(workers)
        async with store.writing() as session:
            notice_id = await notifier.promise(session, alert(), at=clock.at)
        notifier.wake()
        async with asyncio.timeout(20):
            await arrived.wait()
        await workers.close()
        assert len(world.asked) == 1
        assert (await notifier.state(notice_id)).sendings[-1].attempts <= 1
