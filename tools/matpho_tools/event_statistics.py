"""`event_statistics`: figures of events and incidents by time, place, type or severity, compared and forecast."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from matpho_contracts.errors import BadInputError
from matpho_platform.events.forecast import MAX_FORECAST_DAYS
from matpho_platform.events.schemas import (
    INCIDENT_METRICS,
    Forecast,
    GroupBy,
    Metric,
    StatisticsQuery,
    StatisticsTable,
)
from matpho_platform.incidents.comparing import tabulate
from matpho_tools.contract import Call, Produced, Tool
from matpho_tools.filters import FilterArguments

TIME_GROUPS = frozenset({"hour", "day", "week"})
OF_EVENTS_ONLY = ("objects", "objects_not", "colors", "min_count", "plate", "camera_ids", "near", "severity_min")
"""Conditions that figures of incidents do not know."""


class EventStatisticsArguments(FilterArguments):
    """What to count, by what, against what, how far ahead.

    `count` and `rate` (an hour) are of events; `mean_response_minutes` (opening to acknowledgement), `open` and
    `resolved_share` are of the incidents opened in the period.
    """

    metric: Metric = "count"
    group_by: tuple[GroupBy, ...] = Field(default=(), max_length=3)
    compare_to: Literal["previous_period", "same_day_last_week"] | None = None
    forecast_days: Annotated[int, Field(ge=1, le=MAX_FORECAST_DAYS)] | None = None


class Chart(BaseModel):
    """How to draw the table: a line over time, bars otherwise; `x` and `series` name columns of the table."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["line", "bar", "figure"]
    x: str | None = None
    series: tuple[str, ...] = ()


class Statistics(BaseModel):
    """The table and its chart; `forecast` is of the total of events a day, whatever the table is grouped by."""

    model_config = ConfigDict(frozen=True)

    table: StatisticsTable
    chart: Chart
    forecast: Forecast | None = None


def chart_of(group_by: tuple[GroupBy, ...]) -> Chart:
    """The chart that fits a grouping: time runs along x, a second grouping makes the series."""
    if not group_by:
        return Chart(kind="figure")
    along = next((name for name in group_by if name in TIME_GROUPS), group_by[0])
    series = tuple(name for name in group_by if name != along)
    return Chart(kind="line" if along in TIME_GROUPS else "bar", x=along, series=series)


async def _run(call: Call[EventStatisticsArguments]) -> Produced:
    wanted, where = call.arguments, call.arguments.event_filter()
    if wanted.metric in INCIDENT_METRICS:
        table = await _incidents(call)
    else:
        query: dict[str, Any] = {"metric": wanted.metric, "group_by": wanted.group_by, "compare_to": wanted.compare_to}
        table = await call.center.events.statistics(call.scope, StatisticsQuery(where=where, **query), at=call.now)
    forecast = None
    if wanted.forecast_days is not None:
        if wanted.metric in INCIDENT_METRICS:
            raise BadInputError("Only counts of events are forecast.", action="Ask for the metric count.")
        forecast = await call.center.events.forecast(call.scope, where, wanted.forecast_days, at=call.now)
    return Produced(Statistics(table=table, chart=chart_of(wanted.group_by), forecast=forecast))


async def _incidents(call: Call[EventStatisticsArguments]) -> StatisticsTable:
    wanted = call.arguments
    if any(getattr(wanted, name) not in (None, ()) for name in OF_EVENTS_ONLY):
        raise BadInputError("Figures of incidents can be narrowed by area, type and time only.")
    query = StatisticsQuery(
        metric=wanted.metric, group_by=wanted.group_by, where=wanted.event_filter(), compare_to=wanted.compare_to
    )
    return await tabulate(call.center.incidents, call.scope, query, at=call.now)


TOOL = Tool(
    name="event_statistics",
    summary=(
        "Figures by time, area, camera, type or severity: count or hourly rate of events; mean response, open ones and"
        " resolved share of incidents; with a comparison and a forecast."
    ),
    arguments=EventStatisticsArguments,
    action="event_statistics",
    run=_run,
    part_vi="bộ thống kê",
    part_en="the statistics service",
    names=EventStatisticsArguments.named,
)
