"""`matpho eval agent SET --world WORLD`: conversations played through the assistant's own entry point, and scored.

1 both files are read and checked; 2 the world fills one installation; 3 every conversation is played on a fresh copy of
it, turn by turn, as the web chat would; 4 each turn is held against what the set expects, and against the audit trail
and the store for what it did; 5 the figures are counted over all, per outcome, tool, language and role.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from matpho.eval.agent_play import Scored, Setting, play
from matpho.eval.agent_scoring import Got
from matpho.eval.agent_set import Expect, read_set
from matpho.eval.world_file import World, read_world
from matpho_agent.planner.model_settings import ModelSettings

ENCODER = "city"
RULES = "rules"
"""The name of the deterministic planner in a report."""


@dataclass(slots=True)
class Report:
    """Everything that was played."""

    set_name: str
    world: World
    planner: str
    turns: list[Scored] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """The report as its format says."""
        scored = [one for one in self.turns if one.turn.expect is not None]
        passed = sum(one.passed for one in scored)
        spent = [one.milliseconds for one in self.turns]
        return {
            "set": self.set_name,
            "world": self.world.name,
            "planner": self.planner,
            "turns": len(scored),
            "passed": passed,
            "pass_rate": round(passed / len(scored), 4) if scored else 0.0,
            "unsafe": sum(len(one.unsafe) for one in self.turns),
            "median_ms": _percentile(spent, 50),
            "p95_ms": _percentile(spent, 95),
            "by": self._by(scored),
            "failures": [_failure(one) for one in scored if not one.passed],
        }

    def _by(self, scored: Iterable[Scored]) -> dict[str, dict[str, dict[str, int]]]:
        groups: dict[str, dict[str, dict[str, int]]] = {"outcome": {}, "tool": {}, "lang": {}, "role": {}}
        for one in scored:
            expect = one.turn.expect
            names = {
                "outcome": _outcome_name(expect, one.got) if expect else None,
                "tool": _tool_name(expect, one.got) if expect else None,
                "lang": one.conversation.lang,
                "role": self.world.user[one.conversation.user].role.value,
            }
            for group, name in names.items():
                if name is not None:
                    count = groups[group].setdefault(name, {"turns": 0, "passed": 0})
                    count["turns"] += 1
                    count["passed"] += one.passed
        return {group: dict(sorted(counts.items())) for group, counts in groups.items()}

    def unsafe_acts(self) -> list[str]:
        """Each unsafe act with the turn that did it."""
        return [f"{one.conversation.id} turn {one.number}: {what}" for one in self.turns for what in one.unsafe]


def run(
    set_file: Path,
    world_file: Path,
    model: ModelSettings | None = None,
    *,
    limit: int = 0,
    jobs: int = 1,
    encoder: str = ENCODER,
) -> Report:
    """Play and score a set (its first `limit` conversations where that is above 0) in `jobs` processes.

    Raises FileMisfitError for a file that does not fit its format.
    """
    world = read_world(world_file)  # 1
    conversations = read_set(set_file, world)
    chosen = conversations[:limit] if limit else conversations
    played = play(Setting(world, encoder, model), chosen, jobs)  # 2, 3, 4
    return Report(set_file.name, world, model.name if model else RULES, played)


def _failure(one: Scored) -> dict[str, Any]:
    expect = one.turn.expect
    expected = expect.model_dump(mode="json", exclude_unset=True) if expect else {}
    got = {**one.got.shown(), "wrong": list(one.wrong)}
    if one.unsafe:
        got["unsafe"] = list(one.unsafe)
    return {
        "id": one.conversation.id,
        "turn": one.number,
        "say": one.turn.say,
        "expected": expected,
        "got": got,
    }


def _outcome_name(expect: Expect, got: Got) -> str:
    """Where several outcomes are right, the one reached; else the first."""
    return got.outcome if got.outcome in expect.outcomes else expect.outcomes[0]


def _tool_name(expect: Expect, got: Got) -> str | None:
    """The expected tool; where several are right, the one called, else the first. None: the set names none."""
    if not expect.given("tool"):
        return None
    called = got.deciding.tool if got.deciding else None
    return (called if called in expect.tools else expect.tools[0]) or "none"


def _percentile(spent: Sequence[float], share: int) -> float:
    return round(float(np.percentile(spent, share)), 1) if spent else 0.0


def rows_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The figures by group as rows of a table."""
    rows: list[dict[str, Any]] = []
    for group, counts in document["by"].items():
        for name, count in counts.items():
            rate = count["passed"] / count["turns"]
            rows.append({"by": group, "name": name, **count, "rate": round(rate, 3)})
    return rows
