"""A photo of a citizen's report as a tool that pages use; models do not see it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from matpho_platform.feedback.schemas import MAX_PHOTOS
from matpho_tools.contract import Arguments, Call, Produced, Tool
from matpho_tools.feedback_status import Code


class FeedbackPhotoArguments(Arguments):
    """Which report, and which of its photos, counted from 1."""

    code: Code
    number: Annotated[int, Field(ge=1, le=MAX_PHOTOS)] = 1


class FeedbackPhoto(BaseModel):
    """The photo as it was drawn anew, JPEG; never the bytes that came."""

    model_config = ConfigDict(frozen=True, ser_json_bytes="base64")

    code: str
    number: int
    jpeg: bytes


async def _run(call: Call[FeedbackPhotoArguments]) -> Produced:
    wanted = call.arguments
    jpeg = await call.center.feedback.photo(call.principal, wanted.code, wanted.number, at=call.now)
    return Produced(FeedbackPhoto(code=wanted.code, number=wanted.number, jpeg=jpeg), (wanted.code,))


TOOL = Tool(
    name="feedback_photo",
    summary="A photo of a citizen's report.",
    arguments=FeedbackPhotoArguments,
    action="feedback_status",
    run=_run,
    part_vi="kho ảnh",
    part_en="the picture store",
    exposed=False,
)
