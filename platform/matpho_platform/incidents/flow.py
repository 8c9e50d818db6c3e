"""The way through a procedure as it stands now: which step is whose turn, until when. Pure.

1 a step that some answer names applies once a question was answered so; when every such question is settled without
  that answer, it is not needed
2 a step is ready when it applies and every step before it (its `after`, or in an ordered procedure all) is settled:
  done, skipped or not needed
3 its time runs from then; where it says `within_minutes`, from the start of the run
4 a step that is not ready yet has the times it would have if everything before it took its whole time
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from matpho_platform.incidents.procedure import Procedure, Step
from matpho_platform.incidents.schemas import Priority

_SECOND_MS = 1_000
_MINUTE_MS = 60_000


class StepState(StrEnum):
    """Where a step stands."""

    WAITING = "waiting"
    READY = "ready"
    DONE = "done"
    SKIPPED = "skipped"
    NOT_NEEDED = "not_needed"

    @property
    def settled(self) -> bool:
        """Whether nothing more is expected of it."""
        return self in (StepState.DONE, StepState.SKIPPED, StepState.NOT_NEEDED)


@dataclass(frozen=True, slots=True)
class Mark:
    """What happened to a step; Unix milliseconds."""

    done_ms: int | None = None
    skipped_ms: int | None = None
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Stand:
    """One step as it stands: since when it is its turn and until when (planned while it waits), Unix milliseconds."""

    step: Step
    state: StepState
    ready_ms: int
    due_ms: int
    settled_ms: int
    """When it was settled, or would be at the latest."""


NO_MARK = Mark()


def stands(procedure: Procedure, marks: Mapping[str, Mark], *, start_ms: int, priority: Priority) -> tuple[Stand, ...]:
    """Every step of a run that began at `start_ms`, in the procedure's order; `marks` by step id."""
    found: dict[str, Stand] = {}
    for number, step in enumerate(procedure.steps):
        before = [found[item.id] for item in procedure.steps[:number]]
        first = before if step.after is None and procedure.ordered else [found[name] for name in step.after or ()]
        asked = [stand for stand in before if any(step.id in answer.steps for answer in stand.step.answers)]
        found[step.id] = _stand(step, marks, first, asked, start_ms, priority)
    return tuple(found.values())


def _stand(
    step: Step,
    marks: Mapping[str, Mark],
    first: Sequence[Stand],
    asked: Sequence[Stand],
    start_ms: int,
    priority: Priority,
) -> Stand:
    mark = marks.get(step.id, NO_MARK)
    called = [stand for stand in asked if _names(stand, marks, step.id)]  # 1
    open_questions = [stand for stand in asked if not stand.state.settled]
    ready_ms = max([start_ms, *(stand.settled_ms for stand in (*first, *(called or asked)))])  # 3, 4
    seconds = step.seconds(priority)
    due_ms = start_ms + step.within_minutes * _MINUTE_MS if seconds is None else ready_ms + seconds * _SECOND_MS
    if mark.done_ms is not None:
        return Stand(step, StepState.DONE, ready_ms, due_ms, mark.done_ms)
    if mark.skipped_ms is not None:
        return Stand(step, StepState.SKIPPED, ready_ms, due_ms, mark.skipped_ms)
    if asked and not called and not open_questions:
        return Stand(step, StepState.NOT_NEEDED, ready_ms, due_ms, max(stand.settled_ms for stand in asked))
    ready = (not asked or bool(called)) and all(stand.state.settled for stand in first)  # 2
    return Stand(step, StepState.READY if ready else StepState.WAITING, ready_ms, due_ms, max(ready_ms, due_ms))


def _names(question: Stand, marks: Mapping[str, Mark], step_id: str) -> bool:
    """Whether the answer given to a question asks for a step."""
    if question.state is not StepState.DONE:
        return False
    given = marks.get(question.step.id, NO_MARK).answer
    return any(answer.name == given and step_id in answer.steps for answer in question.step.answers)
