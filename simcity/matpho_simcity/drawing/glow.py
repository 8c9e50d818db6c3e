"""Lights that shine: head and tail lamps, beacons, traffic lights and the glare of fire."""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from matpho_simcity.drawing.atmosphere import Atmosphere, Light, Weather
from matpho_simcity.drawing.batch import Solid
from matpho_simcity.drawing.geometry import NEAR_PLANE, Camera, Picture

LARGEST = 160
"""Pixels across beyond which a lamp's halo does not grow."""
_BEACON_HERTZ = 5.0
_POWER = {Light.DAY: 0.45, Light.DUSK: 0.75, Light.NIGHT: 1.0}


def _halo(size: int) -> NDArray[np.float32]:
    """(size, size) soft disc, 1 in the middle."""
    axis = (np.arange(size) + 0.5) / size * 2 - 1
    squared = axis[None, :] ** 2 + axis[:, None] ** 2
    soft = np.clip(1 - np.sqrt(squared), 0, 1) ** 2.2
    return np.asarray(soft, np.float32)


@lru_cache(maxsize=512)
def _light(size: int, blue: int, green: int, red: int, *, smear: bool = False) -> Picture:
    """A lamp's halo, or with `smear` its reflection on wet ground, as (H, W, 4) light to add; nothing in the fourth."""
    soft = _halo(size)
    if smear:
        soft = np.asarray(cv2.resize(soft, (max(1, size // 2), size * 3)), np.float32)
    light: Picture = (soft[:, :, None] * np.array((blue, green, red, 0), np.float32)).astype(np.uint8)
    return light


def _shade(size: int, colour: tuple[float, float, float], power: float) -> tuple[int, int, int, int]:
    """Size and colour in steps, so that few lights have to be made."""
    step = 1 if size < 24 else 4 if size < 80 else 16
    blue, green, red = (min(255, int(channel * power / 8) * 8) for channel in colour)
    return max(5, size // step * step), blue, green, red


class Glow:
    """Adds light to pictures of one lens under one atmosphere."""

    def __init__(self, camera: Camera, air: Atmosphere) -> None:
        self._camera, self._air = camera, air

    def lamps(self, image: Picture, solid: Solid, seconds: float) -> None:
        """The lamps of a vehicle that look towards the lens."""
        for index, (at, direction, colour) in enumerate(solid.mesh.lamps):
            beacon = direction[2] > 0.5
            if (beacon and int(seconds * _BEACON_HERTZ + index) % 2) or not (beacon or self._air.headlights):
                continue
            x, y, z = (solid.turn @ np.array(at) + solid.shift).tolist()
            if z < NEAR_PLANE:
                continue
            ahead = (solid.turn @ np.array(direction)).tolist()
            towards = -(ahead[0] * x + ahead[1] * y + ahead[2] * z) / math.sqrt(x * x + y * y + z * z)
            if not beacon and towards < 0.1:
                continue
            front = direction[1] > 0
            reach, power = (
                (1.4, 0.9)
                if beacon
                else (1.5, 0.35 + 0.65 * towards)
                if front
                else (0.7, 0.6 * (0.35 + 0.65 * towards))
            )
            u, v = (
                self._camera.focal * x / z + self._camera.width / 2,
                self._camera.focal * y / z + self._camera.height / 2,
            )
            self.add(
                image,
                int(u),
                int(v),
                int(reach * self._camera.focal / solid.depth),
                colour,
                power * _POWER[self._air.light],
            )

    def fire(self, image: Picture, u: float, v: float, size: float) -> None:
        """The glare of a fire `size` pixels across."""
        by_day = self._air.light is Light.DAY
        reach = int(min(400, size * (1.6 if by_day else 2.6)))
        if reach >= 6:
            shade = _shade(reach, (20, 110, 220), 0.25 if by_day else 0.6)
            self._lay(image, int(u) - shade[0] // 2, int(v) - shade[0] // 2, _light(*shade))

    def add(self, image: Picture, u: int, v: int, size: int, colour: tuple[float, float, float], power: float) -> None:
        """A halo `size` pixels across round (u, v), and its reflection when the ground is wet."""
        shade = _shade(min(LARGEST, size), colour, power)
        size = shade[0]
        self._lay(image, u - size // 2, v - size // 2, _light(*shade))
        if self._air.weather is Weather.RAIN and size >= 8:
            reflection = _light(*_shade(size, colour, power * 0.4), smear=True)
            self._lay(image, u - size // 4, v + size // 2, reflection)

    def _lay(self, image: Picture, u: int, v: int, light: Picture) -> None:
        height, width = light.shape[:2]
        x0, y0, x1, y1 = max(0, u), max(0, v), min(self._camera.width, u + width), min(self._camera.height, v + height)
        if x0 >= x1 or y0 >= y1:
            return
        region = image[y0:y1, x0:x1]
        cv2.add(region, light[y0 - v : y1 - v, x0 - u : x1 - u], region)
