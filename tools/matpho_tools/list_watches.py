"""The watches that the caller made and that still stand, for pages; models do not see it."""

from __future__ import annotations

from matpho_platform.watches.schemas import WatchPage
from matpho_tools.contract import Arguments, Call, Produced, Tool


class ListWatchesArguments(Arguments):
    """Nothing: one's own, all of them."""


async def _run(call: Call[ListWatchesArguments]) -> Produced:
    mine = await call.center.watches.list(call.principal, at=call.now)
    return Produced(WatchPage(watches=tuple(mine), total=len(mine)), tuple(watch.id for watch in mine))


TOOL = Tool(
    name="list_watches",
    summary="One's own watches.",
    arguments=ListWatchesArguments,
    action="create_watch",
    run=_run,
    part_vi="bộ theo dõi",
    part_en="the watch service",
    exposed=False,
)
