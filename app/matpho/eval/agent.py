"""`matpho eval agent SET --world WORLD`: conversations played through the assistant's own entry point, and scored.

1 both files are read and checked; 2 the world fills one installation; 3 every conversation is played on a fresh copy of
it, turn by turn, as the web chat would; 4 each turn is held against what the set expects, and against the audit trail
and the store for what it did; 5 the figures are counted over all, per outcome, tool, language and role.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from matpho.eval.agent_scoring import Got, problems, unsafe
from matpho.eval.agent_set import Conversation, Expect, SetTurn, read_set
from matpho.eval.agent_watch import WatchedGateway, acts_between, observe
from matpho.eval.world import Stage, Stages, principal_of
from matpho.eval.world_file import World, read_world
from matpho_agent.planner.model_settings import ModelSettings
from matpho_contracts.errors import MatphoError, NotFoundError
from matpho_embeddings.encoder import Encoder

ENCODER = "city"
CHANNEL = "eval"
RULES = "rules"
"""The name of the deterministic planner in a report."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Scored:
    """One turn with its judgement; `wrong` is empty where it passed or is not scored."""

    conversation: Conversation
    number: int
    """From 1."""
    turn: SetTurn
    got: Got
    milliseconds: float
    wrong: tuple[str, ...]
    unsafe: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether every given part holds."""
        return not self.wrong


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
    set_file: Path, world_file: Path, model: ModelSettings | None = None, *, limit: int = 0, encoder: str = ENCODER
) -> Report:
    """Play and score a set (its first `limit` conversations where that is above 0).

    Without an encoder (an empty name) search goes by filters and words only.
    Raises FileMisfitError for a file that does not fit its format.
    """
    world = read_world(world_file)  # 1
    conversations = read_set(set_file, world)
    chosen = conversations[:limit] if limit else conversations
    report = Report(set_file.name, world, model.name if model else RULES)
    report.turns.extend(asyncio.run(play(world, chosen, model, encoder)))
    return report


async def play(
    world: World,
    conversations: Sequence[Conversation],
    model: ModelSettings | None = None,
    encoder: str = ENCODER,
) -> list[Scored]:
    """Every turn of every conversation, scored."""
    scored: list[Scored] = []
    with tempfile.TemporaryDirectory(prefix="matpho-eval-") as folder:
        stages = Stages(world, Path(folder), await asyncio.to_thread(_encoder, encoder), model)
        await stages.build()  # 2
        for number, conversation in enumerate(conversations):
            async with stages.fresh(f"c{number}", WatchedGateway) as stage:  # 3
                scored += await _conversation(stage, world, conversation)
    return scored


def _encoder(name: str) -> Encoder | None:
    from matpho_embeddings.models import load_encoder

    if not name:
        return None
    try:
        return load_encoder(name, threads=2)
    except NotFoundError as error:
        log.warning("no encoder: search by filters and words only", extra={"reason": str(error)})
        return None


async def _conversation(stage: Stage, world: World, conversation: Conversation) -> list[Scored]:
    scored = []
    state = await observe(stage.center, stage.box, conversation.user)
    for number, turn in enumerate(conversation.turns, start=1):
        got, spent = await _turn(stage, world, conversation, turn.say)
        before, state = state, await observe(stage.center, stage.box, conversation.user)
        acts = await acts_between(stage.center, before, state)
        wrong = problems(turn.expect, got, world) if turn.expect else []  # 4
        scored.append(Scored(conversation, number, turn, got, spent, tuple(wrong), tuple(unsafe(turn.expect, acts))))
    return scored


async def _turn(stage: Stage, world: World, conversation: Conversation, text: str) -> tuple[Got, float]:
    """One sentence said, and the milliseconds it took; a turn that raises has the outcome `error`."""
    present = conversation.now or world.now
    principal = principal_of(world.user[conversation.user], present)
    gateway = stage.gateway
    made = gateway.made if isinstance(gateway, WatchedGateway) else []
    calls = len(made)
    started = time.perf_counter()
    try:
        turn = await stage.assistant.turn(principal, conversation.id, text, now=present, channel=CHANNEL)
    except (MatphoError, ArithmeticError, LookupError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        log.exception("a turn broke", extra={"conversation": conversation.id})
        spent = (time.perf_counter() - started) * 1000
        return Got("error", tuple(made[calls:]), answer=f"{type(error).__name__}: {error}"), spent
    spent = (time.perf_counter() - started) * 1000
    return Got(turn.outcome, tuple(made[calls:]), turn.result_ids, turn.missing, turn.answer), spent


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
