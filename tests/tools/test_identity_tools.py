"""The identity and evidence tools through the gateway: two people, one yes each, no personal value in the logs."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from matpho_contracts.events import Event
from matpho_contracts.identity_api import CheckAnswer, CheckRequest
from matpho_contracts.signing import SigningKey
from matpho_contracts.times import now
from matpho_platform.access.principal import Principal, Role
from matpho_platform.center import Center
from matpho_platform.identity.errors import CentreSilentError
from matpho_platform.web.session import current_principal
from matpho_simcity.authentication_centre.desk import Desk, UnitGrant
from matpho_simcity.authentication_centre.records import Record, Records
from matpho_tools.contract import Outcome, ToolResult
from matpho_tools.gateway import Gateway
from matpho_tools.rest import tools_router

PURPOSES = ("điều tra hình sự", "tìm người mất tích")
FIELDS = ("họ tên", "chủ xe", "địa chỉ")
ADDRESS = "12 phố Mô Phỏng"
OWNER = Record("Nguyễn Văn Thử", "1980-01-01", ADDRESS)
ASK = {
    "case_number": "HS-2026-0102",
    "purpose": "điều tra hình sự",
    "subject": {"plate": "43C-123.45"},
    "fields": ["chủ xe", "địa chỉ"],
}


class Centre:
    """The simulated desk, which a test may silence."""

    def __init__(self) -> None:
        grant = UnitGrant("DN-01", PURPOSES, FIELDS, now() + timedelta(days=1))
        self.desk = Desk(SigningKey.generate(), [grant], Records({"43C12345": OWNER}))
        self.silent = False

    async def check(self, request: CheckRequest) -> CheckAnswer:
        if self.silent:
            raise CentreSilentError("nobody there")
        return self.desk.answer(request, request.asked_at)

    async def close(self) -> None:
        return


@pytest.fixture
async def centre(center: Center) -> Centre:
    made = Centre()
    grant = {"unit_code": "DN-01", "purposes": PURPOSES, "fields": FIELDS, "valid_to": now() + timedelta(days=1)}
    await center.identity.load(grant=grant, now=now())
    center.identity.connect(made, made.desk.key.public)
    return made


@pytest.fixture
def investigator(who: Callable[..., Principal]) -> Principal:
    return who(Role.INVESTIGATOR)


@pytest.fixture
def commander(who: Callable[..., Principal]) -> Principal:
    return who(Role.COMMANDER)


async def propose(gateway: Gateway, principal: Principal, tool: str, arguments: dict[str, Any]) -> ToolResult:
    return await gateway.call(principal, tool, arguments, channel="test")


async def agreed(gateway: Gateway, principal: Principal, tool: str, arguments: dict[str, Any]) -> ToolResult:
    waiting = await propose(gateway, principal, tool, arguments)
    assert waiting.outcome is Outcome.CONFIRM, waiting
    return await gateway.confirm(principal, waiting.data["proposal"]["id"], channel="test")


def rows_of(result: ToolResult) -> dict[str, str]:
    return {row["argument"]: row["value_vi"] for row in result.data["proposal"]["rows"]}


async def test_the_whole_way_through_the_gateway(
    gateway: Gateway, centre: Centre, investigator: Principal, commander: Principal
) -> None:
    shown = await propose(gateway, investigator, "request_identity_check", ASK)
    assert shown.outcome is Outcome.CONFIRM
    assert rows_of(shown)["subject.plate"] == "43C12345"
    assert centre.desk.log == []
    opened = await gateway.confirm(investigator, shown.data["proposal"]["id"], channel="test")
    assert (opened.outcome, opened.data["status"]) == (Outcome.ANSWERED, "pending")
    name = opened.ids[0]
    waiting = await propose(gateway, commander, "decide_identity_check", {"request_id": name, "decision": "approve"})
    rows = rows_of(waiting)
    assert (rows["requester"], rows["case_number"], rows["subject.plate"]) == (
        investigator.user_id, "HS-2026-0102", "43C12345",
    )  # fmt: skip
    assert len(rows["content_hash"].split()) == 4
    assert centre.desk.log == []
    decided = await gateway.confirm(commander, waiting.data["proposal"]["id"], channel="test")
    assert decided.data["status"] == "answered"
    for principal in (investigator, commander):
        result = await propose(gateway, principal, "identity_check_result", {"request_id": name})
        assert result.data["values"] == {"chủ xe": "Nguyễn Văn Thử", "địa chỉ": ADDRESS}
    assert len(centre.desk.log) == 1


async def test_a_yes_that_lacks_a_fresh_second_factor_waits_for_it(
    gateway: Gateway, centre: Centre, investigator: Principal
) -> None:
    shown = await propose(gateway, investigator, "request_identity_check", ASK)
    name = shown.data["proposal"]["id"]
    stale = replace(investigator, mfa_at=now() - timedelta(minutes=6))
    for _ in range(2):
        refused = await gateway.confirm(stale, name, channel="test")
        assert (refused.outcome, refused.rule) == (Outcome.DENIED, "step_up")
    assert [list(one.rows) for one in await gateway.waiting(stale)] == [shown.data["proposal"]["rows"]]
    assert (await gateway.confirm(investigator, name, channel="test")).outcome is Outcome.ANSWERED
    assert (await gateway.confirm(investigator, name, channel="test")).rule == "proposal_gone"


@pytest.mark.parametrize(
    ("change", "missing", "options"),
    [
        ({"case_number": None}, "case_number", None),
        ({"case_number": "không rõ"}, "case_number", None),
        ({"purpose": None}, "purpose", list(PURPOSES)),
        ({"purpose": "tò mò"}, "purpose", list(PURPOSES)),
        ({"fields": None}, "fields", list(FIELDS)),
        ({"subject": {}}, "subject", None),
        ({"subject": {"name": "Nguyễn Văn A"}}, "subject", None),
        ({"subject": {"citizen_id": "001190000042", "name": "A"}}, "subject", None),
        ({"subject": {"plate": "43C-123.45", "name": "Nguyễn Văn A"}}, "subject", None),
        ({"subject": {"plate": "12"}}, "subject", None),
    ],
)
async def test_just_the_missing_piece_is_asked_for(
    gateway: Gateway, centre: Centre, investigator: Principal, change: dict[str, Any], missing: str, options: Any
) -> None:
    asked = {name: value for name, value in (ASK | change).items() if value is not None}
    result = await propose(gateway, investigator, "request_identity_check", asked)
    assert (result.outcome, result.data["missing"]) == (Outcome.CLARIFY, missing)
    assert result.data.get("options") == options
    assert centre.desk.log == []


async def test_a_field_outside_the_grant_is_denied(gateway: Gateway, centre: Centre, investigator: Principal) -> None:
    result = await propose(gateway, investigator, "request_identity_check", ASK | {"fields": ["quê quán"]})
    assert (result.outcome, result.rule) == (Outcome.DENIED, "field_not_granted")
    assert "chủ xe" in result.message_vi


@pytest.mark.parametrize("several", [[{"plate": "43C-123.45"}, {"plate": "43C-123.46"}], {"plate": ["43C-123.45"]}])
async def test_several_subjects_are_no_arguments_at_all(
    gateway: Gateway, centre: Centre, investigator: Principal, several: Any
) -> None:
    result = await propose(gateway, investigator, "request_identity_check", ASK | {"subject": several})
    assert result.outcome is Outcome.CLARIFY
    assert centre.desk.log == []


@pytest.mark.parametrize("role", [Role.CITIZEN, Role.OFFICER, Role.LEADER, Role.AUDITOR, Role.ADMIN])
async def test_other_roles_may_not(gateway: Gateway, centre: Centre, who: Callable[..., Principal], role: Role) -> None:
    for tool, arguments in (
        ("request_identity_check", ASK),
        ("decide_identity_check", {"request_id": "IDR-0001", "decision": "approve"}),
        ("identity_check_result", {"request_id": "IDR-0001"}),
        ("export_evidence", {"event_ids": ["0" * 8], "case_number": "HS-1", "purpose": "x"}),
        ("open_evidence", {"package_id": "BC-1120-01", "case_number": "HS-1"}),
    ):
        assert (await propose(gateway, who(role), tool, arguments)).outcome is Outcome.DENIED


async def test_nobody_decides_their_own_and_the_order_of_the_noes(
    gateway: Gateway, centre: Centre, commander: Principal
) -> None:
    opened = await agreed(gateway, commander, "request_identity_check", ASK)
    decide = {"request_id": opened.ids[0], "decision": "approve"}
    result = await propose(gateway, commander, "decide_identity_check", decide)
    assert (result.outcome, result.rule) == (Outcome.DENIED, "own_request")
    assert centre.desk.log == []


async def test_a_yes_to_what_was_decided_meanwhile_is_denied(
    gateway: Gateway, centre: Centre, investigator: Principal, commander: Principal
) -> None:
    opened = await agreed(gateway, investigator, "request_identity_check", ASK)
    other = Principal("u-other", "Khác", Role.COMMANDER, session_id="s2", mfa_at=now())
    first, second = [
        await propose(gateway, who, "decide_identity_check", {"request_id": opened.ids[0], "decision": word})
        for who, word in ((commander, "reject"), (other, "approve"))
    ]
    assert (await gateway.confirm(commander, first.data["proposal"]["id"], channel="test")).data["status"] == "rejected"
    late = await gateway.confirm(other, second.data["proposal"]["id"], channel="test")
    assert (late.outcome, late.rule) == (Outcome.DENIED, "not_pending")
    assert "không còn chờ" in late.message_vi
    assert "no longer pending" in late.message_en
    assert centre.desk.log == []


async def test_a_result_is_not_for_third_parties_and_not_for_ever(
    gateway: Gateway, centre: Centre, investigator: Principal, commander: Principal
) -> None:
    opened = await agreed(gateway, investigator, "request_identity_check", ASK)
    await agreed(gateway, commander, "decide_identity_check", {"request_id": opened.ids[0], "decision": "approve"})
    third = Principal("u-third", "Ba", Role.INVESTIGATOR, ("DN-HC",), session_id="s3", mfa_at=now())
    asked = {"request_id": opened.ids[0]}
    assert (await propose(gateway, third, "identity_check_result", asked)).outcome is Outcome.DENIED
    late = now() + timedelta(days=2)
    fresh = Principal(investigator.user_id, "A", Role.INVESTIGATOR, ("DN-HC",), session_id="s1", mfa_at=late)
    ended = await gateway.call(fresh, "identity_check_result", asked, channel="test", now=late)
    assert (ended.outcome, ended.rule) == (Outcome.DENIED, "expired")
    assert "hết hạn" in ended.message_vi


async def test_a_silent_centre_fails_the_result_and_keeps_the_approval(
    gateway: Gateway, centre: Centre, investigator: Principal, commander: Principal
) -> None:
    opened = await agreed(gateway, investigator, "request_identity_check", ASK)
    centre.silent = True
    decide = {"request_id": opened.ids[0], "decision": "approve"}
    decided = await agreed(gateway, commander, "decide_identity_check", decide)
    assert (decided.outcome, decided.data["status"], decided.data["problem"]) == (
        Outcome.ANSWERED, "approved", "silent",
    )  # fmt: skip
    asked = {"request_id": opened.ids[0]}
    assert (await propose(gateway, investigator, "identity_check_result", asked)).outcome is Outcome.FAILED
    centre.silent = False
    assert (await propose(gateway, investigator, "identity_check_result", asked)).data["found"]


async def test_no_personal_value_is_in_the_trail_or_the_logs(
    gateway: Gateway,
    center: Center,
    centre: Centre,
    investigator: Principal,
    commander: Principal,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    person = {"citizen_id": "048185000077", "name": "Lê Thị Mẫu", "date_of_birth": "14/07/1985"}
    ask = ASK | {"subject": person, "fields": ["địa chỉ"]}
    opened = await agreed(gateway, investigator, "request_identity_check", ask)
    await agreed(gateway, commander, "decide_identity_check", {"request_id": opened.ids[0], "decision": "approve"})
    result = await propose(gateway, investigator, "identity_check_result", {"request_id": opened.ids[0]})
    (address,) = result.data["values"].values()
    page = await center.audit.search(limit=100)
    trail = "".join(record.entry.canonical().decode() for record in page.records)
    for value in ("048185000077", "Lê Thị Mẫu", "1985-07-14", "14/07/1985", address):
        assert value not in trail
        assert value not in caplog.text
        assert value not in json.dumps(centre.desk.log, ensure_ascii=False)


class TestEvidence:
    async def test_shown_agreed_made_downloaded(
        self, gateway: Gateway, events: dict[str, Event], box: None, commander: Principal
    ) -> None:
        ids = [events["dump"].id, events["fight"].id]
        said = {"event_ids": ids, "case_number": "hs-2026-0147", "purpose": "xử phạt vi phạm hành chính"}
        shown = await propose(gateway, commander, "export_evidence", said)
        assert shown.data["proposal"]["arguments"]["case_number"] == "HS-2026-0147"
        made = await gateway.confirm(commander, shown.data["proposal"]["id"], channel="test")
        assert made.outcome is Outcome.ANSWERED
        assert made.ids[1:] == tuple(ids)
        opening = {"package_id": made.ids[0], "case_number": "HS-2026-0147"}
        result, value = await gateway.media(commander, "open_evidence", opening, channel="test")
        assert "path" not in result.data
        assert value is not None
        data = (await _read(value)).getvalue()
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert f"clips/{ids[0]}.mp4" in archive.namelist()

    async def test_an_investigator_exports_own_areas_and_opens_what_is_theirs(
        self, gateway: Gateway, events: dict[str, Event], box: None, investigator: Principal
    ) -> None:
        said = {"event_ids": [events["dump"].id], "case_number": "HS-2026-0147", "purpose": "điều tra"}
        made = await agreed(gateway, investigator, "export_evidence", said)
        assert made.outcome is Outcome.ANSWERED
        for case, outcome in (("HS-2026-0147", Outcome.ANSWERED), ("HS-2026-0148", Outcome.DENIED)):
            opening = {"package_id": made.ids[0], "case_number": case}
            assert (await propose(gateway, investigator, "open_evidence", opening)).outcome is outcome
        opening = {"package_id": made.ids[0], "case_number": "HS-2026-0147"}
        for area, rule in (("DN-HC", "not_own_package"), ("DN-ST", "area")):
            other = Principal("u-x", "X", Role.INVESTIGATOR, (area,), session_id="s4", mfa_at=now())
            assert (await propose(gateway, other, "open_evidence", opening)).rule == rule
        absent = {"package_id": "BC-0101-01", "case_number": "HS-2026-0147"}
        assert (await propose(gateway, other, "open_evidence", absent)).rule == "area"

    async def test_another_areas_event_and_one_that_does_not_exist_look_the_same(
        self, gateway: Gateway, events: dict[str, Event], box: None, investigator: Principal
    ) -> None:
        told = []
        for event_id in (events["far"].id, "0" * 8 + events["far"].id[8:]):
            said = {"event_ids": [event_id], "case_number": "HS-2026-0147", "purpose": "điều tra"}
            result = await propose(gateway, investigator, "export_evidence", said)
            told.append((result.outcome, result.rule, result.message_vi, result.data))
        assert told[0] == told[1]
        assert told[0][0] is Outcome.DENIED

    @pytest.mark.parametrize(
        ("left_out", "missing"), [("case_number", "case_number"), ("purpose", "purpose"), ("event_ids", "event_ids")]
    )
    async def test_just_the_missing_piece_is_asked_for(
        self, gateway: Gateway, events: dict[str, Event], commander: Principal, left_out: str, missing: str
    ) -> None:
        said = {"event_ids": [events["dump"].id], "case_number": "HS-2026-0147", "purpose": "điều tra"}
        said.pop(left_out)
        result = await propose(gateway, commander, "export_evidence", said)
        assert (result.outcome, result.data["missing"]) == (Outcome.CLARIFY, missing)


async def _read(value: Any) -> io.BytesIO:
    import asyncio
    from pathlib import Path

    return io.BytesIO(await asyncio.to_thread(Path(value.path).read_bytes))


async def test_a_package_is_downloaded_over_http_under_its_case(
    gateway: Gateway, events: dict[str, Event], box: None, commander: Principal
) -> None:
    said = {"event_ids": [events["dump"].id], "case_number": "HS-2026-0147", "purpose": "điều tra"}
    made = await agreed(gateway, commander, "export_evidence", said)
    app = FastAPI()
    app.include_router(tools_router(gateway))
    app.dependency_overrides[current_principal] = lambda: commander
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://center") as http:
        whole = await http.get(made.data["url"])
        without = await http.get(f"/api/v1/evidence/{made.ids[0]}")
        other = await http.get(f"/api/v1/evidence/{made.ids[0]}?case_number=HS-2026-0148")
        absent = await http.get("/api/v1/evidence/BC-0101-01?case_number=HS-2026-0147")
    assert (whole.status_code, whole.headers["content-type"]) == (200, "application/zip")
    assert hashlib.sha256(whole.content).hexdigest() == made.data["sha256"]
    assert "no-store" in whole.headers["cache-control"]
    assert [without.status_code, other.status_code, absent.status_code] == [422, 403, 404]
