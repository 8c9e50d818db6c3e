"""The rules whose alarms were false, camera by camera, for pages; it suggests to look at one and mutes none."""

from __future__ import annotations

from matpho_tools.contract import Arguments, Call, Produced, Tool


class ListFalseAlarmsArguments(Arguments):
    """Nothing: the last thirty days in the caller's areas."""


async def _run(call: Call[ListFalseAlarmsArguments]) -> Produced:
    found = await call.center.outcomes.records(call.scope, now=call.now)
    return Produced(found, tuple(dict.fromkeys(one.camera_id for one in found.rules)))


TOOL = Tool(
    name="list_false_alarms",
    summary="Rules whose alarms were false.",
    arguments=ListFalseAlarmsArguments,
    action="list_incidents",
    run=_run,
    part_vi="sổ vụ việc",
    part_en="the incident register",
    exposed=False,
)
