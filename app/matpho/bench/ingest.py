"""Durable events a second through the real HTTP intake, beside a plain FastAPI endpoint, turn by turn in one run."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from matpho.bench.ingest_servers import EDGE_ID
from matpho.tables import machine
from matpho_contracts.edge_api import BATCHES_PATH
from matpho_contracts.events import Caption, Event, EventData, Rule, SeenObject, source_urn
from matpho_contracts.geometry import Box, Location
from matpho_contracts.ids import new_event_id
from matpho_contracts.signing import SigningKey, sign_batch
from matpho_contracts.times import now, unix_ms
from matpho_contracts.vocabulary import Colour, Severity
from matpho_contracts.wire import encode_batch

CLIENTS = 4
BATCH = 100
START_TIMEOUT_S = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")
_T0 = datetime(2026, 1, 1, tzinfo=UTC)

Encode = Callable[[Sequence[bytes], SigningKey], bytes]


@dataclass(frozen=True, slots=True)
class _Contender:
    engine: str
    server: str
    encode: Encode
    batch: int


@dataclass(slots=True)
class _Round:
    seconds: float
    cpu_seconds: float
    latencies_ms: list[float]


def run(*, quick: bool = False) -> dict[str, Any]:
    """Measure all contenders, interleaved, each round on a fresh database; return `machine` and `rows`.

    Each row: `events_per_s` (median of the rounds, from the first request sent to the last answer), the latency of one
    request in ms, `cpu_us_per_event` of the server process, `against_plain` = ratio to the plain endpoint at its batch.
    """
    rounds, many, few = (1, 3_000, 200) if quick else (5, 20_000, 1_000)
    contenders = [
        _Contender("matpho", "matpho", _ours, BATCH),
        _Contender("plain FastAPI, one signature a batch", "plain", _plain, BATCH),
        _Contender("plain FastAPI, each event signed", "plain-each", _plain_each, BATCH),
        _Contender("matpho", "matpho", _ours, 1),
        _Contender("plain FastAPI, each event signed", "plain-each", _plain_each, 1),
    ]
    key = SigningKey.generate()
    measured: dict[_Contender, list[_Round]] = {one: [] for one in contenders}
    for number in range(rounds):
        for one in contenders:
            count = many if one.batch > 1 else few
            events = list(_events(count, number))
            bodies = [one.encode(events[at : at + one.batch], key) for at in range(0, count, one.batch)]
            measured[one].append(_measure(one, bodies, key))
    rows = [_row(one, found, many if one.batch > 1 else few) for one, found in measured.items()]
    plain = {row["batch"]: row["events_per_s"] for row in rows if str(row["engine"]).startswith("plain FastAPI")}
    plain[BATCH] = next(row["events_per_s"] for row in rows if "one signature" in str(row["engine"]))
    for row in rows:
        row["against_plain"] = round(row["events_per_s"] / plain[row["batch"]], 2)
    raw = next(_events(1, 0))
    return {"machine": machine(), "event_bytes": len(raw), "clients": CLIENTS, "rounds": rounds, "rows": rows}


def _events(count: int, number: int) -> Iterator[bytes]:
    """Canonical events of one box, four a second, two objects each."""
    for index in range(count):
        at = _T0 + timedelta(days=number, seconds=index / 4)
        camera = f"cam-{index % 16}"
        seen = tuple(
            SeenObject(
                label=label,
                colour=colour,
                confidence=0.87,
                track_id=index + offset,
                box=Box(x1=0.1, y1=0.2, x2=0.3, y2=0.6),
                first_seen=at,
                last_seen=at + timedelta(seconds=3),
            )
            for offset, (label, colour) in enumerate([("truck", Colour.WHITE), ("person", Colour.BLUE)])
        )
        data = EventData(
            camera_id=camera,
            area="bench",
            start=at,
            end=at + timedelta(seconds=3),
            severity=Severity.MEDIUM,
            location=Location(lat=21.03, lon=105.85),
            objects=seen,
            object_count=2,
            caption=Caption(vi="Xe tải trắng dừng bên đường", en="A white truck has stopped at the roadside"),
            rule=Rule(name="stopped_vehicle", parameters={"seconds": 30}),
        )
        source = source_urn(EDGE_ID, camera)
        kind = "vn.matpho.stopped_vehicle"
        yield Event(id=new_event_id(unix_ms(at)), source=source, type=kind, time=at, data=data).canonical()


def _ours(events: Sequence[bytes], key: SigningKey) -> bytes:
    return encode_batch(sign_batch(events, key, edge_id=EDGE_ID, incarnation="b", signed_at=now()), events, {})


def _plain(events: Sequence[bytes], key: SigningKey) -> bytes:
    return b"\n".join([key.sign(b"\n".join(events)).hex().encode(), *events])


def _plain_each(events: Sequence[bytes], key: SigningKey) -> bytes:
    return b"\n".join(key.sign(event).hex().encode() + event for event in events)


def _measure(one: _Contender, bodies: Sequence[bytes], key: SigningKey) -> _Round:
    with tempfile.TemporaryDirectory(prefix="matpho-bench-") as folder, _server(one.server, folder, key) as (url, pid):
        return asyncio.run(_load(url, pid, bodies))


@contextlib.contextmanager
def _server(engine: str, folder: str, key: SigningKey) -> Iterator[tuple[str, int]]:
    """A server in its own process on a free port of the loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = [sys.executable, "-m", "matpho.bench.ingest_servers", engine, folder, key.public.raw.hex()]
        port, fd = listener.getsockname()[1], listener.fileno()
        process = subprocess.Popen([*command, str(fd)], pass_fds=[fd], stdout=subprocess.DEVNULL)  # noqa: S603
    try:
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait(timeout=START_TIMEOUT_S)


async def _load(url: str, pid: int, bodies: Sequence[bytes]) -> _Round:
    """Send every body once, CLIENTS at a time; only answers that say all is stored count."""
    timeout = aiohttp.ClientTimeout(total=START_TIMEOUT_S)
    async with aiohttp.ClientSession(url, timeout=timeout) as session:
        async with session.get("/healthz") as answer:  # the socket listens before the server does: this waits for it
            await answer.read()
        waiting, latencies = iter(bodies), list[float]()

        async def client() -> None:
            for body in waiting:
                began = time.perf_counter()
                async with session.post(BATCHES_PATH, data=body) as answer:
                    said = await answer.read()
                if answer.status != 200 or b"rejected" in said or b"stored" not in said:
                    raise RuntimeError(f"the server answered {answer.status}: {said[:200]!r}")
                latencies.append((time.perf_counter() - began) * 1000)

        cpu, began = _cpu_seconds(pid), time.perf_counter()
        await asyncio.gather(*(client() for _ in range(CLIENTS)))
        return _Round(time.perf_counter() - began, _cpu_seconds(pid) - cpu, latencies)


def _cpu_seconds(pid: int) -> float:
    """User and system time of a process with its threads (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _row(one: _Contender, found: Sequence[_Round], count: int) -> dict[str, Any]:
    latencies = sorted(value for each in found for value in each.latencies_ms)
    speeds = [count / each.seconds for each in found]
    middle = statistics.median(speeds)

    def percentile(share: float) -> float:
        return round(latencies[min(len(latencies) - 1, int(len(latencies) * share))], 2)

    return {
        "engine": one.engine,
        "n": count,
        "batch": one.batch,
        "events_per_s": round(middle),
        "spread_percent": round(100 * (max(speeds) - min(speeds)) / middle),
        "p50_ms": percentile(0.50),
        "p95_ms": percentile(0.95),
        "p99_ms": percentile(0.99),
        "cpu_us_per_event": round(1e6 * statistics.median(each.cpu_seconds for each in found) / count, 1),
    }
