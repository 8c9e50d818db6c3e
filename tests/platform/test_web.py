"""The web server, asked over a real socket: boxes' API, signing in, limits, headers, problems."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from fastapi import APIRouter, WebSocket

from matpho_contracts.edge_api import (
    BATCHES_PATH,
    ENROL_PATH,
    CommandList,
    IntakeAnswer,
    SnapshotArguments,
    commands_path,
    result_path,
    status_path,
)
from matpho_contracts.request_signing import sign_headers
from matpho_contracts.signing import SigningKey
from matpho_platform.access.principal import Role, Scope
from matpho_platform.access.settings import AccessSettings
from matpho_platform.center import Center
from matpho_platform.events.schemas import EventFilter
from matpho_platform.settings import CenterSettings
from matpho_platform.web import create_app
from matpho_platform.web.session import COOKIE, CurrentPrincipal

PASSWORD = "hoa-sữa-tháng-mười"
TOKEN = "one-time-token-of-box-1"
EVERYWHERE = Scope(None)


@pytest.fixture(params=["sqlite"])
def database(request: pytest.FixtureRequest) -> None:
    """The web layer asks the same of every database: once is enough."""


@pytest.fixture
def settings(settings: CenterSettings) -> CenterSettings:
    """Who signs in here needs no second factor: that has tests of its own."""
    return settings.model_copy(update={"access": AccessSettings(mfa_required=False)})


def _extra() -> APIRouter:
    router = APIRouter()

    @router.post("/api/v1/echo")
    async def echo(principal: CurrentPrincipal, body: dict[str, int]) -> dict[str, Any]:
        return {"user": principal.user_id, **body}

    @router.get("/api/v1/broken")
    async def broken() -> None:
        raise ZeroDivisionError("the inside of the center")

    @router.websocket("/api/v1/socket")
    async def talk(socket: WebSocket, principal: CurrentPrincipal) -> None:
        await socket.accept()
        await socket.send_text(principal.user_id)
        await socket.close()

    return router


@pytest.fixture
async def base(center: Center, tmp_path: Path) -> AsyncIterator[str]:
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "index.html").write_text("<!doctype html><title>Mắt phố</title>", encoding="utf-8")
    app = create_app(center, [_extra()], pages=pages)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="error", ws="none", lifespan="on", timeout_graceful_shutdown=1)
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    for _ in range(1000):
        if server.started:
            break
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    await serving


@pytest.fixture
async def web(base: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=base, trust_env=False) as client:
        yield client


@pytest.fixture
async def officer(center: Center) -> str:
    await center.accounts.create("an", "Trần Văn An", Role.OFFICER, PASSWORD, areas=("p-hoan-kiem",))
    return "an"


def problem(response: httpx2.Response) -> tuple[int, str]:
    body = response.json()
    assert set(body) == {"code", "message", "action"}
    assert response.headers["content-type"] == "application/problem+json"
    return response.status_code, body["code"]


class TestBoxes:
    async def test_a_box_enrols_reports_and_sends(self, web: httpx2.AsyncClient, center: Center, new_box: Any) -> None:
        box = new_box()
        asked = {"edge_id": "box-1", "token": TOKEN, "public_key": box.key.public.raw.hex()}
        assert (await web.post(ENROL_PATH, json=asked)).json()["key_id"] == box.key.public.key_id
        report = box.status().model_dump_json().encode()
        path = status_path("box-1")
        response = await web.put(path, content=report, headers=sign_headers(box.key, "PUT", path, report))
        assert response.status_code == 204
        assert (await center.cameras.status(EVERYWHERE, "cam-1")).status == "online"
        sent = await web.post(BATCHES_PATH, content=box.batch([box.event()]))
        assert [result.status for result in IntakeAnswer.model_validate_json(sent.content).results] == ["stored"]
        assert (await center.events.search(EVERYWHERE, None, EventFilter())).total == 1

    async def test_a_wrong_token_or_batch_is_a_problem(self, web: httpx2.AsyncClient, box: Any, new_box: Any) -> None:
        stranger = new_box()
        asked = {"edge_id": "box-1", "token": "wrong-token", "public_key": stranger.key.public.raw.hex()}
        refused = await web.post(ENROL_PATH, json=asked)
        assert problem(refused) == (403, "enrolment")
        assert "wrong-token" not in refused.text
        assert problem(await web.post(BATCHES_PATH, content=b"rubbish")) == (422, "bad_input")
        assert problem(await web.post(BATCHES_PATH, content=stranger.batch([stranger.event()]))) == (401, "unknown_key")

    async def test_a_command_goes_out_and_its_answer_comes_back(
        self, web: httpx2.AsyncClient, center: Center, box: Any
    ) -> None:
        asking = asyncio.create_task(center.commands.ask("box-1", "cam-1", SnapshotArguments(), 10))
        path = commands_path("box-1") + "?wait=5"
        response = await web.get(path, headers=sign_headers(box.key, "GET", path))
        (command,) = CommandList.model_validate_json(response.content).commands
        assert command.camera_id == "cam-1"
        answer = result_path("box-1", command.id)
        response = await web.post(answer, content=b"jpeg", headers=sign_headers(box.key, "POST", answer, b"jpeg"))
        assert response.status_code == 204
        assert await asking == b"jpeg"
        late = await web.post(answer, content=b"jpeg", headers=sign_headers(box.key, "POST", answer, b"jpeg"))
        assert problem(late) == (404, "answer_not_wanted")

    async def test_a_long_poll_ends_empty(self, web: httpx2.AsyncClient, box: Any) -> None:
        path = commands_path("box-1") + "?wait=0"
        assert (await web.get(path, headers=sign_headers(box.key, "GET", path))).json() == {"commands": []}

    async def test_a_signed_request_is_good_once_for_one_box_and_one_body(
        self, web: httpx2.AsyncClient, box: Any, new_box: Any, center: Center
    ) -> None:
        path, body = status_path("box-1"), box.status().model_dump_json().encode()
        headers = sign_headers(box.key, "PUT", path, body)
        assert problem(await web.put(path, content=body + b" ", headers=headers)) == (401, "unknown_key")
        assert (await web.put(path, content=body, headers=headers)).status_code == 204
        assert problem(await web.put(path, content=body, headers=headers)) == (409, "replayed")
        assert problem(await web.put(path, content=body)) == (401, "unknown_key")
        stranger = sign_headers(SigningKey.generate(), "PUT", path, body)
        assert problem(await web.put(path, content=body, headers=stranger)) == (401, "unknown_key")
        other = await new_box("box-2").enrol(center, "token-of-box-2")
        foreign = sign_headers(other.key, "PUT", path, body)
        assert problem(await web.put(path, content=body, headers=foreign)) == (401, "unknown_key")
        await center.edges.revoke("box-1")
        revoked = sign_headers(box.key, "PUT", path, body)
        assert problem(await web.put(path, content=body, headers=revoked)) == (401, "unknown_key")


class TestSigningIn:
    async def sign_in(self, web: httpx2.AsyncClient, password: str = PASSWORD, **headers: str) -> httpx2.Response:
        origin = {"origin": str(web.base_url).rstrip("/"), **headers}
        return await web.post("/api/v1/auth/sign-in", json={"user_id": "an", "password": password}, headers=origin)

    async def test_gives_a_cookie_that_scripts_and_other_sites_cannot_use(
        self, web: httpx2.AsyncClient, officer: str
    ) -> None:
        response = await self.sign_in(web)
        me = response.json()
        assert (me["user_id"], me["name"], me["role"]) == ("an", "Trần Văn An", "officer")
        assert (me["areas"], me["second_factor"]) == (["p-hoan-kiem"], "none")
        cookie = response.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert (await web.get("/api/v1/auth/me")).json()["user_id"] == "an"
        out = await web.post("/api/v1/auth/sign-out", headers={"origin": str(web.base_url).rstrip("/")})
        assert out.status_code == 204
        web.cookies.set(COOKIE, response.cookies[COOKIE])
        assert problem(await web.get("/api/v1/auth/me")) == (401, "not_signed_in")

    async def test_with_a_wrong_password_tells_nothing_and_is_in_the_trail(
        self, web: httpx2.AsyncClient, officer: str, center: Center
    ) -> None:
        refused = await self.sign_in(web, "wrong password!")
        assert problem(refused) == (401, "sign_in")
        assert "wrong password!" not in refused.text
        await self.sign_in(web)
        page = await center.audit.search(action="sign_in")
        assert [record.entry.outcome for record in page.records] == ["answered", "failed"]

    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "file://"])
    async def test_from_another_sites_page_is_refused(self, web: httpx2.AsyncClient, officer: str, origin: str) -> None:
        assert problem(await self.sign_in(web, origin=origin)) == (403, "foreign_origin")

    async def test_another_sites_page_cannot_use_the_cookie(self, web: httpx2.AsyncClient, officer: str) -> None:
        await self.sign_in(web)
        own = str(web.base_url).rstrip("/")
        assert (await web.post("/api/v1/echo", json={"n": 1}, headers={"origin": own})).json() == {"user": "an", "n": 1}
        for headers in ({}, {"origin": "https://evil.example"}, {"origin": own + ".evil.example"}):
            assert problem(await web.post("/api/v1/echo", json={"n": 1}, headers=headers)) == (403, "foreign_origin")

    async def test_a_bearer_token_needs_no_origin(self, web: httpx2.AsyncClient, officer: str, center: Center) -> None:
        token = await center.accounts.issue_token("an", "test")
        headers = {"authorization": f"Bearer {token}"}
        assert (await web.post("/api/v1/echo", json={"n": 1}, headers=headers)).status_code == 200
        wrong = {"authorization": f"Bearer {token}x"}
        assert problem(await web.post("/api/v1/echo", json={"n": 1}, headers=wrong)) == (401, "not_signed_in")

    async def test_nobody_is_nobody(self, web: httpx2.AsyncClient) -> None:
        assert problem(await web.get("/api/v1/auth/me")) == (401, "not_signed_in")


class TestAnswers:
    @pytest.mark.parametrize("path", ["/", "/healthz", "/api/v1/auth/me", "/nowhere", "/api/v1/broken"])
    async def test_bear_security_headers(self, web: httpx2.AsyncClient, path: str) -> None:
        headers = (await web.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"

    async def test_of_the_api_are_not_cached(self, web: httpx2.AsyncClient) -> None:
        assert (await web.get("/api/v1/auth/me")).headers["cache-control"] == "no-store"

    async def test_say_nothing_of_our_insides(self, web: httpx2.AsyncClient) -> None:
        response = await web.get("/api/v1/broken")
        assert problem(response) == (500, "internal")
        assert "inside" not in response.text
        assert "Zero" not in response.text

    async def test_do_not_repeat_what_was_sent(self, web: httpx2.AsyncClient) -> None:
        origin = {"origin": str(web.base_url).rstrip("/")}
        secret = {"user_id": "an", "password": ["my-secret-word"]}
        response = await web.post("/api/v1/auth/sign-in", json=secret, headers=origin)
        assert problem(response) == (422, "bad_input")
        assert "my-secret-word" not in response.text

    async def test_for_what_is_not_there_are_problems(self, web: httpx2.AsyncClient) -> None:
        assert problem(await web.post("/nowhere"))[0] in (404, 405)
        assert problem(await web.get(BATCHES_PATH))[0] in (404, 405)

    async def test_pages_are_served(self, web: httpx2.AsyncClient) -> None:
        assert "Mắt phố" in (await web.get("/")).text
        assert (await web.get("/..%2f..%2fcenter.db")).status_code == 404


class TestLimits:
    async def test_a_body_that_says_it_is_too_large_is_not_read(self, web: httpx2.AsyncClient) -> None:
        response = await web.post("/api/v1/auth/sign-in", content=b" " * (1024 * 1024 + 1))
        assert response.status_code == 413

    async def test_a_body_that_says_nothing_is_cut_off(self, web: httpx2.AsyncClient, base: str) -> None:
        async def endless() -> AsyncIterator[bytes]:
            for _ in range(17):
                yield b" " * 65_536

        origin = {"origin": base, "content-type": "application/json"}
        response = await web.post("/api/v1/echo", content=endless(), headers=origin)
        assert response.status_code == 413

    async def test_an_answer_that_nobody_waits_for_is_not_read(self, web: httpx2.AsyncClient, box: Any) -> None:
        path = result_path("box-1", "00000000-0000-7000-8000-000000000000")
        assert problem(await web.post(path, content=b"x" * 1_000_000))[0] == 404


async def test_health_and_readiness(web: httpx2.AsyncClient, center: Center) -> None:
    assert (await web.get("/healthz")).json() == {"status": "ok"}
    assert (await web.get("/readyz")).status_code == 200
    await center.workers.close()
    center.workers.start("ends", _ends)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert problem(await web.get("/readyz")) == (503, "workers")


async def _ends() -> None:
    return None
