"""`list_cameras`: the registry's cameras by area, state, kind, owner or name."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from matpho_contracts.ids import ShortId
from matpho_tools.contract import Call, Named, Produced, Tool
from matpho_tools.filters import MAX_LIST, Paging


class ListCamerasArguments(Paging):
    """Which cameras; `query` matches names and aliases, with or without Vietnamese marks."""

    areas: tuple[ShortId, ...] = Field(default=(), max_length=MAX_LIST)
    status: Literal["online", "offline", "degraded"] | None = None
    kind: Literal["fixed", "ptz"] | None = None
    owner: Literal["police", "local_authority", "shared_private"] | None = None
    query: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""


async def _run(call: Call[ListCamerasArguments]) -> Produced:
    wanted = call.arguments
    page = await call.center.cameras.list(
        call.scope,
        areas=wanted.areas,
        status=wanted.status,
        kind=wanted.kind,
        owner=wanted.owner,
        query=wanted.query or None,
        limit=wanted.limit,
        offset=wanted.offset,
    )
    return Produced(page, tuple(camera.id for camera in page.cameras))


TOOL = Tool(
    name="list_cameras",
    summary="List cameras by area, status, kind (fixed, ptz), owner or name.",
    arguments=ListCamerasArguments,
    action="list_cameras",
    run=_run,
    part_vi="danh mục camera",
    part_en="the camera registry",
    names=lambda arguments: Named(areas=arguments.areas),
    free_text=lambda arguments: (arguments.query,),
)
