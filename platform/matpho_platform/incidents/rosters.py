"""Duty rosters: who is on duty where, for what, from when to when; and who is to be told by them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping, and_, delete, insert, select

from matpho_contracts.errors import BadInputError
from matpho_contracts.ids import ShortId, new_event_id
from matpho_contracts.times import AwareDatetime, from_unix_ms, unix_ms
from matpho_platform.access.principal import Principal, Role, Scope
from matpho_platform.cameras.areas import AreaTree
from matpho_platform.incidents.procedure import Procedure, Target
from matpho_platform.incidents.schemas import UnitKind
from matpho_platform.incidents.units import kinds_for
from matpho_platform.notify.schemas import Person, Post, Recipient
from matpho_platform.store.engine import Store
from matpho_platform.store.session import ReadSession
from matpho_platform.store.tables import accounts, duty_roster

DUTY_OFFICER = "duty_officer"
DutyKind = Literal["police", "fire", "medical", "traffic", "environment", "duty_officer"]
MAX_DAYS = 31
MAX_LIST = 500


class Duty(BaseModel):
    """One person's duty: where, as what (a kind of unit, or the duty officer), from when to when (half open)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(max_length=36)] = ""
    area: ShortId
    kind: DutyKind
    user_id: ShortId
    starts_at: AwareDatetime
    ends_at: AwareDatetime


class DutyPage(BaseModel):
    """Duties by their start; `total` counts all that fit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    duties: tuple[Duty, ...]
    total: int


class Rosters:
    """Keeps duties and answers who is on."""

    def __init__(self, store: Store, areas: AreaTree) -> None:
        self._store = store
        self._areas = areas

    async def set(self, principal: Principal, duty: Duty, *, at: datetime) -> Duty:
        """Add a duty. Raises BadInputError for times that cannot be, or an account that is not there or not staff."""
        if not duty.starts_at < duty.ends_at or (duty.ends_at - duty.starts_at).days > MAX_DAYS:
            raise BadInputError(f"A duty ends after it starts, and lasts at most {MAX_DAYS} days.")
        kept = duty.model_copy(update={"id": new_event_id()})
        row = {"duty_id": kept.id, "area": kept.area, "kind": kept.kind, "user_id": kept.user_id}
        times = {"from_ms": unix_ms(kept.starts_at), "to_ms": unix_ms(kept.ends_at), "set_ms": unix_ms(at)}
        async with self._store.writing() as session:
            role = await session.scalar(select(accounts.c.role).where(accounts.c.user_id == kept.user_id))
            if role not in (Role.OFFICER, Role.COMMANDER):
                raise BadInputError(f"{kept.user_id} is no officer and no commander.", action="Name one.")
            await session.run(insert(duty_roster).values(**row, **times, set_by=principal.user_id))
        return kept

    async def remove(self, duty_id: str) -> bool:
        """Take a duty off; whether there was one."""
        async with self._store.writing() as session:
            return bool(await session.run(delete(duty_roster).where(duty_roster.c.duty_id == duty_id)))

    async def find(self, duty_id: str) -> Duty | None:
        """One duty."""
        async with self._store.reading() as session:
            row = await session.first(select(duty_roster).where(duty_roster.c.duty_id == duty_id))
        return None if row is None else _duty(row)

    async def list(self, scope: Scope, *, at: datetime) -> DutyPage:
        """The duties that have not ended, by start, within a scope."""
        reach = self._areas.expand_scope(scope)
        query = select(duty_roster).where(duty_roster.c.to_ms > unix_ms(at))
        if reach.areas is not None:
            query = query.where(duty_roster.c.area.in_(reach.areas))
        async with self._store.reading() as session:
            rows = await session.all(query.order_by(duty_roster.c.from_ms, duty_roster.c.duty_id).limit(MAX_LIST))
        return DutyPage(duties=tuple(map(_duty, rows)), total=len(rows))

    async def on_duty(self, session: ReadSession, area: str, kinds: Sequence[str], at_ms: int) -> str | None:
        """Who is on duty for an area: of the nearest area upwards that has somebody, the first kind that has one."""
        lineage = self._areas.lineage(area)
        now = and_(duty_roster.c.from_ms <= at_ms, duty_roster.c.to_ms > at_ms)
        wanted = and_(duty_roster.c.area.in_(lineage), duty_roster.c.kind.in_(kinds))
        rows = await session.all(select(duty_roster).where(now, wanted).limit(MAX_LIST))

        def rank(row: RowMapping) -> tuple[int, int, int, str]:
            return (lineage.index(row["area"]), kinds.index(row["kind"]), -row["from_ms"], row["user_id"])

        best = min(rows, key=rank, default=None)
        return None if best is None else str(best["user_id"])

    async def responder(
        self, session: ReadSession, incident: RowMapping, procedure: Procedure | None, at_ms: int
    ) -> str | None:
        """Who on duty serves an incident: by its area and the kinds of unit it asks for."""
        kinds = procedure.units if procedure and procedure.units else kinds_for(incident["event_type"])
        return await self.on_duty(session, incident["area"], [kind.value for kind in kinds], at_ms)

    async def reached_by(
        self, session: ReadSession, target: Target, incident: RowMapping, procedure: Procedure | None, at_ms: int
    ) -> Recipient | None:
        """Whom a level of the chain means at a moment; None: nobody there."""
        if target is Target.USER:
            person = incident["assigned_to"] or await self.responder(session, incident, procedure, at_ms)
            return Person(user_id=person) if person else None
        if target is Target.DUTY_OFFICER:
            person = await self.on_duty(session, incident["area"], [DUTY_OFFICER], at_ms)
            return Person(user_id=person) if person else None
        role = Role.OFFICER if target is Target.TEAM else Role.COMMANDER
        return Post(role=role, area=incident["area"])


def _duty(row: RowMapping) -> Duty:
    return Duty(
        id=row["duty_id"],
        area=row["area"],
        kind=row["kind"] if row["kind"] == DUTY_OFFICER else UnitKind(row["kind"]).value,
        user_id=row["user_id"],
        starts_at=from_unix_ms(row["from_ms"]),
        ends_at=from_unix_ms(row["to_ms"]),
    )
