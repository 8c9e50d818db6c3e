"""Signing in through a provider: a real one (oidc-provider on Node), and one of ours that lies in every way it can."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pyotp
import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from pydantic import SecretStr

from matpho_platform.access.network import Budget
from matpho_platform.access.principal import Role
from matpho_platform.access.settings import AccessSettings, OidcProvider
from matpho_platform.center import Center, open_center
from matpho_platform.settings import CenterSettings
from matpho_platform.web import create_app

NODE = Path(__file__).parent.parent / "oidc"
PASSWORD = "hoa-sữa-tháng-mười"
CLIENT, SECRET = "matpho", "a secret of the client"


pytestmark = pytest.mark.asyncio(loop_scope="module")
"""One center and one provider serve all tests here: each person has a browser of their own."""


@asynccontextmanager
async def served(app: Any, port: int = 0) -> AsyncIterator[str]:
    """An app on a port of this machine, a free one by default."""
    config = uvicorn.Config(app, port=port, log_level="error", ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    for _ in range(1000):
        if server.started:
            break
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await running


def provider(issuer: str, **changes: Any) -> OidcProvider:
    given = {"id": "city", "name": "Thành phố", "issuer": issuer, "client_id": CLIENT, "client_secret": SECRET}
    return OidcProvider.model_validate({**given, **changes})


@asynccontextmanager
async def center_with(folder: Path, *, port: int = 0, **access: Any) -> AsyncIterator[tuple[Center, str]]:
    """A served center with such access settings and an account to link."""
    center = await open_center(CenterSettings(data=folder, access=AccessSettings(**access)))
    await center.accounts.create("binh", "Bình", Role.LEADER, PASSWORD)
    async with served(create_app(center), port) as base:
        yield center, base
    await center.close()


@asynccontextmanager
async def real_provider(redirect: str) -> AsyncIterator[str]:
    """oidc-provider on Node, for a redirect address; gives its issuer."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    if not (NODE / "node_modules" / "oidc-provider").exists():
        pytest.skip("oidc-provider is not installed: npm ci --prefix tests/platform/oidc")
    client = {"client_id": CLIENT, "client_secret": SECRET, "redirect_uris": [redirect]}
    process = await asyncio.create_subprocess_exec(
        node,
        str(NODE / "provider.js"),
        json.dumps({"clients": [client]}),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    yield (await asyncio.wait_for(process.stdout.readline(), 30)).decode().strip()
    process.kill()
    await process.communicate()


class Person:
    """Somebody with a browser, who is sent to the provider and back."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.browser = httpx2.AsyncClient(trust_env=False, verify=False, headers={"origin": base})

    async def leave(self) -> str:
        """From our page to the provider; returns where the browser is sent."""
        answer = await self.browser.get(f"{self.base}/api/v1/auth/oidc/city/start")
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    async def log_in_there(self, where: str, person: dict[str, Any]) -> str:
        """At the provider; returns where it sends the browser back to."""
        for _ in range(8):
            if where.startswith(self.base):
                return where
            if "/interaction/" in where:
                answer = await self.browser.post(where, json=person)
            else:
                answer = await self.browser.get(where)
            assert answer.status_code in (302, 303), answer.text
            where = str(httpx2.URL(where).join(answer.headers["location"]))
        raise AssertionError("the provider sends the browser round in circles")

    async def me(self) -> dict[str, Any]:
        answer = await self.browser.get(f"{self.base}/api/v1/auth/me")
        return {"status": answer.status_code, **answer.json()}

    async def sign_in(self, **person: Any) -> httpx2.Response:
        back = await self.log_in_there(await self.leave(), person)
        return await self.browser.get(back)


def refused(answer: httpx2.Response) -> str:
    """A 401 in a sentence, without a session."""
    body = answer.json()
    assert answer.status_code == 401, answer.text
    assert len(body["message"]) > 10
    assert "<script>" not in answer.text
    assert "matpho_session" not in answer.headers.get("set-cookie", "")
    return str(body["code"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Center, str, str]]:
    """A center that knows the real provider: its issuer is the third."""
    async with served(FastAPI()) as free:
        port = urlsplit(free).port or 0
    base = f"http://127.0.0.1:{port}"
    async with real_provider(f"{base}/api/v1/auth/oidc/city/callback") as issuer:
        given = {"oidc": (provider(issuer, provision=True),), "public_url": base}
        async with center_with(tmp_path_factory.mktemp("oidc") / "c", port=port, **given) as (center, _):
            await center.accounts.link("binh", issuer, "sub-of-binh")
            yield center, base, issuer


Make = Callable[[str], Person]


@pytest_asyncio.fixture(loop_scope="module")
async def people() -> AsyncIterator[Make]:
    """Makes people, and closes their browsers."""
    made: list[Person] = []

    def make(base: str) -> Person:
        made.append(Person(base))
        return made[-1]

    yield make
    for person in made:
        await person.browser.aclose()


class TestARealProvider:
    async def test_vouches_for_a_linked_account_with_a_second_factor(
        self, world: tuple[Center, str, str], people: Make
    ) -> None:
        center, base, _ = world
        person = people(base)
        answer = await person.sign_in(accountId="sub-of-binh", amr=["pwd", "mfa"])
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        me = await person.me()
        assert (me["user_id"], me["role"], me["second_factor"]) == ("binh", "leader", "shown")
        page = await center.audit.search(action="oidc_sign_in")
        assert page.records[0].entry.user_id == "binh"

    async def test_a_linked_account_without_one_is_half_open(
        self, world: tuple[Center, str, str], people: Make
    ) -> None:
        _, base, _ = world
        person = people(base)
        await person.sign_in(accountId="sub-of-binh", amr=["pwd"])
        assert (await person.me())["second_factor"] == "missing"

    async def test_somebody_new_becomes_a_citizen_once(self, world: tuple[Center, str, str], people: Make) -> None:
        center, base, _ = world
        ids = set()
        for _ in range(2):
            person = people(base)
            await person.sign_in(accountId="ai-do")
            me = await person.me()
            assert (me["role"], me["areas"], me["name"]) == ("citizen", [], "Người ai-do")
            ids.add(me["user_id"])
        assert len(ids) == 1
        assert sum(one.user_id in ids for one in await center.accounts.all()) == 1

    async def test_a_name_is_not_an_account(self, world: tuple[Center, str, str], people: Make) -> None:
        _, base, _ = world
        person = people(base)
        await person.sign_in(accountId="binh", amr=["mfa"])
        assert (await person.me())["role"] == "citizen"

    async def test_a_refusal_there_is_a_sentence_here(self, world: tuple[Center, str, str], people: Make) -> None:
        _, base, _ = world
        assert refused(await people(base).sign_in(refuse=True)) == "oidc"

    async def test_a_callback_is_good_once_and_in_its_own_browser(
        self, world: tuple[Center, str, str], people: Make
    ) -> None:
        _, base, _ = world
        victim, thief = people(base), people(base)
        back = await victim.log_in_there(await victim.leave(), {"accountId": "ai-do"})
        await thief.leave()
        assert refused(await thief.browser.get(back)) == "oidc"
        assert refused(await people(base).browser.get(back)) == "one_time"
        assert (await victim.browser.get(back)).status_code == 303
        assert refused(await victim.browser.get(back)) == "one_time"

    async def test_a_code_without_its_verifier_is_worth_nothing(
        self, world: tuple[Center, str, str], people: Make
    ) -> None:
        _, base, _ = world
        victim, thief = people(base), people(base)
        back = await victim.log_in_there(await victim.leave(), {"accountId": "ai-do"})
        own_state = parse_qs(urlsplit(await thief.leave()).query)["state"][0]
        code = parse_qs(urlsplit(back).query)["code"][0]
        mixed = httpx2.URL(back).copy_merge_params({"state": own_state, "code": code})
        assert refused(await thief.browser.get(mixed)) == "oidc"

    async def test_an_account_links_itself_after_a_second_factor(
        self, world: tuple[Center, str, str], people: Make
    ) -> None:
        _, base, _ = world
        person = people(base)
        auth = f"{base}/api/v1/auth"
        await person.browser.post(f"{auth}/sign-in", json={"user_id": "binh", "password": PASSWORD})
        assert (await person.browser.post(f"{auth}/oidc/city/link")).json()["code"] == "second_factor"
        secret = (await person.browser.post(f"{auth}/totp")).json()["secret"]
        await person.browser.post(f"{auth}/totp/confirm", json={"code": pyotp.TOTP(secret).now()})
        url = (await person.browser.post(f"{auth}/oidc/city/link")).json()["url"]
        back = await person.log_in_there(url, {"accountId": "toi-la-binh", "amr": ["mfa"]})
        assert (await person.browser.get(back)).status_code == 303
        later = people(base)
        await later.sign_in(accountId="toi-la-binh", amr=["mfa"])
        assert (await later.me())["user_id"] == "binh"


class Liar:
    """A provider of ours: tells the truth but for what a test changes."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, parameters={"kid": "one"})
        self.issuer = ""
        self.be_truthful()
        self.app = FastAPI()
        self.app.get("/.well-known/openid-configuration")(self._metadata)
        self.app.get("/jwks")(self._keys)
        self.app.post("/token")(self._token)

    def be_truthful(self) -> None:
        self.nonce = ""
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "one"}
        self.sign_with: Any = self.key
        self.metadata: dict[str, Any] = {}
        self.token: Any = None
        self.status = 200

    async def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            **self.metadata,
        }

    async def _keys(self) -> dict[str, Any]:
        return {"keys": [self.key.as_dict(private=False)]}

    async def _token(self, request: Request) -> JSONResponse:
        await request.body()
        if self.token is not None:
            return JSONResponse(self.token, status_code=self.status)
        at = int(time.time())
        truth = {"iss": self.issuer, "aud": CLIENT, "sub": "s-1", "iat": at, "exp": at + 60, "nonce": self.nonce}
        claims = {name: value for name, value in {**truth, **self.claims}.items() if value is not None}
        algorithms = [self.header["alg"]]
        signed = jwt.encode(self.header, claims, self.sign_with, algorithms=algorithms)
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": signed})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def teller(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Liar, Center, str]]:
    made = Liar()
    async with served(made.app) as issuer:
        made.issuer = issuer
        folder = tmp_path_factory.mktemp("liar") / "c"
        async with center_with(folder, oidc=(provider(issuer),)) as (center, base):
            await center.accounts.link("binh", issuer, "s-1")
            yield made, center, base


@pytest_asyncio.fixture(loop_scope="module")
async def liar(teller: tuple[Liar, Center, str], people: Make) -> tuple[Liar, Center, Person]:
    """The provider of ours, truthful again, and somebody new."""
    teller[0].be_truthful()
    teller[1].accounts.ceremonies = Budget(1000)
    return teller[0], teller[1], people(teller[2])


async def come_back(liar: Liar, person: Person, **changes: str) -> httpx2.Response:
    asked = parse_qs(urlsplit(await person.leave()).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["response_type"] == ["code"]
    liar.nonce = asked["nonce"][0]
    answer = {"code": "c", "state": asked["state"][0], **changes}
    return await person.browser.get(
        f"{person.base}/api/v1/auth/oidc/city/callback", params={k: v for k, v in answer.items() if v != "-"}
    )


async def test_the_truth_is_believed(liar: tuple[Liar, Center, Person]) -> None:
    teller, _, person = liar
    assert (await come_back(teller, person)).status_code == 303
    assert (await person.me())["user_id"] == "binh"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "another"},
        {"aud": None},
        {"aud": []},
        {"exp": 1},
        {"exp": None},
        {"exp": "soon"},
        {"iat": None},
        {"iat": 99999999999},
        {"nonce": "another"},
        {"nonce": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
        {"sub": ["s-1"]},
        {"aud": [CLIENT, "another"], "azp": "another"},
    ],
)
async def test_a_false_claim_is_not(liar: tuple[Liar, Center, Person], claims: dict[str, Any]) -> None:
    teller, _, person = liar
    teller.claims = claims
    assert refused(await come_back(teller, person)) == "oidc"
    assert (await person.me())["status"] == 401


@pytest.mark.parametrize("signature", ["another key", "symmetric", "public key as secret"])
async def test_a_false_signature_is_not(liar: tuple[Liar, Center, Person], signature: str) -> None:
    teller, _, person = liar
    if signature == "another key":
        teller.sign_with = RSAKey.generate_key(2048, parameters={"kid": "one"})
    else:
        teller.header = {"alg": "HS256", "kid": "one"}
        secret = SECRET if signature == "symmetric" else teller.key.as_pem(private=False).decode().replace("-", "_")
        teller.sign_with = OctKey.import_key(secret)
    assert refused(await come_back(teller, person)) == "oidc"


@pytest.mark.parametrize(
    ("status", "token"),
    [
        (200, []),
        (200, {}),
        (200, {"access_token": "x", "token_type": "Bearer"}),
        (200, {"access_token": "x", "token_type": "Bearer", "id_token": "a.b.c"}),
        (200, {"access_token": "x", "token_type": "Bearer", "id_token": "eyJhbGciOiJub25lIn0.e30."}),
        (200, {"access_token": "x", "token_type": "Bearer", "id_token": 7}),
        (400, {"error": "invalid_grant"}),
        (500, {"error": "x"}),
        (302, {}),
    ],
)
async def test_a_token_answer_that_is_none_is_a_sentence(
    liar: tuple[Liar, Center, Person], status: int, token: Any
) -> None:
    teller, _, person = liar
    teller.status, teller.token = status, token
    assert refused(await come_back(teller, person)) == "oidc"


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "another"},
        {"state": ""},
        {"state": "-"},
        {"code": ""},
        {"code": "-"},
        {"code": "x" * 5000},
        {"iss": "https://evil.example"},
        {"error": "access_denied"},
    ],
)
async def test_a_callback_that_does_not_fit_is_refused(
    liar: tuple[Liar, Center, Person], changes: dict[str, str]
) -> None:
    teller, _, person = liar
    assert refused(await come_back(teller, person, **changes)) == "oidc"


async def test_metadata_of_another_issuer_is_refused(tmp_path: Path, people: Make) -> None:
    teller = Liar()
    teller.metadata = {"issuer": "https://evil.example"}
    async with (
        served(teller.app) as teller.issuer,
        center_with(tmp_path / "c", oidc=(provider(teller.issuer),)) as (_, base),
    ):
        for _ in range(2):
            answer = await people(base).browser.get(f"{base}/api/v1/auth/oidc/city/start")
            assert refused(answer) == "oidc"


async def test_when_a_second_factor_was_shown_there_long_ago_it_is_so_here(
    liar: tuple[Liar, Center, Person],
) -> None:
    teller, _, person = liar
    teller.claims = {"amr": ["mfa"], "auth_time": int(time.time()) - 3600}
    await come_back(teller, person)
    assert (await person.me())["second_factor"] == "shown"
    answer = await person.browser.post(f"{person.base}/api/v1/auth/tokens", json={"name": "x"})
    assert answer.json()["code"] == "step_up"


async def test_nobody_is_made_where_the_settings_do_not_say_so(liar: tuple[Liar, Center, Person]) -> None:
    teller, center, person = liar
    teller.claims = {"sub": "nobody we know"}
    before = len(await center.accounts.all())
    assert refused(await come_back(teller, person)) == "oidc"
    assert len(await center.accounts.all()) == before


async def test_so_many_trips_a_minute_begin_at_one_address(liar: tuple[Liar, Center, Person]) -> None:
    _, center, person = liar
    center.accounts.ceremonies = Budget(2)
    for _ in range(2):
        await person.leave()
    answer = await person.browser.get(f"{person.base}/api/v1/auth/oidc/city/start")
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_tries")
    assert int(answer.headers["retry-after"]) <= 60


async def test_a_closed_account_stays_closed(liar: tuple[Liar, Center, Person]) -> None:
    teller, center, person = liar
    await center.accounts.disable("binh")
    assert refused(await come_back(teller, person)) == "oidc"
    await center.accounts.enable("binh")


async def test_a_provider_that_is_away_is_said_so(tmp_path: Path, people: Make) -> None:
    async with served(FastAPI()) as gone:
        pass
    async with center_with(tmp_path / "c", oidc=(provider(gone),)) as (_, base):
        person = people(base)
        answer = await person.browser.get(f"{base}/api/v1/auth/oidc/city/start")
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert (await person.browser.get(f"{base}/api/v1/auth/oidc/other/start")).status_code == 404
        callback = await person.browser.get(f"{base}/api/v1/auth/oidc/city/callback?state=x&code=y")
        assert refused(callback) == "one_time"


@pytest.mark.parametrize("issuer", ["http://id.example", "ftp://id.example", "id.example", ""])
async def test_an_issuer_is_reached_over_tls(issuer: str) -> None:
    with pytest.raises(ValueError, match="https"):
        provider(issuer)


async def test_a_secret_is_not_in_the_settings_repr() -> None:
    assert isinstance(provider("https://id.example").client_secret, SecretStr)
    assert SECRET not in repr(provider("https://id.example"))
