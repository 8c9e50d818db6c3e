"""Looks at running incidents: everything due is done once, in its time, whoever looks how often."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from tests.platform.incidents.conftest import OFFICER, entries, promised

from matpho_contracts.times import unix_ms
from matpho_platform.access.errors import DeniedError
from matpho_platform.access.principal import Principal, Role, Scope
from matpho_platform.center import Center
from matpho_platform.incidents.errors import ReasonNeededError, StepError
from matpho_platform.incidents.procedure import Procedure
from matpho_platform.incidents.rehearsal import replay
from matpho_platform.incidents.rosters import Duty
from matpho_platform.incidents.schemas import Level, Priority, Status
from matpho_platform.incidents.workflow.following import Follower

NOON = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
ALL = Scope(None)
ADMIN = Principal("cmd-1", "Chỉ huy", Role.COMMANDER)
Start = Callable[..., Awaitable[str]]


def after(seconds: float) -> int:
    return unix_ms(NOON + timedelta(seconds=seconds))


@pytest.fixture
def follower(center: Center) -> Follower:
    return Follower(center.store, center.rosters, center.notifier)


async def on_duty(center: Center, user_id: str, kind: str, area: str = "p-hoan-kiem") -> None:
    await center.accounts.create(user_id, user_id, Role.OFFICER, None, areas=("p-hoan-kiem",))
    times = {"starts_at": NOON - timedelta(hours=1), "ends_at": NOON + timedelta(hours=8)}
    duty = Duty.model_validate({"area": area, "kind": kind, "user_id": user_id, **times})
    await center.rosters.set(ADMIN, duty, at=NOON)


class TestChain:
    async def test_each_level_in_its_time_and_nobody_twice(
        self, center: Center, started: Start, follower: Follower
    ) -> None:
        await on_duty(center, "off-2", "police")
        await on_duty(center, "off-3", "duty_officer", "tp-ha-noi")
        incident = await started(NOON)
        run = f"{incident}:0"
        looks = {0: 60, 1: 60, 59: 60, 60: 180, 61: 180, 180: 600, 599: 600, 600: None, 700: None}
        told: dict[int, list[str]] = {}
        for seconds, chain_next in looks.items():
            due = await follower.look(run, after(seconds))
            assert due is not None
            if chain_next is not None:
                assert due == after(chain_next)
            told[seconds] = [row["key"] for row in await entries(center, incident, "alerted")]
        numbers = {seconds: [key.rsplit(":", 1)[1] for key in keys] for seconds, keys in told.items()}
        assert numbers == {
            0: ["0"], 1: ["0"], 59: ["0"], 60: ["0", "1"], 61: ["0", "1"], 180: ["0", "1", "2"],
            599: ["0", "1", "2"], 600: ["0", "1", "2", "3"], 700: ["0", "1", "2", "3"],
        }  # fmt: skip
        detail = await center.incidents.get(ALL, incident, NOON + timedelta(seconds=700))
        assert (detail.status, detail.level, detail.assigned_to) == (Status.ESCALATED, Level.COMMANDER, "off-2")
        assert await promised(center, incident) == [
            "alert:0", "alert:1", "alert:2", "alert:3", "overdue:xac-minh",
        ]  # fmt: skip

    async def test_a_level_where_nobody_is_passes_it_on_at_once(
        self, center: Center, started: Start, follower: Follower
    ) -> None:
        incident = await started(NOON)
        assert await follower.look(f"{incident}:0", after(0)) == after(60)
        assert await promised(center, incident) == ["alert:1"]
        assert "nobody" in (await entries(center, incident, "alerted"))[0]["details"]

    async def test_whoever_acknowledges_stops_it(self, center: Center, started: Start, follower: Follower) -> None:
        incident = await started(NOON)
        await follower.look(f"{incident}:0", after(0))
        await center.incidents.acknowledge(OFFICER, incident, at=NOON + timedelta(seconds=30))
        for seconds in (31, 61, 181, 601):
            await follower.look(f"{incident}:0", after(seconds))
        assert [row["key"].rsplit(":", 1)[1] for row in await entries(center, incident, "alerted")] == ["0", "1"]

    async def test_looks_side_by_side_do_each_thing_once(
        self, center: Center, started: Start, follower: Follower
    ) -> None:
        incident = await started(NOON)
        await asyncio.gather(*(follower.look(f"{incident}:0", after(700)) for _ in range(6)))
        keys = [row["key"] for row in await entries(center, incident) if row["key"]]
        assert len(keys) == len(set(keys))
        assert await promised(center, incident) == ["alert:1", "alert:3", "overdue:xac-minh"]

    async def test_everything_that_came_due_while_nobody_looked_is_done_at_once(
        self, center: Center, started: Start, follower: Follower
    ) -> None:
        incident = await started(NOON)
        await follower.look(f"{incident}:0", after(86_400))
        assert [row["key"].rsplit(":", 1)[1] for row in await entries(center, incident, "alerted")] == list("0123")


class TestSteps:
    async def test_the_way_of_yes(self, center: Center, started: Start, follower: Follower) -> None:
        incident = await started(NOON)
        run = f"{incident}:0"
        with pytest.raises(StepError, match="Có cháy thật"):
            await center.incidents.update(OFFICER, incident, step_done="xac-minh", at=NOON)
        with pytest.raises(DeniedError) as order:
            await center.incidents.update(OFFICER, incident, step_done="dieu-xe", at=NOON)
        assert order.value.rule == "step_order"
        at = NOON + timedelta(seconds=20)
        done = await center.incidents.update(OFFICER, incident, step_done="xac-minh", answer="YES", at=at)
        assert [step.state for step in done.incident.steps] == [
            "done", "ready", "ready", "not_needed", "waiting", "waiting",
        ]  # fmt: skip
        assert done.incident.steps[1].due_at == at + timedelta(minutes=3)
        await center.incidents.acknowledge(OFFICER, incident, at=at)
        await follower.look(run, after(21))
        assert "tell:bao-chi-huy:commander" in await promised(center, incident)
        sent = await center.incidents.dispatch(OFFICER, incident, "DV-CA", at=at)
        assert sent.incident.steps[1].state == "ready"
        sent = await center.incidents.dispatch(OFFICER, incident, "DV-CC", at=NOON + timedelta(seconds=60))
        assert [step.state for step in sent.incident.steps[1:5]] == ["done", "done", "not_needed", "ready"]
        assert await follower.look(run, after(61)) == after(660)
        assert await follower.look(run, after(660)) == after(660 + 3600)
        detail = await center.incidents.get(ALL, incident, NOON)
        assert (detail.steps_done, detail.steps_total) == (4, 5)
        assert detail.next_step is not None
        assert detail.next_step.id == "bao-cao"

    async def test_a_step_overdue_is_told_once_and_in_the_timeline(
        self, center: Center, started: Start, follower: Follower
    ) -> None:
        incident = await started(NOON)
        await center.incidents.acknowledge(OFFICER, incident, at=NOON)
        assert await follower.look(f"{incident}:0", after(1)) == after(60)
        for seconds in (60, 61, 500):
            await follower.look(f"{incident}:0", after(seconds))
        assert [row["key"] for row in await entries(center, incident, "step_overdue")] == [
            f"{incident}:0:overdue:xac-minh"
        ]
        assert await promised(center, incident) == ["overdue:xac-minh"]

    async def test_priority_has_its_own_deadline(self, center: Center, started: Start, follower: Follower) -> None:
        incident = await started(NOON, priority=Priority.LOW)
        await center.incidents.acknowledge(OFFICER, incident, at=NOON)
        assert await follower.look(f"{incident}:0", after(1)) == after(600)

    async def test_a_skipped_step_needs_a_reason_and_goes_to_the_supervisor(
        self, center: Center, started: Start, follower: Follower
    ) -> None:
        incident = await started(NOON)
        await center.incidents.acknowledge(OFFICER, incident, at=NOON)
        with pytest.raises(DeniedError) as forced:
            await center.incidents.update(OFFICER, incident, step_skipped="xac-minh", reason="vội", at=NOON)
        assert forced.value.rule == "step_forced"
        await center.incidents.update(OFFICER, incident, step_done="xac-minh", answer="không", at=NOON)
        with pytest.raises(ReasonNeededError):
            await center.incidents.update(OFFICER, incident, step_skipped="ghi-nhan", at=NOON)
        done = await center.incidents.update(OFFICER, incident, step_skipped="ghi-nhan", reason="đã ghi sổ", at=NOON)
        assert [step.state for step in done.incident.steps] == [
            "done", "not_needed", "not_needed", "skipped", "ready", "waiting",
        ]  # fmt: skip
        for seconds in (1, 2):
            await follower.look(f"{incident}:0", after(seconds))
        assert await promised(center, incident) == ["skipped:ghi-nhan"]
        skipped = await entries(center, incident, "step_skipped")
        assert [row["reason"] for row in skipped] == ["đã ghi sổ"]


class TestRuns:
    async def test_a_closed_incident_ends_its_run_and_a_reopened_one_has_another(
        self, center: Center, started: Start, follower: Follower
    ) -> None:
        incident = await started(NOON)
        await center.incidents.acknowledge(OFFICER, incident, at=NOON)
        with pytest.raises(ReasonNeededError, match="Xác minh qua hình ảnh"):
            await center.incidents.update(OFFICER, incident, status=Status.CLOSED, at=NOON)
        await center.incidents.update(OFFICER, incident, status=Status.CLOSED, reason="đã dập", at=NOON)
        assert await follower.look(f"{incident}:0", after(1)) is None
        later = NOON + timedelta(hours=1)
        await center.incidents.update(OFFICER, incident, status=Status.REOPENED, reason="lại cháy", at=later)
        assert await follower.look(f"{incident}:0", after(3601)) is None
        assert await follower.look(f"{incident}:1", after(3601)) == after(3660)
        await follower.look(f"{incident}:1", after(3661))
        assert await promised(center, incident) == ["overdue:xac-minh"]

    async def test_a_changed_procedure_changes_no_running_incident(
        self, center: Center, started: Start, follower: Follower
    ) -> None:
        incident = await started(NOON)
        changed = {"id": "QT-CHAY", "title": "Khác", "steps": [], "event_types": ["crowd"]}
        await center.incidents.load(procedures=[changed])
        await center.incidents.acknowledge(OFFICER, incident, at=NOON)
        assert await follower.look(f"{incident}:0", after(1)) == after(60)
        done = await center.incidents.update(OFFICER, incident, step_done="1", answer="có", at=NOON)
        assert done.incident.steps_total == 5


class TestReplay:
    async def test_what_another_procedure_would_have_done_then(
        self, center: Center, started: Start, follower: Follower
    ) -> None:
        incident = await started(NOON)
        at = NOON + timedelta(seconds=90)
        await center.incidents.acknowledge(OFFICER, incident, at=at)
        await center.incidents.update(OFFICER, incident, step_done="xac-minh", answer="không", at=at)
        await center.incidents.update(OFFICER, incident, status=Status.CLOSED, at=NOON + timedelta(minutes=30))
        past = await center.incidents.get(ALL, incident, NOON + timedelta(hours=1))
        other = Procedure.model_validate(
            {
                "format": 2,
                "id": "QT-KHAC",
                "title": "Khác",
                "steps": [
                    {"id": "xem", "name": "Xác minh qua hình ảnh", "within": "1m"},
                    {"id": "bao", "name": "Báo", "kind": "notify", "tell": ["commander"]},
                    {"id": "ghi", "name": "Việc khác", "within": "5m"},
                ],
            }
        )
        way = replay(other, past, NOON + timedelta(hours=1))
        assert [(one.at_s, one.what, one.step) for one in way] == [
            (0.0, "told", ""), (60.0, "overdue", "xem"), (60.0, "told", ""), (90.0, "done", "bao"),
            (90.0, "done", "xem"), (390.0, "overdue", "ghi"), (1800.0, "unfinished", "ghi"),
        ]  # fmt: skip
