"""Asking the authentication centre: once, one alone, and believing only what it signed."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from tests.platform.identity.checks import ANNA, BAO, GRANT, NOW, Centre, approve, opened, row_of

from matpho_platform.identity.errors import CentreSilentError
from matpho_platform.identity.schemas import Status
from matpho_platform.identity.service import IdentityService
from matpho_platform.store import Store
from matpho_platform.store.sealing import Vault


class TestTheCentre:
    async def test_silence_keeps_the_approval_and_asks_again_under_the_same_id(
        self, identity: IdentityService, centre: Centre, store: Store
    ) -> None:
        request = await opened(identity)
        centre.silent = True
        decided = await approve(identity, request)
        assert (decided.status, decided.problem) == (Status.APPROVED, "silent")
        with pytest.raises(CentreSilentError):
            await identity.result(ANNA, request.id, NOW)
        assert (await row_of(store, request.id))["answer"] is None
        centre.silent = False
        assert (await identity.result(ANNA, request.id, NOW)).values
        assert len({question.check_id for question in centre.asked}) == 1
        assert len({question.digest() for question in centre.asked}) == 1

    async def test_a_refusal_is_final_and_erases(self, identity: IdentityService, centre: Centre, store: Store) -> None:
        centre.refuses = "quota"
        request = await opened(identity)
        decided = await approve(identity, request)
        assert (decided.status, decided.problem) == (Status.FAILED, "quota")
        assert (await identity.result(ANNA, request.id, NOW)).values == {}
        assert (await row_of(store, request.id))["subject"] is None
        assert len(centre.asked) == 1

    async def test_a_forged_answer_is_none(self, identity: IdentityService, centre: Centre, store: Store) -> None:
        centre.forged = True
        request = await opened(identity)
        assert (await approve(identity, request)).problem == "untrusted"
        assert (await row_of(store, request.id))["answer"] is None

    async def test_more_than_was_asked_for_is_not_kept(
        self, identity: IdentityService, centre: Centre, store: Store
    ) -> None:
        centre.extra = {"số điện thoại": "0912345678"}
        request = await opened(identity)
        assert (await approve(identity, request)).problem == "untrusted"
        assert (await row_of(store, request.id))["answer"] is None

    async def test_two_who_want_the_result_ask_once(self, identity: IdentityService, centre: Centre) -> None:
        request = await opened(identity)
        centre.silent = True
        await approve(identity, request)
        centre.silent, centre.gate = False, asyncio.Event()
        before = len(centre.asked)
        centre.came.clear()
        first = asyncio.create_task(identity.result(ANNA, request.id, NOW))
        await centre.came.wait()
        with pytest.raises(CentreSilentError):
            await identity.result(BAO, request.id, NOW)
        centre.gate.set()
        assert (await first).found
        assert len(centre.asked) == before + 1

    async def test_an_asker_that_died_is_followed_by_another(self, identity: IdentityService, centre: Centre) -> None:
        request = await opened(identity)
        centre.gate = asyncio.Event()
        dying = asyncio.create_task(approve(identity, request))
        await centre.came.wait()
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)
        centre.gate = None
        with pytest.raises(CentreSilentError):
            await identity.result(ANNA, request.id, NOW)
        assert await identity.resume(NOW + timedelta(minutes=2)) == 1
        assert (await identity.result(ANNA, request.id, NOW + timedelta(minutes=2))).found
        assert len({question.check_id for question in centre.asked}) == 1

    async def test_without_a_centre_the_approval_waits(self, store: Store, vault: Vault) -> None:
        identity = IdentityService(store, vault, grant=GRANT)
        request = await opened(identity)
        assert (await approve(identity, request)).status is Status.APPROVED
        with pytest.raises(CentreSilentError):
            await identity.result(ANNA, request.id, NOW)
