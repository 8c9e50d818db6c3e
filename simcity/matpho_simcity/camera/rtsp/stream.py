"""A live stream that any number of sessions share: encoded once, and only while somebody has joined."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from matpho_simcity.camera.rtsp.rtp import PAYLOAD_TYPE
from matpho_simcity.camera.video.encoder import StreamFormat, parameter_sets
from matpho_simcity.camera.video.worker import AccessUnit, VideoWorker

TRACK = "trackID=0"


class Taker(Protocol):
    """Who takes a stream's pictures."""

    def take(self, unit: AccessUnit) -> None:
        """Take one access unit."""


class LiveStream:
    """One profile's video. Lives on the event loop; `wall_time` maps monotonic seconds to seconds since 1970 UTC."""

    def __init__(
        self, name: str, stream: StreamFormat, worker: VideoWorker, wall_time: Callable[[float], float]
    ) -> None:
        self.name = name
        self.format = stream
        self.wall_time = wall_time
        self._worker = worker
        self._takers: set[Taker] = set()
        worker.add_stream(name, stream, self._publish)

    @property
    def path(self) -> str:
        """The stream's path on the RTSP server."""
        return f"/stream/{self.name}"

    def join(self, taker: Taker) -> None:
        """Send pictures to `taker` from now on; a key frame comes soon."""
        self._takers.add(taker)
        self._worker.want_key_frame(self.name)
        self._worker.watch(self.name, True)

    def leave(self, taker: Taker) -> None:
        """Send it no more."""
        self._takers.discard(taker)
        if not self._takers:
            self._worker.watch(self.name, False)

    def reformat(self, stream: StreamFormat) -> None:
        """Encode otherwise from the next picture on; clients learn the new parameter sets with the key frame."""
        self.format = stream
        self._worker.reformat(self.name, stream)

    def want_key_frame(self) -> None:
        """Ask for a key frame (ONVIF's SetSynchronizationPoint)."""
        self._worker.want_key_frame(self.name)

    def _publish(self, unit: AccessUnit) -> None:
        for taker in list(self._takers):
            taker.take(unit)

    def description(self, host: str, session_id: int) -> bytes:
        """The SDP (RFC 4566) of this stream; `host` is the camera's own IPv4 address."""
        sets = parameter_sets(self.format)
        parameters = f"packetization-mode=1;profile-level-id={sets.profile_level_id};sprop-parameter-sets={sets.sprop}"
        lines = [
            "v=0",
            f"o=- {session_id} 1 IN IP4 {host}",
            "s=Live",
            "c=IN IP4 0.0.0.0",
            "t=0 0",
            "a=tool:matpho-simcity",
            "a=range:npt=now-",
            "a=control:*",
            f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
            f"b=AS:{self.format.bit_rate // 1000}",
            f"a=rtpmap:{PAYLOAD_TYPE} H264/90000",
            f"a=fmtp:{PAYLOAD_TYPE} {parameters}",
            f"a=framerate:{self.format.frames_per_second:g}",
            f"a=x-dimensions:{self.format.width},{self.format.height}",
            "a=recvonly",
            f"a=control:{TRACK}",
        ]
        return "\r\n".join([*lines, ""]).encode()
