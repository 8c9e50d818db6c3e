"""The simulated authentication centre over real HTTP: signed requests, the grant, its own log, slow and broken days."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from matpho_contracts.errors import ConfigurationError
from matpho_contracts.identity_api import (
    CHECKS_PATH,
    MAX_REQUEST_BYTES,
    TAG,
    CheckAnswer,
    CheckRequest,
    Person,
    Vehicle,
    verify_answer,
)
from matpho_contracts.request_signing import sign_headers
from matpho_contracts.signing import SignatureError, SigningKey
from matpho_contracts.times import VIETNAM, now
from matpho_platform.identity.centre_client import CentreClient
from matpho_platform.identity.errors import CentreSilentError
from matpho_simcity.authentication_centre.desk import Desk, UnitGrant
from matpho_simcity.authentication_centre.records import Record, Records
from matpho_simcity.authentication_centre.server import AuthenticationCentreServer, Behaviour, Fault
from matpho_simcity.authentication_centre.stand_in import StandInCentre

UNIT = "CT-PC06"
GRANT = UnitGrant(UNIT, ("điều tra hình sự",), ("họ tên", "chủ xe", "địa chỉ"), now() + timedelta(days=1), quota=5)
KNOWN = Records(
    {
        "65A12345": Record("Võ Văn Giả", "1979-05-06", "7 phố Ví Dụ"),
        "092079000011": Record("Võ Văn Giả", "1979-05-06", "7 phố Ví Dụ", {"quê quán": "Cần Thơ"}),
    },
    invent=False,
)


def request(**changes: Any) -> CheckRequest:
    said = {
        "check_id": uuid.uuid4().hex,
        "unit_code": UNIT,
        "case_number": "HS-2026-0102",
        "purpose": "điều tra hình sự",
        "subject": Vehicle(plate="65A-123.45"),
        "fields": ("chủ xe",),
        "requested_by": "inv-1",
        "approved_by": "cmd-1",
        "asked_at": now(),
        **changes,
    }
    return CheckRequest.model_validate(said)


@pytest.fixture
def unit_key() -> SigningKey:
    return SigningKey.generate()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(SigningKey.generate(), [GRANT], KNOWN, log=tmp_path / "centre.jsonl")


@pytest.fixture
async def server(desk: Desk, unit_key: SigningKey) -> AsyncIterator[AuthenticationCentreServer]:
    made = AuthenticationCentreServer(desk, {UNIT: unit_key.public})
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def client(server: AuthenticationCentreServer, unit_key: SigningKey) -> AsyncIterator[CentreClient]:
    made = CentreClient(server.url, unit_key, timeout_s=5.0)
    yield made
    await made.close()


class TestTheGrant:
    async def test_what_it_covers_is_answered_and_signed(self, client: CentreClient, desk: Desk) -> None:
        asked = request()
        answer = await client.check(asked)
        verify_answer(answer, asked, desk.key.public)
        assert (answer.outcome, answer.values) == ("found", {"chủ xe": "Võ Văn Giả"})

    @pytest.mark.parametrize(
        ("change", "rule"),
        [
            ({"purpose": "tò mò"}, "purpose"),
            ({"purpose": "Điều tra hình sự"}, "purpose"),
            ({"fields": ("quê quán",)}, "fields"),
            ({"fields": ("chủ xe", "quê quán")}, "fields"),
            ({"approved_by": "inv-1"}, "four_eyes"),
            ({"asked_at": now() - timedelta(hours=1)}, "stale"),
            ({"asked_at": now() + timedelta(hours=1)}, "stale"),
        ],
    )
    async def test_what_lies_outside_is_refused_and_signed(
        self, client: CentreClient, desk: Desk, change: dict[str, Any], rule: str
    ) -> None:
        asked = request(**change)
        answer = await client.check(asked)
        verify_answer(answer, asked, desk.key.public)
        assert (answer.outcome, answer.rule, answer.values) == ("refused", rule, {})

    def test_an_ended_grant_and_a_strange_unit(self, desk: Desk) -> None:
        late = GRANT.valid_to
        assert desk.answer(request(asked_at=late), late).rule == "validity"
        assert desk.answer(request(unit_code="XX-1"), now()).rule == "unit"

    def test_the_quota_is_a_day_and_a_repeat_costs_nothing(self, desk: Desk) -> None:
        first = request()
        at = first.asked_at
        for _ in range(20):
            assert desk.answer(first, at).outcome == "found"
        assert [desk.answer(request(), at).outcome for _ in range(6)] == ["found"] * 4 + ["refused"] * 2
        assert desk.log[-1]["rule"] == "quota"
        before = datetime(2026, 11, 21, 16, 59, tzinfo=UTC)
        fresh = Desk(SigningKey.generate(), [GRANT], KNOWN)
        for _ in range(5):
            fresh.answer(request(asked_at=before), before)
        assert fresh.answer(request(asked_at=before), before).rule == "quota"
        after = before + timedelta(minutes=1)
        assert after.astimezone(VIETNAM).day == 22
        assert fresh.answer(request(asked_at=after), after).outcome == "found"

    def test_the_same_id_for_another_check_is_refused(self, desk: Desk) -> None:
        first = request()
        desk.answer(first, now())
        other = first.model_copy(update={"subject": Vehicle(plate="65A-999.99")})
        assert desk.answer(other, now()).rule == "replayed"


class TestOneToOne:
    @pytest.mark.parametrize(
        ("person", "outcome"),
        [
            (("092079000011", "vo van gia", date(1979, 5, 6)), "found"),
            (("092079000011", "Võ Văn Thật", date(1979, 5, 6)), "not_found"),
            (("092079000011", "Võ Văn Giả", date(1979, 5, 7)), "not_found"),
            (("092079000012", "Võ Văn Giả", date(1979, 5, 6)), "not_found"),
        ],
    )
    def test_everything_must_agree(self, desk: Desk, person: tuple[str, str, date], outcome: str) -> None:
        subject = Person(citizen_id=person[0], name=person[1], date_of_birth=person[2])
        assert desk.answer(request(subject=subject, fields=("địa chỉ",)), now()).outcome == outcome

    async def test_several_subjects_are_no_request(
        self, server: AuthenticationCentreServer, unit_key: SigningKey, desk: Desk
    ) -> None:
        one = json.loads(request().canonical())
        for body in (
            [one, one],
            {**one, "subject": [one["subject"], one["subject"]]},
            {**one, "subjects": [one["subject"]]},
            {**one, "subject": {"plate": "65A%"}},
            {**one, "subject": {}},
        ):
            assert (await post(server, unit_key, json.dumps(body).encode())).status_code == 422
        assert desk.log == []

    def test_a_made_up_owner_is_the_same_every_time(self) -> None:
        records = Records()
        one, again = (records.find(Vehicle(plate="51F-888.88")) for _ in range(2))
        assert one is not None
        assert one == again
        assert one != records.find(Vehicle(plate="51F-888.89"))
        assert one.value("số giày") is None


async def post(server: AuthenticationCentreServer, key: SigningKey, body: bytes, **changes: Any) -> httpx2.Response:
    headers = sign_headers(key, "POST", CHECKS_PATH, body, tag=changes.pop("tag", TAG))
    async with httpx2.AsyncClient(trust_env=False) as http:
        return await http.post(server.url + CHECKS_PATH, content=changes.get("sent", body), headers=headers)


class TestSignatures:
    async def test_unsigned_altered_strange_and_meant_for_something_else(
        self, server: AuthenticationCentreServer, unit_key: SigningKey, desk: Desk
    ) -> None:
        body = request().canonical()
        async with httpx2.AsyncClient(trust_env=False) as http:
            assert (await http.post(server.url + CHECKS_PATH, content=body)).status_code == 401
        assert (await post(server, unit_key, body, sent=body.replace(b"0102", b"0103"))).status_code == 401
        assert (await post(server, SigningKey.generate(), body)).status_code == 401
        assert (await post(server, unit_key, body, tag="matpho-edge")).status_code == 401
        assert desk.log == []

    async def test_the_same_bytes_twice_are_a_replay(
        self, server: AuthenticationCentreServer, unit_key: SigningKey, desk: Desk
    ) -> None:
        body = request().canonical()
        headers = sign_headers(unit_key, "POST", CHECKS_PATH, body, tag=TAG)
        async with httpx2.AsyncClient(trust_env=False) as http:
            codes = [
                (await http.post(server.url + CHECKS_PATH, content=body, headers=headers)).status_code for _ in range(3)
            ]
        assert codes == [200, 409, 409]
        assert len(desk.log) == 1

    async def test_a_unit_speaks_for_itself_alone(
        self, server: AuthenticationCentreServer, unit_key: SigningKey, desk: Desk
    ) -> None:
        answer = await post(server, unit_key, request(unit_code="XX-1").canonical())
        assert (answer.status_code, answer.json()) == (403, {"code": "other_unit"})
        assert desk.log == []

    async def test_a_body_beyond_the_limit_is_not_read(
        self, server: AuthenticationCentreServer, unit_key: SigningKey
    ) -> None:
        assert (await post(server, unit_key, b"x" * (MAX_REQUEST_BYTES + 1))).status_code == 413


class TestTheClient:
    @pytest.mark.parametrize("fault", ["status", "not_json", "huge", "cut", "redirect"])
    async def test_what_cannot_be_read_is_silence(
        self, server: AuthenticationCentreServer, client: CentreClient, fault: Fault
    ) -> None:
        server.behaviour = Behaviour(fault=fault)
        with pytest.raises(CentreSilentError):
            await client.check(request())
        server.behaviour = Behaviour()
        assert (await client.check(request())).outcome == "found"

    @pytest.mark.parametrize("fault", ["forged", "more_fields", "other_request"])
    async def test_what_can_be_read_and_is_false_does_not_verify(
        self, server: AuthenticationCentreServer, client: CentreClient, desk: Desk, fault: Fault
    ) -> None:
        server.behaviour = Behaviour(fault=fault)
        asked = request()
        answer = await client.check(asked)
        with pytest.raises(SignatureError):
            verify_answer(answer, asked, desk.key.public)

    async def test_a_slow_centre_is_given_up_and_answers_the_next_try_the_same(
        self, server: AuthenticationCentreServer, unit_key: SigningKey, desk: Desk
    ) -> None:
        impatient = CentreClient(server.url, unit_key, timeout_s=0.2)
        server.behaviour = Behaviour(delay_s=30.0)
        asked = request()
        with pytest.raises(CentreSilentError):
            await impatient.check(asked)
        server.behaviour = Behaviour()
        assert (await impatient.check(asked)).outcome == "found"
        assert len(desk.log) == 1
        await impatient.close()

    async def test_nobody_there(self, server: AuthenticationCentreServer, client: CentreClient) -> None:
        await server.stop()
        with pytest.raises(CentreSilentError):
            await client.check(request())

    @pytest.mark.parametrize(
        "url",
        ["http://centre.example", "ftp://127.0.0.1", "https://u:p@centre.example", "https://centre.example/x", "x"],
    )
    def test_an_address_that_may_not_be(self, unit_key: SigningKey, url: str) -> None:
        with pytest.raises(ConfigurationError):
            CentreClient(url, unit_key)


class TestTheLog:
    async def test_every_judgement_stands_there_and_no_subject(
        self, client: CentreClient, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        subject = Person(citizen_id="092079000011", name="Võ Văn Giả", date_of_birth=date(1979, 5, 6))
        await client.check(request(subject=subject, fields=("địa chỉ",)))
        await client.check(request(subject=subject, fields=("quê quán",)))
        lines = [json.loads(line) for line in (tmp_path / "centre.jsonl").read_text(encoding="utf-8").splitlines()]
        assert [(line["outcome"], line["rule"]) for line in lines] == [("found", ""), ("refused", "fields")]
        assert {line["unit"] for line in lines} == {UNIT}
        said = (tmp_path / "centre.jsonl").read_text(encoding="utf-8") + caplog.text
        for value in ("092079000011", "Võ Văn Giả", "1979-05-06", "7 phố Ví Dụ"):
            assert value not in said


class TestTheStandIn:
    async def test_answers_as_the_server_does_at_the_moment_of_asking(self) -> None:
        at = datetime(2025, 2, 3, 4, 5, tzinfo=UTC)
        centre = StandInCentre([GRANT], KNOWN)
        asked = request(asked_at=at)
        answer = await centre.check(asked)
        verify_answer(answer, asked, centre.key)
        assert (answer.outcome, answer.answered_at) == ("found", at)
        assert (await centre.check(request(asked_at=at, fields=("quê quán",)))).rule == "fields"


class TestTheWire:
    def test_no_personal_value_in_a_repr_or_an_error(self) -> None:
        asked = request(subject=Person(citizen_id="092079000011", name="Võ Văn Giả", date_of_birth=date(1979, 5, 6)))
        assert "092079000011" not in repr(asked)
        assert "Võ" not in repr(asked)
        with pytest.raises(ValueError, match="citizen_id") as error:
            Person.model_validate({"citizen_id": "0920790000", "name": "Võ Văn Giả", "date_of_birth": "1979-05-06"})
        assert "0920790000" not in str(error.value)

    @pytest.mark.parametrize("number", ["HS", "HS-ABC", "hs-2026-1", "HS-2026-", "HS;2026", "-2026", "", "A1" * 40])
    def test_what_is_no_case_number(self, number: str) -> None:
        with pytest.raises(ValueError, match="case_number"):
            request(case_number=number)

    def test_an_answer_carries_its_signature_through_json(self, desk: Desk) -> None:
        asked = request()
        answer = desk.answer(asked, asked.asked_at)
        read = CheckAnswer.model_validate_json(answer.model_dump_json())
        assert read == answer
        verify_answer(read, asked, desk.key.public)
