"""Events for people: filters, scope, paging, detail, statistics, and verification of the whole store."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from matpho_contracts.errors import BadInputError
from matpho_contracts.geometry import Location
from matpho_contracts.times import VIETNAM
from matpho_contracts.vocabulary import Colour, EventType, Severity
from matpho_platform.access.principal import Scope
from matpho_platform.center import Center
from matpho_platform.events.errors import EventNotFoundError, SearchUnavailableError
from matpho_platform.events.schemas import EventFilter, NearPlace, StatisticsQuery
from matpho_platform.store import WriteSession
from matpho_platform.store.tables import batches, events, inbox

EVERYWHERE = Scope(None)
HANOI = Location(lat=21.0285, lon=105.8542)
MONDAY = datetime(2026, 11, 16, 0, 0, tzinfo=VIETNAM)


@pytest.fixture
async def city(center: Center, box: Any) -> dict[str, str]:
    """A few different events; name to id."""
    made = {
        "crowd": box.event(time=MONDAY + timedelta(hours=8), count=12, location=HANOI),
        "truck": box.event(
            kind=EventType.ILLEGAL_DUMPING,
            time=MONDAY + timedelta(hours=22),
            objects=[("truck", Colour.WHITE), ("person", Colour.RED)],
            plate="29C-123.45",
            camera_id="cam-2",
            area="p-ba-dinh",
        ),
        "fire": box.event(
            kind=EventType.FIRE, time=MONDAY + timedelta(hours=23), severity=Severity.CRITICAL, objects=[("fire", None)]
        ),
        "car": box.event(
            kind=EventType.ILLEGAL_PARKING,
            time=MONDAY + timedelta(days=1, hours=8),
            objects=[("car", Colour.RED), ("motor|bike", Colour.WHITE)],
            location=Location(lat=21.2, lon=105.8542),
            severity=Severity.LOW,
        ),
    }
    await center.intake.receive(box.batch(list(made.values())))
    return {name: event.id for name, event in made.items()}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (EventFilter(), "car fire truck crowd"),
        (EventFilter(event_types=(EventType.FIRE, EventType.CROWD)), "fire crowd"),
        (EventFilter(objects=("truck",)), "truck"),
        (EventFilter(objects=("truck", "fire")), "fire truck"),
        (EventFilter(objects=("motor",)), ""),
        (EventFilter(objects=("%",)), ""),
        (EventFilter(objects=("motor/bike",)), "car"),
        (EventFilter(objects=("person",), objects_not=("truck",)), "crowd"),
        (EventFilter(objects=("person",), colors=(Colour.WHITE,)), ""),
        (EventFilter(objects=("truck", "car"), colors=(Colour.WHITE,)), "truck"),
        (EventFilter(colors=(Colour.RED,)), "car truck"),
        (EventFilter(min_count=12), "crowd"),
        (EventFilter(plate="29c 12345"), "truck"),
        (EventFilter(plate="123.45"), "truck"),
        (EventFilter(plate="..."), ""),
        (EventFilter(areas=("p-ba-dinh",)), "truck"),
        (EventFilter(areas=("tp-ha-noi",)), "car fire truck crowd"),
        (EventFilter(areas=("noi-khac",)), ""),
        (EventFilter(camera_ids=("cam-2",)), "truck"),
        (EventFilter(time_from=MONDAY + timedelta(hours=22), time_to=MONDAY + timedelta(hours=23)), "truck"),
        (EventFilter(near=NearPlace(lat=21.03, lon=105.85, radius_m=1000)), "crowd"),
        (EventFilter(near=NearPlace(lat=21.03, lon=105.85, radius_m=25_000)), "car crowd"),
        (EventFilter(severity_min=Severity.MEDIUM), "fire truck crowd"),
        (EventFilter(severity_min=Severity.CRITICAL), "fire"),
    ],
)
async def test_every_filter(center: Center, city: dict[str, str], where: EventFilter, expected: str) -> None:
    page = await center.events.search(EVERYWHERE, None, where)
    assert [hit.id for hit in page.hits] == [city[name] for name in expected.split()]
    assert page.total == len(page.hits)


class TestScope:
    async def test_bounds_every_way_to_an_event(self, center: Center, city: dict[str, str]) -> None:
        only = Scope(("p-ba-dinh",))
        assert [hit.id for hit in (await center.events.search(only, None, EventFilter())).hits] == [city["truck"]]
        table = await center.events.statistics(only, StatisticsQuery())
        assert table.total == 1
        for call in (center.events.get, center.events.still):
            with pytest.raises(EventNotFoundError):
                await call(only, city["fire"])

    async def test_of_a_province_covers_its_communes(self, center: Center, city: dict[str, str]) -> None:
        assert (await center.events.search(Scope(("tp-ha-noi",)), None, EventFilter())).total == 4

    async def test_of_nothing_sees_nothing(self, center: Center, city: dict[str, str]) -> None:
        assert (await center.events.search(Scope(()), None, EventFilter())).total == 0


async def test_pages_are_disjoint_and_stable(center: Center, box: Any) -> None:
    made = [box.event(time=MONDAY + timedelta(minutes=number // 3)) for number in range(25)]
    await center.intake.receive(box.batch(made))
    found: list[str] = []
    for offset in range(0, 30, 10):
        page = await center.events.search(EVERYWHERE, None, EventFilter(), limit=10, offset=offset)
        assert page.total == 25
        found += [hit.id for hit in page.hits]
    assert len(found) == len(set(found)) == 25
    times = {event.id: event.time for event in made}
    assert [times[event_id] for event_id in found] == sorted(times.values(), reverse=True)


async def test_a_hit_names_its_camera_and_where_its_still_is(center: Center, box: Any, jpeg: bytes) -> None:
    event = box.event(still=jpeg)
    await center.intake.receive(box.batch([event], [jpeg]))
    hit = (await center.events.search(EVERYWHERE, None, EventFilter())).hits[0]
    assert hit.camera_name == "Cổng trường Trần Phú"
    assert hit.thumbnail == f"/api/v1/events/{event.id}/still"


async def test_without_an_index_words_are_refused_and_filters_still_work(center: Center, city: dict[str, str]) -> None:
    with pytest.raises(SearchUnavailableError):
        await center.events.search(EVERYWHERE, "xe tải trắng", EventFilter())
    with pytest.raises(SearchUnavailableError):
        await center.events.similar(EVERYWHERE, city["truck"], EventFilter())
    assert (await center.events.search(EVERYWHERE, "  ", EventFilter())).total == 4


async def test_a_page_beyond_reason_is_refused(center: Center) -> None:
    with pytest.raises(BadInputError):
        await center.events.search(EVERYWHERE, None, EventFilter(), offset=10_000_000)


class TestStatistics:
    async def ask(self, center: Center, **query: Any) -> Any:
        return await center.events.statistics(EVERYWHERE, StatisticsQuery(**query))

    @pytest.mark.parametrize(
        ("group", "expected"),
        [
            ("day", {("2026-11-16",): 3, ("2026-11-17",): 1}),
            ("week", {("2026-W47",): 4}),
            (
                "hour",
                {
                    ("2026-11-16T08:00+07:00",): 1,
                    ("2026-11-16T22:00+07:00",): 1,
                    ("2026-11-16T23:00+07:00",): 1,
                    ("2026-11-17T08:00+07:00",): 1,
                },
            ),
            ("area", {("p-ba-dinh",): 1, ("p-hoan-kiem",): 3}),
            ("camera", {("cam-1",): 3, ("cam-2",): 1}),
            ("event_type", {("crowd",): 1, ("fire",): 1, ("illegal_dumping",): 1, ("illegal_parking",): 1}),
            ("severity", {("low",): 1, ("medium",): 2, ("critical",): 1}),
        ],
    )
    async def test_groups_in_local_time(
        self, center: Center, city: dict[str, str], group: Any, expected: dict[tuple[str, ...], int]
    ) -> None:
        table = await self.ask(center, group_by=(group,))
        assert {row.key: row.value for row in table.rows} == expected
        assert table.total == 4

    async def test_takes_the_filters_of_search(self, center: Center, city: dict[str, str]) -> None:
        table = await self.ask(center, group_by=("area", "day"), where=EventFilter(objects=("truck",)))
        assert [(row.key, row.value) for row in table.rows] == [(("p-ba-dinh", "2026-11-16"), 1)]

    async def test_a_rate_is_events_an_hour(self, center: Center, city: dict[str, str]) -> None:
        where = EventFilter(time_from=MONDAY, time_to=MONDAY + timedelta(days=2))
        table = await self.ask(center, metric="rate", group_by=("day",), where=where)
        assert {row.key: row.value for row in table.rows} == {("2026-11-16",): 3 / 24, ("2026-11-17",): 1 / 24}
        assert table.total == pytest.approx(4 / 48)

    async def test_compares_with_the_period_before(self, center: Center, city: dict[str, str]) -> None:
        tuesday = EventFilter(time_from=MONDAY + timedelta(days=1), time_to=MONDAY + timedelta(days=2))
        table = await self.ask(center, group_by=("hour",), where=tuesday, compare_to="previous_period")
        assert {row.key: (row.value, row.compared) for row in table.rows} == {
            ("2026-11-17T08:00+07:00",): (1, 1),
            ("2026-11-17T22:00+07:00",): (0, 1),
            ("2026-11-17T23:00+07:00",): (0, 1),
        }
        assert (table.total, table.compared_total) == (1, 3)

    async def test_compares_with_the_same_day_last_week(self, center: Center, box: Any, city: dict[str, str]) -> None:
        await center.intake.receive(box.batch([box.event(time=MONDAY + timedelta(days=-7, hours=9))]))
        monday = EventFilter(time_from=MONDAY, time_to=MONDAY + timedelta(days=1))
        table = await self.ask(center, group_by=("area",), where=monday, compare_to="same_day_last_week")
        assert {row.key: (row.value, row.compared) for row in table.rows} == {
            ("p-hoan-kiem",): (2, 1),
            ("p-ba-dinh",): (1, 0),
        }
        assert table.compared_total == 1

    async def test_a_comparison_needs_a_start(self, center: Center) -> None:
        with pytest.raises(BadInputError):
            await self.ask(center, compare_to="previous_period")

    async def test_of_nothing_is_an_empty_table(self, center: Center) -> None:
        table = await self.ask(center, group_by=("day",), metric="rate")
        assert (table.rows, table.total) == ((), 0)


Tamper = Callable[[WriteSession], Awaitable[object]]


def _set(**values: object) -> Tamper:
    async def tamper(session: WriteSession) -> None:
        await session.run(update(events).where(events.c.event_type == "fire").values(**values))

    return tamper


async def _raw_byte(session: WriteSession) -> None:
    raw = await session.scalar(select(events.c.raw).where(events.c.event_type == "fire"))
    changed = bytes(raw).replace(b"critical", b"criticaI")
    await session.run(update(events).where(events.c.event_type == "fire").values(raw=changed))


async def _consistent_lie(session: WriteSession) -> None:
    raw = await session.scalar(select(events.c.raw).where(events.c.event_type == "fire"))
    changed = bytes(raw).replace(b'"severity":"critical"', b'"severity":"info"')
    await session.run(update(events).where(events.c.event_type == "fire").values(raw=changed, severity=0))


async def _path(session: WriteSession) -> None:
    path = bytearray(await session.scalar(select(events.c.path).where(events.c.event_type == "fire")))
    path[0] ^= 1
    await session.run(update(events).where(events.c.event_type == "fire").values(path=bytes(path)))


async def _header(session: WriteSession) -> None:
    header = json.loads(await session.scalar(select(batches.c.header)))
    await session.run(update(batches).values(header=json.dumps({**header, "incarnation": "i2"}).encode()))


async def _batch_edge(session: WriteSession) -> None:
    await session.run(update(batches).values(edge_id="box-2"))


async def _event_gone(session: WriteSession) -> None:
    await session.run(delete(events).where(events.c.event_type == "fire"))


async def _event_gone_with_its_inbox_row(session: WriteSession) -> None:
    gone = select(events.c.id).where(events.c.event_type == "fire")
    await session.run(delete(inbox).where(inbox.c.event_id.in_(gone)))
    await _event_gone(session)


async def _inbox_digest(session: WriteSession) -> None:
    await session.run(update(inbox).values(digest=b"\0" * 32))


class TestVerification:
    @pytest.mark.parametrize(
        "tamper",
        [
            _raw_byte,
            _consistent_lie,
            _path,
            _header,
            _batch_edge,
            _event_gone,
            _event_gone_with_its_inbox_row,
            _inbox_digest,
            _set(time_ms=1),
            _set(event_type="smoke"),
            _set(camera_id="cam-2"),
            _set(area="p-ba-dinh"),
            _set(severity=0),
            _set(object_count=99),
            _set(labels="|person|"),
            _set(pairs="|fire:red|"),
            _set(plates="|30a12345|"),
            _set(lat=1.0),
            _set(still="0" * 64),
            _set(batch_index=0),
            _set(id="00000000-0000-7000-8000-000000000000"),
        ],
    )
    async def test_finds_what_was_changed_in_the_database(
        self, center: Center, city: dict[str, str], tamper: Tamper
    ) -> None:
        before = await center.verify_all()
        assert before.intact
        assert before.events == 4
        async with center.store.writing() as session:
            await tamper(session)
        assert not (await center.verify_all()).intact

    async def test_finds_a_changed_still(self, center: Center, box: Any, jpeg: bytes) -> None:
        event = box.event(still=jpeg)
        await center.intake.receive(box.batch([event], [jpeg]))
        report = await center.verify_all()
        assert (report.intact, report.stills) == (True, 1)
        digest = event.data.evidence.thumbnail_sha256
        (center.settings.data / "stills" / digest[:2] / digest).write_bytes(jpeg[:-1] + b"\0")
        report = await center.verify_all()
        assert [finding.event_id for finding in report.findings] == [event.id]

    async def test_counts_a_still_that_never_came(self, center: Center, box: Any, jpeg: bytes) -> None:
        await center.intake.receive(box.batch([box.event(still=jpeg)]))
        report = await center.verify_all()
        assert (report.intact, report.stills_missing) == (True, 1)

    async def test_reading_one_event_says_that_it_was_changed(self, center: Center, city: dict[str, str]) -> None:
        async with center.store.writing() as session:
            await _consistent_lie(session)
        detail = await center.events.get(EVERYWHERE, city["fire"])
        assert detail.signature == "invalid"
        assert detail.signature_reason
        assert (await center.events.get(EVERYWHERE, city["truck"])).signature == "valid"
