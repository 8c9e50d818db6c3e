"""Signing in over HTTP: other sites' pages, planted and replayed tokens, half sessions, the trail."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import httpx2
import pyotp
import pytest
import pytest_asyncio
import uvicorn
from fastapi import APIRouter, FastAPI, WebSocket
from fastapi.responses import StreamingResponse
from sqlalchemy import update

from matpho_platform.access.principal import Role
from matpho_platform.access.watching import ending_with_session
from matpho_platform.cameras.areas import Area
from matpho_platform.center import Center, open_center
from matpho_platform.settings import CenterSettings
from matpho_platform.store.tables import sessions
from matpho_platform.web import create_app
from matpho_platform.web.session import COOKIE, DEVICE_COOKIE, CurrentPrincipal, TheCenter

pytestmark = pytest.mark.asyncio(loop_scope="module")

PASSWORD = "hoa-sữa-tháng-mười"
AUTH = "/api/v1/auth"


@dataclass
class World:
    """A served center; the officer `an` needs no factor yet, `binh` and the administrator show codes."""

    center: Center
    app: FastAPI
    base: str
    secrets: dict[str, str]
    steps: dict[str, int]

    def code(self, user_id: str) -> str:
        """A code that was not used: each call takes a later step; they are taken up to one step ahead."""
        self.steps[user_id] = max(self.steps.get(user_id, 0) + 1, int(time.time()) // 30 - 1)
        return pyotp.HOTP(self.secrets[user_id]).at(self.steps[user_id])


def _socket() -> APIRouter:
    router = APIRouter()

    @router.websocket("/api/v1/socket")
    async def talk(socket: WebSocket, principal: CurrentPrincipal) -> None:
        await socket.accept()
        await socket.close()

    @router.get("/api/v1/ticks")
    async def ticks(principal: CurrentPrincipal, center: TheCenter) -> StreamingResponse:
        async def tick() -> AsyncIterator[str]:
            while True:
                yield "tick\n"
                await asyncio.sleep(0.1)

        return StreamingResponse(ending_with_session(tick(), center.accounts, principal))

    return router


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    settings = CenterSettings(
        data=tmp_path_factory.mktemp("web") / "c",
        areas=(Area(code="p1", name="Phường Một"), Area(code="p2", name="Phường Hai")),
    )
    center = await open_center(settings)
    for user_id, role, areas in (
        ("an", Role.OFFICER, ("p1",)),
        ("binh", Role.OFFICER, ("p1", "p2")),
        ("quan-tri", Role.ADMIN, ()),
        ("dan", Role.CITIZEN, ()),
    ):
        await center.accounts.create(user_id, user_id, role, PASSWORD, areas=areas)
    app = create_app(center, [_socket()])
    config = uvicorn.Config(app, port=0, log_level="error", ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    for _ in range(1000):
        if server.started:
            break
        await asyncio.sleep(0.01)
    base = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    made = World(center, app, base, {}, {})
    for user_id in ("binh", "quan-tri"):
        half = await center.accounts.sign_in(user_id, PASSWORD)
        made.secrets[user_id] = (await center.accounts.codes.enrol(user_id)).secret
        made.steps[user_id] = int(time.time()) // 30 - 2
        await center.accounts.confirm_codes(half.token, made.code(user_id))
    yield made
    server.should_exit = True
    await running
    await center.close()


@pytest_asyncio.fixture(loop_scope="module")
async def browser(world: World) -> AsyncIterator[Callable[..., httpx2.AsyncClient]]:
    """Makes browsers, each with our origin on every request unless it says otherwise."""
    opened: list[httpx2.AsyncClient] = []

    def make(**headers: str) -> httpx2.AsyncClient:
        client = httpx2.AsyncClient(
            base_url=world.base, trust_env=False, verify=False, headers={"origin": world.base, **headers}
        )
        opened.append(client)
        return client

    yield make
    for client in opened:
        await client.aclose()


async def full_session(world: World, user_id: str) -> str:
    """The token of a session that has just shown its second factor, without spending a code."""
    opened = await world.center.accounts.sign_in(user_id, PASSWORD)
    return (await world.center.accounts.sessions.strengthen(opened.token)).token


def routes(world: World) -> list[tuple[str, str]]:
    """Every method and path of the API."""
    paths = world.app.openapi()["paths"]
    return [(method.upper(), re.sub(r"\{[^}]*\}", "x", path)) for path, methods in paths.items() for method in methods]


CHANGING = [
    ("POST", "/sign-in"), ("POST", "/sign-out"), ("POST", "/password"), ("POST", "/invitation"),
    ("POST", "/first-administrator"), ("POST", "/second-factor"), ("POST", "/recovery-code"),
    ("POST", "/recovery-codes"), ("POST", "/totp"), ("POST", "/totp/confirm"), ("DELETE", "/totp"),
    ("POST", "/passkeys/options"), ("POST", "/passkeys"), ("DELETE", "/passkeys/x"),
    ("POST", "/passkeys/step-up/options"), ("POST", "/passkeys/step-up"),
    ("POST", "/passkeys/sign-in/options"), ("POST", "/passkeys/sign-in"), ("POST", "/oidc/x/link"),
    ("DELETE", "/sessions/x"), ("DELETE", "/sessions"), ("POST", "/tokens"), ("DELETE", "/tokens/x"),
    ("POST", "/users"), ("PATCH", "/users/an"), ("POST", "/users/an/invitation"),
    ("DELETE", "/users/an/second-factor"), ("POST", "/users/an/identities"), ("DELETE", "/users/an/sessions"),
]  # fmt: skip
BODIES: dict[str, Any] = {
    "/sign-in": {"user_id": "an", "password": PASSWORD},
    "/password": {"present": PASSWORD, "password": "một mật khẩu khác"},
    "/invitation": {"invitation": "x", "password": PASSWORD},
    "/first-administrator": {"token": "x", "user_id": "x", "name": "x", "password": PASSWORD},
    "/second-factor": {"code": "123456"}, "/recovery-code": {"code": "x"}, "/totp/confirm": {"code": "123456"},
    "/passkeys": {"ceremony": "x", "credential": {}}, "/passkeys/step-up": {"ceremony": "x", "credential": {}},
    "/passkeys/sign-in": {"ceremony": "x", "credential": {}}, "/tokens": {"name": "x"},
    "/users": {"id": "gian", "name": "Kẻ gian", "role": "admin"}, "/users/an": {"disabled": True},
    "/users/an/identities": {"issuer": "x", "subject": "x"},
}  # fmt: skip
FOREIGN = ("https://evil.example", "null", "", "{base}.evil.example", "{base}1", "https{tail}")


def _foreign(world: World, origin: str) -> dict[str, str]:
    return {"origin": origin.format(base=world.base, tail=world.base.removeprefix("http").replace("127", "128"))}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def signed_in(world: World) -> str:
    """An administrator's session, fresh."""
    return await full_session(world, "quan-tri")


async def test_the_list_of_what_changes_something_is_whole(world: World) -> None:
    mine = {(method, path.removeprefix(AUTH)) for method, path in routes(world) if path.startswith(AUTH)}
    known = {(method, path.replace("/an", "/x")) for method, path in CHANGING}
    assert {entry for entry in mine if entry[0] != "GET"} == known


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize(("method", "path"), CHANGING)
async def test_another_sites_page_changes_nothing(
    world: World, browser: Any, signed_in: str, method: str, path: str, origin: str
) -> None:
    client = browser(**_foreign(world, origin))
    client.cookies.set(COOKIE, signed_in)
    answer = await client.request(method, AUTH + path, json=BODIES.get(path))
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("origin", [*FOREIGN, None])
async def test_another_sites_page_opens_no_socket(world: World, origin: str | None) -> None:
    token = await full_session(world, "binh")
    headers = [(b"host", world.base.removeprefix("http://").encode()), (b"cookie", f"{COOKIE}={token}".encode())]
    if origin is not None:
        headers.append((b"origin", _foreign(world, origin)["origin"].encode()))
    assert not await accepted(world, headers)


async def test_our_own_page_does(world: World) -> None:
    token = await full_session(world, "binh")
    headers = [(b"host", world.base.removeprefix("http://").encode()), (b"cookie", f"{COOKIE}={token}".encode())]
    assert await accepted(world, [*headers, (b"origin", world.base.encode())])


async def accepted(world: World, headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether a WebSocket is opened, asked of the application itself."""
    scope = {
        "type": "websocket", "path": "/api/v1/socket", "raw_path": b"/api/v1/socket", "query_string": b"",
        "headers": headers, "scheme": "ws", "subprotocols": [], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 1),
        "root_path": "", "http_version": "1.1", "app": world.app, "state": {}, "extensions": {},
    }  # fmt: skip
    said: list[str] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"} if "websocket.accept" not in said else {"type": "websocket.disconnect"}

    async def send(message: Any) -> None:
        said.append(message["type"])

    try:
        await world.app(scope, receive, send)
    except Exception:
        return False
    return "websocket.accept" in said


HALF_MAY = {"/sign-out", "/me", "/second-factor", "/recovery-code", "/totp", "/totp/confirm", "/passkeys/options",
            "/passkeys", "/passkeys/step-up", "/passkeys/step-up/options"}  # fmt: skip
NOBODY_MAY = {"/ways", "/sign-in", "/invitation", "/first-administrator", "/passkeys/sign-in",
              "/passkeys/sign-in/options", "/oidc/x/start", "/oidc/x/callback"}  # fmt: skip


PLATFORMS = tuple(f"/api/v1/notify/{one}" for one in ("telegram", "zalo-bot", "zalo-oa", "sms"))
"""What calls of chat platforms and gateways prove themselves by: a secret or a signature of theirs, no session."""


async def test_a_half_session_opens_nothing_but_the_second_factor(world: World, browser: Any) -> None:
    client = browser()
    half = await world.center.accounts.sign_in("binh", PASSWORD)
    client.cookies.set(COOKIE, half.token)
    asked = 0
    for method, path in routes(world):
        short = path.removeprefix(AUTH)
        if not path.startswith("/api/v1/") or path.startswith(("/api/v1/edge", "/api/v1/batches", *PLATFORMS)):
            continue
        if path.startswith(AUTH) and (
            short in NOBODY_MAY or (short in HALF_MAY and (method, short) != ("GET", "/passkeys"))
        ):
            continue
        answer = await client.request(method, path, json=BODIES.get(short.replace("/x", "/an"), {}))
        code = answer.json().get("code")
        assert (answer.status_code, code) in [(401, "second_factor"), (401, "unknown_key"), (422, "bad_input")], path
        asked += code == "second_factor"
    assert asked > 15


async def test_an_api_token_is_no_person(world: World, browser: Any) -> None:
    token = await world.center.accounts.issue_token("quan-tri", "x")
    client = browser(authorization=f"Bearer {token}")
    for method, path in [*CHANGING, ("GET", "/sessions"), ("GET", "/tokens"), ("GET", "/users"), ("GET", "/me")]:
        if path in NOBODY_MAY:
            continue
        answer = await client.request(method, AUTH + path, json=BODIES.get(path))
        assert (answer.status_code, answer.json()["code"]) == (403, "session_only"), path


@pytest.mark.parametrize("place", ["session as bearer", "token as cookie", "both wrong", "basic", "long"])
async def test_a_token_out_of_place_is_none(world: World, browser: Any, place: str) -> None:
    opened, token = await full_session(world, "binh"), await world.center.accounts.issue_token("an", "x")
    client = browser()
    bearer = {"session as bearer": opened, "both wrong": opened, "long": "mpt_" + "x" * 500}.get(place)
    cookie = {"token as cookie": token, "both wrong": token, "long": "x" * 500}.get(place)
    if bearer is not None:
        client.headers["authorization"] = f"Bearer {bearer}"
    if place == "basic":
        client.headers["authorization"] = f"Basic {token}"
    if cookie is not None:
        client.cookies.set(COOKIE, cookie)
    answer = await client.get(f"{AUTH}/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


@pytest.mark.parametrize("planted", ["x" * 43, "a live one", "a half one", "an api token"])
async def test_a_planted_cookie_does_not_survive_the_sign_in(world: World, browser: Any, planted: str) -> None:
    accounts = world.center.accounts
    known = {
        "a live one": await full_session(world, "quan-tri"),
        "a half one": (await accounts.sign_in("binh", PASSWORD)).token,
        "an api token": await accounts.issue_token("an", "x"),
    }
    value = known.get(planted, planted)
    client = browser()
    client.headers["cookie"] = f"{COOKIE}={value}"
    answer = await client.post(f"{AUTH}/sign-in", json={"user_id": "dan", "password": PASSWORD})
    assert answer.cookies[COOKIE] != value
    victim = browser()
    victim.headers["cookie"] = f"{COOKIE}={value}"
    assert (await victim.get(f"{AUTH}/me")).status_code == 401


async def test_each_gain_in_power_changes_the_token_and_kills_the_old(world: World, browser: Any) -> None:
    client = browser()
    seen = []
    answer = await client.post(f"{AUTH}/sign-in", json={"user_id": "binh", "password": PASSWORD})
    assert answer.json()["second_factor"] == "due"
    seen.append(answer.cookies[COOKIE])
    for _ in range(2):
        await asyncio.sleep(0)
        answer = await client.post(f"{AUTH}/second-factor", json={"code": world.code("binh")})
        if answer.status_code != 200:
            pytest.fail(answer.text)
        assert answer.json()["second_factor"] == "shown"
        seen.append(answer.cookies[COOKIE])
        if world.steps["binh"] > int(time.time()) // 30:
            break
    assert len(set(seen)) == len(seen)
    for old in seen[:-1]:
        thief = browser()
        thief.cookies.set(COOKIE, old)
        assert (await thief.get(f"{AUTH}/me")).status_code == 401
    assert (await client.get(f"{AUTH}/me")).json()["user_id"] == "binh"


async def test_a_session_that_was_left_is_left(world: World, browser: Any) -> None:
    client = browser()
    signed = await client.post(f"{AUTH}/sign-in", json={"user_id": "dan", "password": PASSWORD})
    assert (await client.post(f"{AUTH}/sign-out")).status_code == 204
    thief = browser()
    thief.cookies.set(COOKIE, signed.cookies[COOKIE])
    for path in ("/me", "/sessions", "/tokens"):
        assert (await thief.get(AUTH + path)).status_code == 401


async def test_cookies_are_out_of_reach(world: World, browser: Any) -> None:
    answer = await browser().post(f"{AUTH}/sign-in", json={"user_id": "dan", "password": PASSWORD})
    cookies = {line.partition("=")[0]: line.lower() for line in answer.headers.get_list("set-cookie")}
    assert cookies.keys() == {COOKIE, DEVICE_COOKIE}
    for line in cookies.values():
        assert "httponly" in line
        assert "samesite=strict" in line
    assert f"path={AUTH}" in cookies[DEVICE_COOKIE]
    assert answer.headers["cache-control"] == "no-store"


async def test_too_many_wrong_tries_say_how_long_to_wait(world: World, browser: Any) -> None:
    client = browser()
    for _ in range(5):
        await client.post(f"{AUTH}/sign-in", json={"user_id": "nobody-here", "password": "wrong"})
    answer = await client.post(f"{AUTH}/sign-in", json={"user_id": "nobody-here", "password": "wrong"})
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_tries")
    assert 0 < int(answer.headers["retry-after"]) <= 60


@pytest.mark.parametrize("path", [path for path in BODIES if not path.startswith("/users")])
async def test_a_body_that_is_none_is_said_so(world: World, browser: Any, path: str) -> None:
    client = browser()
    client.cookies.set(COOKIE, await full_session(world, "quan-tri"))
    for body in ([], 7, {"x": 1}, {**BODIES[path], "role": "admin"}):
        answer = await client.post(AUTH + path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_input")
    large = await client.post(AUTH + path, content=b"x" * 70_000)
    assert large.status_code == 413


class TestSteppingUp:
    @pytest.mark.parametrize(
        ("method", "path"),
        [("POST", "/tokens"), ("DELETE", "/totp"), ("POST", "/recovery-codes"), ("POST", "/users"),
         ("PATCH", "/users/an"), ("POST", "/users/an/invitation"), ("DELETE", "/users/an/second-factor"),
         ("DELETE", "/users/an/sessions"), ("POST", "/totp"), ("POST", "/passkeys/options"), ("POST", "/password")],
    )  # fmt: skip
    async def test_is_asked_for(self, world: World, browser: Any, method: str, path: str) -> None:
        token = await full_session(world, "quan-tri")
        who = await world.center.accounts.principal(token)
        async with world.center.store.writing() as session:
            mine = sessions.c.session_id == who.session_id
            await session.run(update(sessions).where(mine).values(mfa_ms=sessions.c.mfa_ms - 301_000))
        client = browser()
        client.cookies.set(COOKIE, token)
        answer = await client.request(method, AUTH + path, json=BODIES.get(path))
        assert (answer.status_code, answer.json()["code"]) == (403, "step_up")


class TestAdministrator:
    async def test_makes_an_account_and_its_person_comes_in(self, world: World, browser: Any) -> None:
        admin = browser()
        admin.cookies.set(COOKIE, await full_session(world, "quan-tri"))
        asked = {"id": "chi", "name": "Chi", "role": "officer", "areas": ["p2"]}
        made = await admin.post(f"{AUTH}/users", json=asked)
        assert made.status_code == 201
        again = await admin.post(f"{AUTH}/users", json=asked)
        assert (again.status_code, again.json()["code"]) == (422, "account")
        unknown = await admin.post(f"{AUTH}/users", json={**asked, "id": "chi2", "areas": ["nowhere"]})
        assert unknown.status_code == 422
        person = browser()
        said = {"invitation": made.json()["invitation"], "password": "mật khẩu của chi"}
        me = (await person.post(f"{AUTH}/invitation", json=said)).json()
        assert (me["user_id"], me["second_factor"]) == ("chi", "missing")
        assert (await person.post(f"{AUTH}/invitation", json=said)).status_code == 401
        secret = (await person.post(f"{AUTH}/totp")).json()["secret"]
        confirmed = await person.post(f"{AUTH}/totp/confirm", json={"code": pyotp.TOTP(secret).now()})
        assert len(confirmed.json()["recovery_codes"]) == 10
        detail = (await admin.get(f"{AUTH}/users/chi")).json()
        assert (detail["areas"], detail["factors"]["totp"]) == (["p2"], True)
        shut = await admin.patch(f"{AUTH}/users/chi", json={"disabled": True})
        assert shut.json()["disabled"]
        assert (await person.get(f"{AUTH}/me")).status_code == 401
        own = await admin.patch(f"{AUTH}/users/quan-tri", json={"role": "commander"})
        assert (own.status_code, own.json()["code"]) == (422, "account")

    @pytest.mark.parametrize("user_id", ["binh", "dan"])
    async def test_nobody_else_sees_or_changes_accounts(self, world: World, browser: Any, user_id: str) -> None:
        client = browser()
        client.cookies.set(COOKIE, await full_session(world, user_id))
        for method, path in [*CHANGING, ("GET", "/users"), ("GET", "/users/an"), ("GET", "/users/an/sessions")]:
            if path.startswith("/users"):
                answer = await client.request(method, AUTH + path, json=BODIES.get(path))
                assert (answer.status_code, answer.json()["code"]) == (403, "role"), path


async def test_everything_is_on_the_trail(world: World, browser: Any) -> None:
    client = browser()
    token = await full_session(world, "quan-tri")
    client.cookies.set(COOKIE, token)
    made = (await client.post(f"{AUTH}/tokens", json={"name": "bảng", "actions": ["search_events"]})).json()["token"]
    (shown,) = [one for one in (await client.get(f"{AUTH}/tokens")).json() if one["name"] == "bảng"]
    assert shown["actions"] == ["search_events"]
    await client.delete(f"{AUTH}/tokens/{shown['id']}")
    await client.post(f"{AUTH}/recovery-codes")
    await client.delete(f"{AUTH}/sessions")
    await client.post(f"{AUTH}/users/an/invitation")
    await client.post(f"{AUTH}/sign-out")
    stranger = browser()
    await stranger.post(f"{AUTH}/sign-in", json={"user_id": "my password is here", "password": "x"})
    page = await world.center.audit.search(limit=300)
    acts = {record.entry.action for record in page.records}
    assert acts >= {
        "make_token", "revoke_token", "new_recovery_codes", "end_sessions", "invite", "sign_out", "sign_in",
    }  # fmt: skip
    kept = page.model_dump_json()
    for secret in (PASSWORD, token, made, "my password is here", *world.secrets.values()):
        assert secret not in kept
    assert (await world.center.audit.verify()).intact


async def test_an_open_stream_ends_with_its_session(world: World, browser: Any) -> None:
    watcher, owner = browser(), browser()
    tokens = [await full_session(world, "binh") for _ in range(2)]
    for client, token in zip((watcher, owner), tokens, strict=True):
        client.cookies.set(COOKIE, token)
    async with watcher.stream("GET", "/api/v1/ticks") as stream:
        lines = stream.aiter_lines()
        assert await anext(lines) == "tick"
        ids = [one["id"] for one in (await owner.get(f"{AUTH}/sessions")).json() if not one["current"]]
        for session_id in ids:
            assert (await owner.delete(f"{AUTH}/sessions/{session_id}")).status_code == 204
        async with asyncio.timeout(5):
            left = [line async for line in lines]
    assert set(left) <= {"tick"}
    assert (await watcher.get("/api/v1/ticks")).status_code == 401


async def test_the_openapi_document_names_every_answer(world: World) -> None:
    paths = world.app.openapi()["paths"]
    for path, methods in paths.items():
        if path.startswith(AUTH):
            for method in methods.values():
                assert {"401", "403", "422", "429"} <= method["responses"].keys()
