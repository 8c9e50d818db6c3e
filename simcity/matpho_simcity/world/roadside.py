"""What stands along a street: rows of tube houses, a river bank, a school, a market, a park, a building site."""

from __future__ import annotations

import math
from functools import cache
from random import Random

import numpy as np

from matpho_simcity.drawing.facades import banner, corrugated, house_front, office_front, tree_sprite
from matpho_simcity.drawing.geometry import Picture
from matpho_simcity.world.scene import Cutout, Material, Panel, Place, Scene, Wall, Wire, Zone, ZoneKind

_FRONTS = 48
_WALL_PAINTS = ((150, 170, 185), (170, 180, 188), (130, 150, 170), (165, 165, 165), (140, 165, 190))
_AWNINGS = ((160, 70, 30), (40, 40, 180), (60, 130, 50), (60, 150, 220), (190, 190, 190), (150, 110, 50))
_GOODS = ((40, 60, 200), (40, 160, 230), (50, 150, 70), (180, 200, 220), (60, 90, 140), (150, 60, 120))

_FIRST_TREE = {
    (place, sign): 34.0 if sign < 0 else 12.0
    for sign in (-1, 1)
    for place in (Place.MARKET, Place.BUS_STOP, Place.CONSTRUCTION)
} | {(Place.RIVER_BANK, -1): 34.0, (Place.SCHOOL_GATE, -1): 34.0, (Place.SCHOOL_GATE, 1): 30.0, (Place.MARKET, 1): 80.0}
"""Metres at which the trees begin where the camera hangs on the left, so that none stands before its lens."""


@cache
def _front(number: int) -> tuple[float, int, Picture]:
    """One of the house fronts that every street draws from: (width in metres, floors, texture)."""
    rng = Random(f"front:{number}")  # noqa: S311
    width, floors = rng.uniform(3.6, 6.2), rng.choice((2, 3, 3, 4, 4, 5))
    return width, floors, house_front(rng, width, floors)


@cache
def _tree(number: int, kind: str) -> Picture:
    return tree_sprite(Random(f"tree:{kind}:{number}"), kind)  # noqa: S311


class Roadside:
    """Builds one side (`sign` -1 left, 1 right) of a street whose kerb runs at `sign * half`."""

    def __init__(
        self, scene: Scene, rng: Random, sign: int, half: float, width: float, junction: float | None, cross: float
    ) -> None:
        self.scene, self.rng, self.sign, self.half, self.width = scene, rng, sign, half, width
        self.front = half + width
        self.gap = (junction - cross - 2.5, junction + cross + 2.5) if junction is not None else (1e6, 1e6)

    def build(self, side: str, near: float, far: float) -> None:
        """Lay the pavement and put `side` behind it."""
        self._pavement(near, far)
        getattr(self, f"_{side}")(near, far)

    def _x(self, a: float, b: float) -> tuple[float, float]:
        """A span given outward from the middle of the road, in ascending x."""
        low, high = sorted((self.sign * a, self.sign * b))
        return low, high

    def _stretches(self, near: float, far: float) -> list[tuple[float, float]]:
        if self.gap[0] > far:
            return [(near, far)]
        return [(near, self.gap[0]), (self.gap[1], far)]

    def _pavement(self, near: float, far: float) -> None:
        for y0, y1 in self._stretches(near - 20, far + 60):
            self.scene.strip(Material.PAVING, self._x(self.half, self.front), (y0, y1))
            self.scene.strip(Material.KERB, self._x(self.half, self.half + 0.22), (y0, y1))

    def _row(self, near: float, far: float, at: float, depth: float = 11.0) -> None:
        """A row of tube houses whose fronts stand `at` metres from the middle of the road."""
        y = near
        while y < far:
            width, floors, texture = _front(self.rng.randrange(_FRONTS))
            y1 = min(y + width, far)
            if y1 - y < 2.2:
                break
            self._house(y, y1, at, depth, floors, texture)
            y = y1 + (0.0 if self.rng.random() < 0.85 else 1.0)

    def _house(self, y0: float, y1: float, at: float, depth: float, floors: int, texture: Picture) -> None:
        height, x = 3.4 * floors, self.sign * at
        start, along = (y0, y1 - y0) if self.sign < 0 else (y1, y0 - y1)
        self.scene.walls.append(
            Wall(np.array([x, start, height]), np.array([0.0, along, 0.0]), np.array([0.0, 0.0, -height]), texture)
        )
        back = self.sign * (at + depth)
        paint = self.rng.choice(_WALL_PAINTS)
        self.scene.panels.append(
            Panel(np.array([(x, y0, 0), (back, y0, 0), (back, y0, height), (x, y0, height)]), paint)
        )

    def _awning(self, y0: float, y1: float, at: float, reach: float, z: float) -> None:
        colour = self.rng.choice(_AWNINGS)
        x0, x1 = self.sign * at, self.sign * (at - reach)
        stripes = 5
        for i in range(stripes):
            a, b = y0 + (y1 - y0) * i / stripes, y0 + (y1 - y0) * (i + 1) / stripes
            tone = colour if i % 2 else tuple(min(255, c + 45) for c in colour)
            ring = [(x0, a, z + 0.5), (x0, b, z + 0.5), (x1, b, z), (x1, a, z)]
            self.scene.panels.append(Panel(np.array(ring), (tone[0], tone[1], tone[2])))

    def _shops(self, near: float, far: float) -> None:
        for y0, y1 in self._stretches(near, far):
            self._row(y0, y1, self.front)
            y = y0 + 1
            while y < min(y1 - 5, 70):
                if self.rng.random() < 0.4:
                    self._awning(y, y + self.rng.uniform(2.8, 4.5), self.front, self.rng.uniform(0.8, 1.5), 2.7)
                y += 5.0
        if self.gap[0] < far:
            self._corner(far)
        self._trees(near, far)
        self._clutter(8.0, min(far, 60.0))

    def _corner(self, far: float) -> None:
        """House fronts along the cross street."""
        y = self.gap[1]
        x = self.front
        while x < 60:
            width, floors, texture = _front(self.rng.randrange(_FRONTS))
            height = 3.4 * floors
            left = self.sign * x if self.sign > 0 else self.sign * (x + width)
            self.scene.walls.append(
                Wall(np.array([left, y, height]), np.array([width, 0.0, 0.0]), np.array([0.0, 0.0, -height]), texture)
            )
            x += width

    def _houses(self, near: float, far: float) -> None:
        self._row(near, far, self.front, 8.0)
        for y in np.arange(near + 2, 60, 7.0):
            if self.rng.random() < 0.5:
                self._awning(float(y), float(y) + 2.4, self.front, 0.7, 2.7)
        self._pots(4.0, 40.0)

    def _pots(self, near: float, far: float) -> None:
        for y in np.arange(near, far, 3.5):
            if self.rng.random() < 0.45:
                x = self.sign * (self.front - 0.25)
                self.scene.cutouts.append(Cutout(x, float(y), 0.0, 0.8, 0.9, _tree(self.rng.randrange(6), "bush")))

    def _trees(self, near: float, far: float) -> None:
        x = self.half + min(1.0, self.width * 0.25)
        for y in np.arange(
            max(near, _FIRST_TREE.get((self.scene.place, self.sign), 9.0 if self.sign < 0 else 30.0)),
            min(far, 120.0),
            self.rng.uniform(9.0, 15.0),
        ):
            at = float(y) + self.rng.uniform(-1.5, 1.5)
            if self.gap[0] - 3 < at < self.gap[1] + 3 or self.rng.random() < 0.3:
                continue
            height = self.rng.uniform(5.5, 9.5)
            self.scene.cutouts.append(
                Cutout(
                    self.sign * x,
                    at,
                    0.0,
                    height * self.rng.uniform(0.6, 0.8),
                    height,
                    _tree(self.rng.randrange(10), "tree"),
                )
            )

    def planting(self, places: list[tuple[float, float]]) -> None:
        """Bushes at `places`."""
        for x, y in places:
            kind = self.rng.choice(("bush", "bush", "palm"))
            size = 4.0 if kind == "palm" else 1.5
            self.scene.cutouts.append(Cutout(x, y, 0.0, size * 0.9, size, _tree(self.rng.randrange(6), kind)))

    def _clutter(self, near: float, far: float) -> None:
        """Plastic stools, crates and boards in front of the shops."""
        for y in np.arange(near, far, 4.0):
            roll = self.rng.random()
            x = self.sign * (self.front - self.rng.uniform(0.4, 0.9))
            if roll < 0.3:
                colour = self.rng.choice(((40, 40, 190), (170, 80, 30), (60, 150, 60)))
                for i in range(self.rng.randint(2, 4)):
                    at = float(y) + 0.5 * i
                    self.scene.block((x - 0.16, x + 0.16), (at - 0.16, at + 0.16), (0.0, 0.32), colour)
            elif roll < 0.5:
                self.scene.block(
                    (x - 0.4, x + 0.4),
                    (float(y), float(y) + 0.9),
                    (0.0, self.rng.uniform(0.4, 0.9)),
                    self.rng.choice(_GOODS),
                )
        for y in np.arange(near, far, 11.0):
            if self.rng.random() < 0.5:
                word = self.rng.choice(("PHO", "CAFE", "NET", "HOTEL", "ATM", "SPA"))
                z = self.rng.uniform(3.4, 6.0)
                x = self.sign * (self.front - 1.0)
                texture = banner(self.rng, word, self.rng.choice(_AWNINGS), (240, 245, 245))
                left = min(x, self.sign * self.front)
                self.scene.walls.append(
                    Wall(
                        np.array([left, float(y), z + 0.8]),
                        np.array([1.0, 0.0, 0.0]),
                        np.array([0.0, 0.0, -0.8]),
                        texture,
                    )
                )

    def _park(self, near: float, far: float) -> None:
        self.scene.strip(Material.GRASS, self._x(self.front, self.front + 40), (near - 20, far + 40))
        for _ in range(46):
            x, y = self.front + self.rng.uniform(1.5, 30), self.rng.uniform(2, 120)
            height = self.rng.uniform(5, 11)
            self.scene.cutouts.append(
                Cutout(self.sign * x, y, 0.0, height * 0.75, height, _tree(self.rng.randrange(10), "tree"))
            )
        for y in np.arange(4.0, 60, 9.0):
            self.scene.block(
                self._x(self.front + 0.3, self.front + 0.8), (float(y), float(y) + 1.8), (0.35, 0.45), (80, 110, 140)
            )

    def _railing(self, near: float, far: float, x: float, height: float, colour: tuple[float, float, float]) -> None:
        for z in (height, height * 0.55):
            for y in np.arange(near, far, 8.0):
                points = np.array([(self.sign * x, y, z), (self.sign * x, y + 8.0, z)])
                self.scene.wires.append(Wire(points, colour, 0.045))
        for y in np.arange(near, min(far, 90), 2.0):
            points = np.array([(self.sign * x, y, 0.0), (self.sign * x, y, height)])
            self.scene.wires.append(Wire(points, colour, 0.045))

    def _river(self, near: float, far: float) -> None:
        bank = self.front + self.rng.uniform(3.0, 5.0)
        self.scene.strip(Material.GRASS, self._x(self.front, bank), (near - 20, far + 60))
        self.scene.strip(Material.CONCRETE, self._x(bank, bank + 1.2), (near - 20, far + 60), -0.4)
        self.scene.strip(Material.WATER, self._x(bank + 1.2, 95), (near - 30, 240), -1.5)
        self.scene.strip(Material.GRASS, self._x(62, 95), (near - 30, 240), -1.0)
        self._railing(1.0, 80.0, self.front - 0.1, 0.95, (150, 150, 150))
        for y in np.arange(-10, 170, 5.0):
            height = self.rng.uniform(5, 10)
            self.scene.cutouts.append(
                Cutout(
                    self.sign * self.rng.uniform(64, 72),
                    float(y),
                    -1.0,
                    height * 1.1,
                    height,
                    _tree(self.rng.randrange(10), "tree"),
                )
            )
        for y in np.arange(4.0, 100.0, 13.0):
            height = self.rng.uniform(5.0, 8.0)
            self.scene.cutouts.append(
                Cutout(
                    self.sign * (self.front + 1.5),
                    float(y),
                    0.0,
                    height * 0.8,
                    height,
                    _tree(self.rng.randrange(10), self.rng.choice(("tree", "tree", "palm"))),
                )
            )
        self.scene.zones.append(_zone("water", ZoneKind.WATER, self._x(bank + 1.2, 55), (2.0, 60.0)))
        self.scene.zones.append(_zone("no_dumping", ZoneKind.NO_DUMPING, self._x(self.half + 0.1, bank), (6.0, 40.0)))
        self.scene.spots["dump"] = [(self.sign * (self.front + 0.9), y) for y in (14.0, 19.0, 24.0)]

    def _rail(self, near: float, far: float) -> None:
        self._railing(near, 150.0, self.front - 0.15, 1.15, (170, 150, 130))
        for y in range(2, 90, 14):
            self.scene.block(self._x(self.front - 0.3, self.front), (float(y), y + 0.4), (0.0, 1.3), (165, 168, 170))
        for y in np.arange(-20, 200, 7.0):
            height = self.rng.uniform(6, 12)
            self.scene.cutouts.append(
                Cutout(
                    self.sign * self.rng.uniform(84, 92),
                    float(y),
                    -9.0,
                    height * 1.5,
                    height,
                    _tree(self.rng.randrange(10), "tree"),
                )
            )

    def _school(self, near: float, far: float) -> None:
        wall, gate = self.front, (20.0, 27.0)
        yard = wall + 12
        self.scene.strip(Material.CONCRETE, self._x(wall, yard + 14), (near, 70.0))
        word = self.rng.choice(("TRUONG TIEU HOC", "TRUONG THCS", "TRUONG MAM NON"))
        paint = (110, 190, 235)
        for y0, y1 in ((near, gate[0]), (gate[1], 56.0)):
            self.scene.block(self._x(wall, wall + 0.25), (y0, y1), (0.0, 1.7), paint)
        for y in gate:
            self.scene.block(self._x(wall - 0.1, wall + 0.5), (y - 0.3, y + 0.3), (0.0, 3.6), (120, 130, 200))
        for y in np.arange(gate[0] + 0.4, gate[1] - 0.2, 0.45):
            if not gate[0] + 2.2 < y < gate[1] - 2.2:
                self.scene.wires.append(
                    Wire(np.array([(self.sign * wall, y, 0.0), (self.sign * wall, y, 2.0)]), (150, 90, 40), 0.05)
                )
        start, along = (gate[0], gate[1] - gate[0]) if self.sign < 0 else (gate[1], gate[0] - gate[1])
        board = banner(self.rng, word, (150, 60, 20), (60, 230, 250))
        self.scene.walls.append(
            Wall(
                np.array([self.sign * wall, start, 4.5]), np.array([0.0, along, 0.0]), np.array([0.0, 0.0, -1.1]), board
            )
        )
        front = office_front(self.rng, 40.0, 3, word)
        start, along = (8.0, 40.0) if self.sign < 0 else (48.0, -40.0)
        self.scene.walls.append(
            Wall(
                np.array([self.sign * yard, start, 10.5]),
                np.array([0.0, along, 0.0]),
                np.array([0.0, 0.0, -10.5]),
                front,
            )
        )
        self._row(56.0, far, wall)
        flag = self.sign * (wall + 4)
        self.scene.wires.append(Wire(np.array([(flag, 23.5, 0.0), (flag, 23.5, 8.0)]), (190, 190, 190), 0.09))
        self.scene.panels.append(
            Panel(
                np.array([(flag, 23.5, 8.0), (flag + 1.5, 23.5, 7.9), (flag + 1.5, 23.5, 6.9), (flag, 23.5, 7.0)]),
                (40, 30, 215),
            )
        )
        self.scene.spots["crowd"] = [(self.sign * (self.half + self.width * 0.5), 22.0)]
        self.scene.zones.append(_zone("crowd_area", ZoneKind.CROWD_AREA, self._x(self.half + 0.1, wall), (14.0, 31.0)))
        self._trees(near, far)

    def _market(self, near: float, far: float) -> None:
        for y0, y1 in self._stretches(near, far):
            self._row(y0, y1, self.front + 1.5)
        y = 4.0
        while y < 62:
            wide = self.rng.uniform(2.2, 3.2)
            self._stall(y, y + wide)
            y += wide + self.rng.uniform(0.3, 1.6)
        self.scene.spots["crowd"] = [(self.sign * (self.half + 1.3), 19.0)]
        self.scene.zones.append(
            _zone("crowd_area", ZoneKind.CROWD_AREA, self._x(self.half + 0.1, self.front), (11.0, 28.0))
        )

    def _stall(self, y0: float, y1: float) -> None:
        inner, outer = self.front - 1.1, self.front + 0.8
        table = self._x(inner, outer)
        self.scene.block(
            table, (y0, y1), (0.0, 0.75), self.rng.choice(((90, 120, 150), (120, 120, 120), (80, 100, 130)))
        )
        for _ in range(14):
            x = self.rng.uniform(table[0] + 0.15, table[1] - 0.15)
            y = self.rng.uniform(y0 + 0.2, y1 - 0.2)
            self.scene.block(
                (x - 0.17, x + 0.17),
                (y - 0.17, y + 0.17),
                (0.75, 0.75 + self.rng.uniform(0.08, 0.3)),
                self.rng.choice(_GOODS),
            )
        for x in table:
            for y in (y0, y1):
                self.scene.wires.append(Wire(np.array([(x, y, 0.0), (x, y, 2.4)]), (120, 120, 120), 0.05))
        colour = self.rng.choice(_AWNINGS)
        ring = [
            (table[0] - 0.3, y0 - 0.2, 2.45),
            (table[1] + 0.3, y0 - 0.2, 2.45),
            (table[1] + 0.3, y1 + 0.2, 2.45),
            (table[0] - 0.3, y1 + 0.2, 2.45),
        ]
        ridge = (y0 + y1) / 2
        for a, b in ((0, 1), (3, 2)):
            slope = [ring[a], ring[b], (ring[b][0], ridge, 3.0), (ring[a][0], ridge, 3.0)]
            tone = tuple(min(255, int(c * (1.0 if a else 1.15))) for c in colour)
            self.scene.panels.append(Panel(np.array(slope), (tone[0], tone[1], tone[2])))

    def _yard(self, near: float, far: float) -> None:
        """A building site behind a mesh fence with a gap, hoardings of blue sheet round the rest."""
        wall, back, y0, y1 = self.front, self.front + 20.0, 9.0, 38.0
        self.scene.strip(Material.SOIL, self._x(wall, back), (y0, y1))
        sheet = corrugated(self.rng, 10.0, 2.4, (190, 120, 50))
        for start in (y0, y0 + 10, y0 + 19):
            self.scene.walls.append(
                Wall(
                    np.array([self.sign * back, start + (0 if self.sign < 0 else 10), 2.4]),
                    np.array([0.0, 10.0 if self.sign < 0 else -10.0, 0.0]),
                    np.array([0.0, 0.0, -2.4]),
                    sheet,
                )
            )
        for x in (wall, wall + 10):
            left = min(self.sign * x, self.sign * (x + 10))
            self.scene.walls.append(
                Wall(np.array([left, y1, 2.4]), np.array([10.0, 0.0, 0.0]), np.array([0.0, 0.0, -2.4]), sheet)
            )
        for a, b in ((y0, 19.0), (23.0, y1)):
            self._mesh_fence(wall + 0.1, a, b)
        self._site(wall, back)
        self._row(near, y0 - 0.5, wall)
        self._row(y1 + 1, far, wall)
        ring = _zone("restricted", ZoneKind.RESTRICTED, self._x(wall + 0.6, back - 1), (y0 + 0.5, y1 - 0.5))
        self.scene.zones.append(ring)
        self.scene.spots["gap"] = [(self.sign * wall, 21.0)]
        self.scene.spots["restricted"] = [
            (self.sign * (wall + d), y) for d, y in ((4.0, 20.0), (7.5, 24.0), (5.0, 28.0), (9.0, 19.0))
        ]

    def _mesh_fence(self, x: float, y0: float, y1: float) -> None:
        side = self.sign * x
        for y in np.arange(y0, y1 + 0.1, 2.4):
            self.scene.wires.append(Wire(np.array([(side, y, 0.0), (side, y, 1.7)]), (60, 110, 200), 0.07))
        for z in (0.35, 0.8, 1.25, 1.7):
            self.scene.wires.append(Wire(np.array([(side, y0, z), (side, y1, z)]), (120, 124, 126), 0.035))
        for y in np.arange(y0, y1, 0.6):
            self.scene.wires.append(
                Wire(np.array([(side, y, 0.0), (side, min(y + 0.9, y1), 1.7)]), (120, 124, 126), 0.02)
            )

    def _site(self, wall: float, back: float) -> None:
        """Sand, bricks and pipes, and the frame of a house going up."""
        for _ in range(4):
            x, y, size = self.rng.uniform(wall + 9, back - 3), self.rng.uniform(13, 34), self.rng.uniform(1.0, 2.2)
            tip = (self.sign * x, y, size * 0.8)
            ring = [
                (self.sign * x + size * math.cos(a), y + size * math.sin(a), 0.0)
                for a in np.linspace(0, 2 * math.pi, 9)
            ]
            for index, (a, b) in enumerate(zip(ring, ring[1:], strict=False)):
                tone = 0.85 + 0.25 * math.cos(index)
                self.scene.panels.append(Panel(np.array([a, b, tip]), (100 * tone, 150 * tone, 190 * tone)))
        for _ in range(3):
            x, y = self.rng.uniform(wall + 8, back - 2), self.rng.uniform(12, 35)
            self.scene.block(self._x(x, x + 1.4), (y, y + 1.0), (0.0, 0.9), (60, 80, 160))
        x0 = back - 8
        for level in (3.2, 6.4, 9.6):
            self.scene.block(self._x(x0, back - 1), (26.0, 36.5), (level, level + 0.3), (150, 154, 156))
        for x in (x0 + 0.3, back - 1.3):
            for y in (26.3, 31.0, 36.0):
                self.scene.block(self._x(x, x + 0.35), (y, y + 0.35), (0.0, 12.0), (160, 163, 165))


def _zone(name: str, kind: ZoneKind, x: tuple[float, float], y: tuple[float, float]) -> Zone:
    return Zone(name, kind, np.array([(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1])]))
