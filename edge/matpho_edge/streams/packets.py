"""What a recorder gets from a live connection: coded pictures as they came, never decoded or coded again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Protocol

import av
from av.video.stream import VideoStream


@dataclass(frozen=True, slots=True)
class CodedStream:
    """What one connection carries: `codec` as libav names it (`h264`, `hevc`, `mjpeg`), size in pixels.

    `parameter_sets` are the SPS/PPS/VPS of the session description with start codes; empty when they only come in-band.
    """

    codec: str
    width: int
    height: int
    time_base: Fraction
    frames_per_second: float
    parameter_sets: bytes


@dataclass(frozen=True, slots=True)
class CodedPacket:
    """One coded picture with start codes. `pts` and `dts` count in the stream's `time_base`; `captured_at` is UTC."""

    data: bytes
    pts: int
    dts: int | None
    duration: int | None
    is_key: bool
    captured_at: datetime


class PacketSink(Protocol):
    """Takes the packets of one camera. Called on the decoding thread: must neither block nor raise."""

    def opened(self, stream: CodedStream) -> None:
        """A connection begins; packets follow."""

    def packet(self, packet: CodedPacket) -> None:
        """The next coded picture."""

    def lost(self) -> None:
        """The connection has ended; another may begin."""


def describe(stream: VideoStream) -> CodedStream:
    """What an open stream carries."""
    context = stream.codec_context
    extradata = context.extradata or b""
    return CodedStream(
        codec=context.name,
        width=context.width,
        height=context.height,
        time_base=stream.time_base or Fraction(1, 90_000),
        frames_per_second=float(stream.average_rate or stream.guessed_rate or 25),
        parameter_sets=extradata if has_start_code(extradata) else b"",
    )


_PARAMETER_KINDS: dict[str, tuple[frozenset[int], int, int]] = {
    "h264": (frozenset({7, 8}), 0, 0x1F),
    "hevc": (frozenset({32, 33, 34}), 1, 0x3F),
}
"""Unit types of parameter sets, and how a unit's first byte tells its type: shift, then mask."""

_START_CODE = re.compile(b"\x00\x00\x01")
MAX_HEADER_BYTES = 4096


def parameter_sets(codec: str, data: bytes) -> bytes:
    """The SPS/PPS/VPS that stand before the picture in a packet with start codes, as they are; empty where none do.

    Unit types: H.264 table 7-1, H.265 table 7-1.
    """
    if codec not in _PARAMETER_KINDS or not has_start_code(data):
        return b""
    wanted, shift, mask = _PARAMETER_KINDS[codec]
    starts = [match.end() for match in _START_CODE.finditer(data[:MAX_HEADER_BYTES])]
    found = b""
    for begin, following in zip(starts, [*starts[1:], None], strict=True):
        if following is not None and begin < len(data) and data[begin] >> shift & mask in wanted:
            found += b"\x00\x00\x00\x01" + data[begin : following - 3].rstrip(b"\x00")
    return found


def has_start_code(data: bytes) -> bool:
    """Whether coded data is in Annex B form."""
    return data[:4] == b"\x00\x00\x00\x01" or data[:3] == b"\x00\x00\x01"


class PacketCopier:
    """Copies packets so that they outlive their connection, stamping those that came without a time.

    The first RTP packets of a connection often have none; they count from 0 at the promised rate.
    """

    def __init__(self, stream: CodedStream) -> None:
        self._step = round(1 / max(stream.frames_per_second, 1.0) / stream.time_base)
        self._last = -self._step

    def copy(self, packet: av.Packet[VideoStream], captured_at: datetime) -> CodedPacket | None:
        """The packet's own copy; None for an empty one (the end of the stream)."""
        if packet.size == 0:
            return None
        stamped = packet.pts if packet.pts is not None else packet.dts
        pts = self._last + self._step if stamped is None else stamped
        self._last = pts
        return CodedPacket(bytes(packet), pts, packet.dts, packet.duration, packet.is_keyframe, captured_at)
