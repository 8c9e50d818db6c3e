"""`get_incident`: one incident with its procedure's steps and deadlines, tasks and timeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from matpho_contracts.ids import ShortId
from matpho_platform.access.policy import Resource
from matpho_tools.contract import Arguments, Call, Produced, Tool
from matpho_tools.resources import incident_seen

if TYPE_CHECKING:
    from matpho_platform.center import Center


class GetIncidentArguments(Arguments):
    """Which incident."""

    incident_id: ShortId


async def _run(call: Call[GetIncidentArguments]) -> Produced:
    incident = await call.center.incidents.get(call.scope, call.arguments.incident_id, call.now)
    return Produced(incident, (incident.id, *incident.event_ids))


async def _about(center: Center, arguments: GetIncidentArguments) -> Sequence[Resource | None]:
    return (await incident_seen(center, arguments.incident_id),)


TOOL = Tool(
    name="get_incident",
    summary="Read one incident: state, priority, steps with deadlines, units sent, timeline.",
    arguments=GetIncidentArguments,
    action="get_incident",
    run=_run,
    part_vi="sổ vụ việc",
    part_en="the incident register",
    about=_about,
)
