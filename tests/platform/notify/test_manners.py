"""Manners: quiet hours, cool-down, grouping, limits, snoozing; critical notices pass what they must."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from matpho_contracts.times import VIETNAM, unix_ms
from matpho_contracts.vocabulary import Severity
from matpho_platform.access.principal import Scope
from matpho_platform.notify.manners import Situation, judge, quiet_until
from matpho_platform.notify.people import Preferences
from matpho_platform.notify.schemas import Notice, State
from matpho_platform.notify.service import Notifier
from matpho_platform.notify.settings import Manners

from .conftest import Clock, OpenDesk, World

NIGHT = Preferences(quiet_from=22 * 60, quiet_to=6 * 60)
Promise = Callable[[Notice], Awaitable[str]]
MakeAlert = Callable[..., Notice]


def at(hour: int, minute: int = 0, day: int = 20) -> int:
    return unix_ms(datetime(2026, 11, day, hour, minute, tzinfo=VIETNAM))


class TestQuietHours:
    @pytest.mark.parametrize(
        ("moment", "until"),
        [
            (at(21, 59), at(21, 59)),
            (at(22), at(6, day=21)),
            (at(23, 30), at(6, day=21)),
            (at(0, 1), at(6)),
            (at(5, 59), at(6)),
            (at(6), at(6)),
        ],
    )
    def test_they_end_on_the_persons_own_clock(self, moment: int, until: int) -> None:
        assert quiet_until(NIGHT, moment) == until

    def test_by_day_too(self) -> None:
        rest = Preferences(quiet_from=12 * 60, quiet_to=13 * 60)
        assert quiet_until(rest, at(12, 30)) == at(13)
        assert quiet_until(rest, at(13)) == at(13)

    def test_nobody_has_any_by_default(self) -> None:
        assert quiet_until(Preferences(), at(3)) == at(3)


class TestJudgement:
    def situation(self, **changes: Any) -> Situation:
        given: dict[str, Any] = {
            "at_ms": at(23),
            "critical": False,
            "expires_ms": at(23, day=21),
            "preferences": NIGHT,
            "muted_until_ms": at(23, 40),
            "told_of_camera_ms": at(23),
        }
        return Situation(**(given | changes))

    def test_what_waits_is_owed_later(self) -> None:
        verdict = judge(self.situation(), Manners())
        assert (verdict.due_ms, verdict.owed_ms) == (at(6, day=21), at(6, day=21))

    def test_what_is_critical_waits_for_nothing(self) -> None:
        verdict = judge(self.situation(critical=True), Manners())
        assert (verdict.due_ms, verdict.owed_ms) == (at(23), at(23))

    def test_a_camera_cools_down(self) -> None:
        verdict = judge(self.situation(preferences=Preferences(), muted_until_ms=0), Manners(cooldown_s=60))
        assert verdict.due_ms == at(23) + 60_000

    def test_limits_delay_the_critical_too_but_what_they_delay_is_owed(self) -> None:
        manners = Manners(per_minute=5, group_from=3, group_s=4)
        few = judge(self.situation(critical=True, in_last_minute=3), manners)
        many = judge(self.situation(critical=True, in_last_minute=5), manners)
        assert (few.due_ms, few.owed_ms) == (at(23) + 4_000, at(23))
        assert (many.due_ms, many.owed_ms) == (at(23) + 15_000, at(23))

    def test_nothing_waits_past_its_own_end(self) -> None:
        verdict = judge(self.situation(expires_ms=at(23, 30)), Manners())
        assert verdict.due_ms == at(23, 29)


def settings(world: World, **manners: Any) -> dict[str, Any]:
    people = [{"user_id": "an", "phone": "+84912345678"}]
    return {"sms": {"url": f"{world.url}/sms", "max_parts": 6}, "people": people, "manners": manners}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
class TestTogether:
    async def test_quiet_notices_wait_for_the_morning_and_come_as_one(
        self, open_with: OpenDesk, world: World, promise: Promise, alert: MakeAlert, clock: Clock, notifier: Notifier
    ) -> None:
        clock.at = datetime(2026, 11, 20, 23, 0, tzinfo=VIETNAM).astimezone(UTC)
        desk = await open_with(settings(world))
        await desk.people.wish("an", NIGHT)
        calm = [await promise(alert(f"k-{number}", facts={"camera_id": f"cam-{number}"})) for number in range(3)]
        await desk.settle()
        await promise(alert("k-3", severity=Severity.CRITICAL))
        await desk.settle()
        assert len(world.asked) == 1, "only the critical one"
        clock.on(300)
        assert (await notifier.state(calm[0], now=clock.at)).state is State.PROMISED
        assert (await notifier.board(Scope(None), now=clock.at)).total == 0, "nothing is owed at night"
        clock.at = datetime(2026, 11, 21, 6, 0, 1, tzinfo=VIETNAM).astimezone(UTC)
        await desk.settle()
        assert len(world.asked) == 2
        assert "3 thong bao" in world.asked[1].document["text"]
        assert {(await notifier.state(one)).state for one in calm} == {State.SENT}

    async def test_a_camera_that_goes_on_is_told_of_once_a_minute(
        self, open_with: OpenDesk, world: World, promise: Promise, alert: MakeAlert, clock: Clock
    ) -> None:
        desk = await open_with(settings(world, cooldown_s=60))
        for number in range(10):
            await promise(alert(f"k-{number}"))
            await desk.settle()
            clock.on(5)
        clock.on(15)
        await desk.settle()
        assert len(world.asked) == 2
        assert "9 thong bao" in world.asked[1].document["text"]

    async def test_a_flood_of_critical_notices_is_gathered_and_all_of_it_arrives(
        self, open_with: OpenDesk, world: World, promise: Promise, alert: MakeAlert, clock: Clock, notifier: Notifier
    ) -> None:
        desk = await open_with(settings(world, per_minute=6, group_from=3))
        ids = [await promise(alert(f"k-{number}", severity=Severity.CRITICAL)) for number in range(50)]
        for _ in range(20):
            await desk.settle()
            clock.on(5)
        assert len(world.asked) <= 6
        assert {(await notifier.state(one, now=clock.at)).state for one in ids} == {State.SENT}

    async def test_what_is_snoozed_comes_again(
        self, open_with: OpenDesk, world: World, promise: Promise, alert: MakeAlert, clock: Clock
    ) -> None:
        desk = await open_with(settings(world, cooldown_s=0, snooze_minutes=10))
        await promise(alert())
        await desk.settle()
        until = await desk.own.snooze("an", "i-1", at=clock.at)
        clock.on(60)
        await promise(alert("k-2"))
        await desk.settle()
        assert len(world.asked) == 1
        clock.at = until
        clock.on(1)
        await desk.settle()
        assert len(world.asked) == 2

    async def test_what_is_no_longer_needed_is_not_sent(
        self, open_with: OpenDesk, world: World, promise: Promise, alert: MakeAlert, clock: Clock, notifier: Notifier,
    ) -> None:  # fmt: skip
        desk = await open_with(settings(world, cooldown_s=60))
        await promise(alert("k-0"))
        await desk.settle()
        waiting = await promise(alert("k-1"))
        await desk.settle()
        async with desk._store.writing() as session:
            await notifier.withdraw(session, "i-1", at=clock.at)
        clock.on(61)
        await desk.settle()
        assert len(world.asked) == 1
        assert (await notifier.state(waiting)).state is State.ENDED
