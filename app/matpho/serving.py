"""Serving an open installation: the web for people and boxes on TCP, the operator API on a socket of the owner's."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from matpho.connecting import center_is_running
from matpho.home import Home
from matpho.installation import Installation, open_installation
from matpho.operator import create_operator
from matpho.private_files import write_private
from matpho_agent.channels.mcp import McpAddress, McpServer
from matpho_agent.channels.web import PAGES, chat_router
from matpho_contracts.errors import MatphoError
from matpho_platform.web.app import create_app
from matpho_tools.rest import BODY_LIMITS, tools_router

GRACE_SECONDS = 3
"""How long open streams may finish when the center stops."""


class PortTakenError(MatphoError):
    """The address to listen on cannot be had."""

    code = "port_taken"
    exit_code = 2


class AlreadyRunningError(MatphoError):
    """Another center serves this home."""

    code = "already_running"
    exit_code = 2


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handling (one place decides when all stop), and with a word when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket; raises PortTakenError in one clear sentence."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError as error:
        made.close()
        why = "is taken by another program" if error.errno == 98 else f"cannot be used ({error.strerror})"
        raise PortTakenError(
            f"Port {port} on {host} {why}.", action="Stop that program, or give another --port."
        ) from None
    made.listen(128)
    made.setblocking(False)
    return made


def _listen_for_owner(path: Path) -> socket.socket:
    """A Unix socket that only the owner can open; what a killed center left behind is removed."""
    path.unlink(missing_ok=True)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        made.bind(str(path))
    finally:
        os.umask(before)
    made.listen(16)
    made.setblocking(False)
    return made


def web_app(installation: Installation) -> FastAPI:
    """The web of an installation: the center's API, the tools, the chat and its page, tools for other assistants."""
    center, url = installation.center, installation.url or "http://localhost"
    mcp = McpServer(installation.gateway, center.accounts.principal, McpAddress(url, url))
    routers = [tools_router(installation.gateway), chat_router(installation.assistant), mcp.router()]
    return create_app(center, routers, [mcp.lifespan], pages=PAGES, body_limits=BODY_LIMITS)


@asynccontextmanager
async def running(app: FastAPI, sock: socket.socket) -> AsyncIterator[None]:
    """Serve an app on a socket while the block runs."""
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=GRACE_SECONDS, server_header=False
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[sock]))
    up = asyncio.create_task(server.up.wait())
    try:
        await asyncio.wait({task, up}, return_when=asyncio.FIRST_COMPLETED)
        yield
    finally:
        server.should_exit = True
        up.cancel()
        await task


@asynccontextmanager
async def serve_owner(installation: Installation) -> AsyncIterator[None]:
    """The operator API on the home's socket while the block runs."""
    path = installation.home.operator_socket
    sock = _listen_for_owner(path)
    try:
        async with running(create_operator(installation), sock):
            yield
    finally:
        path.unlink(missing_ok=True)


async def write_first_token(installation: Installation) -> bool:
    """On the first start, the one-time token of the first administrator, in a file for the owner alone.

    Returns whether it waits there to be used; the file goes once an administrator can sign in.
    """
    path, administration = installation.home.first_token, installation.center.administration
    if not await administration.needs_first():
        path.unlink(missing_ok=True)
        return False
    token = await administration.first_token()
    if token is not None:
        write_private(path, f"{token}\n")
    return path.exists()


async def serve(home: Home, *, port: int | None, ready: Callable[[str], None], first_run: bool = True) -> None:
    """Serve until SIGTERM or SIGINT; calls `ready` with the address once everything answers.

    With `first_run` a new installation says where the token for its first administrator is.
    """
    if center_is_running(home):
        raise AlreadyRunningError(f"A center is already running in {home.root}.", action="Stop it first.")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    async with open_installation(home, follow=True) as installation:
        web = installation.settings.web
        sock = listen(web.host, web.port if port is None else port)
        host = f"[{web.host}]" if ":" in web.host else web.host
        installation.url = f"http://{host}:{sock.getsockname()[1]}"
        async with running(web_app(installation), sock), serve_owner(installation):
            ready(installation.url)
            if first_run and await write_first_token(installation):
                print(f"No administrator yet. Open {installation.url}; the one-time token is in {home.first_token}")
            await stop.wait()
