"""Promising a notice: within the caller's transaction, once for each key, UNDELIVERED by the clock alone."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from matpho_contracts.times import now
from matpho_contracts.vocabulary import Severity
from matpho_platform.access.principal import Scope
from matpho_platform.notify.errors import NoticeNotFoundError
from matpho_platform.notify.schemas import UNDELIVERED_AFTER, Facts, Notice, Person, State
from matpho_platform.notify.service import Notifier
from matpho_platform.store.engine import Store

EVERYTHING = Scope(None)


def alert(key: str = "i-1:ward:telegram", area: str = "p-ba-dinh") -> Notice:
    facts = Facts(incident_id="i-1", area=area, caption="Khói trên mái nhà")
    return Notice(key=key, to=Person(user_id="an"), severity=Severity.HIGH, facts=facts)


class TestPromise:
    async def test_what_is_rolled_back_was_never_promised(self, store: Store, notifier: Notifier) -> None:
        ids: list[str] = []

        async def promise_and_fail() -> None:
            async with store.writing() as session:
                ids.append(await notifier.promise(session, alert()))
                raise RuntimeError("lost")

        with pytest.raises(RuntimeError):
            await promise_and_fail()
        with pytest.raises(NoticeNotFoundError):
            await notifier.state(ids[0])

    async def test_a_key_promises_once_however_many_promise_at_once(self, store: Store, notifier: Notifier) -> None:
        async def promise() -> str:
            async with store.writing() as session:
                return await notifier.promise(session, alert())

        ids = await asyncio.gather(*(promise() for _ in range(8)))
        assert len(set(ids)) == 1
        assert (await notifier.state(ids[0])).state is State.PROMISED

    async def test_reaching_nobody_shows_within_two_minutes_though_nothing_runs(
        self, store: Store, notifier: Notifier
    ) -> None:
        at = now()
        async with store.writing() as session:
            notice_id = await notifier.promise(session, alert(), at=at)
        before, after = at + UNDELIVERED_AFTER - timedelta(seconds=1), at + timedelta(minutes=2)
        assert (await notifier.board(EVERYTHING, now=before)).total == 0
        board = await notifier.board(EVERYTHING, now=after)
        assert [one.notice_id for one in board.undelivered] == [notice_id]
        assert board.undelivered[0].state is State.UNDELIVERED
        assert (await notifier.figures(now=after))["undelivered"] == 1

    async def test_the_board_shows_what_its_reader_may_see(self, store: Store, notifier: Notifier) -> None:
        async with store.writing() as session:
            await notifier.promise(session, alert("a", "p-ba-dinh"))
            await notifier.promise(session, alert("b", "p-hoan-kiem"))
        late = now() + timedelta(hours=1)
        board = await notifier.board(Scope(("p-hoan-kiem",)), now=late)
        assert [one.key for one in board.undelivered] == ["b"]
        assert (await notifier.board(Scope(("tp-ha-noi",)), now=late)).total == 2

    async def test_what_is_withdrawn_is_owed_no_more(self, store: Store, notifier: Notifier) -> None:
        async with store.writing() as session:
            notice_id = await notifier.promise(session, alert())
            assert await notifier.withdraw(session, "i-1") == 1
        late = now() + timedelta(hours=1)
        assert (await notifier.board(EVERYTHING, now=late)).total == 0
        assert (await notifier.state(notice_id, now=late)).state is State.ENDED
