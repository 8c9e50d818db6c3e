"""Events that belong together: a new one joins a running incident, is the same thing seen again, or opens its own.

For each event, in one transaction that holds the lock of opening:
1 one that has an incident is done with
2 of the open incidents of the last day, the newest one whose procedure has a rule that fits takes it: the event's type
  is the rule's, it happened soon enough after the incident's newest event, near enough to its leading event
3 the same type from the same camera within the rule's `repeat_within` is linked and otherwise not spoken of
4 any other goes into the timeline; one that presses more raises the incident's priority; the run is told
5 one that fits nowhere opens an incident if its procedure says so for its severity, and it is no old news
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import RowMapping, func, insert, select

from matpho_contracts.times import now, unix_ms
from matpho_contracts.vocabulary import EventType, Severity
from matpho_platform.access.principal import Principal, Role
from matpho_platform.events.reading import StoredEvent
from matpho_platform.incidents import opening, repository, runs, versions
from matpho_platform.incidents.opening import CENTER
from matpho_platform.incidents.procedure import JoinRule, Procedure
from matpho_platform.incidents.runs import Signal
from matpho_platform.incidents.schemas import MAX_EVENTS, Priority
from matpho_platform.incidents.service import IncidentService
from matpho_platform.incidents.states import OPEN
from matpho_platform.store.engine import Store
from matpho_platform.store.session import ReadSession, WriteSession
from matpho_platform.store.tables import cameras, events, inbox, incident_events, incidents

RECENT_MS = int(timedelta(days=1).total_seconds() * 1000)
CANDIDATES = 200
OLD_NEWS_MS = int(timedelta(hours=1).total_seconds() * 1000)
"""An event that comes in later than this after it happened opens nothing by itself."""
EARTH_M = 6_371_000.0
_BY_ITSELF = Principal(CENTER, "", Role.OFFICER)


class Correlator:
    """Takes every new event, once or more often: an event that was taken has an incident or needs none."""

    def __init__(self, store: Store, incidents_: IncidentService) -> None:
        self._store = store
        self._incidents = incidents_

    async def take(self, found: Sequence[StoredEvent]) -> None:
        """Handle new events, the earliest first."""
        for stored in sorted(found, key=lambda one: one.row["time_ms"]):
            if stored.row["event_type"] in set(EventType):
                await self._take(stored.row)

    async def _take(self, event: RowMapping) -> None:
        procedure = await self._incidents.procedure_for(EventType(event["event_type"]))
        async with self._store.writing() as session:
            await opening.lock(session)
            if await repository.incident_of(session, [event["id"]]):  # 1
                return
            joined = await _join(session, event)
        if joined:
            self._incidents.promised()
            return
        if procedure is not None and _opens(procedure, event):
            await self._incidents.open(_BY_ITSELF, [event["id"]], at=now(), key=f"auto:{event['id']}")  # 5


def _opens(procedure: Procedure, event: RowMapping) -> bool:
    """Whether an event opens an incident by itself."""
    if procedure.automatic is None or unix_ms(now()) - event["time_ms"] >= OLD_NEWS_MS:
        return False
    return Priority.of(list(Severity)[event["severity"]]).rank >= procedure.automatic.rank


async def _join(session: WriteSession, event: RowMapping) -> bool:
    """2 to 4; whether an incident took it."""
    place = await _place(session, event)
    for incident in await _candidates(session, event):
        procedure = await versions.of_incident(session, incident)
        rule = None if procedure is None else fitting_rule(procedure, event["event_type"])
        if rule is None:
            continue
        linked = await _linked(session, incident["incident_id"])
        if _fits(rule, incident, linked, event, place):
            await _link(session, incident, rule, linked, event)
            return True
    return False


def fitting_rule(procedure: Procedure, event_type: str) -> JoinRule | None:
    """The first rule of a procedure that speaks of a type."""
    return next((rule for rule in procedure.joins if event_type in (rule.types or procedure.event_types)), None)


async def _candidates(session: ReadSession, event: RowMapping) -> Sequence[RowMapping]:
    query = select(incidents).where(
        incidents.c.status.in_([one.value for one in OPEN]),
        incidents.c.version.is_not(None),
        incidents.c.opened_ms >= event["time_ms"] - RECENT_MS,
    )
    return await session.all(query.order_by(incidents.c.opened_ms.desc()).limit(CANDIDATES))


async def _linked(session: ReadSession, incident_id: str) -> Sequence[RowMapping]:
    """The events of an incident, with where they happened."""
    joined = incident_events.join(inbox, inbox.c.event_id == incident_events.c.event_id).join(
        events, events.c.seq == inbox.c.seq
    )
    query = select(events.c.event_type, events.c.camera_id, events.c.time_ms, events.c.lat, events.c.lon)
    query = query.select_from(joined).where(incident_events.c.incident_id == incident_id)
    return await session.all(query.order_by(incident_events.c.position))


async def _place(session: ReadSession, event: RowMapping) -> tuple[float, float] | None:
    """Where an event happened: as it says, else where its camera stands."""
    if event["lat"] is not None and event["lon"] is not None:
        return event["lat"], event["lon"]
    return await _camera_place(session, event["camera_id"])


async def _camera_place(session: ReadSession, camera_id: str) -> tuple[float, float] | None:
    row = await session.first(select(cameras.c.lat, cameras.c.lon).where(cameras.c.camera_id == camera_id))
    return None if row is None or row["lat"] is None or row["lon"] is None else (row["lat"], row["lon"])


def _fits(
    rule: JoinRule,
    incident: RowMapping,
    linked: Sequence[RowMapping],
    event: RowMapping,
    place: tuple[float, float] | None,
) -> bool:
    """Soon enough and near enough; an event that came late may lie before the newest one."""
    newest = max((row["time_ms"] for row in linked), default=incident["time_ms"])
    if abs(event["time_ms"] - newest) > rule.within * 1000:
        return False
    if event["camera_id"] == incident["camera_id"]:
        return True
    lead = next(((row["lat"], row["lon"]) for row in linked if row["camera_id"] == incident["camera_id"]), None)
    if place is None or lead is None or lead[0] is None or lead[1] is None:
        return False
    return metres((lead[0], lead[1]), place) <= rule.radius_m


def metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The distance of two places (latitude, longitude in degrees) by the haversine formula."""
    (lat1, lon1), (lat2, lon2) = [tuple(map(math.radians, place)) for place in (one, other)]
    inner = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_M * math.asin(min(1.0, math.sqrt(inner)))


async def _link(
    session: WriteSession, incident: RowMapping, rule: JoinRule, linked: Sequence[RowMapping], event: RowMapping
) -> None:
    """3 and 4; an incident that has MAX_EVENTS takes no more, and opens no second one either."""
    incident_id = incident["incident_id"]
    if len(linked) >= MAX_EVENTS:
        return
    last = select(func.max(incident_events.c.position)).where(incident_events.c.incident_id == incident_id)
    position = int(await session.scalar(last) or 0) + 1
    row = {"incident_id": incident_id, "event_id": event["id"], "position": position}
    await session.run(insert(incident_events).values(**row))
    if any(_repeats(rule, one, event) for one in linked):
        return
    at_ms = unix_ms(now())
    details = {"event": event["id"], "type": event["event_type"], "camera": event["camera_id"]}
    await _note(session, incident_id, "event_joined", details, at_ms)
    pressing = Priority.of(list(Severity)[event["severity"]])
    signal = Signal.EVENTS
    if pressing.rank > incident["priority"]:
        await repository.change(session, incident_id, {"priority": pressing.rank})
        before = list(Priority)[incident["priority"]].value
        await _note(session, incident_id, "priority_raised", {"from": before, "to": pressing.value}, at_ms)
        signal = Signal.PRIORITY
    await runs.promise(session, runs.run_id_of(incident_id, incident["run"]), signal, at_ms)


def _repeats(rule: JoinRule, one: RowMapping, event: RowMapping) -> bool:
    same = (one["event_type"], one["camera_id"]) == (event["event_type"], event["camera_id"])
    return same and abs(one["time_ms"] - event["time_ms"]) <= rule.repeat_within * 1000


async def _note(session: WriteSession, incident_id: str, action: str, details: dict[str, Any], at_ms: int) -> None:
    await repository.note_down(session, incident_id, at_ms=at_ms, actor=CENTER, action=action, details=details)
