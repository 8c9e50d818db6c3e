"""End one of the caller's own watches, for pages: the owner's own press of a button, so nothing asks again."""

from __future__ import annotations

from matpho_contracts.ids import ShortId
from matpho_platform.watches.schemas import EndedWatch
from matpho_tools.contract import Arguments, Call, Produced, Tool


class EndWatchArguments(Arguments):
    """Which one."""

    watch_id: ShortId


async def _run(call: Call[EndWatchArguments]) -> Produced:
    watch_id = call.arguments.watch_id
    await call.center.watches.end(call.principal, watch_id, at=call.now)
    return Produced(EndedWatch(id=watch_id, ended_at=call.now), (watch_id,))


TOOL = Tool(
    name="end_watch",
    summary="End one of one's own watches.",
    arguments=EndWatchArguments,
    action="create_watch",
    run=_run,
    part_vi="bộ theo dõi",
    part_en="the watch service",
    exposed=False,
)
