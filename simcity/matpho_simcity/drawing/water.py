"""Water that moves: ripples on a river, and floods that rise on the road when it rains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from matpho_simcity.drawing.atmosphere import Atmosphere, Light
from matpho_simcity.drawing.background import Painted, ground_under, sample_relief
from matpho_simcity.drawing.geometry import Camera, Floats, Picture
from matpho_simcity.world.scene import Flood, Material

_RIVER_FLOW, _FLOOD_FLOW = (0.25, -0.9), (0.35, 0.3)
"""Metres a second across and along the street."""
_RIPPLES = {Light.DAY: 1.0, Light.DUSK: 0.6, Light.NIGHT: 0.35}
_CORNERS = 28


@dataclass(frozen=True, slots=True)
class _Reach:
    """Water in the picture: the rows and columns it lies in, its mask there, and where its pixels are, metres."""

    rows: slice
    columns: slice
    mask: NDArray[np.bool_]
    x: NDArray[np.float32]
    y: NDArray[np.float32]


class Water:
    """The water of one scene through one lens under one atmosphere."""

    def __init__(self, camera: Camera, air: Atmosphere, painted: Painted) -> None:
        self._camera, self._air = camera, air
        self._open = painted.cover <= 0
        self._river_mask = (painted.ground == Material.WATER) & self._open
        self._strength = np.float32(_RIPPLES[air.light])

    def flow(self, image: Picture, seconds: float) -> None:
        """Move the ripples of a river in the lit picture (H, W, 4)."""
        if self._river is not None:
            before, now = (self._waves(self._river, _RIVER_FLOW, moment) for moment in (0.0, seconds))
            _add(image, self._river, (now - before) * np.float32(1.3) * self._strength)

    def flood(self, image: Picture, floods: Sequence[Flood], seconds: float) -> None:
        """Lay floods over the open ground: the sky in them, darker at their rims."""
        for flood in floods:
            reach = self._reach(self._outline(flood))
            if reach is None:
                continue
            part = image[reach.rows, reach.columns, :3]
            sky = np.array(self._air.sky[1], np.float32) * np.float32(0.75)
            depth = np.float32(0.3 + 0.4 * flood.risen)
            lying = part.astype(np.float32) * (1 - depth) + sky * depth
            ripples = self._waves(reach, _FLOOD_FLOW, seconds) * self._strength * np.float32(0.8)
            wet = np.clip(lying + ripples[:, :, None], 0, 255).astype(np.uint8)
            np.copyto(part, wet, where=reach.mask[:, :, None])

    @cached_property
    def _river(self) -> _Reach | None:
        return self._within(self._river_mask)

    def _outline(self, flood: Flood) -> Floats:
        """(N, 3) metres: an uneven ring that has grown as far as the water has risen."""
        turns = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
        uneven = 1 + 0.14 * np.sin(3 * turns + flood.x) + 0.08 * np.sin(5 * turns + flood.y)
        grown = (0.35 + 0.65 * flood.risen) * uneven
        x = flood.x + flood.wide / 2 * grown * np.cos(turns)
        y = flood.y + flood.long / 2 * grown * np.sin(turns)
        return np.stack([x, y, np.zeros(_CORNERS)], axis=1)

    def _reach(self, ring: Floats) -> _Reach | None:
        outline = self._camera.polygon(ring)
        if len(outline) < 3:
            return None
        mask: Picture = np.zeros(self._open.shape, np.uint8)
        cv2.fillPoly(mask, [(outline * 16).astype(np.int32)], 1, 8, 4)
        return self._within((mask > 0) & self._open)

    def _within(self, mask: NDArray[np.bool_]) -> _Reach | None:
        if not mask.any():
            return None
        left, top, wide, high = cv2.boundingRect(mask.astype(np.uint8))
        rows, columns = slice(top, top + high), slice(left, left + wide)
        x, y = ground_under(self._camera, rows, columns)
        return _Reach(rows, columns, mask[rows, columns], x, y)

    def _waves(self, reach: _Reach, flow: tuple[float, float], seconds: float) -> NDArray[np.float32]:
        return sample_relief("wave", reach.x + np.float32(flow[0] * seconds), reach.y + np.float32(flow[1] * seconds))


def _add(image: Picture, reach: _Reach, relief: NDArray[np.float32]) -> None:
    part = image[reach.rows, reach.columns, :3]
    changed = np.clip(part.astype(np.float32) + relief[:, :, None], 0, 255).astype(np.uint8)
    np.copyto(part, changed, where=reach.mask[:, :, None])
