"""What became of the events that rules fired: false alarms counted for each camera and rule, and what that suggests.

Nothing here mutes anything: a rule that is mostly wrong at a camera is shown, with the suggestion to look at it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict
from sqlalchemy import RowMapping, case, delete, func, insert, select

from matpho_contracts.errors import BadInputError
from matpho_contracts.events import parse_event
from matpho_contracts.times import unix_ms
from matpho_platform.access.principal import Scope
from matpho_platform.cameras.areas import AreaTree
from matpho_platform.store.engine import Store
from matpho_platform.store.session import ReadSession, WriteSession
from matpho_platform.store.tables import cameras, events, inbox, incident_events, rule_outcomes

PERIOD = timedelta(days=30)
ENOUGH, MOSTLY = 5, 0.8
"""So many false alarms, and that share of all that ended, suggest to look at a rule."""
MAX_ROWS = 200


class RuleRecord(BaseModel):
    """One rule at one camera: how many of its events' incidents ended, and how many of them as false alarms."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    camera_id: str
    camera_name: str
    area: str
    rule: str
    ended: int
    false_alarms: int
    look_at_it: bool
    """Whether it is mostly wrong: adjust its zone or its threshold, or say why not. It goes on alerting meanwhile."""


class RuleRecords(BaseModel):
    """The rules with false alarms, those with the most first; `total` counts what is shown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: tuple[RuleRecord, ...]
    total: int


async def record(session: WriteSession, incident_id: str, at_ms: int, *, false_alarm: bool) -> None:
    """Note the end of an incident for every rule that fired one of its events; the latest end counts."""
    await forget(session, incident_id)
    joined = incident_events.join(inbox, inbox.c.event_id == incident_events.c.event_id).join(
        events, events.c.seq == inbox.c.seq
    )
    query = select(events.c.id, events.c.camera_id, events.c.raw).select_from(joined)
    found = await session.all(query.where(incident_events.c.incident_id == incident_id))
    rows = [
        {
            "incident_id": incident_id,
            "event_id": row["id"],
            "camera_id": row["camera_id"],
            "rule": _rule(row)[:64],
            "false_alarm": false_alarm,
            "at_ms": at_ms,
        }
        for row in found
    ]
    if rows:
        await session.run(insert(rule_outcomes), rows)


async def forget(session: WriteSession, incident_id: str) -> None:
    """An incident that was reopened has not ended."""
    await session.run(delete(rule_outcomes).where(rule_outcomes.c.incident_id == incident_id))


def _rule(row: RowMapping) -> str:
    """The rule that fired an event; its type where it names none."""
    try:
        event = parse_event(bytes(row["raw"]))
    except BadInputError:
        return "unreadable"
    return event.data.rule.name if event.data.rule is not None else event.type.rpartition(".")[2]


class Outcomes:
    """Figures of rules for people."""

    def __init__(self, store: Store, areas: AreaTree) -> None:
        self._store = store
        self._areas = areas

    async def records(self, scope: Scope, *, now: datetime) -> RuleRecords:
        """The rules that had false alarms in the last PERIOD, within a scope."""
        reach = self._areas.expand_scope(scope)
        async with self._store.reading() as session:
            rows = await _figures(session, reach.areas, unix_ms(now - PERIOD))
        found = tuple(map(_record, rows))
        return RuleRecords(rules=found, total=len(found))


async def _figures(session: ReadSession, areas: Collection[str] | None, since_ms: int) -> list[RowMapping]:
    wrong = func.sum(case((rule_outcomes.c.false_alarm, 1), else_=0))
    query = (
        select(
            rule_outcomes.c.camera_id,
            rule_outcomes.c.rule,
            cameras.c.name,
            cameras.c.area,
            func.count().label("ended"),
            wrong.label("wrong"),
        )
        .join(cameras, cameras.c.camera_id == rule_outcomes.c.camera_id)
        .where(rule_outcomes.c.at_ms >= since_ms)
        .group_by(rule_outcomes.c.camera_id, rule_outcomes.c.rule, cameras.c.name, cameras.c.area)
        .having(wrong > 0)
        .order_by(wrong.desc(), rule_outcomes.c.camera_id, rule_outcomes.c.rule)
    )
    if areas is not None:
        query = query.where(cameras.c.area.in_(areas))
    return list(await session.all(query.limit(MAX_ROWS)))


def _record(row: RowMapping) -> RuleRecord:
    return RuleRecord(
        camera_id=row["camera_id"],
        camera_name=row["name"],
        area=row["area"],
        rule=row["rule"],
        ended=row["ended"],
        false_alarms=row["wrong"],
        look_at_it=row["wrong"] >= ENOUGH and row["wrong"] >= MOSTLY * row["ended"],
    )
