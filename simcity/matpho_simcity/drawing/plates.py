"""Licence plates as small textures, readable when the camera is near enough."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from matpho_simcity.drawing.geometry import Floats, Picture
from matpho_simcity.drawing.palette import PLATE_WHITE, PLATE_YELLOW

READABLE_WIDTH = 16.0
"""Pixels across from which the characters are painted."""


@lru_cache(maxsize=512)
def plate_texture(number: str, *, yellow: bool, square: bool) -> Picture:
    """The plate of `number`, (H, W, 3) BGR; `square` in two lines."""
    height, width = (96, 128) if square else (48, 168)
    image: Picture = np.zeros((height, width, 3), np.uint8)
    image[:] = PLATE_YELLOW if yellow else PLATE_WHITE
    cv2.rectangle(image, (2, 2), (width - 3, height - 3), (40, 40, 40), 2)
    lines = number.replace("-", "-\n", 1).split("\n") if square else [number]
    if square and " " in number:
        lines = number.split(" ", 1)
    room = height / len(lines)
    for index, line in enumerate(lines):
        text = line.strip("-") if square and " " not in number else line
        (w, h), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 3)
        scale = min((width - 14) / w, (room - 10) / h)
        origin = (int((width - w * scale) / 2), int(room * index + (room + h * scale) / 2))
        cv2.putText(
            image, text, origin, cv2.FONT_HERSHEY_SIMPLEX, scale, (20, 20, 24), max(2, round(3 * scale)), cv2.LINE_AA
        )
    return image


def paint_plate(image: Picture, corners: Floats, texture: Picture, gain: tuple[float, float, float]) -> None:
    """Lay `texture` over (4, 2) pixel `corners` (from the upper left, clockwise) of an (H, W, 4) image."""
    left, top = np.floor(corners.min(axis=0)).astype(int)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int) + 1
    if left < 0 or top < 0 or right > image.shape[1] or bottom > image.shape[0]:
        return
    height, width = texture.shape[:2]
    source = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    shrink = max(1.0, width / max(4.0, float(right - left)) / 1.5)
    if shrink > 1.5:
        smaller = (max(4, int(width / shrink)), max(3, int(height / shrink)))
        texture = np.asarray(cv2.resize(texture, smaller, interpolation=cv2.INTER_AREA), np.uint8)
        source *= (texture.shape[1] / width, texture.shape[0] / height)
    target = (corners - (left, top)).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(source, target)
    size = (int(right - left), int(bottom - top))
    turned = cv2.warpPerspective(texture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mask = np.zeros((size[1], size[0]), np.uint8)
    cv2.fillConvexPoly(mask, np.round(target).astype(np.int32), 255)
    region = image[top:bottom, left:right, :3]
    lit = np.clip(turned * np.array(gain, np.float32), 0, 255).astype(np.uint8)
    np.copyto(region, lit, where=(mask > 0)[:, :, None])
