"""The seam between a stream and the pipeline: one decoded picture, converted only as far as somebody needs it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Frame(Protocol):
    """One analysed picture. Conversions are done on demand and remembered."""

    @property
    def camera_id(self) -> str:
        """Whose picture it is."""

    @property
    def captured_at(self) -> datetime:
        """When it was seen, aware, UTC: wall clock for live streams, start time plus media time for files."""

    @property
    def media_seconds(self) -> float:
        """Seconds on the stream's own clock, never going backwards within one connection."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""

    def luma(self) -> NDArray[np.uint8]:
        """The brightness plane, (height, width); no colour conversion is paid for it."""

    def bgr(self) -> NDArray[np.uint8]:
        """The whole picture, (height, width, 3) BGR."""


class FrameSource(Protocol):
    """What yields frames at about the analysed rate: a live camera (reconnecting for ever), a file, a folder."""

    def frames(self) -> AsyncIterator[Frame]:
        """Frames in order of time; ends only for files and folders, or when closed."""

    async def close(self) -> None:
        """Stop and let go."""
