"""Bring another area into an incident, for pages: its people may then see it, though not act on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from matpho_contracts.ids import ShortId
from matpho_platform.access.policy import Resource
from matpho_tools.contract import Arguments, Call, Produced, Tool
from matpho_tools.incident_rows import Note
from matpho_tools.resources import incident_resource

if TYPE_CHECKING:
    from matpho_platform.center import Center


class SupportIncidentArguments(Arguments):
    """Which incident, which area, with a note for the timeline."""

    incident_id: ShortId
    area: ShortId
    note: Note = ""


async def _run(call: Call[SupportIncidentArguments]) -> Produced:
    wanted = call.arguments
    done = await call.center.incidents.support(
        call.principal, wanted.incident_id, wanted.area, note=wanted.note, key=call.key, at=call.now
    )
    done = await call.center.incidents.as_seen(call.scope, done)
    return Produced(done, (done.incident.id,))


async def _about(center: Center, arguments: SupportIncidentArguments) -> Sequence[Resource | None]:
    return (await incident_resource(center, arguments.incident_id),)


TOOL = Tool(
    name="support_incident",
    summary="Bring another area into an incident.",
    arguments=SupportIncidentArguments,
    action="escalate_incident",
    run=_run,
    part_vi="sổ vụ việc",
    part_en="the incident register",
    free_text=lambda arguments: (arguments.note,),
    about=_about,
    exposed=False,
)
