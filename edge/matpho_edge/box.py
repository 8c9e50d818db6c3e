"""A whole box: cameras found and read, pipelines, recorder, outbox and uplink, from one settings file."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import structlog

from matpho_contracts.edge_api import StatusReport
from matpho_contracts.errors import ConfigurationError, MatphoError
from matpho_contracts.signing import SigningKey
from matpho_contracts.times import now
from matpho_edge.box_camera import BoxCamera
from matpho_edge.box_commands import BoxCommands
from matpho_edge.box_finding import CameraFinder
from matpho_edge.compose import Place
from matpho_edge.detect import load_detector
from matpho_edge.outbox import Outbox
from matpho_edge.pipeline import CameraPipeline
from matpho_edge.pipeline_analyst import Analyst, AnalystOptions
from matpho_edge.pipeline_turns import Turns
from matpho_edge.recorder import Recorder, RingLimits
from matpho_edge.settings import CameraSettings, EdgeSettings
from matpho_edge.uplink import Pace, Uplink
from matpho_edge.uplink_link import CenterLink

if TYPE_CHECKING:
    from matpho_edge.detect import Detector
    from matpho_embeddings.encoder import Encoder

SOFTWARE = "matpho-edge"
TICK_S = 1.0
FIGURES_EVERY_S = 10.0

_log = structlog.get_logger(__name__)


class EdgeBox:
    """Runs until cancelled and stops cleanly. Files live under `settings.data_dir`: key, outbox, recordings."""

    def __init__(
        self, settings: EdgeSettings, *, detector: Detector | None = None, encoder: Encoder | None = None
    ) -> None:
        """`detector` and `encoder` stand in for those of the settings, where a process shares them."""
        self.settings = settings
        self.started = asyncio.Event()
        """Set when every part runs (cameras may still be looked for)."""
        self.cameras: dict[str, BoxCamera] = {}
        self.uplink: Uplink | None = None
        self._detector, self._encoder = detector, encoder
        self._outbox: Outbox | None = None
        self._recorder: Recorder | None = None
        self._waiting = 0
        self._recorded = 0

    async def run(self) -> None:
        """Start everything in order, run, and undo it in the opposite order.

        Raises ConfigurationError, StorageFullError and the like before anything runs; then only cancelling ends it.
        """
        async with AsyncExitStack() as stack:
            key = await asyncio.to_thread(SigningKey.load_or_create, self.key_file)  # 1 who we are
            outbox = await self._open_outbox(stack)  # 2 where events go
            await self._load_models()  # 3 what sees
            recorder = await self._open_recorder(stack)  # 4 what remembers
            turns = Turns(self.settings.workers)
            stack.push_async_callback(asyncio.to_thread, turns.close)
            finder = CameraFinder(self.settings)
            for camera in self.settings.cameras:  # 5 the cameras
                self.cameras[camera.id] = self._camera(camera, finder, outbox, turns, recorder)
            handler = BoxCommands(self.cameras, finder, recorder, self.settings.data_dir / "clips")
            link = await self._open_uplink(stack, key, outbox, handler)  # 6 the center
            await self._run_all(link)

    @property
    def key_file(self) -> Path:
        """The box's private key."""
        return self.settings.data_dir / "box.pem"

    def status(self) -> StatusReport:
        """The heartbeat."""
        return StatusReport(
            edge_id=self.settings.edge_id,
            sent_at=now(),
            cameras=tuple(camera.report() for camera in self.cameras.values()),
            health=tuple(camera.health() for camera in self.cameras.values()),
            outbox_waiting=self._waiting,
            recorder_bytes=self._recorded,
            disk_free_bytes=shutil.disk_usage(self.settings.data_dir).free,
            software=SOFTWARE,
        )

    async def _open_outbox(self, stack: AsyncExitStack) -> Outbox:
        path = self.settings.data_dir / "outbox.db"
        outbox = await asyncio.to_thread(Outbox.open, path, limit_bytes=self.settings.outbox_bytes)
        stack.push_async_callback(asyncio.to_thread, outbox.close)
        self._outbox = outbox
        return outbox

    async def _load_models(self) -> None:
        models = self.settings.models
        # One look runs on one thread; OpenCV's own pool would fight it for the cores.
        cv2.setNumThreads(1)
        if self._detector is None:
            self._detector = await asyncio.to_thread(
                lambda: load_detector(
                    models.detector,
                    backend=models.backend,
                    threads=models.threads,
                    conf=models.confidence,
                    iou=models.overlap,
                    classes_map=models.classes,
                    precision=models.precision,
                )
            )
        if self._encoder is None and models.encoder is not None:
            from matpho_embeddings.models import load_encoder

            name = models.encoder
            self._encoder = await asyncio.to_thread(
                lambda: load_encoder(name, backend=models.backend, threads=models.threads)
            )

    async def _open_recorder(self, stack: AsyncExitStack) -> Recorder | None:
        chosen = self.settings.recorder
        if not chosen.enabled:
            return None
        limits = RingLimits(
            max_bytes=chosen.max_bytes,
            max_hours=chosen.max_hours,
            min_free_bytes=chosen.min_free_bytes,
            segment_seconds=chosen.segment_seconds,
        )
        recorder = await asyncio.to_thread(Recorder, self.settings.data_dir / "recordings", limits)
        stack.push_async_callback(asyncio.to_thread, recorder.close)
        self._recorder = recorder
        return recorder

    def _camera(
        self, camera: CameraSettings, finder: CameraFinder, outbox: Outbox, turns: Turns, recorder: Recorder | None
    ) -> BoxCamera:
        if self._detector is None:
            raise ConfigurationError("The box has no detector.")
        area = camera.area or self.settings.area
        rules = camera.rules or self.settings.rules
        place = Place(
            self.settings.edge_id, camera.id, area, camera.name, camera.location, camera_name_en=camera.name_en
        )
        options = AnalystOptions(zones=camera.zones, rules=rules)
        analyst = Analyst(place, self._detector, outbox, encoder=self._encoder, options=options)
        pipeline = CameraPipeline(analyst, turns, offline=rules.camera_offline)
        sink = recorder.sink(camera.id) if recorder is not None and camera.records else None
        return BoxCamera(camera, area, pipeline, finder, fps=camera.fps or self.settings.fps, sink=sink)

    async def _open_uplink(
        self, stack: AsyncExitStack, key: SigningKey, outbox: Outbox, handler: BoxCommands
    ) -> Uplink | None:
        center = self.settings.center
        if center is None:
            return None
        link = CenterLink(
            center.url,
            edge_id=self.settings.edge_id,
            key=key,
            ca_file=center.ca_file,
            client_certificate=center.client_certificate,
        )
        stack.push_async_callback(link.close)
        self.uplink = Uplink(
            link,
            outbox,
            key,
            status=self.status,
            handler=handler,
            enrol_token=center.enrol_token,
            pace=Pace(heartbeat_s=center.heartbeat_s),
        )
        return self.uplink

    async def _run_all(self, uplink: Uplink | None) -> None:
        async with asyncio.TaskGroup() as group:
            for camera in self.cameras.values():
                group.create_task(camera.run(), name=f"camera-{camera.settings.id}")
            group.create_task(self._tick(), name="tick")
            group.create_task(self._figures(), name="figures")
            if uplink is not None:
                group.create_task(uplink.run(), name="uplink")
            self.started.set()
            _log.info("box runs", edge=self.settings.edge_id, cameras=len(self.cameras))

    async def _tick(self) -> None:
        """Ask every camera whether it is still there, once a second."""
        while True:
            await asyncio.sleep(TICK_S)
            for camera in self.cameras.values():
                await camera.tick()

    async def _figures(self) -> None:
        """Count what waits and what is recorded, off the event loop; the heartbeat tells the latest figures."""
        while True:
            try:
                await asyncio.to_thread(self._count)
            except MatphoError as error:
                _log.warning("figures not read", error=str(error)[:200])
            await asyncio.sleep(FIGURES_EVERY_S if self._waiting == 0 else 1.0)

    def _count(self) -> None:
        if self._outbox is not None:
            self._waiting = self._outbox.waiting()
        if self._recorder is not None:
            self._recorded = self._recorder.status.bytes
