"""A real center on SQLite with a small city: two wards, four cameras, a few signed events."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from pydantic import SecretStr

from matpho_contracts.edge_api import CameraHealth, CameraReport, EnrolRequest, StatusReport
from matpho_contracts.events import Caption, Event, EventData, Evidence, Plate, Rule, SeenObject, source_urn
from matpho_contracts.geometry import Box, Location
from matpho_contracts.ids import new_event_id
from matpho_contracts.signing import SigningKey, sign_batch
from matpho_contracts.times import now, unix_ms
from matpho_contracts.vocabulary import Colour, EventType, Severity
from matpho_contracts.wire import encode_batch
from matpho_platform.access.principal import Principal, Role
from matpho_platform.cameras.areas import Area
from matpho_platform.cameras.edges import EdgeEntry
from matpho_platform.center import Center, open_center
from matpho_platform.settings import CenterSettings
from matpho_tools.gateway import Gateway

NOON = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
"""12:00 local time."""
AREAS = (
    Area(code="DN", name="Thành phố Đà Nẵng", level="province", aliases=("Đà Nẵng",)),
    Area(code="DN-HC", name="Phường Hải Châu", parent="DN", aliases=("Hải Châu",)),
    Area(code="DN-ST", name="Phường Sơn Trà", parent="DN", aliases=("Sơn Trà",)),
)
CAMERAS = (
    CameraReport(id="HC-01", name="Chợ Cồn - cổng chính", area="DN-HC", kind="ptz", owner="police"),
    CameraReport(
        id="HC-02", name="Chợ Cồn - cổng sau", area="DN-HC", location=Location(lat=16.067, lon=108.214), owner="police"
    ),
    CameraReport(id="ST-01", name="Bán đảo Sơn Trà - Thọ Quang", area="DN-ST", owner="local_authority"),
)
TOKEN = "one-time-token-of-the-test-box"


def picture() -> bytes:
    noise = np.random.default_rng(7).integers(0, 255, (180, 320, 3), dtype=np.uint8)
    return bytes(cv2.imencode(".jpg", noise)[1])


def event(
    camera: CameraReport,
    kind: EventType,
    time: datetime,
    objects: tuple[tuple[str, Colour | None], ...],
    plate: str | None = None,
    still: bytes | None = None,
) -> Event:
    seen = tuple(
        SeenObject(
            label=label,
            colour=colour,
            confidence=0.9,
            track_id=number,
            box=Box(x1=0.1, y1=0.1, x2=0.4, y2=0.6),
            first_seen=time,
            last_seen=time + timedelta(seconds=3),
            plate=Plate.read(plate, 0.9) if plate and number == 0 else None,
        )
        for number, (label, colour) in enumerate(objects)
    )
    said = f"{kind.value} tại {camera.name}" + (f", biển số {plate}" if plate else "")
    return Event(
        id=new_event_id(unix_ms(time)),
        source=source_urn("box-1", camera.id),
        type=f"vn.matpho.{kind.value}",
        time=time,
        data=EventData(
            camera_id=camera.id,
            area=camera.area,
            start=time,
            end=time + timedelta(seconds=5),
            severity=Severity.MEDIUM,
            objects=seen,
            object_count=len(seen),
            location=camera.location,
            caption=Caption(vi=said, en=f"{kind.value} at {camera.name}"),
            evidence=Evidence(thumbnail_sha256=hashlib.sha256(still).hexdigest() if still else None),
            rule=Rule(name=kind.value),
        ),
    )


@pytest.fixture
def events() -> dict[str, Event]:
    """Events by a short name; `far` lies in the other ward."""
    gate, back, far = CAMERAS
    return {
        "dump": event(gate, EventType.ILLEGAL_DUMPING, NOON, (("truck", Colour.WHITE),), "43C-123.45"),
        "fight": event(back, EventType.FIGHT, NOON + timedelta(hours=8), (("person", None),), still=picture()),
        "far": event(far, EventType.FIGHT, NOON + timedelta(hours=9), (("person", None),)),
    }


@pytest.fixture
async def center(tmp_path: Path, events: dict[str, Event]) -> AsyncIterator[Center]:
    settings = CenterSettings(
        data=tmp_path / "center", areas=AREAS, edges=(EdgeEntry(id="box-1", token=SecretStr(TOKEN)),)
    )
    opened = await open_center(settings)
    key = SigningKey.generate()
    await opened.edges.enrol(EnrolRequest(edge_id="box-1", token=SecretStr(TOKEN), public_key=key.public.raw.hex()))
    health = tuple(CameraHealth(id=camera.id, status="online", since=NOON, fps=5.0) for camera in CAMERAS)
    report = StatusReport(edge_id="box-1", sent_at=now(), cameras=CAMERAS, health=health, outbox_waiting=0)
    registered = await opened.edges.key(key.public.key_id)
    assert registered is not None
    await opened.registry.report(report, registered)
    raws = [item.canonical() for item in events.values()]
    header = sign_batch(raws, key, edge_id="box-1", incarnation="i1", signed_at=now())
    still = picture()
    await opened.intake.receive(encode_batch(header, raws, {hashlib.sha256(still).hexdigest(): still}))
    yield opened
    await opened.close()


def film() -> bytes:
    """Two seconds of H.264 in an MP4."""
    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for number in range(20):
            frame = av.VideoFrame.from_ndarray(np.full((96, 160, 3), number * 10, dtype=np.uint8), format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return target.getvalue()


@pytest.fixture
async def box(center: Center) -> AsyncIterator[None]:
    """A box that answers what it is asked for, as long as the test runs."""

    async def serve() -> None:
        while True:
            for command in await center.commands.wait("box-1", 5.0):
                answer = picture() if command.arguments.kind == "snapshot" else film()
                center.commands.answer("box-1", command.id, answer)

    serving = asyncio.create_task(serve())
    yield
    serving.cancel()


@pytest.fixture
def gateway(center: Center) -> Gateway:
    return Gateway(center)


@pytest.fixture
def who() -> Callable[..., Principal]:
    """A principal of a role; field roles belong to Hải Châu unless told otherwise."""

    def make(role: Role, *areas: str) -> Principal:
        own = areas or (("DN-HC",) if role in {Role.OFFICER, Role.INVESTIGATOR} else ())
        return Principal(f"u-{role.value}", f"Người {role.value}", role, own, session_id="s1", mfa_at=now())

    return make
