"""Many alerts while channels fail by chance: each reaches its person, or shows UNDELIVERED within two minutes."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any

import pytest
from fastapi import Response
from sqlalchemy import insert

from matpho_contracts.times import unix_ms
from matpho_contracts.vocabulary import Severity
from matpho_platform.access.principal import Scope
from matpho_platform.notify.schemas import State
from matpho_platform.notify.service import MAX_BOARD, Notifier
from matpho_platform.store.engine import Store
from matpho_platform.store.tables import accounts

from .conftest import Asked, Clock, OpenDesk, Postbox, World, make_alert

PEOPLE = 20
WINDOW_S, STEP_S = 120, 4


async def run(
    open_with: OpenDesk, store: Store, notifier: Notifier, world: World, postbox: Postbox, clock: Clock, *,
    number: int, seed: int,
) -> Counter[State]:  # fmt: skip
    """Promise alerts to people, with every channel up or down or unsure by chance; what became of them in time."""
    dice = random.Random(seed)
    mood = {"sms": dice.random(), "hook": dice.random()}
    if seed % 3 == 0:
        postbox.refuse = dice.choice(["451 later", "550 nobody"])

    def answer(asked: Asked) -> Response:
        if dice.random() > mood[asked.path.strip("/")]:
            return Response(status_code=dice.choice([500, 503, 429, 400]))
        return Response(json.dumps({"id": asked.headers["idempotency-key"]}), media_type="application/json")

    world.answering = answer
    users = [f"u-{one}" for one in range(PEOPLE)]
    row = {"role": "officer", "areas": '["p-ba-dinh"]', "password_hash": "", "disabled": False, "created_ms": 0}
    async with store.writing() as session:
        await session.run(insert(accounts), [row | {"user_id": one, "name": one} for one in users])
    people: list[dict[str, Any]] = [
        {"user_id": one, "phone": f"+8491{number:07d}", "email": f"{one}@example.vn", "webhook": "hook"}
        for number, one in enumerate(users[:-2])
    ]
    desk = await open_with(
        {
            "sms": {"url": f"{world.url}/sms"},
            "email": {"host": "127.0.0.1", "port": postbox.port, "security": "none", "sender": "m@matpho.example"},
            "webhooks": [{"name": "hook", "url": f"{world.url}/hook"}],
            "people": people,
        }
    )
    ids = []
    async with store.writing() as session:
        for one in range(number):
            severity = dice.choice([Severity.HIGH, Severity.CRITICAL])
            notice = make_alert(f"k-{one}", dice.choice(users), severity=severity, facts={"camera_id": f"c-{one}"})
            ids.append(await notifier.promise(session, notice, at=clock.at))
    start_ms = unix_ms(clock.at)
    for _ in range(WINDOW_S // STEP_S):
        await desk.settle()
        clock.on(STEP_S)
    found = [await notifier.state(one, now=clock.at) for one in ids]
    board = await notifier.board(Scope(None), now=clock.at, limit=MAX_BOARD)
    assert board.total == sum(one.state is State.UNDELIVERED for one in found)
    for one in found:
        assert one.state in (State.SENT, State.UNDELIVERED), "reached, or shown"
        assert one.reached_at is None or unix_ms(one.reached_at) >= start_ms
        outward = [each for each in one.sendings if each.channel != "in_app" and each.state is State.SENT]
        assert len(outward) == (one.state is State.SENT), "one message reaches the person, not two"
    return Counter(one.state for one in found)


class TestFlood:
    async def test_reached_or_shown(
        self, open_with: OpenDesk, store: Store, notifier: Notifier, world: World, postbox: Postbox, clock: Clock
    ) -> None:
        counted = await run(open_with, store, notifier, world, postbox, clock, number=30, seed=3)
        assert counted[State.UNDELIVERED] > 0, "two people have no channel at all"
        assert counted[State.SENT] > 0

    @pytest.mark.nightly
    @pytest.mark.parametrize("seed", range(20))
    async def test_reached_or_shown_at_length(
        self, open_with: OpenDesk, store: Store, notifier: Notifier, world: World, postbox: Postbox, clock: Clock,
        seed: int,
    ) -> None:  # fmt: skip
        counted = await run(open_with, store, notifier, world, postbox, clock, number=1000, seed=seed)
        assert counted.total() == 1000
