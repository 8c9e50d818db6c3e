"""`get_clip`: a stretch of recorded video, fetched on demand from the recorder of the camera's box."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, model_validator

from matpho_contracts.ids import EventId, ShortId
from matpho_contracts.times import AwareDatetime
from matpho_tools.contract import Arguments, Call, Named, Produced, Tool
from matpho_tools.resources import event_resources

MAX_CLIP = timedelta(minutes=10)
"""The longest clip of the tool contract."""


class GetClipArguments(Arguments):
    """Either `event_id`, or `camera_id` with `time_from` and `time_to` (at most ten minutes apart)."""

    event_id: EventId | None = None
    camera_id: ShortId | None = None
    time_from: AwareDatetime | None = None
    time_to: AwareDatetime | None = None

    @model_validator(mode="after")
    def _one_way(self) -> GetClipArguments:
        if self.event_id is not None:
            if self.camera_id or self.time_from or self.time_to:
                raise ValueError("give event_id alone, or camera_id with time_from and time_to")
            return self
        if self.camera_id is None or self.time_from is None or self.time_to is None:
            raise ValueError("give event_id, or camera_id with time_from and time_to")
        if not timedelta(0) < self.time_to - self.time_from <= MAX_CLIP:
            raise ValueError("a clip is longer than nothing and at most ten minutes")
        return self


class ClipReference(BaseModel):
    """Where the clip can be played: a path of this center, with the stretch it covers."""

    model_config = ConfigDict(frozen=True)

    clip_id: str
    camera_id: str | None = None
    event_id: str | None = None
    start: AwareDatetime
    end: AwareDatetime
    media_type: str
    url: str
    redacted: bool = False


async def _run(call: Call[GetClipArguments]) -> Produced:
    wanted = call.arguments
    clip = await call.center.media.clip(
        call.scope,
        event_id=wanted.event_id,
        camera_id=wanted.camera_id,
        time_from=wanted.time_from,
        time_to=wanted.time_to,
        at=call.now,
    )
    reference = ClipReference(
        clip_id=clip.id,
        camera_id=wanted.camera_id,
        event_id=wanted.event_id,
        start=clip.start,
        end=clip.end,
        media_type=clip.media_type,
        url=f"/api/v1/clips/{clip.id}",
    )
    return Produced(reference, tuple(name for name in (wanted.event_id, wanted.camera_id) if name))


TOOL = Tool(
    name="get_clip",
    summary="Fetch recorded video of an event, or of a camera between two times (at most 10 minutes).",
    arguments=GetClipArguments,
    action="get_clip",
    run=_run,
    part_vi="bộ ghi hình ở hộp biên",
    part_en="the recorder of the edge box",
    names=lambda arguments: Named(camera_ids=(arguments.camera_id,) if arguments.camera_id else ()),
    about=lambda center, arguments: event_resources(center, (arguments.event_id,) if arguments.event_id else ()),
    deadline_s=45.0,
)
