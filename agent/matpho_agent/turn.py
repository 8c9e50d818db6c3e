"""What a turn gives back, and the working record of one while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypedDict

from langchain_core.messages import BaseMessage
from pydantic import BaseModel, ConfigDict

from matpho_agent.answers.calls import Done
from matpho_agent.language.places import PlaceIndex
from matpho_agent.planner.plan import Memory
from matpho_agent.planner.situation import Situation
from matpho_platform.access.principal import Principal
from matpho_tools.city import City
from matpho_tools.contract import Outcome, ToolResult

TurnOutcome = Literal["answered", "confirm", "clarify", "denied", "refused", "failed"]


class State(TypedDict, total=False):
    """What a checkpoint keeps: plain values only."""

    text: str
    memory: dict[str, Any]
    calls: list[dict[str, Any]]


def memory_of(state: State) -> Memory:
    """The memory in a state."""
    return Memory.model_validate(state.get("memory") or {})


class Turn(BaseModel):
    """One finished turn. `hits`, `media` and `cameras` are already redacted for the role."""

    model_config = ConfigDict(frozen=True)

    outcome: TurnOutcome
    answer: str
    language: Literal["vi", "en"]
    tool_calls: tuple[dict[str, Any], ...] = ()
    """`{"name", "arguments"}` of every call that went to the gateway, in order."""
    result_ids: tuple[str, ...] = ()
    hits: tuple[dict[str, Any], ...] = ()
    """Events to show as pictures: the fields of EventHit."""
    media: tuple[dict[str, Any], ...] = ()
    """Snapshots and clips to show."""
    tables: tuple[dict[str, Any], ...] = ()
    """Statistics with their chart description."""
    proposal: dict[str, Any] | None = None
    """The act that waits for a yes, in a `confirm` turn: `{"id", "tool", "arguments", "rows", "expires_at"}`."""
    missing: str = ""
    """The argument asked for, in a `clarify` turn."""
    rule: str = ""
    planner: Literal["rules", "model"] = "rules"
    note: str = ""
    """Why the planner changed, if it did."""
    conversation_id: str = ""
    milliseconds: float = 0.0


@dataclass(slots=True)
class Record:
    """What one running turn has gathered; lives in the runtime, never in a checkpoint."""

    messages: list[BaseMessage] = field(default_factory=list)
    done: list[Done] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    """`{"name", "arguments"}` of every call that went to the gateway, lookups among them."""
    said: str = ""
    """Text that answers without a tool."""
    language: Literal["vi", "en"] | None = None
    """The language of the talk, once it is known."""
    outcome: TurnOutcome = "answered"
    missing: str = ""
    rule: str = ""
    planner: Literal["rules", "model"] = "rules"
    note: str = ""
    notices: list[str] = field(default_factory=list)
    steps: int = 0
    lookups: int = 0
    limited: bool = False
    """Whether a limit of the turn stopped it."""
    finished: bool = False
    stopped: bool = False
    """Whether the person pressed stop."""
    broken: bool = False
    """Whether the turn ended before its answer was written."""
    answer: str = ""

    def break_off(self, rule: str, answer: str) -> None:
        """The turn ends here, with these words in place of its answer."""
        self.outcome, self.rule, self.answer, self.broken = "failed", rule, answer, True


@dataclass(frozen=True, slots=True)
class TurnContext:
    """The runtime context of a turn: who, when, where from. The planner sees `situation` only, never the principal."""

    principal: Principal
    now: datetime
    channel: str
    conversation_id: str
    city: City
    places: PlaceIndex
    situation: Situation
    record: Record


def end_of(result: ToolResult) -> TurnOutcome:
    """The turn's outcome when this call is its last."""
    outcomes: dict[Outcome, TurnOutcome] = {
        Outcome.ANSWERED: "answered",
        Outcome.CONFIRM: "confirm",
        Outcome.CLARIFY: "clarify",
        Outcome.DENIED: "denied",
        Outcome.REFUSED: "refused",
        Outcome.FAILED: "failed",
    }
    return outcomes[result.outcome]
