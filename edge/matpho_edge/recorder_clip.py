"""Cutting a clip out of the ring: stream copy into one MP4 that a browser plays, gaps told and not hidden."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

import av
import av.error
from av.container import InputContainer, OutputContainer
from av.video.stream import VideoStream

from matpho_contracts.errors import BadInputError, NotFoundError, StorageFullError

GAP_TOLERANCE_S = 1.5
"""Silence up to this long is not called a gap: fragments are written once a second."""

CLOCK = Fraction(1, 90_000)


@dataclass(frozen=True, slots=True)
class Part:
    """A segment file and the wall-clock moment of its first picture, UTC."""

    path: Path
    start: datetime


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of the wished range without pictures; times UTC."""

    start: datetime
    end: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class ClipFile:
    """A cut clip. `start` is its first picture (the key frame at or before the wish), second 0 of its time line."""

    path: Path
    start: datetime
    end: datetime
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class _Coded:
    """A coded picture with its wall-clock moment; decoding time in seconds relative to it."""

    packet: av.Packet[VideoStream]
    moment: datetime
    decode_offset: float


class _Track:
    """The clip being written: one stream with one set of parameters."""

    def __init__(self, output: OutputContainer, template: VideoStream, start: datetime, max_bytes: int) -> None:
        self._output = output
        self._stream = output.add_stream_from_template(template, opaque=True)
        self.signature = _signature(template)
        self.start = start
        self.last = start
        self._last_dts: int | None = None
        self._bytes, self._max_bytes = 0, max_bytes

    def write(self, item: _Coded) -> None:
        seconds = (item.moment - self.start).total_seconds()
        pts, dts = round(seconds / CLOCK), round((seconds + item.decode_offset) / CLOCK)
        if self._last_dts is not None and dts <= self._last_dts:
            dts = self._last_dts + 1
        packet = item.packet
        self._bytes += packet.size
        if self._bytes > self._max_bytes:
            raise BadInputError(
                f"Đoạn cắt lớn hơn {self._max_bytes // 2**20} MiB (clip too large).",
                action="Chọn khoảng ngắn hơn / ask for a shorter stretch.",
            )
        packet.stream = self._stream
        packet.time_base = CLOCK
        packet.pts, packet.dts = max(pts, dts), dts
        self._output.mux_one(packet)
        self._last_dts = dts
        self.last = max(self.last, item.moment)


def cut(parts: Sequence[Part], start: datetime, end: datetime, out: Path, *, max_bytes: int) -> ClipFile:
    """Copy the pictures of [start, end] (UTC) out of `parts` (by time) into `out`, MP4 with its index in front.

    Second t of the clip is wall-clock `ClipFile.start + t`, also across gaps. Raises NotFoundError when there is not
    one picture, BadInputError past `max_bytes`, StorageFullError when there is no room; `out` then does not exist.
    """
    temporary = out.with_name(f".{out.name}.part")
    try:
        clip = _cut_into(temporary, parts, start, end, max_bytes)
        temporary.replace(out)
    except (av.error.FFmpegError, OSError) as error:
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFullError("Không đủ chỗ để cắt đoạn hình (no room for the clip).") from error
        raise NotFoundError("Không đọc được đoạn đã ghi (the recording cannot be read).") from error
    finally:
        temporary.unlink(missing_ok=True)
    return ClipFile(out, clip.start, clip.end, clip.gaps)


def _cut_into(target: Path, parts: Sequence[Part], start: datetime, end: datetime, max_bytes: int) -> ClipFile:
    gaps: list[Gap] = []
    track: _Track | None = None
    with av.open(str(target), "w", format="mp4", container_options={"movflags": "+faststart"}) as output:
        for part in parts:
            try:
                source = av.open(
                    f"file:{part.path}", options={"protocol_whitelist": "file", "format_whitelist": "mov,mp4"}
                )
            except (av.error.FFmpegError, OSError):
                continue  # Deleted by the ring in this moment, or nothing whole in it yet: a gap, told below.
            with source:
                stream = source.streams.video[0]
                if track is not None and track.signature != _signature(stream):
                    gaps.append(Gap(part.start, end, "camera đổi cách mã hóa (the camera changed its coding)"))
                    break
                for item in _wanted(source, stream, part, start, end):
                    if track is None:
                        track = _Track(output, stream, item.moment, max_bytes)
                    elif (item.moment - track.last).total_seconds() > GAP_TOLERANCE_S:
                        gaps.append(Gap(track.last, item.moment, "không ghi được (nothing recorded)"))
                    track.write(item)
        if track is None:
            raise NotFoundError("Không có hình nào được ghi lúc đó (nothing was recorded then).")
    return ClipFile(target, track.start, track.last, tuple(_edges(track, start, end) + gaps))


def _edges(track: _Track, start: datetime, end: datetime) -> list[Gap]:
    edges = []
    if (track.start - start).total_seconds() > GAP_TOLERANCE_S:
        edges.append(Gap(start, track.start, "không ghi được (nothing recorded)"))
    if (end - track.last).total_seconds() > GAP_TOLERANCE_S:
        edges.append(Gap(track.last, end, "chưa hoặc không ghi được (not recorded, or not yet)"))
    return edges


def _wanted(
    source: InputContainer, stream: VideoStream, part: Part, start: datetime, end: datetime
) -> Iterator[_Coded]:
    """The part's pictures from the last key frame at or before `start` to `end`."""
    waiting: list[_Coded] = []
    origin: float | None = None
    try:
        for packet in source.demux(stream):
            if packet.pts is None or packet.dts is None or packet.size == 0:
                continue
            moment = float(packet.pts * packet.time_base)
            origin = moment if origin is None else origin
            seen = part.start + timedelta(seconds=moment - origin)
            decode_offset = float((packet.dts - packet.pts) * packet.time_base)
            if seen + timedelta(seconds=decode_offset) > end:
                break
            if packet.is_keyframe and seen <= start:
                waiting.clear()
            waiting.append(_Coded(packet, seen, decode_offset))
            if seen >= start:
                yield from waiting
                waiting.clear()
    except av.error.FFmpegError:
        pass  # A torn tail: what was whole has been given.
    if waiting and waiting[-1].moment + timedelta(seconds=GAP_TOLERANCE_S) > start:
        yield from waiting


def _signature(stream: VideoStream) -> tuple[str, int, int, bytes]:
    context = stream.codec_context
    return context.name, context.width, context.height, context.extradata or b""
