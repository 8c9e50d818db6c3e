"""What one clause comes to: a tool call, a lookup before one, a question back, or a word of talk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from matpho_agent.planner.plan import Pending, QueryPlan


@dataclass(frozen=True, slots=True)
class Step:
    """Exactly one of `tool`, `ask` and `talk` is set; a `lookup` is a call that only finds what the wish speaks of."""

    plan: QueryPlan
    tool: str = ""
    arguments: dict[str, Any] | None = None
    ask: Pending | None = None
    talk: str = ""
    about: str = ""
    lookup: bool = False


def ask(plan: QueryPlan, missing: str, options: list[str] | None = None) -> Step:
    """The question for just one piece."""
    return Step(plan, ask=Pending(plan=plan, missing=missing, options=(options or [])[:10]))
