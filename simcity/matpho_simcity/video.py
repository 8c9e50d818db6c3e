"""The seam between the city that draws and the cameras that serve: a moving picture with a lens that turns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class PtzPosition:
    """Where the lens points: ONVIF generic spaces, pan and tilt in [-1, 1] (right and up positive), zoom in [0, 1]."""

    pan: float = 0.0
    tilt: float = 0.0
    zoom: float = 0.0


class VideoSource(Protocol):
    """What one simulated camera films. Called from one worker thread per camera."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels of the main stream."""

    @property
    def frames_per_second(self) -> float:
        """Nominal frame rate."""

    @property
    def has_ptz(self) -> bool:
        """Whether the lens can turn."""

    def frame(self, seconds: float, position: PtzPosition) -> NDArray[np.uint8]:
        """The picture `seconds` after the script began, seen through the lens at `position`; (height, width, 3) BGR."""
