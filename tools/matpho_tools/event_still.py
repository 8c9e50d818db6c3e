"""The still of an event as a tool that pages and channels use; models do not see it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from matpho_contracts.ids import EventId
from matpho_tools.contract import Arguments, Call, Produced, Tool
from matpho_tools.resources import event_resources


class EventStillArguments(Arguments):
    """Which event."""

    event_id: EventId


class EventStill(BaseModel):
    """The stored JPEG; `people` says whether a person is, or may be, among the event's objects."""

    model_config = ConfigDict(frozen=True, ser_json_bytes="base64")

    event_id: str
    jpeg: bytes
    people: bool
    redacted: bool = False


async def _run(call: Call[EventStillArguments]) -> Produced:
    event_id = call.arguments.event_id
    detail = await call.center.events.get(call.scope, event_id)
    jpeg = await call.center.events.still(call.scope, event_id)
    people = any(seen.label == "person" or "person" in (seen.classes or ()) for seen in detail.event.data.objects)
    return Produced(EventStill(event_id=event_id, jpeg=jpeg, people=people), (event_id,))


TOOL = Tool(
    name="event_still",
    summary="The still picture of an event.",
    arguments=EventStillArguments,
    action="get_event",
    run=_run,
    part_vi="kho ảnh",
    part_en="the picture store",
    about=lambda center, arguments: event_resources(center, (arguments.event_id,)),
    exposed=False,
)
