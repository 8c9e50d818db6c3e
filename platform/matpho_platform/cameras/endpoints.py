"""What boxes call: enrolment, status, commands and their answers."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import ValidationError

from matpho_contracts.edge_api import (
    MAX_COMMAND_WAIT_S,
    CommandFailure,
    CommandList,
    EnrolAnswer,
    EnrolRequest,
    StatusReport,
)
from matpho_contracts.errors import BadInputError, NotFoundError
from matpho_platform.cameras.errors import UnknownKeyError
from matpho_platform.cameras.signed import NonceMemory, signed_edge
from matpho_platform.web.problems import declared
from matpho_platform.web.session import TheCenter

MAX_STATUS_BYTES = 1024 * 1024
"""500 cameras with health and presets fit twice."""
SMALL_ANSWER_BYTES = 8 * 1024 * 1024
LARGE_ANSWERS_AT_ONCE = 3
"""Clips are held in memory while their signature is checked."""

_ANSWERS = declared({409: "This very request was made before.", 429: "Too much waits already."})


class AnswerNotWantedError(NotFoundError):
    """Nobody waits for this answer (any more)."""

    code = "answer_not_wanted"


class AnswerTooLargeError(BadInputError):
    """The body is larger than what was asked for can be."""

    code = "too_large"
    status = 413


def edge_router() -> APIRouter:
    """A router with its own memory of nonces."""
    router = APIRouter(prefix="/api/v1/edges", tags=["edges"], responses=_ANSWERS)
    nonces = NonceMemory()
    large = asyncio.Semaphore(LARGE_ANSWERS_AT_ONCE)

    @router.post("/enrol")
    async def enrol(said: EnrolRequest, center: TheCenter) -> EnrolAnswer:
        """Bind a box's key by its one-time token."""
        return await center.edges.enrol(said)

    @router.put("/{edge_id}/status", status_code=204, openapi_extra=_body("application/json"))
    async def status(edge_id: str, request: Request, center: TheCenter) -> None:
        """Take a heartbeat."""
        body = await _bounded(request, MAX_STATUS_BYTES)
        key = await signed_edge(request, edge_id, body, center.edges, nonces)
        try:
            report = StatusReport.model_validate_json(body)
        except ValidationError as error:
            raise BadInputError("The status report is not of the contract.") from error
        if report.edge_id != edge_id:
            raise UnknownKeyError("The report is about another box.")
        await center.registry.report(report, key)

    @router.get("/{edge_id}/commands")
    async def commands(
        edge_id: str,
        request: Request,
        center: TheCenter,
        wait: Annotated[int, Query(ge=0, le=MAX_COMMAND_WAIT_S)] = MAX_COMMAND_WAIT_S,
    ) -> CommandList:
        """What waits for the box; held open until something does."""
        await signed_edge(request, edge_id, b"", center.edges, nonces)
        return CommandList(commands=await center.commands.wait(edge_id, wait))

    @router.post("/{edge_id}/results/{command_id}", status_code=204, openapi_extra=_body("application/octet-stream"))
    async def result(edge_id: str, command_id: str, request: Request, center: TheCenter) -> Response:
        """Take an answer; its size is bounded by what was asked, before it is read."""
        limit = center.commands.answer_limit(edge_id, command_id)
        if not limit:
            raise AnswerNotWantedError("Nobody waits for this answer.")
        if limit <= SMALL_ANSWER_BYTES:
            body = await _bounded(request, limit)
            await signed_edge(request, edge_id, body, center.edges, nonces)
        else:
            async with large:
                body = await _bounded(request, limit)
                await signed_edge(request, edge_id, body, center.edges, nonces)
        if not center.commands.answer(edge_id, command_id, _answer(request, body)):
            raise AnswerNotWantedError("Nobody waits for this answer any more.")
        return Response(status_code=204)

    return router


def _body(kind: str) -> dict[str, Any]:
    """What the description of the API says of a body whose signature is checked before it is read."""
    return {"requestBody": {"required": True, "content": {kind: {"schema": {"type": "string"}}}}}


async def _bounded(request: Request, limit: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise AnswerTooLargeError(f"The body has more than {limit} bytes.")
    return bytes(body)


def _answer(request: Request, body: bytes) -> bytes | CommandFailure:
    if not request.headers.get("content-type", "").startswith("application/json"):
        return body
    try:
        return CommandFailure.model_validate_json(body)
    except ValidationError as error:
        raise BadInputError("The failure is not of the contract.") from error
