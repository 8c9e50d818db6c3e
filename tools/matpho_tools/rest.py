"""The tools over HTTP: call one by name, list them all, and fetch the pictures and clips that results point at.

Every route brings the signed-in principal to the gateway and does nothing else; a picture is permitted and in the trail
like any other call.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from pydantic import BaseModel, StringConstraints

from matpho_contracts.errors import NotFoundError
from matpho_contracts.ids import ShortId
from matpho_platform.events.schemas import MAX_LIMIT
from matpho_platform.identity.schemas import RequestPage
from matpho_platform.incidents.outcomes import RuleRecords
from matpho_platform.incidents.rosters import DutyPage
from matpho_platform.notify.schemas import Board
from matpho_platform.proposals.schemas import Proposal
from matpho_platform.watches.schemas import NotificationPage, WatchPage
from matpho_platform.web.problems import declared
from matpho_platform.web.session import CurrentPrincipal
from matpho_tools.contract import Outcome, Tool, ToolResult
from matpho_tools.event_still import EventStill
from matpho_tools.feedback_photo import FeedbackPhoto
from matpho_tools.filters import MAX_OFFSET
from matpho_tools.find_similar_events import MAX_IMAGE_BASE64
from matpho_tools.gateway import Gateway
from matpho_tools.get_snapshot import Snapshot
from matpho_tools.list_notices import NoticeList
from matpho_tools.mosaic import mosaic
from matpho_tools.open_clip import ClipFile
from matpho_tools.open_evidence import EvidenceFile
from matpho_tools.registry import openai_schemas
from matpho_tools.submit_feedback import MAX_PHOTOS_BASE64

PREFIX = "/api/v1"
ProposalId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]
Offset = Annotated[int, Query(ge=0, le=MAX_OFFSET)]
Given = Annotated[dict[str, Any], Body()]
CHANNEL = "rest"
ROOM_FOR_THE_REST = 64 * 1024
BODY_LIMITS = {
    f"{PREFIX}/tools/submit_feedback": MAX_PHOTOS_BASE64 + ROOM_FOR_THE_REST,
    f"{PREFIX}/tools/find_similar_events": MAX_IMAGE_BASE64 + ROOM_FOR_THE_REST,
}
"""Bytes that the body of a call with pictures may have (for `create_app(body_limits=…)`)."""
STATUS = {
    Outcome.ANSWERED: 200,
    Outcome.CONFIRM: 202,
    Outcome.CLARIFY: 422,
    Outcome.DENIED: 403,
    Outcome.REFUSED: 403,
    Outcome.FAILED: 503,
}
Answers = dict[int | str, dict[str, Any]]
DONE: Answers = {200: {"model": ToolResult, "description": "What the tool found or did."}}
WAITS: Answers = {202: {"model": ToolResult, "description": "It waits for the caller's yes, as `data.proposal` shows."}}
ENDED = declared(
    {
        403: "Denied to this caller, or refused to everybody.",
        404: "There is no such thing within what the caller may see.",
        422: "A piece is missing, or not as it should be.",
        503: "A part does not answer; the answer says which.",
    },
    ToolResult,
)
"""How a call may end otherwise; the body is the ToolResult that says why, or a problem where no tool was reached."""
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

    for tool in gateway.tools.values():
        router.post(
            f"/tools/{tool.name}",
            summary=tool.summary,
            responses=DONE | ENDED | (WAITS if tool.prepare else {}),
            openapi_extra=_body(tool),
        )(_calling(gateway, tool.name))

    @router.post("/tools/{name}", responses=ENDED)
    async def call_unknown(name: str, principal: CurrentPrincipal, arguments: Given) -> JSONResponse:
        """A tool of any other name: there is none, and the try is in the trail."""
        return _answer(await gateway.call(principal, name, arguments, channel=CHANNEL))

    @router.get("/proposals")
    async def waiting(principal: CurrentPrincipal) -> list[Proposal]:
        """What waits for the caller's yes, newest first, from whatever channel it came."""
        return list(await gateway.waiting(principal))

    @router.post("/proposals/{proposal_id}", responses=DONE | ENDED)
    async def confirm(proposal_id: ProposalId, principal: CurrentPrincipal) -> JSONResponse:
        """The caller's yes to what waits: it runs, once, exactly as it was shown."""
        return _answer(await gateway.confirm(principal, proposal_id, channel=CHANNEL))

    @router.delete("/proposals/{proposal_id}", status_code=204)
    async def cancel(proposal_id: ProposalId, principal: CurrentPrincipal) -> None:
        """The caller's no; what waits no longer is no error."""
        await gateway.cancel(principal, proposal_id, channel=CHANNEL)

    @router.get("/watches", responses=_page(WatchPage))
    async def watches(principal: CurrentPrincipal) -> JSONResponse:
        """The caller's own watches that stand, newest first."""
        return _listed(await gateway.call(principal, "list_watches", {}, channel=CHANNEL))

    @router.delete("/watches/{watch_id}", responses=DONE | ENDED)
    async def end_watch(watch_id: str, principal: CurrentPrincipal) -> JSONResponse:
        """End one of the caller's own watches."""
        return _answer(await gateway.call(principal, "end_watch", {"watch_id": watch_id}, channel=CHANNEL))

    @router.get("/watches/notifications", responses=_page(NotificationPage))
    async def notifications(principal: CurrentPrincipal, limit: Limit = 20, offset: Offset = 0) -> JSONResponse:
        """What watches told the caller, the newest event first; what they may see no more is left out."""
        asked = {"limit": limit, "offset": offset}
        return _listed(await gateway.call(principal, "list_notifications", asked, channel=CHANNEL))

    @router.get("/notices", responses=_page(NoticeList))
    async def notices(principal: CurrentPrincipal, limit: Limit = 50) -> JSONResponse:
        """The caller's own notices, newest first; what is listed here has arrived."""
        return _listed(await gateway.call(principal, "list_notices", {"limit": limit}, channel=CHANNEL))

    @router.post("/notices/snooze/{subject}", responses=DONE | ENDED)
    async def snooze(subject: ShortId, principal: CurrentPrincipal) -> JSONResponse:
        """Put one's own notices about an incident, a camera or a watch off; critical ones go on."""
        return _answer(await gateway.call(principal, "snooze_notices", {"subject": subject}, channel=CHANNEL))

    @router.get("/notices/undelivered", responses=_page(Board))
    async def undelivered(principal: CurrentPrincipal, limit: Limit = 50) -> JSONResponse:
        """The duty board: alerts of the caller's areas that have reached nobody, the longest overdue first."""
        return _listed(await gateway.call(principal, "list_undelivered", {"limit": limit}, channel=CHANNEL))

    @router.get("/rules/false-alarms", responses=_page(RuleRecords))
    async def false_alarms(principal: CurrentPrincipal) -> JSONResponse:
        """The rules whose alarms were false in the last thirty days, camera by camera, the most first."""
        return _listed(await gateway.call(principal, "list_false_alarms", {}, channel=CHANNEL))

    @router.get("/roster", responses=_page(DutyPage))
    async def roster(principal: CurrentPrincipal) -> JSONResponse:
        """The duties that have not ended, within the caller's areas, by their start."""
        return _listed(await gateway.call(principal, "list_duties", {}, channel=CHANNEL))

    @router.delete("/roster/{duty_id}", responses=DONE | ENDED)
    async def end_duty(duty_id: str, principal: CurrentPrincipal) -> JSONResponse:
        """Take a duty off the roster; one is put on it by the tool `set_duty`."""
        return _answer(await gateway.call(principal, "end_duty", {"duty_id": duty_id}, channel=CHANNEL))

    @router.get("/identity-checks", responses=_page(RequestPage))
    async def identity_checks(
        principal: CurrentPrincipal, waiting: bool = False, limit: Limit = 20, offset: Offset = 0
    ) -> JSONResponse:
        """What the caller asked for or decided and what waits for them, or only that; newest first, subjects masked."""
        asked = {"waiting": waiting, "limit": limit, "offset": offset}
        return _listed(await gateway.call(principal, "list_identity_checks", asked, channel=CHANNEL))

    @router.get("/events/{event_id}/still", response_class=Response, responses=_file("image/jpeg"))
    async def still(event_id: str, principal: CurrentPrincipal) -> Response:
        """The still of an event, JPEG."""
        result, value = await gateway.media(principal, "event_still", {"event_id": event_id}, channel=CHANNEL)
        if not isinstance(value, EventStill):
            return _answer(result)
        return Response(value.jpeg, media_type="image/jpeg", headers=STILL_CACHE)

    @router.get("/feedback/{code}/photos/{number}", response_class=Response, responses=_file("image/jpeg"))
    async def photo(code: str, number: int, principal: CurrentPrincipal) -> Response:
        """A photo of a citizen's report, drawn anew (JPEG), for its owner and staff of its area."""
        asked = {"code": code, "number": number}
        result, value = await gateway.media(principal, "feedback_photo", asked, channel=CHANNEL)
        if not isinstance(value, FeedbackPhoto):
            return _answer(result)
        return Response(value.jpeg, media_type="image/jpeg", headers=PRIVATE)

    @router.get("/cameras/{camera_id}/snapshot", response_class=Response, responses=_file("image/jpeg"))
    async def snapshot(camera_id: str, principal: CurrentPrincipal) -> Response:
        """A still of the camera as it is now, JPEG, redacted as the role demands."""
        result, value = await gateway.media(principal, "get_snapshot", {"camera_id": camera_id}, channel=CHANNEL)
        if not isinstance(value, Snapshot):
            return _answer(result)
        jpeg = mosaic(value.jpeg) if result.data.get("redacted") else value.jpeg
        return Response(jpeg, media_type="image/jpeg", headers=PRIVATE)

    @router.get("/clips/{clip_id}", response_class=Response, responses=_file("video/mp4", ranges=True))
    async def clip(clip_id: str, request: Request, principal: CurrentPrincipal) -> Response:
        """A clip that `get_clip` fetched; answers Range requests, so that players can seek."""
        result, value = await gateway.media(principal, "open_clip", {"clip_id": clip_id}, channel=CHANNEL)
        if not isinstance(value, ClipFile):
            return _answer(result)
        return FileResponse(value.path, media_type="video/mp4", headers=PRIVATE)

    @router.get("/evidence/{package_id}", response_class=Response, responses=_file("application/zip", ranges=True))
    async def evidence(package_id: str, case_number: str, principal: CurrentPrincipal) -> Response:
        """A package that `export_evidence` made, ZIP; the case number is the one that it was made for."""
        arguments = {"package_id": package_id, "case_number": case_number}
        result, value = await gateway.media(principal, "open_evidence", arguments, channel=CHANNEL)
        if not isinstance(value, EvidenceFile):
            return _answer(result)
        name = f"{value.package_id}.zip"
        return FileResponse(value.path, media_type="application/zip", filename=name, headers=PRIVATE)

    return router


def _calling(gateway: Gateway, name: str) -> Callable[..., Awaitable[JSONResponse]]:
    """The endpoint of one tool."""

    async def call_tool(principal: CurrentPrincipal, arguments: Given) -> JSONResponse:
        """The body is the tool's arguments, the answer a ToolResult whatever happened."""
        return _answer(await gateway.call(principal, name, arguments, channel=CHANNEL))

    return call_tool


def _body(tool: Tool[Any]) -> dict[str, Any]:
    """A tool's arguments for the description of the API; the gateway, and nobody before it, holds calls to them."""
    schema = tool.arguments.model_json_schema()
    return {"requestBody": {"content": {"application/json": {"schema": _inlined(schema, schema.pop("$defs", {}))}}}}


def _inlined(value: Any, parts: dict[str, Any]) -> Any:
    """A schema with its named parts where they are spoken of: in the description of an API their names lead nowhere."""
    if isinstance(value, list):
        return [_inlined(item, parts) for item in value]
    if not isinstance(value, dict):
        return value
    plain = {key: _inlined(item, parts) for key, item in value.items() if key != "$ref"}
    return {**_inlined(parts[value["$ref"].rpartition("/")[2]], parts), **plain} if "$ref" in value else plain


def _file(kind: str, *, ranges: bool = False) -> Answers:
    """The answers of an endpoint that gives a file, in parts too where the server does that."""
    whole: Answers = {200: {"content": {kind: {}}, "description": "The file."}}
    part: Answers = {206: {"description": "A part of it."}, 416: {"description": "There is no such part."}}
    return whole | (part if ranges else {}) | ENDED


def _page(model: type[BaseModel]) -> Answers:
    """The answers of an endpoint that gives a list as its tool found it."""
    page: Answers = {200: {"model": model, "description": "A page of the list."}}
    return page | ENDED


def _listed(result: ToolResult) -> JSONResponse:
    """A list without its envelope; whatever else happened as every tool tells it."""
    answered = result.outcome is Outcome.ANSWERED
    return JSONResponse(result.data, headers=PRIVATE) if answered else _answer(result)


def _answer(result: ToolResult) -> JSONResponse:
    missing = result.outcome is Outcome.ANSWERED and not result.data and result.rule.endswith(NotFoundError.code)
    body: BaseModel = result
    return JSONResponse(body.model_dump(mode="json"), status_code=404 if missing else STATUS[result.outcome])
