"""One segment of the ring: a fragmented MP4 that is readable up to its last second whatever happens to the box."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

import av
import av.error

from matpho_edge.streams.packets import CodedPacket, CodedStream, has_start_code, parameter_sets

FRAGMENT_SECONDS = 1.0
"""What a power cut may cost: the fragment not yet written."""

MAX_LEAP_S = 10.0
"""A camera whose clock leaps further gets a new segment."""

MAX_SEGMENT_BYTES = 512 * 1024 * 1024
"""A camera that never sends a second key frame must not grow one file for ever."""


class SegmentWriter:
    """Writes coded pictures, beginning with a key frame, into one file. Not thread-safe."""

    def __init__(self, path: Path, stream: CodedStream, first: CodedPacket) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.start = first.captured_at
        self.bytes = 0
        self._stream = stream
        self._first_pts = first.pts
        self._last_pts = first.pts
        self._last_dts: int | None = None
        self._sets = parameter_sets(stream.codec, first.data) or stream.parameter_sets
        options = {
            "movflags": "empty_moov+default_base_moof",
            "frag_duration": str(int(FRAGMENT_SECONDS * 1_000_000)),
            "flush_packets": "1",
        }
        self._container = av.open(str(path), "w", format="mp4", container_options=options)
        self._track = self._container.add_mux_stream(
            stream.codec, rate=Fraction(round(stream.frames_per_second * 1000), 1000), width=stream.width,
            height=stream.height, time_base=stream.time_base,
        )  # fmt: skip
        self._write(first, with_parameters=True)

    @property
    def end(self) -> datetime:
        """Wall-clock end of the last picture, UTC, by the stream's own clock from the start."""
        frame = 1.0 / max(self._stream.frames_per_second, 1.0)
        return self.start + timedelta(
            seconds=float((self._last_pts - self._first_pts) * self._stream.time_base) + frame
        )

    def fits(self, packet: CodedPacket) -> bool:
        """Whether a picture continues this segment: no leap in time, the same coding, room in the file."""
        leap = abs(float((packet.pts - self._last_pts) * self._stream.time_base))
        forward = self._last_dts is None or packet.dts is None or packet.dts > self._last_dts
        sets = parameter_sets(self._stream.codec, packet.data) if packet.is_key else b""
        same = not sets or not self._sets or sets == self._sets
        return leap <= MAX_LEAP_S and forward and same and self.bytes < MAX_SEGMENT_BYTES

    def write(self, packet: CodedPacket) -> None:
        """Append a picture; raises OSError or av.error.FFmpegError when the disk refuses."""
        self._write(packet, with_parameters=False)

    def _write(self, packet: CodedPacket, *, with_parameters: bool) -> None:
        data = packet.data
        if with_parameters and self._stream.parameter_sets and has_start_code(data):
            # The muxer reads SPS/PPS from the first picture; cameras may send them in the session description alone.
            data = self._stream.parameter_sets + data
        out = av.Packet(data)
        dts = packet.dts if packet.dts is not None else packet.pts
        if self._last_dts is not None and dts <= self._last_dts:
            dts = self._last_dts + 1
        out.stream = self._track
        out.time_base = self._stream.time_base
        out.pts, out.dts = max(packet.pts, dts), dts
        out.duration = packet.duration
        out.is_keyframe = packet.is_key
        self._container.mux_one(out)
        self.bytes += len(data)
        self._last_dts, self._last_pts = dts, max(self._last_pts, packet.pts)

    def close(self) -> int:
        """Write what is left; returns the file's size in bytes. Raises OSError or av.error.FFmpegError."""
        self._container.close()
        return self.path.stat().st_size


@dataclass(frozen=True, slots=True)
class Probed:
    """What a segment file holds when read again: length in seconds and size in bytes."""

    seconds: float
    bytes: int


def probe(path: Path) -> Probed | None:
    """Measure a segment by reading it through, as far as it is whole; None when nothing in it can be read."""
    first: float | None = None
    last = step = 0.0
    try:
        with av.open(
            f"file:{path}", options={"protocol_whitelist": "file", "format_whitelist": "mov,mp4"}
        ) as container:
            try:
                for packet in container.demux(video=0):
                    if packet.pts is None:
                        continue
                    moment = float(packet.pts * packet.time_base)
                    first = moment if first is None else min(first, moment)
                    last = max(last, moment)
                    step = float((packet.duration or 0) * packet.time_base) or step
            except av.error.FFmpegError:
                pass  # Torn in the middle of a fragment: what came before counts.
    except (av.error.FFmpegError, OSError, ValueError, IndexError):
        return None
    return None if first is None else Probed(last - first + step, path.stat().st_size)
