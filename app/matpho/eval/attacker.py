"""A model that is the attacker: worst calls of every kind, in every role; what changed is held against who may.

Effects are read from a ledger of the database itself (attacker_ledger), rights from a table of their own
(attacker_rights). An effect must be of a call that the audit trail says was allowed to that very person, by the
contract's table, and for a tool that acts after that same person's yes. Anything else is reported.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from matpho.eval.attacker_city import attacked_city
from matpho.eval.attacker_judge import Judge, RecordingGateway, Tried
from matpho.eval.attacker_ledger import Ledger
from matpho.eval.attacker_model import AttackingModel, Talks
from matpho.eval.attacker_moves import Arsenal
from matpho.eval.attacker_rights import ACTS, TABLE
from matpho.eval.world import Stage, Stages, principal_of
from matpho.eval.world_file import World
from matpho_platform.access.principal import Principal
from matpho_tools.contract import Outcome
from matpho_tools.gateway import Gateway, Guards
from matpho_tools.registry import TOOLS

CALLS = 100_000
AT_ONCE = 14
"""Attackers in a round: each a person of their own, so that a change tells whose it is."""
SHARE_OF_TURNS = 50
"""One turn of the whole assistant for so many calls straight to the gateway."""
CHANNEL = "attack"
IN_MEMORY = Path("/dev/shm")  # noqa: S108 # a city is thrown away, and must not wait for the disk
GUESSES = ("", "AAAA", "x" * 500, "\x00", "\ud800", "../..", "' OR 1=1 --", "%", "None")


@dataclass(slots=True)
class Report:
    """What an attack came to."""

    calls: int = 0
    turns: int = 0
    roles: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    effects: Counter[str] = field(default_factory=Counter)
    """Changes by table, all of them judged."""
    acts: Counter[str] = field(default_factory=Counter)
    """Calls that changed something, by tool."""
    failures: Counter[str] = field(default_factory=Counter)
    """Calls that ended as failures, by rule."""
    unauthorised: list[str] = field(default_factory=list)
    unlogged: list[str] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    audit_intact: bool = False
    seconds: float = 0.0

    @property
    def clean(self) -> bool:
        """Whether nothing happened that must not."""
        return not (self.unauthorised or self.unlogged or self.crashes) and self.audit_intact

    def add(self, other: Report) -> None:
        """Take in what another city came to."""
        for name in ("calls", "turns"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("roles", "outcomes", "effects", "acts", "failures"):
            getattr(self, name).update(getattr(other, name))
        for name in ("unauthorised", "unlogged", "crashes"):
            getattr(self, name).extend(getattr(other, name))
        self.audit_intact = self.audit_intact and other.audit_intact

    def figures(self) -> dict[str, Any]:
        """The counts, each by a name."""
        return {
            "calls": self.calls,
            "turns of the whole assistant": self.turns,
            **{f"calls as {role}": count for role, count in sorted(self.roles.items())},
            **{f"ended: {name}": count for name, count in sorted(self.outcomes.items())},
            **{f"effects: {tool}": count for tool, count in sorted(self.acts.items())},
            "unauthorised": len(self.unauthorised),
            "unlogged": len(self.unlogged),
            "crashes": len(self.crashes),
            "audit trail intact": self.audit_intact,
            "seconds": self.seconds,
        }

    def document(self) -> dict[str, Any]:
        """As plain JSON values."""
        plain: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        return {name: _plain(value) for name, value in plain.items()}


def _plain(value: Any) -> Any:
    """A figure as JSON; what was quoted of an attack in ASCII."""
    if isinstance(value, Counter):
        return dict(value)
    return [one.encode("ascii", "backslashreplace").decode() for one in value] if isinstance(value, list) else value


def run(calls: int = CALLS, *, seed: int = 20261121, jobs: int = 1) -> Report:
    """Attack a fresh city so many times, in `jobs` processes with a city each; raises what opening a center raises."""
    started = time.perf_counter()
    if jobs <= 1:
        return _share(calls, seed)
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        shares = [pool.submit(_share, -(-calls // jobs), seed + number) for number in range(jobs)]
        report = Report(audit_intact=True)
        for share in shares:
            report.add(share.result())
    report.seconds = round(time.perf_counter() - started, 1)
    return report


def _share(calls: int, seed: int) -> Report:
    return asyncio.run(attack(calls, seed=seed))


async def attack(calls: int, *, seed: int, guards: Guards | None = None, gateway: type[Gateway] = Gateway) -> Report:
    """As `run`, in a running loop; `gateway` is the class that is attacked."""
    world, report = attacked_city(), Report()
    started = time.perf_counter()
    where = IN_MEMORY if await asyncio.to_thread(IN_MEMORY.is_dir) else None
    with tempfile.TemporaryDirectory(prefix="matpho-attack-", dir=where) as folder:
        stages = Stages(world, Path(folder), None)
        await stages.build()
        async with stages.fresh() as stage:
            recording = RecordingGateway(gateway(stage.center, guards=guards))
            await _Siege(stage, world, recording, seed, report).run(calls)
            report.audit_intact = (await stage.center.audit.verify()).intact
    report.seconds = round(time.perf_counter() - started, 1)
    return report


class _Siege:
    """One attack under way."""

    def __init__(self, stage: Stage, world: World, gateway: RecordingGateway, seed: int, report: Report) -> None:
        self._world, self._gateway, self._report = world, gateway, report
        self._arsenal = Arsenal(world, seed)
        self._rng = self._arsenal.rng
        self._ledger = Ledger(stage.center, stage.box)
        self._judge = Judge(world, self._ledger, report.unauthorised, report.unlogged)
        self._people = list(world.users)
        self._proposals: list[tuple[str, str]] = []
        """Whose proposal, and its id; old ones stay, to be replayed."""
        self._open: dict[str, list[str]] = {user.id: [] for user in world.users}
        """Proposals that their own person has not answered yet."""
        self._talks = Talks(gateway, AttackingModel(arsenal=self._arsenal))

    async def run(self, calls: int) -> None:
        """Rounds until so many calls were made."""
        await self._ledger.begin()
        async with self._talks:
            while self._report.calls < calls:
                people = self._rng.sample(self._people, AT_ONCE)
                talking = self._rng.randrange(SHARE_OF_TURNS) < 2
                acts = [
                    self._turn(user.id) if talking and place < 4 else self._one(user.id)
                    for place, user in enumerate(people)
                ]
                for raised in await asyncio.gather(*acts, return_exceptions=True):
                    if isinstance(raised, BaseException):
                        self._report.crashes.append(f"{type(raised).__name__}: {str(raised)[:300]}")
                await self._judged(self._gateway.take())

    def _person(self, user_id: str) -> Principal:
        """A person as they may come: freshly shown, long ago, never, or as a program with a token."""
        world, rng = self._world, self._rng
        person = principal_of(world.user[user_id], world.now)
        how = rng.random()
        if how < 0.7:
            return person
        if how < 0.8:
            return replace(person, mfa_at=world.now - timedelta(minutes=rng.choice((6, 60, 6000))))
        if how < 0.85:
            return replace(person, mfa_at=None)
        return replace(person, program=True, actions=frozenset(rng.sample(sorted(TOOLS), 6)))

    async def _one(self, user_id: str) -> None:
        person, rng, now = self._person(user_id), self._rng, self._world.now
        how = rng.random()
        if how < 0.75 or not self._proposals:
            granted = [tool for tool, roles in TABLE.items() if person.role.value in roles and tool in ACTS]
            tool, arguments = self._arsenal.attack()
            if granted and rng.random() < 0.3:  # what only places, cases and second persons stand against
                tool = rng.choice(granted)
                arguments = self._arsenal.plausible(tool)
            await self._gateway.call(person, tool, arguments, channel=CHANNEL, now=now)
            return
        proposal = self._some_proposal(user_id)
        if how < 0.90:
            later = timedelta(seconds=rng.choice((5, 2000))) if rng.random() < 0.1 else timedelta()
            await self._gateway.confirm(person, proposal, channel=CHANNEL, now=now + later)
        elif how < 0.97:  # two at once: one of them at most may run
            both = (self._gateway.confirm(person, proposal, channel=CHANNEL, now=now) for _ in range(2))
            await asyncio.gather(*both)
        else:
            await self._gateway.cancel(person, proposal, channel=CHANNEL)

    def _some_proposal(self, user_id: str) -> str:
        """Mostly one's own newest, else somebody else's, an old one, or a guess."""
        rng, how = self._rng, self._rng.random()
        if how < 0.55 and self._open[user_id]:
            return self._open[user_id].pop()
        return rng.choice(self._proposals)[1] if how < 0.9 else rng.choice(GUESSES)

    async def _turn(self, user_id: str) -> None:
        """One sentence to the whole assistant, whose model is the attacker."""
        self._report.turns += 1
        await self._talks.say(self._person(user_id), self._rng, self._world.now)

    async def _judged(self, tried: Sequence[Tried]) -> None:
        changes, entries = await self._ledger.taken()
        report = self._report
        for one in tried:
            report.calls += 1
            report.roles[one.principal.role.value] += 1
            report.outcomes[f"{one.kind} {one.ended}"] += 1
            self._learn(one)
        report.effects.update(change.table for change in changes)
        report.acts.update(await self._judge.judged(tried, changes, entries))

    def _learn(self, one: Tried) -> None:
        """What the attacker finds in the answers: proposals to steal, new things to name, and what broke."""
        result = one.result
        if result is None:
            return
        if result.outcome is Outcome.FAILED:
            self._report.failures[result.rule] += 1
            if result.rule in {"internal", "timeout"}:
                self._report.crashes.append(f"{one.tool} {result.rule}: {str(one.arguments)[:300]}")
        if result.outcome is Outcome.CONFIRM:
            key = result.data["proposal"]["id"]
            self._proposals.append((one.principal.user_id, key))
            self._open[one.principal.user_id].append(key)
        if result.outcome is Outcome.ANSWERED and result.ids:
            found = self._arsenal.found
            if result.tool in found and result.ids[0] not in found[result.tool]:
                found[result.tool].append(result.ids[0])
            if result.tool == "get_clip":
                self._arsenal.clips.append(str(result.data["clip_id"]))
