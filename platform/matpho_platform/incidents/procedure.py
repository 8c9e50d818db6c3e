"""What a procedure says: steps, order, branches, deadlines; who is told when nobody answers; what belongs together.

Two formats are read. Format 1 is a plain list: every step may be done at any time, `within_minutes` after the opening.
Format 2 adds ids, kinds, order, branches and deadlines by priority; there a step's time runs from the moment it is its
turn. What a procedure leaves out is as in format 1.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from matpho_contracts.ids import ShortId
from matpho_contracts.vocabulary import EventType
from matpho_platform.incidents.schemas import MAX_MINUTES, Name, Priority, UnitKind

MAX_STEPS = 50
MAX_ANSWERS = 10
MAX_LEVELS = 10
MAX_RULES = 20
MAX_TEXT = 20_000
"""Characters of a procedure's text."""
MAX_RADIUS_M = 50_000
MAX_SECONDS = MAX_MINUTES * 60
DAY_S = 24 * 3600
_DURATION = re.compile(r"^(\d{1,8})\s*(s|m|h|d)$")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": DAY_S}


def _seconds(value: object) -> object:
    """`90s`, `2m`, `4h`, `1d` as seconds; a bare number is left to be refused by type where it is no integer."""
    said = _DURATION.match(value.strip()) if isinstance(value, str) else None
    if said:
        return int(said[1]) * _UNITS[said[2]]
    if isinstance(value, str):
        raise ValueError("a time is written like 90s, 2m, 4h or 1d")
    return value


def _by_priority(value: object) -> object:
    """One time for all priorities, or some each: one left out has that of the nearest more urgent, else less urgent."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        return {priority.value: value for priority in Priority}
    given = {str(key): item for key, item in value.items()}
    unknown = set(given) - set(Priority)
    if unknown or not given:
        raise ValueError(f"there is no priority {sorted(unknown)[0]}" if unknown else "no time is given")

    def nearest(wanted: Priority) -> Priority:
        return min(map(Priority, given), key=lambda one: (one.rank < wanted.rank, abs(one.rank - wanted.rank)))

    return {priority.value: given[nearest(priority).value] for priority in Priority}


Seconds = Annotated[int, BeforeValidator(_seconds), Field(ge=0, le=MAX_SECONDS)]
"""A length of time; in files `90s`, `2m`, `4h`, `1d` or whole seconds."""
StepId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StepKind(StrEnum):
    """What a step is."""

    TASK = "task"
    """A person does it and says so."""
    QUESTION = "question"
    """A person answers; the answer decides which steps follow."""
    NOTIFY = "notify"
    """The center tells somebody, by itself."""
    DISPATCH = "dispatch"
    """A person sends a unit; done as soon as one of the right kind is sent."""
    WAIT = "wait"
    """Time passes."""


class Target(StrEnum):
    """Who is told; the lowest first."""

    USER = "user"
    """The person the incident is assigned to, else whoever is on duty for it."""
    TEAM = "team"
    """The officers of its area."""
    DUTY_OFFICER = "duty_officer"
    """Who is on the roster as such, for its area or the nearest above it."""
    COMMANDER = "commander"


class Answer(_Value):
    """One answer to a question, and the steps that only it asks for."""

    name: Name
    name_en: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    steps: Annotated[tuple[StepId, ...], Field(max_length=MAX_STEPS)] = ()


def _answers(value: object) -> object:
    """`{có: [a, b], không: []}` is short for a list of answers."""
    if not isinstance(value, Mapping):
        return value
    return [{"name": str(name), "steps": steps or ()} for name, steps in value.items()]


class Step(_Value):
    """One step. `within` counts from the moment it is its turn, `within_minutes` from the opening of the incident.

    With `within` given, `within_minutes` is filled in from it (at the procedure's own priority), for reading.
    """

    id: StepId | Literal[""] = ""
    name: Name
    name_en: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    kind: StepKind = StepKind.TASK
    role: Annotated[str, StringConstraints(min_length=1, max_length=32)] = "officer"
    within_minutes: Annotated[int, Field(ge=0, le=MAX_MINUTES)] = 0
    within: Annotated[dict[Priority, Seconds] | None, BeforeValidator(_by_priority)] = None
    after: Annotated[tuple[StepId, ...] | None, Field(max_length=MAX_STEPS)] = None
    """Steps that come first; without it, in an ordered procedure, all that stand before it."""
    forced: bool = False
    """Whether it cannot be skipped."""
    question: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""
    answers: Annotated[tuple[Answer, ...], BeforeValidator(_answers), Field(max_length=MAX_ANSWERS)] = ()
    units: Annotated[tuple[UnitKind, ...], Field(max_length=len(UnitKind))] = ()
    """Of a dispatch: the kinds that serve, the best first."""
    tell: Annotated[tuple[Target, ...], Field(max_length=len(Target))] = ()
    """Of a notification: who."""
    wait: Seconds | None = None

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, data: Any) -> Any:
        """A deadline is needed but where time itself is the step or the center acts at once."""
        if not isinstance(data, Mapping) or "within_minutes" in data:
            return data
        if data.get("within") is not None or data.get("kind") in (StepKind.NOTIFY, StepKind.WAIT):
            return data
        raise ValueError("a step says within (2m) or within_minutes (2)")

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        wants: dict[StepKind, tuple[str, bool]] = {
            StepKind.QUESTION: ("answers", len(self.answers) >= 2),
            StepKind.NOTIFY: ("tell", bool(self.tell)),
            StepKind.DISPATCH: ("units", bool(self.units)),
            StepKind.WAIT: ("wait", self.wait is not None),
        }
        for kind, (field, there) in wants.items():
            if kind is self.kind and not there:
                two = " (two at least)" if field == "answers" else ""
                raise ValueError(f"a step of kind {kind.value} says {field}{two}")
            if kind is not self.kind and getattr(self, field) not in ((), None):
                raise ValueError(f"only a step of kind {kind.value} says {field}")
        names = [answer.name.casefold() for answer in self.answers]
        if len(set(names)) < len(names):
            raise ValueError("two answers have the same name")
        return self

    def seconds(self, priority: Priority) -> int | None:
        """The time it has from its turn; None where its time counts from the opening."""
        if self.kind is StepKind.WAIT:
            return self.wait
        if self.kind is StepKind.NOTIFY and self.within is None:
            return 0
        return None if self.within is None else self.within[priority]


class ChainLevel(_Value):
    """One level of the escalation chain: who is told when nobody has acknowledged so long after the opening."""

    to: Target
    after: Seconds


DEFAULT_CHAIN = (
    ChainLevel(to=Target.USER, after=0),
    ChainLevel(to=Target.TEAM, after=60),
    ChainLevel(to=Target.DUTY_OFFICER, after=180),
    ChainLevel(to=Target.COMMANDER, after=600),
)
"""Who is told of an alert that nobody acknowledges: at once, after 60 s, 3 min, 10 min."""


class JoinRule(_Value):
    """Which later events belong to a running incident of this procedure."""

    types: Annotated[tuple[EventType, ...], Field(max_length=len(EventType))] = ()
    """Empty: the procedure's own types."""
    within: Seconds = 600
    """At most so long after the incident's newest event."""
    radius_m: Annotated[int, Field(ge=0, le=MAX_RADIUS_M)] = 300
    """At most so far from its leading event; the same camera always is near."""
    repeat_within: Seconds = 60
    """The same type from the same camera within this is the same thing seen again."""


class Procedure(_Value):
    """A standard operating procedure."""

    format: Literal[1, 2] = 1
    id: ShortId
    title: Name
    title_en: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    event_types: tuple[EventType, ...] = ()
    priority: Priority = Priority.MEDIUM
    ordered: bool = False
    """Whether a step without `after` waits for all before it."""
    steps: Annotated[tuple[Step, ...], Field(max_length=MAX_STEPS)] = ()
    escalation: Annotated[tuple[ChainLevel, ...], Field(min_length=1, max_length=MAX_LEVELS)] = DEFAULT_CHAIN
    supervisor: Target = Target.DUTY_OFFICER
    """Who is told of overdue and skipped steps."""
    units: Annotated[tuple[UnitKind, ...], Field(max_length=len(UnitKind))] = ()
    """Kinds of unit whose duty roster it is assigned by; empty: those that the event type asks for."""
    joins: Annotated[tuple[JoinRule, ...], Field(max_length=MAX_RULES)] = ()
    automatic: Priority | None = None
    """Events of at least this severity open an incident by themselves; None: a person opens it."""
    text: Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_TEXT)] = ""
    public: bool = False

    @model_validator(mode="before")
    @classmethod
    def _named_steps(cls, data: Any) -> Any:
        """Format 2 is ordered unless it says otherwise; steps without an id are numbered."""
        if not isinstance(data, Mapping) or not isinstance(data.get("steps", ()), (list, tuple)):
            return data
        priority = str(data.get("priority", Priority.MEDIUM.value))
        steps = [_numbered(step, number, priority) for number, step in enumerate(data.get("steps", ()), 1)]
        return {"ordered": data.get("format", 1) == 2, **data, "steps": steps}

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        """Ids are unique, what a step names is there and on the right side of it, the chain's times rise."""
        where: dict[str, int] = {}
        for number, step in enumerate(self.steps):
            if step.id in where:
                raise ValueError(f"two steps are called {step.id}")
            where[step.id] = number
        for number, step in enumerate(self.steps):
            for name in step.after or ():
                if where.get(name, number) >= number:
                    raise ValueError(f"step {step.id}: after: no step {name} stands before it")
            for name in (name for answer in step.answers for name in answer.steps):
                if where.get(name, -1) <= number:
                    raise ValueError(f"step {step.id}: answers: no step {name} stands after it")
        times = [level.after for level in self.escalation]
        if times != sorted(times):
            raise ValueError("escalation: the times must rise from level to level")
        return self


def _numbered(step: Any, number: int, priority: str) -> Any:
    """A step as given, with an id and with its minutes for reading."""
    if isinstance(step, Step):
        return step if step.id else step.model_copy(update={"id": f"b{number}"})
    if not isinstance(step, Mapping):
        return step
    more: dict[str, Any] = {} if step.get("id") else {"id": f"b{number}"}
    if "within_minutes" not in step:
        said = step.get("wait") if step.get("kind") == StepKind.WAIT else step.get("within")
        more["within_minutes"] = _minutes(said, priority)
    return {**step, **{key: value for key, value in more.items() if value is not None}}


def _minutes(said: object, priority: str) -> int | None:
    """What a deadline is in whole minutes, where it can be read; the step itself refuses what cannot."""
    try:
        table = _by_priority(said)
        value = _seconds(table.get(priority)) if isinstance(table, Mapping) else None
    except ValueError:
        return None
    return math.ceil(value / 60) if isinstance(value, int) and 0 <= value <= MAX_SECONDS else None


class Passage(_Value):
    """A sentence or a step of a procedure that answers a question; quoted as the procedure says it."""

    procedure_id: ShortId
    kind: Literal["text", "step"]
    quote: str
    role: str = ""
    within_minutes: int | None = None
    """Of a step."""
    score: float


class ProcedurePage(_Value):
    """Procedures, best match first, and the passages that answer; `total` counts all that match."""

    procedures: tuple[Procedure, ...]
    passages: tuple[Passage, ...] = ()
    total: int
    offset: int = 0
    limit: int = 20
