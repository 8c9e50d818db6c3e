"""Incidents of several areas: an area that was brought in sees the incident and cannot act on it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from matpho_platform.access.principal import Principal, Role
from matpho_platform.center import Center
from matpho_tools.contract import Outcome, ToolResult
from matpho_tools.gateway import Gateway

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
Who = Callable[..., Principal]
HELPED = "VV-1121-02"


@pytest.fixture
async def ask(center: Center, gateway: Gateway) -> Callable[..., Any]:
    given = {"id": HELPED, "area": "DN-ST", "priority": "high", "opened_at": NOW}
    await center.incidents.load(incidents=[given])

    async def call(person: Principal, tool: str, **arguments: Any) -> ToolResult:
        return await gateway.call(person, tool, arguments, channel="test", now=NOW)

    return call


async def test_who_helps_sees_and_does_not_act(ask: Any, who: Who) -> None:
    officer, commander = who(Role.OFFICER), who(Role.COMMANDER)
    assert (await ask(officer, "get_incident", incident_id=HELPED)).outcome is Outcome.DENIED
    assert (await ask(officer, "support_incident", incident_id=HELPED, area="DN-HC")).outcome is Outcome.DENIED
    added = await ask(commander, "support_incident", incident_id=HELPED, area="DN-HC", note="giáp ranh")
    assert added.outcome is Outcome.ANSWERED
    assert added.data["incident"]["helping"] == ["DN-HC"]
    seen = await ask(officer, "get_incident", incident_id=HELPED)
    assert seen.ids == (HELPED,)
    assert [entry["action"] for entry in seen.data["timeline"]][-1] == "area_added"
    assert (await ask(officer, "list_incidents")).ids == (HELPED,)
    for tool in ("acknowledge_alert", "escalate_incident", "support_incident"):
        more = {"area": "DN"} if tool == "support_incident" else {}
        assert (await ask(officer, tool, incident_id=HELPED, **more)).outcome is Outcome.DENIED


async def test_an_area_is_there_and_is_brought_in_once(ask: Any, who: Who) -> None:
    commander = who(Role.COMMANDER)
    for area in ("DN-XX", "DN-ST"):
        assert (await ask(commander, "support_incident", incident_id=HELPED, area=area)).outcome is Outcome.CLARIFY
    assert (await ask(commander, "support_incident", incident_id=HELPED, area="DN-HC")).outcome is Outcome.ANSWERED
    assert (await ask(commander, "support_incident", incident_id=HELPED, area="DN-HC")).outcome is Outcome.CLARIFY
