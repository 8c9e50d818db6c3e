"""What stands along most streets: rows of tube houses, trees, railings, a park."""

from __future__ import annotations

from functools import cache
from random import Random

import numpy as np

from matpho_simcity.drawing.facades import banner, house_front, tree_sprite
from matpho_simcity.drawing.geometry import Picture
from matpho_simcity.world.scene import Cutout, Material, Panel, Place, Scene, Wall, Wire

_FRONTS = 48
_WALL_PAINTS = ((150, 170, 185), (170, 180, 188), (130, 150, 170), (165, 165, 165), (140, 165, 190))
AWNINGS = ((160, 70, 30), (40, 40, 180), (60, 130, 50), (60, 150, 220), (190, 190, 190), (150, 110, 50))
GOODS = ((40, 60, 200), (40, 160, 230), (50, 150, 70), (180, 200, 220), (60, 90, 140), (150, 60, 120))

_FIRST_TREE = {
    (place, sign): 34.0 if sign < 0 else 12.0
    for sign in (-1, 1)
    for place in (Place.MARKET, Place.BUS_STOP, Place.CONSTRUCTION)
} | {
    (Place.RIVER_BANK, -1): 34.0,
    (Place.SCHOOL_GATE, -1): 34.0,
    (Place.SCHOOL_GATE, 1): 30.0,
    (Place.MARKET, 1): 80.0,
    (Place.BUS_STOP, 1): 46.0,
}
"""Metres at which the trees begin where the camera hangs on the left, so that none stands before its lens."""


@cache
def _front(number: int) -> tuple[float, int, Picture]:
    """One of the house fronts that every street draws from: (width in metres, floors, texture)."""
    rng = Random(f"front:{number}")
    width, floors = rng.uniform(3.6, 6.2), rng.choice((2, 3, 3, 4, 4, 5))
    return width, floors, house_front(rng, width, floors)


@cache
def tree(number: int, kind: str) -> Picture:
    """One of the trees that every street draws from; `kind` is "tree", "bush" or "palm"."""
    return tree_sprite(Random(f"tree:{kind}:{number}"), kind)


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
        colour = self.rng.choice(AWNINGS)
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
                self.scene.cutouts.append(Cutout(x, float(y), 0.0, 0.8, 0.9, tree(self.rng.randrange(6), "bush")))

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
                    tree(self.rng.randrange(10), "tree"),
                )
            )

    def planting(self, places: list[tuple[float, float]]) -> None:
        """Bushes at `places`."""
        for x, y in places:
            kind = self.rng.choice(("bush", "bush", "palm"))
            size = 4.0 if kind == "palm" else 1.5
            self.scene.cutouts.append(Cutout(x, y, 0.0, size * 0.9, size, tree(self.rng.randrange(6), kind)))

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
                    self.rng.choice(GOODS),
                )
        for y in np.arange(near, far, 11.0):
            if self.rng.random() < 0.5:
                word = self.rng.choice(("PHO", "CAFE", "NET", "HOTEL", "ATM", "SPA"))
                z = self.rng.uniform(3.4, 6.0)
                x = self.sign * (self.front - 1.0)
                texture = banner(self.rng, word, self.rng.choice(AWNINGS), (240, 245, 245))
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
                Cutout(self.sign * x, y, 0.0, height * 0.75, height, tree(self.rng.randrange(10), "tree"))
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

    def _rail(self, near: float, far: float) -> None:
        self._railing(near, 150.0, self.front - 0.15, 1.15, (170, 150, 130))
        for y in np.arange(2.0, 90.0, 14.0):
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
                    tree(self.rng.randrange(10), "tree"),
                )
            )
