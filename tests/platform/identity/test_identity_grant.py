"""What the grant covers, word for word, and how much of it a day: kept on our side."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from tests.platform.identity.checks import ANNA, BAO, CAR, CHI, GRANT, NOW, Centre, approve, new, opened

from matpho_contracts.identity_api import Vehicle
from matpho_platform.access.errors import DeniedError
from matpho_platform.identity import service as service_module
from matpho_platform.identity.errors import UnclearError
from matpho_platform.identity.grant import match_fields, match_purpose
from matpho_platform.identity.schemas import RequestView
from matpho_platform.identity.service import HARD_LIMIT, SOFT_LIMIT, IdentityService
from matpho_platform.store import Store
from matpho_platform.store.sealing import Vault
from matpho_platform.store.tables import identity_requests


class TestTheGrant:
    @pytest.mark.parametrize(
        ("change", "rule"),
        [
            ({"fields": ("quê quán",)}, "field_not_granted"),
            ({"fields": ("chủ xe", "người thân")}, "field_not_granted"),
            ({"fields": ()}, "field_not_granted"),
            ({"purpose": "tò mò"}, "purpose_not_granted"),
        ],
    )
    async def test_what_it_does_not_cover_never_leaves(
        self, identity: IdentityService, centre: Centre, store: Store, change: dict[str, Any], rule: str
    ) -> None:
        with pytest.raises(DeniedError) as denied:
            await identity.request(ANNA, new().model_copy(update=change), now=NOW, key="k")
        assert denied.value.rule == rule
        assert centre.asked == []
        async with store.reading() as session:
            assert await session.all(select(identity_requests)) == []

    async def test_no_grant_and_an_ended_one_allow_nothing(self, store: Store, vault: Vault) -> None:
        for grant, rule in ((None, "no_grant"), (GRANT.model_copy(update={"valid_to": NOW}), "grant_ended")):
            with pytest.raises(DeniedError) as denied:
                await opened(IdentityService(store, vault, grant=grant))
            assert denied.value.rule == rule

    async def test_a_grant_that_shrank_since_stops_the_approval(
        self, identity: IdentityService, centre: Centre
    ) -> None:
        request = await opened(identity)
        await identity.load(grant=GRANT.model_dump() | {"fields": ("họ tên",)}, now=NOW)
        with pytest.raises(DeniedError) as denied:
            await approve(identity, request)
        assert denied.value.rule == "field_not_granted"
        assert centre.asked == []

    async def test_the_quota_of_a_day_holds_in_a_race(self, store: Store, vault: Vault, centre: Centre) -> None:
        identity = IdentityService(store, vault, grant=GRANT.model_copy(update={"quota": 3}))
        identity.connect(centre, centre.key.public)
        pending = [await opened(identity, f"k{n}", case=f"HS-2026-2{n:03d}") for n in range(8)]
        done = await asyncio.gather(
            *(approve(identity, one, BAO, f"d{n}") for n, one in enumerate(pending)), return_exceptions=True
        )
        assert sum(isinstance(one, RequestView) for one in done) == 3
        assert {one.rule for one in done if isinstance(one, DeniedError)} == {"grant_quota"}
        assert len(centre.asked) == 3

    async def test_words_are_read_as_the_grant_says_them(self, identity: IdentityService) -> None:
        read = identity.read("hs-2026-0102", "để dieu tra hinh su", CAR, ["Chu xe", "address"], NOW)
        assert (read.case_number, read.purpose, read.fields) == (
            "HS-2026-0102",
            "điều tra hình sự",
            ("chủ xe", "địa chỉ"),
        )

    @pytest.mark.parametrize(
        ("case", "purpose", "fields", "missing"),
        [
            ("không có", "điều tra hình sự", ["chủ xe"], "case_number"),
            ("HS-2026-1", "", ["chủ xe"], "purpose"),
            ("HS-2026-1", "điều tra", ["chủ xe"], "purpose"),
            ("HS-2026-1", "điều tra hình sự", [], "fields"),
        ],
    )
    async def test_what_is_missing_is_named_with_what_would_fit(
        self, identity: IdentityService, case: str, purpose: str, fields: list[str], missing: str
    ) -> None:
        with pytest.raises(UnclearError) as unclear:
            identity.read(case, purpose, CAR, fields, NOW)
        assert unclear.value.argument == missing
        assert unclear.value.options == {"purpose": GRANT.purposes, "fields": GRANT.fields}.get(missing, ())


class TestWords:
    def test_english_and_other_spellings_meet_one_granted_word(self) -> None:
        assert match_purpose(GRANT.purposes, "criminal_investigation") == "điều tra hình sự"
        assert match_fields(("vehicle owner",), ["chủ phương tiện"]) == (("vehicle owner",), ())

    def test_nothing_is_widened(self) -> None:
        assert match_fields(("địa chỉ",), ["nơi thường trú"]) == ((), ("nơi thường trú",))
        assert match_purpose(GRANT.purposes, "điều tra hình sự và dân sự") is None

    def test_a_word_that_means_two_granted_things_means_none(self) -> None:
        assert match_fields(("full name", "họ và tên"), ["tên"]) == ((), ("tên",))


class TestLimits:
    async def test_the_same_subject_in_the_same_case_once(self, identity: IdentityService) -> None:
        request = await opened(identity)
        with pytest.raises(DeniedError) as denied:
            await opened(identity, "k2", subject=Vehicle(plate="15a 67890"))
        assert denied.value.rule == "already_under_way"
        assert request.id in denied.value.message
        assert await opened(identity, "k3", case="HS-2026-0777")

    async def test_somebody_elses_request_id_is_not_told(self, identity: IdentityService) -> None:
        request = await opened(identity)
        with pytest.raises(DeniedError) as denied:
            await identity.request(CHI, new(), now=NOW, key="k2")
        assert request.id not in denied.value.message + denied.value.message_vi

    async def test_many_a_day_are_marked_then_stopped(
        self, identity: IdentityService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert (SOFT_LIMIT, HARD_LIMIT) == (20, 50)
        monkeypatch.setattr(service_module, "SOFT_LIMIT", 2)
        monkeypatch.setattr(service_module, "HARD_LIMIT", 4)
        made = [await opened(identity, f"k{n}", case=f"HS-2026-3{n:03d}") for n in range(4)]
        assert [one.anomalous for one in made] == [False, False, True, True]
        with pytest.raises(DeniedError) as denied:
            await opened(identity, "k9", case="HS-2026-3999")
        assert denied.value.rule == "officer_limit"
        tomorrow = NOW + timedelta(days=1)
        again = await identity.request(ANNA, new(case="HS-2026-4000"), now=tomorrow, key="k10")
        assert not again.anomalous

    async def test_fifty_opened_at_once_get_fifty_numbers(self, identity: IdentityService) -> None:
        made = await asyncio.gather(*(opened(identity, f"k{n}", case=f"HS-2026-5{n:03d}") for n in range(50)))
        assert len({one.id for one in made}) == 50
        with pytest.raises(DeniedError):
            await opened(identity, "one-more", case="HS-2026-5999")

    async def test_a_closed_case_opens_nothing(self, store: Store, vault: Vault) -> None:
        class Closed:
            async def is_open(self, case_number: str, now: datetime) -> bool:
                return False

        with pytest.raises(DeniedError) as denied:
            await opened(IdentityService(store, vault, grant=GRANT, cases=Closed()))
        assert denied.value.rule == "case_not_open"
