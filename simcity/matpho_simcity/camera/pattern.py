"""A test picture for a camera without a city: stripes, a clock in cells, a moving block, a lens that shifts it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matpho_simcity.video import PtzPosition

CELLS = 16
CELL_PIXELS = 8
BLOCK_PIXELS = 60
BLOCK_SPEED = 60  # pixels a second
SHIFT_PIXELS = 100  # per unit of pan


class PatternSource:
    """A `VideoSource` cheap enough for tests. `moves` False makes it a still; `failures` lets the next pictures fail.

    The top row's cells spell the tenths of a second since the beginning in binary, least significant bit first.
    """

    def __init__(
        self, size: tuple[int, int] = (640, 360), frames_per_second: float = 10.0, *, has_ptz: bool = True
    ) -> None:
        self.size = size
        self.frames_per_second = frames_per_second
        self.has_ptz = has_ptz
        self.moves = True
        self.failures = 0
        width, height = size
        ramp = np.linspace(40, 200, width, dtype=np.float32)[None, :, None]
        stripes = 30 * np.sin(np.arange(height, dtype=np.float32) / 9)[:, None, None]
        self._ground: NDArray[np.uint8] = np.repeat((ramp + stripes).clip(0, 255).astype(np.uint8), 3, axis=2)

    def frame(self, seconds: float, position: PtzPosition) -> NDArray[np.uint8]:
        """The picture at `seconds`; (height, width, 3) BGR."""
        if self.failures > 0:
            self.failures -= 1
            raise RuntimeError("The test picture fails on purpose.")
        picture = np.roll(self._ground, -round(position.pan * SHIFT_PIXELS), axis=1)
        if self.moves:
            for bit in range(CELLS):
                cell = slice(bit * CELL_PIXELS, (bit + 1) * CELL_PIXELS)
                picture[:CELL_PIXELS, cell] = 255 if int(seconds * 10) >> bit & 1 else 0
            left = int(seconds * BLOCK_SPEED) % (self.size[0] - BLOCK_PIXELS)
            top = self.size[1] // 2
            picture[top : top + BLOCK_PIXELS, left : left + BLOCK_PIXELS] = (0, 0, 255)
        return picture
