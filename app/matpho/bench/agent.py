"""`matpho bench agent`: what the graph costs over a loop written by hand, at the first turn and at the sixtieth; and
what the way through the gateway costs each call (bench/agent_calls.py).

Both answer the same sentence with the same two tool calls through the same gateway, policy and audit trail, on the same
small center, taking turns, so that a busy machine slows both alike. The hand loop keeps its memory in a variable: the
difference is what the graph, its checkpoints and its streaming cost.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import SecretStr

from matpho.bench import agent_calls
from matpho.bench.agent_calls import COMMITS, WAY
from matpho.tables import machine
from matpho_agent.answers.calls import Done, Reader
from matpho_agent.answers.compose import compose
from matpho_agent.assistant import Assistant, open_assistant, place_index
from matpho_agent.planner.clauses import clauses
from matpho_agent.planner.dialogue import take_step
from matpho_agent.planner.model_settings import AssistantSettings
from matpho_agent.planner.plan import Memory
from matpho_agent.planner.situation import Situation
from matpho_agent.remember import remember
from matpho_contracts.edge_api import CameraHealth, CameraReport, EnrolRequest, StatusReport
from matpho_contracts.events import Caption, Event, EventData, Rule, SeenObject, source_urn
from matpho_contracts.geometry import Box
from matpho_contracts.ids import new_event_id
from matpho_contracts.signing import SigningKey, sign_batch
from matpho_contracts.times import now, unix_ms
from matpho_contracts.vocabulary import Colour, EventType, Severity
from matpho_contracts.wire import encode_batch
from matpho_platform.access.principal import Principal, Role, Scope
from matpho_platform.cameras.areas import Area
from matpho_platform.cameras.edges import EdgeEntry
from matpho_platform.center import Center, open_center
from matpho_platform.events.schemas import EventFilter
from matpho_platform.settings import CenterSettings
from matpho_tools.gateway import Gateway
from matpho_tools.registry import EXPOSED

SENTENCE = "hôm qua có xe nào vượt đèn đỏ ở chợ Đông không, rồi cho xem chi tiết cái đầu tiên"
CALLS = ["search_events", "get_event"]
EVENTS = 200
LAST_TURN = 60
CALLS_MEASURED = 2000
OURS, BY_HAND, OVERHEAD = "matpho graph", "loop by hand", "graph less loop"
NOON = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
PRESENT = NOON + timedelta(days=1)
COMMANDER = Principal("bench", "Bench", Role.COMMANDER)
CAMERA = CameraReport(id="BENCH-01", name="Chợ Đông - cổng chính", area="P1")


def run(conversations: int = 0, *, quick: bool = False) -> dict[str, Any]:
    """Measure and return {"machine": {...}, "rows": [...], and the figures that follow from them}.

    Each row: `engine`, `n` measured, `turn` (1 or 60; absent for calls), `p50_ms`, `p95_ms`, `p99_ms`.
    `graph less loop` is the difference of the two in the same turn: the framework's overhead. `overhead_growth_ms` is
    its median at turn 60 less that at turn 1, `turn_60_over_turn_1` the ratio of our medians, `gateway_over_commits`
    what the way through the gateway costs over the two durable writes in it, `..._p99` the same of the slowest in a
    hundred. `conversations` of 0 is 5, or 2 when
    `quick`. Raises RuntimeError when a loop does not make the two calls that both are measured by.
    """
    conversations = conversations or (2 if quick else 5)
    with tempfile.TemporaryDirectory(prefix="bench-agent-") as folder:
        rows = asyncio.run(_measure(Path(folder), conversations, 100 if quick else CALLS_MEASURED))
    return {"machine": machine(), "rows": rows, **_figures(rows)}


def _figures(rows: list[dict[str, Any]]) -> dict[str, float]:
    median = {(row["engine"], row.get("turn")): row["p50_ms"] for row in rows}
    slowest = {row["engine"]: row["p99_ms"] for row in rows if "turn" not in row}
    return {
        "overhead_growth_ms": round(median[OVERHEAD, LAST_TURN] - median[OVERHEAD, 1], 2),
        "turn_60_over_turn_1": round(median[OURS, LAST_TURN] / median[OURS, 1], 3),
        "gateway_over_commits": round(median[WAY, None] / median[COMMITS, None], 3),
        "gateway_over_commits_p99": round(slowest[WAY] / slowest[COMMITS], 3),
    }


async def _measure(folder: Path, conversations: int, calls: int) -> list[dict[str, Any]]:
    center = await _center(folder)
    try:
        async with AsyncExitStack() as stack:
            gateway = Gateway(center)
            settings = AssistantSettings(memory="sqlite", memory_path=folder / "talks.db")
            assistant = await open_assistant(gateway, settings, stack)
            await _talk(assistant, gateway, "warm-up", 2, lambda *_: None)
            taken: dict[tuple[str, int], list[float]] = {}
            for number in range(conversations):
                await _talk(assistant, gateway, f"c{number}", LAST_TURN, lambda *key_ms: _note(taken, *key_ms))
            hits = (await center.events.search(Scope(None), None, EventFilter(), limit=EVENTS)).hits
            ways = await agent_calls.measure(center, CAMERA.area, [hit.id for hit in hits], folder, calls)
    finally:
        await center.close()
    turns = [_row(engine, turn, samples) for (engine, turn), samples in sorted(taken.items(), reverse=True)]
    return turns + ways


def _note(taken: dict[tuple[str, int], list[float]], engine: str, turn: int, ms: float) -> None:
    """The first and the last three turns of each conversation count."""
    for wanted in (1, LAST_TURN):
        if abs(turn - wanted) < 3:
            taken.setdefault((engine, wanted), []).append(ms)


async def _talk(
    assistant: Assistant, gateway: Gateway, name: str, turns: int, note: Callable[[str, int, float], None]
) -> None:
    memory = Memory()
    for turn in range(1, turns + 1):
        started = time.perf_counter()
        answered = await assistant.turn(COMMANDER, name, SENTENCE, now=PRESENT)
        ours = (time.perf_counter() - started) * 1000
        _check([call["name"] for call in answered.tool_calls])
        started = time.perf_counter()
        done = await _by_hand(gateway, memory, name)
        by_hand = (time.perf_counter() - started) * 1000
        for engine, spent in ((OURS, ours), (BY_HAND, by_hand), (OVERHEAD, ours - by_hand)):
            note(engine, turn, spent)
        _check([call.tool for call in done])


async def _by_hand(gateway: Gateway, memory: Memory, name: str) -> list[Done]:
    """The shortest loop that does the same: read, call, remember, write."""
    city = await gateway.city()
    situation = Situation(PRESENT, place_index(city), (), frozenset(EXPOSED))
    done: list[Done] = []
    for clause in clauses(SENTENCE):
        step = take_step(clause, situation, memory)
        result = await gateway.call(COMMANDER, step.tool, step.arguments or {}, channel="bench", conversation_id=name)
        done.append(Done(step.tool, step.arguments or {}, result))
        remember(memory, done[-1])
    compose(done, Reader(COMMANDER, "vi", PRESENT, city))
    return done


def _check(calls: list[str]) -> None:
    if calls != CALLS:
        raise RuntimeError(f"the turn made the calls {calls}, not {CALLS}")


def _row(engine: str, turn: int, samples: list[float]) -> dict[str, Any]:
    p50, p95, p99 = (round(float(value), 2) for value in np.percentile(samples, (50, 95, 99)))
    return {"engine": engine, "n": len(samples), "turn": turn, "p50_ms": p50, "p95_ms": p95, "p99_ms": p99}


async def _center(folder: Path) -> Center:
    """A center with one camera and some signed events of the day before."""
    token = SecretStr("bench-box-token")
    center = await open_center(
        CenterSettings(
            data=folder / "center",
            areas=(Area(code="P1", name="Phường Một"),),
            edges=(EdgeEntry(id="bench-box", token=token),),
        )
    )
    key = SigningKey.generate()
    await center.edges.enrol(EnrolRequest(edge_id="bench-box", token=token, public_key=key.public.raw.hex()))
    registered = await center.edges.key(key.public.key_id)
    if registered is None:
        raise RuntimeError("the bench's box could not enrol")
    health = (CameraHealth(id=CAMERA.id, status="online", since=NOON, fps=5.0),)
    report = StatusReport(edge_id="bench-box", sent_at=now(), cameras=(CAMERA,), health=health, outbox_waiting=0)
    await center.registry.report(report, registered)
    raws = [_event(number).canonical() for number in range(EVENTS)]
    header = sign_batch(raws, key, edge_id="bench-box", incarnation="bench", signed_at=now())
    await center.intake.receive(encode_batch(header, raws, {}))
    return center


def _event(number: int) -> Event:
    time_ = NOON - timedelta(minutes=number)
    seen = SeenObject(
        label="car",
        colour=Colour.RED,
        confidence=0.9,
        track_id=1,
        box=Box(x1=0.1, y1=0.1, x2=0.3, y2=0.5),
        first_seen=time_,
        last_seen=time_,
    )
    data = EventData(
        camera_id=CAMERA.id,
        area=CAMERA.area,
        start=time_,
        end=time_,
        severity=Severity.MEDIUM,
        objects=(seen,),
        object_count=1,
        caption=Caption(vi="Ô tô đỏ vượt đèn đỏ", en="A red car runs a red light"),
        rule=Rule(name="red_light"),
    )
    return Event(
        id=new_event_id(unix_ms(time_)),
        source=source_urn("bench-box", CAMERA.id),
        type=f"vn.matpho.{EventType.RED_LIGHT.value}",
        time=time_,
        data=data,
    )
