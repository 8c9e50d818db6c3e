"""Notices over HTTP: one's own reach behind a session, callbacks behind a proof, bodies behind a limit."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pyotp
import pytest

from matpho_platform.access.principal import Role
from matpho_platform.center import Center
from matpho_platform.notify.updates import MAX_BODY
from matpho_platform.web.app import create_app
from matpho_platform.web.session import COOKIE

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
ME = "/api/v1/notify/me"
PASSWORD = "a long enough password"


@pytest.fixture
async def web(center: Center) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(create_app(center))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


async def sign_in(center: Center, web: httpx2.AsyncClient) -> None:
    await center.accounts.create("dan", "Dân", Role.CITIZEN, PASSWORD)
    web.cookies.set(COOKIE, (await center.accounts.sign_in("dan", PASSWORD)).token)
    web.headers["origin"] = "http://localhost"


@pytest.mark.parametrize("platform", ["telegram", "zalo-bot", "zalo-oa", "sms"])
async def test_a_call_without_proof_is_refused(web: httpx2.AsyncClient, platform: str) -> None:
    answer = await web.post(f"/api/v1/notify/{platform}", json={"update_id": 1})
    assert (answer.status_code, answer.json()["code"]) == (403, "forged_update")
    long = await web.post(f"/api/v1/notify/{platform}", content=b"x" * (MAX_BODY + 1))
    assert long.status_code == 413


async def test_ones_own_reach_needs_a_session(center: Center, web: httpx2.AsyncClient) -> None:
    assert (await web.get(ME)).status_code == 401
    await sign_in(center, web)
    wanted = {"language": "en", "channels": ["email"], "quiet_from": 1320, "quiet_to": 360}
    assert (await web.put(f"{ME}/preferences", json=wanted)).status_code == 204
    assert (await web.get(ME)).json()["preferences"] == wanted
    half = wanted | {"quiet_to": None}
    assert (await web.put(f"{ME}/preferences", json=half)).status_code == 422


async def test_a_new_address_needs_the_second_factor(center: Center, web: httpx2.AsyncClient) -> None:
    await sign_in(center, web)
    enrolled = await center.accounts.codes.enrol("dan")
    assert await center.accounts.codes.confirm("dan", pyotp.TOTP(enrolled.secret).now()) is not None
    answer = await web.post(f"{ME}/addresses", json={"channel": "email", "address": "dan@example.vn"})
    assert (answer.status_code, answer.json()["code"]) == (403, "step_up")


async def test_a_chat_that_is_not_there_cannot_be_linked(center: Center, web: httpx2.AsyncClient) -> None:
    await sign_in(center, web)
    answer = await web.post(f"{ME}/links", json={"channel": "telegram"})
    assert (answer.status_code, answer.json()["code"]) == (422, "channel_unknown")
