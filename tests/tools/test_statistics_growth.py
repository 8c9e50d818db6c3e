"""Statistics beyond counts: figures of incidents, held against an earlier period, and forecasts that own up."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from matpho_contracts.events import Event
from matpho_contracts.times import VIETNAM
from matpho_contracts.vocabulary import EventType
from matpho_platform.access.principal import Principal, Role
from matpho_platform.center import Center
from matpho_platform.events.forecast import LEVEL, MAX_FORECAST_DAYS, expected
from matpho_platform.incidents.schemas import IncidentRecord, Priority, Status
from matpho_tools.contract import Outcome
from matpho_tools.gateway import Gateway

Who = Callable[..., Principal]
NOW = datetime(2026, 11, 21, 14, 30, tzinfo=VIETNAM)
MONDAY = date(2026, 9, 28)


def record(name: str, opened: datetime, waited: int | None, status: Status, event: Event) -> IncidentRecord:
    return IncidentRecord(
        id=name,
        event_ids=(event.id,),
        priority=Priority.HIGH,
        status=status,
        area=event.data.area,
        opened_at=opened,
        acknowledged_at=None if waited is None else opened + timedelta(minutes=waited),
    )


@pytest.fixture
async def incidents(center: Center, events: dict[str, Event]) -> None:
    """This week in Hải Châu 4 and 8 minutes, one unanswered; in Sơn Trà 20; last week 12."""
    at = NOW - timedelta(days=1)
    await center.incidents.load(
        incidents=[
            record("VV-1", at, 4, Status.CLOSED, events["dump"]),
            record("VV-2", at, 8, Status.IN_PROGRESS, events["fight"]),
            record("VV-3", at, None, Status.NEW, events["fight"]),
            record("VV-4", at, 20, Status.RESOLVED, events["far"]),
            record("VV-5", at - timedelta(days=7), 12, Status.CLOSED, events["dump"]),
        ]
    )


class Asking:
    """One question after another by one person."""

    def __init__(self, gateway: Gateway, who: Principal) -> None:
        self._gateway = gateway
        self._who = who

    async def __call__(self, **said: Any) -> dict[str, Any]:
        result = await self._gateway.call(self._who, "event_statistics", said, channel="test", now=NOW)
        assert result.outcome is Outcome.ANSWERED, result
        return result.data


@pytest.fixture
def ask(gateway: Gateway, who: Who) -> Asking:
    return Asking(gateway, who(Role.COMMANDER))


WEEK = {"time_from": (NOW - timedelta(days=3)).isoformat()}


@pytest.mark.usefixtures("incidents")
class TestIncidentFigures:
    async def test_mean_response_counts_only_what_was_answered(self, ask: Asking) -> None:
        table = (await ask(metric="mean_response_minutes", group_by=["area"], **WEEK))["table"]
        assert [(row["key"], row["value"], row["sample"]) for row in table["rows"]] == [
            (["DN-HC"], 6.0, 2),
            (["DN-ST"], 20.0, 1),
        ]
        assert math.isclose(table["total"], 32 / 3)
        assert table["sample"] == 3

    async def test_open_ones_and_the_share_resolved(self, ask: Asking) -> None:
        assert (await ask(metric="open", **WEEK))["table"]["total"] == 2
        share = (await ask(metric="resolved_share", areas=["DN-HC"], **WEEK))["table"]
        assert math.isclose(share["total"], 1 / 3)

    async def test_an_earlier_period_meets_by_its_buckets(self, ask: Asking) -> None:
        days = {"time_from": "2026-11-20T00:00:00+07:00", "time_to": "2026-11-21T00:00:00+07:00"}
        asked = {"metric": "mean_response_minutes", "group_by": ["day"], "compare_to": "same_day_last_week", **days}
        table = (await ask(**asked))["table"]
        assert [(row["key"], row["compared"]) for row in table["rows"]] == [(["2026-11-20"], 12.0)]
        assert table["compared_total"] == 12.0

    async def test_nothing_to_take_it_from_is_not_zero(self, ask: Asking) -> None:
        table = (await ask(metric="mean_response_minutes", event_types=["fire"], **WEEK))["table"]
        assert table["total"] is None
        assert table["sample"] == 0

    async def test_conditions_that_incidents_do_not_know_are_said(self, gateway: Gateway, who: Who) -> None:
        asked = {"metric": "open", "plate": "43C-123"}
        result = await gateway.call(who(Role.COMMANDER), "event_statistics", asked, channel="test", now=NOW)
        assert result.outcome is Outcome.CLARIFY

    async def test_an_officer_sees_the_own_area_only(self, gateway: Gateway, who: Who) -> None:
        result = await gateway.call(
            who(Role.OFFICER), "event_statistics", {"metric": "open", "group_by": ["area"]}, channel="test", now=NOW
        )
        assert [row["key"] for row in result.data["table"]["rows"]] == [["DN-HC"]]


class TestForecast:
    async def test_a_forecast_says_how_it_was_made(self, ask: Asking) -> None:
        forecast = (await ask(event_types=["fight"], forecast_days=3))["forecast"]
        assert [day["date"] for day in forecast["days"]] == ["2026-11-22", "2026-11-23", "2026-11-24"]
        assert (forecast["method"], forecast["history_days"], forecast["trusted"]) == ("mean", 1, False)
        assert all(day["low"] <= day["value"] <= day["high"] for day in forecast["days"])

    @pytest.mark.parametrize("days", [0, MAX_FORECAST_DAYS + 1])
    async def test_it_looks_one_to_thirty_days_ahead(self, gateway: Gateway, who: Who, days: int) -> None:
        asked = {"forecast_days": days}
        result = await gateway.call(who(Role.COMMANDER), "event_statistics", asked, channel="test", now=NOW)
        assert result.outcome is Outcome.CLARIFY

    def test_weekdays_are_told_apart_after_two_weeks(self) -> None:
        history = [(MONDAY + timedelta(days=n), 20 if n % 7 == 0 else 2) for n in range(28)]
        forecast = expected(history, 7, datetime(2026, 10, 25, 5, tzinfo=UTC))
        assert forecast.method == "weekday_mean"
        by_date = {day.date: day.value for day in forecast.days}
        assert by_date["2026-10-26"] == 20
        assert by_date["2026-10-27"] == 2

    def test_the_interval_is_as_wide_as_the_errors_were(self) -> None:
        calm = [(MONDAY + timedelta(days=n), 10) for n in range(28)]
        wild = [(MONDAY + timedelta(days=n), 0 if n % 2 else 20) for n in range(28)]
        at = datetime(2026, 10, 25, 5, tzinfo=UTC)
        narrow, wide = expected(calm, 1, at).days[0], expected(wild, 1, at).days[0]
        assert narrow.high - narrow.low < wide.high - wide.low
        assert narrow.high - narrow.value >= math.sqrt(10)

    def test_the_interval_holds_about_what_it_promises(self) -> None:
        """Counts drawn at random around 12: about 80% of the following days lie inside."""
        import numpy as np

        random = np.random.default_rng(5)
        inside = 0
        for _ in range(200):
            counts = [(MONDAY + timedelta(days=n), int(random.poisson(12))) for n in range(56)]
            day = expected(counts, 1, datetime(2026, 11, 22, 5, tzinfo=UTC)).days[0]
            inside += day.low <= random.poisson(12) <= day.high
        assert abs(inside / 200 - LEVEL) < 0.12

    def test_no_history_expects_nothing_and_says_so(self) -> None:
        forecast = expected([], 2, NOW)
        assert (forecast.history_days, forecast.trusted, [day.value for day in forecast.days]) == (0, False, [0, 0])


async def test_days_without_the_asked_kind_count_as_zero(center: Center, ask: Asking, events: dict[str, Event]) -> None:
    """The only fight of Hải Châu was yesterday, and so was everything else there: one day of history."""
    forecast = (await ask(event_types=["fight"], areas=["DN-HC"], forecast_days=1))["forecast"]
    assert forecast["days"][0]["value"] == 1
    none = (await ask(event_types=[EventType.FIRE.value], areas=["DN-HC"], forecast_days=1))["forecast"]
    assert (none["history_days"], none["days"][0]["value"]) == (1, 0)
