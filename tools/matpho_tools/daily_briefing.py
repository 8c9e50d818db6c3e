"""`daily_briefing`: what a leader reads in the morning and a shift reads when it hands over."""

from __future__ import annotations

import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from matpho_contracts.ids import ShortId
from matpho_contracts.times import VIETNAM
from matpho_tools.contract import Arguments, Call, Named, Produced, Tool
from matpho_tools.filters import MAX_LIST


def _local_day(value: Any) -> Any:
    """A moment stands for the local day that it lies in."""
    if isinstance(value, str) and "T" in value:
        try:
            moment = datetime.datetime.fromisoformat(value)
        except ValueError:
            return value
        return moment.astimezone(VIETNAM).date() if moment.tzinfo else moment.date()
    return value


class DailyBriefingArguments(Arguments):
    """Which local day, today by default, and which areas, all within reach by default."""

    areas: tuple[ShortId, ...] = Field(default=(), max_length=MAX_LIST)
    date: Annotated[datetime.date, BeforeValidator(_local_day)] | None = None


async def _run(call: Call[DailyBriefingArguments]) -> Produced:
    wanted = call.arguments
    briefing = await call.center.briefings.daily(call.scope, now=call.now, day=wanted.date, areas=wanted.areas)
    return Produced(briefing, tuple(incident.id for incident in briefing.incidents.waiting))


TOOL = Tool(
    name="daily_briefing",
    summary="The briefing of a day: events with trend, open incidents, overdue steps, cameras, citizens' reports.",
    arguments=DailyBriefingArguments,
    action="daily_briefing",
    run=_run,
    part_vi="bộ lập bản tin",
    part_en="the briefing service",
    names=lambda arguments: Named(areas=arguments.areas),
)
