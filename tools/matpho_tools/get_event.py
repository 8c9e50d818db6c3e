"""`get_event`: one event with its facts and the state of its signature, checked at the moment of reading."""

from __future__ import annotations

from matpho_contracts.ids import EventId
from matpho_tools.contract import Arguments, Call, Produced, Tool
from matpho_tools.resources import event_resources


class GetEventArguments(Arguments):
    """Which event."""

    event_id: EventId


async def _run(call: Call[GetEventArguments]) -> Produced:
    detail = await call.center.events.get(call.scope, call.arguments.event_id)
    incident_id = (await call.center.incidents.incident_of((detail.event.id,), call.scope)).get(detail.event.id)
    linked = detail.model_copy(update={"incident_id": incident_id})
    return Produced(linked, (detail.event.id, incident_id) if incident_id else (detail.event.id,))


TOOL = Tool(
    name="get_event",
    summary="Read one event: facts, objects, caption, signature state, its incident if it has one.",
    arguments=GetEventArguments,
    action="get_event",
    run=_run,
    part_vi="kho sự kiện",
    part_en="the event store",
    about=lambda center, arguments: event_resources(center, (arguments.event_id,)),
)
