"""The duty roster through the gateway: who may send units in an area says who is on duty there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from matpho_platform.access.principal import Principal, Role
from matpho_platform.center import Center
from matpho_tools.contract import Outcome, ToolResult
from matpho_tools.gateway import Gateway
from matpho_tools.registry import EXPOSED

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
Who = Callable[..., Principal]


@pytest.fixture
def ask(center: Center, gateway: Gateway) -> Callable[..., Any]:
    async def call(person: Principal, tool: str, **arguments: Any) -> ToolResult:
        return await gateway.call(person, tool, arguments, channel="test", now=NOW)

    return call


def duty(area: str = "DN-HC", **changes: Any) -> dict[str, Any]:
    times = {"starts_at": NOW.isoformat(), "ends_at": (NOW + timedelta(hours=8)).isoformat()}
    return {"area": area, "kind": "police", "user_id": "truc-1", **times, **changes}


@pytest.fixture
async def on_call(center: Center) -> None:
    await center.accounts.create("truc-1", "Trực ban", Role.OFFICER, None, areas=("DN-HC",))
    await center.accounts.create("dan-1", "Người dân", Role.CITIZEN, None)


@pytest.mark.usefixtures("on_call")
class TestRoster:
    async def test_a_duty_is_set_listed_and_taken_off(self, center: Center, ask: Any, who: Who) -> None:
        officer = who(Role.OFFICER)
        made = await ask(officer, "set_duty", **duty())
        assert made.outcome is Outcome.ANSWERED
        listed = await ask(officer, "list_duties")
        assert [one["user_id"] for one in listed.data["duties"]] == ["truc-1"]
        async with center.store.reading() as session:
            ms = int(NOW.timestamp() * 1000)
            assert await center.rosters.on_duty(session, "DN-HC", ["fire", "police"], ms) == "truc-1"
            assert await center.rosters.on_duty(session, "DN-HC", ["police"], ms + 8 * 3_600_000) is None
            assert await center.rosters.on_duty(session, "DN-ST", ["police"], ms) is None
        ended = await ask(officer, "end_duty", duty_id=made.ids[0])
        assert ended.data["found"]
        assert (await ask(officer, "list_duties")).data["total"] == 0

    async def test_not_elsewhere_and_not_by_others(self, ask: Any, who: Who) -> None:
        officer, commander = who(Role.OFFICER), who(Role.COMMANDER)
        assert (await ask(officer, "set_duty", **duty("DN-ST"))).outcome is Outcome.DENIED
        made = await ask(commander, "set_duty", **duty("DN-ST"))
        assert made.outcome is Outcome.ANSWERED
        assert (await ask(officer, "list_duties")).data["total"] == 0
        assert (await ask(officer, "end_duty", duty_id=made.ids[0])).outcome is Outcome.DENIED
        for role in (Role.CITIZEN, Role.LEADER, Role.AUDITOR, Role.ADMIN, Role.INVESTIGATOR):
            assert (await ask(who(role), "set_duty", **duty())).outcome is Outcome.DENIED

    @pytest.mark.parametrize(
        "wrong", [{"user_id": "dan-1"}, {"user_id": "khong-co"}, {"ends_at": NOW.isoformat()}, {"kind": "dragon"}]
    )
    async def test_what_cannot_be_is_asked_again(self, ask: Any, who: Who, wrong: dict[str, str]) -> None:
        assert (await ask(who(Role.OFFICER), "set_duty", **duty(**wrong))).outcome is Outcome.CLARIFY

    def test_no_planner_sees_them(self) -> None:
        assert not {"set_duty", "end_duty", "list_duties"} & set(EXPOSED)
