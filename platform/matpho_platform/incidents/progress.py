"""How far an incident has come: its steps with their deadlines, as values. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from matpho_contracts.text import fold, words
from matpho_contracts.times import VIETNAM, from_unix_ms, unix_ms
from matpho_platform.incidents.errors import StepError
from matpho_platform.incidents.schemas import Procedure, Status, StepProgress
from matpho_platform.incidents.states import OPEN

_MINUTE_MS = 60_000


def local(milliseconds: int) -> datetime:
    """A stored time as people here read it."""
    return from_unix_ms(milliseconds).astimezone(VIETNAM)


def step_rows(incident_id: str, procedure: Procedure | None, start_ms: int) -> list[dict[str, Any]]:
    """The rows of a fresh incident's steps; each is due so many minutes after the start."""
    if procedure is None:
        return []
    return [
        {
            "incident_id": incident_id,
            "position": position,
            "name": step.name,
            "role": step.role,
            "within_minutes": step.within_minutes,
            "due_ms": due_after(start_ms, step.within_minutes),
            "done_ms": None,
            "done_by": None,
        }
        for position, step in enumerate(procedure.steps)
    ]


def due_after(start_ms: int, minutes: int) -> int:
    """The deadline, Unix milliseconds."""
    return start_ms + minutes * _MINUTE_MS


def progress(rows: Sequence[RowMapping], status: Status, now: datetime) -> tuple[StepProgress, ...]:
    """The steps as values; only an open incident has overdue ones."""
    present = unix_ms(now)
    return tuple(
        StepProgress(
            name=row["name"],
            role=row["role"],
            due_at=local(row["due_ms"]),
            done_at=None if row["done_ms"] is None else local(row["done_ms"]),
            done_by=row["done_by"],
            overdue=status in OPEN and row["done_ms"] is None and row["due_ms"] < present,
        )
        for row in rows
    )


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
