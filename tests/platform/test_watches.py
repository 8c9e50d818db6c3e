"""Watches: every new event that fits is told once, to whoever may know of it at that moment, and to nobody else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from tests.platform.conftest import NOON, EdgeBox

from matpho_contracts.events import Event
from matpho_contracts.vocabulary import Colour, EventType
from matpho_platform.access.principal import Principal, Role, Scope
from matpho_platform.access.repository import add_account, change_account
from matpho_platform.center import Center, open_center
from matpho_platform.events import reading
from matpho_platform.events.schemas import EventFilter
from matpho_platform.settings import CenterSettings
from matpho_platform.store.tables import notices
from matpho_platform.watches.errors import WatchError, WatchNotFoundError
from matpho_platform.watches.matching import Matcher
from matpho_platform.watches.schemas import MAX_LIFE, MAX_OPEN, Watch, WatchFilter, WatchPlan

OFFICER = Principal("off-hk", "Trung úy Khôi", Role.OFFICER, ("p-hoan-kiem",))
NEIGHBOUR = Principal("off-bd", "Trung úy Hằng", Role.OFFICER, ("p-ba-dinh",))
COMMANDER = Principal("cmd", "Đại tá Vinh", Role.COMMANDER)
EVERYWHERE = Scope(None)
LATER = NOON + timedelta(hours=1)
Make = Callable[..., Event]


def account(person: Principal) -> dict[str, object]:
    """An account that nobody signs in to: without a password, whose hash costs its time."""
    kept = {"role": person.role.value, "areas": json.dumps(person.areas), "password_hash": ""}
    return {"user_id": person.user_id, "name": person.name, "disabled": False, "created_ms": 0, **kept}


@pytest.fixture
async def staffed(center: Center, box: EdgeBox) -> Center:
    async with center.store.writing() as session:
        for person in (OFFICER, NEIGHBOUR, COMMANDER):
            await add_account(session, account(person))
    return center


def plan(*, expires: datetime = NOON + timedelta(days=7), notify: tuple[str, ...] = (), **where: object) -> WatchPlan:
    query = str(where.pop("query", ""))
    wanted = WatchFilter(where=EventFilter.model_validate(where), query=query)
    return WatchPlan(name="Đông người", filter=wanted, notify=notify or ("off-hk",), expires_at=expires)


async def watch(center: Center, who: Principal = OFFICER, **said: Any) -> Watch:
    said = said or {"event_types": (EventType.CROWD,)}
    return await center.watches.create(who, plan(**said), at=NOON)


async def told(center: Center, who: Principal = OFFICER) -> list[str]:
    page = await center.watches.notifications(who, EVERYWHERE)
    return [one.event_id for one in page.notifications]


async def settled(center: Center, who: Principal, count: int) -> list[str]:
    for _ in range(200):
        found = await told(center, who)
        if len(found) >= count:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"{len(found)} of {count} were told")


async def held(center: Center, *events: Event) -> None:
    """Hold stored events against the watches, as the worker does."""
    async with center.store.reading() as session:
        rows = await reading.by_range(session, 1, 10_000)
    wanted = {event.id for event in events}
    stored = [item for item in map(reading.parse_row, rows) if item is not None and item.event.id in wanted]
    matcher = Matcher(center.store, center.areas, center.policy, center.accounts, center.notifier)
    await matcher.match(stored)


class TestMatching:
    async def test_a_new_event_that_fits_is_told_by_the_worker(self, staffed: Center, box: EdgeBox, make: Make) -> None:
        await watch(staffed)
        crowd, fight = make(time=LATER), make(time=LATER, kind=EventType.FIGHT)
        await staffed.intake.receive(box.batch([crowd, fight]))
        assert await settled(staffed, OFFICER, 1) == [crowd.id]
        page = await staffed.watches.notifications(OFFICER, EVERYWHERE)
        assert (page.total, page.unseen, page.notifications[0].watch_name) == (1, 1, "Đông người")

    async def test_it_goes_out_on_the_persons_own_channels_once(
        self, staffed: Center, box: EdgeBox, make: Make
    ) -> None:
        found = await watch(staffed)
        event = make(time=LATER)
        await staffed.intake.receive(box.batch([event]))
        await settled(staffed, OFFICER, 1)
        await held(staffed, event)
        async with staffed.store.reading() as session:
            rows = await session.all(select(notices))
        assert [(row["user_id"], row["template"], row["alert"]) for row in rows] == [("off-hk", "watch", False)]
        assert rows[0]["subject"] == found.id

    async def test_a_repeat_tells_nobody_twice(self, staffed: Center, box: EdgeBox, make: Make) -> None:
        await watch(staffed, notify=("off-hk", "cmd"), event_types=(EventType.CROWD,))
        event = make(time=LATER)
        await staffed.intake.receive(box.batch([event]))
        await settled(staffed, COMMANDER, 1)
        for _ in range(3):
            await held(staffed, event)
        assert await told(staffed) == await told(staffed, COMMANDER) == [event.id]

    @pytest.mark.parametrize(
        ("said", "fits"),
        [
            ({"objects": ("truck",), "colors": (Colour.WHITE,)}, True),
            ({"objects": ("truck",), "colors": (Colour.RED,)}, False),
            ({"objects_not": ("truck",)}, False),
            ({"areas": ("tp-ha-noi",)}, True),
            ({"areas": ("p-ba-dinh",)}, False),
            ({"camera_ids": ("cam-1",)}, True),
            ({"camera_ids": ("cam-2",)}, False),
            ({"plate": "123.45"}, True),
            ({"min_count": 5}, False),
            ({"severity_min": "high"}, False),
            ({"query": "truoc cong truong"}, True),
            ({"query": "bãi biển"}, False),
            ({"query": "cổng trường", "event_types": (EventType.FIGHT,)}, False),
        ],
    )
    async def test_conditions_are_those_of_a_search(
        self, staffed: Center, box: EdgeBox, make: Make, said: dict[str, Any], fits: bool
    ) -> None:
        await watch(staffed, **said)
        event = make(time=LATER, objects=(("truck", Colour.WHITE),), plate="29C-123.45")
        await staffed.intake.receive(box.batch([event]))
        await held(staffed, event)
        assert await told(staffed) == ([event.id] if fits else [])

    async def test_only_what_happens_while_the_watch_stands(self, staffed: Center, box: EdgeBox, make: Make) -> None:
        made = await watch(staffed, event_types=(EventType.CROWD,), expires=NOON + timedelta(hours=2))
        before, during = make(time=NOON - timedelta(seconds=1)), make(time=LATER)
        after = make(time=NOON + timedelta(hours=2))
        await staffed.intake.receive(box.batch([before, during, after]))
        await held(staffed, before, during, after)
        assert await told(staffed) == [during.id]
        await staffed.watches.end(OFFICER, made.id, at=NOON + timedelta(minutes=90))
        late = make(time=NOON + timedelta(minutes=100))
        await staffed.intake.receive(box.batch([late]))
        await held(staffed, late)
        assert await told(staffed) == [during.id]

    async def test_a_watch_survives_a_restart(
        self, staffed: Center, box: EdgeBox, make: Make, settings: CenterSettings
    ) -> None:
        await watch(staffed)
        await staffed.close()
        again = await open_center(settings)
        event = make(time=LATER)
        await again.intake.receive(box.batch([event]))
        assert await settled(again, OFFICER, 1) == [event.id]
        await again.close()


class TestWhoHears:
    async def test_an_owners_area_bounds_the_watch(self, staffed: Center, box: EdgeBox, make: Make) -> None:
        await watch(staffed)
        far = make(time=LATER, camera_id="cam-2", area="p-ba-dinh")
        await staffed.intake.receive(box.batch([far]))
        await held(staffed, far)
        assert await told(staffed) == []

    async def test_each_recipient_hears_only_of_the_own_area(self, staffed: Center, box: EdgeBox, make: Make) -> None:
        await watch(staffed, COMMANDER, notify=("cmd", "off-hk", "off-bd"), event_types=(EventType.CROWD,))
        here, there = make(time=LATER), make(time=LATER, camera_id="cam-2", area="p-ba-dinh")
        await staffed.intake.receive(box.batch([here, there]))
        await held(staffed, here, there)
        assert await told(staffed, OFFICER) == [here.id]
        assert await told(staffed, NEIGHBOUR) == [there.id]
        assert set(await told(staffed, COMMANDER)) == {here.id, there.id}

    @pytest.mark.parametrize(
        "change",
        [
            {"disabled": True},
            {"role": Role.CITIZEN.value},
            {"role": Role.INVESTIGATOR.value, "areas": json.dumps(["p-ba-dinh"])},
            {"areas": json.dumps(["p-ba-dinh"])},
        ],
        ids=["shut", "demoted", "another role", "moved"],
    )
    async def test_who_may_no_longer_hears_nothing(
        self, staffed: Center, box: EdgeBox, make: Make, change: dict[str, object]
    ) -> None:
        await watch(staffed)
        async with staffed.store.writing() as session:
            await change_account(session, "off-hk", change)
        event = make(time=LATER)
        await staffed.intake.receive(box.batch([event]))
        await held(staffed, event)
        assert await told(staffed) == []

    async def test_reading_keeps_to_the_scope_of_now(self, staffed: Center, box: EdgeBox, make: Make) -> None:
        await watch(staffed)
        event = make(time=LATER)
        await staffed.intake.receive(box.batch([event]))
        await settled(staffed, OFFICER, 1)
        moved = await staffed.watches.notifications(OFFICER, Scope(("p-ba-dinh",)))
        assert (moved.total, moved.notifications) == (0, ())
        assert await told(staffed, NEIGHBOUR) == []

    async def test_what_was_seen_is_seen(self, staffed: Center, box: EdgeBox, make: Make) -> None:
        made = await watch(staffed)
        event = make(time=LATER)
        await staffed.intake.receive(box.batch([event]))
        await settled(staffed, OFFICER, 1)
        assert await staffed.watches.seen(NEIGHBOUR, made.id, [event.id]) == 0
        assert await staffed.watches.seen(OFFICER, made.id, [event.id]) == 1
        assert (await staffed.watches.notifications(OFFICER, EVERYWHERE)).unseen == 0


class TestKeeping:
    async def test_the_same_key_makes_one(self, staffed: Center) -> None:
        first = await staffed.watches.create(OFFICER, plan(query="xe"), at=NOON, key="p-1")
        assert await staffed.watches.create(OFFICER, plan(query="xe"), at=NOON, key="p-1") == first
        assert list(await staffed.watches.list(OFFICER, at=NOON)) == [first]

    async def test_own_watches_are_listed_and_ended_by_their_owner_alone(self, staffed: Center) -> None:
        made = await watch(staffed)
        assert await staffed.watches.list(NEIGHBOUR, at=NOON) == ()
        with pytest.raises(WatchNotFoundError):
            await staffed.watches.end(NEIGHBOUR, made.id, at=NOON)
        await staffed.watches.end(OFFICER, made.id, at=NOON)
        with pytest.raises(WatchNotFoundError):
            await staffed.watches.end(OFFICER, made.id, at=NOON)
        assert await staffed.watches.list(OFFICER, at=NOON) == ()

    @pytest.mark.parametrize(
        ("said", "argument"),
        [
            ({}, "filter"),
            ({"event_types": (EventType.CROWD,), "time_from": NOON}, "filter"),
            ({"event_types": (EventType.CROWD,), "expires": NOON}, "expires"),
            ({"event_types": (EventType.CROWD,), "expires": NOON + MAX_LIFE + timedelta(seconds=1)}, "expires"),
        ],
    )
    async def test_what_cannot_be_names_the_piece(self, staffed: Center, said: dict[str, Any], argument: str) -> None:
        with pytest.raises(WatchError) as wrong:
            await staffed.watches.create(OFFICER, plan(**said), at=NOON)
        assert wrong.value.argument == argument

    async def test_one_account_has_only_so_many(self, staffed: Center) -> None:
        for _ in range(MAX_OPEN):
            await watch(staffed)
        with pytest.raises(WatchError):
            await watch(staffed)
        await watch(staffed, COMMANDER)


def test_without_watches_commits_promise_nothing(center: Center) -> None:
    """A SQLite file has one center: while it has no watch, nobody wants the events."""
    if center.store.dialect != "sqlite":
        pytest.skip("centers that share a database always promise")
    assert not center.watches.wanted()
