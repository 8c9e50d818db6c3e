"""What a tool is: a name, an argument model, the action that must be permitted, and the function that runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

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


@dataclass(frozen=True, slots=True)
class Produced:
    """What a run made: a value to redact and show, and the ids it speaks of."""

    value: BaseModel
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Named:
    """The things that a call's arguments name outright; the policy judges each before anything runs."""

    areas: tuple[str, ...] = ()
    camera_ids: tuple[str, ...] = ()
    event_ids: tuple[str, ...] = ()


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
    deadline_s: float = 10.0
    exposed: bool = True
    """Whether planners, MCP and the tool list see it; media endpoints run tools that they do not."""
