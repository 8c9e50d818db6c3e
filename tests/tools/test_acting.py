"""Acts wait for a yes: nothing happens before it; after it exactly what was shown, once, for the same person."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from matpho_contracts.events import Event
from matpho_platform.access.principal import Principal, Role, Scope
from matpho_platform.center import Center
from matpho_tools.contract import Outcome, ToolResult
from matpho_tools.gateway import Gateway
from matpho_tools.registry import TOOLS

Who = Callable[..., Principal]
AT = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)


@pytest.fixture
def officer(who: Who) -> Principal:
    return replace(who(Role.OFFICER), mfa_at=AT)


async def propose(gateway: Gateway, principal: Principal, tool: str, at: datetime = AT, **arguments: Any) -> ToolResult:
    return await gateway.call(principal, tool, arguments, channel="test", conversation_id="c1", now=at)


async def say_yes(
    gateway: Gateway, principal: Principal, proposal: ToolResult, after: timedelta = timedelta(0)
) -> ToolResult:
    return await gateway.confirm(
        principal, proposal.data["proposal"]["id"], channel="test", conversation_id="c1", now=AT + after
    )


async def incidents(center: Center) -> int:
    return (await center.incidents.list(Scope(None), now=AT)).total


class TestProposing:
    async def test_nothing_happens_before_the_yes_and_the_lines_come_from_the_arguments(
        self, gateway: Gateway, center: Center, officer: Principal, events: dict[str, Event]
    ) -> None:
        result = await propose(gateway, officer, "open_incident", event_ids=[events["fight"].id], priority="high")
        assert result.outcome is Outcome.CONFIRM
        proposal = result.data["proposal"]
        assert proposal["tool"] == "open_incident"
        assert proposal["arguments"]["event_ids"] == [events["fight"].id]
        shown = {row["argument"]: row for row in proposal["rows"]}
        assert shown["priority"]["source"] == "person"
        assert await incidents(center) == 0

    async def test_the_policy_is_asked_before_the_person(
        self, gateway: Gateway, who: Who, events: dict[str, Event]
    ) -> None:
        citizen = await propose(gateway, who(Role.CITIZEN), "open_incident", event_ids=[events["fight"].id])
        elsewhere = await propose(gateway, who(Role.OFFICER), "open_incident", event_ids=[events["far"].id])
        assert (citizen.outcome, citizen.rule) == (Outcome.DENIED, "role")
        assert (elsewhere.outcome, elsewhere.rule) == (Outcome.DENIED, "area")

    async def test_a_missing_piece_is_asked_for_and_nothing_waits(
        self, gateway: Gateway, officer: Principal, events: dict[str, Event]
    ) -> None:
        opened = await say_yes(
            gateway, officer, await propose(gateway, officer, "open_incident", event_ids=[events["fight"].id])
        )
        result = await propose(gateway, officer, "dispatch_unit", incident_id=opened.ids[0])
        assert (result.outcome, result.data["missing"]) == (Outcome.CLARIFY, "unit_id")


class TestTheYes:
    async def test_it_runs_once_and_a_second_yes_finds_nothing(
        self, gateway: Gateway, center: Center, officer: Principal, events: dict[str, Event]
    ) -> None:
        waiting = await propose(gateway, officer, "open_incident", event_ids=[events["fight"].id])
        first = await say_yes(gateway, officer, waiting)
        second = await say_yes(gateway, officer, waiting)
        assert first.outcome is Outcome.ANSWERED
        assert (second.outcome, second.rule) == (Outcome.DENIED, "proposal_gone")
        assert await incidents(center) == 1

    async def test_of_fifty_at_once_one_runs(
        self, gateway: Gateway, center: Center, officer: Principal, events: dict[str, Event]
    ) -> None:
        waiting = await propose(gateway, officer, "open_incident", event_ids=[events["fight"].id])
        done = await asyncio.gather(*(say_yes(gateway, officer, waiting) for _ in range(50)))
        assert sum(result.outcome is Outcome.ANSWERED for result in done) == 1
        assert await incidents(center) == 1

    async def test_somebody_elses_yes_is_none_and_takes_nothing_away(
        self, gateway: Gateway, who: Who, officer: Principal, events: dict[str, Event]
    ) -> None:
        waiting = await propose(gateway, officer, "open_incident", event_ids=[events["fight"].id])
        other = await say_yes(gateway, who(Role.COMMANDER), waiting)
        assert (other.outcome, other.rule) == (Outcome.DENIED, "proposal_gone")
        assert (await say_yes(gateway, officer, waiting)).outcome is Outcome.ANSWERED

    @pytest.mark.parametrize(("late", "outcome"), [(14, Outcome.ANSWERED), (16, Outcome.DENIED), (-1, Outcome.DENIED)])
    async def test_it_holds_for_fifteen_minutes(
        self, late: int, outcome: Outcome, gateway: Gateway, officer: Principal, events: dict[str, Event]
    ) -> None:
        waiting = await propose(gateway, officer, "open_incident", event_ids=[events["fight"].id])
        result = await say_yes(gateway, officer, waiting, timedelta(minutes=late))
        assert result.outcome is outcome

    @pytest.mark.parametrize("change", [{"role": Role.INVESTIGATOR}, {"areas": ("DN-ST",)}, {"role": Role.CITIZEN}])
    async def test_a_right_that_was_lost_in_between_counts(
        self, change: dict[str, Any], gateway: Gateway, center: Center, officer: Principal, events: dict[str, Event]
    ) -> None:
        waiting = await propose(gateway, officer, "open_incident", event_ids=[events["fight"].id])
        result = await say_yes(gateway, replace(officer, **change), waiting)
        assert result.outcome is Outcome.DENIED
        assert await incidents(center) == 0

    async def test_a_programs_token_may_propose_but_not_agree(
        self, gateway: Gateway, center: Center, officer: Principal, events: dict[str, Event]
    ) -> None:
        token = replace(officer, program=True)
        waiting = await propose(gateway, token, "open_incident", event_ids=[events["fight"].id])
        assert waiting.outcome is Outcome.CONFIRM
        result = await say_yes(gateway, token, waiting)
        assert (result.outcome, result.rule) == (Outcome.DENIED, "person_only")
        assert await incidents(center) == 0

    async def test_a_no_forgets_it(
        self, gateway: Gateway, center: Center, officer: Principal, events: dict[str, Event]
    ) -> None:
        waiting = await propose(gateway, officer, "open_incident", event_ids=[events["fight"].id])
        assert await gateway.cancel(officer, waiting.data["proposal"]["id"], channel="test")
        assert (await say_yes(gateway, officer, waiting)).rule == "proposal_gone"
        assert await incidents(center) == 0

    @pytest.mark.parametrize("guess", ["", "x", "../etc/passwd", "' OR 1=1 --", "0" * 64])
    async def test_guesses_find_nothing(self, guess: str, gateway: Gateway, officer: Principal) -> None:
        result = await gateway.confirm(officer, guess, channel="test", now=AT)
        assert (result.outcome, result.rule) == (Outcome.DENIED, "proposal_gone")


class TestTheTrail:
    async def test_proposal_decision_and_outcome_are_all_on_it(
        self, gateway: Gateway, center: Center, officer: Principal, events: dict[str, Event]
    ) -> None:
        waiting = await propose(gateway, officer, "open_incident", event_ids=[events["fight"].id])
        done = await say_yes(gateway, officer, waiting)
        entries = [record.entry for record in (await center.audit.search(action="open_incident")).records]
        assert [(entry.decision, entry.outcome) for entry in entries] == [
            ("allowed", "answered"), ("allowed", ""), ("confirm", "confirm"),
        ]  # fmt: skip
        assert entries[0].refers_to == done.audit_index

    async def test_what_waits_is_gone_from_the_database_once_it_ran(
        self, gateway: Gateway, center: Center, officer: Principal, events: dict[str, Event]
    ) -> None:
        waiting = await propose(gateway, officer, "open_incident", event_ids=[events["fight"].id], note="riêng tư")
        await say_yes(gateway, officer, waiting)
        with sqlite3.connect(center.settings.data / "center.db") as connection:
            assert connection.execute("SELECT count(*) FROM proposals").fetchone() == (0,)

    @pytest.mark.parametrize(("tool", "runs"), [("export_evidence", False), ("open_incident", True)])
    async def test_without_a_log_exports_stop_and_alerts_go_on(
        self, tool: str, runs: bool, gateway: Gateway, center: Center, who: Who, events: dict[str, Event]
    ) -> None:
        commander = replace(who(Role.COMMANDER), mfa_at=AT)
        extra = {} if runs else {"case_number": "HS-2026-0001", "purpose": "điều tra"}
        waiting = await propose(gateway, commander, tool, event_ids=[events["fight"].id], **extra)
        assert waiting.outcome is Outcome.CONFIRM, waiting
        with sqlite3.connect(center.settings.data / "center.db") as connection:
            connection.execute("CREATE TRIGGER full BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'x'); END")
        result = await say_yes(gateway, commander, waiting)
        assert result.outcome is (Outcome.ANSWERED if runs else Outcome.FAILED)


def test_every_tool_of_the_contract_that_acts_waits() -> None:
    acting = {
        "move_camera", "acknowledge_alert", "open_incident", "dispatch_unit", "update_incident", "escalate_incident",
        "create_watch", "export_evidence", "request_identity_check", "decide_identity_check",
    }  # fmt: skip
    assert {name for name, tool in TOOLS.items() if tool.prepare is not None} == acting
    stop = {"export_evidence", "request_identity_check", "decide_identity_check", "identity_check_result"}
    assert all(TOOLS[name].when_unlogged == "stop" for name in stop)
