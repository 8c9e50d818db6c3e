"""One look at a running incident: everything that is due by now is done, in one transaction, each thing once.

1 the incident's row is locked; whatever the run was to be told is thereby told
2 a run of an incident that has ended, or was reopened since, ends
3 nobody has it: it is given to whoever is on duty for it
4 steps that are the center's own (telling, waiting) are done when it is their turn and time
5 nobody acknowledged: each level of the chain whose time has come is told; a level where nobody is passes it on at once
6 steps that are overdue or were skipped are told to the supervisor
7 the answer is the earliest moment at which something will be due

Each effect leaves an entry in the timeline whose key names it, in the same transaction; an effect whose key is there is
done. A look that is taken again therefore changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from sqlalchemy import RowMapping

from matpho_contracts.times import from_unix_ms
from matpho_contracts.vocabulary import EventType, Severity
from matpho_platform.incidents import repository, runs, states, stepping, versions
from matpho_platform.incidents.flow import Stand, StepState
from matpho_platform.incidents.opening import CENTER
from matpho_platform.incidents.procedure import DEFAULT_CHAIN, ChainLevel, Procedure, StepKind, Target
from matpho_platform.incidents.rosters import Rosters
from matpho_platform.incidents.schemas import Level, Priority, Status
from matpho_platform.incidents.stepping import Steps
from matpho_platform.notify.schemas import Action, Facts, Notice, Recipient, Template
from matpho_platform.store.engine import Store
from matpho_platform.store.session import WriteSession

NOTHING_DUE_MS = int(timedelta(days=1).total_seconds() * 1000)
"""Where nothing has a time, the next look is so far off; a signal brings it forward."""


class Promises(Protocol):
    """Whoever delivers notices: `Notifier` of the notify domain."""

    async def promise(self, session: WriteSession, notice: Notice) -> str:
        """Write a notice down in the caller's transaction; the same key again changes nothing."""
        ...

    def wake(self) -> None:
        """There are new notices, committed."""
        ...


@dataclass(slots=True)
class _Look:
    """What one look works with."""

    session: WriteSession
    run: RowMapping
    incident: RowMapping
    procedure: Procedure | None
    done: set[str]
    now_ms: int
    facts: Facts | None = None
    """What notices tell of the incident, read when the first is promised."""
    told: bool = False
    nobody: bool = False
    """Whether it is known that nobody on duty serves it."""
    later: list[int] = field(default_factory=list)
    """Moments at which something will be due."""

    def key(self, *parts: str | int) -> str:
        """The name of an effect of this run."""
        return ":".join([self.run["run_id"], *map(str, parts)])


class Follower:
    """Takes looks at runs; knows nothing of who calls it when."""

    def __init__(self, store: Store, rosters: Rosters, notifier: Promises) -> None:
        self._store = store
        self._rosters = rosters
        self._notifier = notifier

    async def look(self, run_id: str, now_ms: int) -> int | None:
        """Do what is due of a run; when to look again (Unix milliseconds), or None when it has ended."""
        async with self._store.writing() as session:
            run = await runs.one(session, run_id)
            if run is None:
                return None
            incident = await repository.locked(session, run["incident_id"])  # 1
            await runs.told(session, run_id)
            if run["ended_ms"] is not None:
                return None
            if incident is None or incident["run"] != run["number"] or Status(incident["status"]) not in states.OPEN:
                await runs.waits(session, run_id, now_ms, None, ended=True)  # 2
                return None
            look = await self._begin(session, run, incident, now_ms)
            await self._assign(look)
            steps = await self._own_steps(look)
            await self._alert(look)
            await self._supervise(look, steps)
            next_ms = min(look.later, default=now_ms + NOTHING_DUE_MS)  # 7
            await runs.waits(session, run_id, now_ms, next_ms, ended=False)
        if look.told:
            self._notifier.wake()
        return next_ms

    async def _begin(self, session: WriteSession, run: RowMapping, incident: RowMapping, now_ms: int) -> _Look:
        procedure = await versions.of_incident(session, incident)
        done = await repository.keys_of(session, incident["incident_id"])
        return _Look(session, run, incident, procedure, done, now_ms)

    async def _assign(self, look: _Look) -> None:
        """3; somebody else may still acknowledge it."""
        key = look.key("assigned")
        if look.incident["assigned_to"] or look.incident["acknowledged_ms"] is not None or key in look.done:
            return
        person = await self._rosters.responder(look.session, look.incident, look.procedure, look.now_ms)
        look.nobody = person is None
        if person is None:
            return
        await repository.change(look.session, look.incident["incident_id"], {"assigned_to": person})
        await self._note(look, key, "assigned", {"to": person})
        await self._again(look)

    async def _own_steps(self, look: _Look) -> Steps:
        """4, as often as one makes it another's turn."""
        steps = await stepping.restand(look.session, look.incident)
        while (found := _next_own(steps, look.now_ms)) is not None:
            position, stand = found
            if stand.step.kind is StepKind.NOTIFY:
                await self._announce(look, stand)
            await self._note(look, look.key("step", stand.step.id), "step_done", {"step": stand.step.name})
            done = {"done_ms": look.now_ms, "done_by": CENTER}
            steps = await stepping.settle(look.session, look.incident, position, done)
        look.later += [
            stand.due_ms
            for stand in steps.stands
            if stand.state is StepState.READY and stand.step.kind is StepKind.WAIT
        ]
        return steps

    async def _announce(self, look: _Look, stand: Stand) -> None:
        for target in stand.step.tell:
            to = await self._reached(look, target)
            if to is not None:
                key = look.key("tell", stand.step.id, target.value)
                await self._promise(look, key, to, Template.TASK, step=stand.step.name)

    async def _alert(self, look: _Look) -> None:
        """5."""
        if look.incident["acknowledged_ms"] is not None:
            return
        chain = look.procedure.escalation if look.procedure else DEFAULT_CHAIN
        passed_on = False
        for number, level in enumerate(chain):
            key = look.key("alert", number)
            due_ms = look.run["started_ms"] + level.after * 1000
            if key in look.done:
                continue
            if due_ms > look.now_ms and not passed_on:
                look.later.append(due_ms)
                return
            passed_on = not await self._tell_level(look, key, number, level, min(due_ms, look.now_ms))

    async def _tell_level(self, look: _Look, key: str, number: int, level: ChainLevel, due_ms: int) -> bool:
        """Tell one level; whether anybody is there."""
        to = await self._reached(look, level.to)
        details = {"level": level.to.value, "due": _exact(due_ms)}
        if to is None:
            await self._note(look, key, "alerted", details | {"nobody": "true"})
            return False
        template = Template.ALERT if number == 0 else Template.ESCALATION
        await self._promise(look, key, to, template, level=level.to.value)
        await self._note(look, key, "alerted", details)
        if level.to is Target.COMMANDER:
            await self._raise(look, key)
        return True

    async def _raise(self, look: _Look, key: str) -> None:
        """What reached the commander lies with the commander."""
        before = Level(look.incident["level"])
        if before.rank >= Level.COMMANDER.rank:
            return
        values = {"level": Level.COMMANDER.value, "status": Status.ESCALATED.value}
        await repository.change(look.session, look.incident["incident_id"], values)
        details = {"from": before.value, "to": Level.COMMANDER.value}
        await self._note(look, f"{key}:raised", "escalated", details)
        await self._again(look)

    async def _supervise(self, look: _Look, steps: Steps) -> None:
        """6."""
        marks = steps.marks
        for stand in steps.stands:
            name = stand.step.id
            if stand.state is StepState.READY and stand.step.kind is not StepKind.WAIT:
                if stand.due_ms > look.now_ms:
                    look.later.append(stand.due_ms)
                else:
                    await self._tell_supervisor(look, "overdue", stand, Template.DEADLINE)
            elif name in marks and marks[name].skipped_ms is not None:
                await self._tell_supervisor(look, "skipped", stand, Template.SKIPPED)

    async def _tell_supervisor(self, look: _Look, what: str, stand: Stand, template: Template) -> None:
        key = look.key(what, stand.step.id)
        if key in look.done:
            return
        wanted = look.procedure.supervisor if look.procedure else Target.DUTY_OFFICER
        to = await self._reached(look, wanted) or await self._reached(look, Target.COMMANDER)
        if to is not None:
            await self._promise(look, key, to, template, step=stand.step.name)
        details = {"step": stand.step.name} | ({"due": _exact(stand.due_ms)} if what == "overdue" else {})
        await self._note(look, key, f"step_{what}" if what == "overdue" else "supervisor_told", details)

    async def _reached(self, look: _Look, target: Target) -> Recipient | None:
        if target is Target.USER and look.nobody:
            return None
        return await self._rosters.reached_by(look.session, target, look.incident, look.procedure, look.now_ms)

    async def _promise(
        self, look: _Look, key: str, to: Recipient, template: Template, *, level: str = "", step: str = ""
    ) -> None:
        """A notice under the key of the effect that it belongs to."""
        incident, priority = look.incident, list(Priority)[look.incident["priority"]]
        alert = template in (Template.ALERT, Template.ESCALATION)
        if look.facts is None:
            look.facts = await _facts(look.session, incident)
        notice = Notice(
            key=key,
            to=to,
            template=template,
            severity=Severity(priority.value),
            facts=look.facts.model_copy(update={"level": level, "step": step}),
            link=f"/incidents/{incident['incident_id']}",
            actions=(Action.ACKNOWLEDGE, Action.SNOOZE, Action.FALSE_ALARM) if alert else (),
            alert=alert,
        )
        await self._notifier.promise(look.session, notice)
        look.told = True

    async def _note(self, look: _Look, key: str, action: str, details: Mapping[str, str]) -> None:
        await repository.note_down(
            look.session,
            look.incident["incident_id"],
            at_ms=look.now_ms,
            actor=CENTER,
            action=action,
            details=details,
            key=key,
        )
        look.done.add(key)

    async def _again(self, look: _Look) -> None:
        look.incident = await repository.one(look.session, look.incident["incident_id"])


async def _facts(session: WriteSession, incident: RowMapping) -> Facts:
    names = await repository.camera_names(session, [incident["camera_id"]])
    listed = (await repository.events_of(session, [incident["incident_id"]])).get(incident["incident_id"], ())
    return Facts(
        incident_id=incident["incident_id"],
        event_id=listed[0]["event_id"] if listed else None,
        event_type=EventType(incident["event_type"]) if incident["event_type"] in set(EventType) else None,
        camera_id=incident["camera_id"] or None,
        camera_name=names.get(incident["camera_id"], ""),
        area=incident["area"],
        time=from_unix_ms(incident["time_ms"]),
    )


def _next_own(steps: Steps, now_ms: int) -> tuple[int, Stand] | None:
    """The first step that the center itself does, and whose turn and time it is."""
    for position, stand in enumerate(steps.stands):
        if stand.state is not StepState.READY:
            continue
        if stand.step.kind is StepKind.NOTIFY or (stand.step.kind is StepKind.WAIT and stand.due_ms <= now_ms):
            return position, stand
    return None


def _exact(at_ms: int) -> str:
    return from_unix_ms(at_ms).isoformat(timespec="milliseconds")
