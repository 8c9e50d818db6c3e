"""`acknowledge_alert`: somebody has seen it; the escalation clock stops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from matpho_contracts.ids import ShortId
from matpho_platform.access.policy import Resource
from matpho_platform.incidents.states import check_acknowledge
from matpho_tools.contract import Arguments, Call, Prepared, Produced, Tool
from matpho_tools.incident_rows import Note, incident_row, note_rows
from matpho_tools.resources import incident_resource

if TYPE_CHECKING:
    from matpho_platform.center import Center


class AcknowledgeAlertArguments(Arguments):
    """Which incident's alert, with a note for the timeline."""

    incident_id: ShortId
    note: Note = ""


async def _prepare(call: Call[AcknowledgeAlertArguments]) -> Prepared[AcknowledgeAlertArguments]:
    wanted = call.arguments
    incident = await call.center.incidents.get(call.scope, wanted.incident_id, call.now)
    by = incident.acknowledged_by
    check_acknowledge(incident.id, incident.status, by, incident.acknowledged_at is not None)
    return Prepared(wanted, (incident_row(incident), *note_rows(wanted.note)), (incident.id,))


async def _run(call: Call[AcknowledgeAlertArguments]) -> Produced:
    wanted = call.arguments
    done = await call.center.incidents.acknowledge(
        call.principal, wanted.incident_id, note=wanted.note, key=call.key, at=call.now
    )
    done = await call.center.incidents.as_seen(call.scope, done)
    return Produced(done, (done.incident.id,))


async def _about(center: Center, arguments: AcknowledgeAlertArguments) -> Sequence[Resource | None]:
    return (await incident_resource(center, arguments.incident_id),)


TOOL = Tool(
    name="acknowledge_alert",
    summary="Acknowledge an incident's alert, which stops its escalation clock.",
    arguments=AcknowledgeAlertArguments,
    action="acknowledge_alert",
    run=_run,
    part_vi="sổ vụ việc",
    part_en="the incident register",
    free_text=lambda arguments: (arguments.note,),
    about=_about,
    prepare=_prepare,
    when_unlogged="spool",
)
