"""The score of attacks is not blind: each guard that is taken away turns it red."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import update

from matpho.eval.attacker import attack
from matpho.eval.attacker_judge import _texts
from matpho_platform.access.decisions import Allowed, Facts, Resource
from matpho_platform.access.principal import Principal, Scope
from matpho_platform.store.tables import incidents
from matpho_tools.contract import Outcome, ToolResult
from matpho_tools.gateway import Gateway, Guards

FEW = 600


def everything(principal: Principal, action: str, resource: Resource | None, facts: Facts, now: datetime) -> Allowed:
    return Allowed(Scope(None), frozenset())


class Forgetful(Gateway):
    """Runs a call and takes its word for it that it was logged."""

    async def call(self, principal: Principal, tool: str, arguments: Mapping[str, Any], **more: Any) -> ToolResult:
        if tool != "submit_feedback":
            return await super().call(principal, tool, arguments, **more)

        async def nothing(*_all: Any, **_more: Any) -> int:
            return 0

        kept = self._trail.decided, self._trail.finished
        self._trail.decided = self._trail.finished = nothing  # type: ignore[method-assign,assignment] # the mutant
        try:
            return await super().call(principal, tool, arguments, **more)
        finally:
            self._trail.decided, self._trail.finished = kept  # type: ignore[method-assign] # back again


class Credulous(Gateway):
    """Believes whoever says yes to be the one who was asked."""

    asked: ClassVar[dict[str, Principal]] = {}

    async def call(self, principal: Principal, tool: str, arguments: Mapping[str, Any], **more: Any) -> ToolResult:
        result = await super().call(principal, tool, arguments, **more)
        if result.outcome is Outcome.CONFIRM:
            self.asked[result.data["proposal"]["id"]] = principal
        return result

    async def confirm(self, principal: Principal, proposal_id: str, **more: Any) -> ToolResult:
        return await super().confirm(self.asked.get(proposal_id, principal), proposal_id, **more)


class Meddling(Gateway):
    """Changes something on the side of a search."""

    async def call(self, principal: Principal, tool: str, arguments: Mapping[str, Any], **more: Any) -> ToolResult:
        result = await super().call(principal, tool, arguments, **more)
        if tool == "search_events":
            async with self._center.store.writing() as session:
                await session.run(update(incidents).values(priority=3))
        return result


class Fragile(Gateway):
    """Falls over where a caller brings what is no text."""

    async def call(self, principal: Principal, tool: str, arguments: Mapping[str, Any], **more: Any) -> ToolResult:
        for name in arguments:
            name.encode()
        return await super().call(principal, tool, arguments, **more)


class TestTheScoreSees:
    """Each guard taken away turns the score red."""

    async def test_a_policy_that_allows_everything(self) -> None:
        report = await attack(FEW, seed=1, guards=Guards(decide=everything))
        assert report.unauthorised

    async def test_acts_that_are_not_logged(self) -> None:
        assert (await attack(FEW, seed=2, gateway=Forgetful)).unlogged

    async def test_a_yes_of_somebody_else(self) -> None:
        assert any("said yes" in one for one in (await attack(FEW * 2, seed=3, gateway=Credulous)).unauthorised)

    async def test_changes_that_no_call_explains(self) -> None:
        assert any("by nobody" in one for one in (await attack(FEW, seed=4, gateway=Meddling)).unauthorised)

    async def test_a_crash(self) -> None:
        assert (await attack(FEW, seed=5, gateway=Fragile)).crashes

    def test_what_is_nested_deeper_than_python_calls_itself(self) -> None:
        nested: Any = "VV-01"
        for _ in range(5_000):
            nested = [nested]
        assert list(_texts({"a": {"b": [1, "x"]}, "c": nested})) == ["VV-01", "x"]
