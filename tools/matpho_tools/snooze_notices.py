"""Put one's own notices about something off for a while, for pages and chats; models do not see it.

It is the person's own press of a button and stops no escalation: critical notices and other people's go on.
"""

from __future__ import annotations

from pydantic import BaseModel

from matpho_contracts.errors import NotFoundError
from matpho_contracts.ids import ShortId
from matpho_contracts.times import AwareDatetime
from matpho_tools.contract import Arguments, Call, Produced, Tool


class SnoozeNoticesArguments(Arguments):
    """About which incident, camera or watch."""

    subject: ShortId


class Snoozed(BaseModel):
    """Until when."""

    subject: str
    until: AwareDatetime


async def _run(call: Call[SnoozeNoticesArguments]) -> Produced:
    if call.center.desk is None:
        raise NotFoundError("This center tells nobody anything.")
    subject = call.arguments.subject
    until = await call.center.desk.own.snooze(call.principal.user_id, subject, at=call.now)
    return Produced(Snoozed(subject=subject, until=until))


TOOL = Tool(
    name="snooze_notices",
    summary="Put one's own notices about something off for a while.",
    arguments=SnoozeNoticesArguments,
    action="search_events",
    run=_run,
    part_vi="thông báo",
    part_en="the notification service",
    exposed=False,
)
