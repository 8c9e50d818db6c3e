"""What watches told the caller, for pages: only events that the caller may see at this moment; models do not see it."""

from __future__ import annotations

from matpho_tools.contract import Call, Produced, Tool
from matpho_tools.filters import Paging


class ListNotificationsArguments(Paging):
    """Which page."""


async def _run(call: Call[ListNotificationsArguments]) -> Produced:
    wanted = call.arguments
    page = await call.center.watches.notifications(call.principal, call.scope, limit=wanted.limit, offset=wanted.offset)
    return Produced(page, tuple(dict.fromkeys(told.event_id for told in page.notifications)))


TOOL = Tool(
    name="list_notifications",
    summary="What watches told the caller.",
    arguments=ListNotificationsArguments,
    action="search_events",
    run=_run,
    part_vi="bộ theo dõi",
    part_en="the watch service",
    exposed=False,
)
