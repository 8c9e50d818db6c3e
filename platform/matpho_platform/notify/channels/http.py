"""HTTP to gateways and platforms: limits of time and size, no redirects, no proxies, no secret in errors or logs."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any

import httpx2

from matpho_platform.notify.errors import RefusedError, SendError

TIMEOUT_S = 8.0
CONNECT_S = 3.0
MAX_ANSWER_BYTES = 64 * 1024
MAX_RETRY_S = 300.0
_TOO_MANY = 429
_RETRY = frozenset({408, 425, _TOO_MANY})
_SERVER = 500
logging.getLogger("httpx2").addFilter(lambda record: "/bot" not in record.getMessage())
"""The library logs every address, and those of bots contain their tokens."""


class Answer:
    """What came back: status, headers, bytes; an address with a token in it is never part of it."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def good(self) -> bool:
        """Whether the status is of the 200s."""
        return 200 <= self.status < 300

    def document(self) -> dict[str, Any]:
        """The JSON object of the body, or an empty one."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def retry_after_s(self) -> float:
        """What `Retry-After` asks for, in seconds, within bounds; 0 where it says nothing we read."""
        said = self.headers.get("retry-after", "")
        return min(float(said), MAX_RETRY_S) if said.isdigit() else 0.0

    def check(self) -> None:
        """Return for a good status; raises SendError where another try may serve, RefusedError else."""
        if self.good:
            return
        if self.status in _RETRY or self.status >= _SERVER:
            raise SendError(f"status {self.status}", retry_after_s=self.retry_after_s())
        raise RefusedError(f"status {self.status}")


class Http:
    """One client; connections are kept."""

    def __init__(self, *, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._client = httpx2.AsyncClient(
            timeout=httpx2.Timeout(timeout_s, connect=min(CONNECT_S, timeout_s)),
            follow_redirects=False,
            trust_env=False,
        )

    async def post(
        self,
        url: str,
        *,
        content: bytes | None = None,
        form: Mapping[str, str] | None = None,
        files: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Post; raises SendError where nothing came back that can be read."""
        asked = self._client.stream(
            "POST", url, content=content, data=dict(form) if form is not None else None, files=files,
            headers=dict(headers or {}),
        )  # fmt: skip
        try:
            async with asyncio.timeout(self._timeout_s), asked as response:
                body = bytearray()
                async for piece in response.aiter_bytes():
                    body += piece
                    if len(body) > MAX_ANSWER_BYTES:
                        raise SendError("the answer is too long")
                return Answer(response.status_code, dict(response.headers), bytes(body))
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, TimeoutError) as error:
            raise SendError(type(error).__name__) from None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
