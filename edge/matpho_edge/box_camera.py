"""One camera's life in a box: found, read, judged, recorded; lost and found again, for as long as the box runs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import cv2
import numpy as np
import structlog
from numpy.typing import NDArray

from matpho_contracts.edge_api import MAX_SNAPSHOT_BYTES, CameraHealth, CameraReport
from matpho_contracts.errors import MatphoError, UnavailableError
from matpho_contracts.times import now
from matpho_contracts.vocabulary import EventType
from matpho_edge.box_finding import CameraFinder, FoundCamera
from matpho_edge.health import HealthKeeper
from matpho_edge.pipeline import CameraPipeline
from matpho_edge.pipeline_masks import Masks
from matpho_edge.settings import CameraSettings
from matpho_edge.streams import open_source
from matpho_edge.uplink_backoff import Backoff

if TYPE_CHECKING:
    from matpho_edge.streams.files import FileSource
    from matpho_edge.streams.live import LiveSource
    from matpho_edge.streams.packets import PacketSink

LOST_AFTER_S = 30.0
"""A camera found by discovery that has been silent this long may have another address by now."""
SNAPSHOT_AGE_S = 10.0
"""A snapshot older than this is not of now."""
LONGEST_SEARCH_WAIT_S = 30.0
_WATCH_S = 1.0
_QUALITIES = (92, 80, 60)

_log = structlog.get_logger(__name__)


class BoxCamera:
    """Runs until cancelled; whatever the camera does is a state and never the end."""

    def __init__(
        self,
        settings: CameraSettings,
        area: str,
        pipeline: CameraPipeline,
        finder: CameraFinder,
        *,
        fps: float,
        sink: PacketSink | None,
    ) -> None:
        self.settings, self.area, self.pipeline = settings, area, pipeline
        self.found: FoundCamera | None = None
        self._finder, self._fps, self._sink = finder, fps, sink
        self._source: LiveSource | FileSource | None = None
        self._masks = Masks(settings.zones)
        self._health = HealthKeeper(settings.id)
        self._reason = "đang tìm camera (looking for the camera)"

    async def run(self) -> None:
        """Find, read, and find again."""
        backoff = Backoff(1.0, LONGEST_SEARCH_WAIT_S)
        while True:
            try:
                self.found = await self._finder.find(self.settings)
                if await self._read(self.found):
                    self._reason = "đã đọc hết (read to the end)"
                    return
                backoff.reset()
            except MatphoError as error:
                if str(error) != self._reason:
                    _log.warning("camera not read", camera=self.settings.id, error=str(error)[:300])
                self._reason = str(error)
            await asyncio.sleep(backoff.next())

    async def tick(self) -> None:
        """Judge silence; call it every second."""
        await self.pipeline.tick()

    async def _read(self, found: FoundCamera) -> bool:
        """Read until the source ends (True) or is lost for so long that it must be looked for again (False)."""
        source = open_source(
            found.address,
            camera_id=self.settings.id,
            fps=self._fps,
            credentials=self._finder.credentials(self.settings),
            sink=self._sink,
        )
        self._source = source
        reading = asyncio.create_task(self.pipeline.run(source))
        try:
            while not reading.done():
                await asyncio.wait([reading], timeout=_WATCH_S)
                if found.by_discovery and self._is_lost(source):
                    return False
            await reading
            return True
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            self._source = None
            await source.close()

    def _is_lost(self, source: LiveSource | FileSource) -> bool:
        status = source.status
        away = status.since is not None and (now() - status.since).total_seconds() > LOST_AFTER_S
        return status.status == "offline" and away

    async def snapshot(self) -> bytes:
        """A JPEG of now with masked zones black; UnavailableError when no fresh picture is there."""
        frame = getattr(self._source, "latest", None)
        arrival = self.pipeline.stats.last_arrival
        fresh = arrival is not None and (now() - arrival).total_seconds() <= SNAPSHOT_AGE_S
        if frame is None or not fresh:
            raise UnavailableError(f"Camera {self.settings.id} shows no picture now.", action="Try again later.")
        return await asyncio.to_thread(lambda: _jpeg(self._masks.apply(frame.bgr())))

    def report(self) -> CameraReport:
        """The camera as the center lists it."""
        found = self.found
        turns = self.settings.kind == "ptz" or (found is not None and found.has_ptz)
        return CameraReport(
            id=self.settings.id,
            name=self.settings.name,
            area=self.area,
            kind="ptz" if turns else "fixed",
            owner=self.settings.owner,
            location=self.settings.location,
            aliases=self.settings.aliases,
            presets=(found.presets if found is not None else self.settings.presets)[:100],
            covers=tuple(str(one) for one in (*self.pipeline.analyst.covers, EventType.CAMERA_OFFLINE)),
        )

    def health(self) -> CameraHealth:
        """How the camera is."""
        status = None if self._source is None else self._source.status
        stats = self.pipeline.stats
        return self._health.report(
            source="offline" if status is None else status.status,
            reason=self._reason if status is None else status.reason,
            quality=self.pipeline.analyst.quality,
            fps=0.0 if status is None else status.fps,
            last_frame_at=stats.last_frame_at,
        )


def _jpeg(picture: NDArray[np.uint8]) -> bytes:
    for quality in _QUALITIES:
        done, encoded = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, quality))
        if done and encoded.nbytes <= MAX_SNAPSHOT_BYTES:
            return encoded.tobytes()
    raise UnavailableError("The camera's picture is too large to be sent.")
