"""Incidents: opened once, moved by rules, never changed behind anybody's back; procedures answer; figures add up."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from matpho_contracts.errors import BadInputError, ConfigurationError, MatphoError
from matpho_contracts.events import Event
from matpho_contracts.ids import new_event_id
from matpho_contracts.vocabulary import EventType, Severity
from matpho_platform.access.errors import DeniedError
from matpho_platform.access.principal import Principal, Role, Scope
from matpho_platform.center import Center
from matpho_platform.events.errors import EventNotFoundError
from matpho_platform.incidents.errors import (
    IncidentNotFoundError,
    KeyReusedError,
    ProcedureNotFoundError,
    ReasonNeededError,
    StepError,
    UnitNotFoundError,
)
from matpho_platform.incidents.passages import Library, glossary
from matpho_platform.incidents.procedure import Procedure
from matpho_platform.incidents.procedure_files import read_procedures
from matpho_platform.incidents.schemas import IncidentAction, Level, Priority, Status
from matpho_platform.incidents.states import OPEN, TRANSITIONS, check_transition
from matpho_platform.store.tables import accounts, incident_timeline

NOON = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
"""12:00 in Hanoi."""
ALL = Scope(None)
WARD = Scope(("p-hoan-kiem",))
OFFICER = Principal("off-1", "Đại úy Hằng", Role.OFFICER, ("p-hoan-kiem",))
CROWD = {
    "id": "QT-DONG",
    "title": "Điều tiết đám đông",
    "event_types": ["crowd", "gate_crowding"],
    "priority": "medium",
    "steps": [
        {"name": "Đánh giá mật độ", "role": "officer", "within_minutes": 5},
        {"name": "Cử lực lượng điều tiết", "role": "officer", "within_minutes": 15},
        {"name": "Báo cáo chỉ huy", "role": "commander", "within_minutes": 20},
    ],
    "text": "Mật độ trên 4 người mỗi mét vuông thì cử lực lượng. Không lập danh sách người tham gia.",
    "public": False,
}
FIRE = {
    "id": "QT-CHAY",
    "title": "Xử lý cháy nổ",
    "event_types": ["fire", "smoke", "crowd"],
    "priority": "critical",
    "steps": [{"name": "Báo cứu hỏa", "role": "officer", "within_minutes": 3}],
    "text": "Báo ngay Phòng Cảnh sát PCCC khi thấy khói. Giữ lối vào rộng 3,5 mét cho xe chữa cháy.",
    "public": False,
}
FLOOD = {
    "id": "QT-NGAP",
    "title": "Ứng phó ngập úng",
    "event_types": ["flooding"],
    "priority": "high",
    "steps": [{"name": "Đo mức nước", "role": "officer", "within_minutes": 5}],
    "text": "Nước sâu quá 40 cm thì cấm xe máy qua. Người dân nên tránh hầm chui.",
    "public": True,
}
UNITS: list[dict[str, Any]] = [
    {"id": "DV-CA", "name": "Công an phường Hoàn Kiếm", "aliases": ["CAP"], "area": "p-hoan-kiem", "kind": "police"},
    {"id": "DV-YT", "name": "Trạm y tế Hoàn Kiếm", "area": "p-hoan-kiem", "kind": "medical"},
    {"id": "DV-BD", "name": "Công an phường Ba Đình", "area": "p-ba-dinh", "kind": "police"},
    {"id": "DV-CC", "name": "Phòng Cảnh sát PCCC", "aliases": ["PC07"], "area": "tp-ha-noi", "kind": "fire"},
    {"id": "DV-TP", "name": "Cảnh sát cơ động", "area": "tp-ha-noi", "kind": "police"},
]


async def stored(center: Center, box: Any, **changes: Any) -> Event:
    event: Event = box.event(**changes)
    await center.intake.receive(box.batch([event]))
    return event


@pytest.fixture
async def crowd(center: Center, box: Any) -> Event:
    """A crowd in Hoàn Kiếm, with procedures and units loaded."""
    await center.incidents.load(procedures=[CROWD, FLOOD], units=UNITS)
    return await stored(center, box)


async def opened(center: Center, event: Event, **more: Any) -> IncidentAction:
    return await center.incidents.open(OFFICER, [event.id], at=more.pop("at", NOON), **more)


class TestOpening:
    async def test_takes_procedure_priority_area_and_deadlines_from_what_happened(
        self, center: Center, crowd: Event
    ) -> None:
        done = await opened(center, crowd, note="đông quá")
        incident = done.incident
        assert done.changed
        assert incident.id == "VV-1120-01"
        assert (incident.procedure, incident.title, incident.priority) == (
            "QT-DONG", "Điều tiết đám đông", Priority.MEDIUM,
        )  # fmt: skip
        assert (incident.area, incident.status, incident.level) == ("p-hoan-kiem", Status.NEW, Level.WARD)
        assert (incident.type, incident.camera_name) == ("crowd", "Cổng trường Trần Phú")
        assert [step.due_at for step in incident.steps] == [NOON + timedelta(minutes=m) for m in (5, 15, 20)]
        assert [event.id for event in incident.events] == [crowd.id]
        assert [(entry.action, entry.actor, entry.note) for entry in incident.timeline] == [
            ("opened", "off-1", "đông quá")
        ]

    async def test_numbers_run_by_local_day_and_after_given_ones(self, center: Center, box: Any, crowd: Event) -> None:
        given = {"id": "VV-1121-06", "priority": "low", "area": "p-ba-dinh", "opened_at": NOON + timedelta(hours=13)}
        await center.incidents.load(incidents=[given])
        late = NOON + timedelta(hours=11, minutes=59)
        next_day = NOON + timedelta(hours=12)
        ids: list[str] = []
        for at in (NOON, late, next_day, next_day):
            event = await stored(center, box, time=NOON + timedelta(seconds=len(ids) + 1))
            ids.append((await opened(center, event, at=at)).incident.id)
        assert ids == ["VV-1120-01", "VV-1120-02", "VV-1121-07", "VV-1121-08"]

    async def test_an_event_has_one_incident_unless_another_is_meant(self, center: Center, crowd: Event) -> None:
        first = await opened(center, crowd)
        again = await opened(center, crowd)
        assert (again.changed, again.incident.id) == (False, first.incident.id)
        other = await opened(center, crowd, separate=True)
        assert (other.changed, other.incident.id) == (True, "VV-1120-02")
        assert await center.incidents.incident_of([crowd.id, new_event_id()]) == {crowd.id: "VV-1120-02"}

    async def test_many_who_open_at_once_get_one_incident(self, center: Center, crowd: Event) -> None:
        results = await asyncio.gather(*(opened(center, crowd) for _ in range(8)))
        assert {done.incident.id for done in results} == {"VV-1120-01"}
        assert sum(done.changed for done in results) == 1

    async def test_the_same_key_opens_once(self, center: Center, crowd: Event) -> None:
        first = await opened(center, crowd, key="k1", separate=True)
        again = await opened(center, crowd, key="k1", separate=True)
        assert (again.changed, again.incident.id) == (False, first.incident.id)
        assert (await center.incidents.list(ALL, now=NOON)).total == 1

    async def test_the_most_urgent_procedure_that_fits_is_the_default(self, center: Center, crowd: Event) -> None:
        await center.incidents.load(procedures=[FIRE])
        procedure, priority = await center.incidents.plan([crowd.id], None, None)
        assert procedure is not None
        assert (procedure.id, priority) == ("QT-CHAY", Priority.CRITICAL)
        chosen, low = await center.incidents.plan([crowd.id], "QT-DONG", Priority.LOW)
        assert chosen is not None
        assert (chosen.id, low) == ("QT-DONG", Priority.LOW)

    async def test_without_a_procedure_the_severity_decides(self, center: Center, box: Any, crowd: Event) -> None:
        info = await stored(center, box, kind=EventType.OBJECT_SEEN, severity=Severity.INFO)
        high = await stored(center, box, kind=EventType.FIGHT, severity=Severity.HIGH, camera_id="cam-2",
                            area="p-ba-dinh")  # fmt: skip
        assert await center.incidents.plan([info.id], None, None) == (None, Priority.LOW)
        both = await center.incidents.open(OFFICER, [info.id, high.id], at=NOON)
        assert (both.incident.priority, both.incident.area, both.incident.type) == (
            Priority.HIGH, "p-ba-dinh", "fight",
        )  # fmt: skip
        assert both.incident.next_step is None

    async def test_what_does_not_exist_is_said(self, center: Center, crowd: Event) -> None:
        with pytest.raises(EventNotFoundError):
            await center.incidents.open(OFFICER, [new_event_id()], at=NOON)
        with pytest.raises(EventNotFoundError):
            await center.incidents.open(OFFICER, [], at=NOON)
        with pytest.raises(ProcedureNotFoundError):
            await opened(center, crowd, procedure="QT-KHONG")
        assert (await center.incidents.list(ALL, now=NOON)).total == 0


class TestActing:
    async def test_acknowledging_stops_the_clock_once(self, center: Center, crowd: Event) -> None:
        await opened(center, crowd)
        at = NOON + timedelta(minutes=4)
        done = await center.incidents.acknowledge(OFFICER, "VV-1120-01", at=at, note="đang ra", key="a1")
        incident = done.incident
        assert (incident.acknowledged_at, incident.acknowledged_by, incident.assigned_to) == (at, "off-1", "off-1")
        assert incident.status is Status.IN_PROGRESS
        again = await center.incidents.acknowledge(OFFICER, "VV-1120-01", at=at, key="a1")
        assert not again.changed
        with pytest.raises(DeniedError) as caught:
            await center.incidents.acknowledge(OFFICER, "VV-1120-01", at=at, key="a2")
        assert caught.value.rule == "already_acknowledged"
        assert len(again.incident.timeline) == 2

    async def test_a_unit_is_sent_and_the_task_is_kept(self, center: Center, crowd: Event) -> None:
        await opened(center, crowd)
        done = await center.incidents.dispatch(OFFICER, "VV-1120-01", "DV-CA", at=NOON, note="cổng chính", key="d1")
        again = await center.incidents.dispatch(OFFICER, "VV-1120-01", "DV-CA", at=NOON, note="cổng chính", key="d1")
        assert done.task is not None
        assert (done.task.id, done.task.unit_name, done.task.state, done.task.note) == (
            "VV-1120-01-T1", "Công an phường Hoàn Kiếm", "sent", "cổng chính",
        )  # fmt: skip
        assert again.task == done.task
        assert len(again.incident.tasks) == 1
        assert done.incident.status is Status.IN_PROGRESS
        assert done.incident.acknowledged_at is None
        with pytest.raises(UnitNotFoundError):
            await center.incidents.dispatch(OFFICER, "VV-1120-01", "DV-XX", at=NOON)

    async def test_steps_are_done_by_name_number_or_part_and_once(self, center: Center, crowd: Event) -> None:
        await opened(center, crowd)
        service = center.incidents
        for said in ("danh gia mat do", "2"):
            await service.update(OFFICER, "VV-1120-01", step_done=said, at=NOON)
        done = await service.update(OFFICER, "VV-1120-01", step_done="chỉ huy", at=NOON)
        assert [step.done_by for step in done.incident.steps] == ["off-1"] * 3
        assert (done.incident.steps_done, done.incident.next_step) == (3, None)
        with pytest.raises(DeniedError) as caught:
            await service.update(OFFICER, "VV-1120-01", step_done="1", at=NOON)
        assert caught.value.rule == "step_done_already"
        with pytest.raises(StepError):
            await service.update(OFFICER, "VV-1120-01", step_done="gọi taxi", at=NOON)
        with pytest.raises(StepError):
            await service.update(OFFICER, "VV-1120-01", step_done="9", at=NOON)
        with pytest.raises(BadInputError):
            await service.update(OFFICER, "VV-1120-01", at=NOON)
        with pytest.raises(BadInputError):
            await service.update(OFFICER, "VV-1120-01", status=Status.CLOSED, step_done="1", at=NOON)

    async def test_overdue_is_what_is_not_done_in_time_while_open(self, center: Center, crowd: Event) -> None:
        await opened(center, crowd)
        await center.incidents.update(OFFICER, "VV-1120-01", step_done="1", at=NOON)
        late = NOON + timedelta(minutes=16)
        seen = await center.incidents.get(WARD, "VV-1120-01", late)
        assert [step.overdue for step in seen.steps] == [False, True, False]
        assert (seen.overdue, seen.next_step) == (1, seen.steps[1])
        on_time = await center.incidents.get(WARD, "VV-1120-01", NOON + timedelta(minutes=15))
        assert on_time.overdue == 0
        done = await center.incidents.update(OFFICER, "VV-1120-01", status=Status.RESOLVED, at=late)
        assert (done.incident.overdue, done.incident.next_step) == (0, None)

    async def test_reopening_needs_a_reason_and_starts_the_open_steps_anew(self, center: Center, crowd: Event) -> None:
        await opened(center, crowd)
        service, later = center.incidents, NOON + timedelta(days=1)
        await service.update(OFFICER, "VV-1120-01", step_done="1", at=NOON)
        await service.update(OFFICER, "VV-1120-01", status=Status.CLOSED, at=NOON)
        with pytest.raises(ReasonNeededError):
            await service.update(OFFICER, "VV-1120-01", status=Status.REOPENED, at=later)
        done = await service.update(
            OFFICER, "VV-1120-01", status=Status.REOPENED, reason="gia đình khiếu nại", at=later
        )
        assert done.incident.status is Status.REOPENED
        assert [step.due_at for step in done.incident.steps] == [
            NOON + timedelta(minutes=5), later + timedelta(minutes=15), later + timedelta(minutes=20),
        ]  # fmt: skip
        assert done.incident.timeline[-1].reason == "gia đình khiếu nại"
        assert done.incident.timeline[-1].details == {"from": "closed", "to": "reopened"}

    async def test_escalating_goes_up_only(self, center: Center, crowd: Event) -> None:
        await opened(center, crowd)
        service = center.incidents
        done = await service.escalate(OFFICER, "VV-1120-01", Level.PROVINCE, at=NOON, key="e1")
        assert (done.incident.level, done.incident.status) == (Level.PROVINCE, Status.ESCALATED)
        for level in (Level.PROVINCE, Level.COMMANDER):
            with pytest.raises(DeniedError) as caught:
                await service.escalate(OFFICER, "VV-1120-01", level, at=NOON)
            assert caught.value.rule == "level"
        await service.update(OFFICER, "VV-1120-01", status=Status.CLOSED, at=NOON)
        with pytest.raises(DeniedError) as caught:
            await service.escalate(OFFICER, "VV-1120-01", Level.MINISTRY, at=NOON)
        assert caught.value.rule == "incident_not_open"

    async def test_a_key_of_another_act_is_refused(self, center: Center, crowd: Event) -> None:
        await opened(center, crowd, key="k")
        with pytest.raises(KeyReusedError):
            await center.incidents.acknowledge(OFFICER, "VV-1120-01", at=NOON, key="k")
        assert (await center.incidents.get(ALL, "VV-1120-01", NOON)).acknowledged_at is None

    async def test_of_two_who_close_at_once_one_is_told(self, center: Center, crowd: Event) -> None:
        await opened(center, crowd)
        results = await asyncio.gather(
            *(center.incidents.update(OFFICER, "VV-1120-01", status=Status.CLOSED, at=NOON) for _ in range(4)),
            return_exceptions=True,
        )
        denied = [result for result in results if isinstance(result, DeniedError)]
        assert len(denied) == 3
        assert {error.rule for error in denied} == {"already_in_state"}

    async def test_acts_on_what_is_not_there_are_not_found(self, center: Center) -> None:
        with pytest.raises(IncidentNotFoundError):
            await center.incidents.acknowledge(OFFICER, "VV-0000-00", at=NOON)

    async def test_the_timeline_cannot_be_changed(self, center: Center, crowd: Event) -> None:
        await opened(center, crowd)
        for statement in (update(incident_timeline).values(note="khác"), delete(incident_timeline)):
            with pytest.raises(MatphoError):
                async with center.store.writing() as session:
                    await session.run(statement)
        async with center.store.reading() as session:
            assert len(await session.all(select(incident_timeline))) == 1


class TestStates:
    @pytest.mark.parametrize("status", list(Status))
    @pytest.mark.parametrize("wanted", list(Status))
    def test_only_the_listed_transitions_pass(self, status: Status, wanted: Status) -> None:
        if wanted in TRANSITIONS[status]:
            check_transition("VV-1", status, wanted)
            return
        with pytest.raises(DeniedError) as caught:
            check_transition("VV-1", status, wanted)
        assert caught.value.rule == ("already_in_state" if status is wanted else "transition")
        assert "VV-1" in caught.value.message_vi

    def test_nothing_becomes_new_again_and_ended_ones_only_reopen(self) -> None:
        assert all(Status.NEW not in after for after in TRANSITIONS.values())
        ended = [status for status in Status if status not in OPEN]
        assert all(TRANSITIONS[status] <= {Status.CLOSED, Status.REOPENED} for status in ended)


class TestReading:
    @pytest.fixture
    async def filled(self, center: Center) -> Center:
        common = {"event_ids": [], "procedure": "QT-DONG"}
        times = [NOON - timedelta(hours=hours) for hours in (30, 5, 1)]
        await center.incidents.load(
            procedures=[CROWD],
            incidents=[
                {"id": "A-1", "priority": "high", "status": "closed", "area": "p-hoan-kiem", "opened_at": times[0],
                 "acknowledged_at": times[0] + timedelta(minutes=4), "assigned_to": "off-1", **common},
                {"id": "A-2", "priority": "critical", "status": "new", "area": "p-hoan-kiem", "opened_at": times[1],
                 **common},
                {"id": "B-1", "priority": "low", "status": "in_progress", "area": "p-ba-dinh", "opened_at": times[2],
                 "acknowledged_at": times[2] + timedelta(minutes=8), "assigned_to": "off-2", **common},
            ],
        )  # fmt: skip
        people = [{"user_id": "off-2", "name": "Trung tá Lê Văn Bình"}, {"user_id": "off-1", "name": "Trần Thu Hằng"}]
        rest = {"role": "officer", "areas": "[]", "password_hash": "", "disabled": False, "created_ms": 0}
        async with center.store.writing() as session:
            for person in people:
                await session.run(insert(accounts).values(**person, **rest))
        return center

    async def ids(self, center: Center, scope: Scope = ALL, **wanted: Any) -> list[str]:
        page = await center.incidents.list(scope, now=NOON, **wanted)
        return [incident.id for incident in page.incidents]

    async def test_filters_hold_together_newest_first(self, filled: Center) -> None:
        assert await self.ids(filled) == ["B-1", "A-2", "A-1"]
        assert await self.ids(filled, status=[Status.NEW, Status.IN_PROGRESS]) == ["B-1", "A-2"]
        assert await self.ids(filled, priority=[Priority.CRITICAL]) == ["A-2"]
        assert await self.ids(filled, areas=["tp-ha-noi"], status=[Status.CLOSED]) == ["A-1"]
        assert await self.ids(filled, areas=["p-ba-dinh"]) == ["B-1"]
        window: dict[str, Any] = {"time_from": NOON - timedelta(hours=5), "time_to": NOON - timedelta(hours=1)}
        assert await self.ids(filled, **window) == ["A-2"]
        page = await filled.incidents.list(ALL, now=NOON, limit=1, offset=1)
        assert (page.total, [item.id for item in page.incidents]) == (3, ["A-2"])

    async def test_a_person_is_found_by_id_or_name(self, filled: Center) -> None:
        assert await self.ids(filled, assigned_to="off-2") == ["B-1"]
        assert await self.ids(filled, assigned_to="trung ta le van binh") == ["B-1"]
        assert await self.ids(filled, assigned_to="Hằng") == ["A-1"]
        assert await self.ids(filled, assigned_to="Nguyễn") == []

    async def test_the_scope_is_a_filter(self, filled: Center) -> None:
        assert await self.ids(filled, WARD) == ["A-2", "A-1"]
        assert await self.ids(filled, Scope(())) == []
        assert await self.ids(filled, WARD, areas=["p-ba-dinh"]) == []
        with pytest.raises(IncidentNotFoundError):
            await filled.incidents.get(WARD, "B-1", NOON)
        assert await filled.incidents.area_of("B-1") == "p-ba-dinh"
        assert await filled.incidents.area_of("C-1") is None

    async def test_figures_count_share_and_response(self, filled: Center) -> None:
        figures = await filled.incidents.figures(ALL, now=NOON, group_by=["area"])
        assert figures.whole.model_dump() == {
            "key": (), "opened": 3, "open": 2, "acknowledged": 2, "mean_response_minutes": 6.0,
            "resolved_share": pytest.approx(1 / 3),
        }  # fmt: skip
        assert [(row.key, row.open, row.mean_response_minutes) for row in figures.rows] == [
            (("p-ba-dinh",), 1, 8.0), (("p-hoan-kiem",), 1, 4.0),
        ]  # fmt: skip
        by_day = await filled.incidents.figures(WARD, now=NOON, group_by=["day", "severity"])
        assert [row.key for row in by_day.rows] == [("2026-11-19", "high"), ("2026-11-20", "critical")]
        none = await filled.incidents.figures(Scope(()), now=NOON)
        assert (none.whole.opened, none.whole.mean_response_minutes, none.whole.resolved_share) == (0, None, None)
        before = await filled.incidents.figures(ALL, now=NOON - timedelta(hours=6), time_to=NOON)
        assert before.whole.opened == 1

    async def test_loading_again_changes_nothing(self, filled: Center) -> None:
        again = {"id": "A-1", "priority": "low", "area": "p-ba-dinh", "opened_at": NOON}
        await filled.incidents.load(incidents=[again])
        seen = await filled.incidents.get(WARD, "A-1", NOON)
        assert (seen.priority, len(seen.timeline)) == (Priority.HIGH, 3)

    @pytest.mark.parametrize(
        "wrong",
        [{"id": "../x"}, {"priority": "urgent"}, {"status": "lost"}, {"opened_at": "2026-11-20T12:00:00"}],
    )
    async def test_a_value_that_cannot_be_is_refused(self, center: Center, wrong: dict[str, Any]) -> None:
        good = {"id": "A-9", "priority": "low", "area": "p-ba-dinh", "opened_at": NOON}
        with pytest.raises(BadInputError):
            await center.incidents.load(incidents=[good | wrong])
        assert await center.incidents.area_of("A-9") is None


class TestUnits:
    async def test_suitable_ones_near_and_of_the_right_kind_come_first(self, center: Center, crowd: Event) -> None:
        incident = (await opened(center, crowd)).incident
        units = [unit.id for unit in await center.units.suitable(incident)]
        assert units == ["DV-CA", "DV-YT", "DV-TP", "DV-CC"]

    async def test_are_found_by_id(self, center: Center, crowd: Event) -> None:
        assert await center.units.area_of("DV-CC") == "tp-ha-noi"
        assert await center.units.area_of("DV-XX") is None
        assert (await center.units.get("DV-CA")).aliases == ("CAP",)
        with pytest.raises(UnitNotFoundError):
            await center.units.get("DV-XX")
        await center.units.load([(await center.units.get("DV-CA")).model_copy(update={"name": "Tên mới"})])
        assert [unit.name for unit in await center.units.all() if unit.id == "DV-CA"] == ["Tên mới"]


class TestPassages:
    library = Library(Procedure.model_validate(item) for item in (CROWD, FIRE, FLOOD))

    @pytest.mark.parametrize(
        ("question", "procedure", "quoted"),
        [
            ("nước sâu bao nhiêu thì cấm xe?", "QT-NGAP", "40 cm"),
            ("nuoc sau bao nhieu thi cam xe", "QT-NGAP", "40 cm"),
            ("how deep before motorbikes are banned?", "QT-NGAP", "40 cm"),
            ("bao lâu thì phải báo PC07", "QT-CHAY", "Phòng Cảnh sát PCCC"),
            ("lối vào cho xe chữa cháy rộng mấy mét", "QT-CHAY", "3,5 mét"),
            ("what density calls for sending people to the crowd?", "QT-DONG", "4 người"),
            ("thấy khói thì làm gì", "QT-CHAY", "khói"),
        ],
    )
    def test_answer_questions_in_both_languages(self, question: str, procedure: str, quoted: str) -> None:
        found, passages = self.library.search(question, [("PC07", "Phòng Cảnh sát PCCC")])
        assert found[0].id == procedure
        assert passages[0].procedure_id == procedure
        assert quoted in passages[0].quote

    def test_steps_are_passages_with_their_time(self) -> None:
        _found, passages = self.library.search("bao lâu phải báo cứu hỏa")
        step = next(passage for passage in passages if passage.kind == "step")
        assert (step.quote, step.within_minutes, step.role) == ("Báo cứu hỏa", 3, "officer")

    def test_words_that_nothing_has_find_nothing(self) -> None:
        assert self.library.search("xyzzy") == ((), ())
        assert self.library.search("là gì thế nào") == ((), ())

    def test_every_entry_of_the_glossary_is_folded_and_says_something(self) -> None:
        assert all(said and meaning.strip() for said, meaning in glossary().items())

    async def test_a_citizen_finds_public_ones_only(self, center: Center) -> None:
        await center.incidents.load(procedures=[CROWD, FIRE, FLOOD])
        hidden = await center.procedures.search("báo cảnh sát khi thấy khói", public_only=True)
        assert (hidden.procedures, hidden.passages, hidden.total) == ((), (), 0)
        shown = await center.procedures.search("nước sâu cấm xe", public_only=True)
        assert [item.id for item in shown.procedures] == ["QT-NGAP"]
        every = await center.procedures.search("", public_only=False)
        assert ([item.id for item in every.procedures], every.total) == (["QT-CHAY", "QT-DONG", "QT-NGAP"], 3)
        public = await center.procedures.search("", public_only=True)
        assert [item.id for item in public.procedures] == ["QT-NGAP"]

    async def test_a_changed_procedure_is_found_by_its_new_words(self, center: Center) -> None:
        await center.incidents.load(procedures=[FLOOD])
        assert (await center.procedures.search("trạm bơm", public_only=False)).total == 0
        await center.incidents.load(procedures=[FLOOD | {"text": "Mở trạm bơm ngay."}])
        page = await center.procedures.search("trạm bơm", public_only=False)
        assert page.passages[0].quote == "Mở trạm bơm ngay."

    async def test_an_absurd_question_is_refused(self, center: Center) -> None:
        with pytest.raises(BadInputError):
            await center.procedures.search("a" * 401, public_only=False)


class TestYaml:
    def test_a_folder_is_read_by_file_name(self, tmp_path: Path) -> None:
        (tmp_path / "b.yaml").write_text(
            "id: QT-B\ntitle: Ngập\nevent_types: [flooding]\npriority: high\n"
            "steps:\n  - {name: Đo mức nước, role: officer, within_minutes: 5}\n",
            encoding="utf-8",
        )
        (tmp_path / "a.yaml").write_text("id: QT-A\ntitle: Khác\n", encoding="utf-8")
        read = read_procedures(tmp_path)
        assert [(item.id, len(item.steps)) for item in read] == [("QT-A", 0), ("QT-B", 1)]

    @pytest.mark.parametrize(
        "text",
        [
            "id: [",
            "id: QT-A\ntitle: x\nunknown: 1\n",
            "id: QT-A\ntitle: x\nevent_types: [dragon]\n",
            "- a list\n",
            "!!python/object/apply:os.system ['true']\n",
            "id: QT-Z\ntitle: x\n",
        ],
    )
    def test_a_file_that_is_none_is_named(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "good.yaml").write_text("id: QT-Z\ntitle: x\n", encoding="utf-8")
        (tmp_path / "wrong.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(ConfigurationError, match=r"wrong\.yaml"):
            read_procedures(tmp_path)

    def test_a_file_too_large_is_not_read(self, tmp_path: Path) -> None:
        (tmp_path / "large.yaml").write_text("id: QT-A\ntitle: x\ntext: " + "a" * 300_000, encoding="utf-8")
        with pytest.raises(ConfigurationError, match="bytes"):
            read_procedures(tmp_path)
