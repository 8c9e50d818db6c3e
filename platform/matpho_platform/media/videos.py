"""MP4 from a box: probed within limits before it is kept or served."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from matpho_contracts.edge_api import MAX_CLIP_BYTES, MAX_CLIP_SECONDS
from matpho_platform.media.errors import ClipError

MAX_SECONDS = MAX_CLIP_SECONDS + 60
"""A stream copy starts at the key frame before the asked start and may run over by some seconds."""
_PROBE = {"probesize": "5000000", "analyzeduration": "5000000"}
"""Bytes and microseconds that FFmpeg may read to find out what it is."""
_VIDEO = {"h264"}
_AUDIO = {"aac", "mp3", "opus", "pcm_alaw", "pcm_mulaw"}
MAX_STREAMS = 4


def has_box(data: bytes, kind: bytes) -> bool:
    """Whether an MP4 has a top-level box of this kind (ISO/IEC 14496-12 section 4.2)."""
    position = 0
    while position + 8 <= len(data):
        size = int.from_bytes(data[position : position + 4], "big")
        if data[position + 4 : position + 8] == kind:
            return True
        if size == 1:
            size = int.from_bytes(data[position + 8 : position + 16], "big")
        if size < 8:
            return False
        position += size
    return False


def check_clip(data: bytes) -> float:
    """Seconds of an MP4 with one H.264 video; raises ClipError for anything else."""
    import av  # heavy: only who checks clips pays for it

    if len(data) > MAX_CLIP_BYTES or data[4:8] != b"ftyp" or not has_box(data, b"moov"):
        raise ClipError("The box sent no whole MP4.")
    try:
        with av.open(BytesIO(data), "r", format="mp4", options=_PROBE) as container:
            videos = [_codec(stream) for stream in container.streams.video]
            audios = [_codec(stream) for stream in container.streams.audio]
            seconds = (container.duration or 0) / av.time_base
            packet = next(container.demux(container.streams.video[0]), None) if videos else None
            others = len(container.streams) - len(videos) - len(audios)
    except (av.FFmpegError, ValueError) as error:
        raise ClipError("The clip that the box sent cannot be read.") from error
    if (
        len(videos) != 1
        or not set(videos) <= _VIDEO
        or not set(audios) <= _AUDIO
        or others
        or len(audios) >= MAX_STREAMS
    ):
        raise ClipError("The clip that the box sent is not one H.264 video.")
    if packet is None or not packet.size or not 0 < seconds <= MAX_SECONDS:
        raise ClipError("The clip that the box sent is empty or too long.")
    return seconds


def _codec(stream: Any) -> str:
    """A stream's codec; empty for one that FFmpeg does not know."""
    return stream.codec_context.name if stream.codec_context is not None else ""
