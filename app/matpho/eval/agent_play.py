"""Playing conversations: each on a fresh copy of the world, turn by turn, through the assistant's own entry point."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from matpho.eval.agent_scoring import Got, problems, unsafe
from matpho.eval.agent_set import Conversation, SetTurn
from matpho.eval.agent_watch import WatchedGateway, acts_between, observe
from matpho.eval.world import Stage, Stages, principal_of
from matpho.eval.world_file import World
from matpho_agent.planner.model_settings import ModelSettings
from matpho_contracts.errors import MatphoError, NotFoundError
from matpho_embeddings.encoder import Encoder

CHANNEL = "eval"
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


@dataclass(frozen=True, slots=True)
class Setting:
    """What every conversation is played with; without an encoder (an empty name) search goes by filters and words."""

    world: World
    encoder: str
    model: ModelSettings | None = None


def play(setting: Setting, conversations: Sequence[Conversation], jobs: int = 1) -> list[Scored]:
    """Every turn of every conversation, scored, in their order; `jobs` processes share the conversations.

    More than one process makes a set done sooner and its times worth less. Raises FileMisfitError for a world that the
    center does not take.
    """
    with tempfile.TemporaryDirectory(prefix="matpho-eval-") as folder:
        asyncio.run(_build(setting, Path(folder)))
        if jobs <= 1:
            return _share(setting, Path(folder), conversations)
        shares = [conversations[start::jobs] for start in range(min(jobs, len(conversations)))]
        with ProcessPoolExecutor(len(shares), mp_context=get_context("spawn")) as pool:
            played = [pool.submit(_share, setting, Path(folder), share) for share in shares]
            scored = [one for share in played for one in share.result()]
    order = {conversation.id: place for place, conversation in enumerate(conversations)}
    return sorted(scored, key=lambda one: (order[one.conversation.id], one.number))


async def _build(setting: Setting, folder: Path) -> None:
    await Stages(setting.world, folder, await asyncio.to_thread(_encoder, setting.encoder)).build()


def _share(setting: Setting, folder: Path, conversations: Sequence[Conversation]) -> list[Scored]:
    """One process's conversations."""
    return asyncio.run(_play(setting, folder, conversations))


async def _play(setting: Setting, folder: Path, conversations: Sequence[Conversation]) -> list[Scored]:
    scored: list[Scored] = []
    encoder = await asyncio.to_thread(_encoder, setting.encoder)
    stages = Stages(setting.world, folder, encoder, setting.model)
    try:
        for conversation in conversations:
            async with stages.fresh(WatchedGateway) as stage:
                scored += await _conversation(stage, setting.world, conversation)
    finally:
        await stages.close()
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
