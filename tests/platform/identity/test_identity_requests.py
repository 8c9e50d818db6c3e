"""Identity checks: two people, one subject, one decision, from asking to erasing."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from tests.platform.identity.checks import ANNA, BAO, CHI, NOW, PERSON, Centre, approve, new, opened, row_of

from matpho_contracts.errors import IntegrityError
from matpho_platform.access.errors import DeniedError
from matpho_platform.access.principal import Principal, Role
from matpho_platform.identity.errors import RequestNotFoundError
from matpho_platform.identity.schemas import RequestView, Status
from matpho_platform.identity.service import IdentityService
from matpho_platform.store import Store
from matpho_platform.store.tables import identity_requests


class TestTheWholeWay:
    async def test_asked_approved_answered_read_by_both(self, identity: IdentityService, centre: Centre) -> None:
        request = await opened(identity)
        assert (request.id, request.status) == ("IDR-0001", Status.PENDING)
        assert centre.asked == []
        decided = await approve(identity, request)
        assert (decided.status, decided.decided_by) == (Status.ANSWERED, "cmd-bao")
        for who in (ANNA, BAO):
            shown = await identity.result(who, request.id, NOW)
            assert shown.values == {"chủ xe": "giá trị chủ xe"}
        assert len(centre.asked) == 1

    async def test_a_third_person_reads_nothing(self, identity: IdentityService) -> None:
        request = await opened(identity)
        await approve(identity, request)
        with pytest.raises(DeniedError, match="requester"):
            await identity.result(CHI, request.id, NOW)

    async def test_a_rejected_request_is_erased_and_never_sent(
        self, identity: IdentityService, centre: Centre, store: Store
    ) -> None:
        request = await opened(identity)
        await identity.decide(
            BAO, request.id, "reject", "thiếu căn cứ", content_hash=request.content_hash, now=NOW, key="d"
        )
        shown = await identity.result(ANNA, request.id, NOW)
        assert (shown.request.status, shown.request.reason, shown.values) == (Status.REJECTED, "thiếu căn cứ", {})
        assert centre.asked == []
        assert (await row_of(store, request.id))["subject"] is None

    async def test_the_same_call_again_opens_nothing_new(self, identity: IdentityService) -> None:
        assert (await opened(identity)).id == (await opened(identity)).id

    async def test_the_same_decision_again_changes_and_asks_nothing(
        self, identity: IdentityService, centre: Centre
    ) -> None:
        request = await opened(identity)
        first = await approve(identity, request)
        assert await approve(identity, request) == first
        assert len(centre.asked) == 1


class TestFourEyes:
    async def test_nobody_approves_their_own(self, identity: IdentityService, centre: Centre) -> None:
        request = await identity.request(BAO, new(), now=NOW, key="own")
        with pytest.raises(DeniedError) as denied:
            await approve(identity, request, BAO)
        assert denied.value.rule == "own_request"
        with pytest.raises(DeniedError):
            await identity.decidable(BAO, request.id, NOW)
        assert centre.asked == []

    async def test_fifty_approvals_at_once_are_one(self, identity: IdentityService, centre: Centre) -> None:
        request = await opened(identity)
        people = [Principal(f"cmd-{number}", "X", Role.COMMANDER) for number in range(50)]
        tries = [approve(identity, request, who, f"d{number}") for number, who in enumerate(people)]
        done = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(isinstance(one, RequestView) for one in done) == 1
        assert {one.rule for one in done if isinstance(one, DeniedError)} == {"not_pending"}
        assert len(centre.asked) == 1

    async def test_approve_and_reject_at_once_are_one_word(self, identity: IdentityService, centre: Centre) -> None:
        for number in range(10):
            request = await opened(identity, f"k{number}", case=f"HS-2026-1{number:03d}")
            before = len(centre.asked)
            verdicts = await asyncio.gather(
                approve(identity, request, BAO, f"a{number}"),
                identity.decide(
                    CHI, request.id, "reject", "", content_hash=request.content_hash, now=NOW, key=f"r{number}"
                ),
                return_exceptions=True,
            )
            (word,) = [one for one in verdicts if isinstance(one, RequestView)]
            assert len(centre.asked) - before == (word.status is Status.ANSWERED)

    async def test_a_decision_is_about_what_was_shown(self, identity: IdentityService, centre: Centre) -> None:
        first = await opened(identity)
        other = await opened(identity, "k2", case="HS-2026-0103")
        with pytest.raises(DeniedError) as denied:
            await identity.decide(BAO, first.id, "approve", "", content_hash=other.content_hash, now=NOW, key="swapped")
        assert denied.value.rule == "content_changed"
        assert centre.asked == []

    @pytest.mark.parametrize(
        "change",
        [
            {"fields": '["chủ xe", "địa chỉ"]'},
            {"case_number": "HS-2026-9999"},
            {"purpose": "tìm người mất tích"},
            {"requester": "inv-other"},
        ],
        ids=lambda change: next(iter(change)),
    )
    async def test_a_row_changed_in_the_database_cannot_be_approved(
        self, identity: IdentityService, centre: Centre, store: Store, change: dict[str, str]
    ) -> None:
        request = await opened(identity)
        async with store.writing() as session:
            await session.run(update(identity_requests).values(**change))
        with pytest.raises(DeniedError) as denied:
            await approve(identity, request)
        assert denied.value.rule == "content_changed"
        assert centre.asked == []

    async def test_a_subject_moved_from_another_request_cannot_be_opened(
        self, identity: IdentityService, centre: Centre, store: Store
    ) -> None:
        request = await opened(identity)
        other = await opened(identity, "k2", subject=PERSON)
        sealed = (await row_of(store, other.id))["subject"]
        async with store.writing() as session:
            await session.run(
                update(identity_requests).where(identity_requests.c.request_id == request.id).values(subject=sealed)
            )
        with pytest.raises(IntegrityError):
            await approve(identity, request)
        assert centre.asked == []

    @pytest.mark.parametrize("first", ["approve", "reject"])
    async def test_a_decided_one_is_not_decided_again(self, identity: IdentityService, first: Any) -> None:
        request = await opened(identity)
        await identity.decide(BAO, request.id, first, "", content_hash=request.content_hash, now=NOW, key="d1")
        with pytest.raises(DeniedError, match="no longer pending") as denied:
            await approve(identity, request, CHI, "d2")
        assert "không còn chờ" in denied.value.message_vi

    async def test_an_old_one_is_not_decided_and_its_subject_is_erased(
        self, identity: IdentityService, store: Store, centre: Centre
    ) -> None:
        request = await opened(identity)
        late = NOW + timedelta(hours=24)
        with pytest.raises(DeniedError, match="expired") as denied:
            await identity.decide(
                BAO, request.id, "approve", "", content_hash=request.content_hash, now=late, key="late"
            )
        assert "hết hạn" in denied.value.message_vi
        await identity.sweep(late)
        row = await row_of(store, request.id)
        assert (row["status"], row["subject"], row["live_key"]) == ("expired", None, None)
        assert centre.asked == []


class TestTheEnd:
    async def test_a_result_is_erased_when_its_time_is_over(self, identity: IdentityService, store: Store) -> None:
        request = await opened(identity)
        await approve(identity, request)
        assert (await row_of(store, request.id))["answer"] is not None
        with pytest.raises(DeniedError, match="expired"):
            await identity.result(ANNA, request.id, NOW + timedelta(hours=24))
        row = await row_of(store, request.id)
        assert (row["status"], row["answer"], row["subject"]) == ("expired", None, None)

    async def test_an_unknown_request_is_not_found(self, identity: IdentityService) -> None:
        assert await identity.parties("IDR-9999") is None
        with pytest.raises(RequestNotFoundError):
            await identity.result(ANNA, "IDR-9999", NOW)


class TestLists:
    async def test_a_requester_sees_their_own_and_no_other(self, identity: IdentityService) -> None:
        mine = await opened(identity)
        for_dan = Principal("inv-dan", "Dan", Role.INVESTIGATOR, ("HP",))
        theirs = await identity.request(for_dan, new(case="HS-2026-0300"), now=NOW, key="k2")
        for who, wanted in ((ANNA, mine), (for_dan, theirs)):
            page = await identity.list_for(who, NOW, deciding=False)
            assert [request.id for request in page.requests] == [wanted.id]
            assert (page.total, page.waiting) == (1, 0)
            nothing = await identity.list_for(who, NOW, deciding=False, waiting=True)
            assert (nothing.requests, nothing.total) == ((), 0)

    async def test_who_decides_sees_what_waits_but_for_their_own(self, identity: IdentityService) -> None:
        first = await opened(identity)
        second = await opened(identity, key="k2", case="HS-2026-0300")
        own = await identity.request(BAO, new(case="HS-2026-0301"), now=NOW, key="k3")
        page = await identity.list_for(BAO, NOW, deciding=True)
        assert {request.id for request in page.requests} == {first.id, second.id, own.id}
        assert (page.total, page.waiting) == (3, 2)
        waiting = await identity.list_for(BAO, NOW, deciding=True, waiting=True)
        assert {request.id for request in waiting.requests} == {first.id, second.id}
        await approve(identity, first, who=CHI)
        left = await identity.list_for(BAO, NOW, deciding=True)
        assert {request.id for request in left.requests} == {second.id, own.id}
        assert {request.id for request in (await identity.list_for(CHI, NOW, deciding=True)).requests} == {
            first.id, second.id, own.id,
        }  # fmt: skip

    async def test_pages_follow_each_other(self, identity: IdentityService) -> None:
        for number in range(5):
            await opened(identity, key=f"k{number}", case=f"HS-2026-030{number}")
        pages = [await identity.list_for(ANNA, NOW, deciding=False, limit=2, offset=start) for start in (0, 2, 4)]
        assert [request.id for page in pages for request in page.requests] == [f"IDR-000{n}" for n in (5, 4, 3, 2, 1)]
        assert {page.total for page in pages} == {5}

    async def test_what_is_too_old_waits_for_nobody(self, identity: IdentityService) -> None:
        await opened(identity)
        page = await identity.list_for(BAO, NOW + timedelta(days=30), deciding=True)
        assert (page.requests, page.waiting) == ((), 0)


class TestLoading:
    async def test_a_world_is_filled_once(self, identity: IdentityService, centre: Centre) -> None:
        given = [
            {"id": "IDR-0003", "case_number": "HS-1", "purpose": "điều tra hình sự", "subject": {"plate": "15A-111.11"},
             "fields": ["chủ xe"], "requester": ANNA.user_id, "status": "expired"},
            {"id": "IDR-0001", "case_number": "HS-2", "purpose": "điều tra hình sự", "subject": {"plate": "15A-222.22"},
             "fields": ["chủ xe"], "requester": ANNA.user_id, "status": "approved"},
            {"id": "IDR-0002", "case_number": "HS-3", "purpose": "điều tra hình sự", "subject": PERSON.model_dump(),
             "fields": ["địa chỉ"], "requester": ANNA.user_id, "status": "pending"},
        ]  # fmt: skip
        assert await identity.load(requests=given, now=NOW) == 3
        assert await identity.load(requests=given, now=NOW) == 0
        assert centre.asked == []
        assert (await identity.result(ANNA, "IDR-0001", NOW)).found
        for turn in (identity.result(ANNA, "IDR-0003", NOW), identity.decidable(BAO, "IDR-0003", NOW)):
            with pytest.raises(DeniedError, match="expired"):
                await turn
        shown = await identity.decidable(BAO, "IDR-0002", NOW)
        assert shown.subject["citizen_id"] == PERSON.citizen_id
        assert (await opened(identity)).id == "IDR-0004"
        assert await identity.parties("IDR-0002") == (ANNA.user_id, "")
