"""Constant-velocity Kalman filters of all tracks at once: four independent coordinates, plain array arithmetic."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matpho_edge.detections import Boxes

MAX_STEP_S = 1.5
"""Nothing is extrapolated farther than this: after a long gap a straight line means nothing."""
_POSITION_NOISE = 0.08
"""Standard deviation of a detector's box, as a share of the box's size."""
_VELOCITY_NOISE = 0.9
"""How fast a velocity may change, in box sizes per second squared."""
_FIRST_VELOCITY = 2.0
"""Standard deviation of an unknown velocity, in box sizes per second."""


class Motion:
    """State of n boxes as (centre x, centre y, width, height), each with its own velocity and 2x2 covariance."""

    def __init__(self) -> None:
        self._place = np.zeros((0, 4), np.float64)
        self._speed = np.zeros((0, 4), np.float64)
        self._var = np.zeros((0, 4, 3), np.float64)
        """Variances of place, of place with speed, of speed."""

    def add(self, box: NDArray[np.float32]) -> None:
        """Begin to follow a box (4,)."""
        place = _to_centre(box[None, :])
        size = _scale(place)
        var = np.stack([(size * _POSITION_NOISE) ** 2, np.zeros_like(size), (size * _FIRST_VELOCITY) ** 2], axis=2)
        var[:, 2:, 2] *= 0.05
        self._place = np.concatenate([self._place, place])
        self._speed = np.concatenate([self._speed, np.zeros_like(place)])
        self._var = np.concatenate([self._var, var])

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Forget the boxes whose mask is false."""
        self._place, self._speed, self._var = self._place[mask], self._speed[mask], self._var[mask]

    def predict(self, seconds: float) -> None:
        """Move every box on by `seconds`."""
        step = min(max(seconds, 0.0), MAX_STEP_S)
        if step == 0.0 or not len(self._place):
            return
        self._place = self._place + self._speed * step
        self._place[:, 2:] = np.maximum(self._place[:, 2:], 1e-4)
        noise = (_scale(self._place) * _VELOCITY_NOISE) ** 2
        place, cross, speed = self._var[..., 0], self._var[..., 1], self._var[..., 2]
        self._var = np.stack(
            [
                place + 2 * step * cross + step * step * speed + noise * step**4 / 4,
                cross + step * speed + noise * step**3 / 2,
                speed + noise * step**2,
            ],
            axis=2,
        )

    def correct(self, row: int, box: NDArray[np.float32]) -> None:
        """Take in where box `row` was really seen."""
        seen = _to_centre(box[None, :])[0]
        place, cross, speed = self._var[row, :, 0], self._var[row, :, 1], self._var[row, :, 2]
        noise = (_scale(seen[None, :])[0] * _POSITION_NOISE) ** 2
        gain, speed_gain = place / (place + noise), cross / (place + noise)
        error = seen - self._place[row]
        self._place[row] += gain * error
        self._speed[row] += speed_gain * error
        self._var[row] = np.stack([(1 - gain) * place, (1 - gain) * cross, speed - speed_gain * cross], axis=1)

    def boxes(self) -> Boxes:
        """Where everything is expected now, (n, 4) corners."""
        half = self._place[:, 2:] / 2
        centre = self._place[:, :2]
        return np.concatenate([centre - half, centre + half], axis=1).astype(np.float32)


def _to_centre(boxes: NDArray[np.float32]) -> NDArray[np.float64]:
    wide = boxes.astype(np.float64)
    return np.concatenate([(wide[:, :2] + wide[:, 2:]) / 2, np.maximum(wide[:, 2:] - wide[:, :2], 1e-4)], axis=1)


def _scale(place: NDArray[np.float64]) -> NDArray[np.float64]:
    """The box's own size in each coordinate, (n, 4): noise is judged against it."""
    return np.concatenate([place[:, 2:], place[:, 2:]], axis=1)
