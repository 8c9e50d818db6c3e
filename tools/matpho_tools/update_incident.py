"""`update_incident`: moves an incident to a state, or marks a step of its procedure as done or skipped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import StringConstraints

from matpho_contracts.ids import ShortId
from matpho_contracts.text import fold
from matpho_platform.access.errors import DeniedError
from matpho_platform.access.policy import Denied, Facts, Resource
from matpho_platform.incidents.errors import StepError
from matpho_platform.incidents.flow import StepState
from matpho_platform.incidents.progress import find_step
from matpho_platform.incidents.schemas import MAX_REASON, IncidentDetail, Status, StepProgress
from matpho_platform.incidents.states import (
    NEEDS_REASON,
    OPEN,
    STATUS_NAMES,
    TRANSITIONS,
    check_open,
    check_skip,
    check_step,
    check_transition,
)
from matpho_tools.contract import Arguments, Call, MissingError, Prepared, Produced, Row, Tool
from matpho_tools.incident_rows import Note, incident_row, note_rows
from matpho_tools.resources import incident_resource
from matpho_tools.wording import denial

if TYPE_CHECKING:
    from matpho_platform.center import Center

StepName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class UpdateIncidentArguments(Arguments):
    """One of: a new `status`, `step_done` or `step_skipped` (a step's name or number).

    Reopening, skipping and a `false_alarm` (of an incident that ends) need a `reason`; a step that asks needs an
    `answer`.
    """

    incident_id: ShortId
    status: Status | None = None
    step_done: StepName | None = None
    answer: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    step_skipped: StepName | None = None
    false_alarm: bool = False
    note: Note = ""
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_REASON)] = ""


async def _prepare(call: Call[UpdateIncidentArguments]) -> Prepared[UpdateIncidentArguments]:
    wanted = call.arguments
    incident = await call.center.incidents.get(call.scope, wanted.incident_id, call.now)
    if sum(item is not None for item in (wanted.status, wanted.step_done, wanted.step_skipped)) > 1:
        raise MissingError("status", "either a state or a step, not both")
    if wanted.status is not None:
        filled, rows = _to_state(call, incident, wanted.status)
    elif wanted.step_done is not None:
        filled, rows = _step(wanted, incident, wanted.step_done)
    elif wanted.step_skipped is not None:
        filled, rows = _skipped(wanted, incident, wanted.step_skipped)
    else:
        options = [status.value for status in Status if status in TRANSITIONS[incident.status]]
        raise MissingError("status", "a state or a step is needed", options)
    notes = (*note_rows(filled.note), *note_rows(filled.reason, "reason"))
    return Prepared(filled, (incident_row(incident), *rows, *notes), (incident.id,))


def _to_state(
    call: Call[UpdateIncidentArguments], incident: IncidentDetail, status: Status
) -> tuple[UpdateIncidentArguments, tuple[Row, ...]]:
    """A note may serve as the reason; what is still to do is shown before an incident ends."""
    wanted = call.arguments
    check_transition(incident.id, incident.status, status)
    _may_escalate(call, incident.area)
    if wanted.false_alarm and status in OPEN:
        raise MissingError("status", "only an incident that ends can be a false alarm", ["resolved", "closed"])
    if (status in NEEDS_REASON or wanted.false_alarm) and not wanted.reason:
        if not wanted.note:
            why = "called a false alarm" if wanted.false_alarm else "reopened"
            raise MissingError("reason", f"why is {incident.id} {why}?")
        wanted = wanted.model_copy(update={"reason": wanted.note[:MAX_REASON], "note": ""})
    before, after = STATUS_NAMES[incident.status], STATUS_NAMES[status]
    rows = [Row("status", "Trạng thái", "State", f"{before[0]} → {after[0]}", f"{before[1]} → {after[1]}")]
    if wanted.false_alarm:
        rows.append(Row("false_alarm", "Báo nhầm", "False alarm", "có", "yes"))
    undone = [step.name for step in incident.steps if not StepState(step.state).settled]
    if status not in OPEN and incident.status in OPEN and undone:
        said = f"{len(undone)}/{incident.steps_total}: {', '.join(undone)}"
        rows.append(Row("status", "Bước chưa xong", "Steps not done", said, said, "center"))
    return wanted, tuple(rows)


def _step(
    wanted: UpdateIncidentArguments, incident: IncidentDetail, said: str
) -> tuple[UpdateIncidentArguments, tuple[Row, ...]]:
    """The step by its own name, with its answer where it asks for one."""
    step = _meant(incident, said, "step_done")
    check_step(incident.id, step.name, StepState(step.state))
    rows = [Row("step_done", "Bước hoàn thành", "Step done", step.name, step.name)]
    answer = ""
    if step.answers:
        answer = next((name for name in step.answers if fold(name) == fold(wanted.answer)), wanted.answer)
        if not answer:
            raise MissingError("answer", step.question or step.name, step.answers)
        rows.append(Row("answer", "Trả lời", "Answer", answer, answer))
    return wanted.model_copy(update={"step_done": step.name, "answer": answer}), tuple(rows)


def _skipped(
    wanted: UpdateIncidentArguments, incident: IncidentDetail, said: str
) -> tuple[UpdateIncidentArguments, tuple[Row, ...]]:
    """The step by its own name; a note may serve as the reason."""
    step = _meant(incident, said, "step_skipped")
    check_skip(incident.id, step.name, StepState(step.state), forced=step.forced)
    if not wanted.reason and not wanted.note:
        raise MissingError("reason", f"why is «{step.name}» skipped?")
    because = wanted.reason or wanted.note[:MAX_REASON]
    note = wanted.note if wanted.reason else ""
    row = Row("step_skipped", "Bước bỏ qua", "Step skipped", step.name, step.name)
    return wanted.model_copy(update={"step_skipped": step.name, "reason": because, "note": note}), (row,)


def _meant(incident: IncidentDetail, said: str, argument: str) -> StepProgress:
    """The step that is meant by words; raises MissingError where none or several fit."""
    check_open(incident.id, incident.status)
    names = [step.name for step in incident.steps]
    try:
        return incident.steps[find_step(names, said)]
    except StepError as error:
        waiting = [item.name for item in incident.steps if not StepState(item.state).settled]
        raise MissingError(argument, error.message, waiting) from error


def _may_escalate(call: Call[UpdateIncidentArguments], area: str) -> None:
    """`escalated` by this door needs the right to escalate too; raises DeniedError."""
    if call.arguments.status is not Status.ESCALATED:
        return
    resource = Resource(lineage=call.center.areas.lineage(area))
    verdict = call.center.policy.decide(call.principal, "escalate_incident", resource, Facts(), call.now)
    if isinstance(verdict, Denied):
        raise DeniedError(verdict.rule, *denial(verdict.rule, verdict.who_can))


async def _run(call: Call[UpdateIncidentArguments]) -> Produced:
    wanted = call.arguments
    area = await call.center.incidents.area_of(wanted.incident_id)
    _may_escalate(call, area or "")
    done = await call.center.incidents.update(
        call.principal,
        wanted.incident_id,
        status=wanted.status,
        step_done=wanted.step_done,
        answer=wanted.answer,
        step_skipped=wanted.step_skipped,
        false_alarm=wanted.false_alarm,
        note=wanted.note,
        reason=wanted.reason,
        key=call.key,
        at=call.now,
    )
    done = await call.center.incidents.as_seen(call.scope, done)
    return Produced(done, (done.incident.id,))


async def _about(center: Center, arguments: UpdateIncidentArguments) -> Sequence[Resource | None]:
    return (await incident_resource(center, arguments.incident_id),)


TOOL = Tool(
    name="update_incident",
    summary="Move an incident to a state (in_progress, resolved, closed, reopened with a reason), or mark a step "
    "as done or skipped.",
    arguments=UpdateIncidentArguments,
    action="update_incident",
    run=_run,
    part_vi="sổ vụ việc",
    part_en="the incident register",
    free_text=lambda one: (one.note, one.reason, one.answer, one.step_done or one.step_skipped or ""),
    about=_about,
    prepare=_prepare,
    when_unlogged="spool",
)
