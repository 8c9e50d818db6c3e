"""The tools over HTTP: call one by name, list them all, and fetch the pictures and clips that results point at.

Every route brings the signed-in principal to the gateway and does nothing else; a picture is permitted and in the trail
like any other call.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from pydantic import BaseModel, StringConstraints

from matpho_contracts.errors import NotFoundError
from matpho_platform.proposals.schemas import Proposal
from matpho_platform.web.session import CurrentPrincipal
from matpho_tools.contract import Outcome, ToolResult
from matpho_tools.event_still import EventStill
from matpho_tools.feedback_photo import FeedbackPhoto
from matpho_tools.find_similar_events import MAX_IMAGE_BASE64
from matpho_tools.gateway import Gateway
from matpho_tools.get_snapshot import Snapshot
from matpho_tools.mosaic import mosaic
from matpho_tools.open_clip import ClipFile
from matpho_tools.open_evidence import EvidenceFile
from matpho_tools.registry import openai_schemas

PREFIX = "/api/v1"
ProposalId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
CHANNEL = "rest"
BODY_LIMITS = {f"{PREFIX}/tools/": MAX_IMAGE_BASE64 + 64 * 1024}
"""Bytes that a tool call's body may have: an uploaded picture and its filters (for `create_app(body_limits=…)`)."""
STATUS = {
    Outcome.ANSWERED: 200,
    Outcome.CONFIRM: 202,
    Outcome.CLARIFY: 422,
    Outcome.DENIED: 403,
    Outcome.REFUSED: 403,
    Outcome.FAILED: 503,
}
PRIVATE = {"cache-control": "private, no-store"}
STILL_CACHE = {"cache-control": "private, max-age=300"}
"""An event's still never changes; the reader's own browser may keep it for a while."""


def tools_router(gateway: Gateway) -> APIRouter:
    """The routes of a gateway."""
    router = APIRouter(prefix=PREFIX, tags=["tools"])

    @router.get("/tools")
    async def list_tools(_principal: CurrentPrincipal) -> list[dict[str, Any]]:
        """Every tool in the form that OpenAI-compatible models take."""
        return openai_schemas()

    @router.post("/tools/{name}")
    async def call_tool(name: str, principal: CurrentPrincipal, arguments: dict[str, Any] = Body()) -> JSONResponse:  # noqa: B008 # FastAPI reads its default
        """Call a tool; the body is its arguments, the answer a ToolResult whatever happened."""
        return _answer(await gateway.call(principal, name, arguments, channel=CHANNEL))

    @router.get("/proposals")
    async def waiting(principal: CurrentPrincipal) -> list[Proposal]:
        """What waits for the caller's yes, newest first, from whatever channel it came."""
        return list(await gateway.waiting(principal))

    @router.post("/proposals/{proposal_id}")
    async def confirm(proposal_id: ProposalId, principal: CurrentPrincipal) -> JSONResponse:
        """The caller's yes to what waits: it runs, once, exactly as it was shown."""
        return _answer(await gateway.confirm(principal, proposal_id, channel=CHANNEL))

    @router.delete("/proposals/{proposal_id}", status_code=204)
    async def cancel(proposal_id: ProposalId, principal: CurrentPrincipal) -> None:
        """The caller's no; what waits no longer is no error."""
        await gateway.cancel(principal, proposal_id, channel=CHANNEL)

    @router.get("/events/{event_id}/still", response_class=Response)
    async def still(event_id: str, principal: CurrentPrincipal) -> Response:
        """The still of an event, JPEG."""
        result, value = await gateway.media(principal, "event_still", {"event_id": event_id}, channel=CHANNEL)
        if not isinstance(value, EventStill):
            return _answer(result)
        return Response(value.jpeg, media_type="image/jpeg", headers=STILL_CACHE)

    @router.get("/feedback/{code}/photos/{number}", response_class=Response)
    async def photo(code: str, number: int, principal: CurrentPrincipal) -> Response:
        """A photo of a citizen's report, drawn anew (JPEG), for its owner and staff of its area."""
        asked = {"code": code, "number": number}
        result, value = await gateway.media(principal, "feedback_photo", asked, channel=CHANNEL)
        if not isinstance(value, FeedbackPhoto):
            return _answer(result)
        return Response(value.jpeg, media_type="image/jpeg", headers=PRIVATE)

    @router.get("/cameras/{camera_id}/snapshot", response_class=Response)
    async def snapshot(camera_id: str, principal: CurrentPrincipal) -> Response:
        """A still of the camera as it is now, JPEG, redacted as the role demands."""
        result, value = await gateway.media(principal, "get_snapshot", {"camera_id": camera_id}, channel=CHANNEL)
        if not isinstance(value, Snapshot):
            return _answer(result)
        jpeg = mosaic(value.jpeg) if result.data.get("redacted") else value.jpeg
        return Response(jpeg, media_type="image/jpeg", headers=PRIVATE)

    @router.get("/clips/{clip_id}", response_class=Response)
    async def clip(clip_id: str, request: Request, principal: CurrentPrincipal) -> Response:
        """A clip that `get_clip` fetched; answers Range requests, so that players can seek."""
        result, value = await gateway.media(principal, "open_clip", {"clip_id": clip_id}, channel=CHANNEL)
        if not isinstance(value, ClipFile):
            return _answer(result)
        return FileResponse(value.path, media_type="video/mp4", headers=PRIVATE)

    @router.get("/evidence/{package_id}", response_class=Response)
    async def evidence(package_id: str, case_number: str, principal: CurrentPrincipal) -> Response:
        """A package that `export_evidence` made, ZIP; the case number is the one that it was made for."""
        arguments = {"package_id": package_id, "case_number": case_number}
        result, value = await gateway.media(principal, "open_evidence", arguments, channel=CHANNEL)
        if not isinstance(value, EvidenceFile):
            return _answer(result)
        name = f"{value.package_id}.zip"
        return FileResponse(value.path, media_type="application/zip", filename=name, headers=PRIVATE)

    return router


def _answer(result: ToolResult) -> JSONResponse:
    missing = result.outcome is Outcome.ANSWERED and not result.data and result.rule.endswith(NotFoundError.code)
    body: BaseModel = result
    return JSONResponse(body.model_dump(mode="json"), status_code=404 if missing else STATUS[result.outcome])
