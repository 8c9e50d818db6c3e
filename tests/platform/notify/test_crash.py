"""kill -9 between sending and recording, of real processes: at least once to the channel, one row, none forgotten."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from fastapi import Response
from sqlalchemy import func, select

from matpho_contracts.times import now
from matpho_contracts.vocabulary import Severity
from matpho_platform.notify.service import Notifier
from matpho_platform.settings import CenterSettings
from matpho_platform.store.engine import Store
from matpho_platform.store.tables import notice_messages, notices

from .conftest import Asked, World, make_alert

WORKER = Path(__file__).parent / "crash_worker.py"
WAIT_S = 120
Start = Callable[[], Awaitable[Process]]


class Killer:
    """Kills whoever sends at some moments, before an answer or after it; keeps as many alive as there were."""

    def __init__(self, start: Start, kills: int, dice: random.Random) -> None:
        self.start = start
        self.left = kills
        self.dice = dice
        self.keys: Counter[str] = Counter()
        self.alive: list[Process] = []
        self.turn = asyncio.Lock()
        self.later: set[asyncio.Task[None]] = set()
        self.killed = asyncio.Event()

    async def __call__(self, asked: Asked) -> Response:
        self.keys[asked.document["id"]] += 1
        if self.left and self.dice.random() < 0.3:
            self.left -= 1
            self.killed.set()
            if self.dice.random() < 0.5:
                await self._kill()
            else:  # its answer is on the way; it dies while it records
                self.later.add(asyncio.create_task(self._soon()))
        return Response("{}", media_type="application/json")

    async def _soon(self) -> None:
        await asyncio.sleep(self.dice.uniform(0.0, 0.02))
        await self._kill()

    async def _kill(self) -> None:
        async with self.turn:
            number = len(self.alive)
            await self._end()
            self.alive = [await self.start() for _ in range(number)]

    async def _end(self) -> None:
        for one in self.alive:
            with contextlib.suppress(ProcessLookupError):
                one.kill()
            await one.wait()

    async def close(self) -> None:
        async with self.turn:
            await self._end()
            self.alive = []
        await asyncio.gather(*self.later)


async def crash(
    store: Store, notifier: Notifier, settings: CenterSettings, world: World, folder: Path, *, number: int, kills: int
) -> Killer:
    """Promise notices, deliver them with processes that are killed, wait until all are recorded."""
    people = [{"user_id": "an", "phone": "+84912345678"}]
    manners = {"per_minute": 1000, "group_from": 100, "cooldown_s": 0}
    given = {"sms": {"url": f"{world.url}/sms"}, "people": people, "manners": manners}
    url = settings.database_url
    database = url.get_secret_value() if url else str(settings.data / "center.db")

    async def start() -> Process:
        made = await asyncio.create_subprocess_exec(
            sys.executable, str(WORKER), database, str(folder), json.dumps(given), stdout=PIPE
        )
        assert made.stdout is not None
        await made.stdout.readline()
        return made

    killer = Killer(start, kills, random.Random(11))
    world.answering = killer
    async with store.writing() as session:
        for one in range(number):
            await notifier.promise(session, make_alert(f"k-{one}", severity=Severity.CRITICAL), at=now())
    killer.alive = [await start() for _ in range(1 if url is None else 2)]
    try:
        for _ in range((WAIT_S + 30 * kills) * 10):
            if not await _open(store):
                break
            await asyncio.sleep(0.1)
    finally:
        await killer.close()
    return killer


async def _open(store: Store) -> int:
    async with store.reading() as session:
        waiting = select(func.count()).select_from(notices).where(notices.c.reached_ms.is_(None))
        return int(await session.scalar(waiting) or 0)


async def check(store: Store, killer: Killer, number: int) -> None:
    async with store.reading() as session:
        rows = await session.all(select(notice_messages).where(notice_messages.c.channel == "sms"))
    assert [row["state"] for row in rows] == ["sent"] * number, "exactly one row each, and it is done"
    assert len(killer.keys) == number, "each has reached the channel, under one key however often"


class TestKilled:
    async def test_between_sending_and_recording(
        self, store: Store, notifier: Notifier, settings: CenterSettings, world: World, tmp_path: Path
    ) -> None:
        killer = await crash(store, notifier, settings, world, tmp_path, number=12, kills=2)
        await check(store, killer, 12)
        assert killer.killed.is_set()

    @pytest.mark.nightly
    async def test_over_and_over(
        self, store: Store, notifier: Notifier, settings: CenterSettings, world: World, tmp_path: Path
    ) -> None:
        killer = await crash(store, notifier, settings, world, tmp_path, number=500, kills=60)
        await check(store, killer, 500)
        assert max(killer.keys.values()) > 1, "some were sent twice, as the contract says"
