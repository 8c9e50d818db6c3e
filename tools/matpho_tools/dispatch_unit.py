"""`dispatch_unit`: sends a task to a unit; the policy judges the incident's area and the unit's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from matpho_contracts.ids import ShortId
from matpho_platform.access.policy import Resource
from matpho_platform.incidents.schemas import IncidentDetail
from matpho_platform.incidents.states import check_open
from matpho_tools.contract import Arguments, Call, MissingError, Prepared, Produced, Tool
from matpho_tools.incident_rows import Note, incident_row, note_rows, sent_before, unit_row
from matpho_tools.resources import incident_resource, unit_resource

if TYPE_CHECKING:
    from matpho_platform.center import Center

OPTIONS = 8
"""Units that are offered when none was named."""


class DispatchUnitArguments(Arguments):
    """Which unit to which incident, with a note that goes with the task. A unit that is not named is asked for."""

    incident_id: ShortId
    unit_id: ShortId | None = None
    note: Note = ""


async def _prepare(call: Call[DispatchUnitArguments]) -> Prepared[DispatchUnitArguments]:
    wanted = call.arguments
    incident = await call.center.incidents.get(call.scope, wanted.incident_id, call.now)
    check_open(incident.id, incident.status)
    if wanted.unit_id is None:
        raise MissingError("unit_id", f"which unit goes to {incident.id}?", await _options(call, incident))
    unit = await call.center.units.get(wanted.unit_id)
    before = [sent_before(task) for task in incident.tasks if task.unit_id == unit.id][-1:]
    rows = (incident_row(incident), unit_row(unit), *before, *note_rows(wanted.note))
    return Prepared(wanted, rows, (incident.id, unit.id))


async def _options(call: Call[DispatchUnitArguments], incident: IncidentDetail) -> tuple[str, ...]:
    """The suitable units that the caller may send."""
    inner = call.center.areas.expand_scope(call.scope)
    units = await call.center.units.suitable(incident)
    return tuple(unit.id for unit in units if inner.covers(unit.area))[:OPTIONS]


async def _run(call: Call[DispatchUnitArguments]) -> Produced:
    wanted = call.arguments
    if wanted.unit_id is None:
        raise MissingError("unit_id", "a unit is needed")
    done = await call.center.incidents.dispatch(
        call.principal, wanted.incident_id, wanted.unit_id, note=wanted.note, key=call.key, at=call.now
    )
    done = await call.center.incidents.as_seen(call.scope, done)
    return Produced(done, (done.incident.id, wanted.unit_id))


async def _about(center: Center, arguments: DispatchUnitArguments) -> Sequence[Resource | None]:
    incident = await incident_resource(center, arguments.incident_id)
    return (incident,) if arguments.unit_id is None else (incident, await unit_resource(center, arguments.unit_id))


TOOL = Tool(
    name="dispatch_unit",
    summary="Send a unit to an incident.",
    arguments=DispatchUnitArguments,
    action="dispatch_unit",
    run=_run,
    part_vi="bộ phận điều động",
    part_en="the dispatch service",
    free_text=lambda arguments: (arguments.note,),
    about=_about,
    prepare=_prepare,
    when_unlogged="spool",
)
