"""The duties that have not ended, within the caller's areas, for pages."""

from __future__ import annotations

from matpho_tools.contract import Arguments, Call, Produced, Tool


class ListDutiesArguments(Arguments):
    """Nothing: all of the caller's areas."""


async def _run(call: Call[ListDutiesArguments]) -> Produced:
    page = await call.center.rosters.list(call.scope, at=call.now)
    return Produced(page, tuple(duty.id for duty in page.duties))


TOOL = Tool(
    name="list_duties",
    summary="Who is on duty.",
    arguments=ListDutiesArguments,
    action="dispatch_unit",
    run=_run,
    part_vi="lịch trực",
    part_en="the duty roster",
    exposed=False,
)
