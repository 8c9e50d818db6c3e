"""Roadsides with something of their own: a river bank, a school, a market, a building site."""

from __future__ import annotations

import itertools
import math

import numpy as np

from matpho_simcity.drawing.facades import banner, corrugated, office_front
from matpho_simcity.world.roadside import AWNINGS, GOODS, Roadside, tree
from matpho_simcity.world.scene import Cutout, Material, Panel, Wall, Wire, Zone, ZoneKind


class Landmarks(Roadside):
    """A roadside that may also be a river bank, a school, a market or a building site."""

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
                    tree(self.rng.randrange(10), "tree"),
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
                    tree(self.rng.randrange(10), self.rng.choice(("tree", "tree", "palm"))),
                )
            )
        self.scene.zones.append(_zone("water", ZoneKind.WATER, self._x(bank + 1.2, 55), (2.0, 60.0)))
        self.scene.zones.append(_zone("no_dumping", ZoneKind.NO_DUMPING, self._x(self.half + 0.1, bank), (6.0, 40.0)))
        self.scene.spots["dump"] = [(self.sign * (self.front + 0.9), y) for y in (14.0, 19.0, 24.0)]

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
                self.rng.choice(GOODS),
            )
        for x in table:
            for y in (y0, y1):
                self.scene.wires.append(Wire(np.array([(x, y, 0.0), (x, y, 2.4)]), (120, 120, 120), 0.05))
        colour = self.rng.choice(AWNINGS)
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
            for index, (a, b) in enumerate(itertools.pairwise(ring)):
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
