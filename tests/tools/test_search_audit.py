"""`search_audit`: auditors find anybody's acts by name, others their own only, and reading is in the log too."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from matpho_platform.access.principal import Principal, Role
from matpho_platform.access.repository import add_account
from matpho_platform.center import Center
from matpho_tools.contract import Outcome
from matpho_tools.gateway import Gateway
from matpho_tools.people import is_oneself, matching

Who = Callable[..., Principal]
PEOPLE = (
    Principal("off-hk", "Trung úy Nguyễn Minh Khôi", Role.OFFICER, ("DN-HC",)),
    Principal("inv-hn", "Trung tá Hoàng Thị Mai", Role.INVESTIGATOR, ("DN",)),
    Principal("inv-2", "Thiếu tá Trần Thị Mai", Role.INVESTIGATOR, ("DN",)),
    Principal("adm-hn", "Kỹ sư Mai Xuân Trường", Role.ADMIN),
    Principal("aud-hn", "Nguyễn Thế Duy", Role.AUDITOR),
)
OFFICER, MAI, _OTHER_MAI, ADMIN, AUDITOR = PEOPLE


class TestNames:
    @pytest.mark.parametrize(
        ("said", "found"),
        [
            ("off-hk", ["off-hk"]),
            ("Trung úy Nguyễn Minh Khôi", ["off-hk"]),
            ("Lt. Nguyễn Minh Khôi", ["off-hk"]),
            ("trung ta Mai", ["inv-hn"]),
            ("chị Mai", ["inv-hn", "inv-2", "adm-hn"]),
            ("Đại tá Vinh", []),
            ("Mr", []),
        ],
    )
    def test_people_are_meant_by_id_name_or_part(self, said: str, found: list[str]) -> None:
        assert list(matching(said, PEOPLE)) == found

    def test_oneself(self) -> None:
        assert all(is_oneself(said) for said in ("me", "chính tôi", "Bản thân"))
        assert not is_oneself("off-hk")


def account(person: Principal) -> dict[str, object]:
    """An account that nobody signs in to: without a password, whose hash costs its time."""
    kept = {"role": person.role.value, "areas": json.dumps(person.areas), "password_hash": ""}
    return {"user_id": person.user_id, "name": person.name, "disabled": False, "created_ms": 0, **kept}


@pytest.fixture
async def acted(center: Center, gateway: Gateway) -> None:
    """Two accounts have searched, one of them twice."""
    async with center.store.writing() as session:
        for person in PEOPLE:
            await add_account(session, account(person))
    await gateway.call(OFFICER, "search_events", {"areas": ["DN-HC"]}, channel="test")
    await gateway.call(OFFICER, "camera_status", {"camera_id": "HC-01"}, channel="test")
    await gateway.call(ADMIN, "list_cameras", {}, channel="test")


@pytest.mark.usefixtures("acted")
class TestAuditors:
    async def test_find_a_persons_acts_by_name_newest_first(self, gateway: Gateway) -> None:
        found = await gateway.call(AUDITOR, "search_audit", {"actor": "Trung úy Khôi"}, channel="test")
        assert found.outcome is Outcome.ANSWERED
        lines = found.data["lines"]
        assert {line["user_id"] for line in lines} == {"off-hk"}
        assert {line["user_name"] for line in lines} == {"Trung úy Nguyễn Minh Khôi"}
        indexes = [line["log_index"] for line in lines]
        assert indexes == sorted(indexes, reverse=True)
        assert found.ids[0] == str(indexes[0])

    async def test_find_an_action_by_a_part_of_its_name_and_a_subject(self, gateway: Gateway) -> None:
        by_action = await gateway.call(AUDITOR, "search_audit", {"action": "camera status"}, channel="test")
        assert {line["action"] for line in by_action.data["lines"]} == {"camera_status"}
        about = {"subject": "HC-01", "action": "camera_status"}
        by_subject = await gateway.call(AUDITOR, "search_audit", about, channel="test")
        assert {line["user_id"] for line in by_subject.data["lines"]} == {"off-hk"}

    async def test_reading_is_in_the_log(self, gateway: Gateway) -> None:
        await gateway.call(AUDITOR, "search_audit", {"actor": "off-hk"}, channel="test")
        again = await gateway.call(AUDITOR, "search_audit", {"actor": "aud-hn"}, channel="test")
        assert "search_audit" in {line["action"] for line in again.data["lines"]}

    @pytest.mark.parametrize(("said", "options"), [("Mai", {"inv-hn", "inv-2", "adm-hn"}), ("Lê Văn Ai", set())])
    async def test_a_name_that_is_several_or_nobody_is_asked_back(
        self, gateway: Gateway, said: str, options: set[str]
    ) -> None:
        asked = await gateway.call(AUDITOR, "search_audit", {"actor": said}, channel="test")
        assert asked.outcome is Outcome.CLARIFY
        assert asked.data["missing"] == "actor"
        assert set(asked.data.get("options", ())) == options

    async def test_an_empty_span_is_no_question(self, gateway: Gateway) -> None:
        span = {"time_from": "2026-11-21T10:00:00+07:00", "time_to": "2026-11-21T09:00:00+07:00"}
        assert (await gateway.call(AUDITOR, "search_audit", span, channel="test")).outcome is Outcome.CLARIFY


@pytest.mark.usefixtures("acted")
class TestOwnActionsOnly:
    @pytest.mark.parametrize("said", [{}, {"actor": "me"}, {"actor": "adm-hn"}, {"actor": "kỹ sư Trường"}])
    async def test_an_administrator_sees_own_acts(self, gateway: Gateway, said: dict[str, str]) -> None:
        found = await gateway.call(ADMIN, "search_audit", said, channel="test")
        assert found.outcome is Outcome.ANSWERED
        assert {line["user_id"] for line in found.data["lines"]} == {"adm-hn"}
        assert found.data["own"] is True

    @pytest.mark.parametrize("said", ["off-hk", "Trung úy Khôi", "Mai", "Đại tá Vinh", "nobody-at-all"])
    async def test_others_acts_are_denied_whoever_they_are(self, gateway: Gateway, said: str) -> None:
        found = await gateway.call(ADMIN, "search_audit", {"actor": said}, channel="test")
        assert (found.outcome, found.rule) == (Outcome.DENIED, "own_actions_only")

    async def test_the_subject_does_not_reach_around_it(self, gateway: Gateway) -> None:
        found = await gateway.call(ADMIN, "search_audit", {"subject": "off-hk"}, channel="test")
        assert {line["user_id"] for line in found.data.get("lines", ())} <= {"adm-hn"}

    @pytest.mark.parametrize("role", [Role.CITIZEN, Role.OFFICER, Role.INVESTIGATOR, Role.COMMANDER])
    async def test_other_roles_do_not_read_the_log(self, gateway: Gateway, who: Who, role: Role) -> None:
        found = await gateway.call(who(role), "search_audit", {}, channel="test")
        assert (found.outcome, found.rule) == (Outcome.DENIED, "role")
