"""Figures of incidents as a table of statistics, held against an earlier period where asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from matpho_contracts.errors import BadInputError
from matpho_contracts.times import VIETNAM
from matpho_platform.access.principal import Scope
from matpho_platform.events.schemas import GroupBy, Metric, StatisticsQuery, StatisticsRow, StatisticsTable
from matpho_platform.incidents.schemas import FigureRow, IncidentFigures
from matpho_platform.incidents.service import IncidentService

WEEK = timedelta(days=7)


async def tabulate(
    incidents: IncidentService, scope: Scope, query: StatisticsQuery, *, at: datetime
) -> StatisticsTable:
    """Mean response, open ones or the share resolved, by group; raises BadInputError for an open comparison.

    A group by time is held against the bucket as far back as the periods lie apart; where these do not fall on whole
    buckets the totals alone are compared.
    """
    start, end = query.where.time_from, min(query.where.time_to or at, at)
    now = await _figures(incidents, scope, query, start, end, at)
    before: IncidentFigures | None = None
    earlier: Mapping[tuple[str, ...], FigureRow] = {}
    if query.compare_to is not None:
        if start is None:
            raise BadInputError("A comparison needs a period with a start.", action="Give time_from.")
        shift = end - start if query.compare_to == "previous_period" else WEEK
        before = await _figures(incidents, scope, query, start - shift, end - shift, at)
        earlier = _moved(before.rows, query.group_by, shift)
    kept = {row.key: row for row in now.rows}
    rows = tuple(_row(key, kept.get(key), earlier.get(key), query) for key in sorted(kept.keys() | earlier.keys()))
    return StatisticsTable(
        metric=query.metric,
        group_by=query.group_by,
        rows=rows,
        total=figure(now.whole, query.metric),
        compared_total=None if before is None else figure(before.whole, query.metric),
        sample=_sample(now.whole, query.metric),
        time_from=start.astimezone(VIETNAM) if start else None,
        time_to=end.astimezone(VIETNAM),
    )


async def _figures(
    incidents: IncidentService,
    scope: Scope,
    query: StatisticsQuery,
    start: datetime | None,
    end: datetime,
    at: datetime,
) -> IncidentFigures:
    return await incidents.figures(
        scope,
        now=at,
        areas=query.where.areas,
        event_types=query.where.event_types,
        time_from=start,
        time_to=end,
        group_by=query.group_by,
    )


def figure(row: FigureRow, metric: Metric) -> float | None:
    """One figure of a row; `open` counts, the others are None where there was nothing to take them from."""
    if metric == "open":
        return float(row.open)
    return row.mean_response_minutes if metric == "mean_response_minutes" else row.resolved_share


def _sample(row: FigureRow, metric: Metric) -> int:
    return row.acknowledged if metric == "mean_response_minutes" else row.opened


def _row(
    key: tuple[str, ...], now: FigureRow | None, before: FigureRow | None, query: StatisticsQuery
) -> StatisticsRow:
    none = 0.0 if query.metric == "open" else None
    return StatisticsRow(
        key=key,
        value=figure(now, query.metric) if now else none,
        compared=(figure(before, query.metric) if before else none) if query.compare_to else None,
        sample=_sample(now, query.metric) if now else 0,
    )


def _moved(
    rows: Sequence[FigureRow], groups: Sequence[GroupBy], shift: timedelta
) -> Mapping[tuple[str, ...], FigureRow]:
    """Earlier rows under the keys of the asked period; empty where a bucket of time would meet no other."""
    width = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": WEEK}
    if any(group in width and shift % width[group] for group in groups):
        return {}
    return {tuple(_later(group, part, shift) for group, part in zip(groups, row.key, strict=True)): row for row in rows}


def _later(group: GroupBy, label: str, shift: timedelta) -> str:
    """A bucket's label moved forward, in the same writing."""
    if group == "hour":
        return (datetime.fromisoformat(label) + shift).isoformat(timespec="minutes")
    if group == "day":
        return (date.fromisoformat(label) + shift).isoformat()
    if group == "week":
        return (datetime.strptime(f"{label}-1", "%G-W%V-%u").date() + shift).strftime("%G-W%V")  # a date
    return label
