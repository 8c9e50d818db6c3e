"""`event_statistics`: counts and rates by time, place, type or severity, with a comparison and a chart description."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from matpho_platform.events.schemas import GroupBy, Metric, StatisticsQuery, StatisticsTable
from matpho_tools.contract import Call, Produced, Tool
from matpho_tools.filters import FilterArguments

TIME_GROUPS = frozenset({"hour", "day", "week"})


class EventStatisticsArguments(FilterArguments):
    """What to count, by what, against what. `rate` is events an hour."""

    metric: Metric = "count"
    group_by: tuple[GroupBy, ...] = Field(default=(), max_length=3)
    compare_to: Literal["previous_period", "same_day_last_week"] | None = None


class Chart(BaseModel):
    """How to draw the table: a line over time, bars otherwise; `x` and `series` name columns of the table."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["line", "bar", "figure"]
    x: str | None = None
    series: tuple[str, ...] = ()


class Statistics(BaseModel):
    """The table and its chart."""

    model_config = ConfigDict(frozen=True)

    table: StatisticsTable
    chart: Chart


def chart_of(group_by: tuple[GroupBy, ...]) -> Chart:
    """The chart that fits a grouping: time runs along x, a second grouping makes the series."""
    if not group_by:
        return Chart(kind="figure")
    along = next((name for name in group_by if name in TIME_GROUPS), group_by[0])
    series = tuple(name for name in group_by if name != along)
    return Chart(kind="line" if along in TIME_GROUPS else "bar", x=along, series=series)


async def _run(call: Call[EventStatisticsArguments]) -> Produced:
    wanted = call.arguments
    query: dict[str, Any] = {"metric": wanted.metric, "group_by": wanted.group_by, "compare_to": wanted.compare_to}
    table = await call.center.events.statistics(call.scope, StatisticsQuery(where=wanted.event_filter(), **query))
    return Produced(Statistics(table=table, chart=chart_of(wanted.group_by)))


TOOL = Tool(
    name="event_statistics",
    summary="Count events or their hourly rate, grouped by time, area, camera, type or severity, with a comparison.",
    arguments=EventStatisticsArguments,
    action="event_statistics",
    run=_run,
    part_vi="bộ thống kê",
    part_en="the statistics service",
    names=EventStatisticsArguments.named,
)
