"""What a box does when its center asks: a picture of now, a clip of then, a turn of the lens."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from matpho_contracts.edge_api import MoveArguments
from matpho_contracts.errors import BadInputError, NotFoundError, UnavailableError
from matpho_contracts.times import now
from matpho_edge.box_camera import BoxCamera
from matpho_edge.box_finding import CameraFinder
from matpho_edge.recorder import Recorder

LONGEST_WAIT_S = 20.0
"""A clip that reaches into the future is waited for this long; the rest of it is left out."""
_SETTLE = timedelta(seconds=1)


class BoxCommands:
    """Implements `uplink_commands.CommandHandler` over the box's cameras and recorder."""

    def __init__(
        self, cameras: Mapping[str, BoxCamera], finder: CameraFinder, recorder: Recorder | None, clips: Path
    ) -> None:
        self._cameras, self._finder, self._recorder, self._clips = cameras, finder, recorder, clips

    async def snapshot(self, camera_id: str) -> bytes:
        """A JPEG of now."""
        return await self._camera(camera_id).snapshot()

    async def clip(self, camera_id: str, start: datetime, end: datetime) -> Path:
        """Cut the recorded range into a new file; the caller deletes it."""
        camera = self._camera(camera_id)
        if self._recorder is None or not camera.settings.records:
            raise NotFoundError(
                f"Camera {camera_id} is not recorded.",
                action="Its picture has masked zones, or recording is off in the box's settings.",
            )
        await asyncio.sleep(min(max((end + _SETTLE - now()).total_seconds(), 0.0), LONGEST_WAIT_S))
        until = min(end, now())
        if until <= start:
            raise BadInputError("The range lies in the future.", action="Ask for a time that has passed.")
        self._clips.mkdir(parents=True, exist_ok=True)
        path = self._clips / f"{uuid.uuid4().hex}.mp4"
        recorder = self._recorder
        try:
            await asyncio.to_thread(recorder.clip, camera_id, start, until, path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path

    async def move(self, camera_id: str, arguments: MoveArguments) -> None:
        """Turn the lens through ONVIF."""
        camera = self._camera(camera_id)
        if camera.found is None:
            raise UnavailableError(f"Camera {camera_id} has not been found yet.")
        async with await self._finder.connect(camera.settings, camera.found) as lens:
            if arguments.home:
                await lens.home()
            elif arguments.preset is not None:
                await lens.goto_preset(arguments.preset)
            else:
                await lens.move(pan=arguments.pan, tilt=arguments.tilt, zoom=arguments.zoom)

    def _camera(self, camera_id: str) -> BoxCamera:
        camera = self._cameras.get(camera_id)
        if camera is None:
            raise NotFoundError(f"This box has no camera {camera_id}.")
        return camera
