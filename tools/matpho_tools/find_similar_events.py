"""`find_similar_events`: events whose picture looks like another event's or an uploaded one's; never a face search."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from pydantic import StringConstraints, model_validator

from matpho_contracts.errors import BadInputError
from matpho_contracts.ids import EventId
from matpho_tools.contract import Call, Produced, Tool
from matpho_tools.filters import FilterArguments, Paging
from matpho_tools.resources import event_resources

MAX_IMAGE_BASE64 = 8 * 1024 * 1024
"""About 6 MiB of JPEG: a full-size photograph."""


class FindSimilarArguments(FilterArguments, Paging):
    """Either `event_id` or `image` (base64 JPEG), with the same filters as a search."""

    event_id: EventId | None = None
    image: Annotated[str, StringConstraints(max_length=MAX_IMAGE_BASE64)] | None = None

    @model_validator(mode="after")
    def _one(self) -> FindSimilarArguments:
        if (self.event_id is None) == (self.image is None):
            raise ValueError("give exactly one of event_id and image")
        return self


def _decode(image: str) -> bytes:
    try:
        raw = base64.b64decode(image, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadInputError("The image is not base64.") from error
    if not raw.startswith(b"\xff\xd8\xff"):
        raise BadInputError("The image is not a JPEG.", action="Send a JPEG photograph.")
    return raw


async def _run(call: Call[FindSimilarArguments]) -> Produced:
    wanted = call.arguments
    like: str | bytes = wanted.event_id if wanted.event_id is not None else _decode(wanted.image or "")
    page = await call.center.events.similar(
        call.scope, like, wanted.event_filter(), limit=wanted.limit, offset=wanted.offset
    )
    return Produced(page, tuple(hit.id for hit in page.hits))


TOOL = Tool(
    name="find_similar_events",
    summary="Find events that look like a given event (objects and scenes, never a person's face).",
    arguments=FindSimilarArguments,
    action="find_similar_events",
    run=_run,
    part_vi="kho véc-tơ",
    part_en="the vector index",
    names=FindSimilarArguments.named,
    about=lambda center, arguments: event_resources(center, (arguments.event_id,) if arguments.event_id else ()),
    deadline_s=15.0,
)
