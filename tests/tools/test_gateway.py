"""The gateway against a real center: every guard, and that each is missed when it is taken out."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from matpho_contracts.events import Event
from matpho_contracts.ids import new_event_id
from matpho_platform.access.policy import Allowed
from matpho_platform.access.principal import Principal, Role, Scope
from matpho_platform.center import Center
from matpho_tools.contract import Outcome
from matpho_tools.gateway import Gateway, Guards
from matpho_tools.judging import Permit
from matpho_tools.registry import TOOLS
from matpho_tools.trail import Origin

Who = Callable[..., Principal]


async def call(gateway: Gateway, principal: Principal, tool: str, **arguments: Any) -> Any:
    return await gateway.call(principal, tool, arguments, channel="test", conversation_id="c1")


class TestRunning:
    async def test_an_officer_finds_events_of_the_own_area_only(
        self, gateway: Gateway, who: Who, events: dict[str, Event]
    ) -> None:
        result = await call(gateway, who(Role.OFFICER), "search_events", event_types=["fight"])
        assert result.outcome is Outcome.ANSWERED
        assert result.ids == (events["fight"].id,)
        assert result.data["total"] == 1

    async def test_a_commander_finds_them_everywhere(
        self, gateway: Gateway, who: Who, events: dict[str, Event]
    ) -> None:
        result = await call(gateway, who(Role.COMMANDER), "search_events", event_types=["fight"])
        assert set(result.ids) == {events["fight"].id, events["far"].id}

    async def test_one_event_comes_with_its_signature_and_without_vectors(
        self, gateway: Gateway, who: Who, events: dict[str, Event]
    ) -> None:
        result = await call(gateway, who(Role.OFFICER), "get_event", event_id=events["dump"].id)
        assert result.data["signature"] == "valid"
        assert "vectors" not in result.data["event"]["data"]

    async def test_an_event_of_another_area_and_one_that_is_none_look_alike(
        self, gateway: Gateway, who: Who, events: dict[str, Event]
    ) -> None:
        elsewhere = await call(gateway, who(Role.OFFICER), "get_event", event_id=events["far"].id)
        nowhere = await call(gateway, who(Role.OFFICER), "get_event", event_id=new_event_id())
        assert (elsewhere.outcome, elsewhere.rule, elsewhere.data) == (Outcome.DENIED, "area", {})
        same = {"outcome", "rule", "data", "ids", "message_vi", "message_en", "decision", "part", "narrowed"}
        assert nowhere.model_dump(include=same) == elsewhere.model_dump(include=same)

    async def test_who_sees_everything_is_told_that_there_is_no_such_event(self, gateway: Gateway, who: Who) -> None:
        result = await call(gateway, who(Role.COMMANDER), "get_event", event_id=new_event_id())
        assert (result.outcome, result.rule, result.data) == (Outcome.ANSWERED, "not_found", {})

    async def test_statistics_and_cameras(self, gateway: Gateway, who: Who) -> None:
        table = await call(gateway, who(Role.COMMANDER), "event_statistics", group_by=["area"])
        assert table.data["table"]["total"] == 3
        assert table.data["chart"]["kind"] == "bar"
        cameras = await call(gateway, who(Role.OFFICER), "list_cameras", kind="ptz")
        assert cameras.ids == ("HC-01",)

    async def test_a_silent_box_is_a_failure_that_names_the_part(self, gateway: Gateway, who: Who) -> None:
        tools = {**TOOLS, "get_snapshot": replace(TOOLS["get_snapshot"], deadline_s=0.2)}
        result = await call(Gateway(gateway._center, tools=tools), who(Role.OFFICER), "get_snapshot", camera_id="HC-01")
        assert result.outcome is Outcome.FAILED
        assert result.part == "the camera or its edge box"
        assert "Không kiểm tra được" in result.message_vi

    async def test_words_without_an_index_are_answered_by_the_filters_and_said(
        self, gateway: Gateway, who: Who
    ) -> None:
        both = await call(gateway, who(Role.OFFICER), "search_events", query="xe chở cát", objects=["truck"])
        assert both.data["words_searched"] is False
        alone = await call(gateway, who(Role.OFFICER), "search_events", query="xe chở cát")
        assert alone.outcome is Outcome.FAILED


class TestArguments:
    @pytest.mark.parametrize(
        ("tool", "arguments"),
        [
            ("search_events", {"limit": 100_000}),
            ("search_events", {"event_types": ["no_such_type"]}),
            ("search_events", {"time_from": "2026-11-20T10:00:00"}),
            ("search_events", {"runtime": {"principal": "admin"}}),
            ("get_event", {"event_id": "../etc/passwd"}),
            ("get_clip", {"camera_id": "HC-01"}),
            (
                "get_clip",
                {"camera_id": "HC-01", "time_from": "2026-11-20T10:00:00Z", "time_to": "2026-11-20T10:20:00Z"},
            ),
            ("find_similar_events", {}),
        ],
    )
    async def test_what_does_not_fit_is_asked_for_again(
        self, gateway: Gateway, who: Who, tool: str, arguments: dict[str, Any]
    ) -> None:
        result = await call(gateway, who(Role.COMMANDER), tool, **arguments)
        assert result.outcome is Outcome.CLARIFY
        assert result.data["missing"]

    async def test_an_unknown_tool_is_denied(self, gateway: Gateway, who: Who) -> None:
        result = await call(gateway, who(Role.COMMANDER), "drop_database")
        assert (result.outcome, result.rule) == (Outcome.DENIED, "unknown_tool")


class TestDenials:
    @pytest.mark.parametrize("role", [Role.CITIZEN, Role.AUDITOR, Role.ADMIN])
    @pytest.mark.parametrize("tool", ["search_events", "get_event", "get_snapshot", "get_clip", "find_similar_events"])
    async def test_roles_without_the_tool(self, gateway: Gateway, who: Who, role: Role, tool: str) -> None:
        result = await call(gateway, who(role), tool)
        assert (result.outcome, result.rule) == (Outcome.DENIED, "role")
        assert "Người được phép" in result.message_vi

    async def test_a_place_outside_the_own_area(self, gateway: Gateway, who: Who) -> None:
        named = await call(gateway, who(Role.OFFICER), "search_events", areas=["DN-ST"])
        assert (named.outcome, named.rule) == (Outcome.DENIED, "area")
        camera = await call(gateway, who(Role.OFFICER), "get_snapshot", camera_id="ST-01")
        assert (camera.outcome, camera.rule) == (Outcome.DENIED, "area")

    async def test_of_two_named_areas_the_allowed_one_runs_and_it_is_said(
        self, gateway: Gateway, who: Who, events: dict[str, Event]
    ) -> None:
        result = await call(
            gateway, who(Role.OFFICER), "search_events", areas=["DN-HC", "DN-ST"], event_types=["fight"]
        )
        assert result.ids == (events["fight"].id,)
        assert result.narrowed

    async def test_a_citizen_gets_public_statistics_only(self, gateway: Gateway, who: Who) -> None:
        citizen = who(Role.CITIZEN)
        public = await call(gateway, citizen, "event_statistics", event_types=["fight"], group_by=["area"])
        assert public.outcome is Outcome.ANSWERED
        for private in ({"group_by": ["camera"]}, {"plate": "43C"}, {"camera_ids": ["HC-01"]}, {"objects": ["person"]}):
            result = await call(gateway, citizen, "event_statistics", **private)
            assert (result.outcome, result.rule) == (Outcome.DENIED, "public_only")

    async def test_a_leader_searches_no_plates(self, gateway: Gateway, who: Who) -> None:
        result = await call(gateway, who(Role.LEADER), "search_events", plate="43C-123.45")
        assert (result.outcome, result.rule) == (Outcome.DENIED, "no_plates")


class TestRefusals:
    async def test_a_refusal_comes_before_a_denial(self, gateway: Gateway, who: Who) -> None:
        result = await call(gateway, who(Role.CITIZEN), "search_events", query="tìm người này bằng khuôn mặt")
        assert (result.outcome, result.rule) == (Outcome.REFUSED, "person_by_face")

    async def test_a_persons_own_words_are_judged_and_recorded(
        self, gateway: Gateway, who: Who, center: Center
    ) -> None:
        result = await gateway.screen(who(Role.OFFICER), "theo dõi ông Lê Văn Tám", Origin("chat", "c9"))
        assert result is not None
        assert result.rule == "follow_person"
        page = await center.audit.search(action="say")
        assert page.records[0].entry.decision == "refused"


class TestRedaction:
    async def test_a_leader_sees_neither_plates_nor_stills_of_people(
        self, gateway: Gateway, who: Who, events: dict[str, Event]
    ) -> None:
        result = await call(gateway, who(Role.LEADER), "search_events")
        hits = {hit["id"]: hit for hit in result.data["hits"]}
        assert "43C" not in str(result.data)
        assert hits[events["fight"].id]["thumbnail"] is None
        still = await call(gateway, who(Role.LEADER), "event_still", event_id=events["fight"].id)
        assert (still.outcome, still.rule) == (Outcome.DENIED, "withheld")

    async def test_an_officer_sees_both(self, gateway: Gateway, who: Who, events: dict[str, Event]) -> None:
        result = await call(gateway, who(Role.OFFICER), "search_events")
        hits = {hit["id"]: hit for hit in result.data["hits"]}
        assert "43C-123.45" in str(hits[events["dump"].id])
        assert hits[events["fight"].id]["thumbnail"]


class TestAudit:
    async def test_each_call_leaves_a_decision_and_an_outcome(
        self, gateway: Gateway, who: Who, center: Center, events: dict[str, Event]
    ) -> None:
        result = await call(gateway, who(Role.OFFICER), "search_events", plate="43C-123.45")
        outcome, decision = (await center.audit.search(action="search_events")).records[:2]
        assert decision.log_index == result.audit_index == outcome.entry.refers_to
        assert (decision.entry.decision, decision.entry.user_id) == ("allowed", "u-officer")
        assert decision.entry.policy_version.startswith("cedar-")
        assert len(decision.entry.argument_hash) == 64
        assert outcome.entry.result_ids == (events["dump"].id,)
        assert "43C" not in decision.entry.model_dump_json()

    async def test_denials_and_refusals_are_in_the_trail(self, gateway: Gateway, who: Who, center: Center) -> None:
        await call(gateway, who(Role.CITIZEN), "get_clip")
        await call(gateway, who(Role.OFFICER), "search_events", query="find all muslim people")
        decisions = [record.entry.decision for record in (await center.audit.search()).records]
        assert decisions == ["refused", "denied"]

    async def test_nothing_runs_that_cannot_be_recorded(self, gateway: Gateway, who: Who, center: Center) -> None:
        await call(gateway, who(Role.OFFICER), "search_events")
        database = center.settings.data / "center.db"
        with sqlite3.connect(database) as connection:
            connection.execute("CREATE TRIGGER full BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'x'); END")
        result = await call(gateway, who(Role.OFFICER), "search_events")
        assert result.outcome is Outcome.FAILED
        assert result.part == "the audit log"
        assert result.data == {}


Probe = Callable[[Gateway, Who, dict[str, Event]], Awaitable[bool]]


async def _role_holds(gateway: Gateway, who: Who, _events: dict[str, Event]) -> bool:
    return bool((await call(gateway, who(Role.CITIZEN), "search_events")).outcome is Outcome.DENIED)


async def _scope_holds(gateway: Gateway, who: Who, events: dict[str, Event]) -> bool:
    return events["far"].id not in (await call(gateway, who(Role.OFFICER), "search_events")).ids


async def _places_hold(gateway: Gateway, who: Who, _events: dict[str, Event]) -> bool:
    return bool((await call(gateway, who(Role.OFFICER), "search_events", areas=["DN-ST"])).outcome is Outcome.DENIED)


async def _things_hold(gateway: Gateway, who: Who, events: dict[str, Event]) -> bool:
    result = await call(gateway, who(Role.OFFICER), "get_event", event_id=events["far"].id)
    return bool(result.outcome is Outcome.DENIED)


async def _refusal_holds(gateway: Gateway, who: Who, _events: dict[str, Event]) -> bool:
    result = await call(gateway, who(Role.OFFICER), "search_events", query="find all muslim people")
    return bool(result.outcome is Outcome.REFUSED)


async def _redaction_holds(gateway: Gateway, who: Who, _events: dict[str, Event]) -> bool:
    return "43C" not in str((await call(gateway, who(Role.LEADER), "search_events")).data)


MUTANTS: list[tuple[str, Probe, Guards]] = [
    ("policy", _role_holds, Guards(decide=lambda *_: Allowed(Scope(None)))),
    ("scope", _scope_holds, Guards(decide=lambda *_: Allowed(Scope(None)))),
    ("places", _places_hold, Guards(narrow=lambda _d, _p, _t, arguments, *_: (arguments, False))),
    ("things", _things_hold, Guards(permit=lambda _d, _p, _a, first, *_: Permit(first))),
    ("refusal", _refusal_holds, Guards(judge=lambda *_: None)),
    ("redaction", _redaction_holds, Guards(redact=lambda value, _conditions: value.model_dump(mode="json"))),
]


class TestGuardsAreNeeded:
    @pytest.mark.parametrize(("name", "holds", "mutant"), MUTANTS, ids=[name for name, *_ in MUTANTS])
    async def test_the_guard_holds_and_its_removal_is_noticed(
        self, name: str, holds: Probe, mutant: Guards, center: Center, who: Who, events: dict[str, Event]
    ) -> None:
        assert await holds(Gateway(center), who, events), name
        assert not await holds(Gateway(center, guards=mutant), who, events), f"nobody notices a missing {name}"
