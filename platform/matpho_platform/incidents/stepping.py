"""Steps of an incident done, skipped and begun anew, inside the caller's transaction that holds the incident's row.

After each the stands of all steps are written anew: whose turn it is, and until when.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping

from matpho_contracts.text import fold
from matpho_platform.incidents import repository, runs, states, versions
from matpho_platform.incidents.errors import StepError
from matpho_platform.incidents.flow import Mark, Stand, StepState, stands
from matpho_platform.incidents.procedure import Procedure, Step, StepKind
from matpho_platform.incidents.progress import find_step, marks, moved
from matpho_platform.incidents.schemas import Priority, UnitKind
from matpho_platform.store.session import ReadSession, WriteSession


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of one incident as they stand."""

    rows: Sequence[RowMapping]
    stands: tuple[Stand, ...]

    @property
    def marks(self) -> dict[str, Mark]:
        """What happened to them."""
        return marks(self.rows)


async def read(session: ReadSession, incident: RowMapping, *, run: int | None = None, start_ms: int = 0) -> Steps:
    """The steps of an incident; of a run that is only about to begin, with its number and start."""
    rows = (await repository.steps_of(session, [incident["incident_id"]])).get(incident["incident_id"], ())
    procedure = await versions.of_incident(session, incident) or _as_list(rows)
    begun_ms = start_ms if run is not None else await _start_ms(session, incident)
    priority = list(Priority)[incident["priority"]]
    return Steps(rows, stands(procedure, marks(rows), start_ms=begun_ms, priority=priority))


async def _start_ms(session: ReadSession, incident: RowMapping) -> int:
    """From when the steps' times count: the opening, or the last reopening."""
    if not incident["run"]:
        return int(incident["opened_ms"])
    run = await runs.one(session, runs.run_id_of(incident["incident_id"], incident["run"]))
    return int(run["started_ms"]) if run is not None else int(incident["opened_ms"])


def _as_list(rows: Sequence[RowMapping]) -> Procedure:
    """The steps of an incident whose procedure was not kept, as the plain list that procedures were then."""
    steps = [
        {"id": row["step_id"], "name": row["name"], "role": row["role"], "within_minutes": row["within_minutes"]}
        for row in rows
    ]
    return Procedure.model_validate({"id": "none", "title": "none", "steps": steps})


async def restand(session: WriteSession, incident: RowMapping) -> Steps:
    """Write the stands anew after something happened; returns them."""
    steps = await read(session, incident)
    await _write(session, incident["incident_id"], steps)
    return steps


async def _write(session: WriteSession, incident_id: str, steps: Steps) -> None:
    for position, values in moved(steps.rows, steps.stands).items():
        await repository.change_step(session, incident_id, position, values)


async def restart(session: WriteSession, incident: RowMapping, run: int, at_ms: int) -> None:
    """A reopened incident has its open steps' time anew."""
    steps = await read(session, incident, run=run, start_ms=at_ms)
    await _write(session, incident["incident_id"], steps)


async def do(
    session: WriteSession, incident: RowMapping, said: str, answer: str, user_id: str, at_ms: int
) -> tuple[str, str]:
    """Mark a step as done; returns its name and the answer by its own name. Raises StepError, DeniedError."""
    steps = await read(session, incident)
    position = which(steps, said)
    stand = steps.stands[position]
    states.check_step(incident["incident_id"], stand.step.name, stand.state)
    given = the_answer(stand.step, answer)
    await settle(session, incident, position, {"done_ms": at_ms, "done_by": user_id, "answer": given})
    return stand.step.name, given


async def skip(session: WriteSession, incident: RowMapping, said: str, user_id: str, at_ms: int) -> str:
    """Mark a step as skipped; returns its name. Raises StepError, DeniedError."""
    steps = await read(session, incident)
    position = which(steps, said)
    stand = steps.stands[position]
    states.check_skip(incident["incident_id"], stand.step.name, stand.state, forced=stand.step.forced)
    await settle(session, incident, position, {"skipped_ms": at_ms, "done_by": user_id})
    return stand.step.name


async def dispatched(session: WriteSession, incident: RowMapping, kind: UnitKind, user_id: str, at_ms: int) -> None:
    """A unit was sent: the first step whose turn it is and that asks for such a unit is done."""
    steps = await read(session, incident)
    for position, stand in enumerate(steps.stands):
        wanted = stand.step.kind is StepKind.DISPATCH and kind in stand.step.units
        if wanted and stand.state is StepState.READY:
            await settle(session, incident, position, {"done_ms": at_ms, "done_by": user_id})
            return


async def settle(session: WriteSession, incident: RowMapping, position: int, values: Mapping[str, Any]) -> Steps:
    """Write what happened to a step, and how all stand then."""
    await repository.change_step(session, incident["incident_id"], position, values)
    return await restand(session, incident)


def which(steps: Steps, said: str) -> int:
    """Which step is meant, by id, number or name. Raises StepError."""
    by_id = [number for number, stand in enumerate(steps.stands) if stand.step.id == said]
    return by_id[0] if by_id else find_step([row["name"] for row in steps.rows], said)


def the_answer(step: Step, said: str) -> str:
    """An answer by its own name; empty for a step that asks nothing. Raises StepError."""
    if step.kind is not StepKind.QUESTION:
        return ""
    fitting = [one.name for one in step.answers if said and fold(said) in (fold(one.name), fold(one.name_en))]
    if fitting:
        return fitting[0]
    names = "; ".join(one.name for one in step.answers)
    raise StepError(f"«{step.name}» asks: {step.question or step.name}", action=f"Answer one of: {names}.")
