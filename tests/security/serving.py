"""The whole application on loopback with a city behind it, and a signed-in session of every role."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from matpho.eval.attacker_arguments import Things
from matpho.eval.attacker_city import attacked_city
from matpho.eval.world import Stages
from matpho_agent.channels.mcp import McpAddress, McpServer
from matpho_agent.channels.web import PAGES, chat_router
from matpho_contracts.times import now
from matpho_platform.access.principal import Role
from matpho_platform.center import Center
from matpho_platform.web.app import create_app
from matpho_platform.web.session import COOKIE
from matpho_tools.rest import BODY_LIMITS, tools_router

NOBODY, PROGRAM = "nobody", "program"
USERS = {
    "citizen": "cit-1", "officer": "off-an", "investigator": "inv-an", "commander": "com-1", "leader": "lea-1",
    "auditor": "aud-1", "admin": "adm-1",
}  # fmt: skip
CALLERS = (NOBODY, PROGRAM, *USERS)
"""Nobody, a commander's API token, and a person of every role who just showed a second factor."""


@dataclass
class Served:
    """Where the application is, how it describes itself, what there is in it, and who may knock."""

    url: str = ""
    document: dict[str, Any] = field(default_factory=dict)
    things: Things = field(default_factory=lambda: Things(attacked_city(), 0))
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _center: Center | None = None
    _token: str = ""
    _headers: dict[str, dict[str, str]] = field(default_factory=dict)

    def headers(self, caller: str, *, fresh: bool = False) -> dict[str, str]:
        """What a caller's requests bear; `fresh` opens a new session, as after signing out."""
        if caller == NOBODY:
            return {}
        if caller == PROGRAM:
            return {"Authorization": f"Bearer {self._token}"}
        if fresh or caller not in self._headers:
            opening = asyncio.run_coroutine_threadsafe(self._signed_in(caller), self._loop)
            self._headers[caller] = {"Cookie": f"{COOKIE}={opening.result(30)}", "Origin": self.url}
        return self._headers[caller]

    async def _signed_in(self, caller: str) -> str:
        assert self._center is not None
        shown = None if caller == Role.CITIZEN.value else now()
        sessions = self._center.accounts.sessions
        return (await sessions.open(USERS[caller], Role(caller), full=True, mfa_at=shown)).token

    async def application(self, stack: AsyncExitStack) -> FastAPI:
        """The whole application over a filled city."""
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="matpho-served-"))
        stages = Stages(attacked_city(), Path(folder), None)
        await stages.build()
        stage = await stack.enter_async_context(stages.fresh())
        self._center = center = stage.center
        mcp = McpServer(stage.gateway, center.accounts.principal, McpAddress("http://test", "http://test"))
        routers = [tools_router(stage.gateway), chat_router(stage.assistant), mcp.router()]
        self._token = await center.accounts.issue_token(USERS["commander"], "fuzz")
        return create_app(center, routers, [mcp.lifespan], pages=PAGES, body_limits=BODY_LIMITS)

    async def _serve(self, ready: threading.Event, stop: asyncio.Event) -> None:
        async with AsyncExitStack() as stack:
            app = await self.application(stack)
            self.document = app.openapi()
            server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical"))
            running = asyncio.create_task(server.serve())
            while not server.started:  # noqa: ASYNC110 # uvicorn offers no event to wait for
                await asyncio.sleep(0.02)
            self.url = f"http://localhost:{server.servers[0].sockets[0].getsockname()[1]}"
            ready.set()
            await stop.wait()
            server.should_exit = True
            await running

    @contextmanager
    def running(self) -> Iterator[Served]:
        """Serves in a thread of its own, for clients that wait."""
        ready, stop = threading.Event(), asyncio.Event()
        serving = self._serve(ready, stop)
        thread = threading.Thread(target=lambda: self._loop.run_until_complete(serving), daemon=True)
        thread.start()
        assert ready.wait(60), "the application did not start"
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(stop.set)
            thread.join(30)
            self._loop.close()
