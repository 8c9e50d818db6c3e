"""One simulated camera: ONVIF device and RTSP server over a moving picture, as strict as a real one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Self

from matpho_simcity.camera.access import Account
from matpho_simcity.camera.errors import CameraConfigurationError
from matpho_simcity.camera.events import DIGITAL_INPUT, MOTION, Subscriptions
from matpho_simcity.camera.http_server import CameraHttpServer
from matpho_simcity.camera.identity import CameraIdentity, CameraSettings, Ports
from matpho_simcity.camera.lens import Lens
from matpho_simcity.camera.rtsp.server import RtspServer
from matpho_simcity.camera.rtsp.stream import LiveStream
from matpho_simcity.camera.state import CameraClock, CameraState
from matpho_simcity.camera.video.encoder import StreamFormat
from matpho_simcity.camera.video.worker import VideoWorker
from matpho_simcity.video import VideoSource

SUBSCRIPTION_SWEEP_SECONDS = 5.0
DEVICE_PATH = "/onvif/device_service"


class SimulatedCamera:
    """A camera on `host` (a loopback address) with one account.

    `script_clock` gives the seconds handed to the source (by default seconds since `start`), so that cameras of one
    city can share one time. `clock_offset` makes the camera's own clock wrong. Port 0 takes a free port.

    Example::

        async with SimulatedCamera(source, CameraIdentity("A1", "Gate"), username="admin", password=secret) as camera:
            print(camera.stream_url("main"), camera.device_url)
    """

    def __init__(
        self,
        source: VideoSource,
        identity: CameraIdentity,
        *,
        username: str,
        password: str,
        host: str = "127.0.0.1",
        http_port: int = 0,
        rtsp_port: int = 0,
        settings: CameraSettings | None = None,
        script_clock: Callable[[], float] | None = None,
        clock_offset: timedelta = timedelta(),
    ) -> None:
        settings = settings or CameraSettings()
        formats = _formats(source, settings)
        if not username or not password:
            raise CameraConfigurationError("A camera needs a user name and a password.")
        self._started_at = time.monotonic()
        self._online = False
        lens, clock = Lens(), CameraClock(clock_offset)
        worker = VideoWorker(source, lens, script_clock or self._seconds_since_start, settings.jpeg_quality)
        self._state = CameraState(
            identity=identity,
            settings=settings,
            account=Account(username, password),
            host=host,
            clock=clock,
            lens=lens,
            worker=worker,
            streams={name: LiveStream(name, form, worker, clock.wall_time) for name, form in formats.items()},
            subscriptions=Subscriptions(settings.limits.event_subscriptions, clock.now),
            size=source.size,
            frames_per_second=source.frames_per_second,
            has_ptz=source.has_ptz,
        )
        realm = f"{identity.model}-{identity.serial}".replace('"', "")
        self._http = CameraHttpServer(self._state, host, http_port, realm)
        self._rtsp = RtspServer(host, rtsp_port, self._state.streams, self._state.account, realm, settings.limits)
        self._state.subscriptions.on_wanted = worker.watch_motion
        self._sweeper: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"SimulatedCamera({self._state.identity.name!r}, {self._state.host}, {self.ports})"

    def _seconds_since_start(self) -> float:
        return time.monotonic() - self._started_at

    async def start(self) -> None:
        """Film and listen; raises `PortTakenError`, then nothing is left running."""
        self._started_at = time.monotonic()
        self._state.worker.start(self._state.identity.serial, self._on_motion)
        try:
            await self.come_back()
        except BaseException:
            await self.stop()
            raise
        self._sweeper = asyncio.create_task(self._sweep())

    async def stop(self) -> None:
        """Cut connections, stop listening, end the thread."""
        if self._sweeper:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
            self._sweeper = None
        await self.go_offline()
        await self._state.worker.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def ports(self) -> Ports:
        """Where the camera listens; the same before and after an outage."""
        return self._state.ports

    @property
    def identity(self) -> CameraIdentity:
        """The name plate."""
        return self._state.identity

    @property
    def online(self) -> bool:
        """Whether the camera answers."""
        return self._online

    @property
    def device_url(self) -> str:
        """The address of the device service, as discovery tells it."""
        return f"http://{self._state.host}:{self.ports.http}{DEVICE_PATH}"

    @property
    def scopes(self) -> tuple[str, ...]:
        """Scopes, as discovery tells them."""
        return self._state.scopes()

    @property
    def pictures_drawn(self) -> int:
        """How many pictures the source has been asked for: stands still while nobody wants any."""
        return self._state.worker.pictures_drawn

    @property
    def rtsp_sessions(self) -> int:
        """How many RTSP sessions are open."""
        return len(self._rtsp.sessions)

    def stream_url(self, stream: str = "main") -> str:
        """The RTSP address of a stream, ``main`` or ``sub``, without credentials."""
        return f"rtsp://{self._state.host}:{self.ports.rtsp}{self._state.streams[stream].path}"

    async def go_offline(self) -> None:
        """Lose the network at once: no goodbye, connections cut, nothing listens."""
        self._online = False
        await self._rtsp.stop()
        await self._http.stop()
        self._state.subscriptions.clear()

    async def come_back(self) -> None:
        """Answer again on the same ports; sessions and subscriptions are gone, as after a restart."""
        if self._online:
            return
        await self._http.start()
        await self._rtsp.start()
        self._state.ports = Ports(self._http.port, self._rtsp.port)
        self._online = True

    def freeze(self, frozen: bool = True) -> None:
        """Show the same picture for ever while the stream goes on; False thaws it."""
        self._state.worker.freeze(frozen)

    def silence(self, silent: bool = True) -> None:
        """Keep connections open but send no more video; False speaks again."""
        self._state.worker.silence(silent)

    def change_password(self, password: str) -> None:
        """Set another password: everything proved with the old one ends."""
        if not password:
            raise CameraConfigurationError("A camera needs a password.")
        self._state.account.change_password(password)
        for nonces in (self._http.nonces, self._rtsp.nonces):
            nonces.forget_all()
        self._rtsp.drop_everyone()
        self._state.subscriptions.clear()

    def set_digital_input(self, closed: bool) -> None:
        """Close or open the camera's alarm contact (event ``tns1:Device/Trigger/DigitalInput``)."""
        self._state.subscriptions.tell(DIGITAL_INPUT, closed)

    def _on_motion(self, moving: bool) -> None:
        self._state.subscriptions.tell(MOTION, moving)

    async def _sweep(self) -> None:
        """Forget subscriptions nobody renews, so that rendering for motion ceases too."""
        while True:
            await asyncio.sleep(SUBSCRIPTION_SWEEP_SECONDS)
            self._state.subscriptions.sweep()


def _formats(source: VideoSource, settings: CameraSettings) -> dict[str, StreamFormat]:
    """The stream formats; raises `CameraConfigurationError` for sizes and rates that cannot be."""
    sizes = {"main": (source.size, settings.main_bit_rate)}
    if settings.sub_size:
        sizes["sub"] = (settings.sub_size, settings.sub_bit_rate)
    if not 0 < source.frames_per_second <= 60:
        raise CameraConfigurationError("A camera films with more than 0 and at most 60 pictures a second.")
    for (width, height), _rate in sizes.values():
        if width % 2 or height % 2 or not (32 <= width <= 4096 and 32 <= height <= 4096):
            raise CameraConfigurationError("Width and height must be even and between 32 and 4096 pixels.")
    return {
        name: StreamFormat(*size, source.frames_per_second, rate, settings.key_frame_seconds)
        for name, (size, rate) in sizes.items()
    }
