"""What boxes call with events: one endpoint, authenticated by the signature in the body itself."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from matpho_contracts.edge_api import BATCHES_PATH, IntakeAnswer
from matpho_contracts.wire import CONTENT_TYPE
from matpho_platform.web.session import TheCenter

router = APIRouter(tags=["intake"])

_UPLOAD = {"requestBody": {"required": True, "content": {CONTENT_TYPE: {"schema": {"type": "string"}}}}}


@router.post(BATCHES_PATH, response_model=IntakeAnswer, openapi_extra=_UPLOAD)
async def batches(request: Request, center: TheCenter) -> Response:
    """Take an upload; the answer (edge_api.IntakeAnswer) means that it is on disk."""
    answer = await center.intake.receive(await request.body())
    return Response(answer.model_dump_json(), media_type="application/json")
