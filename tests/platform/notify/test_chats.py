"""Chats: linked by a code of a signed-in session, heard where they prove themselves, acting only as their owner."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi import Response
from sqlalchemy import func, select

from matpho_contracts.errors import MatphoError
from matpho_contracts.times import unix_ms
from matpho_platform.access.errors import StepUpError
from matpho_platform.access.principal import Principal, Role
from matpho_platform.notify.chats import Done, Wish
from matpho_platform.notify.desk import Desk
from matpho_platform.notify.errors import ForgedUpdateError
from matpho_platform.notify.schemas import Action, Channel, Notice, State
from matpho_platform.notify.service import Notifier
from matpho_platform.notify.updates import FRESH, TELEGRAM_HEADER, ZALO_BOT_HEADER, ZALO_OA_HEADER
from matpho_platform.store.engine import Store
from matpho_platform.store.tables import notice_messages, notify_addresses, notify_updates

from .conftest import Asked, Clock, OpenDesk, World

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
SECRET = "webhook-secret-1"
OA_SECRET = "oa-secret-1234"
AN = Principal("an", "An", Role.OFFICER, ("p-ba-dinh",), session_id="s")
CHAT, STRANGER = "4242", "6666"
Promise = Callable[[Notice], Awaitable[str]]
MakeAlert = Callable[..., Notice]


def settings(world: World) -> dict[str, Any]:
    return {
        "telegram": {"token": "t", "name": "matpho_bot", "webhook_secret": SECRET, "url": world.url},
        "zalo_bot": {"token": "z", "webhook_secret": SECRET, "url": world.url},
        "zalo_oa": {
            "app_id": "99", "app_secret": "a", "refresh_token": "r", "oa_secret": OA_SECRET, "url": world.url,
            "oauth_url": world.url,
        },
    }  # fmt: skip


class Platforms:
    """Telegram and Zalo as we meet them; Telegram answers only for presses that were."""

    def __init__(self) -> None:
        self.presses: set[str] = set()
        self.said: list[str] = []

    def __call__(self, asked: Asked) -> Response:
        if asked.path.endswith("/answerCallbackQuery"):
            known = asked.form["callback_query_id"] in self.presses
            self.presses.discard(asked.form["callback_query_id"])
            document = {"ok": True} if known else {"ok": False, "error_code": 400, "description": "query is too old"}
            return Response(json.dumps(document), status_code=200 if known else 400)
        if asked.path.endswith("/access_token"):
            return Response(json.dumps({"access_token": "a", "refresh_token": "r2", "expires_in": "3600"}))
        self.said.append(asked.form.get("text") or asked.body.decode())
        return Response(json.dumps({"ok": True, "error": 0, "result": {"message_id": secrets.token_hex(4)}}))


@pytest.fixture
def platforms(world: World) -> Platforms:
    made = Platforms()
    world.answering = made
    return made


class Acting:
    """Stands where the gateway does, and notes what it is asked for."""

    def __init__(self) -> None:
        self.wishes: list[Wish] = []
        self.answer = Done(good=True)

    async def __call__(self, wish: Wish) -> Done:
        self.wishes.append(wish)
        return self.answer


@pytest.fixture
async def desk(open_with: OpenDesk, world: World, platforms: Platforms) -> Desk:
    made = await open_with(settings(world))
    made.chats.acts = Acting()
    return made


def acting(desk: Desk) -> Acting:
    assert isinstance(desk.chats.acts, Acting)
    return desk.chats.acts


def press(number: int, data: str, query: str, chat: str = CHAT) -> bytes:
    who = {"id": int(chat)}
    document = {"id": query, "from": who, "data": data, "message": {"chat": who, "date": 1}}
    return json.dumps({"update_id": number, "callback_query": document}).encode()


def text(number: int, said: str, clock: Clock, chat: str = CHAT, group: str = "") -> bytes:
    message = {
        "text": said,
        "date": unix_ms(clock.at) // 1000,
        "from": {"id": int(chat)},
        "chat": {"id": int(group or chat)},
    }
    return json.dumps({"update_id": number, "message": message}).encode()


def zalo_text(said: str, clock: Clock, message_id: str, chat: str = "z-1") -> bytes:
    message = {
        "message_id": message_id, "text": said, "date": unix_ms(clock.at), "chat": {"id": chat, "chat_type": "PRIVATE"},
    }  # fmt: skip
    return json.dumps({"ok": True, "result": {"event_name": "message.text.received", "message": message}}).encode()


HEADERS = {TELEGRAM_HEADER: SECRET}
ZALO = {ZALO_BOT_HEADER: SECRET}


async def link(desk: Desk, clock: Clock, number: int = 1) -> None:
    made = await desk.linking.begin(AN, Channel.TELEGRAM)
    assert made.link == f"https://t.me/matpho_bot?start={made.code}"
    await desk.inbox.telegram(HEADERS, text(number, f"/start {made.code}", clock), at=clock.at)
    await desk.chats.drain()


async def token_of(store: Store, channel: str = "telegram") -> str:
    async with store.reading() as session:
        query = select(notice_messages.c.token).where(notice_messages.c.channel == channel)
        return str(await session.scalar(query.order_by(notice_messages.c.created_ms.desc())))


async def owner_of(desk: Desk, store: Store, chat: str = CHAT) -> str | None:
    async with store.reading() as session:
        return await desk.people.linked_to(session, Channel.TELEGRAM, chat)


class TestLinking:
    async def test_the_chat_that_sends_the_code_is_the_accounts(
        self, desk: Desk, store: Store, clock: Clock, platforms: Platforms
    ) -> None:
        await link(desk, clock)
        assert await owner_of(desk, store) == "an"
        assert "an" in platforms.said[-1]
        async with store.reading() as session:
            sealed = await session.scalar(select(notify_addresses.c.sealed))
        assert CHAT.encode() not in bytes(sealed)

    async def test_a_code_is_good_once_and_for_ten_minutes(self, desk: Desk, store: Store, clock: Clock) -> None:
        made = await desk.linking.begin(AN, Channel.TELEGRAM)
        clock.on(601)
        await desk.inbox.telegram(HEADERS, text(1, f"/start {made.code}", clock), at=clock.at)
        await desk.chats.drain()
        assert await owner_of(desk, store) is None
        made = await desk.linking.begin(AN, Channel.TELEGRAM)
        for number, chat in ((2, CHAT), (3, STRANGER)):
            await desk.inbox.telegram(HEADERS, text(number, made.code, clock, chat), at=clock.at)
            await desk.chats.drain()
        assert await owner_of(desk, store) == "an"
        assert await owner_of(desk, store, STRANGER) is None

    async def test_a_code_for_one_platform_is_none_for_another(self, desk: Desk, store: Store, clock: Clock) -> None:
        made = await desk.linking.begin(AN, Channel.ZALO_BOT)
        await desk.inbox.telegram(HEADERS, text(1, f"/start {made.code}", clock), at=clock.at)
        await desk.chats.drain()
        assert await owner_of(desk, store) is None

    async def test_another_chat_needs_the_second_factor(self, desk: Desk, store: Store, clock: Clock) -> None:
        await link(desk, clock)
        with pytest.raises(StepUpError):
            await desk.linking.begin(AN, Channel.TELEGRAM)
        fresh = replace(AN, mfa_at=clock.at)
        made = await desk.linking.begin(fresh, Channel.TELEGRAM)
        await desk.inbox.telegram(HEADERS, text(2, made.code, clock, STRANGER), at=clock.at)
        await desk.chats.drain()
        assert (await owner_of(desk, store), await owner_of(desk, store, STRANGER)) == (None, "an")


class TestAnswers:
    async def test_a_button_acts_as_the_linked_account(
        self, desk: Desk, store: Store, clock: Clock, platforms: Platforms, promise: Promise, alert: MakeAlert,
        notifier: Notifier,
    ) -> None:  # fmt: skip
        await link(desk, clock)
        notice_id = await promise(alert())
        await desk.settle()
        platforms.presses.add("q-1")
        await desk.inbox.telegram(HEADERS, press(2, f"a:{await token_of(store)}", "q-1"), at=clock.at)
        await desk.chats.drain()
        wish = acting(desk).wishes[0]
        assert (wish.user_id, wish.action, wish.notice.facts.incident_id) == ("an", Action.ACKNOWLEDGE, "i-1")
        progress = await notifier.state(notice_id)
        assert (progress.state, progress.acted_by) == (State.ACTED, "an")
        assert platforms.said[-1] == "Đã ghi nhận: Đã nhận."

    async def test_zalo_is_answered_in_words(
        self, desk: Desk, store: Store, clock: Clock, promise: Promise, alert: MakeAlert
    ) -> None:
        made = await desk.linking.begin(AN, Channel.ZALO_BOT)
        await desk.inbox.zalo_bot(ZALO, zalo_text(made.code, clock, "m-1"), at=clock.at)
        await desk.chats.drain()
        await promise(alert())
        await desk.settle()
        said = f"hoãn {(await token_of(store, 'zalo_bot')).lower()}"
        await desk.inbox.zalo_bot(ZALO, zalo_text(said, clock, "m-2"), at=clock.at)
        await desk.chats.drain()
        assert [wish.action for wish in acting(desk).wishes] == [Action.SNOOZE]

    async def test_what_the_policy_denies_is_said_and_not_done(
        self, desk: Desk, store: Store, clock: Clock, platforms: Platforms, promise: Promise, alert: MakeAlert,
        notifier: Notifier,
    ) -> None:  # fmt: skip
        await link(desk, clock)
        notice_id = await promise(alert())
        await desk.settle()
        acting(desk).answer = Done(good=False, why="đã có người nhận")
        platforms.presses.add("q-1")
        await desk.inbox.telegram(HEADERS, press(2, f"a:{await token_of(store)}", "q-1"), at=clock.at)
        await desk.chats.drain()
        assert "đã có người nhận" in platforms.said[-1]
        assert (await notifier.state(notice_id)).acted_by is None

    async def test_a_groups_words_are_nobodys(self, desk: Desk, store: Store, clock: Clock) -> None:
        made = await desk.linking.begin(AN, Channel.TELEGRAM)
        await desk.inbox.telegram(HEADERS, text(1, made.code, clock, group="77"), at=clock.at)
        await desk.chats.drain()
        assert await owner_of(desk, store) is None


class TestForged:
    async def test_a_thousand_forged_or_replayed_calls_do_nothing(
        self, desk: Desk, store: Store, clock: Clock, platforms: Platforms, promise: Promise, alert: MakeAlert
    ) -> None:
        await link(desk, clock)
        await promise(alert())
        await desk.settle()
        token, dice = await token_of(store), random.Random(7)
        platforms.presses.add("q-real")
        real = press(5, f"a:{token}", "q-real")
        assert await desk.inbox.telegram(HEADERS, real, at=clock.at)
        await desk.chats.drain()
        assert len(acting(desk).wishes) == 1
        tried = [0]

        async def expect_nothing(send: Awaitable[bool]) -> None:
            tried[0] += 1
            try:
                await send
            except MatphoError:
                return

        for number in range(450):  # without our secret, or with a guess
            guess = dice.choice(["", SECRET[:-1], SECRET.upper(), secrets.token_hex(8), SECRET + " "])
            body = press(1000 + number, f"a:{token}", "q-real")
            await expect_nothing(desk.inbox.telegram({TELEGRAM_HEADER: guess}, body, at=clock.at))
            await expect_nothing(
                desk.inbox.zalo_bot({ZALO_BOT_HEADER: guess}, zalo_text("x", clock, f"{number}"), at=clock.at)
            )
        for number in range(30):  # with it stolen: replays, and presses that never were
            await expect_nothing(desk.inbox.telegram(HEADERS, real, at=clock.at))
            await expect_nothing(
                desk.inbox.telegram(HEADERS, press(3000 + number, f"a:{token}", f"q-{number}"), at=clock.at)
            )
        for number in range(15):  # a stranger's chat, old words, forged events of an official account
            platforms.presses.add(f"s-{number}")
            strangers = press(5000 + number, f"a:{token}", f"s-{number}", STRANGER)
            await expect_nothing(desk.inbox.telegram(HEADERS, strangers, at=clock.at))
            old = Clock(clock.at - FRESH - timedelta(seconds=1 + number))
            await expect_nothing(desk.inbox.zalo_bot(ZALO, zalo_text(f"NHAN {token}", old, f"o-{number}"), at=clock.at))
            document = {"event_name": "user_send_text", "message": {"msg_id": str(number), "text": f"NHAN {token}"}}
            body = json.dumps(document | {"timestamp": str(unix_ms(clock.at)), "sender": {"id": "z"}}).encode()
            mac = hmac.new(b"guess", body, hashlib.sha256).hexdigest()
            await expect_nothing(desk.inbox.zalo_oa({ZALO_OA_HEADER: f"mac={mac}"}, body, at=clock.at))
        while await desk.chats.drain():
            pass
        assert tried[0] >= 1000
        assert len(acting(desk).wishes) == 1

    async def test_an_official_accounts_signature(self, desk: Desk, store: Store, clock: Clock) -> None:
        document = {"app_id": "99", "event_name": "user_send_text", "message": {"msg_id": "1", "text": "xin chào"}}
        body = json.dumps(document | {"timestamp": str(unix_ms(clock.at)), "sender": {"id": "z"}}).encode()
        stamp = str(unix_ms(clock.at)).encode()
        good = hashlib.sha256(b"99" + body + stamp + OA_SECRET.encode()).hexdigest()
        assert await desk.inbox.zalo_oa({ZALO_OA_HEADER: f"mac={good}"}, body, at=clock.at)
        assert not await desk.inbox.zalo_oa({ZALO_OA_HEADER: f"mac={good}"}, body, at=clock.at), "taken before"
        with pytest.raises(ForgedUpdateError):
            await desk.inbox.zalo_oa({ZALO_OA_HEADER: f"mac={good}"}, body.replace(b"xin", b"XIN"), at=clock.at)

    async def test_nothing_is_taken_where_no_secret_is_set(
        self, open_with: OpenDesk, world: World, clock: Clock
    ) -> None:
        bare = await open_with({"telegram": {"token": "t", "name": "matpho_bot", "url": world.url}})
        with pytest.raises(ForgedUpdateError):
            await bare.inbox.telegram({TELEGRAM_HEADER: ""}, text(1, "x", clock), at=clock.at)

    async def test_what_was_said_is_not_kept(self, desk: Desk, store: Store, clock: Clock) -> None:
        await desk.inbox.telegram(HEADERS, text(1, "private words", clock), at=clock.at)
        async with store.reading() as session:
            assert b"private words" not in bytes(await session.scalar(select(notify_updates.c.body)))
        await desk.chats.drain()
        async with store.reading() as session:
            bodies = select(func.count()).select_from(notify_updates).where(notify_updates.c.body.is_not(None))
            assert await session.scalar(bodies) == 0


class TestOwnAddresses:
    async def test_an_address_counts_once_its_code_comes_back(
        self, open_with: OpenDesk, world: World, store: Store, clock: Clock
    ) -> None:
        desk = await open_with({"sms": {"url": f"{world.url}/sms", "max_parts": 4}})
        await desk.own.claim_address("an", Channel.SMS, "+84912345678")
        async with store.reading() as session:
            assert await desk.people.addresses(session, "an", Channel.SMS) == ()
        code = next(word for word in world.asked[0].document["text"].split() if len(word) == 43)
        with pytest.raises(MatphoError):
            await desk.own.confirm_address("binh", code)
        await desk.own.confirm_address("an", code)
        async with store.reading() as session:
            assert len(await desk.people.addresses(session, "an", Channel.SMS)) == 1
