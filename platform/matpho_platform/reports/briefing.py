"""The daily briefing: events with their trend, incidents, cameras, citizens' reports of one local day.

1 the day runs 00:00 to 24:00 local; today's ends now, and is held against the same hours of the other days
2 sightings (`object_seen`) and what devices say of themselves are no events here; devices have their own part
3 open incidents, overdue steps and cameras are as they are now, whatever the day
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from matpho_contracts.errors import BadInputError
from matpho_contracts.times import VIETNAM
from matpho_contracts.vocabulary import EVENT_TYPES, EventGroup, EventType
from matpho_platform.access.principal import Scope
from matpho_platform.cameras.schemas import Status as CameraState
from matpho_platform.cameras.service import CameraService
from matpho_platform.events.schemas import EventFilter, GroupBy, StatisticsQuery
from matpho_platform.events.service import EventService
from matpho_platform.feedback.service import FeedbackService
from matpho_platform.incidents.schemas import IncidentSummary
from matpho_platform.incidents.service import IncidentService
from matpho_platform.incidents.states import OPEN
from matpho_platform.reports.schemas import Briefing, Devices, IncidentDay, OpenIncident, OverdueStep, Trend

SHOWN = 10
"""Rows of each list."""
READ = 200
"""Open incidents that are read to find the most pressing and the overdue."""
DAY = timedelta(days=1)
WEEK = timedelta(days=7)
REPORTED = tuple(kind for kind, facts in EVENT_TYPES.items() if facts[0] is not EventGroup.OPERATIONS)
"""Event types that a briefing counts."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One briefing in the making."""

    scope: Scope
    areas: tuple[str, ...]
    start: datetime
    end: datetime
    now: datetime


class Briefings:
    """Puts briefings together; every figure keeps to the reader's scope."""

    def __init__(
        self, events: EventService, incidents: IncidentService, cameras: CameraService, feedback: FeedbackService
    ) -> None:
        self._events = events
        self._incidents = incidents
        self._cameras = cameras
        self._feedback = feedback

    async def daily(
        self, scope: Scope, *, now: datetime, day: date | None = None, areas: Sequence[str] = ()
    ) -> Briefing:
        """The briefing of a local day, today by default; raises BadInputError for a day to come."""
        today = now.astimezone(VIETNAM).date()
        day = day or today
        if day > today:
            raise BadInputError("A briefing is of today or a day before.", action="Ask for a forecast instead.")
        start = datetime.combine(day, time(), VIETNAM)
        asked = _Asked(scope, tuple(areas), start, min(start + DAY, now), now)
        return Briefing(
            date=day.isoformat(),
            time_from=start,
            time_to=asked.end,
            partial=day == today,
            areas=asked.areas,
            events=await self._total(asked),
            by_type=await self._trends(asked, "event_type"),
            by_area=await self._trends(asked, "area"),
            by_camera=await self._trends(asked, "camera"),
            incidents=await self._incident_day(asked),
            devices=await self._devices(asked),
            feedback=await self._feedback.counts(scope, start, asked.end, areas=asked.areas),
        )

    async def _counts(self, asked: _Asked, back: timedelta, group: GroupBy | None) -> dict[str, int]:
        where = EventFilter(
            event_types=REPORTED, areas=asked.areas, time_from=asked.start - back, time_to=asked.end - back
        )
        query = StatisticsQuery(group_by=(group,) if group else (), where=where)
        table = await self._events.statistics(asked.scope, query, at=asked.now)
        if group is None:
            return {"": int(table.total or 0)}
        return {row.key[0]: int(row.value or 0) for row in table.rows}

    async def _total(self, asked: _Asked) -> Trend:
        now, before, week = [(await self._counts(asked, back, None))[""] for back in (timedelta(0), DAY, WEEK)]
        return Trend(key="", value=now, day_before=before, week_before=week)

    async def _trends(self, asked: _Asked, group: GroupBy) -> tuple[Trend, ...]:
        """The groups with the most events of the day; for types also those that were there before and are gone."""
        now, before, week = [await self._counts(asked, back, group) for back in (timedelta(0), DAY, WEEK)]
        keys = now.keys() | before.keys() if group == "event_type" else now.keys()
        order = sorted(keys, key=lambda key: (-now.get(key, 0), -before.get(key, 0), key))
        return tuple(
            Trend(key=key, value=now.get(key, 0), day_before=before.get(key, 0), week_before=week.get(key, 0))
            for key in order[: len(EventType) if group == "event_type" else SHOWN]
        )

    async def _incident_day(self, asked: _Asked) -> IncidentDay:
        figures = await self._incidents.figures(
            asked.scope, now=asked.now, areas=asked.areas, time_from=asked.start, time_to=asked.end
        )
        page = await self._incidents.list(
            asked.scope, now=asked.now, status=sorted(OPEN), areas=asked.areas, time_to=asked.end, limit=READ
        )
        pressing = sorted(page.incidents, key=_pressing)
        late = [incident for incident in pressing if incident.overdue]
        return IncidentDay(
            opened=figures.whole.opened,
            open=page.total,
            mean_response_minutes=figures.whole.mean_response_minutes,
            resolved_share=figures.whole.resolved_share,
            waiting=tuple(_open(incident) for incident in pressing[:SHOWN]),
            overdue_steps=await self._overdue(asked, late[:SHOWN]),
            overdue_total=sum(incident.overdue for incident in late),
        )

    async def _overdue(self, asked: _Asked, late: Sequence[IncidentSummary]) -> tuple[OverdueStep, ...]:
        found: list[OverdueStep] = []
        for incident in late:
            detail = await self._incidents.get(asked.scope, incident.id, asked.now)
            found += [
                OverdueStep(incident_id=incident.id, area=incident.area, step=step.name, due_at=step.due_at)
                for step in detail.steps
                if step.overdue
            ]
        return tuple(sorted(found, key=lambda step: step.due_at)[:SHOWN])

    async def _devices(self, asked: _Asked) -> Devices:
        async def count(status: CameraState | None) -> tuple[int, tuple[str, ...]]:
            page = await self._cameras.list(asked.scope, areas=asked.areas, status=status, limit=SHOWN)
            return page.total, tuple(camera.id for camera in page.cameras)

        cameras, _ = await count(None)
        offline, away = await count("offline")
        degraded, poor = await count("degraded")
        online = cameras - offline - degraded
        return Devices(cameras=cameras, online=online, offline=offline, degraded=degraded, away=away, poor=poor)


def _pressing(incident: IncidentSummary) -> tuple[int, int, float]:
    """The highest priority first, then the most overdue, then the oldest."""
    return -incident.priority.rank, -incident.overdue, incident.opened_at.timestamp()


def _open(incident: IncidentSummary) -> OpenIncident:
    return OpenIncident(
        id=incident.id,
        title=incident.title,
        type=incident.type,
        area=incident.area,
        priority=incident.priority.value,
        status=incident.status.value,
        opened_at=incident.opened_at,
        assigned_name=incident.assigned_name,
        overdue=incident.overdue,
    )
