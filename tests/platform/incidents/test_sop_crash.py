"""Processes killed at random moments while incidents run: every step once, every escalation in time, nothing forgotten.

Workers open incidents and act on them, each act under a key, and write down what was acknowledged. They are killed with
SIGKILL again and again; then one goes on undisturbed until all is settled, and the books are compared.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import RowMapping, select

from matpho_platform.center import Center, open_center
from matpho_platform.incidents.workflow.settings import WorkflowSettings
from matpho_platform.settings import CenterSettings
from matpho_platform.store.tables import incident_timeline, incidents, notices, sop_runs, sop_signals

LEVELS = 4
CHAIN_S = (0, 1, 2, 4)
STEP_S = 2
GRACE_MS = 5_000
"""What an escalation may be late after its deadline, or after the process is back."""
PROCEDURE = {
    "format": 2,
    "id": "QT-THU",
    "title": "Thử độ bền",
    "event_types": ["crowd"],
    "escalation": [
        {"to": to, "after": f"{after}s"}
        for to, after in zip(("team", "commander", "team", "commander"), CHAIN_S, strict=True)
    ],
    "steps": [
        {"id": "xem", "name": "Xem hình", "within": f"{STEP_S}s"},
        {"id": "bao", "name": "Báo chỉ huy", "kind": "notify", "tell": ["commander"]},
        {"id": "cho", "name": "Chờ", "kind": "wait", "wait": "1s"},
        {"id": "ghi", "name": "Ghi sổ", "within": "1h"},
    ],
}
WORKER = """
import asyncio, json, os, sys, time
from pathlib import Path
import matpho_platform.incidents.workflow.open
from matpho_contracts.times import now
from matpho_platform.access.errors import DeniedError
from matpho_platform.access.principal import Principal, Role
from matpho_platform.center import open_center
from matpho_platform.incidents.schemas import Status
from matpho_platform.settings import CenterSettings

settings = CenterSettings.model_validate_json(sys.argv[1])
plan = json.loads(Path(sys.argv[2]).read_text())
OFFICER = Principal("off-1", "Hang", Role.OFFICER, ("p-hoan-kiem",))

async def act(center, number, event, book):
    incidents = center.incidents
    done = await incidents.open(OFFICER, [event], at=now(), procedure="QT-THU", key=f"open:{number}")
    name = done.incident.id
    def write(what):
        os.write(book, f"{what}:{number} {name}\\n".encode())
    write("open")
    if number % 3 == 0:
        return  # nobody cares: the chain goes to its end, the first step becomes overdue
    left = done.incident.opened_at.timestamp() + 1.5 - time.time()
    await asyncio.sleep(max(0, left))
    try:
        await incidents.acknowledge(OFFICER, name, at=now(), key=f"ack:{number}")
    except DeniedError as error:
        assert error.rule == "already_acknowledged", error
    write("ack")
    await incidents.update(OFFICER, name, step_done="xem", at=now(), key=f"xem:{number}")
    write("xem")
    if number % 3 == 2:
        await asyncio.sleep(max(0, done.incident.opened_at.timestamp() + 6 - time.time()))
        await incidents.update(OFFICER, name, status=Status.CLOSED, at=now(), key=f"close:{number}")
        write("close")

async def work(share, of):
    book = os.open(plan["book"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    center = await open_center(settings)
    lives = os.open(plan["lives"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(lives, f"up {share} {time.time_ns() // 1000000}\\n".encode())
    mine = [(n, event) for n, event in enumerate(plan["events"]) if n % of == share]
    room = asyncio.Semaphore(plan["at_once"])
    async def one(number, event):
        async with room:
            await act(center, number, event, book)
    results = await asyncio.gather(*(one(n, event) for n, event in mine), return_exceptions=True)
    wrong = [repr(result) for result in results if result is not None]
    os.write(lives, f"acted {share} {json.dumps(wrong[:3])}\\n".encode())
    await asyncio.Event().wait()

print("ready", flush=True)
for line in sys.stdin:
    share, of = map(int, line.split())
    child = os.fork()
    if child == 0:
        log = os.open(plan["book"] + ".log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.dup2(log, 1)
        os.dup2(log, 2)
        asyncio.run(work(share, of))
        os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("gone", flush=True)
"""
"""Forks a worker for each line it reads: a real process, killed for real, without the cost of its imports."""


@dataclass
class Forks:
    """One place where a worker lives, dies and is started again."""

    process: subprocess.Popen[str]
    share: int
    of: int
    child: int = 0

    def say(self, line: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        if line:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def start(self) -> None:
        self.child = int(self.say(f"{self.share} {self.of}"))

    def kill(self) -> None:
        os.kill(self.child, signal.SIGKILL)
        assert self.say("") == "gone"
        self.child = 0


@dataclass
class Site:
    """Where a trial runs: settings, what was acknowledged, who lived when."""

    settings: CenterSettings
    folder: Path
    events: Sequence[str]
    workers: int
    at_once: int
    downs: dict[int, list[int]] = field(default_factory=dict)

    @property
    def book(self) -> Path:
        return self.folder / "book"

    @property
    def lives(self) -> Path:
        return self.folder / "lives"

    @contextmanager
    def forks(self) -> Iterator[list[Forks]]:
        plan = {"events": self.events, "book": str(self.book), "lives": str(self.lives), "at_once": self.at_once}
        (self.folder / "plan.json").write_text(json.dumps(plan))
        document = self.settings.model_dump(mode="json")
        document["edges"] = []
        document["database_url"] = self.settings.database_url and self.settings.database_url.get_secret_value()
        command = [sys.executable, "-c", WORKER, json.dumps(document), str(self.folder / "plan.json")]
        pipe = subprocess.PIPE
        made = [
            Forks(subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True), share, self.workers)
            for share in range(self.workers)
        ]
        try:
            for fork in made:
                assert fork.say("") == "ready"
            yield made
        finally:
            for fork in made:
                if fork.child:
                    fork.kill()
                assert fork.process.stdin is not None
                assert fork.process.stdout is not None
                fork.process.stdin.close()
                fork.process.wait(timeout=30)
                fork.process.stdout.close()

    def kill(self, fork: Forks) -> None:
        fork.kill()
        self.downs.setdefault(fork.share, []).append(_now_ms())

    def said(self, word: str) -> list[list[str]]:
        lines = self.lives.read_text().splitlines() if self.lives.exists() else []
        return [line.split(maxsplit=2) for line in lines if line.startswith(f"{word} ")]

    def stretches(self) -> list[tuple[int, int]]:
        """When at least one worker was up, as (from, to) of each life; Unix milliseconds."""
        lived: list[tuple[int, int]] = []
        for _word, share, at in self.said("up"):
            ends = [down for down in self.downs.get(int(share), []) if down > int(at)]
            lived.append((int(at), min(ends, default=2**62)))
        return sorted(lived)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def disturb(site: Site, kills: int, dice: random.Random) -> None:
    """Kill and start again at random moments; then let all live until every act is done."""
    with site.forks() as forks:
        for _kill in range(kills):
            for fork in forks:
                if not fork.child:
                    fork.start()
            time.sleep(dice.uniform(0.3, 2.0))
            for fork in dice.sample(forks, dice.randint(1, len(forks))):
                site.kill(fork)
        for fork in forks:
            if not fork.child:
                fork.start()
        started = {fork.share: len([line for line in site.said("up") if line[1] == str(fork.share)]) for fork in forks}
        _wait_until(lambda: len(site.said("acted")) >= len(started) and _all_acted(site), 600)
        _wait_until(lambda: asyncio.run(_settled(site)), 120)


def _all_acted(site: Site) -> bool:
    """Whether the last life of each worker did everything."""
    lines = [line.split(maxsplit=2) for line in site.lives.read_text().splitlines()]
    last = {share: word for word, share, _rest in lines}
    return set(last.values()) == {"acted"}


def _wait_until(check: Any, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < until, "it did not settle"
        time.sleep(0.5)


async def _settled(site: Site) -> bool:
    """Nothing is late, nothing waits to be told, and what will come is far off."""
    center = await open_center(site.settings.model_copy(update={"workflows": WorkflowSettings()}))
    try:
        async with center.store.reading() as session:
            soon = sop_runs.c.ended_ms.is_(None), sop_runs.c.next_ms < _now_ms() + 60_000
            return not await session.all(select(sop_runs).where(*soon)) and not await session.all(select(sop_signals))
    finally:
        await center.close()


@dataclass
class Books:
    """What the database says in the end."""

    timeline: Sequence[RowMapping]
    notices: Sequence[RowMapping]
    incidents: Sequence[RowMapping]
    runs: Sequence[RowMapping]

    @classmethod
    async def read(cls, center: Center) -> Books:
        async with center.store.reading() as session:
            return cls(
                await session.all(select(incident_timeline).order_by(incident_timeline.c.entry_id)),
                await session.all(select(notices)),
                await session.all(select(incidents)),
                await session.all(select(sop_runs)),
            )

    def of(self, incident: str) -> list[RowMapping]:
        return [row for row in self.timeline if row["incident_id"] == incident]


def compare(books: Books, site: Site) -> list[int]:
    """Compare the books; returns how late each effect was after it could be done (ms)."""
    acknowledged = [line.split() for line in site.book.read_text().splitlines()]
    keys = Counter(row["key"] for row in books.timeline if row["key"])
    assert set(keys.values()) == {1}
    assert {act for act, _name in acknowledged} <= set(keys)  # nothing that was acknowledged is lost
    named = {act.split(":")[1]: name for act, name in acknowledged if act.startswith("open:")}
    assert len(named) == len(site.events) == len(books.incidents) == len(set(named.values()))
    late: list[int] = []
    for number, name in named.items():
        late += _one(books.of(name), int(number), name, site)
    told = {row["key"] for row in books.notices}
    wanted = {row["key"] for row in books.timeline if row["action"] in ("alerted", "step_overdue")}
    wanted |= {f"{row['key'].replace(':step:', ':tell:')}:commander" for row in books.timeline if _is_announced(row)}
    assert told == wanted
    assert len(books.notices) == len(told)
    assert {row["ended_ms"] is None for row in books.runs if int(_number(row, named)) % 3 == 2} == {False}
    return late


def _is_announced(row: RowMapping) -> bool:
    return row["actor"] == "center" and str(row["key"]).endswith(":step:bao")


def _number(run: RowMapping, named: dict[str, str]) -> str:
    return next(number for number, name in named.items() if name == run["incident_id"])


def _one(entries: Sequence[RowMapping], number: int, name: str, site: Site) -> list[int]:
    """One incident's timeline: the levels that had to be told were, in order, none after the acknowledgement."""
    alerts = [row for row in entries if row["action"] == "alerted"]
    order = [row["key"] for row in alerts]
    assert order == [f"{name}:0:alert:{level}" for level in range(len(alerts))]
    acknowledged = [row["entry_id"] for row in entries if row["action"] == "acknowledged"]
    if number % 3 == 0:
        assert len(alerts) == LEVELS
        assert not acknowledged
        assert [row["key"] for row in entries if row["action"] == "step_overdue"] == [f"{name}:0:overdue:xem"]
    else:
        assert len(acknowledged) == 1
        assert all(row["entry_id"] < acknowledged[0] for row in alerts)
        own = [row["key"] for row in entries if row["action"] == "step_done" and row["actor"] == "center"]
        whole = [f"{name}:0:step:bao", f"{name}:0:step:cho"]
        assert own == (whole if number % 3 == 1 else whole[: len(own)])  # the others may have been closed before
    opened_ms = entries[0]["at_ms"]
    return [row["at_ms"] - _could(opened_ms + CHAIN_S[level] * 1000, site) for level, row in enumerate(alerts)]


def _could(due_ms: int, site: Site) -> int:
    """The earliest moment from which somebody who lived long enough could have done what is due."""
    moments = [max(due_ms, up) for up, down in site.stretches() if down >= max(due_ms, up) + GRACE_MS]
    return min(moments)


async def prepared(settings: CenterSettings, new_box: Any, folder: Path, count: int, workers: int) -> Site:
    center = await open_center(settings)
    box = await (await new_box().enrol(center)).report(center)
    await center.incidents.load(procedures=[PROCEDURE])
    events = [box.event() for _ in range(count)]
    for first in range(0, count, 100):
        await center.intake.receive(box.batch(events[first : first + 100]))
    await center.close()
    engine = WorkflowSettings(on=True, beat_seconds=0.3, dead_after_seconds=1.5, sweep_seconds=1.0)
    followed = settings.model_copy(update={"workflows": engine})
    return Site(followed, folder, [event.id for event in events], workers, at_once=max(20, count // 10))


async def trial(settings: CenterSettings, new_box: Any, folder: Path, count: int, kills: int) -> list[int]:
    workers = 1 if settings.database_url is None else 2
    site = await prepared(settings, new_box, folder, count, workers)
    await asyncio.to_thread(disturb, site, kills, random.Random(4))
    center = await open_center(settings)
    books = await Books.read(center)
    await center.close()
    wrong = [line[2] for line in site.said("acted") if line[2] != "[]"]
    assert not wrong
    return compare(books, site)


async def test_nothing_is_lost_or_done_twice(settings: CenterSettings, new_box: Any, tmp_path: Path) -> None:
    late = await trial(settings, new_box, tmp_path, 30, 6)
    print(f"latest escalation after it could be done: {max(late)} ms of {len(late)}")
    assert len(late) >= 10 * LEVELS


@pytest.mark.nightly
@pytest.mark.timeout(3600)
async def test_two_hundred_kills_and_a_thousand_incidents(
    settings: CenterSettings, new_box: Any, tmp_path: Path
) -> None:
    late = await trial(settings, new_box, tmp_path, 1000, 200)
    assert max(late) <= GRACE_MS
