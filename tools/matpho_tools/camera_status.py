"""`camera_status`: whether one camera works, since when, and how good its picture is."""

from __future__ import annotations

from matpho_contracts.ids import ShortId
from matpho_tools.contract import Arguments, Call, Named, Produced, Tool


class CameraStatusArguments(Arguments):
    """Which camera."""

    camera_id: ShortId


async def _run(call: Call[CameraStatusArguments]) -> Produced:
    status = await call.center.cameras.status(call.scope, call.arguments.camera_id)
    return Produced(status, (call.arguments.camera_id,))


TOOL = Tool(
    name="camera_status",
    summary="Tell whether one camera is online, since when, its frame rate, last frame, image quality and box.",
    arguments=CameraStatusArguments,
    action="camera_status",
    run=_run,
    part_vi="danh mục camera",
    part_en="the camera registry",
    names=lambda arguments: Named(camera_ids=(arguments.camera_id,)),
)
