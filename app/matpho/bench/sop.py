"""`matpho bench sop`: from an alert to the first notification, with incidents opened at a steady rate and all followed.

A whole center on SQLite (synchronous=FULL) with its workflow engine and its notification desk, and one officer of the
area who is reached inside our own pages. Incidents are opened at their times whether or not the ones before are done
with; `opened late by` shows whether the machine kept the pace. A notice counts from the opening to the moment it is
promised on disk, and to the moment its first message is handed to a channel.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from pydantic import SecretStr
from sqlalchemy import RowMapping, func, select

from matpho.tables import machine
from matpho_contracts.edge_api import CameraHealth, CameraReport, EnrolRequest, StatusReport
from matpho_contracts.events import Caption, Event, EventData, Rule, source_urn
from matpho_contracts.ids import new_event_id
from matpho_contracts.signing import SigningKey, sign_batch
from matpho_contracts.times import now, unix_ms
from matpho_contracts.vocabulary import Severity
from matpho_contracts.wire import encode_batch
from matpho_platform.access.principal import Principal, Role
from matpho_platform.cameras.areas import Area
from matpho_platform.cameras.edges import EdgeEntry
from matpho_platform.center import Center, open_center
from matpho_platform.incidents.procedure_files import SHIPPED, read_procedures
from matpho_platform.incidents.workflow.settings import WorkflowSettings
from matpho_platform.settings import CenterSettings
from matpho_platform.store.tables import incidents, notice_contents, notice_messages, notices

AREA, BOX, CAMERA = "bench-phuong", "bench-box", "bench-camera"
RATE = 50
"""Incidents a second: the bar."""
OFFICER = Principal("bench-officer", "Bench", Role.OFFICER, (AREA,))
_SETTLE_S = 120.0


def run(*, quick: bool = False) -> dict[str, Any]:
    """Measure and return {"machine": {...}, "rows": [...]}; rows carry `case`, `n`, `p50_ms`, `p95_ms`, `p99_ms`."""
    with TemporaryDirectory(prefix="bench-sop-") as folder:
        rows = asyncio.run(_measure(Path(folder), 250 if quick else 1_500))
    return {"machine": machine(), "per_second": RATE, "rows": rows}


async def _measure(folder: Path, count: int) -> list[dict[str, Any]]:
    settings = CenterSettings(
        data=folder,
        areas=(Area(code=AREA, name="Phường thử", level="commune"),),
        edges=(EdgeEntry(id=BOX, token=SecretStr("bench-token-of-the-box")),),
        workflows=WorkflowSettings(on=True),
    )
    center = await open_center(settings)
    try:
        await center.accounts.create(OFFICER.user_id, OFFICER.name, Role.OFFICER, None, areas=OFFICER.areas)
        await center.incidents.load(procedures=read_procedures(SHIPPED))
        events = await _events(center, count)
        late, called = await _open(center, events)
        await _settled(center, count)
        promised, handed = await _taken(center)
    finally:
        await center.close()
    return [
        _row("opened late by", late),
        _row("call to open an incident", called),
        _row("opening to notice promised on disk", promised),
        _row("opening to first message handed to a channel", handed),
    ]


async def _events(center: Center, count: int) -> Sequence[str]:
    """Signed fires of one camera, taken in as from a box."""
    key = SigningKey.generate()
    token = SecretStr("bench-token-of-the-box")
    await center.edges.enrol(EnrolRequest(edge_id=BOX, token=token, public_key=key.public.raw.hex()))
    known = await center.edges.key(key.public.key_id)
    if known is None:
        raise RuntimeError("the box did not enrol")
    camera = CameraReport(id=CAMERA, name="Camera thử", area=AREA, covers=("fire",))
    health = (CameraHealth(id=CAMERA, status="online", since=now(), fps=5.0),)
    await center.registry.report(StatusReport(edge_id=BOX, sent_at=now(), cameras=(camera,), health=health), known)
    made = [_event(number) for number in range(count)]
    for first in range(0, count, 100):
        raws = [event.canonical() for event in made[first : first + 100]]
        header = sign_batch(raws, key, edge_id=BOX, incarnation="b", signed_at=now())
        await center.intake.receive(encode_batch(header, raws, {}))
    return [str(event.id) for event in made]


def _event(number: int) -> Event:
    at = now() - timedelta(seconds=number)
    data = EventData(
        camera_id=CAMERA,
        area=AREA,
        start=at,
        end=at + timedelta(seconds=3),
        severity=Severity.CRITICAL,
        caption=Caption(vi="Có lửa", en="Fire"),
        rule=Rule(name="fire", parameters={}),
    )
    source = source_urn(BOX, CAMERA)
    return Event(id=new_event_id(unix_ms(at)), source=source, type="vn.matpho.fire", time=at, data=data)


async def _open(center: Center, events: Sequence[str]) -> tuple[list[float], list[float]]:
    """Open one incident an event at its time; how late each was asked for and how long each call took, ms."""
    late, called = list[float](), list[float]()
    start = time.perf_counter()

    async def one(number: int, event: str) -> None:
        planned = start + number / RATE
        await asyncio.sleep(max(0.0, planned - time.perf_counter()))
        began = time.perf_counter()
        late.append((began - planned) * 1000)
        await center.incidents.open(OFFICER, [event], at=now())
        called.append((time.perf_counter() - began) * 1000)

    await asyncio.gather(*(one(number, event) for number, event in enumerate(events)))
    return late, called


async def _settled(center: Center, count: int) -> None:
    """Wait until every incident has a message handed over; raises TimeoutError."""
    async with asyncio.timeout(_SETTLE_S):
        while len((await _taken(center))[1]) < count:  # noqa: ASYNC110 - what is waited for happens in the database
            await asyncio.sleep(0.5)


async def _taken(center: Center) -> tuple[list[float], list[float]]:
    """Of each incident: from its opening to its first notice, and to its first message, ms."""
    opened = incidents.c.opened_ms
    first = select(opened, func.min(notices.c.promised_ms).label("at")).group_by(incidents.c.incident_id, opened)
    join = notices.join(incidents, incidents.c.incident_id == notices.c.subject)
    sent = select(opened, func.min(notice_messages.c.sent_ms).label("at")).group_by(incidents.c.incident_id, opened)
    longer = join.join(notice_contents, notice_contents.c.notice_id == notices.c.notice_id).join(
        notice_messages, notice_messages.c.message_id == notice_contents.c.message_id
    )
    async with center.store.reading() as session:
        promised = await session.all(first.select_from(join))
        handed = await session.all(sent.select_from(longer).where(notice_messages.c.sent_ms.is_not(None)))
    return _gaps(promised), _gaps(handed)


def _gaps(rows: Sequence[RowMapping]) -> list[float]:
    return [float(row["at"] - row["opened_ms"]) for row in rows]


def _row(case: str, taken: Sequence[float]) -> dict[str, Any]:
    middle, high, top = np.percentile(taken, [50, 95, 99])
    return {"case": case, "n": len(taken), "p50_ms": round(middle), "p95_ms": round(high), "p99_ms": round(top)}
