"""`get_event`: one event with its facts and the state of its signature, checked at the moment of reading."""

from __future__ import annotations

from matpho_contracts.ids import EventId
from matpho_tools.contract import Arguments, Call, Named, Produced, Tool


class GetEventArguments(Arguments):
    """Which event."""

    event_id: EventId


async def _run(call: Call[GetEventArguments]) -> Produced:
    detail = await call.center.events.get(call.scope, call.arguments.event_id)
    return Produced(detail, (detail.event.id,))


TOOL = Tool(
    name="get_event",
    summary="Read one event: facts, objects, caption, signature state.",
    arguments=GetEventArguments,
    action="get_event",
    run=_run,
    part_vi="kho sự kiện",
    part_en="the event store",
    names=lambda arguments: Named(event_ids=(arguments.event_id,)),
)
