"""What people do to an open incident: acknowledge, dispatch, update, escalate.

Every act runs in one transaction:
1 the incident's row is locked
2 a key that was used for this act before: nothing new, the incident as it is
3 the rules of `states` are asked, on the locked row
4 the columns change, the timeline gets one entry with the key
5 the incident's run is promised to be told of it
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from matpho_contracts.errors import BadInputError
from matpho_contracts.times import unix_ms
from matpho_platform.access.principal import Principal
from matpho_platform.incidents import outcomes, reading, repository, runs, states, stepping
from matpho_platform.incidents.errors import (
    IncidentNotFoundError,
    KeyReusedError,
    ReasonNeededError,
)
from matpho_platform.incidents.procedures import ProcedureService
from matpho_platform.incidents.runs import Signal
from matpho_platform.incidents.schemas import (
    MAX_NOTE,
    MAX_REASON,
    IncidentAction,
    Level,
    Status,
)
from matpho_platform.incidents.units import UnitService
from matpho_platform.store.engine import Store
from matpho_platform.store.session import ReadSession, WriteSession
from matpho_platform.store.tables import incident_areas, incident_tasks

TASK_SENT = "sent"
_SIGNALS: Mapping[str, Signal] = {
    "acknowledged": Signal.ACKNOWLEDGED,
    "dispatched": Signal.DISPATCHED,
    "updated": Signal.STATE,
    "step_done": Signal.STEP,
    "step_skipped": Signal.STEP,
    "escalated": Signal.ESCALATED,
    "area_added": Signal.STATE,
}


@dataclass(frozen=True, slots=True)
class _Change:
    """What an act does: new values of the incident's columns, and what the timeline says."""

    columns: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)


_Decide = Callable[[WriteSession, RowMapping], Awaitable[_Change]]


class Acting:
    """The acting half of the incident service."""

    def __init__(self, store: Store, procedures: ProcedureService, units: UnitService) -> None:
        self._store = store
        self._procedures = procedures
        self._units = units
        self.promised: Callable[[], None] = _nobody
        """Called when something was committed that a run is to be told."""

    async def acknowledge(
        self, principal: Principal, incident_id: str, *, at: datetime, note: str = "", key: str = ""
    ) -> IncidentAction:
        """Stop the escalation clock; a new incident is then in progress, and one of nobody's is the caller's.

        Raises IncidentNotFoundError, DeniedError (not open, acknowledged already).
        """

        async def decide(_session: WriteSession, row: RowMapping) -> _Change:
            status = Status(row["status"])
            states.check_acknowledge(incident_id, status, row["acknowledged_by"], row["acknowledged_ms"] is not None)
            columns = {
                "acknowledged_ms": unix_ms(at),
                "acknowledged_by": principal.user_id,
                "assigned_to": row["assigned_to"] or principal.user_id,
            }
            return _Change(columns | _started(status))

        return await self._act(principal, incident_id, "acknowledged", decide, at, note=note, key=key)

    async def dispatch(
        self, principal: Principal, incident_id: str, unit_id: str, *, at: datetime, note: str = "", key: str = ""
    ) -> IncidentAction:
        """Send a task to a unit: stored as `sent`. Raises IncidentNotFoundError, UnitNotFoundError, DeniedError."""
        unit = await self._units.get(unit_id)

        async def decide(session: WriteSession, row: RowMapping) -> _Change:
            status = Status(row["status"])
            states.check_open(incident_id, status)
            number = await repository.count_tasks(session, incident_id) + 1
            task = {
                "task_id": f"{incident_id}-T{number}",
                "incident_id": incident_id,
                "unit_id": unit.id,
                "state": TASK_SENT,
                "sent_ms": unix_ms(at),
                "sent_by": principal.user_id,
                "note": note,
            }
            await repository.add(session, incident_tasks, [task])
            await stepping.dispatched(session, row, unit.kind, principal.user_id, unix_ms(at))
            return _Change(_started(status), {"unit": unit.id, "task": str(task["task_id"])})

        return await self._act(principal, incident_id, "dispatched", decide, at, note=note, key=key)

    async def update(
        self,
        principal: Principal,
        incident_id: str,
        *,
        at: datetime,
        status: Status | None = None,
        step_done: str | None = None,
        answer: str = "",
        step_skipped: str | None = None,
        false_alarm: bool = False,
        note: str = "",
        reason: str = "",
        key: str = "",
    ) -> IncidentAction:
        """Move the incident to a state, or mark a step (its name, id or number) as done or skipped.

        `escalated` goes to the next level; `answer` is that to a step that asks; `false_alarm`, with a reason, ends an
        incident that was none, and counts against the rules that fired. Raises IncidentNotFoundError,
        DeniedError (the rules of `states`), ReasonNeededError, StepError (no such step, no such answer), BadInputError
        unless exactly one of `status`, `step_done` and `step_skipped` is given.
        """
        if sum(item is not None for item in (status, step_done, step_skipped)) != 1:
            raise BadInputError("Give either a state or a step.", action="Name one of the two.")
        if status is not None:
            return await self._move(principal, incident_id, status, at, note, reason, key, false_alarm)
        if step_done is not None:
            return await self._do_step(principal, incident_id, step_done, answer, at, note, key)
        return await self._skip_step(principal, incident_id, step_skipped or "", at, note, reason, key)

    async def _move(
        self,
        principal: Principal,
        incident_id: str,
        status: Status,
        at: datetime,
        note: str,
        reason: str,
        key: str,
        false_alarm: bool,
    ) -> IncidentAction:
        because = reason or note
        if false_alarm and status in states.OPEN:
            raise BadInputError("Only an incident that ends can be a false alarm.", action="Resolve or close it.")
        if (false_alarm or status in states.NEEDS_REASON) and not because.strip():
            what = "Calling an incident a false alarm" if false_alarm else "Reopening an incident"
            raise ReasonNeededError(f"{what} needs a reason.", action="Say why.")

        async def decide(session: WriteSession, row: RowMapping) -> _Change:
            states.check_transition(incident_id, Status(row["status"]), status)
            columns: dict[str, Any] = {"status": status.value}
            details = {"from": row["status"], "to": status.value}
            if status is Status.ESCALATED:
                level = states.next_level(Level(row["level"])) or Level(row["level"])
                columns, details = columns | {"level": level.value}, details | {"level": level.value}
            if status not in states.OPEN:
                await self._check_forced(session, row, because)
                await outcomes.record(session, incident_id, unix_ms(at), false_alarm=false_alarm)
                details |= {"outcome": "false_alarm"} if false_alarm else {}
            if status is Status.REOPENED:
                await outcomes.forget(session, incident_id)
                columns["run"] = row["run"] + 1
                await stepping.restart(session, row, columns["run"], unix_ms(at))
                await runs.begin(session, incident_id, columns["run"], unix_ms(at))
            return _Change(columns, details)

        shown = because if false_alarm or status in states.NEEDS_REASON else reason
        return await self._act(principal, incident_id, "updated", decide, at, note=note, reason=shown, key=key)

    async def _check_forced(self, session: ReadSession, row: RowMapping, because: str) -> None:
        """Rule 12; raises ReasonNeededError."""
        steps = await stepping.read(session, row)
        left = [one.step.name for one in steps.stands if one.step.forced and not one.state.settled]
        if left and not because.strip():
            raise ReasonNeededError(
                f"Ending {row['incident_id']} with mandatory steps undone needs a reason: {'; '.join(left)}.",
                action="Do them, or say why not.",
            )

    async def _do_step(
        self, principal: Principal, incident_id: str, said: str, answer: str, at: datetime, note: str, key: str
    ) -> IncidentAction:
        async def decide(session: WriteSession, row: RowMapping) -> _Change:
            status = Status(row["status"])
            states.check_open(incident_id, status)
            step, given = await stepping.do(session, row, said, answer, principal.user_id, unix_ms(at))
            return _Change(_started(status), {"step": step} | ({"answer": given} if given else {}))

        return await self._act(principal, incident_id, "step_done", decide, at, note=note, key=key)

    async def _skip_step(
        self, principal: Principal, incident_id: str, said: str, at: datetime, note: str, reason: str, key: str
    ) -> IncidentAction:
        because = reason or note
        if not because.strip():
            raise ReasonNeededError("Skipping a step needs a reason.", action="Say why.")

        async def decide(session: WriteSession, row: RowMapping) -> _Change:
            status = Status(row["status"])
            states.check_open(incident_id, status)
            step = await stepping.skip(session, row, said, principal.user_id, unix_ms(at))
            return _Change(_started(status), {"step": step})

        return await self._act(principal, incident_id, "step_skipped", decide, at, note=note, reason=because, key=key)

    async def escalate(
        self, principal: Principal, incident_id: str, to_level: Level, *, at: datetime, note: str = "", key: str = ""
    ) -> IncidentAction:
        """Hand the incident to a higher level at once. Raises IncidentNotFoundError, DeniedError."""

        async def decide(_session: WriteSession, row: RowMapping) -> _Change:
            level = Level(row["level"])
            states.check_escalate(incident_id, Status(row["status"]), level, to_level)
            columns = {"status": Status.ESCALATED.value, "level": to_level.value}
            return _Change(columns, {"from": level.value, "to": to_level.value})

        return await self._act(principal, incident_id, "escalated", decide, at, note=note, key=key)

    async def _support(
        self, principal: Principal, incident_id: str, area: str, at: datetime, note: str, key: str
    ) -> IncidentAction:
        async def decide(session: WriteSession, row: RowMapping) -> _Change:
            states.check_open(incident_id, Status(row["status"]))
            if area in (row["area"], *await repository.helping(session, incident_id)):
                raise BadInputError(f"{area} has incident {incident_id} already.")
            added = {"incident_id": incident_id, "area": area, "added_by": principal.user_id, "added_ms": unix_ms(at)}
            await repository.add(session, incident_areas, [added])
            return _Change({}, {"area": area})

        return await self._act(principal, incident_id, "area_added", decide, at, note=note, key=key)

    async def _act(
        self,
        principal: Principal,
        incident_id: str,
        action: str,
        decide: _Decide,
        at: datetime,
        *,
        note: str = "",
        reason: str = "",
        key: str = "",
    ) -> IncidentAction:
        async with self._store.writing() as session:
            row = await repository.locked(session, incident_id)  # 1
            if row is None:
                raise IncidentNotFoundError(f"There is no incident {incident_id}.")
            if await self._done_before(session, key, action, incident_id) is not None:  # 2
                return await self._result(session, action, incident_id, at, changed=False)
            change = await decide(session, row)  # 3
            await repository.change(session, incident_id, change.columns)  # 4
            await self._note(session, principal, incident_id, action, change.details, unix_ms(at), note, reason, key)
            if Status(row["status"]) in states.OPEN:  # 5
                run_id = runs.run_id_of(incident_id, row["run"])
                await runs.promise(session, run_id, _SIGNALS[action], unix_ms(at))
        self.promised()
        return await self._shown(action, incident_id, at)

    async def _shown(self, action: str, incident_id: str, at: datetime) -> IncidentAction:
        """The incident after an act that was committed; read apart, so that nobody waits for it."""
        async with self._store.reading() as session:
            return await self._result(session, action, incident_id, at)

    async def _done_before(self, session: ReadSession, key: str, action: str, incident_id: str | None) -> str | None:
        """The incident of the act that had this key; None: no such act. Raises KeyReusedError for another act's key."""
        entry = await repository.by_key(session, key) if key else None
        if entry is None:
            return None
        if entry["action"] != action or incident_id not in (None, entry["incident_id"]):
            raise KeyReusedError("This key was used for another act.", action="Ask again.")
        return str(entry["incident_id"])

    async def _note(
        self,
        session: WriteSession,
        principal: Principal,
        incident_id: str,
        action: str,
        details: Mapping[str, str],
        at_ms: int,
        note: str,
        reason: str,
        key: str,
    ) -> None:
        await repository.note_down(
            session,
            incident_id,
            at_ms=at_ms,
            actor=principal.user_id,
            action=action,
            details=details,
            note=note[:MAX_NOTE],
            reason=reason[:MAX_REASON],
            key=key or None,
        )

    async def _result(
        self,
        session: ReadSession,
        action: str,
        incident_id: str,
        now: datetime,
        *,
        changed: bool = True,
    ) -> IncidentAction:
        row = await repository.one(session, incident_id)
        detail = await reading.detail(session, row, now)
        task = detail.tasks[-1] if action == "dispatched" and detail.tasks else None
        return IncidentAction(action=action, changed=changed, incident=detail, task=task)


def _nobody() -> None:
    """Nobody follows incidents here."""


def _started(status: Status) -> dict[str, str]:
    """Whoever acts on a new or reopened incident has it in progress."""
    moves = status in (Status.NEW, Status.REOPENED)
    return {"status": Status.IN_PROGRESS.value} if moves else {}
