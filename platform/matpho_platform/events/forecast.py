"""What to expect of the next days: plain, and honest about how little it knows.

1 the history is the whole local days before today, at most HISTORY_DAYS, from the first event of any kind that the
  center has of these places: days without an event of the asked kind count as zero
2 with two weeks or more, a day is expected to be like the mean of the same weekday in the last WEEKS weeks
  (`weekday_mean`); with less, like the mean of all days (`mean`)
3 the interval is that of the errors which the same method made on the history, each day left out in turn, and never
  narrower than chance alone makes it (the square root of the expected count, as for rare events)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from matpho_contracts.times import VIETNAM, from_unix_ms, unix_ms
from matpho_platform.access.principal import Scope
from matpho_platform.cameras.areas import AreaTree
from matpho_platform.events import repository
from matpho_platform.events.filters import to_sql
from matpho_platform.events.schemas import EventFilter, Forecast, ForecastDay
from matpho_platform.store.session import ReadSession
from matpho_platform.store.tables import events

HISTORY_DAYS = 56
WEEKS = 8
MAX_FORECAST_DAYS = 30
LEVEL = 0.8
_Z = 1.2816
"""Standard deviations either side that hold 80% of a normal error."""
_DAY_MS = 24 * 3_600_000
_OFFSET_MS = 7 * 3_600_000


async def history(
    session: ReadSession, where: EventFilter, scope: Scope, areas: AreaTree, at: datetime
) -> Sequence[tuple[date, int]]:
    """Counts of the whole local days before today, oldest first; `scope` is expanded already."""
    today = at.astimezone(VIETNAM).replace(hour=0, minute=0, second=0, microsecond=0)
    period = {"time_from": today - timedelta(days=HISTORY_DAYS), "time_to": today}
    places = EventFilter(areas=where.areas, camera_ids=where.camera_ids, near=where.near)
    span = await repository.span(session, to_sql(places.model_copy(update=period), scope, areas))
    if span is None:
        return ()
    moved = events.c.time_ms + _OFFSET_MS
    condition = to_sql(where.model_copy(update=period), scope, areas)
    rows = await repository.grouped(session, [moved - moved % _DAY_MS], condition, HISTORY_DAYS + 1)
    counted = {int(key[0]) // _DAY_MS: number for key, number in rows}
    first = (span[0] + _OFFSET_MS) // _DAY_MS
    last = (unix_ms(today) + _OFFSET_MS) // _DAY_MS
    return [(_date(day), counted.get(day, 0)) for day in range(first, last)]


def _date(day: int) -> date:
    return from_unix_ms(day * _DAY_MS).date()


def expected(counts: Sequence[tuple[date, int]], days: int, at: datetime) -> Forecast:
    """The next `days` (1 to MAX_FORECAST_DAYS) local days from tomorrow on; without any history all zeros."""
    days = max(1, min(days, MAX_FORECAST_DAYS))
    weekdays = len(counts) >= 14
    error = _error(counts, weekdays)
    tomorrow = at.astimezone(VIETNAM).date() + timedelta(days=1)
    made = []
    for number in range(days):
        day = tomorrow + timedelta(days=number)
        value = _mean(counts, day, weekdays)
        reach = _Z * max(error, math.sqrt(value))
        low, high = max(0.0, value - reach), value + reach
        made.append(ForecastDay(date=day.isoformat(), value=round(value, 2), low=round(low, 2), high=round(high, 2)))
    return Forecast(
        method="weekday_mean" if weekdays else "mean",
        history_days=len(counts),
        level=LEVEL,
        days=tuple(made),
        trusted=weekdays,
    )


def _mean(counts: Sequence[tuple[date, int]], day: date, weekdays: bool) -> float:
    """The mean of the days that a day is held to be like."""
    alike = [number for other, number in counts if not weekdays or other.weekday() == day.weekday()]
    alike = alike[-WEEKS:] if weekdays else alike
    return sum(alike) / len(alike) if alike else 0.0


def _error(counts: Sequence[tuple[date, int]], weekdays: bool) -> float:
    """The root of the mean squared error of the method on its own history, each day left out in turn."""
    if len(counts) < 2:
        return 0.0
    squares = []
    for index, (day, number) in enumerate(counts):
        others = [*counts[:index], *counts[index + 1 :]]
        squares.append((number - _mean(others, day, weekdays)) ** 2)
    return math.sqrt(sum(squares) / len(squares))
