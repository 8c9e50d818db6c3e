"""The still part of a picture: painted once for a lens, then lit for an atmosphere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matpho_simcity.drawing.atmosphere import Atmosphere, Light, Weather, lamp_field
from matpho_simcity.drawing.geometry import Camera, Floats, Picture
from matpho_simcity.world.scene import Cutout, Material, Panel, Scene, Wall, Wire

_COLOURS: dict[Material, tuple[float, float, float]] = {
    Material.NONE: (0, 0, 0),
    Material.ASPHALT: (104, 104, 106),
    Material.PAVING: (150, 158, 168),
    Material.WHITE_PAINT: (214, 216, 216),
    Material.YELLOW_PAINT: (50, 178, 222),
    Material.KERB: (176, 178, 180),
    Material.GRASS: (62, 118, 92),
    Material.SOIL: (92, 126, 158),
    Material.WATER: (104, 108, 84),
    Material.CONCRETE: (146, 150, 152),
}
_TILE = 512
_TILE_METRES = {"fine": 6.0, "paving": 6.0, "coarse": 40.0, "wave": 14.0}


@dataclass(frozen=True, slots=True)
class Painted:
    """A scene through one lens, unlit: `image` (H, W, 4) BGR + glow, `inverse_depth` (H, W) 1/m of everything,
    `cover` (H, W) 1/m of what stands up and may hide movers (0 elsewhere), `ground` (H, W) material numbers."""

    image: Picture
    inverse_depth: NDArray[np.float32]
    cover: NDArray[np.float32]
    ground: Picture


@cache
def _textures() -> dict[str, NDArray[np.float32]]:
    """Tileable relief maps around 0, one per kind of ground."""
    noise = np.random.default_rng(7)

    def cloud(cells: int) -> NDArray[np.float32]:
        grid = noise.normal(0, 1, (cells, cells)).astype(np.float32)
        big = cv2.resize(np.tile(grid, (3, 3)), (_TILE * 3, _TILE * 3), interpolation=cv2.INTER_CUBIC)
        return np.asarray(big[_TILE : 2 * _TILE, _TILE : 2 * _TILE], np.float32)

    fine = cloud(256) * 7 + cloud(512) * 5 + cloud(32) * 3
    paving = cloud(128) * 4 + cloud(64) * 3
    step = _TILE // 12
    for line in range(0, _TILE, step):
        paving[line : line + 2, :] -= 26
        paving[:, line : line + 2] -= 26
    for row in range(12):
        for column in range(12):
            paving[row * step : (row + 1) * step, column * step : (column + 1) * step] += noise.normal(0, 7)
    coarse = cloud(8) * 8 + cloud(24) * 5 + np.abs(cloud(48)) * 2
    wave = cloud(96) * 7 + cloud(24) * 8
    wave = np.asarray(cv2.blur(np.tile(wave, (1, 3)), (31, 1)), np.float32)[:, _TILE : 2 * _TILE]
    return {"fine": fine, "paving": paving, "coarse": coarse, "wave": wave}


def ground_under(camera: Camera, rows: slice, columns: slice) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where on the ground each pixel of a region below the horizon looks: x and y in metres, each (rows, columns)."""
    u = (np.arange(columns.start, columns.stop, dtype=np.float32) + 0.5 - camera.width / 2) / camera.focal
    v = (np.arange(rows.start, rows.stop, dtype=np.float32) + 0.5 - camera.height / 2) / camera.focal
    rotation = camera.rotation
    inverse = np.maximum(-(v * rotation[1, 2] + rotation[2, 2]) / camera.z, 1e-5)
    ray_x = u[None, :] * rotation[0, 0] + v[:, None] * rotation[1, 0] + rotation[2, 0]
    ray_y = u[None, :] * rotation[0, 1] + v[:, None] * rotation[1, 1] + rotation[2, 1]
    x = (camera.x + ray_x / inverse[:, None]).astype(np.float32)
    return x, (camera.y + ray_y / inverse[:, None]).astype(np.float32)


def sample_relief(name: str, x: Floats, y: Floats) -> NDArray[np.float32]:
    """The relief of a kind of ground ("fine", "coarse", "paving", "wave") at places in metres."""
    factor = _TILE / _TILE_METRES[name]
    u = np.mod(x * factor, _TILE).astype(np.float32)
    v = np.mod(y * factor, _TILE).astype(np.float32)
    return np.asarray(cv2.remap(_textures()[name], u, v, cv2.INTER_NEAREST), np.float32)


class Painter:
    """Paints the still parts of a scene into a z-buffer."""

    def __init__(self, camera: Camera) -> None:
        self.camera = camera
        h, w = camera.height, camera.width
        self.image: Picture = np.zeros((h, w, 4), np.uint8)
        self.depth: NDArray[np.float32] = np.zeros((h, w), np.float32)
        self.cover: NDArray[np.float32] = np.zeros((h, w), np.float32)
        self.materials: Picture = np.zeros((h, w), np.uint8)
        self._u = (np.arange(w, dtype=np.float32) + 0.5 - w / 2) / camera.focal
        self._v = (np.arange(h, dtype=np.float32) + 0.5 - h / 2) / camera.focal

    def paint(self, scene: Scene) -> Painted:
        """All of `scene`: ground first, then everything upright in any order."""
        self._ground(scene)
        for wall in scene.walls:
            self._wall(wall)
        for panel in scene.panels:
            self._panel(panel)
        for cutout in sorted(scene.cutouts, key=lambda c: -((c.x - self.camera.x) ** 2 + (c.y - self.camera.y) ** 2)):
            self._cutout(cutout)
        for wire in scene.wires:
            self._wire(wire)
        return Painted(self.image, self.depth, self.cover, self.materials)

    def _ground(self, scene: Scene) -> None:
        camera = self.camera
        for surface in scene.surfaces:
            outline = camera.polygon(surface.ring)
            if len(outline) >= 3:
                cv2.fillPoly(self.materials, [(outline * 16).astype(np.int32)], int(surface.material), 8, 4)
        down = camera.rotation[:, 2]
        slope = (self._v * down[1] + down[2]).astype(np.float32)
        rows = slope < -1e-4
        inverse = np.where(rows, -slope / camera.z, 0).astype(np.float32)
        self.depth[:] = inverse[:, None]
        self.depth[self.materials == 0] = 0
        first = int(np.argmax(rows)) if rows.any() else camera.height
        if first < camera.height:
            self._texture(first, inverse[first:, None])

    def _texture(self, first: int, inverse: NDArray[np.float32]) -> None:
        """Colour the rows from `first` down by material and relief."""
        x, y = ground_under(self.camera, slice(first, self.camera.height), slice(0, self.camera.width))
        kinds = self.materials[first:]
        relief = sample_relief("fine", x, y) * np.clip(14 * inverse, 0.12, 1.0) + sample_relief("coarse", x, y)
        paving = kinds == Material.PAVING
        if paving.any():
            relief += np.where(paving, sample_relief("paving", x, y) * np.clip(9 * inverse - 0.1, 0.0, 1.0), 0)
        water = kinds == Material.WATER
        if water.any():
            relief = np.where(water, sample_relief("wave", x, y) * 1.3, relief)
        grass = (kinds == Material.GRASS) | (kinds == Material.SOIL)
        relief = np.where(grass, relief * 1.9, relief)
        table = np.array([_COLOURS[material] for material in Material], np.float32)
        self.image[first:, :, :3] = np.clip(table[kinds] + relief[:, :, None], 0, 255).astype(np.uint8)
        far = self.materials[:first] > 0
        if far.any():
            self.image[:first][far, :3] = table[self.materials[:first][far]].astype(np.uint8)

    def _region(self, outline: Floats) -> tuple[slice, slice, Picture] | None:
        """The rows and columns an outline touches, and its mask there."""
        left, top = np.floor(outline.min(axis=0)).astype(int)
        right, bottom = np.ceil(outline.max(axis=0)).astype(int) + 1
        left, top = max(0, int(left)), max(0, int(top))
        right, bottom = min(self.camera.width, int(right)), min(self.camera.height, int(bottom))
        if left >= right or top >= bottom:
            return None
        mask: Picture = np.zeros((bottom - top, right - left), np.uint8)
        cv2.fillPoly(mask, [((outline - (left, top)) * 16).astype(np.int32)], 255, 8, 4)
        return slice(top, bottom), slice(left, right), mask

    def _plane(self, seen: Floats, rows: slice, columns: slice) -> NDArray[np.float32]:
        """1/depth over a region of the plane through (N, 3) camera-axes points."""
        origin = seen[0]
        (ax, ay, az), (bx, by, bz) = (seen[1] - origin).tolist(), (seen[2] - origin).tolist()
        normal = np.array((ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx))
        offset = float(normal @ origin)
        if abs(offset) < 1e-6:
            return np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.float32)
        a, b, c = (normal / offset).astype(np.float32)
        plane: NDArray[np.float32] = a * self._u[None, columns] + b * self._v[rows, None] + c
        return plane

    def _nearer(self, seen: Floats) -> tuple[slice, slice, NDArray[np.bool_], NDArray[np.float32]] | None:
        """Where a polygon in camera axes is in front of what is painted; None when nowhere."""
        cut = self.camera.clip(seen)
        if len(cut) < 3:
            return None
        region = self._region(self.camera.to_pixels(cut))
        if region is None:
            return None
        rows, columns, mask = region
        inverse = self._plane(seen, rows, columns)
        wins = (mask > 0) & (inverse >= self.depth[rows, columns] * 0.998)
        return rows, columns, wins, inverse

    def _settle(self, rows: slice, columns: slice, wins: NDArray[np.bool_], inverse: Any) -> None:
        np.copyto(self.depth[rows, columns], inverse, where=wins)
        np.copyto(self.cover[rows, columns], inverse, where=wins)

    def _wall(self, wall: Wall) -> None:
        camera = self.camera
        ring = np.array(
            [wall.corner, wall.corner + wall.along, wall.corner + wall.along + wall.down, wall.corner + wall.down]
        )
        found = self._nearer(camera.to_camera(ring))
        if found is None:
            return
        rows, columns, wins, inverse = found
        height, width = wall.texture.shape[:2]
        lens = np.array([[camera.focal, 0, camera.width / 2], [0, camera.focal, camera.height / 2], [0, 0, 1]])
        shift = np.array([[1, 0, -columns.start], [0, 1, -rows.start], [0, 0, 1.0]])
        frame = np.stack(
            [
                camera.rotation @ wall.along / width,
                camera.rotation @ wall.down / height,
                camera.rotation @ (wall.corner - camera.position),
            ],
            axis=1,
        )
        matrix = shift @ lens @ frame
        size = (columns.stop - columns.start, rows.stop - rows.start)
        smaller = np.sqrt(max(1.0, wall.texture.size / 4 / max(1.0, float(wins.sum()))))
        texture: Picture = wall.texture
        if smaller > 1.6:
            texture = np.asarray(
                cv2.resize(
                    texture, (max(2, int(width / smaller)), max(2, int(height / smaller))), interpolation=cv2.INTER_AREA
                ),
                np.uint8,
            )
            matrix = matrix @ np.diag([width / texture.shape[1], height / texture.shape[0], 1.0])
        turned = cv2.warpPerspective(texture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        np.copyto(self.image[rows, columns], turned, where=wins[:, :, None])
        self._settle(rows, columns, wins, inverse)

    def _panel(self, panel: Panel) -> None:
        found = self._nearer(self.camera.to_camera(panel.points))
        if found is None:
            return
        rows, columns, wins, inverse = found
        self.image[rows, columns][wins] = (*(int(c) for c in panel.colour), panel.glow)
        self._settle(rows, columns, wins, inverse)

    def _cutout(self, cutout: Cutout) -> None:
        camera = self.camera
        foot, depth = camera.project(np.array([[cutout.x, cutout.y, cutout.z]]))
        if depth[0] < 1.0:
            return
        scale = camera.focal / float(depth[0])
        width, height = int(cutout.width * scale), int(cutout.height * scale)
        left, top = int(foot[0, 0] - width / 2), int(foot[0, 1] - height)
        x0, y0, x1, y1 = max(0, left), max(0, top), min(camera.width, left + width), min(camera.height, top + height)
        if width < 3 or height < 3 or x0 >= x1 or y0 >= y1 or width > 4 * camera.width:
            return
        mode = cv2.INTER_AREA if width < cutout.sprite.shape[1] else cv2.INTER_LINEAR
        sprite = cv2.resize(cutout.sprite, (width, height), interpolation=mode)[
            y0 - top : y1 - top, x0 - left : x1 - left
        ]
        rows, columns = slice(y0, y1), slice(x0, x1)
        inverse = np.float32(1 / float(depth[0]))
        wins = (sprite[:, :, 3] > 110) & (inverse >= self.depth[rows, columns])
        drawn = sprite.copy()
        drawn[:, :, 3] = 0
        np.copyto(self.image[rows, columns], drawn, where=wins[:, :, None])
        self._settle(rows, columns, wins, np.broadcast_to(inverse, wins.shape))

    def _wire(self, wire: Wire) -> None:
        camera = self.camera
        points, depth = camera.project(wire.points)
        if float(depth.min()) < 0.8:
            return
        nearest = float(depth.mean())
        thickness = max(1, round(wire.width * camera.focal / nearest))
        outline = (points * 16).astype(np.int32)
        box = np.concatenate([points.min(axis=0) - thickness, points.max(axis=0) + thickness])
        x0, y0 = max(0, int(box[0])), max(0, int(box[1]))
        x1, y1 = min(camera.width, int(box[2]) + 2), min(camera.height, int(box[3]) + 2)
        if x0 >= x1 or y0 >= y1:
            return
        mask: Picture = np.zeros((y1 - y0, x1 - x0), np.uint8)
        cv2.polylines(mask, [outline - np.array([x0 * 16, y0 * 16], np.int32)], False, 255, thickness, cv2.LINE_8, 4)
        rows, columns = slice(y0, y1), slice(x0, x1)
        wins = (mask > 0) & (self.depth[rows, columns] < 1 / nearest)
        self.image[rows, columns][wins] = (*(int(c) for c in wire.colour), 0)
        if wire.width > 0.05:
            self._settle(rows, columns, wins, np.full(wins.shape, 1 / nearest, np.float32))


def light_up(painted: Painted, camera: Camera, scene: Scene, air: Atmosphere) -> Picture:
    """The picture of `painted` under `air`: (H, W, 4) BGR with a zero fourth channel."""
    height, width = painted.cover.shape
    colours = np.ascontiguousarray(painted.image[:, :, :3])
    if air.light is Light.DAY:
        image = np.asarray(colours * np.array(air.ambient, np.float32), np.float32)
    else:
        gain = np.empty((height, width, 3), np.float32)
        gain[:] = air.ambient
        gain += _pools(painted, camera, scene)[:, :, None] * np.array(air.lamp, np.float32)
        glow = painted.image[:, :, 3:4] * np.float32((0.9 if air.light is Light.NIGHT else 0.5) / 255)
        gain += glow * np.maximum(1.05 - gain, 0)
        image = colours * gain
    if air.weather is Weather.RAIN:
        image = _wet(image, painted.ground, painted.cover)
    depth = np.where(painted.inverse_depth > 0, 1 / np.maximum(painted.inverse_depth, 1e-4), 1e4).astype(np.float32)
    keep = cv2.exp(-depth * air.density)[:, :, None]
    image = image * keep + np.array(air.haze, np.float32) * (1 - keep)
    sky = (painted.inverse_depth <= 0) & (painted.ground == 0)
    if sky.any():
        rows = np.linspace(0, 1, height, dtype=np.float32)[:, None]
        horizon = max(1.0, float(np.flatnonzero(sky.any(axis=1)).max()) / height)
        share = np.clip(rows / horizon, 0, 1)
        band = np.array(air.sky[0], np.float32) * (1 - share) + np.array(air.sky[1], np.float32) * share
        clouds = cv2.resize(_textures()["coarse"][:96, :200], (width, height), interpolation=cv2.INTER_CUBIC)
        whole = band[:, None, :] + clouds[:, :, None] * (0.8 if air.light is Light.DAY else 0.25)
        np.copyto(image, whole, where=sky[:, :, None])
    out: Picture = np.zeros((height, width, 4), np.uint8)
    out[:, :, :3] = np.clip(image, 0, 255)
    return out


def _pools(painted: Painted, camera: Camera, scene: Scene) -> NDArray[np.float32]:
    """Lamp light on every pixel, worked out at a quarter of the resolution."""
    height, width = painted.cover.shape
    small = (max(1, width // 4), max(1, height // 4))
    inverse = np.maximum(cv2.resize(painted.inverse_depth, small, interpolation=cv2.INTER_NEAREST), 1e-3)
    u = ((np.arange(small[0]) + 0.5) * width / small[0] - width / 2) / camera.focal
    v = ((np.arange(small[1]) + 0.5) * height / small[1] - height / 2) / camera.focal
    r = camera.rotation
    x = camera.x + (u[None, :] * r[0, 0] + v[:, None] * r[1, 0] + r[2, 0]) / inverse
    y = camera.y + (u[None, :] * r[0, 1] + v[:, None] * r[1, 1] + r[2, 1]) / inverse
    field = lamp_field(x, y, scene.lamps).astype(np.float32)
    return np.asarray(cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _wet(image: NDArray[np.float32], ground: Picture, cover: NDArray[np.float32]) -> NDArray[np.float32]:
    """Wet ground: darker, and smeared with what stands above it."""
    mirror = cv2.blur(np.roll(image, image.shape[0] // 6, axis=0), (3, 61))
    flat = (ground > 0) & (ground != Material.WATER) & (cover <= 0)
    return np.where(flat[:, :, None], image * 0.62 + mirror * 0.26, image * 0.95).astype(np.float32)
