"""Which events belong together: joined, seen again, on their own; and what opens an incident by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from tests.platform.incidents.conftest import OFFICER, entries

from matpho_contracts.events import Event
from matpho_contracts.geometry import Location
from matpho_contracts.times import now
from matpho_contracts.vocabulary import EventType, Severity
from matpho_platform.access.principal import Scope
from matpho_platform.center import Center
from matpho_platform.events.reading import StoredEvent
from matpho_platform.incidents.correlating import Correlator, metres
from matpho_platform.incidents.schemas import IncidentDetail, Priority, Status
from matpho_platform.store.tables import events

FIRE: dict[str, Any] = {
    "format": 2,
    "id": "QT-CHAY",
    "title": "Cháy",
    "event_types": ["fire", "smoke"],
    "priority": "medium",
    "automatic": "high",
    "joins": [{"types": ["fire", "smoke", "crowd"], "within": "10m", "radius_m": 300, "repeat_within": "1m"}],
}
PLACE = Location(lat=21.03, lon=105.85)
NEAR = Location(lat=21.0315, lon=105.851)
FAR = Location(lat=21.04, lon=105.86)
ALL = Scope(None)
Arrive = Callable[..., Awaitable[Event]]


@pytest.fixture
def start() -> datetime:
    return now() - timedelta(minutes=20)


@pytest.fixture
async def arrive(center: Center, box: Any, start: datetime) -> Arrive:
    """An event comes in some seconds after the start, and is correlated (twice: at least once is what is promised)."""
    await center.incidents.load(procedures=[FIRE])
    correlator = Correlator(center.store, center.incidents)

    async def come(seconds: float = 0, **more: Any) -> Event:
        given = {"kind": EventType.FIRE, "severity": Severity.HIGH, "location": PLACE, **more}
        event: Event = box.event(time=start + timedelta(seconds=seconds), **given)
        await center.intake.receive(box.batch([event]))
        async with center.store.reading() as session:
            row = await session.first(select(events).where(events.c.id == event.id))
        assert row is not None
        for _ in range(2):
            await correlator.take([StoredEvent(row["seq"], event, row)])
        return event

    return come


async def all_of(center: Center) -> list[IncidentDetail]:
    page = await center.incidents.list(ALL, now=now())
    return [await center.incidents.get(ALL, one.id, now()) for one in reversed(page.incidents)]


async def test_the_first_opens_and_what_belongs_joins(center: Center, arrive: Arrive) -> None:
    first = await arrive()
    smoke = await arrive(120, kind=EventType.SMOKE, camera_id="cam-2", area="p-ba-dinh", location=NEAR)
    crowd = await arrive(400, kind=EventType.CROWD, location=None)
    [incident] = await all_of(center)
    assert incident.event_ids == (first.id, smoke.id, crowd.id)
    assert (incident.opened_by, incident.procedure, incident.status) == ("center", "QT-CHAY", Status.NEW)
    joined = await entries(center, incident.id, "event_joined")
    assert len(joined) == 2


@pytest.mark.parametrize(
    ("seconds", "more"),
    [
        (601, {}),
        (60, {"camera_id": "cam-2", "area": "p-ba-dinh", "location": FAR}),
        (60, {"camera_id": "cam-2", "area": "p-ba-dinh", "location": None}),
    ],
)
async def test_too_late_or_too_far_is_another(
    center: Center, arrive: Arrive, seconds: float, more: dict[str, Any]
) -> None:
    await arrive()
    await arrive(seconds, **more)
    assert [len(one.event_ids) for one in await all_of(center)] == [1, 1]


async def test_the_window_moves_with_the_newest_event(center: Center, arrive: Arrive) -> None:
    for seconds in (0, 500, 1000):
        await arrive(seconds)
    assert [len(one.event_ids) for one in await all_of(center)] == [3]


async def test_the_same_thing_seen_again_is_linked_and_not_spoken_of(center: Center, arrive: Arrive) -> None:
    await arrive()
    await arrive(30)
    [incident] = await all_of(center)
    assert len(incident.event_ids) == 2
    assert not await entries(center, incident.id, "event_joined")


async def test_what_presses_more_raises_the_priority(center: Center, arrive: Arrive) -> None:
    await arrive()
    await arrive(120, severity=Severity.CRITICAL)
    await arrive(240, severity=Severity.LOW)
    [incident] = await all_of(center)
    assert incident.priority is Priority.CRITICAL
    assert len(await entries(center, incident.id, "priority_raised")) == 1


async def test_an_incident_that_has_ended_takes_nothing(center: Center, arrive: Arrive) -> None:
    await arrive()
    [incident] = await all_of(center)
    await center.incidents.update(OFFICER, incident.id, status=Status.CLOSED, at=now())
    await arrive(120)
    assert [len(one.event_ids) for one in await all_of(center)] == [1, 1]


@pytest.mark.parametrize(
    ("seconds", "more"),
    [(0, {"severity": Severity.MEDIUM}), (0, {"kind": EventType.CROWD}), (-3600, {})],
)
async def test_what_opens_nothing_by_itself(
    center: Center, arrive: Arrive, seconds: float, more: dict[str, Any]
) -> None:
    await arrive(seconds, **more)
    assert await all_of(center) == []


def test_metres_on_the_ground() -> None:
    assert metres((21.0, 105.0), (21.0, 105.0)) == 0
    assert metres((21.0, 105.0), (22.0, 105.0)) == pytest.approx(111_195, rel=1e-3)
    assert metres((0.0, 0.0), (0.0, 180.0)) == pytest.approx(20_015_000, rel=1e-3)
