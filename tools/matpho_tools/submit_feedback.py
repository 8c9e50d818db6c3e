"""`submit_feedback`: files a citizen's report at once and gives its tracking code; asks only for what is missing."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from matpho_contracts.ids import ShortId
from matpho_platform.feedback.categories import category_named
from matpho_platform.feedback.errors import PhotoError, PlaceUnknownError
from matpho_platform.feedback.reencode import MAX_BYTES
from matpho_platform.feedback.schemas import MAX_PHOTOS, MAX_PLACE, MAX_TEXT, Latitude, Longitude, Place, Report
from matpho_tools.contract import Arguments, Call, MissingError, Produced, Tool

MAX_PHOTO_BASE64 = MAX_BYTES * 4 // 3 + 4
MAX_PHOTOS_BASE64 = 64 * 1024 * 1024
"""Of all photos of a report together: five of a good telephone; one alone may have MAX_PHOTO_BASE64."""
Photo = Annotated[str, StringConstraints(max_length=MAX_PHOTO_BASE64)]
PlaceWords = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_PLACE)]


class Coordinates(BaseModel):
    """A point, WGS 84 degrees."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lat: Latitude
    lon: Longitude


class SubmitFeedbackArguments(Arguments):
    """The report. `location` is coordinates or the citizen's words for the place; `photos` are base64 JPEG or PNG."""

    category: Annotated[str, StringConstraints(strip_whitespace=True, max_length=32)] | None = None
    """traffic, environment, infrastructure, security, fire_safety, flooding, noise, other; left out: from the text."""
    text: Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_TEXT)] = ""
    location: Coordinates | PlaceWords | None = None
    area: ShortId | None = None
    photos: tuple[Photo, ...] = Field(default=(), max_length=MAX_PHOTOS)
    anonymous: bool = False

    @field_validator("photos")
    @classmethod
    def _bounded(cls, photos: tuple[str, ...]) -> tuple[str, ...]:
        if sum(map(len, photos)) > MAX_PHOTOS_BASE64:
            raise ValueError("the photos are too large together; send fewer or smaller ones")
        return photos


async def _run(call: Call[SubmitFeedbackArguments]) -> Produced:
    wanted = call.arguments
    if not wanted.text:
        raise MissingError("text", "say what happened")
    report = Report(
        category=category_named(wanted.category) if wanted.category else None,
        text=wanted.text,
        place=_place(wanted),
        photos=tuple(map(_decoded, wanted.photos)),
        anonymous=wanted.anonymous,
    )
    try:
        filed = await call.center.feedback.submit(call.principal, report, at=call.now, key=call.key)
    except PlaceUnknownError as error:
        raise MissingError("area", "say in which ward or commune it is") from error
    except PhotoError as error:
        raise MissingError("photos", error.message) from error
    return Produced(filed, (filed.code,))


def _place(wanted: SubmitFeedbackArguments) -> Place:
    if isinstance(wanted.location, Coordinates):
        return Place(lat=wanted.location.lat, lon=wanted.location.lon, area=wanted.area)
    return Place(area=wanted.area, words=wanted.location or "")


def _decoded(photo: str) -> bytes:
    try:
        return base64.b64decode(photo.split(",", 1)[-1], validate=True)
    except (binascii.Error, ValueError) as error:
        raise MissingError("photos", "a photo is not base64") from error


TOOL = Tool(
    name="submit_feedback",
    summary="File a citizen's report (what, where, photos, anonymous or not); gives a tracking code.",
    arguments=SubmitFeedbackArguments,
    action="submit_feedback",
    run=_run,
    part_vi="bộ phận tiếp nhận phản ánh",
    part_en="the report desk",
    nameless=lambda arguments: arguments.anonymous,
    deadline_s=60.0,
)
