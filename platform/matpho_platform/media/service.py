"""Snapshots and clips on demand from the edge, and stored stills; every call carries the caller's scope."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path

from matpho_contracts.edge_api import MAX_CLIP_SECONDS, ClipArguments, SnapshotArguments
from matpho_contracts.errors import UnavailableError
from matpho_contracts.times import from_unix_ms, now, unix_ms
from matpho_platform.access.principal import Scope
from matpho_platform.cameras.commands import CommandQueue
from matpho_platform.cameras.errors import EdgeSilentError
from matpho_platform.cameras.schemas import CameraStatus
from matpho_platform.cameras.service import CameraService
from matpho_platform.events.service import EventService
from matpho_platform.media.clips import ClipCache, clip_id
from matpho_platform.media.errors import ClipError, ClipNotFoundError
from matpho_platform.media.pictures import decode_jpeg
from matpho_platform.media.schemas import Clip, Still
from matpho_platform.media.videos import check_clip

SNAPSHOT_TIMEOUT_S = 15.0
CLIP_TIMEOUT_S = 60.0
CLIP_MARGIN = timedelta(seconds=5)
"""Shown before and after an event that names no clip range of its own."""
MP4 = "video/mp4"
_CLIP_ID = re.compile(r"[0-9a-f]{32}")


class MediaService:
    """Fetches pictures and clips through the command queue."""

    def __init__(
        self,
        cameras: CameraService,
        events: EventService,
        commands: CommandQueue,
        clips: ClipCache,
        *,
        snapshot_timeout_s: float = SNAPSHOT_TIMEOUT_S,
        clip_timeout_s: float = CLIP_TIMEOUT_S,
    ) -> None:
        self._cameras = cameras
        self._events = events
        self._commands = commands
        self._clips = clips
        self._snapshot_timeout_s = snapshot_timeout_s
        self._clip_timeout_s = clip_timeout_s
        self._fetching: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def snapshot(self, scope: Scope, camera_id: str) -> Still:
        """A still of now; raises CameraNotFoundError, EdgeSilentError (naming box and camera) or CommandFailedError."""
        status = await self._reachable(scope, camera_id)
        edge_id = status.edge.edge_id
        jpeg = await self._commands.ask(edge_id, camera_id, SnapshotArguments(), self._snapshot_timeout_s)
        await asyncio.to_thread(decode_jpeg, jpeg)
        return Still(jpeg, now())

    async def still(self, scope: Scope, event_id: str) -> Still:
        """The stored still of an event: what there is to see when the box is away."""
        jpeg = await self._events.still(scope, event_id)
        return Still(jpeg, (await self._events.get(scope, event_id)).event.time)

    async def clip(
        self,
        scope: Scope,
        *,
        event_id: str | None = None,
        camera_id: str | None = None,
        time_from: datetime | None = None,
        time_to: datetime | None = None,
        at: datetime | None = None,
    ) -> Clip:
        """The clip of an event, or of a camera's time range (at most ten minutes), from the cache or the box.

        `at` is the present of whoever asks, None the clock's.
        Raises ClipError for a range that cannot be, EdgeSilentError or CommandFailedError when the box has it not.
        """
        if event_id is not None:
            camera_id, start, end = await self._range_of(scope, event_id)
        elif camera_id is not None and time_from is not None and time_to is not None:
            start, end = time_from, time_to
        else:
            raise ClipError("A clip needs an event, or a camera with a start and an end.")
        if not timedelta(0) < end - start <= timedelta(seconds=MAX_CLIP_SECONDS):
            raise ClipError(f"A clip is at most {MAX_CLIP_SECONDS // 60} minutes and ends after it starts.")
        if start > (at or now()):
            raise ClipError("The clip lies in the future.")
        camera = await self._cameras.status(scope, camera_id)
        name = clip_id(camera_id, unix_ms(start), unix_ms(end))
        async with self._fetching[name]:
            try:
                if await self._clips.find(name) is None:
                    await self._fetch(name, camera, start, end, event_id)
            finally:
                self._fetching.pop(name, None)
        return Clip(name, self._clips.path(name), MP4, start, end)

    async def _fetch(
        self, name: str, camera: CameraStatus, start: datetime, end: datetime, event_id: str | None
    ) -> None:
        camera_id = camera.camera.id
        try:
            _check_online(camera)
            arguments = ClipArguments(start=start, end=end, event_id=event_id)
            data = await self._commands.ask(camera.edge.edge_id, camera_id, arguments, self._clip_timeout_s)
        except UnavailableError as error:
            if event_id is not None:
                error.action = f"{error.action} The event's still can be shown meanwhile.".strip()
            raise
        await asyncio.to_thread(check_clip, data)
        facts = {
            "clip_id": name,
            "camera_id": camera_id,
            "area": camera.camera.area,
            "start_ms": unix_ms(start),
            "end_ms": unix_ms(end),
        }
        await self._clips.keep(facts, data)

    async def open_clip(self, scope: Scope, name: str) -> Path:
        """The file of a clip that is in the cache; raises ClipNotFoundError outside the scope too."""
        row = await self._clips.find(name) if _CLIP_ID.fullmatch(name) else None
        if row is None or not self._cameras.covers(scope, row["area"]):
            raise ClipNotFoundError("The clip is not here (any more).", action="Ask for it again.")
        return self._clips.path(name)

    async def clip_facts(self, scope: Scope, name: str) -> Clip:
        """A cached clip with its range; raises ClipNotFoundError outside the scope too."""
        path = await self.open_clip(scope, name)
        row = await self._clips.find(name)
        if row is None:
            raise ClipNotFoundError("The clip is not here any more.")
        return Clip(name, path, MP4, from_unix_ms(row["start_ms"]), from_unix_ms(row["end_ms"]))

    async def _range_of(self, scope: Scope, event_id: str) -> tuple[str, datetime, datetime]:
        data = (await self._events.get(scope, event_id)).event.data
        start = data.evidence.clip_start or data.start - CLIP_MARGIN
        end = data.evidence.clip_end or data.end + CLIP_MARGIN
        return data.camera_id, start, min(end, start + timedelta(seconds=MAX_CLIP_SECONDS))

    async def _reachable(self, scope: Scope, camera_id: str) -> CameraStatus:
        status = await self._cameras.status(scope, camera_id)
        _check_online(status)
        return status


def _check_online(status: CameraStatus) -> None:
    """Say at once what a timeout would say later."""
    if not status.edge.online:
        raise EdgeSilentError(
            f"The box {status.edge.edge_id} of camera {status.camera.id} does not report; pictures cannot be fetched.",
            action="Check the box's power and connection.",
        )
