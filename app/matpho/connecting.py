"""Reaching an installation from the command line: the running center's socket, else the same API opened in process."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from matpho.home import Home
from matpho_contracts.errors import MatphoError, UnavailableError

CALL_SECONDS = 120.0
"""A question or a check of the whole store may take its time."""
_BASE = "http://matpho"


class RemoteError(MatphoError):
    """What the center answered with, as it said it."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        super().__init__(str(document.get("message", "The center refused.")), action=str(document.get("action", "")))
        self.code = str(document.get("code", "error"))  # type: ignore[misc]  # the center's code, not a class's
        self.exit_code = int(document.get("exit_code", 1))  # type: ignore[misc]


class Operator:
    """Calls of the operator API, whichever way it is reached."""

    def __init__(self, client: httpx2.AsyncClient, *, running: bool) -> None:
        self._client = client
        self.running = running
        """Whether a center was running already."""

    async def get(self, path: str) -> Any:
        """The JSON answer of a GET."""
        return await self._send("GET", path, None)

    async def post(self, path: str, document: Mapping[str, Any] | None = None) -> Any:
        """The JSON answer of a POST; raises RemoteError with the center's own words."""
        return await self._send("POST", path, document or {})

    async def _send(self, method: str, path: str, document: Mapping[str, Any] | None) -> Any:
        try:
            response = await self._client.request(method, path, json=document)
        except httpx2.HTTPError as error:
            raise UnavailableError("The center did not answer.", action="Is it still running?") from error
        answer = response.json()
        if response.is_error:
            raise RemoteError(answer if isinstance(answer, Mapping) else {})
        return answer


def center_is_running(home: Home) -> bool:
    """Whether somebody listens on the home's socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(home.operator_socket))
        except OSError:
            return False
    return True


@asynccontextmanager
async def connect(home: Home) -> AsyncIterator[Operator]:
    """The installation's operator API; opens the installation in this process when no center runs."""
    if center_is_running(home):
        transport: httpx2.AsyncBaseTransport = httpx2.AsyncHTTPTransport(uds=str(home.operator_socket))
        async with httpx2.AsyncClient(transport=transport, base_url=_BASE, timeout=CALL_SECONDS) as client:
            yield Operator(client, running=True)
        return
    from matpho.installation import open_installation
    from matpho.operator import create_operator

    async with open_installation(home) as installation:
        transport = httpx2.ASGITransport(create_operator(installation))
        async with httpx2.AsyncClient(transport=transport, base_url=_BASE, timeout=CALL_SECONDS) as client:
            yield Operator(client, running=False)
