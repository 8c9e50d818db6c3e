"""A live camera: connect, decode, watch, reconnect for ever; the newest pictures for whoever asks."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import av
import av.error
from av.video.stream import VideoStream

from matpho_contracts.errors import MatphoError
from matpho_contracts.times import now
from matpho_edge.streams.address import LiveAddress
from matpho_edge.streams.decoding import (
    MAX_REASON_CHARACTERS,
    DecoderOptions,
    check_size,
    live_failure,
    open_live,
    prepare,
    stalled,
)
from matpho_edge.streams.errors import CameraAuthError, CameraProtocolError, unreachable_error
from matpho_edge.streams.handover import Handover
from matpho_edge.streams.packets import PacketCopier, PacketSink, describe
from matpho_edge.streams.picture import Converter, DecodedFrame
from matpho_edge.streams.preflight import judge_camera
from matpho_edge.streams.sampling import MediaClock, Sampler, WallAnchor
from matpho_edge.streams.status import SourceStatus, StatusCallback, StatusKeeper

CLOSE_GRACE_S = 2.0
"""How long close() waits for the thread; one stuck in a dead connection ends by itself at its read timeout."""

RATE_WINDOW_S = 2.0
DEGRADED_SHARE = 0.5
"""Below this share of the promised pictures, or above it of broken ones, a stream is degraded."""


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """How patient a live source is. Times in seconds.

    `first_picture` covers cameras that send a key frame only every 10 s. After a refused password the wait is
    `auth_wait` at once: hammering locks accounts. `allow_basic` lets the password go out in clear to cameras that know
    no Digest.
    """

    connect: float = 15.0
    first_picture: float = 15.0
    stall: float = 10.0
    backoff: tuple[float, float] = (1.0, 60.0)
    auth_wait: float = 30.0
    queue: int = 4
    allow_basic: bool = False
    decoder: DecoderOptions = field(default_factory=DecoderOptions)


class Backoff:
    """Growing waits with jitter, so that two hundred cameras do not come back in the same second."""

    def __init__(self, shortest: float, longest: float) -> None:
        self._shortest, self._longest = shortest, longest
        self._ceiling = shortest

    def next(self) -> float:
        """Seconds to wait now: between half the ceiling and the ceiling, which doubles up to the longest."""
        wait = random.uniform(self._ceiling / 2, self._ceiling)
        self._ceiling = min(self._ceiling * 2, self._longest)
        return max(wait, min(self._shortest, self._longest))

    def reset(self) -> None:
        """The stream was well: begin with the shortest wait again."""
        self._ceiling = self._shortest


class _Connection:
    """The clocks and counts of one connection; a new one starts from nothing."""

    def __init__(self, stream: VideoStream, fps: float) -> None:
        self.promised = float(stream.average_rate or stream.guessed_rate or 0)
        self.clock = MediaClock(1 / self.promised if self.promised else 0.04)
        self.anchor = WallAnchor()
        self.sampler = Sampler(fps)
        self.described = describe(stream)
        self.copier = PacketCopier(self.described)
        self.started = self.last_picture = self.window_start = time.monotonic()
        self.pictures = self.window_pictures = self.window_errors = 0


class LiveSource:
    """An RTSP camera as a FrameSource: one thread, one connection, a queue that never grows.

    `frames()` may be asked once. The thread starts with it and ends with `close()`; neither a refused first connection
    nor any later failure ends the iteration. `sink` gets the coded packets of the same connection.
    """

    def __init__(
        self,
        address: LiveAddress,
        *,
        camera_id: str,
        fps: float,
        options: LiveOptions | None = None,
        sink: PacketSink | None = None,
        on_status: StatusCallback | None = None,
    ) -> None:
        self.camera_id = camera_id
        self._address = address
        self._fps = fps
        self._options = options or LiveOptions()
        self._sink = sink
        self._on_status = on_status
        self._keeper = StatusKeeper(camera_id, self._tell)
        self._queue: Handover[DecodedFrame] = Handover(self._options.queue, drop_oldest=True)
        self._converter = Converter()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._latest: DecodedFrame | None = None
        self._use_udp = False

    @property
    def status(self) -> SourceStatus:
        """How the source is at this moment."""
        return self._keeper.current

    @property
    def latest(self) -> DecodedFrame | None:
        """The newest decoded picture, sampled or not; None before the first."""
        return self._latest

    async def frames(self) -> AsyncIterator[DecodedFrame]:
        """Pictures at about the analysed rate, newest first to be kept when the taker is slow; ends after close()."""
        self._queue.attach()
        self._start()
        try:
            while (frame := await self._queue.take()) is not None:
                yield frame
        finally:
            self._stop.set()

    async def close(self) -> None:
        """Stop the thread and let go of the connection; returns within CLOSE_GRACE_S."""
        self._stop.set()
        self._queue.abandon()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, CLOSE_GRACE_S)

    def _tell(self, status: SourceStatus) -> None:
        if self._on_status is not None:
            self._queue.call(self._on_status, status)

    def _start(self) -> None:
        if self._thread is not None:
            raise RuntimeError("frames() of a live source is iterated once")
        self._thread = threading.Thread(target=self._run, name=f"camera-{self.camera_id}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        backoff = Backoff(*self._options.backoff)
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                self._one_connection()
                failure: MatphoError = unreachable_error(self._address.shown, "the camera ended the stream")
            except Exception as error:  # Whatever it was, the camera is tried again: only close() ends this loop.
                failure = live_failure(error, self._address.shown)
            if self._stop.is_set():
                break
            if self._sink is not None:
                self._sink.lost()
            if time.monotonic() - began > 3 * self._options.stall:
                backoff.reset()
            self._keeper.become("offline", str(failure)[:MAX_REASON_CHARACTERS], failure.code)
            self._keeper.note(fps=0.0, reconnects=self._keeper.current.reconnects + 1)
            self._stop.wait(self._options.auth_wait if isinstance(failure, CameraAuthError) else backoff.next())
        if self._sink is not None:
            self._sink.lost()
        self._queue.end()

    def _one_connection(self) -> None:
        options = self._options
        judge_camera(self._address, seconds=options.connect, allow_basic=options.allow_basic)
        try:
            container = open_live(
                self._address, udp=self._use_udp, open_timeout=options.connect, read_timeout=options.stall
            )
        except CameraProtocolError:
            self._use_udp = not self._use_udp
            raise
        with container:
            stream = prepare(container, self._address.shown, options.decoder)
            connection = _Connection(stream, self._fps)
            self._keeper.note(codec=stream.codec_context.name)
            if self._sink is not None:
                self._sink.opened(connection.described)
            for packet in container.demux(stream):
                if self._stop.is_set():
                    return
                self._one_packet(connection, packet)
                self._watch(connection)

    def _one_packet(self, connection: _Connection, packet: av.Packet[VideoStream]) -> None:
        try:
            pictures = packet.decode()
        except (av.error.InvalidDataError, av.error.PatchWelcomeError):
            connection.window_errors += 1
            pictures = []
        arrived = now()
        for picture in pictures:
            self._one_picture(connection, picture)
        if self._sink is not None and (whole := connection.copier.copy(packet, arrived)) is not None:
            self._sink.packet(whole)

    def _one_picture(self, connection: _Connection, picture: av.VideoFrame) -> None:
        arrived = now()
        check_size(picture.width, picture.height, self._address.shown)
        connection.pictures += 1
        connection.window_pictures += 1
        connection.last_picture = time.monotonic()
        if connection.pictures == 1:
            self._keeper.note(size=(picture.width, picture.height), last_frame_at=arrived)
            self._keeper.become("online")
            connection.window_start, connection.window_pictures = connection.last_picture, 0
        raw = float(picture.pts * picture.time_base) if picture.pts is not None and picture.time_base else None
        seconds = connection.clock.advance(raw)
        seen = connection.anchor.at(seconds, arrived)
        frame = DecodedFrame(
            picture, self._converter, camera_id=self.camera_id, captured_at=seen, media_seconds=seconds
        )
        self._latest = frame
        if connection.sampler.is_due(seconds):
            self._queue.put(frame)

    def _watch(self, connection: _Connection) -> None:
        """Health is pictures that come out, not a connection that stands."""
        moment = time.monotonic()
        patience = self._options.stall if connection.pictures else max(self._options.first_picture, self._options.stall)
        if moment - connection.last_picture > patience:
            raise stalled(self._address.shown, moment - connection.last_picture)
        elapsed = moment - connection.window_start
        if elapsed < RATE_WINDOW_S:
            return
        rate, errors = connection.window_pictures / elapsed, connection.window_errors
        self._keeper.note(
            fps=round(rate, 2),
            last_frame_at=self._latest.captured_at if self._latest else None,
            dropped=self._queue.dropped,
            decode_errors=self._keeper.current.decode_errors + errors,
        )
        if connection.pictures:
            self._judge(connection, rate, errors)
        connection.window_start, connection.window_pictures, connection.window_errors = moment, 0, 0

    def _judge(self, connection: _Connection, rate: float, errors: int) -> None:
        if errors > DEGRADED_SHARE * (connection.window_pictures + errors):
            self._keeper.become("degraded", "hình hỏng nhiều (many broken pictures)", "broken_pictures")
        elif connection.promised and rate < DEGRADED_SHARE * connection.promised:
            self._keeper.become("degraded", "hình về chậm (too few pictures)", "low_rate")
        else:
            self._keeper.become("online")
