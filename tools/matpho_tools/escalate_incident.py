"""`escalate_incident`: hands an incident to a higher level at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from matpho_contracts.ids import ShortId
from matpho_platform.access.policy import Resource
from matpho_platform.incidents.schemas import Level
from matpho_platform.incidents.states import LEVEL_NAMES, check_escalate, next_level
from matpho_tools.contract import Arguments, Call, MissingError, Prepared, Produced, Row, Tool
from matpho_tools.incident_rows import Note, incident_row, note_rows
from matpho_tools.resources import incident_resource

if TYPE_CHECKING:
    from matpho_platform.center import Center


class EscalateIncidentArguments(Arguments):
    """Which incident, to which level; without `to_level` to the next one above."""

    incident_id: ShortId
    to_level: Literal[Level.COMMANDER, Level.PROVINCE, Level.MINISTRY] | None = None
    note: Note = ""


async def _prepare(call: Call[EscalateIncidentArguments]) -> Prepared[EscalateIncidentArguments]:
    wanted = call.arguments
    incident = await call.center.incidents.get(call.scope, wanted.incident_id, call.now)
    level = wanted.to_level or next_level(incident.level) or Level.MINISTRY
    check_escalate(incident.id, incident.status, incident.level, level)
    before, after = LEVEL_NAMES[incident.level], LEVEL_NAMES[level]
    source: Literal["person", "center"] = "person" if wanted.to_level else "center"
    row = Row("to_level", "Cấp", "Level", f"{before[0]} → {after[0]}", f"{before[1]} → {after[1]}", source)
    filled = wanted.model_copy(update={"to_level": level})
    return Prepared(filled, (incident_row(incident), row, *note_rows(wanted.note)), (incident.id,))


async def _run(call: Call[EscalateIncidentArguments]) -> Produced:
    wanted = call.arguments
    if wanted.to_level is None:
        raise MissingError("to_level", "a level is needed", [level.value for level in Level if level is not Level.WARD])
    done = await call.center.incidents.escalate(
        call.principal, wanted.incident_id, wanted.to_level, note=wanted.note, key=call.key, at=call.now
    )
    done = await call.center.incidents.as_seen(call.scope, done)
    return Produced(done, (done.incident.id,))


async def _about(center: Center, arguments: EscalateIncidentArguments) -> Sequence[Resource | None]:
    return (await incident_resource(center, arguments.incident_id),)


TOOL = Tool(
    name="escalate_incident",
    summary="Hand an incident to a higher level (commander, province, ministry) at once.",
    arguments=EscalateIncidentArguments,
    action="escalate_incident",
    run=_run,
    part_vi="sổ vụ việc",
    part_en="the incident register",
    free_text=lambda arguments: (arguments.note,),
    about=_about,
    prepare=_prepare,
    when_unlogged="spool",
)
