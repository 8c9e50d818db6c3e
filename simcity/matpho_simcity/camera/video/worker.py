"""The thread that films: one per camera, awake only while somebody watches, wants a still, or listens for motion."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from matpho_simcity.camera.lens import Lens
from matpho_simcity.camera.rtsp.rtp import payloads
from matpho_simcity.camera.video.encoder import H264Encoder, StreamFormat
from matpho_simcity.camera.video.motion import MotionDetector
from matpho_simcity.camera.video.picture import Imaging
from matpho_simcity.video import VideoSource

KEY_FRAME_MIN_SECONDS = 1.0
IDLE_LOOK_SECONDS = 1.0
ERROR_PAUSE_SECONDS = 1.0
STOP_SECONDS = 10.0

_Argument = TypeVar("_Argument")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One encoded picture, packetised: `captured` in seconds of the monotonic clock."""

    captured: float
    is_key: bool
    parts: tuple[bytes, ...]


@dataclass(slots=True)
class _Channel:
    """One stream's encoder and who takes its output. Guarded by the worker's condition except `encoder`."""

    format: StreamFormat
    deliver: Callable[[AccessUnit], None]
    watched: bool = False
    key_wanted: bool = False
    last_key: float = float("-inf")
    encoder: H264Encoder | None = None


@dataclass(frozen=True, slots=True)
class _Still:
    """A JPEG somebody waits for, of (width, height) pixels."""

    size: tuple[int, int]
    future: Future[bytes]


@dataclass(frozen=True, slots=True)
class _Work:
    """What one turn of the loop has to do."""

    channels: list[tuple[_Channel, bool]]
    stills: list[_Still]
    imaging: Imaging
    frozen: bool
    silent: bool


class VideoWorker:
    """Draws, adjusts and encodes pictures for the streams that are watched.

    `script_clock` gives the seconds handed to the source; `deliver` callbacks and `on_motion` run on the event loop.
    """

    def __init__(self, source: VideoSource, lens: Lens, script_clock: Callable[[], float], jpeg_quality: int) -> None:
        self._source = source
        self._lens = lens
        self._script_clock = script_clock
        self._jpeg_quality = jpeg_quality
        self._interval = 1.0 / source.frames_per_second
        self._condition = threading.Condition()
        self._channels: dict[str, _Channel] = {}
        self._stills: list[_Still] = []
        self._imaging = Imaging()
        self._motion = MotionDetector()
        self._motion_wanted = False
        self._on_motion: Callable[[bool], None] = lambda _: None
        self._frozen = self._silent = self._stopping = False
        self._last_picture: NDArray[np.uint8] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self.pictures_drawn = 0

    def add_stream(self, name: str, stream: StreamFormat, deliver: Callable[[AccessUnit], None]) -> None:
        """Offer a stream; it is encoded while `watch` says so."""
        self._channels[name] = _Channel(stream, deliver)

    def start(self, name: str, on_motion: Callable[[bool], None]) -> None:
        """Start the thread; call from the event loop that shall be called back."""
        self._loop, self._on_motion, self._stopping = asyncio.get_running_loop(), on_motion, False
        self._thread = threading.Thread(target=self._run, name=f"camera-{name}", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """End the thread and give up stills that were still asked for."""
        with self._condition:
            self._stopping = True
            stills, self._stills = self._stills, []
            self._condition.notify()
        for still in stills:
            still.future.cancel()
        if self._thread:
            await asyncio.to_thread(self._thread.join, STOP_SECONDS)
            self._thread = None

    def reformat(self, name: str, stream: StreamFormat) -> None:
        """Encode the stream otherwise from its next picture on."""
        with self._condition:
            self._channels[name].format = stream

    def watch(self, name: str, watched: bool) -> None:
        """Say whether anybody takes the stream's pictures; a stream newly watched starts with a key frame."""
        with self._condition:
            self._channels[name].watched = watched
            self._condition.notify()

    def want_key_frame(self, name: str) -> None:
        """Make the next picture a key frame, at most one a second."""
        with self._condition:
            self._channels[name].key_wanted = True

    async def still(self, size: tuple[int, int]) -> bytes:
        """The present picture as JPEG of `size` (width, height); requests of the same moment share the drawing."""
        future: Future[bytes] = Future()
        with self._condition:
            if self._stopping or self._thread is None:
                raise asyncio.CancelledError
            self._stills.append(_Still(size, future))
            self._condition.notify()
        return await asyncio.wrap_future(future)

    @property
    def imaging(self) -> Imaging:
        """The knobs as they stand."""
        return self._imaging

    @imaging.setter
    def imaging(self, value: Imaging) -> None:
        with self._condition:
            self._imaging = value

    @property
    def motion_alarm(self) -> bool:
        """Whether something moves now."""
        return self._motion.alarm

    def watch_motion(self, wanted: bool) -> None:
        """Look once a second for motion even while nobody watches the video."""
        with self._condition:
            self._motion_wanted = wanted
            self._condition.notify()

    def freeze(self, frozen: bool) -> None:
        """Show the same picture for ever (the stream goes on)."""
        with self._condition:
            self._frozen = frozen

    def silence(self, silent: bool) -> None:
        """Send no pictures although connections stay open."""
        with self._condition:
            self._silent = silent

    def _run(self) -> None:
        due = time.monotonic()
        while (work := self._next_work(due)) is not None:
            now = time.monotonic()
            # Keep the beat; after a long pause or an overload start a new one rather than catch up.
            due = due + self._interval if now - due < self._interval else now + self._interval
            try:
                self._film(work, now)
            except Exception as error:
                _log.exception("A camera's picture could not be made; trying again in a second.")
                for still in work.stills:
                    if not still.future.done():
                        still.future.set_exception(error)
                due = now + ERROR_PAUSE_SECONDS

    def _next_work(self, due: float) -> _Work | None:
        """Wait until something is to be done; None when the thread shall end."""
        with self._condition:
            idle_since = time.monotonic()
            while not self._stopping:
                now = time.monotonic()
                watched = any(channel.watched for channel in self._channels.values())
                wake = due if watched else max(due, idle_since + IDLE_LOOK_SECONDS) if self._motion_wanted else None
                if self._stills or (wake is not None and now >= wake):
                    return self._take_work(now)
                self._condition.wait(None if wake is None else wake - now)
        return None

    def _take_work(self, now: float) -> _Work:
        channels = []
        for channel in self._channels.values():
            if not channel.watched:
                channel.encoder = None  # frees its memory; the next watcher gets a new one
                continue
            key = channel.key_wanted and now - channel.last_key >= KEY_FRAME_MIN_SECONDS
            channel.key_wanted = channel.key_wanted and not key
            channels.append((channel, key))
        stills, self._stills = [one for one in self._stills if one.future.set_running_or_notify_cancel()], []
        return _Work(channels, stills, self._imaging, self._frozen, self._silent)

    def _film(self, work: _Work, now: float) -> None:
        picture = self._picture(work)
        if not work.frozen and self._motion.feed(picture, now, lens_moving=any(self._lens.moving)):
            self._call(self._on_motion, self._motion.alarm)
        for channel, key in work.channels:
            if channel.encoder is None or channel.encoder.format != channel.format:
                channel.encoder = H264Encoder(channel.format)
            is_key, units = channel.encoder.encode(picture, now, key=key)
            if is_key:
                channel.last_key = now
            if units and not work.silent:
                self._call(channel.deliver, AccessUnit(now, is_key, payloads(units)))
        jpegs = {size: self._jpeg(picture, size) for size in {still.size for still in work.stills}}
        for still in work.stills:
            still.future.set_result(jpegs[still.size])

    def _jpeg(self, picture: NDArray[np.uint8], size: tuple[int, int]) -> bytes:
        fitted = picture if picture.shape[1::-1] == size else cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        _done, jpeg = cv2.imencode(".jpg", fitted, [cv2.IMWRITE_JPEG_QUALITY, self._jpeg_quality])
        return jpeg.tobytes()

    def _picture(self, work: _Work) -> NDArray[np.uint8]:
        if not work.frozen or self._last_picture is None:
            self._last_picture = self._source.frame(self._script_clock(), self._lens.position)
            self.pictures_drawn += 1
        return work.imaging.apply(self._last_picture)

    def _call(self, callback: Callable[[_Argument], None], argument: _Argument) -> None:
        loop = self._loop
        if loop and not loop.is_closed():
            loop.call_soon_threadsafe(callback, argument)
