"""`get_snapshot`: a still of a camera as it is now, fetched from its box."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from matpho_contracts.ids import ShortId
from matpho_contracts.times import AwareDatetime
from matpho_tools.contract import Arguments, Call, Named, Produced, Tool


class GetSnapshotArguments(Arguments):
    """Which camera."""

    camera_id: ShortId


class Snapshot(BaseModel):
    """A still picture: JPEG bytes (base64 in JSON), when it was taken, whether it was redacted for the role."""

    model_config = ConfigDict(frozen=True, ser_json_bytes="base64")

    camera_id: str
    captured_at: AwareDatetime
    jpeg: bytes
    redacted: bool = False


async def _run(call: Call[GetSnapshotArguments]) -> Produced:
    still = await call.center.media.snapshot(call.scope, call.arguments.camera_id)
    snapshot = Snapshot(camera_id=call.arguments.camera_id, captured_at=still.captured_at, jpeg=still.jpeg)
    return Produced(snapshot, (call.arguments.camera_id,))


TOOL = Tool(
    name="get_snapshot",
    summary="Take a still picture from one camera now.",
    arguments=GetSnapshotArguments,
    action="get_snapshot",
    run=_run,
    part_vi="camera hoặc hộp biên của nó",
    part_en="the camera or its edge box",
    names=lambda arguments: Named(camera_ids=(arguments.camera_id,)),
    deadline_s=20.0,
)
