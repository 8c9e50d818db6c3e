"""Procedures of format 2, people and incidents that the tests of following share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from matpho_platform.access.principal import Principal, Role
from matpho_platform.center import Center
from matpho_platform.store.tables import incident_timeline, notices

OFFICER = Principal("off-1", "Đại úy Hằng", Role.OFFICER, ("p-hoan-kiem",))
FIRE: dict[str, Any] = {
    "format": 2,
    "id": "QT-CHAY",
    "title": "Xử lý cháy",
    "event_types": ["crowd"],
    "priority": "critical",
    "steps": [
        {
            "id": "xac-minh",
            "name": "Xác minh qua hình ảnh",
            "kind": "question",
            "question": "Có cháy thật không?",
            "answers": [
                {"name": "có", "name_en": "yes", "steps": ["dieu-xe", "bao-chi-huy"]},
                {"name": "không", "name_en": "no", "steps": ["ghi-nhan"]},
            ],
            "within": {"critical": "1m", "low": "10m"},
            "forced": True,
        },
        {"id": "dieu-xe", "name": "Điều xe chữa cháy", "kind": "dispatch", "units": ["fire"], "within": "3m"},
        {"id": "bao-chi-huy", "name": "Báo chỉ huy", "kind": "notify", "tell": ["commander"], "after": ["xac-minh"]},
        {"id": "ghi-nhan", "name": "Ghi nhận báo giả", "within": "30m"},
        {"id": "cho-nguoi", "name": "Chờ nguội", "kind": "wait", "wait": "10m"},
        {"id": "bao-cao", "name": "Báo cáo kết quả", "within": "1h"},
    ],
}
UNITS = [
    {"id": "DV-CC", "name": "Phòng Cảnh sát PCCC", "area": "tp-ha-noi", "kind": "fire"},
    {"id": "DV-CA", "name": "Công an phường", "area": "p-hoan-kiem", "kind": "police"},
]


@pytest.fixture
def started(center: Center, box: Any) -> Callable[..., Awaitable[str]]:
    """Open an incident of a fresh event by the procedure of the fire; returns its id."""

    async def start(at: datetime, **more: Any) -> str:
        await center.incidents.load(procedures=[FIRE], units=UNITS)
        event = box.event()
        await center.intake.receive(box.batch([event]))
        done = await center.incidents.open(OFFICER, [event.id], at=at, **more)
        return done.incident.id

    return start


async def entries(center: Center, incident_id: str, *actions: str) -> list[dict[str, Any]]:
    """The timeline of an incident as rows, of some actions only."""
    query = select(incident_timeline).where(incident_timeline.c.incident_id == incident_id)
    async with center.store.reading() as session:
        rows = await session.all(query.order_by(incident_timeline.c.entry_id))
    return [dict(row) for row in rows if not actions or row["action"] in actions]


async def promised(center: Center, incident_id: str) -> list[str]:
    """The keys of the notices about an incident, in order, without the run."""
    async with center.store.reading() as session:
        rows = await session.all(select(notices.c.key).where(notices.c.subject == incident_id).order_by(notices.c.key))
    return [row["key"].split(":", 2)[2] for row in rows]
