"""Pictures into what an image tower takes: fitted to its square, RGB, normalised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from matpho_contracts.errors import BadInputError

MAX_SIDE = 16_384
"""Pixels; a longer picture is refused before any work is done on it."""

Fit = Literal["letterbox", "crop", "squash"]
Three = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class PictureInput:
    """How a model wants its pictures: `size` pixels square, `mean` and `std` per RGB channel on the scale 0 to 1.

    `fit`: `letterbox` shows the whole picture on a ground of the mean colour, `crop` cuts the middle square (what
    open_clip's models were trained on), `squash` stretches.
    """

    size: int
    mean: Three
    std: Three
    fit: Fit = "letterbox"


def fitted(picture: NDArray[np.uint8], wanted: PictureInput) -> NDArray[np.uint8]:
    """The BGR picture (height, width, 3) as a square of `wanted.size` pixels, still BGR.

    Raises BadInputError for anything that is not a three-channel 8-bit picture of 1 to 16,384 pixels a side.
    """
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise BadInputError(f"A picture must be (height, width, 3) of uint8, not {picture.shape} of {picture.dtype}.")
    height, width = picture.shape[:2]
    if not min(height, width) >= 1 or max(height, width) > MAX_SIDE:
        raise BadInputError(f"A picture of {width}x{height} pixels cannot be encoded.", action="1 to 16,384 a side.")
    if wanted.fit == "squash":
        return _resized(picture, wanted.size, wanted.size)
    scale = wanted.size / (max if wanted.fit == "letterbox" else min)(height, width)
    part = _resized(picture, max(1, round(height * scale)), max(1, round(width * scale)))
    height, width = part.shape[:2]
    if wanted.fit == "crop":
        top, left = (height - wanted.size) // 2, (width - wanted.size) // 2
        return part[top : top + wanted.size, left : left + wanted.size]
    square = np.empty((wanted.size, wanted.size, 3), dtype=np.uint8)
    square[:] = [round(channel * 255) for channel in reversed(wanted.mean)]
    top, left = (wanted.size - height) // 2, (wanted.size - width) // 2
    square[top : top + height, left : left + width] = part
    return square


def _resized(picture: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    way = cv2.INTER_AREA if height * width < picture.shape[0] * picture.shape[1] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (width, height), interpolation=way), dtype=np.uint8)


def as_input(squares: Sequence[NDArray[np.uint8]], wanted: PictureInput) -> NDArray[np.float32]:
    """(n, 3, size, size) float32 RGB of n fitted BGR squares."""
    stacked = np.stack(squares)[:, :, :, ::-1].astype(np.float32)
    mean = np.array(wanted.mean, dtype=np.float32) * np.float32(255)
    scale = np.float32(1) / (np.array(wanted.std, dtype=np.float32) * np.float32(255))
    normalised: NDArray[Any] = (stacked - mean) * scale
    return np.ascontiguousarray(normalised.transpose(0, 3, 1, 2), dtype=np.float32)
