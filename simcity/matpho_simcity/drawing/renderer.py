"""Puts movers in front of a background, far ones first, and says what of each can be seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from matpho_contracts.vocabulary import ObjectClass
from matpho_simcity.drawing import flames
from matpho_simcity.drawing.actor import Placed
from matpho_simcity.drawing.atmosphere import Atmosphere
from matpho_simcity.drawing.background import Painted
from matpho_simcity.drawing.batch import Batch, Solid, gains, in_view, prepare
from matpho_simcity.drawing.geometry import NEAR_PLANE, Camera, Floats, Picture
from matpho_simcity.drawing.glow import Glow
from matpho_simcity.drawing.plates import READABLE_WIDTH, paint_plate, plate_texture
from matpho_simcity.drawing.water import Water
from matpho_simcity.world.scene import Flood

SMALLEST_SIDE = 8
"""Pixels at 640 x 360; objects with a narrower side are marked `ignore`."""
LEAST_VISIBLE = 0.3
"""Objects of whose part inside the picture less can be seen are marked `ignore`."""
LEAST_INSIDE = 0.15
"""Objects of which less is seen at all, the picture's edge counted in, are marked `ignore`."""
MOST_MOVERS = 250
"""Objects one picture can tell apart (their numbers travel in a byte)."""
_LEGIBLE = 4.0

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
class Drawn:
    """A mover as painted: its `number` in the picture's fourth channel, or for fire and smoke its `veil` of opacity.

    `area` is what was painted of it, in pixels; `share` how much of the whole lies inside the picture.
    """

    placed: Placed
    number: int
    area: float
    box: tuple[int, int, int, int]
    veil: NDArray[np.float32] | None = None
    share: float = 1.0


@dataclass(slots=True)
class _Canvas:
    image: Picture
    truth: bool
    drawn: list[Drawn] = field(default_factory=list)


class Renderer:
    """Draws movers through one lens under one atmosphere over one lit background (H, W, 4)."""

    def __init__(
        self, camera: Camera, air: Atmosphere, painted: Painted, lit: Picture, lamps: list[tuple[float, float, float]]
    ) -> None:
        self.camera, self.air, self.cover, self.lit, self.lamps = camera, air, painted.cover, lit, lamps
        self._open_ground = np.asarray(painted.cover <= 0, np.uint8)
        self._glow = Glow(camera, air)
        self._water = Water(camera, air, painted)
        self._pixels = camera.height / 360

    def render(
        self, movers: list[Placed], seconds: float = 0.0, signals: Sequence[Bulb] = ()
    ) -> tuple[Picture, list[Sighting]]:
        """The (H, W, 4) picture without sensor noise, and the sightings in it."""
        image, drawn = self.draw(movers, seconds, signals)
        return image, self.sightings(image, drawn)

    def draw(
        self,
        movers: list[Placed],
        seconds: float = 0.0,
        signals: Sequence[Bulb] = (),
        floods: Sequence[Flood] = (),
        *,
        truth: bool = True,
    ) -> tuple[Picture, list[Drawn]]:
        """The (H, W, 4) picture with movers' numbers in its fourth channel, and (with `truth`) what was drawn."""
        canvas = _Canvas(self.lit.copy(), truth)
        self._water.flow(canvas.image, seconds)
        self._water.flood(canvas.image, floods, seconds)
        for at, colour in signals:
            self._bulb(canvas.image, at, colour)
        ordered = in_view(movers, self.camera)[-MOST_MOVERS:]
        batch = prepare(ordered, self.camera, self.air, self.lamps)
        self._shadows(canvas.image, batch.solids)
        solids = {id(solid.placed): solid for solid in batch.solids}
        for number, (depth, placed) in enumerate(ordered, start=1):
            solid = solids.get(id(placed))
            if solid is not None:
                self._solid(canvas, batch, solid, number, seconds)
            elif placed.look.mesh is None:
                self._veil(canvas, placed, depth, number, seconds)
        return canvas.image, canvas.drawn

    # -- solids ------------------------------------------------------------------------------------------------------

    def _solid(self, canvas: _Canvas, batch: Batch, solid: Solid, number: int, seconds: float) -> None:
        camera, image = self.camera, canvas.image
        left, top, right, bottom = solid.box
        box = (
            max(0, int(left) - 3),
            max(0, int(top) - 3),
            min(camera.width, int(right) + 4),
            min(camera.height, int(bottom) + 4),
        )
        rows, columns = slice(box[1], box[3]), slice(box[0], box[2])
        hidden = self._hidden(rows, columns, solid)
        before = image[rows, columns].copy() if hidden is not None else None
        self._faces(image, batch, solid, number)
        area = float(np.count_nonzero(image[rows, columns, 3] == number)) if canvas.truth else 0.0
        if before is not None and hidden is not None:
            np.copyto(image[rows, columns], before, where=hidden[:, :, None])
        special = solid.placed.look.object_class in (ObjectClass.AMBULANCE, ObjectClass.FIRE_ENGINE)
        if special or (self.air.headlights and (solid.placed.speed > 0.05 or solid.placed.action == "moving")):
            self._glow.lamps(image, solid, seconds)
        if canvas.truth:
            clipped = max(1.0, float((box[2] - box[0]) * (box[3] - box[1])))
            full = max(1.0, (right - left + 7) * (bottom - top + 7))
            canvas.drawn.append(Drawn(solid.placed, number, area, box, share=min(1.0, clipped / full)))

    def _hidden(self, rows: slice, columns: slice, solid: Solid) -> NDArray[np.bool_] | None:
        """Where something that stands still is nearer than the mover."""
        cover, nearest, farthest = self.cover[rows, columns], solid.nearest, solid.farthest
        if cover.size == 0 or float(cover.max()) <= 1 / farthest:
            return None
        if farthest - nearest < 3.0:
            hidden: NDArray[np.bool_] = cover > 1 / ((nearest + farthest) / 2 - 0.15)
            return hidden if hidden.any() else None
        half = solid.mesh.extent[1] / 2
        ends = np.array([(0.0, -half, 0.5), (0.0, half, 0.5)]) @ solid.turn.T + solid.shift
        if float(ends[:, 2].min()) < NEAR_PLANE:
            return None
        u = self.camera.focal * ends[:, 0] / ends[:, 2] + self.camera.width / 2
        inverse = 1 / ends[:, 2]
        if abs(float(u[0] - u[1])) < 4:
            hidden = cover > 1 / (nearest + 0.4)
        else:
            share = np.clip((np.arange(columns.start, columns.stop) - u[0]) / (u[1] - u[0]), 0, 1)
            hidden = cover > (inverse[0] + (inverse[1] - inverse[0]) * share)[None, :] * 1.01
        return hidden if hidden.any() else None

    def _faces(self, image: Picture, batch: Batch, solid: Solid, number: int) -> None:
        scale = self.camera.focal / solid.depth
        outlines, paints, counts, widths = batch.outlines, batch.paints, batch.counts, batch.widths
        for row in range(*solid.faces):
            blue, green, red = paints[row]
            count, width = counts[row], widths[row]
            if width == 0.0:
                cv2.fillConvexPoly(image, outlines[row, :count], (blue, green, red, number), cv2.LINE_8, 4)
            elif count == 1:
                x, y = outlines[row, 0].tolist()
                cv2.circle(
                    image, (x, y), max(16, int(width * scale * 8)), (blue, green, red, number), -1, cv2.LINE_8, 4
                )
            else:
                thickness = max(1, round(width * scale))
                cv2.polylines(
                    image, [outlines[row, :count]], False, (blue, green, red, number), thickness, cv2.LINE_8, 4
                )
        if solid.placed.look.plate and scale * 0.5 > _LEGIBLE:
            self._plates(image, solid)

    def _plates(self, image: Picture, solid: Solid) -> None:
        look, gain = solid.placed.look, solid.gain * solid.fade
        for corners in solid.mesh.plates:
            seen = np.array(corners) @ solid.turn.T + solid.shift
            (ax, ay, az), (bx, by, bz) = (seen[1] - seen[0]).tolist(), (seen[3] - seen[0]).tolist()
            sx, sy, sz = seen[0].tolist()
            if (ay * bz - az * by) * sx + (az * bx - ax * bz) * sy + (ax * by - ay * bx) * sz <= 0 or sz < 1.0:
                continue
            flat = self.camera.to_pixels(seen)
            wide = float(flat[1, 0] - flat[0, 0])
            if wide >= READABLE_WIDTH:
                square = look.object_class is ObjectClass.MOTORCYCLE
                texture = plate_texture(look.plate, yellow=look.yellow_plate, square=square)
                paint_plate(image, flat, texture, (float(gain[0]), float(gain[1]), float(gain[2])))
            elif wide >= _LEGIBLE:
                (x0, y0), (x1, y1) = flat.min(axis=0), flat.max(axis=0)
                patch = image[max(0, int(y0)) : max(0, int(y1) + 1), max(0, int(x0)) : max(0, int(x1) + 1), :3]
                patch[:] = np.clip(225.0 * gain, 0, 255).astype(np.uint8)

    def _shadows(self, image: Picture, solids: list[Solid]) -> None:
        """Darken the ground under all movers, drawn out away from the sun."""
        if not solids:
            return
        mask: Picture = np.zeros(self.cover.shape, np.uint8)
        ground = np.concatenate([self._footprint(solid) for solid in solids])
        flat, depth = self.camera.project(ground)
        points = (flat * 16).astype(np.int32).reshape(len(solids), -1, 2)
        clear = depth.reshape(len(solids), -1).min(axis=1) > NEAR_PLANE
        for index in np.flatnonzero(clear):
            cv2.fillConvexPoly(mask, cv2.convexHull(points[index]), 1, cv2.LINE_8, 4)
        mask &= self._open_ground
        x, y, w, h = cv2.boundingRect(mask)
        if w == 0 or h == 0:
            return
        region = np.ascontiguousarray(image[y : y + h, x : x + w])
        darker = cv2.convertScaleAbs(region, alpha=self.air.shadow)
        cv2.copyTo(darker, mask[y : y + h, x : x + w], region)
        image[y : y + h, x : x + w] = region

    def _footprint(self, solid: Solid) -> Floats:
        """(8, 3) metres: the corners it stands on and those of its shadow's far end."""
        placed, (width, length, height) = solid.placed, solid.mesh.extent
        cos, sin = math.cos(placed.heading) / 2 * 1.02, math.sin(placed.heading) / 2 * 1.02
        reach = -0.8 * height / self.air.sun[2] if self.air.shadow < 0.8 else 0.0
        cast_x, cast_y = self.air.sun[0] * reach, self.air.sun[1] * reach
        low, far = [], []
        for across, along in ((-width, -length), (width, -length), (width, length), (-width, length)):
            dx, dy = across * cos + along * sin, -across * sin + along * cos
            low.append((placed.x + dx, placed.y + dy, placed.z))
            far.append((placed.x + 0.8 * dx + cast_x, placed.y + 0.8 * dy + cast_y, placed.z))
        return np.array(low + far)

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
        self._glow.add(image, u, v, radius * 5, colour, 0.5)

    # -- fire and smoke ------------------------------------------------------------------------------------------------

    def _veil(self, canvas: _Canvas, placed: Placed, depth: float, number: int, seconds: float) -> None:
        """Fire or smoke over `placed`."""
        image = canvas.image
        foot, _ = self.camera.project(np.array([[placed.x, placed.y, placed.z]]))
        scale = self.camera.focal / depth
        width, height = placed.size[0] * scale, placed.size[1] * scale
        u, v = float(foot[0, 0]), float(foot[0, 1])
        box = (u - width / 2, v - height, u + width / 2, v + height * 0.02)
        picture, alpha = self._field(placed, seconds)
        if placed.look.object_class is ObjectClass.FIRE:
            self._glow.fire(image, u, v - height * 0.35, max(width, height))
        x0, y0, x1, y1 = (max(0, int(value) - 1) for value in box)
        hidden = self.cover[y0 : y1 + 3, x0 : x1 + 3] > 1 / max(0.5, depth - 0.6)
        before = image[y0 : y1 + 3, x0 : x1 + 3].copy() if hidden.any() else None
        laid = flames.lay(image, picture, alpha, box)
        if before is not None:
            np.copyto(image[y0 : y1 + 3, x0 : x1 + 3], before, where=hidden[:, :, None])
        if laid is None or not canvas.truth:
            return
        rows, columns, opacity = laid
        opacity = np.where(self.cover[rows, columns] > 1 / max(0.5, depth - 0.6), np.float32(0), opacity)
        total = float((alpha > flames.VISIBLE_ALPHA).sum()) * width * height / alpha.size
        share = min(1.0, float((opacity > flames.VISIBLE_ALPHA).sum()) / max(1.0, total))
        canvas.drawn.append(
            Drawn(placed, number, total, (columns.start, rows.start, columns.stop, rows.stop), opacity, share)
        )

    def _field(self, placed: Placed, seconds: float) -> tuple[Picture, NDArray[np.float32]]:
        seed = number_of(placed.id)
        if placed.look.object_class is ObjectClass.FIRE:
            picture, alpha = flames.fire(seconds, seed)
        else:
            picture, alpha = flames.smoke(seconds, seed, placed.look.colour)
            gain = np.clip(gains([placed], self.air, self.lamps)[0] * 1.05, 0, 1.1)
            picture = np.clip(picture * gain, 0, 255).astype(np.uint8)
        return picture, (alpha * np.float32(min(1.0, 0.15 + placed.since / 3))).astype(np.float32)

    # -- truth ---------------------------------------------------------------------------------------------------------

    def sightings(self, image: Picture, drawn: list[Drawn]) -> list[Sighting]:
        """The visible box and share of everything drawn."""
        found: list[Sighting] = []
        for index, mark in enumerate(drawn):
            x0, y0, x1, y1 = mark.box
            mask = mark.veil > flames.VISIBLE_ALPHA if mark.veil is not None else image[y0:y1, x0:x1, 3] == mark.number
            across, along = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
            if len(across) == 0:
                continue
            box = (x0 + int(across[0]), y0 + int(along[0]), x0 + int(across[-1]) + 1, y0 + int(along[-1]) + 1)
            clear = 1 - _veiled(box, drawn[index + 1 :])
            if mark.veil is None:
                clear *= min(1.0, float(np.count_nonzero(mask)) / max(1.0, mark.area))
            visible = clear * mark.share
            small = min(box[2] - box[0], box[3] - box[1]) < SMALLEST_SIDE * self._pixels
            hidden = clear < LEAST_VISIBLE or visible < LEAST_INSIDE
            found.append(Sighting(mark.placed, box, visible, small or hidden))
        return found


def _veiled(box: tuple[int, int, int, int], later: list[Drawn]) -> float:
    """The greatest mean opacity that smoke or fire painted afterwards lays over `box`."""
    worst = 0.0
    for mark in later:
        if mark.veil is None:
            continue
        x0, y0 = max(box[0], mark.box[0]), max(box[1], mark.box[1])
        x1, y1 = min(box[2], mark.box[2]), min(box[3], mark.box[3])
        if x0 < x1 and y0 < y1:
            part = mark.veil[y0 - mark.box[1] : y1 - mark.box[1], x0 - mark.box[0] : x1 - mark.box[0]]
            worst = max(worst, float(part.sum()) / max(1, (box[2] - box[0]) * (box[3] - box[1])))
    return min(1.0, worst)


def number_of(name: str) -> int:
    """A small number that depends on `name` only."""
    return sum((index + 1) * ord(letter) for index, letter in enumerate(name)) % 9973
