"""H.264 by libx264 for one stream: no delay, a steady key frame distance, key frames on demand."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import av
import cv2
import numpy as np
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from numpy.typing import NDArray

START_CODE = b"\x00\x00\x01"
RTP_CLOCK = 90_000
NAL_KEY_SLICE = 5
NAL_SUPPLEMENT = 6
X264_OPTIONS = {
    "preset": "superfast",
    "tune": "zerolatency",
    "profile": "main",
    "forced-idr": "1",
    "sc_threshold": "0",
}


@dataclass(frozen=True, slots=True)
class StreamFormat:
    """Size in pixels (even), frames per second, target bits per second, seconds between key frames."""

    width: int
    height: int
    frames_per_second: float
    bit_rate: int
    key_frame_seconds: float

    @property
    def key_frame_distance(self) -> int:
        """Frames from one key frame to the next."""
        return max(1, round(self.frames_per_second * self.key_frame_seconds))


@dataclass(frozen=True, slots=True)
class ParameterSets:
    """The H.264 sequence and picture parameter sets, as NAL units without start codes."""

    sequence: bytes
    picture: bytes

    @property
    def profile_level_id(self) -> str:
        """Six hexadecimal digits for SDP."""
        return self.sequence[1:4].hex().upper()

    @property
    def sprop(self) -> str:
        """SDP's sprop-parameter-sets value."""
        return ",".join(base64.b64encode(nal).decode() for nal in (self.sequence, self.picture))


def split_nal_units(annex_b: bytes) -> list[bytes]:
    """The NAL units of an Annex B byte stream, start codes and trailing zero bytes taken off."""
    return [unit.rstrip(b"\x00") for unit in annex_b.split(START_CODE) if unit.strip(b"\x00")]


def _open(stream: StreamFormat) -> VideoCodecContext:
    context = av.CodecContext.create("libx264", "w")
    assert isinstance(context, VideoCodecContext)  # noqa: S101 - narrows the type of a video codec's context
    context.width, context.height = stream.width, stream.height
    context.pix_fmt = "yuv420p"
    context.time_base = Fraction(1, RTP_CLOCK)
    context.framerate = Fraction(stream.frames_per_second).limit_denominator(1000)
    context.bit_rate = stream.bit_rate
    context.gop_size = stream.key_frame_distance
    context.max_b_frames = 0
    context.thread_count = 1
    context.flags |= Flags.global_header
    ceiling = {"maxrate": str(stream.bit_rate), "bufsize": str(stream.bit_rate)}
    context.options = {**X264_OPTIONS, **ceiling}
    context.open()
    return context


@lru_cache(maxsize=64)
def parameter_sets(stream: StreamFormat) -> ParameterSets:
    """The parameter sets every encoder of this format starts with, known before a picture is encoded."""
    units = split_nal_units(bytes(_open(stream).extradata or b""))
    return ParameterSets(*(next(unit for unit in units if unit[0] & 0x1F == kind) for kind in (7, 8)))


class H264Encoder:
    """Encodes BGR pictures into access units (lists of NAL units, parameter sets before each key frame)."""

    def __init__(self, stream: StreamFormat) -> None:
        self.format = stream
        self._context = _open(stream)
        self._parameters = parameter_sets(stream)

    def encode(self, picture: NDArray[np.uint8], captured: float, *, key: bool) -> tuple[bool, list[bytes]]:
        """Encode a (height, width, 3) BGR picture captured at `captured` (seconds); gives (is key frame, NAL units)."""
        size = (self.format.width, self.format.height)
        if (picture.shape[1], picture.shape[0]) != size:
            picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        planes = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), dtype=np.uint8)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts, frame.time_base = int(captured * RTP_CLOCK), Fraction(1, RTP_CLOCK)
        frame.pict_type = PictureType.I if key else PictureType.NONE
        units = [unit for packet in self._context.encode(frame) for unit in split_nal_units(bytes(packet))]
        pictures = [unit for unit in units if unit[0] & 0x1F < NAL_SUPPLEMENT]
        is_key = any(unit[0] & 0x1F == NAL_KEY_SLICE for unit in pictures)
        return is_key, [self._parameters.sequence, self._parameters.picture, *pictures] if is_key else pictures
