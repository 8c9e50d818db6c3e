"""Puts movers in front of a background, far ones first, and says what of each can be seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matpho_contracts.vocabulary import ObjectClass
from matpho_simcity.drawing import flames
from matpho_simcity.drawing.actor import Placed
from matpho_simcity.drawing.atmosphere import Atmosphere, Light, Weather, lamp_field
from matpho_simcity.drawing.background import Painted
from matpho_simcity.drawing.geometry import NEAR_PLANE, Camera, Floats, Picture
from matpho_simcity.drawing.people import WALK_PHASES
from matpho_simcity.drawing.plates import READABLE_WIDTH, paint_plate, plate_texture

SMALLEST_SIDE = 8
"""Pixels at 640 x 360; objects with a narrower side are marked `ignore`."""
LEAST_VISIBLE = 0.3
"""Objects of which less can be seen are marked `ignore`."""
MOST_MOVERS = 250
"""Objects one picture can tell apart (their numbers travel in a byte)."""
_TINY = 3.0

Bulb = tuple[tuple[float, float, float], tuple[int, int, int]]
"""Where a traffic light burns (metres) and in which colour (blue, green, red)."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What of an actor can be seen: `box` (x0, y0, x1, y1) in pixels of the picture after occlusion, `visible` 0..1."""

    placed: Placed
    box: tuple[int, int, int, int]
    visible: float
    ignore: bool


@dataclass(slots=True)
class _Drawn:
    placed: Placed
    number: int
    area: float
    box: tuple[int, int, int, int]
    veil: tuple[int, int, int, int] | None = None
    share: float = 1.0


@cache
def _glow(size: int) -> NDArray[np.float32]:
    """(size, size, 1) soft disc, 1 in the middle."""
    axis = (np.arange(size) + 0.5) / size * 2 - 1
    squared = axis[None, :] ** 2 + axis[:, None] ** 2
    soft = np.clip(1 - np.sqrt(squared), 0, 1) ** 2.2
    return soft[:, :, None].astype(np.float32)


class Renderer:
    """Draws movers through one lens under one atmosphere over one lit background (H, W, 4)."""

    def __init__(
        self, camera: Camera, air: Atmosphere, painted: Painted, lit: Picture, lamps: list[tuple[float, float, float]]
    ) -> None:
        self.camera, self.air, self.cover, self.lit, self.lamps = camera, air, painted.cover, lit, lamps
        self._sun = np.array(air.sun)
        self._pixels = camera.height / 360

    def draw(
        self, movers: list[Placed], seconds: float = 0.0, signals: Sequence[Bulb] = ()
    ) -> tuple[Picture, list[_Drawn]]:
        """The (H, W, 4) picture with movers' numbers in its fourth channel, and what was drawn."""
        image = self.lit.copy()
        for at, colour in signals:
            self._bulb(image, at, colour)
        drawn: list[_Drawn] = []
        for depth, placed in self._ordered(movers):
            mark = self._one(image, placed, depth, len(drawn) + 1, seconds)
            if mark is not None:
                drawn.append(mark)
        return image, drawn

    def render(
        self, movers: list[Placed], seconds: float = 0.0, signals: Sequence[Bulb] = ()
    ) -> tuple[Picture, list[Sighting]]:
        """The (H, W, 3) picture without sensor noise, and the sightings in it."""
        image, drawn = self.draw(movers, seconds, signals)
        return image[:, :, :3], self.sightings(image, drawn)

    def _bulb(self, image: Picture, at: tuple[float, float, float], colour: tuple[int, int, int]) -> None:
        """A burning traffic light."""
        flat, depth = self.camera.project(np.array([at]))
        u, v = int(flat[0, 0]), int(flat[0, 1])
        if depth[0] < 1 or not (0 <= u < self.camera.width and 0 <= v < self.camera.height):
            return
        if self.cover[v, u] > 1 / (float(depth[0]) - 0.7):
            return
        radius = max(2, round(0.2 * self.camera.focal / float(depth[0])))
        cv2.circle(image, (u, v), radius, (*colour, 0), -1, cv2.LINE_8)
        seen = self.camera.to_camera(np.array([at]))[0]
        self._shine(image, seen, radius * 5.0, 0.5, colour)

    def _ordered(self, movers: list[Placed]) -> list[tuple[float, Placed]]:
        if not movers:
            return []
        seen = self.camera.to_camera(np.array([(m.x, m.y, m.z) for m in movers], dtype=float))
        slant = np.linalg.norm(seen, axis=1)
        order = np.argsort(-slant)
        near = [(float(seen[i, 2]), movers[i]) for i in order if NEAR_PLANE < seen[i, 2] < 140]
        return near[-MOST_MOVERS:]

    def _gain(self, x: float, y: float) -> Floats:
        gain = np.array(self.air.ambient)
        if self.air.light is not Light.DAY:
            field = lamp_field(np.array([x]), np.array([y]), self.lamps)[0]
            gain = gain + field * np.array(self.air.lamp)
        return gain

    def _one(self, image: Picture, placed: Placed, depth: float, number: int, seconds: float) -> _Drawn | None:
        if placed.look.mesh is None:
            return self._veil(image, placed, depth, number, seconds)
        mesh, camera = placed.look.mesh, self.camera
        cos, sin = math.cos(placed.heading), math.sin(placed.heading)
        turn = np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])
        whole = camera.rotation @ turn
        shift = camera.rotation @ (np.array([placed.x, placed.y, placed.z]) - camera.position)
        phases = len(mesh.vertices)
        step = (
            0 if phases == 1 else WALK_PHASES if placed.speed < 0.1 else int(placed.phase * WALK_PHASES) % WALK_PHASES
        )
        seen = mesh.vertices[step] @ whole.T + shift
        if float(seen[:, 2].min()) < NEAR_PLANE:
            return None
        flat = camera.to_pixels(seen)
        (left, top), (right, bottom) = flat.min(axis=0), flat.max(axis=0)
        tall = bottom - top
        if right < 0 or bottom < 0 or left >= camera.width or top >= camera.height or tall < _TINY:
            return None
        box = (
            max(0, int(left) - 3), max(0, int(top) - 3),
            min(camera.width, int(right) + 4), min(camera.height, int(bottom) + 4),
        )  # fmt: skip
        self._shadow(image, placed, mesh.extent)
        rows, columns = slice(box[1], box[3]), slice(box[0], box[2])
        hidden = self._hidden(rows, columns, depth, seen, whole)
        before = image[rows, columns].copy() if hidden is not None else None
        gain = self._gain(placed.x, placed.y)
        self._faces(image, placed, flat, seen, whole, turn, shift, tall, depth, gain, number)
        area = float((image[rows, columns, 3] == number).sum())
        if before is not None and hidden is not None:
            np.copyto(image[rows, columns], before, where=hidden[:, :, None])
        if (
            self.air.headlights
            and placed.speed + float(placed.look.riders > 0) > 0.05
            or placed.look.object_class in (ObjectClass.AMBULANCE, ObjectClass.FIRE_ENGINE)
        ):
            self._lamps(image, placed, whole, shift, depth, seconds)
        clipped = max(1.0, (box[2] - box[0]) * (box[3] - box[1]))
        full = max(1.0, float(right - left + 7) * float(tall + 7))
        return _Drawn(placed, number, area * max(1.0, full / clipped), box)

    def _hidden(
        self, rows: slice, columns: slice, depth: float, seen: Floats, whole: Floats
    ) -> NDArray[np.bool_] | None:
        """Where something that stands still is nearer than the mover."""
        cover = self.cover[rows, columns]
        nearest, farthest = float(seen[:, 2].min()), float(seen[:, 2].max())
        if float(cover.max(initial=0.0)) <= 1 / farthest:
            return None
        middle = (nearest + farthest) / 2
        if farthest - nearest < 3.0:
            hidden: NDArray[np.bool_] = cover > 1 / (middle - 0.15)
            return hidden if hidden.any() else None
        front, rear = seen[int(np.argmin(seen[:, 2]))], seen[int(np.argmax(seen[:, 2]))]
        u_front, u_rear = (self.camera.focal * p[0] / p[2] + self.camera.width / 2 for p in (front, rear))
        if abs(u_front - u_rear) < 4:
            hidden = cover > 1 / (nearest + 0.4)
        else:
            share = np.clip((np.arange(columns.start, columns.stop) - u_front) / (u_rear - u_front), 0, 1)
            hidden = cover > (1 / nearest + (1 / farthest - 1 / nearest) * share)[None, :] * 1.01
        return hidden if hidden.any() else None

    def _faces(
        self, image: Picture, placed: Placed, flat: Floats, seen: Floats, whole: Floats, turn: Floats, shift: Floats,
        tall: float, depth: float, gain: Floats, number: int,
    ) -> None:  # fmt: skip
        mesh = placed.look.mesh
        if mesh is None:
            return
        keep = mesh.details <= tall
        normals = mesh.normals @ whole.T
        facing = np.einsum("ij,ij->i", normals, seen[mesh.faces[:, 0]])
        thick = np.array(mesh.widths) > 0
        keep &= (facing < 0) | thick
        chosen = np.flatnonzero(keep)
        parts = mesh.centres[chosen] @ whole.T + shift
        key = mesh.layers[chosen] * 1000 - np.linalg.norm(parts, axis=1)
        chosen = chosen[np.argsort(key, kind="stable")]
        sun = turn.T @ self._sun
        light = 1 - self.air.contrast * 0.75 + self.air.contrast * np.clip(mesh.normals[chosen] @ sun, -0.25, 1)
        light[thick[chosen]] = 0.95
        colours = mesh.colours[chosen] * (light[:, None] * gain)
        if self.air.headlights:
            colours = np.where(mesh.emissive[chosen][:, None], mesh.colours[chosen], colours)
        fade = self.air.fade(depth)
        colours = np.clip(colours * fade + np.array(self.air.haze) * (1 - fade), 0, 255)
        paints = colours.tolist()
        outlines = (flat * 16).astype(np.int32)[mesh.faces[chosen]]
        scale = self.camera.focal / depth
        counts, widths = mesh.counts, mesh.widths
        for row, face in enumerate(chosen.tolist()):
            blue, green, red = paints[row]
            paint = (blue, green, red, number)
            count, width = counts[face], widths[face]
            if count == 1:
                x, y = outlines[row, 0].tolist()
                cv2.circle(image, (x, y), max(16, int(width * scale * 8)), paint, -1, cv2.LINE_8, 4)
            elif width > 0:
                cv2.polylines(image, [outlines[row, :count]], False, paint, max(1, round(width * scale)), cv2.LINE_8, 4)
            else:
                cv2.fillConvexPoly(image, outlines[row, :count], paint, cv2.LINE_8, 4)
        self._plates(image, placed, whole, shift, gain * fade)

    def _plates(self, image: Picture, placed: Placed, whole: Floats, shift: Floats, gain: Floats) -> None:
        mesh = placed.look.mesh
        if mesh is None or not placed.look.plate:
            return
        for corners in mesh.plates:
            seen = np.array(corners) @ whole.T + shift
            along, down = seen[1] - seen[0], seen[3] - seen[0]
            if float(np.cross(along, down) @ seen[0]) <= 0 or float(seen[:, 2].min()) < NEAR_PLANE:
                continue
            flat = self.camera.to_pixels(seen)
            wide = float(flat[1, 0] - flat[0, 0])
            if wide >= READABLE_WIDTH:
                square = placed.look.object_class is ObjectClass.MOTORCYCLE
                texture = plate_texture(placed.look.plate, yellow=placed.look.yellow_plate, square=square)
                paint_plate(image, flat, texture, (float(gain[0]), float(gain[1]), float(gain[2])))
            elif wide >= 4:
                tone = 225.0 * gain
                paint = (float(min(255, tone[0])), float(min(255, tone[1])), float(min(255, tone[2])))
                region = np.round(flat).astype(np.int32)
                patch = image[
                    max(0, region[:, 1].min()) : region[:, 1].max() + 1,
                    max(0, region[:, 0].min()) : region[:, 0].max() + 1,
                ]
                if patch.size:
                    patch[:, :, :3] = paint

    def _shadow(self, image: Picture, placed: Placed, extent: tuple[float, float, float]) -> None:
        """Darken the ground under the mover, drawn out away from the sun."""
        width, length, height = extent
        cos, sin = math.cos(placed.heading), math.sin(placed.heading)
        half_w, half_l = width / 2 * 1.02, length / 2 * 1.02
        low = np.array(
            [
                (sx * half_w * cos + sy * half_l * sin, -sx * half_w * sin + sy * half_l * cos)
                for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1))
            ]
        )
        points = low
        if self.air.shadow < 0.8:
            cast = -self._sun[:2] / self._sun[2] * height * 0.8
            points = np.concatenate([low, low * 0.8 + cast])
        ring = np.zeros((len(points), 3))
        ring[:, :2] = points + (placed.x, placed.y)
        ring[:, 2] = placed.z
        flat, depth = self.camera.project(ring)
        if float(depth.min()) < NEAR_PLANE:
            return
        hull = cv2.convexHull(flat.astype(np.float32))[:, 0]
        left, top = np.maximum(np.floor(hull.min(axis=0)).astype(int), 0)
        right, bottom = np.minimum(np.ceil(hull.max(axis=0)).astype(int) + 1, (self.camera.width, self.camera.height))
        if left >= right or top >= bottom:
            return
        region = image[top:bottom, left:right]
        mask = np.full(region.shape[:2], 255, np.uint8)
        cv2.fillConvexPoly(
            mask, ((hull - (left, top)) * 16).astype(np.int32), int(255 * self.air.shadow), cv2.LINE_AA, 4
        )
        ground = (region[:, :, 3] == 0) & (self.cover[top:bottom, left:right] < 1 / max(0.5, float(depth.mean()) - 0.3))
        mask[~ground] = 255
        region[:, :, :3] = cv2.multiply(
            np.ascontiguousarray(region[:, :, :3]), cv2.merge([mask, mask, mask]), scale=1 / 255
        )

    def _lamps(
        self, image: Picture, placed: Placed, whole: Floats, shift: Floats, depth: float, seconds: float
    ) -> None:
        mesh = placed.look.mesh
        if mesh is None:
            return
        for index, (at, direction, colour) in enumerate(mesh.lamps):
            beacon = direction[2] > 0.5
            if not beacon and not self.air.headlights:
                continue
            if beacon and int(seconds * 5 + index) % 2:
                continue
            seen = whole @ np.array(at) + shift
            ahead = whole @ np.array(direction)
            towards = -float(ahead @ seen) / float(np.linalg.norm(seen))
            if not beacon and towards < 0.1:
                continue
            front = direction[1] > 0
            reach = (1.5 if front else 0.7) if not beacon else 1.4
            power = (0.35 + 0.65 * towards) * (1.0 if front else 0.6) if not beacon else 0.9
            power *= {Light.DAY: 0.45, Light.DUSK: 0.75, Light.NIGHT: 1.0}[self.air.light]
            self._shine(image, seen, reach * self.camera.focal / depth, power, colour)

    def _shine(
        self, image: Picture, seen: Floats, diameter: float, power: float, colour: tuple[float, float, float]
    ) -> None:
        if seen[2] < NEAR_PLANE:
            return
        size = int(min(160, max(5, diameter)))
        u = int(self.camera.focal * seen[0] / seen[2] + self.camera.width / 2 - size / 2)
        v = int(self.camera.focal * seen[1] / seen[2] + self.camera.height / 2 - size / 2)
        self._add(image, u, v, _glow(size), (colour[0] * power, colour[1] * power, colour[2] * power))
        if self.air.weather is Weather.RAIN and size >= 8:
            smear = cv2.resize(_glow(size), (size // 2, size * 3))[:, :, None]
            self._add(
                image,
                u + size // 4,
                v + size,
                smear,
                (colour[0] * power * 0.4, colour[1] * power * 0.4, colour[2] * power * 0.4),
            )

    def _add(
        self, image: Picture, u: int, v: int, soft: NDArray[np.float32], colour: tuple[float, float, float]
    ) -> None:
        height, width = soft.shape[:2]
        x0, y0, x1, y1 = max(0, u), max(0, v), min(self.camera.width, u + width), min(self.camera.height, v + height)
        if x0 >= x1 or y0 >= y1:
            return
        light = (soft[y0 - v : y1 - v, x0 - u : x1 - u] * np.array(colour, np.float32)).astype(np.uint8)
        region = image[y0:y1, x0:x1, :3]
        region[:] = cv2.add(np.ascontiguousarray(region), light)

    def _veil(self, image: Picture, placed: Placed, depth: float, number: int, seconds: float) -> _Drawn | None:
        """Fire or smoke over `placed`."""
        foot, _ = self.camera.project(np.array([[placed.x, placed.y, placed.z]]))
        scale = self.camera.focal / depth
        width, height = placed.size[0] * scale, placed.size[1] * scale
        u, v = float(foot[0, 0]), float(foot[0, 1])
        box = (u - width / 2, v - height, u + width / 2, v + height * 0.02)
        seed = hash_of(placed.id)
        burning = placed.look.object_class is ObjectClass.FIRE
        if burning:
            picture, alpha = flames.fire(seconds, seed)
            self._shine_fire(image, u, v - height * 0.35, max(width, height))
        else:
            picture, alpha = flames.smoke(seconds, seed, placed.look.colour)
            gain = np.clip(self._gain(placed.x, placed.y) * (1.0 if self.air.light is Light.DAY else 1.1), 0, 1.1)
            picture = np.clip(picture * gain, 0, 255).astype(np.uint8)
        alpha = alpha * min(1.0, 0.15 + placed.since / 3)
        before = image[:, :, :3].copy() if self._stands_before(box, depth) else None
        laid = flames.lay(image, picture, alpha.astype(np.float32), box)
        if laid is None:
            return None
        rows, columns, opacity = laid
        if before is not None:
            hidden = self.cover[rows, columns] > 1 / max(0.5, depth - 0.6)
            np.copyto(image[rows, columns, :3], before[rows, columns], where=hidden[:, :, None])
            opacity = np.where(hidden, 0, opacity)
        total = float((alpha > flames.VISIBLE_ALPHA).sum()) * width * height / alpha.size
        clear = opacity > flames.VISIBLE_ALPHA
        across, along = np.flatnonzero(clear.any(axis=0)), np.flatnonzero(clear.any(axis=1))
        if len(across) == 0 or total <= 0:
            return None
        seen = (
            columns.start + int(across[0]),
            rows.start + int(along[0]),
            columns.start + int(across[-1]) + 1,
            rows.start + int(along[-1]) + 1,
        )
        return _Drawn(placed, number, total, seen, veil=seen, share=min(1.0, float(clear.sum()) / total))

    def _stands_before(self, box: tuple[float, float, float, float], depth: float) -> bool:
        x0, y0, x1, y1 = (max(0, int(value)) for value in box)
        return bool(self.cover[y0:y1, x0:x1].max(initial=0.0) > 1 / max(0.5, depth - 0.6))

    def _shine_fire(self, image: Picture, u: float, v: float, size: float) -> None:
        reach = int(min(400, size * (2.6 if self.air.light is not Light.DAY else 1.6)))
        if reach >= 6:
            power = 0.25 if self.air.light is Light.DAY else 0.6
            self._add(
                image, int(u - reach / 2), int(v - reach / 2), _glow(reach), (20 * power, 110 * power, 220 * power)
            )

    def sightings(self, image: Picture, drawn: list[_Drawn]) -> list[Sighting]:
        """The visible box and share of everything drawn."""
        found: list[Sighting] = []
        limit = SMALLEST_SIDE * self._pixels
        for mark in drawn:
            if mark.veil is not None:
                box, visible = mark.veil, mark.share
            else:
                x0, y0, x1, y1 = mark.box
                mask = image[y0:y1, x0:x1, 3] == mark.number
                across, along = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
                if len(across) == 0:
                    continue
                box = (x0 + int(across[0]), y0 + int(along[0]), x0 + int(across[-1]) + 1, y0 + int(along[-1]) + 1)
                visible = min(1.0, float(mask.sum()) / max(1.0, mark.area))
            small = min(box[2] - box[0], box[3] - box[1]) < limit
            found.append(Sighting(mark.placed, box, visible, small or visible < LEAST_VISIBLE))
        return found


def hash_of(name: str) -> int:
    """A small number that depends on `name` only."""
    return sum((index + 1) * ord(letter) for index, letter in enumerate(name)) % 9973


class Sensor:
    """What the chip and the lens add: rain streaks, softness, noise."""

    def __init__(self, size: tuple[int, int], air: Atmosphere, seed: int = 0) -> None:
        width, height = size
        random = np.random.default_rng(seed)
        self._air, self._size = air, size
        grains = random.normal(0, air.noise, (3, height, width, 3)).astype(np.float32)
        self._plus = [np.clip(g, 0, 255).astype(np.uint8) for g in grains]
        self._minus = [np.clip(-g, 0, 255).astype(np.uint8) for g in grains]
        self._rain = [_streaks(size, random) for _ in range(3)] if air.weather is Weather.RAIN else []

    def expose(self, image: NDArray[Any], tick: int) -> Picture:
        """The (H, W, 3) picture as the camera gives it out."""
        if self._rain:
            streak = np.roll(self._rain[tick % len(self._rain)], (tick * 37) % self._size[1], axis=0)
            image = cv2.add(np.ascontiguousarray(image), streak)
        soft = cv2.GaussianBlur(np.ascontiguousarray(image), (3, 3), 0.62)
        index = tick % len(self._plus)
        cv2.add(soft, self._plus[index], soft)
        cv2.subtract(soft, self._minus[index], soft)
        return soft


def _streaks(size: tuple[int, int], random: np.random.Generator) -> Picture:
    width, height = size
    sheet: Picture = np.zeros((height, width), np.uint8)
    scale = height / 360
    for x, y, length, tone in zip(
        random.integers(0, width, 260),
        random.integers(0, height, 260),
        random.integers(6, 26, 260),
        random.integers(18, 62, 260),
        strict=True,
    ):
        tip = (int(x + length * 0.12 * scale), int(y + length * scale))
        cv2.line(sheet, (int(x), int(y)), tip, int(tone), 1, cv2.LINE_AA)
    return cv2.merge([sheet, sheet, sheet])
