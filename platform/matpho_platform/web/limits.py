"""Bounds on what a request may bring, before anything reads it."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from matpho_contracts.edge_api import BATCHES_PATH, MAX_CLIP_BYTES
from matpho_contracts.wire import MAX_BODY_BYTES

DEFAULT_BODY_BYTES = 1024 * 1024
AUTH_BODY_BYTES = 64 * 1024
BODY_BYTES: Mapping[str, int] = {
    BATCHES_PATH: MAX_BODY_BYTES,
    "/api/v1/edges/": MAX_CLIP_BYTES,
    "/api/v1/auth/": AUTH_BODY_BYTES,
}
"""Limit by path prefix; an endpoint may be stricter yet."""
_TOO_LARGE = b'{"code":"too_large","message":"The request is too large.","action":"Send less at once."}'


class BodyTooLargeError(Exception):
    """Raised into the application while it reads; never leaves this file."""


class BodyLimit:
    """ASGI middleware: refuses a body by its announced length, and cuts off one that says nothing and goes on."""

    def __init__(self, app: ASGIApp, limits: Mapping[str, int] | None = None) -> None:
        self._app = app
        self._limits = sorted({**BODY_BYTES, **(limits or {})}.items(), key=lambda item: -len(item[0]))

    def limit(self, path: str) -> int:
        """Bytes that a body to this path may have."""
        return next((size for prefix, size in self._limits if path.startswith(prefix)), DEFAULT_BODY_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self.limit(scope["path"])
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not announced.isdigit() or int(announced) > limit:
            await _refuse(send)
            return
        taken, started = 0, False

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                raise BodyTooLargeError
            return message

        async def judged(message: Message) -> None:
            """Whatever the application makes of a body that was cut off, the answer is ours."""
            nonlocal started
            if taken <= limit:
                started = True
                await send(message)
            elif not started:
                started = True
                await _refuse(send)

        try:
            await self._app(scope, counted, judged)
        except BodyTooLargeError:
            if not started:
                await _refuse(send)


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"application/problem+json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": _TOO_LARGE})
