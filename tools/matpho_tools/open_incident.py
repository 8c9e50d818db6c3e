"""`open_incident`: makes an incident of events, with a procedure whose steps then have deadlines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from matpho_contracts.ids import EventId, ShortId
from matpho_platform.access.policy import Resource
from matpho_platform.incidents.errors import ProcedureNotFoundError
from matpho_platform.incidents.schemas import MAX_EVENTS, IncidentEvent, Priority
from matpho_platform.incidents.states import STATUS_NAMES
from matpho_tools.contract import Arguments, Call, MissingError, Prepared, Produced, Row, Tool
from matpho_tools.incident_rows import Listed, Note, note_rows, priority_row, procedure_row, type_names
from matpho_tools.resources import event_resources

if TYPE_CHECKING:
    from matpho_platform.center import Center

EVENTS_SHOWN = 3


class OpenIncidentArguments(Arguments):
    """Of which events; `procedure` (its id) and `priority` are found by the kind of event where they are not given.

    An event has one incident unless `separate` says that another is meant.
    """

    event_ids: Annotated[tuple[EventId, ...], Listed] = Field(min_length=1, max_length=MAX_EVENTS)
    procedure: ShortId | None = None
    priority: Priority | None = None
    note: Note = ""
    separate: bool = False


async def _prepare(call: Call[OpenIncidentArguments]) -> Prepared[OpenIncidentArguments]:
    """1 no incident of these events yet, or another is meant; 2 procedure and priority filled in; 3 shown."""
    wanted, service = call.arguments, call.center.incidents
    if not wanted.separate:
        await _ask_about_existing(call)
    try:
        procedure, priority = await service.plan(wanted.event_ids, wanted.procedure, wanted.priority)
    except ProcedureNotFoundError as error:
        known = [item.id for item in await call.center.procedures.all(public_only=False)]
        raise MissingError("procedure", f"there is no procedure {wanted.procedure}", known) from error
    rows = (
        _events_row(await service.events_of(call.scope, wanted.event_ids)),
        procedure_row(procedure, wanted.procedure is not None),
        priority_row(priority, wanted.priority is not None),
        *note_rows(wanted.note),
    )
    filled = wanted.model_copy(update={"procedure": procedure.id if procedure else None, "priority": priority})
    return Prepared(filled, rows, wanted.event_ids)


async def _ask_about_existing(call: Call[OpenIncidentArguments]) -> None:
    service = call.center.incidents
    there = tuple(dict.fromkeys((await service.incident_of(call.arguments.event_ids)).values()))
    if there:
        incident = await service.get(call.scope, there[0], call.now)
        vi, en = STATUS_NAMES[incident.status]
        raise MissingError(
            "separate",
            f"sự kiện này đã có vụ việc {there[0]} ({vi}) / the event has incident {there[0]} already ({en})",
            there,
        )


def _events_row(events: Sequence[IncidentEvent]) -> Row:
    """What happened where, for the first few."""
    shown = events[:EVENTS_SHOWN]
    more = len(events) - len(shown)
    vi = "; ".join(f"{type_names(event.type)[0]}, {event.camera_name} ({event.id})" for event in shown)
    en = "; ".join(f"{type_names(event.type)[1]}, {event.camera_name} ({event.id})" for event in shown)
    if more > 0:
        vi, en = f"{vi}; và {more} sự kiện nữa", f"{en}; and {more} more"
    return Row("event_ids", "Sự kiện", "Events", vi, en)


async def _run(call: Call[OpenIncidentArguments]) -> Produced:
    wanted = call.arguments
    done = await call.center.incidents.open(
        call.principal,
        wanted.event_ids,
        procedure=wanted.procedure,
        priority=wanted.priority,
        note=wanted.note,
        separate=wanted.separate,
        key=call.key,
        at=call.now,
    )
    done = await call.center.incidents.as_seen(call.scope, done)
    return Produced(done, (done.incident.id, *done.incident.event_ids))


async def _about(center: Center, arguments: OpenIncidentArguments) -> Sequence[Resource | None]:
    return await event_resources(center, arguments.event_ids)


TOOL = Tool(
    name="open_incident",
    summary="Open an incident for events; procedure and priority are filled in by the kind of event if not given.",
    arguments=OpenIncidentArguments,
    action="open_incident",
    run=_run,
    part_vi="sổ vụ việc",
    part_en="the incident register",
    free_text=lambda arguments: (arguments.note,),
    about=_about,
    prepare=_prepare,
    when_unlogged="spool",
)
