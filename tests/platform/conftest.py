"""What the center's tests share: databases, a signing box, events as a box makes them."""

from __future__ import annotations

import asyncio
import io
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr
from sqlalchemy import create_engine, make_url, text

from matpho_contracts.edge_api import CameraHealth, CameraReport, EnrolRequest, StatusReport
from matpho_contracts.events import Caption, Event, EventData, Evidence, Plate, Rule, SeenObject, source_urn
from matpho_contracts.geometry import Box, Location
from matpho_contracts.ids import new_event_id
from matpho_contracts.signing import SigningKey, sign_batch
from matpho_contracts.times import now, unix_ms
from matpho_contracts.vocabulary import Colour, EventType, Severity
from matpho_contracts.wire import encode_batch
from matpho_platform.cameras.areas import Area
from matpho_platform.cameras.edges import EdgeEntry
from matpho_platform.center import Center, open_center
from matpho_platform.settings import CenterSettings
from matpho_platform.store import open_store

POSTGRES = "MATPHO_TEST_POSTGRES_URL"
"""A server where the tests may make and drop databases, as postgresql+psycopg://user:password@host/database."""
NOON = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
"""12:00 in Hanoi."""
AREAS = (
    Area(code="tp-ha-noi", name="Thành phố Hà Nội", level="province"),
    Area(code="p-hoan-kiem", name="Phường Hoàn Kiếm", parent="tp-ha-noi", aliases=("Hồ Gươm",)),
    Area(code="p-ba-dinh", name="Phường Ba Đình", parent="tp-ha-noi"),
)
TOKEN = "one-time-token-of-box-1"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """None for SQLite in the data folder, or the URL of a fresh PostgreSQL database with every migration done."""
    if request.param == "sqlite":
        yield None
        return
    if not os.environ.get(POSTGRES):
        pytest.skip(f"{POSTGRES} is not set")
    name = _create_database(request.getfixturevalue("template"))
    yield _database_url(name)
    _drop_database(name)


@pytest.fixture(scope="session")
def template() -> Iterator[str]:
    """A PostgreSQL database with every migration done: a copy of it spares each test the migrations."""
    name = _create_database("template1")

    async def migrate() -> None:
        await (await open_store(_database_url(name))).close()

    asyncio.run(migrate())
    yield name
    _drop_database(name)


def _database_url(name: str) -> str:
    return make_url(os.environ[POSTGRES]).set(database=name).render_as_string(hide_password=False)


def _create_database(template: str) -> str:
    name = f"matpho_test_{secrets.token_hex(6)}"
    _on_server(f"CREATE DATABASE {name} TEMPLATE {template}")
    return name


def _drop_database(name: str) -> None:
    _on_server(f"DROP DATABASE {name} WITH (FORCE)")


def _on_server(statement: str) -> None:
    engine = create_engine(os.environ[POSTGRES], isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database with every migration done: copying it spares each test the migrations."""
    path = tmp_path_factory.mktemp("migrated") / "center.db"

    async def make() -> None:
        await (await open_store(path)).close()

    asyncio.run(make())
    return path


@pytest.fixture
def settings(tmp_path: Path, database: str | None, migrated: Path) -> CenterSettings:
    (tmp_path / "center").mkdir()
    shutil.copy(migrated, tmp_path / "center" / "center.db")
    return CenterSettings(
        data=tmp_path / "center",
        database_url=SecretStr(database) if database else None,
        areas=AREAS,
        edges=(
            EdgeEntry(id="box-1", token=SecretStr(TOKEN), areas=("tp-ha-noi",)),
            EdgeEntry(id="box-2", token=SecretStr("token-of-box-2"), areas=("p-ba-dinh",)),
        ),
    )


@pytest.fixture
async def center(settings: CenterSettings) -> AsyncIterator[Center]:
    opened = await open_center(settings)
    yield opened
    await opened.close()


@dataclass
class EdgeBox:
    """A box as the center meets it: a key, cameras, signed batches."""

    edge_id: str = "box-1"
    key: SigningKey = field(default_factory=SigningKey.generate)
    cameras: tuple[CameraReport, ...] = (
        CameraReport(id="cam-1", name="Cổng trường Trần Phú", area="p-hoan-kiem", covers=("crowd",)),
        CameraReport(id="cam-2", name="Bờ sông Hồng", area="p-ba-dinh", kind="ptz", owner="police", presets=("home",)),
    )

    async def enrol(self, center: Center, token: str = TOKEN) -> EdgeBox:
        request = EnrolRequest(edge_id=self.edge_id, token=SecretStr(token), public_key=self.key.public.raw.hex())
        await center.edges.enrol(request)
        return self

    def status(self, status: str = "online") -> StatusReport:
        health = tuple(CameraHealth(id=c.id, status=status, since=NOON, fps=5.0) for c in self.cameras)  # type: ignore[arg-type]  # the test's own words
        return StatusReport(edge_id=self.edge_id, sent_at=now(), cameras=self.cameras, health=health, outbox_waiting=3)

    async def report(self, center: Center) -> EdgeBox:
        key = await center.edges.key(self.key.public.key_id)
        assert key is not None
        await center.registry.report(self.status(), key)
        return self

    def batch(self, events: Sequence[Event | bytes], stills: Sequence[bytes] = ()) -> bytes:
        raws = [event if isinstance(event, bytes) else event.canonical() for event in events]
        header = sign_batch(raws, self.key, edge_id=self.edge_id, incarnation="i1", signed_at=now())
        return encode_batch(header, raws, {_sha256(jpeg): jpeg for jpeg in stills})

    def event(self, **changes: Any) -> Event:
        return make_event(edge_id=self.edge_id, **changes)


def _sha256(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()


def make_event(
    *,
    edge_id: str = "box-1",
    camera_id: str = "cam-1",
    area: str = "p-hoan-kiem",
    kind: EventType = EventType.CROWD,
    time: datetime = NOON,
    objects: Sequence[tuple[str, Colour | None]] = (("person", None),),
    plate: str | None = None,
    severity: Severity = Severity.MEDIUM,
    count: int = 0,
    still: bytes | None = None,
    location: Location | None = None,
    caption: str = "Đông người trước cổng trường",
    source: str | None = None,
) -> Event:
    seen = tuple(
        SeenObject(
            label=label,
            colour=colour,
            confidence=0.9,
            track_id=number,
            box=Box(x1=0.1, y1=0.1, x2=0.3, y2=0.6),
            first_seen=time,
            last_seen=time + timedelta(seconds=4),
            plate=Plate.read(plate, 0.8) if plate and number == 0 else None,
        )
        for number, (label, colour) in enumerate(objects)
    )
    data = EventData(
        camera_id=camera_id,
        area=area,
        start=time,
        end=time + timedelta(seconds=5),
        severity=severity,
        objects=seen,
        object_count=count or len(seen),
        location=location,
        caption=Caption(vi=caption, en="Many people at the school gate"),
        evidence=Evidence(thumbnail_sha256=_sha256(still) if still else None),
        rule=Rule(name="crowd", parameters={"at_least": 5}),
    )
    return Event(
        id=new_event_id(unix_ms(time)),
        source=source or source_urn(edge_id, camera_id),
        type=f"vn.matpho.{kind.value}",
        time=time,
        data=data,
    )


@pytest.fixture
async def box(center: Center) -> EdgeBox:
    """An enrolled box that has reported."""
    return await (await EdgeBox().enrol(center)).report(center)


@pytest.fixture
def new_box() -> Callable[..., EdgeBox]:
    return EdgeBox


@pytest.fixture
def make() -> Callable[..., Event]:
    return make_event


@pytest.fixture
def jpeg() -> bytes:
    import cv2

    picture = np.random.default_rng(7).integers(0, 255, (90, 160, 3), dtype=np.uint8)
    return bytes(cv2.imencode(".jpg", picture)[1])


@pytest.fixture
def mp4() -> bytes:
    """Two seconds of H.264 in an MP4."""
    import av

    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for number in range(20):
            frame = av.VideoFrame.from_ndarray(np.full((96, 160, 3), number * 10, dtype=np.uint8), format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return target.getvalue()
