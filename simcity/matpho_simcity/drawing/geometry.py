"""A pinhole camera over a flat world: x to the right of the main street, y along it, z up, all in metres."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matpho_simcity.video import PtzPosition

Floats = NDArray[np.floating[Any]]
Picture = NDArray[np.uint8]

NEAR_PLANE = 0.4
"""Metres in front of the lens before which nothing is drawn."""
COORDINATE_LIMIT = 6000.0
"""Pixels; projected points are clamped here so that fixed-point drawing cannot overflow."""


@dataclass(frozen=True)
class Camera:
    """A lens at (x, y, z) metres; `heading` degrees clockwise from +y, `tilt` below the horizon, `focal` pixels."""

    x: float
    y: float
    z: float
    heading: float
    tilt: float
    focal: float
    width: int
    height: int

    @cached_property
    def rotation(self) -> Floats:
        """(3, 3): world axes to camera axes (right, down, forward)."""
        h, d = math.radians(self.heading), math.radians(self.tilt)
        ahead = np.array([math.sin(h), math.cos(h), 0.0])
        right = np.array([math.cos(h), -math.sin(h), 0.0])
        up = np.array([0.0, 0.0, 1.0])
        down = -math.sin(d) * ahead - math.cos(d) * up
        forward = math.cos(d) * ahead - math.sin(d) * up
        return np.stack([right, down, forward])

    @cached_property
    def position(self) -> Floats:
        """(3,): where the lens is, metres."""
        return np.array([self.x, self.y, self.z])

    def to_camera(self, points: Floats) -> Floats:
        """(N, 3) world metres to (N, 3) camera axes."""
        return (points - self.position) @ self.rotation.T

    def to_pixels(self, seen: Floats) -> Floats:
        """(N, 3) camera axes (all in front of the lens) to (N, 2) pixels."""
        pixels = seen[:, :2] * (self.focal / seen[:, 2:3])
        pixels += (self.width / 2, self.height / 2)
        return np.clip(pixels, -COORDINATE_LIMIT, COORDINATE_LIMIT)

    def project(self, points: Floats) -> tuple[Floats, Floats]:
        """(N, 3) world metres to ((N, 2) pixels, (N,) depth in metres); depth <= 0 means behind the lens."""
        seen = self.to_camera(np.asarray(points, dtype=float))
        depth = seen[:, 2].copy()
        seen[:, 2] = np.maximum(depth, 1e-3)
        return self.to_pixels(seen), depth

    def polygon(self, points: Floats) -> Floats:
        """(N, 3) world polygon to (M, 2) pixels, cut where it leaves the view; M is 0 where nothing of it is in it."""
        cut = self.clip(self.to_camera(np.asarray(points, dtype=float)))
        return self.to_pixels(cut) if len(cut) >= 3 else np.zeros((0, 2))

    def clip(self, seen: Floats, margin: float = 1.1) -> Floats:
        """Cut an (N, 3) convex polygon in camera axes to `margin` times what the lens sees."""
        wide, tall = self.width * margin / 2 / self.focal, self.height * margin / 2 / self.focal
        planes = np.array([(0, 0, 1), (1, 0, wide), (-1, 0, wide), (0, 1, tall), (0, -1, tall)])
        inside = seen @ planes.T >= (NEAR_PLANE, 0, 0, 0, 0)
        if not inside.any(axis=0).all():
            return np.zeros((0, 3))
        for number in np.flatnonzero(~inside.all(axis=0)):
            seen = _cut(seen, planes[number], NEAR_PLANE if number == 0 else 0.0)
            if len(seen) < 3:
                break
        return seen

    def ground_at(self, u: float, v: float) -> tuple[float, float] | None:
        """World (x, y) of the ground under pixel (u, v), or None at and above the horizon."""
        ray = self.rotation.T @ np.array([(u - self.width / 2) / self.focal, (v - self.height / 2) / self.focal, 1.0])
        if ray[2] > -1e-4:
            return None
        reach = -self.z / ray[2]
        return float(self.x + reach * ray[0]), float(self.y + reach * ray[1])


def _cut(seen: Floats, plane: Floats, limit: float) -> Floats:
    """The part of a polygon where `plane` . point >= `limit` (one step of Sutherland and Hodgman's algorithm)."""
    distance = seen @ plane - limit
    kept: list[Floats] = []
    count = len(seen)
    for index in range(count):
        after = (index + 1) % count
        if distance[index] >= 0:
            kept.append(seen[index])
        if (distance[index] >= 0) != (distance[after] >= 0):
            share = distance[index] / (distance[index] - distance[after])
            kept.append(seen[index] + share * (seen[after] - seen[index]))
    return np.array(kept).reshape(-1, 3)


@dataclass(frozen=True, slots=True)
class Mount:
    """How a camera hangs at home, and how far its head turns (degrees at pan or tilt 1, zoom factor at zoom 1)."""

    x: float
    y: float
    z: float
    heading: float
    tilt: float
    field_of_view: float
    pan_range: float = 170.0
    tilt_range: float = 60.0
    zoom_factor: float = 6.0

    def camera(self, size: tuple[int, int], position: PtzPosition | None = None) -> Camera:
        """The lens for a (width, height) picture at `position` (home when None)."""
        width, height = size
        focal = width / 2 / math.tan(math.radians(self.field_of_view) / 2)
        home = Camera(self.x, self.y, self.z, self.heading, self.tilt, focal, width, height)
        if position is None:
            return home
        return replace(
            home,
            heading=self.heading + position.pan * self.pan_range,
            tilt=min(89.0, max(-30.0, self.tilt - position.tilt * self.tilt_range)),
            focal=focal * (1 + position.zoom * (self.zoom_factor - 1)),
        )
