"""The file of a clip that `get_clip` fetched, for players; models do not see it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from matpho_tools.contract import Arguments, Call, Produced, Tool

ClipId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$")]


class OpenClipArguments(Arguments):
    """Which clip."""

    clip_id: ClipId


class ClipFile(BaseModel):
    """Where the clip lies at the center; never leaves the server."""

    model_config = ConfigDict(frozen=True)

    clip_id: str
    path: str


async def _run(call: Call[OpenClipArguments]) -> Produced:
    path = await call.center.media.open_clip(call.scope, call.arguments.clip_id)
    return Produced(ClipFile(clip_id=call.arguments.clip_id, path=str(path)), (call.arguments.clip_id,))


TOOL = Tool(
    name="open_clip",
    summary="The file of a fetched clip.",
    arguments=OpenClipArguments,
    action="get_clip",
    run=_run,
    part_vi="kho video",
    part_en="the clip store",
    exposed=False,
)
