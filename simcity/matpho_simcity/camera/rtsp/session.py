"""One client's RTSP session: a stream, a way to send, a state, and a clock that ends it when the client goes quiet."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from enum import Enum

from matpho_simcity.camera.rtsp.rtp import RtpSender
from matpho_simcity.camera.rtsp.stream import LiveStream
from matpho_simcity.camera.rtsp.transport import PacketSink
from matpho_simcity.camera.video.worker import AccessUnit

SENDER_REPORT_SECONDS = 5.0


class State(Enum):
    """RFC 2326's server states that a camera knows."""

    READY = "ready"
    PLAYING = "playing"


class RtspSession:
    """Numbers and sends a shared stream to one client, from a key frame on.

    `dropped` is called when the client cannot keep up.
    """

    def __init__(self, stream: LiveStream, control: str, dropped: Callable[[], None]) -> None:
        self.id = secrets.token_hex(8)
        self.stream = stream
        self.control = control
        self.state = State.READY
        self.sink: PacketSink | None = None
        self._dropped = dropped
        self._sender = RtpSender()
        self._waits_for_key = True
        self._next_report = 0.0
        self.last_sign = time.monotonic()

    @property
    def source(self) -> int:
        """The RTP synchronisation source."""
        return self._sender.source

    def touch(self) -> None:
        """The client gave a sign of life."""
        self.last_sign = time.monotonic()

    def play(self) -> str:
        """Start or go on; gives RTP-Info's numbers of the first packet that will come."""
        sender = self._sender
        stamp = sender.timestamp(time.monotonic()) if sender.started else sender.first_timestamp
        if self.state is State.READY:
            self.state, self._waits_for_key, self._next_report = State.PLAYING, True, 0.0
            self.stream.join(self)
        return f"seq={sender.next_sequence};rtptime={stamp}"

    def pause(self) -> None:
        """Send nothing until the next PLAY."""
        if self.state is State.PLAYING:
            self.state = State.READY
            self.stream.leave(self)

    def take(self, unit: AccessUnit) -> None:
        """Send one access unit of the stream."""
        if self.sink is None or (self._waits_for_key and not unit.is_key):
            return
        self._waits_for_key = False
        if not self.sink.send_rtp(list(self._sender.packets(unit.parts, unit.captured))):
            self._dropped()
        elif unit.captured >= self._next_report:
            self._next_report = unit.captured + SENDER_REPORT_SECONDS
            now = time.monotonic()
            self.sink.send_rtcp(self._sender.sender_report(now, self.stream.wall_time(now)))

    def close(self) -> None:
        """Leave the stream and say goodbye."""
        self.pause()
        if self.sink:
            self.sink.send_rtcp(self._sender.goodbye())
            self.sink.close()
            self.sink = None
