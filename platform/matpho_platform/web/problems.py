"""Errors as problem JSON: `{code, message, action}` with the status the error bears; nothing of our insides."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from matpho_contracts.errors import MatphoError
from matpho_platform.access.errors import TooManyTriesError

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """What went wrong and what to do about it."""

    code: str
    message: str
    action: str


def declared(texts: Mapping[int, str], model: type[BaseModel] | None = None) -> dict[int | str, dict[str, Any]]:
    """Statuses with what they mean, for the description of the API: a problem each, or else the `model`."""
    content = {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}
    also: dict[str, Any] = {"model": model} if model else {}
    return {status: {"description": text, "content": content, **also} for status, text in texts.items()}


DECLARED = declared(
    {
        401: "Not signed in.",
        403: "Not for this person, or refused to everybody.",
        404: "There is no such thing within what the caller may see.",
        413: "Too large.",
        422: "A piece is missing, or not as it should be.",
        503: "A part does not answer; the answer says which.",
        507: "There is no room left; nothing was kept.",
    }
)
"""What any endpoint may answer besides its own, for the description of the API."""

_log = structlog.get_logger(__name__)


def problem(status: int, code: str, message: str, action: str = "") -> JSONResponse:
    """One answer of this shape."""
    body = {"code": code, "message": message, "action": action}
    return JSONResponse(body, status_code=status, media_type=MEDIA_TYPE)


async def _ours(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, MatphoError):
        raise error
    answer = problem(error.status, error.code, error.message, error.action)
    if isinstance(error, TooManyTriesError):
        answer.headers["retry-after"] = str(error.wait_s)
    return answer


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    """What is wrong with a request, without saying its values again: they may be secrets."""
    first = error.errors()[0] if isinstance(error, RequestValidationError) and error.errors() else {}
    where = ".".join(str(part) for part in first.get("loc", ()))
    return problem(422, "bad_input", f"{where}: {first.get('msg', 'not as it should be')}.")


async def _http(_request: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    names = {404: ("not_found", "There is nothing here."), 405: ("method", "This cannot be done here.")}
    code, message = names.get(status, ("http", "The request cannot be served."))
    return problem(status, code, message)


class Unforeseen:
    """ASGI middleware: an exception that nobody foresaw is logged and answered without its words."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception:
            if scope["type"] != "http" or started:
                raise
            _log.error("request_failed", path=scope["path"], trace=traceback.format_exc())
            answer = problem(500, "internal", "Something went wrong here; it is in the log.", "Try again later.")
            await answer(scope, receive, send)


def add_problem_handlers(app: FastAPI) -> None:
    """Every error of the app becomes such an answer."""
    app.add_exception_handler(MatphoError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
