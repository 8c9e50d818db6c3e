"""The caller's own notices, for pages: only of areas that the caller may see at this moment; models do not see it.

What is listed here has arrived: a notice that reached its person on no other channel is delivered by this.
"""

from __future__ import annotations

from pydantic import BaseModel, Field

from matpho_platform.notify.schemas import Shown
from matpho_platform.notify.service import MAX_BOARD
from matpho_tools.contract import Arguments, Call, Produced, Tool


class ListNoticesArguments(Arguments):
    """How many."""

    limit: int = Field(default=50, ge=1, le=MAX_BOARD)


class NoticeList(BaseModel):
    """Notices, the newest first."""

    notices: tuple[Shown, ...]


async def _run(call: Call[ListNoticesArguments]) -> Produced:
    found = await call.center.notifier.console(
        call.principal.user_id, call.scope, at=call.now, limit=call.arguments.limit
    )
    return Produced(NoticeList(notices=found), tuple(one.token for one in found))


TOOL = Tool(
    name="list_notices",
    summary="The caller's own notices.",
    arguments=ListNoticesArguments,
    action="search_events",
    run=_run,
    part_vi="thông báo",
    part_en="the notification service",
    exposed=False,
)
