"""Simple solids made of convex faces, thick lines and balls, with the order in which their parts are painted."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matpho_simcity.drawing.geometry import Floats
from matpho_simcity.drawing.palette import Bgr

Point = tuple[float, float, float]
FACE_POINTS = 10
"""Vertices a face may have; shorter ones repeat their last vertex."""


@dataclass(frozen=True, slots=True)
class Mesh:
    """A solid in its own axes (x right, y ahead, z up, origin on the ground at its middle), metres.

    `points` is (P, V + F, 3): one set per phase of movement, the V (`vertex_count`) corners and then the centre of
    the part that each face belongs to. Per face: `faces` (F, 10) corner numbers, `counts` (1 ball, 2 or more with
    `widths` > 0 a thick line, else a convex polygon), `colours` (F, 3) BGR 0..255, `normals` (F, 3) outward (zero for
    lines and balls), `layers` (F,) painted in rising order, `emissive` (F,) bool, `details` (F,) the least height in
    pixels of the whole at which it is worth painting. `extent` is (width, length, height), `radius` reaches
    everything from the foot.
    """

    points: Floats
    vertex_count: int
    faces: NDArray[np.int32]
    counts: list[int]
    count_array: NDArray[np.int64]
    width_array: Floats
    thick: NDArray[np.bool_]
    colours: Floats
    normals: Floats
    layers: Floats
    emissive: NDArray[np.bool_]
    details: Floats
    plates: tuple[tuple[Point, Point, Point, Point], ...]
    lamps: tuple[tuple[Point, Point, Bgr], ...]
    extent: tuple[float, float, float]
    radius: float


class MeshBuilder:
    """Collects parts; `begin` opens a convex part, the other calls add faces to the open one."""

    def __init__(self) -> None:
        self._points: list[Point] = []
        self._faces: list[list[int]] = []
        self._rows: list[tuple[Bgr, float, float, bool, float]] = []
        self._parts: list[int] = []
        self._centres: list[Point] = [(0.0, 0.0, 0.0)]
        self._layer = 0.0
        self.plates: list[tuple[Point, Point, Point, Point]] = []
        self.lamps: list[tuple[Point, Point, Bgr]] = []

    def begin(self, centre: Point, layer: float = 0.0) -> None:
        """Open a part whose faces look away from `centre`."""
        self._centres.append(centre)
        self._layer = layer

    def face(
        self, points: Iterable[Point], colour: Bgr, *, width: float = 0.0, emissive: bool = False, detail: float = 0.0
    ) -> None:
        """Add a face (or with `width` a thick line, or with one point a ball of that diameter) to the open part."""
        start = len(self._points)
        self._points.extend(points)
        self._faces.append(list(range(start, len(self._points))))
        self._rows.append((colour, width, self._layer, emissive, detail))
        self._parts.append(len(self._centres) - 1)

    def line(self, points: Iterable[Point], colour: Bgr, width: float, detail: float = 0.0) -> None:
        """Add a thick line through `points`."""
        self.face(points, colour, width=width, detail=detail)

    def ball(self, centre: Point, diameter: float, colour: Bgr, detail: float = 0.0, *, emissive: bool = False) -> None:
        """Add a ball."""
        self.face([centre], colour, width=diameter, detail=detail, emissive=emissive)

    def prism(
        self,
        profile: Sequence[Point],
        colour: Bgr,
        *,
        layer: float = 0.0,
        strips: dict[int, Bgr] | None = None,
        side: Bgr | None = None,
    ) -> None:
        """Add a part from its outline [(y, z, half width), ...], from the lower rear over the top to the lower front.

        `strips` recolours the face between point i and i + 1 (rear window, roof, windscreen, ...), `side` both flanks.
        """
        self.begin(_middle([(0.0, y, z) for y, z, _ in profile]), layer)
        for sign in (-1.0, 1.0):
            self.face([(sign * half, y, z) for y, z, half in profile], side or colour)
        for index, ((y0, z0, h0), (y1, z1, h1)) in enumerate(itertools.pairwise(profile)):
            own = (strips or {}).get(index, colour)
            self.face([(-h0, y0, z0), (h0, y0, z0), (h1, y1, z1), (-h1, y1, z1)], own)

    def box(
        self,
        x: tuple[float, float],
        y: tuple[float, float],
        z: tuple[float, float],
        colour: Bgr,
        *,
        layer: float = 0.0,
        taper: float = 1.0,
        detail: float = 0.0,
    ) -> None:
        """Add a box as a part; `taper` scales the top."""
        cx, cy = (x[0] + x[1]) / 2, (y[0] + y[1]) / 2
        hx, hy = (x[1] - x[0]) / 2, (y[1] - y[0]) / 2
        base = [(cx + sx * hx, cy + sy * hy, z[0]) for sx, sy in _CORNERS]
        top = [(cx + sx * hx * taper, cy + sy * hy * taper, z[1]) for sx, sy in _CORNERS]
        self.begin((cx, cy, (z[0] + z[1]) / 2), layer)
        for i in range(4):
            j = (i + 1) % 4
            self.face([base[i], base[j], top[j], top[i]], colour, detail=detail)
        self.face(top, colour, detail=detail)

    def side_panel(
        self,
        x: float,
        y: tuple[float, float],
        z: tuple[float, float],
        colour: Bgr,
        *,
        detail: float = 0.0,
        emissive: bool = False,
    ) -> None:
        """A rectangle on both flanks at half width `x` of the open part."""
        for s in (-x, x):
            self.face(
                [(s, y[0], z[0]), (s, y[1], z[0]), (s, y[1], z[1]), (s, y[0], z[1])],
                colour,
                detail=detail,
                emissive=emissive,
            )

    def end_panel(
        self,
        y: float,
        x: tuple[float, float],
        z: tuple[float, float],
        colour: Bgr,
        *,
        detail: float = 0.0,
        emissive: bool = False,
    ) -> None:
        """A rectangle across the front or the rear (at `y`) of the open part."""
        self.face(
            [(x[0], y, z[0]), (x[1], y, z[0]), (x[1], y, z[1]), (x[0], y, z[1])],
            colour,
            detail=detail,
            emissive=emissive,
        )

    def wheel(self, x: float, y: float, radius: float, tyre: Bgr, hub: Bgr) -> None:
        """A wheel on both flanks at half width `x` of the open part."""
        for s in (-x, x):
            self.face(_disc(s, y, radius, radius), tyre)
            self.face(_disc(s * 1.001, y, radius, radius * 0.5), hub, detail=26)

    def plate(self, y: float, z: float, size: tuple[float, float] = (0.5, 0.15)) -> None:
        """A licence plate across the front (y > 0) or the rear; `size` (width, height) in metres."""
        w, h = size[0] / 2, size[1] / 2
        left = -w if y < 0 else w
        self.plates.append(((left, y, z + h), (-left, y, z + h), (-left, y, z - h), (left, y, z - h)))

    def build(self, phases: Sequence[Sequence[Point]] | None = None) -> Mesh:
        """The finished mesh; `phases` replaces the vertices per phase of movement."""
        corners = np.array(self._points, dtype=np.float64)
        padded = [(face + [face[-1]] * FACE_POINTS)[:FACE_POINTS] for face in self._faces]
        faces = np.array(padded, dtype=np.int32)
        widths = np.array([row[1] for row in self._rows])
        centres = np.array(self._centres, dtype=np.float64)[self._parts]
        normals = _normals(corners, faces, centres)
        normals[widths > 0] = 0
        sets = [np.array(phase, dtype=np.float64) for phase in phases] if phases is not None else [corners]
        size = sets[0].max(axis=0) - sets[0].min(axis=0)
        counts = [len(face) for face in self._faces]
        return Mesh(
            points=np.stack([np.concatenate([own, centres]) for own in sets]),
            vertex_count=len(corners),
            faces=faces,
            counts=counts,
            count_array=np.array(counts),
            width_array=widths,
            thick=widths > 0,
            colours=np.array([row[0] for row in self._rows]),
            normals=normals,
            layers=np.array([row[2] for row in self._rows]),
            emissive=np.array([row[3] for row in self._rows], dtype=bool),
            details=np.array([row[4] for row in self._rows]),
            plates=tuple(self.plates),
            lamps=tuple(self.lamps),
            extent=(float(size[0]), float(size[1]), float(sets[0][:, 2].max())),
            radius=float(np.linalg.norm(sets[0], axis=1).max()),
        )

    @property
    def points(self) -> list[Point]:
        """The vertices so far."""
        return self._points


_CORNERS = ((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0))


def _middle(points: Sequence[Point]) -> Point:
    n = len(points)
    return sum(p[0] for p in points) / n, sum(p[1] for p in points) / n, sum(p[2] for p in points) / n


def _disc(x: float, y: float, z: float, radius: float, corners: int = 10) -> list[Point]:
    turn = 2 * math.pi / corners
    return [(x, y + radius * math.cos(i * turn), z + radius * math.sin(i * turn)) for i in range(corners)]


def _normals(points: Floats, faces: NDArray[np.int32], centres: Floats) -> Floats:
    """Unit normals that look away from the centre of each face's part (Newell's method: faces may be bent)."""
    corners = points[faces]
    normal: Floats = np.cross(corners, np.roll(corners, -1, axis=1)).sum(axis=1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    outward = (corners.mean(axis=1) - centres) * normal
    normal[outward.sum(axis=1) < 0] *= -1
    return normal
