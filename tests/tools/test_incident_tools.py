"""Incident tools through the gateway: asked for, shown, confirmed, done once; and what each role may."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from matpho_contracts.events import Event
from matpho_contracts.ids import new_event_id
from matpho_platform.access.conditions import Condition
from matpho_platform.access.policy import PolicyEngine
from matpho_platform.access.policy_files import DEFAULT_FOLDER
from matpho_platform.access.principal import Principal, Role, Scope
from matpho_platform.center import Center
from matpho_tools.contract import Outcome, ToolResult
from matpho_tools.gateway import Gateway
from matpho_tools.redaction import WithheldError, redact

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
"""09:00 local time, the day after the events."""
ALL = Scope(None)
Who = Callable[..., Principal]
PROCEDURES = [
    {
        "id": "QT-RAC",
        "title": "Xử lý đổ trộm rác",
        "event_types": ["illegal_dumping"],
        "priority": "low",
        "steps": [
            {"name": "Xác minh phương tiện", "role": "officer", "within_minutes": 30},
            {"name": "Lập biên bản", "role": "officer", "within_minutes": 1440},
        ],
        "text": "Đội môi trường thu dọn trong vòng 4 giờ.",
        "public": True,
    },
    {
        "id": "QT-DANH",
        "title": "Xử lý đánh nhau",
        "event_types": ["fight"],
        "priority": "high",
        "steps": [{"name": "Xác minh", "role": "officer", "within_minutes": 1}],
        "text": "Từ 5 người trở lên thì báo chỉ huy.",
        "public": False,
    },
]
UNITS: list[dict[str, Any]] = [
    {"id": "U-HC", "name": "Công an phường Hải Châu", "area": "DN-HC", "kind": "police"},
    {"id": "U-HC-MT", "name": "Đội môi trường Hải Châu", "area": "DN-HC", "kind": "environment"},
    {"id": "U-ST", "name": "Công an phường Sơn Trà", "area": "DN-ST", "kind": "police"},
    {"id": "U-DN", "name": "Phòng Cảnh sát PCCC Đà Nẵng", "aliases": ["PC07"], "area": "DN", "kind": "fire"},
]


def _record(name: str, area: str, status: str = "new", **more: Any) -> dict[str, Any]:
    return {"id": name, "area": area, "status": status, "priority": "high", "opened_at": NOW, **more}


@pytest.fixture
async def desk(center: Center) -> Center:
    """Two wards with an incident each, and one that is closed."""
    await center.incidents.load(
        procedures=PROCEDURES,
        units=UNITS,
        incidents=[
            _record("VV-1121-01", "DN-HC", procedure="QT-RAC"),
            _record("VV-1121-02", "DN-ST"),
            _record("VV-1121-03", "DN-HC", "closed"),
        ],
    )
    return center


@pytest.fixture
def ask(desk: Center, gateway: Gateway) -> Callable[..., Any]:
    """Call a tool, at NOW."""

    async def call(person: Principal, tool: str, **arguments: Any) -> ToolResult:
        return await gateway.call(person, tool, arguments, channel="test", now=NOW)

    return call


async def yes(gateway: Gateway, person: Principal, result: ToolResult) -> ToolResult:
    proposal = result.data["proposal"]["id"]
    return await gateway.confirm(person, proposal, channel="test", now=NOW + timedelta(minutes=1))


def shown(result: ToolResult, argument: str) -> list[tuple[str, str]]:
    rows = result.data["proposal"]["rows"]
    return [(row["value_vi"], row["value_en"]) for row in rows if row["argument"] == argument]


class TestReading:
    async def test_an_officer_lists_the_own_ward(self, ask: Any, who: Who) -> None:
        officer = who(Role.OFFICER)
        seen = await ask(officer, "list_incidents")
        assert (set(seen.ids), seen.data["total"]) == ({"VV-1121-01", "VV-1121-03"}, 2)
        still = await ask(officer, "list_incidents", status=["new"], priority="high")
        assert still.ids == ("VV-1121-01",)
        assert (await ask(officer, "list_incidents", areas=["DN-ST"])).outcome is Outcome.DENIED
        assert (await ask(officer, "list_incidents", status=["lost"])).outcome is Outcome.CLARIFY

    @pytest.mark.parametrize("role", [Role.COMMANDER, Role.LEADER])
    async def test_the_province_is_seen_from_above(self, ask: Any, who: Who, role: Role) -> None:
        seen = await ask(who(role), "list_incidents")
        assert seen.data["total"] == 3
        assert (await ask(who(role), "get_incident", incident_id="VV-1121-02")).ids == ("VV-1121-02",)

    @pytest.mark.parametrize("role", [Role.CITIZEN, Role.AUDITOR, Role.ADMIN])
    async def test_others_read_none(self, ask: Any, who: Who, role: Role) -> None:
        for tool, arguments in (("list_incidents", {}), ("get_incident", {"incident_id": "VV-1121-01"})):
            assert (await ask(who(role), tool, **arguments)).outcome is Outcome.DENIED

    @pytest.mark.parametrize("tool", ["get_incident", "acknowledge_alert", "escalate_incident", "update_incident"])
    async def test_what_lies_elsewhere_looks_like_what_does_not_exist(self, ask: Any, who: Who, tool: str) -> None:
        answers = [
            (await ask(who(Role.OFFICER), tool, incident_id=name)).model_dump(
                exclude={"audit_index": True, "milliseconds": True}
            )
            for name in ("VV-1121-02", "VV-9999-99")
        ]
        assert answers[0] == answers[1]
        assert answers[0]["outcome"] is Outcome.DENIED

    async def test_an_event_shows_its_incident(
        self, ask: Any, desk: Center, who: Who, events: dict[str, Event]
    ) -> None:
        before = await ask(who(Role.OFFICER), "get_event", event_id=events["dump"].id)
        assert before.data["incident_id"] is None
        await desk.incidents.open(who(Role.OFFICER), [events["dump"].id], at=NOW)
        after = await ask(who(Role.OFFICER), "get_event", event_id=events["dump"].id)
        assert after.data["incident_id"] == "VV-1121-04"
        assert after.ids == (events["dump"].id, "VV-1121-04")


class TestProcedures:
    async def test_a_citizen_reads_public_ones_only(self, ask: Any, who: Who) -> None:
        citizen = who(Role.CITIZEN)
        assert (await ask(citizen, "list_procedures")).ids == ("QT-RAC",)
        found = await ask(citizen, "list_procedures", query="rác bao lâu thì dọn")
        assert "4 giờ" in found.data["passages"][0]["quote"]
        hidden = await ask(citizen, "list_procedures", query="đánh nhau thì báo ai")
        assert (hidden.outcome, hidden.data["total"], hidden.ids) == (Outcome.ANSWERED, 0, ())

    async def test_staff_read_all(self, ask: Any, who: Who) -> None:
        for role in (Role.OFFICER, Role.AUDITOR, Role.ADMIN, Role.LEADER):
            found = await ask(who(role), "list_procedures", query="how many people in a fight?")
            assert found.ids[0] == "QT-DANH"
            assert "5 người" in found.data["passages"][0]["quote"]

    async def test_redaction_withholds_what_is_not_public(self, desk: Center) -> None:
        page = await desk.procedures.search("", public_only=False)
        with pytest.raises(WithheldError):
            redact(page, [Condition.PUBLIC_ONLY])
        public = await desk.procedures.search("", public_only=True)
        assert redact(public, [Condition.PUBLIC_ONLY])["total"] == 1


class TestActing:
    async def test_nothing_happens_before_the_yes_and_once_after_it(
        self, ask: Any, gateway: Gateway, desk: Center, who: Who
    ) -> None:
        officer = who(Role.OFFICER)
        waiting = await ask(officer, "acknowledge_alert", incident_id="VV-1121-01", note="đang ra")
        assert waiting.outcome is Outcome.CONFIRM
        assert shown(waiting, "note") == [("«đang ra»", "«đang ra»")]
        assert (await desk.incidents.get(ALL, "VV-1121-01", NOW)).acknowledged_at is None
        done = await yes(gateway, officer, waiting)
        assert (done.outcome, done.ids) == (Outcome.ANSWERED, ("VV-1121-01",))
        assert done.data["incident"]["acknowledged_by"] == officer.user_id
        assert (await yes(gateway, officer, waiting)).outcome is Outcome.DENIED
        again = await ask(officer, "acknowledge_alert", incident_id="VV-1121-01")
        assert (again.outcome, again.rule) == (Outcome.DENIED, "already_acknowledged")

    async def test_the_state_is_asked_again_at_the_yes(
        self, ask: Any, gateway: Gateway, desk: Center, who: Who
    ) -> None:
        officer, commander = who(Role.OFFICER), who(Role.COMMANDER)
        waiting = await ask(officer, "acknowledge_alert", incident_id="VV-1121-01")
        await desk.incidents.acknowledge(commander, "VV-1121-01", at=NOW)
        late = await yes(gateway, officer, waiting)
        assert (late.outcome, late.rule) == (Outcome.DENIED, "already_acknowledged")

    async def test_opening_fills_in_procedure_and_priority(
        self, ask: Any, gateway: Gateway, who: Who, events: dict[str, Event]
    ) -> None:
        officer, event = who(Role.OFFICER), events["dump"]
        waiting = await ask(officer, "open_incident", event_ids=[event.id])
        assert waiting.data["proposal"]["arguments"] == {
            "event_ids": [event.id], "procedure": "QT-RAC", "priority": "low",
        }  # fmt: skip
        assert shown(waiting, "priority") == [("thấp", "low")]
        assert "Chợ Cồn - cổng chính" in shown(waiting, "event_ids")[0][0]
        done = await yes(gateway, officer, waiting)
        assert done.ids == ("VV-1121-04", event.id)
        asked = await ask(officer, "open_incident", event_ids=[event.id])
        assert (asked.outcome, asked.data["missing"]) == (Outcome.CLARIFY, "separate")
        assert asked.data["options"] == ["VV-1121-04"]
        other = await ask(officer, "open_incident", event_ids=[event.id], separate=True, priority="high")
        assert shown(other, "priority") == [("cao", "high")]

    async def test_opening_reaches_no_further_than_the_ward(self, ask: Any, who: Who, events: dict[str, Event]) -> None:
        officer = who(Role.OFFICER)
        for ids in ([events["far"].id], [events["dump"].id, events["far"].id], [new_event_id()]):
            assert (await ask(officer, "open_incident", event_ids=ids)).outcome is Outcome.DENIED
        assert (await ask(who(Role.COMMANDER), "open_incident", event_ids=[events["far"].id])).outcome is (
            Outcome.CONFIRM
        )
        wrong = await ask(officer, "open_incident", event_ids=[events["dump"].id], procedure="QT-KHONG")
        assert (wrong.data["missing"], wrong.data["options"]) == ("procedure", ["QT-DANH", "QT-RAC"])
        assert (await ask(officer, "open_incident")).data["missing"] == "event_ids"

    async def test_a_unit_is_asked_for_and_must_be_the_callers_to_send(
        self, ask: Any, gateway: Gateway, who: Who
    ) -> None:
        officer, commander = who(Role.OFFICER), who(Role.COMMANDER)
        asked = await ask(officer, "dispatch_unit", incident_id="VV-1121-01")
        assert (asked.outcome, asked.data["missing"]) == (Outcome.CLARIFY, "unit_id")
        assert set(asked.data["options"]) == {"U-HC", "U-HC-MT"}
        for unit in ("U-ST", "U-DN", "U-XX"):
            denied = await ask(officer, "dispatch_unit", incident_id="VV-1121-01", unit_id=unit)
            assert (denied.outcome, denied.rule) == (Outcome.DENIED, "area")
        own = await ask(officer, "dispatch_unit", incident_id="VV-1121-01", unit_id="U-HC")
        assert shown(own, "unit_id") == [
            ("Công an phường Hải Châu (U-HC), công an", "Công an phường Hải Châu (U-HC), police")
        ]
        done = await yes(gateway, officer, own)
        assert done.data["task"]["state"] == "sent"
        again = await ask(commander, "dispatch_unit", incident_id="VV-1121-01", unit_id="U-HC")
        assert len(shown(again, "unit_id")) == 2
        city = await ask(commander, "dispatch_unit", incident_id="VV-1121-01", unit_id="U-DN")
        assert (await yes(gateway, commander, city)).ids == ("VV-1121-01", "U-DN")
        ended = await ask(commander, "dispatch_unit", incident_id="VV-1121-03", unit_id="U-HC")
        assert (ended.outcome, ended.rule) == (Outcome.DENIED, "incident_not_open")

    async def test_closing_shows_what_is_not_done(self, ask: Any, gateway: Gateway, who: Who) -> None:
        officer = who(Role.OFFICER)
        step = await ask(officer, "update_incident", incident_id="VV-1121-01", step_done="bien ban")
        assert step.data["proposal"]["arguments"]["step_done"] == "Lập biên bản"
        await yes(gateway, officer, step)
        waiting = await ask(officer, "update_incident", incident_id="VV-1121-01", status="closed")
        assert shown(waiting, "status") == [
            ("đang xử lý → đã đóng", "in progress → closed"),
            ("1/2: Xác minh phương tiện", "1/2: Xác minh phương tiện"),
        ]
        assert (await yes(gateway, officer, waiting)).data["incident"]["status"] == "closed"
        again = await ask(officer, "update_incident", incident_id="VV-1121-01", status="closed")
        assert (again.outcome, again.rule) == (Outcome.DENIED, "already_in_state")

    async def test_a_missing_piece_is_asked_for(self, ask: Any, who: Who) -> None:
        officer = who(Role.OFFICER)
        reopen = await ask(officer, "update_incident", incident_id="VV-1121-03", status="reopened")
        assert (reopen.outcome, reopen.data["missing"]) == (Outcome.CLARIFY, "reason")
        nothing = await ask(officer, "update_incident", incident_id="VV-1121-01")
        assert nothing.data["missing"] == "status"
        assert "closed" in nothing.data["options"]
        step = await ask(officer, "update_incident", incident_id="VV-1121-01", step_done="gọi taxi")
        assert (step.data["missing"], step.data["options"]) == ("step_done", ["Xác minh phương tiện", "Lập biên bản"])
        assert (await ask(officer, "acknowledge_alert")).data["missing"] == "incident_id"

    async def test_a_note_serves_as_the_reason(self, ask: Any, gateway: Gateway, who: Who) -> None:
        officer = who(Role.OFFICER)
        waiting = await ask(officer, "update_incident", incident_id="VV-1121-03", status="reopened", note="khiếu nại")
        assert shown(waiting, "reason") == [("«khiếu nại»", "«khiếu nại»")]
        done = await yes(gateway, officer, waiting)
        assert done.data["incident"]["timeline"][-1]["reason"] == "khiếu nại"

    async def test_escalating_goes_to_the_next_level_unless_told(self, ask: Any, gateway: Gateway, who: Who) -> None:
        officer = who(Role.OFFICER)
        up = await ask(officer, "escalate_incident", incident_id="VV-1121-01")
        assert up.data["proposal"]["arguments"]["to_level"] == "commander"
        city = await ask(officer, "escalate_incident", incident_id="VV-1121-01", to_level="province", note="cháy lan")
        assert shown(city, "to_level") == [("phường/xã → tỉnh/thành phố", "ward → province")]
        done = await yes(gateway, officer, city)
        assert (done.data["incident"]["level"], done.data["incident"]["status"]) == ("province", "escalated")
        down = await ask(officer, "escalate_incident", incident_id="VV-1121-01", to_level="commander")
        assert (down.outcome, down.rule) == (Outcome.DENIED, "level")

    @pytest.mark.parametrize("role", [Role.INVESTIGATOR, Role.LEADER, Role.AUDITOR, Role.ADMIN, Role.CITIZEN])
    @pytest.mark.parametrize(
        ("tool", "arguments"),
        [
            ("acknowledge_alert", {}),
            ("dispatch_unit", {"unit_id": "U-HC"}),
            ("update_incident", {"status": "closed"}),
            ("escalate_incident", {"to_level": "province"}),
        ],
    )
    async def test_nobody_else_acts(
        self, ask: Any, desk: Center, who: Who, role: Role, tool: str, arguments: dict[str, str]
    ) -> None:
        denied = await ask(who(role), tool, incident_id="VV-1121-01", **arguments)
        assert denied.outcome is Outcome.DENIED
        assert len((await desk.incidents.get(ALL, "VV-1121-01", NOW)).timeline) == 1


class TestEscalatingByAnUpdate:
    """`update_incident` to `escalated` is not a way around a policy that keeps officers from escalating."""

    @pytest.fixture
    def strict(self, desk: Center, tmp_path: Path) -> Gateway:
        folder = tmp_path / "policies"
        shutil.copytree(DEFAULT_FOLDER, folder)
        written = (folder / "incidents.cedar").read_text(encoding="utf-8")
        both = 'action in [Action::"dispatch_unit", Action::"escalate_incident"],\n  resource\n)\nwhen'
        one = 'action == Action::"dispatch_unit",\n  resource\n)\nwhen'
        narrower = written.replace(both, one)
        assert narrower != written
        (folder / "incidents.cedar").write_text(narrower, encoding="utf-8")
        desk.policy = PolicyEngine.load(desk.areas, folder)
        return Gateway(desk)

    async def test_is_denied_as_escalating_is(self, strict: Gateway, who: Who) -> None:
        officer = who(Role.OFFICER)
        for tool, arguments in (
            ("escalate_incident", {"to_level": "province"}),
            ("update_incident", {"status": "escalated"}),
        ):
            result = await strict.call(
                officer, tool, {"incident_id": "VV-1121-01", **arguments}, channel="test", now=NOW
            )
            assert (result.outcome, result.rule) == (Outcome.DENIED, "role")
        closing = {"incident_id": "VV-1121-01", "status": "closed"}
        allowed = await strict.call(officer, "update_incident", closing, channel="test", now=NOW)
        assert allowed.outcome is Outcome.CONFIRM

    async def test_and_passes_where_it_may(self, ask: Any, gateway: Gateway, who: Who) -> None:
        officer = who(Role.OFFICER)
        done = await yes(
            gateway, officer, await ask(officer, "update_incident", incident_id="VV-1121-01", status="escalated")
        )
        assert (done.data["incident"]["status"], done.data["incident"]["level"]) == ("escalated", "commander")
