"""Pictures of an event: the still that travels, the crop that is embedded, how good the picture was."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from matpho_contracts.events import Quality
from matpho_contracts.geometry import Box

MAX_SIDE = 960
MAX_STILL_BYTES = 200 * 1024
CROP_MARGIN = 0.15
"""How much of the surroundings the crop of the main object keeps on each side, as a share of the object."""
MIN_CROP = 8
_QUALITIES = (88, 80, 70, 60, 50, 40, 30, 20)

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Still:
    """A JPEG with its digest and size."""

    jpeg: bytes
    sha256: str
    width: int
    height: int


def shrink(picture: Picture, side: int = MAX_SIDE) -> Picture:
    """The picture with its longer side at most `side`; the same object when it is small enough."""
    height, width = picture.shape[:2]
    ratio = side / max(height, width)
    if ratio >= 1:
        return picture
    size = (max(1, round(width * ratio)), max(1, round(height * ratio)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def make_still(picture: Picture) -> Still:
    """A JPEG of at most MAX_STILL_BYTES whose longer side is at most MAX_SIDE."""
    small = shrink(picture)
    while True:
        for quality in _QUALITIES:
            done, encoded = cv2.imencode(".jpg", small, (cv2.IMWRITE_JPEG_QUALITY, quality))
            jpeg = encoded.tobytes()
            if done and len(jpeg) <= MAX_STILL_BYTES:
                return Still(jpeg, hashlib.sha256(jpeg).hexdigest(), small.shape[1], small.shape[0])
        small = shrink(small, max(small.shape[:2]) * 3 // 4)


def crop(picture: Picture, box: Box, margin: float = 0.0) -> Picture | None:
    """The part under a normalised box with a margin; None when nothing worth a look is left."""
    height, width = picture.shape[:2]
    across, down = (box.x2 - box.x1) * margin, (box.y2 - box.y1) * margin
    left, right = int(max(0.0, box.x1 - across) * width), int(np.ceil(min(1.0, box.x2 + across) * width))
    top, bottom = int(max(0.0, box.y1 - down) * height), int(np.ceil(min(1.0, box.y2 + down) * height))
    if right - left < MIN_CROP or bottom - top < MIN_CROP:
        return None
    return picture[top:bottom, left:right]


def quality(luma: NDArray[np.uint8]) -> Quality:
    """Brightness and sharpness, judged at about 640 columns so that cameras compare."""
    ratio = max(1, round(luma.shape[1] / 640))
    small = cv2.resize(luma, (max(1, luma.shape[1] // ratio), max(1, luma.shape[0] // ratio)))
    edges = cv2.Laplacian(small, cv2.CV_16S, ksize=1)
    spread = float(cv2.meanStdDev(edges)[1][0, 0]) ** 2
    return Quality(brightness=float(cv2.mean(small)[0]) / 255.0, sharpness=min(round(spread, 3), 1e6))
