"""A procedure tried out: the way through it for given answers and times, and what it would have done in the past. Pure.

Both walk one course of things. At each turn, of all steps whose turn it is, the one that is finished first is finished:
a person's after the time that is given for it, the center's own when it is their time. What nobody acknowledged in time
goes up the chain; a step that takes longer than it has is overdue meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from matpho_contracts.errors import BadInputError
from matpho_contracts.text import fold
from matpho_platform.incidents.flow import Mark, Stand, StepState, stands
from matpho_platform.incidents.procedure import Procedure, StepKind
from matpho_platform.incidents.schemas import IncidentDetail, Priority, Status
from matpho_platform.incidents.states import OPEN

_OWN = (StepKind.NOTIFY, StepKind.WAIT)


@dataclass(frozen=True, slots=True, order=True)
class Happening:
    """One thing, so many seconds after the opening: `told`, `done`, `overdue`, `asks`, `late`, `unfinished`."""

    at_s: float
    what: str
    step: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Course:
    """How people behave in a rehearsal; seconds.

    A step that `took` does not name takes its whole time. `acknowledged_s` None: nobody ever acknowledges.
    """

    priority: Priority
    answers: Mapping[str, str]
    took: Mapping[str, float]
    acknowledged_s: float | None
    ends_s: float | None = None
    """When the incident ends, whatever is left to do."""


def rehearse(procedure: Procedure, course: Course) -> tuple[Happening, ...]:
    """The way through a procedure, in order of time; it ends at a question without an answer.

    Raises BadInputError for an answer or a time of a step that is not there, or an answer that is none of its.
    """
    _check(procedure, course)
    marks, found = dict[str, Mark](), list[Happening]()
    stopped = False
    while not stopped and (turn := _next(procedure, marks, course)) is not None:
        stand, end_ms = turn
        if course.ends_s is not None and end_ms > course.ends_s * 1000:
            break
        late = end_ms > stand.due_ms and stand.step.kind not in _OWN
        if late:
            found.append(Happening(stand.due_ms / 1000, "overdue", stand.step.id, stand.step.name))
        answer = _answer(stand, course)
        if stand.step.kind is StepKind.QUESTION and not answer:
            options = " / ".join(one.name for one in stand.step.answers)
            found.append(Happening(stand.ready_ms / 1000, "asks", stand.step.id, f"{stand.step.name}: {options}"))
            stopped = True
            continue
        marks[stand.step.id] = Mark(done_ms=end_ms, answer=answer)
        found.append(Happening(end_ms / 1000, "done", stand.step.id, _said(stand, answer)))
    return tuple(sorted([*found, *_chain(procedure, course), *_left(procedure, marks, course)]))


def replay(procedure: Procedure, incident: IncidentDetail, now: datetime) -> tuple[Happening, ...]:
    """What a procedure would have done in a past incident: what people did then, at the time they did it.

    Steps are found again by their name; one that nobody did is unfinished when the incident ended.
    """
    opened = incident.opened_at
    by_name = {fold(step.name): step for step in incident.steps}
    took, answers = dict[str, float](), dict[str, str]()
    for step in procedure.steps:
        then = by_name.get(fold(step.name))
        if then is None or then.done_at is None:
            continue
        took[step.id] = (then.done_at - opened).total_seconds()
        if step.kind is StepKind.QUESTION and then.answer in [one.name for one in step.answers]:
            answers[step.id] = then.answer
    acknowledged = incident.acknowledged_at
    course = Course(
        incident.priority,
        answers,
        took,
        None if acknowledged is None else (acknowledged - opened).total_seconds(),
        (_ended(incident, now) - opened).total_seconds(),
    )
    return tuple(one for one in _past(procedure, course) if one.at_s <= (course.ends_s or 0))


def _past(procedure: Procedure, course: Course) -> tuple[Happening, ...]:
    """As `rehearse`, but `took` counts from the opening, and what is not in it was not done."""
    marks, found = dict[str, Mark](), list[Happening]()
    while True:
        standing = stands(procedure, marks, start_ms=0, priority=course.priority)
        ready = [one for one in standing if one.state is StepState.READY]
        ends = {one.step.id: _past_end(one, course) for one in ready}
        doable = [one for one in ready if ends[one.step.id] is not None]
        if not doable:
            break
        stand = min(doable, key=lambda one: ends[one.step.id] or 0)
        end_ms = max(ends[stand.step.id] or 0, stand.ready_ms)
        if end_ms > stand.due_ms and stand.step.kind not in _OWN:
            found.append(Happening(stand.due_ms / 1000, "overdue", stand.step.id, stand.step.name))
        answer = course.answers.get(stand.step.id, "")
        marks[stand.step.id] = Mark(done_ms=end_ms, answer=answer)
        found.append(Happening(end_ms / 1000, "done", stand.step.id, _said(stand, answer)))
    return tuple(sorted([*found, *_chain(procedure, course), *_left(procedure, marks, course)]))


def _past_end(stand: Stand, course: Course) -> int | None:
    if stand.step.kind in _OWN:
        return stand.due_ms if stand.step.kind is StepKind.WAIT else stand.ready_ms
    took = course.took.get(stand.step.id)
    return None if took is None else int(took * 1000)


def _ended(incident: IncidentDetail, now: datetime) -> datetime:
    """When an incident ended; the present for an open one."""
    ends = [
        entry.at
        for entry in incident.timeline
        if entry.details.get("to") in (Status.RESOLVED.value, Status.CLOSED.value)
    ]
    return now if incident.status in OPEN or not ends else ends[-1]


def _check(procedure: Procedure, course: Course) -> None:
    known = {step.id: step for step in procedure.steps}
    for name in (*course.answers, *course.took):
        if name not in known:
            raise BadInputError(f"There is no step {name}.", action=f"It has: {', '.join(known)}.")
    for name, said in course.answers.items():
        answers = [one.name for one in known[name].answers]
        if not any(fold(said) in (fold(one.name), fold(one.name_en)) for one in known[name].answers):
            raise BadInputError(f"«{said}» is no answer to {name}.", action=f"Its answers: {', '.join(answers)}.")


def _next(procedure: Procedure, marks: Mapping[str, Mark], course: Course) -> tuple[Stand, int] | None:
    """The step that is finished next, and when."""
    ready = [
        (_end(stand, course), number, stand)
        for number, stand in enumerate(stands(procedure, marks, start_ms=0, priority=course.priority))
        if stand.state is StepState.READY
    ]
    return None if not ready else (min(ready)[2], min(ready)[0])


def _end(stand: Stand, course: Course) -> int:
    if stand.step.kind is StepKind.NOTIFY:
        return stand.ready_ms
    took = None if stand.step.kind is StepKind.WAIT else course.took.get(stand.step.id)
    return max(stand.ready_ms, stand.due_ms) if took is None else stand.ready_ms + int(took * 1000)


def _answer(stand: Stand, course: Course) -> str:
    said = course.answers.get(stand.step.id, "")
    fitting = (one.name for one in stand.step.answers if said and fold(said) in (fold(one.name), fold(one.name_en)))
    return next(fitting, "")


def _said(stand: Stand, answer: str) -> str:
    return f"{stand.step.name}: {answer}" if answer else stand.step.name


def _chain(procedure: Procedure, course: Course) -> Iterable[Happening]:
    """Who is told until somebody acknowledges, or the incident ends."""
    for level in procedure.escalation:
        known = course.acknowledged_s is not None and level.after >= course.acknowledged_s and level.after > 0
        if known or (course.ends_s is not None and level.after > course.ends_s):
            return
        yield Happening(float(level.after), "told", "", level.to.value)


def _left(procedure: Procedure, marks: Mapping[str, Mark], course: Course) -> Iterable[Happening]:
    """What was still to do when the incident ended, and what was overdue then."""
    if course.ends_s is None:
        return
    for stand in stands(procedure, marks, start_ms=0, priority=course.priority):
        if stand.state is not StepState.READY:
            continue
        if stand.due_ms < course.ends_s * 1000 and stand.step.kind not in _OWN:
            yield Happening(stand.due_ms / 1000, "overdue", stand.step.id, stand.step.name)
        yield Happening(course.ends_s, "unfinished", stand.step.id, stand.step.name)
