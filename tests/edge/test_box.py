"""A whole box between real servers on loopback: a simulated ONVIF/RTSP camera on one side, a center on the other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from aiohttp import web
from numpy.typing import NDArray

from matpho_contracts.edge_api import (
    BATCHES_PATH,
    ENROL_PATH,
    ClipArguments,
    Command,
    CommandFailure,
    CommandList,
    EnrolAnswer,
    EnrolRequest,
    EventResult,
    IntakeAnswer,
    MoveArguments,
    SnapshotArguments,
    StatusReport,
)
from matpho_contracts.errors import ConfigurationError
from matpho_contracts.events import Event, parse_event
from matpho_contracts.ids import new_event_id
from matpho_contracts.request_signing import verify_request
from matpho_contracts.settings import load_settings
from matpho_contracts.signing import PublicKey, verify_batch
from matpho_contracts.vocabulary import EventType
from matpho_contracts.wire import MAX_BODY_BYTES, decode_batch
from matpho_edge.box import EdgeBox
from matpho_edge.box_finding import fits
from matpho_edge.detections import Detections
from matpho_edge.discovery import FoundDevice
from matpho_edge.outbox import Outbox
from matpho_edge.settings import CameraMatch, EdgeSettings
from matpho_simcity.camera import CameraIdentity, DiscoveryResponder, SimulatedCamera
from matpho_simcity.video import PtzPosition

Picture = NDArray[np.uint8]
PASSWORD = "not-for-logs"


class Street:
    """A ghost driver every six seconds, filmed by a camera that turns."""

    size, frames_per_second, has_ptz = (320, 180), 10.0, True

    def __init__(self) -> None:
        self.position = PtzPosition()

    def frame(self, seconds: float, position: PtzPosition) -> Picture:
        self.position = position
        picture = np.full((180, 320, 3), 100, np.uint8)
        picture[:60] = 150
        left = int((0.85 - 0.14 * (seconds % 6)) * 320) - 25
        cv2.rectangle(picture, (left, 100), (left + 50, 130), (30, 30, 210), -1)
        return picture


class PaintDetector:
    """Finds cars as regions of coloured paint."""

    name, labels = "paint", ("car",)

    def detect(self, images: Sequence[Picture]) -> list[Detections]:
        return [self._one(image) for image in images]

    def _one(self, image: Picture) -> Detections:
        spread = image.max(axis=2).astype(int) - image.min(axis=2)
        contours, _ = cv2.findContours((spread > 70).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        boxes = [cv2.boundingRect(c) for c in contours if cv2.contourArea(c) > 100]
        height, width = image.shape[:2]
        corners = [(x / width, y / height, (x + w) / width, (y + h) / height) for x, y, w, h in boxes]
        scores = np.full(len(boxes), 0.9, np.float32)
        return Detections(np.array(corners, np.float32).reshape(-1, 4), ("car",) * len(boxes), scores)


class Center:
    """Takes batches, reports and answers, every one with its signature checked; gives commands out."""

    def __init__(self) -> None:
        self.keys: dict[str, PublicKey] = {}
        self.events: list[Event] = []
        self.reports: list[StatusReport] = []
        self.commands: list[Command] = []
        self.results: dict[str, tuple[str, bytes]] = {}
        self.url = ""

    def app(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_post(ENROL_PATH, self.enrol)
        app.router.add_post(BATCHES_PATH, self.intake)
        app.router.add_put("/api/v1/edges/{edge}/status", self.status)
        app.router.add_get("/api/v1/edges/{edge}/commands", self.ask)
        app.router.add_post("/api/v1/edges/{edge}/results/{command}", self.result)
        return app

    async def enrol(self, request: web.Request) -> web.Response:
        asked = EnrolRequest.model_validate_json(await request.read())
        key = PublicKey.from_hex(asked.public_key)
        self.keys[key.key_id] = key
        return web.Response(body=EnrolAnswer(edge_id=asked.edge_id, key_id=key.key_id).model_dump_json())

    async def intake(self, request: web.Request) -> web.Response:
        batch = decode_batch(await request.read())
        verify_batch(batch.events, batch.header, self.keys[batch.header.key_id])
        found = [parse_event(raw) for raw in batch.events]
        self.events += found
        results = tuple(EventResult(id=event.id, status="stored") for event in found)
        return web.Response(body=IntakeAnswer(results=results).model_dump_json())

    async def verify(self, request: web.Request) -> bytes:
        body = await request.read()
        verify_request(request.method, request.path_qs, request.headers, body, self.keys.get)
        return body

    async def status(self, request: web.Request) -> web.Response:
        self.reports.append(StatusReport.model_validate_json(await self.verify(request)))
        return web.Response(status=204)

    async def ask(self, request: web.Request) -> web.Response:
        await self.verify(request)
        for _ in range(20):
            if self.commands:
                break
            await asyncio.sleep(0.05)
        found, self.commands = CommandList(commands=tuple(self.commands)), []
        return web.Response(body=found.model_dump_json())

    async def result(self, request: web.Request) -> web.Response:
        body = await self.verify(request)
        self.results[request.match_info["command"]] = (request.content_type, body)
        return web.Response(status=204)


@pytest.fixture
async def center() -> AsyncIterator[Center]:
    made = Center()
    runner = web.AppRunner(made.app())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = "http://{}:{}".format(*runner.addresses[0][:2])
    yield made
    await runner.cleanup()


def camera_of(street: Street, password: str = PASSWORD) -> SimulatedCamera:
    return SimulatedCamera(street, CameraIdentity("S-1", "Ngã tư"), username="admin", password=password)


def settings(folder: Path, camera: dict[str, Any], center: Center | None, **more: Any) -> EdgeSettings:
    lane = {"name": "lane", "kind": "carriageway", "polygon": [(0, 0.4), (1, 0.4), (1, 1), (0, 1)], "direction": (1, 0)}
    return EdgeSettings.model_validate(
        {
            "edge_id": "box-1",
            "area": "kim-ma",
            "data_dir": folder,
            "center": None if center is None else {"url": center.url, "enrol_token": "t", "heartbeat_s": 0.3},
            "account": {"username": "admin", "password": PASSWORD},
            "cameras": [{"id": "cam-1", "name": "Ngã tư Kim Mã", "zones": [lane], **camera}],
            "models": {"encoder": None},
            "recorder": {"segment_seconds": 1, "min_free_bytes": 0},
            **more,
        }
    )


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    for _ in range(int(seconds * 20)):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not happen in time")


def command(arguments: SnapshotArguments | ClipArguments | MoveArguments, camera: str = "cam-1") -> Command:
    deadline = datetime.now(UTC) + timedelta(seconds=60)
    return Command(id=new_event_id(), camera_id=camera, deadline=deadline, arguments=arguments)


async def stop(running: asyncio.Task[None]) -> None:
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


class TestWholeBox:
    async def test_from_a_cameras_picture_to_the_center_and_back(self, tmp_path: Path, center: Center) -> None:
        street = Street()
        async with camera_of(street) as device:
            chosen = settings(tmp_path, {"onvif": f"127.0.0.1:{device.ports.http}"}, center)
            box = EdgeBox(chosen, detector=PaintDetector())
            running = asyncio.create_task(box.run())
            began = datetime.now(UTC)

            await until(lambda: any(event.event_type is EventType.WRONG_WAY for event in center.events))
            event = next(event for event in center.events if event.event_type is EventType.WRONG_WAY)
            assert event.source == "urn:matpho:edge:box-1:cam-1"
            assert str(event.data.objects[0].colour) == "red"
            assert abs((event.time - began).total_seconds()) < 60

            await until(lambda: bool(center.reports) and center.reports[-1].health[0].fps > 0)
            report = center.reports[-1]
            assert report.cameras[0].kind == "ptz"
            assert {"wrong_way", "camera_offline"} <= set(report.cameras[0].covers)
            assert "fire" not in report.cameras[0].covers
            assert report.health[0].status in ("online", "degraded")

            snapshot, move = command(SnapshotArguments()), command(MoveArguments(pan=20))
            clip = command(ClipArguments(start=datetime.now(UTC) - timedelta(seconds=2), end=datetime.now(UTC)))
            nobody = command(SnapshotArguments(), "cam-9")
            center.commands = [snapshot, clip, move, nobody]
            await until(lambda: len(center.results) == 4)
            kind, jpeg = center.results[snapshot.id]
            assert kind == "image/jpeg"
            assert cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape == (180, 320, 3)
            kind, film = center.results[clip.id]
            assert kind == "video/mp4", film
            (tmp_path / "clip.mp4").write_bytes(film)
            with av.open(str(tmp_path / "clip.mp4")) as opened:
                assert sum(1 for _ in opened.decode(video=0)) >= 5
            assert center.results[move.id][1] == b""
            await until(lambda: street.position.pan != 0)
            assert CommandFailure.model_validate_json(center.results[nobody.id][1]).code == "not_found"

            await stop(running)
        assert not [thread.name for thread in threading.enumerate() if thread.name.startswith(("camera-", "recorder"))]
        assert list((tmp_path / "clips").iterdir()) == []
        Outbox.open(tmp_path / "outbox.db").close()

    async def test_a_camera_is_found_by_its_name_and_the_box_needs_no_center(self, tmp_path: Path) -> None:
        async with camera_of(Street()) as device, DiscoveryResponder(port=0) as responder:
            responder.add(device)
            chosen = settings(
                tmp_path,
                {"match": {"name": "ngã tư", "serial": "S-1"}},
                None,
                discovery={"targets": [f"127.0.0.1:{responder.port}"], "multicast": False, "seconds": 1.0},
            )
            box = EdgeBox(chosen, detector=PaintDetector())
            running = asyncio.create_task(box.run())
            await until(lambda: "cam-1" in box.cameras and box.cameras["cam-1"].pipeline.analyst.counts.events > 0)
            assert box.cameras["cam-1"].health().status == "online"
            await stop(running)
        box_after = Outbox.open(tmp_path / "outbox.db")
        assert box_after.waiting() > 0
        box_after.close()

    async def test_a_wrong_password_is_told_and_shown_nowhere(self, tmp_path: Path, center: Center) -> None:
        async with camera_of(Street(), password="another") as device:
            chosen = settings(tmp_path, {"onvif": f"127.0.0.1:{device.ports.http}"}, center)
            running = asyncio.create_task(EdgeBox(chosen, detector=PaintDetector()).run())
            await until(lambda: bool(center.reports) and "password" in center.reports[-1].health[0].reason)
            assert center.reports[-1].health[0].status == "offline"
            assert not any(PASSWORD in report.model_dump_json() for report in center.reports)
            assert PASSWORD not in repr(chosen)
            await stop(running)

    async def test_a_masked_camera_is_not_recorded_and_its_snapshot_is_masked(
        self, tmp_path: Path, center: Center
    ) -> None:
        window = {"name": "window", "kind": "masked", "polygon": [(0, 0), (0.5, 0), (0.5, 0.3), (0, 0.3)]}
        async with camera_of(Street()) as device:
            chosen = settings(tmp_path, {"onvif": f"127.0.0.1:{device.ports.http}", "zones": [window]}, center)
            running = asyncio.create_task(EdgeBox(chosen, detector=PaintDetector()).run())
            await until(lambda: bool(center.reports) and center.reports[-1].health[0].status != "offline")
            start = datetime.now(UTC) - timedelta(seconds=2)
            snapshot, clip = command(SnapshotArguments()), command(ClipArguments(start=start, end=datetime.now(UTC)))
            center.commands = [snapshot, clip]
            await until(lambda: len(center.results) == 2)
            picture = cv2.imdecode(np.frombuffer(center.results[snapshot.id][1], np.uint8), cv2.IMREAD_COLOR)
            assert picture[:50, :150].max() < 30
            assert picture[:50, 170:].min() > 60
            assert CommandFailure.model_validate_json(center.results[clip.id][1]).code == "not_found"
            await stop(running)
        assert not list((tmp_path / "recordings").glob("*/*/*/*.mp4"))


class TestSettings:
    def write(self, folder: Path, text: str) -> Path:
        path = folder / "box.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    def test_a_file_as_people_write_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CAMERA_PASSWORD", "s3cret")
        path = self.write(
            tmp_path,
            """
            edge_id: box-1
            area: kim-ma
            data_dir: /var/lib/matpho
            center: {url: "https://center.example.vn", enrol_token: once}
            account: {username: admin, password: "${CAMERA_PASSWORD}"}
            rules: {illegal_parking: {min_seconds: 60}, crowd: {enabled: false}}
            cameras:
              - id: cam-1
                name: Ngã tư Kim Mã
                match: {serial: S-1}
                zones:
                  - {name: lane, kind: carriageway, polygon: [[0, 0.4], [1, 0.4], [1, 1]], direction: [2, 0]}
            """,
        )
        loaded = load_settings(path, EdgeSettings)
        assert loaded.account is not None
        assert loaded.account.password.get_secret_value() == "s3cret"
        assert "s3cret" not in repr(loaded)
        assert loaded.cameras[0].zones[0].direction == (1.0, 0.0)
        assert loaded.rules.illegal_parking.min_seconds == 60

    @pytest.mark.parametrize(
        ("change", "complaint"),
        [
            ("center: {url: 'http://10.1.2.3'}", "unencrypted"),
            ("cameras: [{id: a, name: A}]", "needs an address"),
            ("cameras: [{id: a, name: A, address: x}, {id: a, name: B, address: y}]", "same id"),
            ("cameras: [{id: a, name: A, match: {}}]", "give a serial"),
            ("discovery: {enabled: false}\ncameras: [{id: a, name: A, match: {name: x}}]", "discovery is off"),
            (
                "cameras: [{id: a, name: A, address: x, zones: [{name: z, kind: moat, polygon: [[0,0],[1,0],[1,1]]}]}]",
                "kind",
            ),
            ("fps: 1000", "fps"),
        ],
    )
    def test_what_cannot_be_is_named_with_its_line(self, tmp_path: Path, change: str, complaint: str) -> None:
        path = self.write(tmp_path, f"edge_id: box-1\narea: kim-ma\ndata_dir: /tmp/x\n{change}\n")
        with pytest.raises(ConfigurationError, match=r"line \d+") as caught:
            load_settings(path, EdgeSettings)
        assert complaint in str(caught.value)

    def test_a_bad_outbox_stops_the_start(self, tmp_path: Path) -> None:
        (tmp_path / "outbox.db").write_bytes(b"no database" * 500)
        chosen = settings(tmp_path, {"address": "rtsp://127.0.0.1:9/x"}, None)

        async def start() -> None:
            await EdgeBox(chosen, detector=PaintDetector()).run()

        with pytest.raises(ConfigurationError, match="outbox"):
            asyncio.run(start())


class TestMatching:
    DEVICE = FoundDevice("urn:uuid:1", ("http://10.0.0.5:8080/onvif",), name="Cổng Trường")

    @pytest.mark.parametrize(
        ("match", "expected"),
        [
            ({"name": "cổng trường"}, True),
            ({"endpoint": "URN:UUID:1"}, True),
            ({"host": "10.0.0.5"}, True),
            ({"host": "10.0.0.5:8080"}, True),
            ({"host": "10.0.0.5:80"}, False),
            ({"name": "cổng trường", "host": "10.0.0.6"}, False),
            ({"name": "cổng"}, False),
        ],
    )
    def test_what_is_given_must_hold(self, match: dict[str, str], expected: bool) -> None:
        assert fits(CameraMatch.model_validate(match), self.DEVICE) is expected
