"""The daily briefing: local days, the same hours compared, scope, what waits and what is late."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from tests.platform.conftest import NOON, EdgeBox

from matpho_contracts.errors import BadInputError
from matpho_contracts.events import Event
from matpho_contracts.vocabulary import EventType
from matpho_platform.access.principal import Principal, Role, Scope
from matpho_platform.center import Center
from matpho_platform.feedback.schemas import Place, Report
from matpho_platform.incidents.procedure import Procedure, Step
from matpho_platform.incidents.schemas import IncidentRecord, Priority, Status

NOW = NOON + timedelta(hours=3)
"""15:00 in Hanoi."""
EVERYWHERE = Scope(None)
HOA = Principal("cit-hoa", "Nguyễn Thị Hoa", Role.CITIZEN)
SOP = Procedure(
    id="SOP-CHAY",
    title="Xử lý cháy nổ",
    event_types=(EventType.FIRE,),
    priority=Priority.CRITICAL,
    steps=(
        Step(name="Xác minh", role="officer", within_minutes=2),
        Step(name="Báo cáo", role="officer", within_minutes=600),
    ),
    text="Xác minh ngay.",
)


@pytest.fixture
async def city(center: Center, box: EdgeBox, make: Callable[..., Event]) -> Center:
    """Today two crowds, a fight, a fire; yesterday a crowd before 15:00 and two after; a week ago one."""
    hour = timedelta(hours=1)
    day = timedelta(days=1)
    fire = make(kind=EventType.FIRE, time=NOON - 2 * hour, camera_id="cam-2", area="p-ba-dinh")
    events = [
        fire,
        make(time=NOON),
        make(time=NOON + hour),
        make(kind=EventType.FIGHT, time=NOON),
        make(kind=EventType.OBJECT_SEEN, time=NOON),
        make(kind=EventType.CAMERA_OFFLINE, time=NOON),
        make(time=NOON - day),
        make(time=NOON - day + 5 * hour),
        make(time=NOON - day + 6 * hour),
        make(time=NOON - 7 * day),
    ]
    await center.intake.receive(box.batch(events))
    await center.procedures.load([SOP])
    await center.incidents.load(
        incidents=[
            IncidentRecord(
                id="VV-1", event_ids=(fire.id,), procedure="SOP-CHAY", priority=Priority.CRITICAL, status=Status.NEW,
                area="p-ba-dinh", opened_at=NOON - 2 * hour,
            ),
            IncidentRecord(
                id="VV-2", event_ids=(events[3].id,), priority=Priority.LOW, status=Status.IN_PROGRESS,
                area="p-hoan-kiem", opened_at=NOON, acknowledged_at=NOON + timedelta(minutes=6),
            ),
            IncidentRecord(
                id="VV-3", event_ids=(events[1].id,), priority=Priority.HIGH, status=Status.CLOSED,
                area="p-hoan-kiem", opened_at=NOON, acknowledged_at=NOON + timedelta(minutes=2),
            ),
        ]
    )  # fmt: skip
    await center.feedback.submit(HOA, Report(text="Rác đầy", place=Place(area="p-ba-dinh")), at=NOON)
    return center


async def test_today_ends_now_and_is_held_against_the_same_hours(city: Center) -> None:
    briefing = await city.briefings.daily(EVERYWHERE, now=NOW)
    assert (briefing.date, briefing.partial, briefing.time_to) == ("2026-11-20", True, NOW)
    total = briefing.events
    assert (total.value, total.day_before, total.week_before) == (4, 1, 1)
    assert [(row.key, row.value, row.day_before, row.week_before) for row in briefing.by_type] == [
        ("crowd", 2, 1, 1),
        ("fight", 1, 0, 0),
        ("fire", 1, 0, 0),
    ]
    assert [(row.key, row.value) for row in briefing.by_area] == [("p-hoan-kiem", 3), ("p-ba-dinh", 1)]
    assert briefing.by_camera[0].key == "cam-1"


async def test_a_day_before_is_whole(city: Center) -> None:
    briefing = await city.briefings.daily(EVERYWHERE, now=NOW, day=date(2026, 11, 19))
    assert (briefing.partial, briefing.events.value) == (False, 3)
    assert briefing.time_to - briefing.time_from == timedelta(days=1)
    assert briefing.incidents.opened == 0


async def test_a_day_to_come_is_refused(city: Center) -> None:
    with pytest.raises(BadInputError):
        await city.briefings.daily(EVERYWHERE, now=NOW, day=date(2026, 11, 21))


async def test_what_waits_comes_by_urgency_and_late_steps_are_named(city: Center) -> None:
    incidents = (await city.briefings.daily(EVERYWHERE, now=NOW)).incidents
    assert (incidents.opened, incidents.open) == (3, 2)
    assert incidents.mean_response_minutes == 4
    assert [one.id for one in incidents.waiting] == ["VV-1", "VV-2"]
    assert [(step.incident_id, step.step) for step in incidents.overdue_steps] == [("VV-1", "Xác minh")]
    assert incidents.overdue_total == 1


async def test_scope_and_areas_narrow_every_part(city: Center) -> None:
    own = await city.briefings.daily(Scope(("p-hoan-kiem",)), now=NOW)
    named = await city.briefings.daily(EVERYWHERE, now=NOW, areas=("p-hoan-kiem",))
    for briefing in (own, named):
        assert briefing.events.value == 3
        assert [one.id for one in briefing.incidents.waiting] == ["VV-2"]
        assert briefing.devices.cameras == 1
        assert briefing.feedback.received == 0
    everything = await city.briefings.daily(Scope(("tp-ha-noi",)), now=NOW)
    assert everything.feedback.received == 1
    assert (everything.devices.cameras, everything.devices.online) == (2, 2)


async def test_devices_that_are_away_are_named(city: Center, box: EdgeBox) -> None:
    key = await city.edges.key(box.key.public.key_id)
    assert key is not None
    await city.registry.report(box.status("offline"), key)
    devices = (await city.briefings.daily(EVERYWHERE, now=NOW)).devices
    assert (devices.offline, devices.online, set(devices.away)) == (2, 0, {"cam-1", "cam-2"})


async def test_an_empty_scope_has_nothing(city: Center) -> None:
    briefing = await city.briefings.daily(Scope(()), now=NOW)
    assert (briefing.events.value, briefing.incidents.open, briefing.devices.cameras) == (0, 0, 0)
    assert briefing.feedback.received == 0
