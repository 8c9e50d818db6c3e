"""How far an incident has come: its steps with their deadlines, as values. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from matpho_contracts.text import fold, words
from matpho_contracts.times import VIETNAM, from_unix_ms, unix_ms
from matpho_platform.incidents.errors import StepError
from matpho_platform.incidents.flow import Mark, Stand, StepState, stands
from matpho_platform.incidents.procedure import Procedure, StepKind
from matpho_platform.incidents.schemas import Priority, Status, StepProgress
from matpho_platform.incidents.states import OPEN


def local(milliseconds: int) -> datetime:
    """A stored time as people here read it."""
    return from_unix_ms(milliseconds).astimezone(VIETNAM)


def step_rows(incident_id: str, procedure: Procedure | None, start_ms: int, priority: Priority) -> list[dict[str, Any]]:
    """The rows of a fresh incident's steps."""
    if procedure is None:
        return []
    return [
        {
            "incident_id": incident_id,
            "position": position,
            "step_id": stand.step.id,
            "name": stand.step.name,
            "role": stand.step.role,
            "kind": stand.step.kind.value,
            "within_minutes": stand.step.within_minutes,
            "due_ms": stand.due_ms,
            "state": stand.state.value,
            "answer": "",
            "done_ms": None,
            "done_by": None,
            "skipped_ms": None,
        }
        for position, stand in enumerate(stands(procedure, {}, start_ms=start_ms, priority=priority))
    ]


def marks(rows: Sequence[Mapping[Any, Any]]) -> dict[str, Mark]:
    """What happened to the steps so far, by id."""
    return {row["step_id"]: Mark(row["done_ms"], row["skipped_ms"], row["answer"]) for row in rows}


def moved(rows: Sequence[Mapping[Any, Any]], now_stand: Sequence[Stand]) -> dict[int, dict[str, Any]]:
    """What changed of the rows by position: states, and the deadlines of what is not settled."""
    changes: dict[int, dict[str, Any]] = {}
    for row, stand in zip(rows, now_stand, strict=True):
        wanted: dict[str, Any] = {"state": stand.state.value}
        if not stand.state.settled:
            wanted["due_ms"] = stand.due_ms
        changed = {name: value for name, value in wanted.items() if row[name] != value}
        if changed:
            changes[row["position"]] = changed
    return changes


def progress(rows: Sequence[RowMapping], status: Status, now: datetime) -> tuple[StepProgress, ...]:
    """The steps as values; only an open incident has overdue ones, and only of those whose turn it is."""
    present = unix_ms(now)
    return tuple(
        StepProgress(
            id=row["step_id"],
            name=row["name"],
            role=row["role"],
            kind=StepKind(row["kind"]).value,
            state=_state(row).value,
            answer=row["answer"],
            due_at=local(row["due_ms"]),
            done_at=None if row["done_ms"] is None else local(row["done_ms"]),
            done_by=row["done_by"],
            overdue=status in OPEN and _state(row) is StepState.READY and row["due_ms"] < present,
        )
        for row in rows
    )


def _state(row: RowMapping) -> StepState:
    return StepState.DONE if row["done_ms"] is not None else StepState(row["state"])


def find_step(names: Sequence[str], said: str) -> int:
    """Which step is meant: its number from 1, its name, or words that only one step has. Raises StepError.

    Where no step has all the words, it is the one that has most of them, if no other comes near.
    """
    if said.strip().isdecimal() and 1 <= int(said) <= len(names):
        return int(said) - 1
    wanted = fold(said)
    exact = [number for number, name in enumerate(names) if fold(name) == wanted]
    if exact:
        return exact[0]
    parts = set(words(said))
    inside = [number for number, name in enumerate(names) if parts and parts <= set(words(name))]
    if len(inside) == 1:
        return inside[0]
    if not inside and (near := _nearest_step(names, parts)) is not None:
        return near
    problem = "More than one step fits" if inside else "No step is called"
    raise StepError(f"{problem} «{said[:80]}».", action=f"Name one of: {'; '.join(names)}." if names else "")


MIN_SHARED, MIN_SHARE = 3, 0.6
"""Words, and the share of those said, that a step told in other words must have."""


def _nearest_step(names: Sequence[str], said: set[str]) -> int | None:
    """The one step that has most of the words, at least twice as many as any other."""
    shared = [len(said & set(words(name))) for name in names]
    best = max(shared, default=0)
    others = sorted(shared)[:-1]
    if best < MIN_SHARED or best < MIN_SHARE * len(said) or (others and others[-1] * 2 > best):
        return None
    return shared.index(best)
