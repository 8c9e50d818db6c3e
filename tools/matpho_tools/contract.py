"""What a tool is: a name, an argument model, the action that must be permitted, and the function that runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from matpho_contracts.errors import BadInputError
from matpho_platform.access.policy import Facts, Resource
from matpho_platform.access.principal import Principal, Scope

if TYPE_CHECKING:
    from matpho_platform.center import Center

MAX_IDS = 200
"""Ids a result may speak of; the page limit of every list."""


class Arguments(BaseModel):
    """Base of every argument model: unknown names are refused, nothing changes after reading."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Outcome(StrEnum):
    """How one tool call ended; the outcomes of a turn that a tool can bring about."""

    ANSWERED = "answered"
    CONFIRM = "confirm"
    CLARIFY = "clarify"
    DENIED = "denied"
    REFUSED = "refused"
    FAILED = "failed"


class ToolResult(BaseModel):
    """What every caller gets back, whatever happened.

    `rule` names the rule that refused or denied, `part` the part that failed; `decision` is the policy's word
    (`allow`, `deny`, `refuse`, `none` where no policy was asked). Messages are sentences for a person.
    """

    model_config = ConfigDict(frozen=True)

    tool: str
    outcome: Outcome
    data: dict[str, Any] = Field(default_factory=dict)
    ids: tuple[str, ...] = ()
    decision: str = "none"
    rule: str = ""
    part: str = ""
    message_vi: str = ""
    message_en: str = ""
    narrowed: bool = False
    """Whether the caller's scope cut away a part of what the arguments named."""
    audit_index: int | None = None
    milliseconds: float = 0.0


ArgumentsT = TypeVar("ArgumentsT", bound=Arguments)


@dataclass(frozen=True, slots=True)
class Call(Generic[ArgumentsT]):
    """One permitted call: who, within which scope, with which checked arguments."""

    center: Center
    principal: Principal
    scope: Scope
    arguments: ArgumentsT
    now: datetime
    """The moment of the call, with an offset; services take it from here and never ask the clock themselves."""
    key: str = ""
    """Names this effect once and for all: a service that is called again with the same key does nothing new."""
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of what a person is asked to agree to, written by code from the arguments that will run.

    `source` says where the value comes from: `person` (said by who asks), `center` (looked up or a default), or
    `report` (text of a third party, shown as a quotation).
    """

    argument: str
    label_vi: str
    label_en: str
    value_vi: str
    value_en: str
    source: Literal["person", "center", "report"] = "person"


@dataclass(frozen=True, slots=True)
class Prepared(Generic[ArgumentsT]):
    """An acting call made ready: its arguments complete, and the lines that show them; nothing has happened yet."""

    arguments: ArgumentsT
    rows: tuple[Row, ...]
    ids: tuple[str, ...] = ()


class MissingError(BadInputError):
    """A piece is missing that only the person can give; `options` are the ids that would fit."""

    code = "missing"

    def __init__(self, argument: str, message: str, options: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.argument = argument
        self.options = tuple(options)


@dataclass(frozen=True, slots=True)
class Produced:
    """What a run made: a value to redact and show, and the ids it speaks of."""

    value: BaseModel
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Named:
    """The places that a call's arguments list; the policy judges each, and a list is cut to what it allows."""

    areas: tuple[str, ...] = ()
    camera_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tool(Generic[ArgumentsT]):
    """One tool; the registry lists it, the gateway runs it, nobody else does."""

    name: str
    summary: str
    """One sentence for a model that chooses tools, in English."""
    arguments: type[ArgumentsT]
    action: str
    """The policy's action."""
    run: Callable[[Call[ArgumentsT]], Awaitable[Produced]]
    part_vi: str
    """The part that answers, as a failure names it: "kho sự kiện"."""
    part_en: str
    names: Callable[[ArgumentsT], Named] = field(default=lambda _arguments: Named())
    free_text: Callable[[ArgumentsT], tuple[str, ...]] = field(default=lambda _arguments: ())
    """The words in the arguments that the refusal rules read."""
    about: Callable[[Center, ArgumentsT], Awaitable[Sequence[Resource | None]]] | None = None
    """The single things that the arguments name (an event, an incident, a request), as the center knows them; None
    stands for one that does not exist. The policy judges each."""
    facts: Callable[[ArgumentsT], Facts] = field(default=lambda _arguments: Facts())
    """What else the policy needs to know of the call: case number, purpose."""
    prepare: Callable[[Call[ArgumentsT]], Awaitable[Prepared[ArgumentsT]]] | None = None
    """For a tool that acts: completes and shows the call; such a tool runs only after the person's yes."""
    when_unlogged: Literal["stop", "spool"] = "stop"
    """What to do while the audit log cannot be written: run nothing, or (alerts) run and spool the entry."""
    nameless: Callable[[ArgumentsT], bool] = field(default=lambda _arguments: False)
    """Whether the caller chose in the arguments to stay unnamed."""
    deadline_s: float = 10.0
    exposed: bool = True
    """Whether planners, MCP and the tool list see it; media endpoints run tools that they do not."""
