"""The whole API as it describes itself, fuzzed: nobody gets a server error out of it, and nobody gets in without a key.

The real application with every router is served on loopback; schemathesis makes requests from its OpenAPI document,
fitting and unfitting ones, for each role and for nobody.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from matpho.eval.attacker_city import attacked_city
from matpho.eval.world import Stages
from matpho_agent.channels.mcp import McpAddress, McpServer
from matpho_agent.channels.web import PAGES, chat_router
from matpho_platform.web.app import create_app
from matpho_tools.rest import BODY_LIMITS, tools_router

ROLES = {
    "citizen": "cit-1",
    "officer": "off-an",
    "investigator": "inv-an",
    "commander": "com-1",
    "leader": "lea-1",
    "auditor": "aud-1",
    "admin": "adm-1",
}
FEW, MANY = 1, 200
"""Requests for an operation in each mode, each role."""
OPEN = {"/healthz", "/readyz", "/api/v1/auth/ways"}
"""What answers anybody."""
UNKEYED = ("/api/v1/auth/", "/api/v1/edges/", "/api/v1/intake/")
"""What is opened by a password, a one-time token or a signature in the request, not by a session."""
HELD = "/api/v1/edges/{edge_id}/commands"
"""Holds its answer until there is something to do."""
NO_KEY = {400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 429}
UNWELL = {"internal", "timeout", "http"}
"""A 503 says which part is away; none of these is a part."""
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


@dataclass
class Served:
    """The application on loopback, its own description, and a key for each role."""

    url: str = ""
    document: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """Runs in a thread of its own: schemathesis waits for answers."""
    made, ready, loop, stop = Served(), threading.Event(), asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        async with AsyncExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="matpho-fuzz-"))
            stages = Stages(attacked_city(), Path(folder), None)
            await stages.build()
            stage = await stack.enter_async_context(stages.fresh())
            center = stage.center
            mcp = McpServer(stage.gateway, center.accounts.principal, McpAddress("http://test", "http://test"))
            routers = [tools_router(stage.gateway), chat_router(stage.assistant), mcp.router()]
            app = create_app(center, routers, [mcp.lifespan], pages=PAGES, body_limits=BODY_LIMITS)
            made.document = app.openapi()
            made.keys = {role: await center.accounts.issue_token(user, "fuzz") for role, user in ROLES.items()}
            server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical"))
            running = asyncio.create_task(server.serve())
            while not server.started:  # noqa: ASYNC110 # uvicorn offers no event to wait for
                await asyncio.sleep(0.02)
            made.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
            ready.set()
            await stop.wait()
            server.should_exit = True
            await running

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert ready.wait(60), "the application did not start"
    yield made
    loop.call_soon_threadsafe(stop.set)
    thread.join(30)
    loop.close()


def judge(what: str, status: int, body: str, key: str, path: str) -> str:
    """What is wrong with an answer; empty where nothing is."""
    if status >= 500 and not (status == 503 and not any(f'"{word}"' in body for word in UNWELL)):
        return f"{what}: {status} {body[:300]}"
    if not key and path not in OPEN and not path.startswith(UNKEYED) and status not in NO_KEY:
        return f"{what}: nobody was answered {status} {body[:300]}"
    return ""


def fuzz(served: Served, examples: int) -> tuple[Counter[str], list[str]]:
    """Requests made by role, and what was wrong."""
    schema = schemathesis.openapi.from_dict(served.document)
    made: Counter[str] = Counter()
    wrong: list[str] = []
    for operation in (result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)):
        for role, key in {"nobody": "", **served.keys}.items():

            def send(case: Any, role: str = role, key: str = key) -> None:
                if case.path == HELD:
                    case.query = {"wait": 0}
                headers = {"authorization": f"Bearer {key}"} if key else {}
                answer = case.call(base_url=served.url, headers=headers, timeout=30, allow_redirects=False)
                made[role] += 1
                what = f"{role} {case.method} {case.path}"
                problem = judge(what, answer.status_code, answer.text, key, case.path)
                wrong.extend([problem] if problem else [])

            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                with suppress(
                    schemathesis.errors.SchemathesisError, Unsatisfiable
                ):  # of some nothing unfitting is made
                    each(operation.as_strategy(generation_mode=mode), examples, send)
    return made, wrong


def each(cases: Any, examples: int, send: Callable[[Any], None]) -> None:
    """So many cases, one after the other."""

    @settings(
        max_examples=examples,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def one(case: Any) -> None:
        send(case)

    one()


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_a_few_requests_of_every_operation_as_everybody(served: Served) -> None:
    made, wrong = fuzz(served, FEW)
    assert wrong == []
    assert set(made) == {"nobody", *ROLES}
    assert min(made.values()) > 60


@pytest.mark.nightly
@pytest.mark.timeout(7200)
def test_two_hundred_requests_of_every_operation_as_everybody(served: Served) -> None:
    _made, wrong = fuzz(served, MANY)
    assert wrong == []


def test_what_is_no_text_and_no_json(served: Served) -> None:
    wrong = []
    session = requests.Session()
    key = {"authorization": f"Bearer {served.keys['commander']}"}
    admin = {"authorization": f"Bearer {served.keys['admin']}"}
    for path, methods in served.document["paths"].items():
        for method in methods:
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


def test_the_judge_sees() -> None:
    assert judge("x", 500, "", "key", "/a")
    assert judge("x", 503, '{"code":"internal"}', "key", "/a")
    assert judge("x", 200, "[]", "", "/api/v1/tools")
    assert judge("x", 503, '{"rule":"search_unavailable"}', "key", "/a") == ""
    assert judge("x", 401, "", "", "/api/v1/tools") == ""
