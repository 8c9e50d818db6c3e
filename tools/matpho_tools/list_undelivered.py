"""The duty board: alerts of the caller's areas that have reached nobody, for pages; models do not see it."""

from __future__ import annotations

from pydantic import Field

from matpho_platform.notify.service import MAX_BOARD
from matpho_tools.contract import Arguments, Call, Produced, Tool


class ListUndeliveredArguments(Arguments):
    """How many to show; the number of all comes along."""

    limit: int = Field(default=50, ge=1, le=MAX_BOARD)


async def _run(call: Call[ListUndeliveredArguments]) -> Produced:
    board = await call.center.notifier.board(call.scope, now=call.now, limit=call.arguments.limit)
    return Produced(board, tuple(dict.fromkeys(one.subject for one in board.undelivered if one.subject)))


TOOL = Tool(
    name="list_undelivered",
    summary="Alerts that have reached nobody.",
    arguments=ListUndeliveredArguments,
    action="list_incidents",
    run=_run,
    part_vi="bảng trực thông báo",
    part_en="the notification board",
    exposed=False,
)
