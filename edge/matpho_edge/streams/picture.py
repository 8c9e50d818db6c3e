"""Decoded pictures: the brightness plane without a copy, colours only when somebody asks."""

from __future__ import annotations

import threading
from datetime import datetime

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

MAX_WIDTH, MAX_HEIGHT = 7680, 4320
"""The largest picture that is decoded: 8K."""

MAX_PIXELS = MAX_WIDTH * MAX_HEIGHT

_LUMA_FIRST = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "nv21", "gray", "yuv410p")
"""Pixel formats whose first plane is the 8-bit brightness."""


class Converter:
    """One scaler for all pictures of a source: making a new one for each picture costs a third of the decoding."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._scalers: dict[str, VideoReformatter] = {}

    def plane(self, frame: av.VideoFrame, pixel_format: str, channels: int) -> NDArray[np.uint8]:
        """The picture in a packed 8-bit format: (height, width[, channels])."""
        with self._lock:
            scaler = self._scalers.setdefault(pixel_format, VideoReformatter())
            converted = scaler.reformat(frame, format=pixel_format, threads=1)
        return _view(converted, channels)


def _view(frame: av.VideoFrame, channels: int) -> NDArray[np.uint8]:
    """The first plane as an array over the decoder's own memory, read-only: other pictures still refer to it."""
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(frame.height, abs(plane.line_size))
    pixels = rows[:, : frame.width * channels]
    if plane.line_size < 0:
        pixels = pixels[::-1]
    array = pixels if channels == 1 else pixels.reshape(frame.height, frame.width, channels)
    array.flags.writeable = False
    return array


class DecodedFrame:
    """A picture as the decoder left it (implements `matpho_edge.frames.Frame`).

    Both arrays are read-only; copy before drawing on them. A phone's or a turned camera's rotation is applied.
    """

    __slots__ = (
        "_bgr",
        "_converter",
        "_frame",
        "_luma",
        "_turns",
        "camera_id",
        "captured_at",
        "media_seconds",
        "origin",
    )

    def __init__(
        self,
        frame: av.VideoFrame,
        converter: Converter,
        *,
        camera_id: str,
        captured_at: datetime,
        media_seconds: float,
        origin: str = "",
    ) -> None:
        self._frame = frame
        self._converter = converter
        self.camera_id = camera_id
        self.captured_at = captured_at
        self.media_seconds = media_seconds
        self.origin = origin
        """File name the picture is from; empty for a live stream."""
        self._turns = round(frame.rotation / 90) % 4
        self._luma: NDArray[np.uint8] | None = None
        self._bgr: NDArray[np.uint8] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels, upright."""
        width, height = self._frame.width, self._frame.height
        return (height, width) if self._turns % 2 else (width, height)

    def luma(self) -> NDArray[np.uint8]:
        """The brightness plane, (height, width), a view where the decoder's format has one."""
        if self._luma is None:
            direct = self._frame.format.name in _LUMA_FIRST
            plane = _view(self._frame, 1) if direct else self._converter.plane(self._frame, "gray", 1)
            self._luma = self._upright(plane)
        return self._luma

    def bgr(self) -> NDArray[np.uint8]:
        """The whole picture, (height, width, 3) BGR; converted at the first call, remembered."""
        if self._bgr is None:
            self._bgr = self._upright(self._converter.plane(self._frame, "bgr24", 3))
        return self._bgr

    def _upright(self, array: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.ascontiguousarray(np.rot90(array, self._turns)) if self._turns else array

    def __repr__(self) -> str:
        return f"DecodedFrame({self.camera_id!r}, {self.captured_at.isoformat()}, {self.size[0]}x{self.size[1]})"
