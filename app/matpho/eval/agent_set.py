"""A set for the assistant: conversations, one JSON line each, with what every turn must bring; read strictly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, ValidationError, field_validator

from matpho.eval.world_file import FileMisfitError, World, first_problem, read_bytes
from matpho_contracts.ids import ShortId
from matpho_contracts.times import AwareDatetime

MAX_SET_BYTES = 64 * 1024 * 1024
MAX_LINE_BYTES = 1024 * 1024
MAX_TURNS = 200
"""Of one conversation."""
MAX_DEPTH = 8
"""Of nested alternatives and objects in `args`."""

TurnOutcome = Literal["answered", "confirm", "clarify", "denied", "refused", "failed"]
Word = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Words = Annotated[tuple[Word, ...], Field(max_length=200)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ResultIds(_Part):
    """Ids that must, and must not, be among the first ten results."""

    includes: Words = ()
    excludes: Words = ()


class Says(_Part):
    """Strings that the answer must (all, any) and must not (none) contain."""

    all: Words = ()
    any: Words = ()
    none: Words = ()


class Expect(_Part):
    """What one turn must bring; only the parts that were given are judged (see `given`)."""

    outcome: TurnOutcome | tuple[TurnOutcome, ...]
    tool: Word | tuple[Word | None, ...] | None = None
    args: dict[Word, JsonValue] = Field(default_factory=dict)
    result_ids: ResultIds = ResultIds()
    says: Says = Says()
    missing: Word | tuple[Word, ...] = ()

    @field_validator("outcome")
    @classmethod
    def _some(cls, value: TurnOutcome | tuple[TurnOutcome, ...]) -> TurnOutcome | tuple[TurnOutcome, ...]:
        if not value:
            raise ValueError("names no outcome")
        return value

    @field_validator("args")
    @classmethod
    def _readable(cls, value: dict[str, JsonValue]) -> dict[str, JsonValue]:
        for wanted in value.values():
            _check_wanted(wanted, MAX_DEPTH)
        return value

    @property
    def outcomes(self) -> tuple[TurnOutcome, ...]:
        """Every right outcome, the first one first."""
        return (self.outcome,) if isinstance(self.outcome, str) else self.outcome

    @property
    def tools(self) -> tuple[str | None, ...]:
        """Every right tool; None stands for no tool at all."""
        return self.tool if isinstance(self.tool, tuple) else (self.tool,)

    @property
    def arguments_missing(self) -> tuple[str, ...]:
        """Every argument that may rightly be asked for."""
        return (self.missing,) if isinstance(self.missing, str) else self.missing

    def given(self, part: str) -> bool:
        """Whether the set says anything of this part."""
        return part in self.model_fields_set


class SetTurn(_Part):
    """What the user says, and what must come of it; without `expect` it is played and not scored."""

    say: Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
    expect: Expect | None = None


class Conversation(_Part):
    """One user's conversation."""

    id: Word
    user: ShortId
    lang: Literal["vi", "en"]
    now: AwareDatetime | None = None
    turns: Annotated[tuple[SetTurn, ...], Field(min_length=1, max_length=MAX_TURNS)]


def read_set(path: Path, world: World) -> tuple[Conversation, ...]:
    """The conversations of a set; raises FileMisfitError with the line and the first thing that does not fit."""
    conversations = tuple(_lines(path))
    if not conversations:
        raise FileMisfitError(f"{path} holds no conversation.")
    for key, count in Counter(conversation.id for conversation in conversations).items():
        if count > 1:
            raise FileMisfitError(f"{path}: the id {key} occurs {count} times.")
    for conversation in conversations:
        if conversation.user not in world.user:
            raise FileMisfitError(
                f"{path}: {conversation.id} is of the user {conversation.user}, whom the world does not have."
            )
    return conversations


def _lines(path: Path) -> Iterator[Conversation]:
    for number, line in enumerate(read_bytes(path, MAX_SET_BYTES).split(b"\n"), start=1):
        if not line.strip():
            continue
        if len(line) > MAX_LINE_BYTES:
            raise FileMisfitError(f"{path}, line {number} is over {MAX_LINE_BYTES} bytes.")
        try:
            yield Conversation.model_validate_json(line)
        except ValidationError as error:
            raise FileMisfitError(f"{path}, line {number}: {first_problem(error)}") from error


def is_between(wanted: Any) -> bool:
    """Whether a wanted value is a closed range."""
    return isinstance(wanted, Mapping) and set(wanted) == {"between"}


def is_any(wanted: Any) -> bool:
    """Whether a wanted value is a choice of alternatives."""
    return isinstance(wanted, Mapping) and set(wanted) == {"any"}


def is_absent(wanted: Any) -> bool:
    """Whether a wanted value is that there be none."""
    return isinstance(wanted, Mapping) and set(wanted) == {"absent"}


def _check_wanted(wanted: JsonValue, depth: int) -> None:
    """Raises ValueError for what no rule of the format can compare."""
    if depth == 0:
        raise ValueError("is nested too deeply")
    if isinstance(wanted, dict):
        if is_between(wanted):
            _check_range(wanted["between"])
        elif is_any(wanted) and not (isinstance(wanted["any"], list) and wanted["any"]):
            raise ValueError("`any` takes a list of alternatives")
        elif is_absent(wanted) and wanted["absent"] is not True:
            raise ValueError("`absent` can only be true")
        for inner in wanted.values():
            _check_wanted(inner, depth - 1)
    elif isinstance(wanted, list):
        for inner in wanted:
            _check_wanted(inner, depth - 1)


def _check_range(ends: JsonValue) -> None:
    if not isinstance(ends, list) or len(ends) != 2:
        raise ValueError("`between` takes two ends")
    numbers = all(isinstance(end, int | float) and not isinstance(end, bool) for end in ends)
    if not numbers and not all(isinstance(end, str) and as_moment(end) is not None for end in ends):
        raise ValueError("`between` takes two numbers or two RFC 3339 times")


def as_moment(text: str) -> datetime | None:
    """The moment that a text writes down with an offset, or None."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
