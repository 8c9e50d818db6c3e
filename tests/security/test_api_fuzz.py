"""The whole API as it describes itself, fuzzed: nobody gets a server error out of it, and nobody gets in without a key.

The real application with every router is served on loopback. schemathesis makes requests from its OpenAPI document,
fitting and unfitting ones, half of them of things that there are; each goes out as every caller, and each answer is
held against the document.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
import requests
from fastapi import Depends, FastAPI
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.security import APIKeyCookie
from tests.security.fuzzing import ENDLESS, UNKEYED, Fuzz, judge
from tests.security.serving import CALLERS, NOBODY, Served

from matpho_platform.web.session import COOKIE

FEW, MANY = 1, 10
"""Requests for an operation in each mode; every caller makes each of them."""
BAD = (
    "%00",
    "%ed%a0%80",
    "%ff%fe",
    "..%2f..%2fetc%2fpasswd",
    "9" * 5000,
    "NaN",
    "-1",
    "%F0%9F%8F%B4" * 50,
    "'%20OR%201=1",
)
"""What schemathesis does not write into paths and queries by itself."""
BODIES = (
    b"", b"null", b"[]", b"{", b'{"a":NaN}', b'{"a":1e999}', b'{"a":"\\ud800"}', b'{"a":"\\u0000"}', b"[" * 100_000,
    b'{"a":' * 20_000, b'{"limit":' + b"9" * 10_000 + b"}", b'"\xff\xfe"', b"\x00" * 100, b'{"\\ud800":1}',
)  # fmt: skip


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with Served().running() as one:
        yield one


def _holds(fuzz: Fuzz) -> None:
    assert list(fuzz.wrong.values()) == []
    operations = {f"{method.upper()} {path}" for path, all_ in fuzz.served.document["paths"].items() for method in all_}
    assert set(fuzz.operations) >= operations
    assert set(fuzz.made) == set(CALLERS)
    assert {200, 202, 204, 401, 403, 404, 422} <= set(fuzz.answered)


@pytest.mark.timeout(400)
def test_a_few_requests_of_every_operation_as_everybody(served: Served) -> None:
    fuzz = Fuzz(served, unfit_as=(NOBODY, "citizen", "commander"))
    fuzz.everything(FEW)
    _holds(fuzz)


@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_many_requests_of_every_operation_as_everybody(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    fuzz = Fuzz(served)
    fuzz.everything(MANY, edges=True)
    with capsys.disabled():
        print(f"\n{fuzz.made.total()} requests: {dict(fuzz.made)}, answered {dict(sorted(fuzz.answered.items()))}")
    _holds(fuzz)


def test_the_document_says_what_needs_no_key(served: Served) -> None:
    paths = served.document["paths"]
    assert {
        path for path, methods in paths.items() if any("security" not in one for one in methods.values())
    } == UNKEYED


def test_what_is_no_text_and_no_json(served: Served) -> None:
    wrong = []
    session = requests.Session()
    key = served.headers("commander")
    admin = served.headers("admin")
    for path, methods in served.document["paths"].items():
        for method in methods if path not in ENDLESS else ():
            for bad in BAD if "{" in path else ():
                named = path
                while "{" in named:
                    named = named[: named.index("{")] + bad + named[named.index("}") + 1 :]
                answer = session.request(method, served.url + named, headers=key, timeout=30, allow_redirects=False)
                wrong.append(judge(f"{method} {path} {bad[:20]}", answer.status_code, answer.text, "key", path))
            for bad in BAD[:5]:
                target = f"{served.url}{path}?limit={bad}&part={bad}&after={bad}&index={bad}&wait=0"
                if "{" not in path:
                    answer = session.request(method, target, headers=admin, timeout=30, allow_redirects=False)
                    wrong.append(judge(f"{method} {path}?{bad[:20]}", answer.status_code, answer.text, "key", path))
            if "requestBody" in methods[method]:
                target = served.url + path.replace("{", "").replace("}", "")
                for body in BODIES:
                    sent = {**key, "content-type": "application/json"}
                    answer = session.request(method, target, headers=sent, data=body, timeout=30)
                    wrong.append(judge(f"{method} {path} {body[:20]!r}", answer.status_code, answer.text, "key", path))
    assert [one for one in wrong if one] == []


class Faulty(Served):
    """An application that does what ours must not."""

    def headers(self, caller: str, *, fresh: bool = False) -> dict[str, str]:
        return {} if caller == NOBODY else {"Cookie": f"{COOKIE}=x", "Origin": self.url}

    async def application(self, stack: AsyncExitStack) -> FastAPI:
        app = FastAPI(responses={401: {"description": "no key"}})
        cookie = Depends(APIKeyCookie(name=COOKIE, auto_error=False))

        @app.get("/falls", dependencies=[cookie])
        def falls(number: int) -> dict[str, int]:
            return {"hundredth": 100 // (number * 0)}

        @app.get("/lets-anybody-in", dependencies=[cookie])
        def lets_anybody_in() -> dict[str, int]:
            return {"secret": 1}

        @app.get("/says-something-else", response_model=list[int], dependencies=[cookie])
        def says_something_else() -> JSONResponse:
            return JSONResponse({"not": "a list"})

        @app.get("/answers-otherwise", response_model=list[int], dependencies=[cookie])
        def answers_otherwise() -> PlainTextResponse:
            return PlainTextResponse("1, 2", 299)

        return app


def test_the_fuzz_sees() -> None:
    with Faulty().running() as faulty:
        fuzz = Fuzz(faulty)
        fuzz.everything(FEW)
    found = "\n".join(fuzz.wrong)
    for fault in (
        "GET /falls Server error 500",
        "GET /lets-anybody-in API accepts requests without authentication 200",
        "GET /lets-anybody-in 200",
        "GET /says-something-else Response violates schema 200",
        "GET /answers-otherwise Undocumented status code 299",
    ):
        assert fault in found, found


def test_the_judge_sees() -> None:
    assert judge("x", 500, "", "key", "/a")
    assert judge("x", 503, '{"code":"internal"}', "key", "/a")
    assert judge("x", 200, "[]", "", "/api/v1/tools")
    assert judge("x", 503, '{"rule":"search_unavailable"}', "key", "/a") == ""
    assert judge("x", 401, "", "", "/api/v1/tools") == ""
