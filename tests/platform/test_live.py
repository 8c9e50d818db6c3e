"""The live stream and watches: scoped, at least once, and a slow watcher harms only itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from matpho_contracts.events import Event
from matpho_platform.access.principal import Scope
from matpho_platform.center import LIVE_TOPIC, Center
from matpho_platform.events import outbox as outbox_module
from matpho_platform.events.outbox import waiting


async def test_new_events_reach_who_may_see_them(center: Center, box: Any) -> None:
    inside = box.event()
    outside = box.event(area="p-ba-dinh", camera_id="cam-2")
    with center.live.subscribe(Scope(("p-hoan-kiem",))) as near, center.live.subscribe(Scope(("tp-ha-noi",))) as wide:
        await center.intake.receive(box.batch([outside, inside]))
        both = wide.__aiter__()
        assert [await asyncio.wait_for(anext(both), 10) for _ in range(2)] == [outside, inside]
        assert await asyncio.wait_for(anext(near.__aiter__()), 10) == inside


async def test_a_slow_watcher_loses_its_oldest_and_is_told(center: Center, box: Any) -> None:
    made = [box.event() for _ in range(5)]
    with center.live.subscribe(Scope(None), size=2) as slow:
        await center.intake.receive(box.batch(made))
        for _ in range(1000):
            if slow.missed == 3:
                break
            await asyncio.sleep(0.01)
        stream = slow.__aiter__()
        assert [await anext(stream), await anext(stream)] == made[3:]


async def test_a_watch_that_fails_is_called_again(center: Center, box: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "RETRY_MS", (1,))
    seen: list[str] = []

    async def watch(events: Sequence[Event]) -> None:
        seen.extend(event.id for event in events)
        if len(seen) < 3:
            raise ConnectionError("the pager is away")

    center.live.add_watch(watch)
    event = box.event()
    await center.intake.receive(box.batch([event]))
    for _ in range(500):
        if not await waiting(center.store, LIVE_TOPIC):
            break
        await asyncio.sleep(0.02)
    assert seen == [event.id] * 3
