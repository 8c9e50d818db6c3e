"""What is said of incidents and procedures: ids, deadlines, what is overdue, in both languages and each register."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from matpho_agent.answers.calls import Done, Reader
from matpho_agent.answers.incidents import WRITERS
from matpho_contracts.events import Event
from matpho_platform.access.principal import Principal, Role
from matpho_platform.center import Center
from matpho_tools.contract import Outcome
from matpho_tools.gateway import Gateway

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
"""09:00 local time."""
PROCEDURE = {
    "id": "QT-DANH",
    "title": "Xử lý đánh nhau",
    "event_types": ["fight"],
    "priority": "high",
    "steps": [
        {"name": "Xác minh", "role": "officer", "within_minutes": 1},
        {"name": "Báo cáo chỉ huy", "role": "commander", "within_minutes": 240},
    ],
    "text": "Từ 5 người trở lên thì báo chỉ huy.",
    "public": True,
}
UNIT = {"id": "U-HC", "name": "Công an phường Hải Châu", "area": "DN-HC", "kind": "police"}
PEOPLE = {
    Role.OFFICER: Principal("u-off", "Cán bộ", Role.OFFICER, ("DN-HC",), session_id="s"),
    Role.COMMANDER: Principal("u-cmd", "Chỉ huy", Role.COMMANDER, session_id="s"),
    Role.LEADER: Principal("u-lead", "Lãnh đạo", Role.LEADER, session_id="s"),
    Role.CITIZEN: Principal("u-cit", "Người dân", Role.CITIZEN, session_id="s"),
}
Say = Callable[..., Awaitable[str]]


@pytest.fixture
async def say(center: Center, events: dict[str, Event]) -> Say:
    """Ask a tool (and agree, where it acts); answers with what is said."""
    await center.incidents.load(procedures=[PROCEDURE], units=[UNIT])
    await center.incidents.open(PEOPLE[Role.OFFICER], [events["fight"].id], at=NOW - timedelta(minutes=10))
    gateway = Gateway(center)

    async def ask(tool: str, role: Role = Role.OFFICER, language: str = "vi", **arguments: Any) -> str:
        person = PEOPLE[role]
        result = await gateway.call(person, tool, arguments, channel="test", now=NOW)
        if result.outcome is Outcome.CONFIRM:
            result = await gateway.confirm(person, result.data["proposal"]["id"], channel="test", now=NOW)
        assert result.outcome is Outcome.ANSWERED
        return WRITERS[tool](Done(tool, arguments, result), Reader(person, language, NOW, await gateway.city()))

    return ask


class TestLists:
    async def test_an_officer_reads_ids_deadlines_and_what_is_late(self, say: Say) -> None:
        head, line, follow = (await say("list_incidents")).splitlines()
        assert head == "Có 1 vụ việc, 1 vụ QUÁ HẠN:"
        assert "VV-1121-01 · đánh nhau · Chợ Cồn - cổng sau (HC-02), Phường Hải Châu · cao · mới" in line
        assert line.endswith("QUÁ HẠN 1 bước")
        assert "mở 08:50 hôm nay" in line
        assert "VV-1121-01" in follow

    async def test_a_leader_reads_less(self, say: Say) -> None:
        text = await say("list_incidents", Role.LEADER, "en")
        assert text.startswith("1 incident, 1 OVERDUE:")
        assert "opened" not in text
        assert "Next" not in text

    async def test_nothing_found_says_so(self, say: Say) -> None:
        assert (await say("list_incidents", status=["closed"])).startswith("Không có kết quả")
        assert (await say("list_incidents", language="en", status=["closed"])).startswith("No results")


class TestOne:
    async def test_everything_an_officer_needs(self, say: Say) -> None:
        text = await say("get_incident", incident_id="VV-1121-01")
        assert "Trạng thái: mới, cấp phường/xã, ưu tiên cao." in text
        assert "Mở lúc 08:50 hôm nay, CHƯA AI NHẬN (đã 10 phút)." in text
        assert "1. Xác minh (cán bộ): QUÁ HẠN, hạn 08:51 hôm nay" in text
        assert "2. Báo cáo chỉ huy (chỉ huy): hạn 12:50 hôm nay" in text
        assert "Bước tiếp: «nhận cảnh báo VV-1121-01»." in text

    async def test_a_leader_gets_the_short_of_it(self, say: Say) -> None:
        lines = (await say("get_incident", Role.LEADER, "en", incident_id="VV-1121-01")).splitlines()
        assert len(lines) == 5
        assert lines[-1] == "1 step OVERDUE."

    async def test_what_was_done_is_in_the_latest(self, say: Say) -> None:
        await say("acknowledge_alert", incident_id="VV-1121-01", note="đang ra")
        await say("dispatch_unit", incident_id="VV-1121-01", unit_id="U-HC")
        await say("update_incident", incident_id="VV-1121-01", step_done="xac minh")
        text = await say("get_incident", language="en", incident_id="VV-1121-01")
        assert "acknowledged 09:00 today (after 10 min), assigned to u-off." in text
        assert "Unit: Công an phường Hải Châu (U-HC), 09:00 today, tasked, no answer yet [VV-1121-01-T1]" in text
        assert "u-off · acknowledged: «đang ra»" in text
        assert "u-off · step done: Xác minh" in text
        assert text.endswith("Next: Báo cáo chỉ huy, due 12:50 today.")


class TestActs:
    async def test_each_says_what_was_done(self, say: Say, events: dict[str, Event]) -> None:
        opened = await say("open_incident", Role.COMMANDER, event_ids=[events["far"].id])
        assert opened.startswith("Đã mở vụ việc VV-1121-02 (QT-DANH), ưu tiên cao.")
        assert (await say("acknowledge_alert", incident_id="VV-1121-01")).startswith("Đã nhận cảnh báo VV-1121-01.")
        sent = await say("dispatch_unit", language="en", incident_id="VV-1121-01", unit_id="U-HC")
        assert sent.startswith("Tasked Công an phường Hải Châu (U-HC) with incident VV-1121-01; no answer yet")
        up = await say("escalate_incident", incident_id="VV-1121-01", to_level="province")
        assert up.startswith("Đã chuyển vụ việc VV-1121-01 lên cấp tỉnh/thành phố.")
        closed = await say("update_incident", incident_id="VV-1121-01", status="closed")
        assert closed.startswith("Đã cập nhật vụ việc VV-1121-01.")
        assert "trạng thái: đã đóng" in closed
        assert "Bước tiếp" not in closed


class TestProcedures:
    async def test_passages_are_quoted_with_their_source(self, say: Say) -> None:
        text = await say("list_procedures", query="bao nhiêu người thì báo chỉ huy")
        assert text.startswith("«Từ 5 người trở lên thì báo chỉ huy.» — Xử lý đánh nhau (QT-DANH)")
        assert "2. Báo cáo chỉ huy (chỉ huy, trong 4 giờ)" in text
        english = await say("list_procedures", language="en", query="how soon must we verify a fight?")
        assert "Step «Xác minh»: officer, within 1 minute — Xử lý đánh nhau (QT-DANH)" in english

    async def test_a_citizen_gets_the_passage_without_the_steps(self, say: Say) -> None:
        text = await say("list_procedures", Role.CITIZEN, query="đánh nhau báo chỉ huy")
        assert "Từ 5 người" in text
        assert "Các bước" not in text

    async def test_without_a_question_the_titles(self, say: Say) -> None:
        assert await say("list_procedures") == "Có 1 quy trình:\n1. Xử lý đánh nhau (QT-DANH)"
        assert (await say("list_procedures", query="xyzzy")).startswith("Không có kết quả")
