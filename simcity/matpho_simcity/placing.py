"""Scatters movers over a scene for one independent picture: who is where, without two in one place."""

from __future__ import annotations

import math
from collections.abc import Mapping
from random import Random

import numpy as np

from matpho_contracts.vocabulary import ObjectClass
from matpho_simcity.drawing.actor import Look, Placed, make_look
from matpho_simcity.drawing.geometry import Camera
from matpho_simcity.world.scene import Lane, Scene

_C = ObjectClass
TRAFFIC: Mapping[ObjectClass, float] = {
    _C.MOTORCYCLE: 30,
    _C.CAR: 20,
    _C.VAN: 8,
    _C.TRUCK: 9,
    _C.BUS: 7,
    _C.BICYCLE: 9,
    _C.AMBULANCE: 2.5,
    _C.FIRE_ENGINE: 2.5,
}
"""How often each kind of vehicle is drawn, against the others."""
_FORCED = {
    _C.AMBULANCE: 0.09,
    _C.FIRE_ENGINE: 0.09,
    _C.FIRE: 0.13,
    _C.SMOKE: 0.12,
    _C.BAG: 0.2,
    _C.RUBBISH: 0.17,
    _C.BUS: 0.06,
    _C.VAN: 0.06,
    _C.BICYCLE: 0.06,
}
"""Chance that a picture gets one of a class beside the traffic; keeps the rare ones above 5% of pictures."""
_ATTEMPTS = 12


class Wardrobe:
    """Looks to draw from: new ones, and now and then one seen before (they are dear to make)."""

    def __init__(self, rng: Random, *, wet: bool = False, reuse: float = 0.55) -> None:
        self._rng, self._wet, self._reuse = rng, wet, reuse
        self._worn: dict[tuple[ObjectClass, bool], list[Look]] = {}

    def look(self, object_class: ObjectClass, *, parked: bool = False) -> Look:
        """A look of `object_class`; `parked` two-wheelers carry nobody."""
        worn = self._worn.setdefault((object_class, parked), [])
        if len(worn) >= 3 and self._rng.random() < self._reuse:
            return self._rng.choice(worn)
        riders = 0 if parked and object_class in (_C.MOTORCYCLE, _C.BICYCLE) else None
        worn.append(make_look(object_class, self._rng, riders=riders, poncho=self._wet))
        return worn[-1]


class Scatter:
    """Places movers for one picture seen by `camera`."""

    def __init__(
        self,
        scene: Scene,
        camera: Camera,
        wardrobe: Wardrobe,
        rng: Random,
        prefix: str = "m",
        traffic: Mapping[ObjectClass, float] = TRAFFIC,
    ) -> None:
        self.scene, self.camera, self.wardrobe, self.rng, self.prefix = scene, camera, wardrobe, rng, prefix
        self.traffic = traffic
        self.movers: list[Placed] = []
        self._taken: list[tuple[float, float, float]] = []
        lanes = [lane for lane in scene.lanes if self._seen_length(lane)]
        self.lanes = lanes or scene.lanes

    def everything(self) -> list[Placed]:
        """Traffic, people and, by chance, the rare things."""
        for object_class, chance in _FORCED.items():
            if self.rng.random() < chance:
                self.special(object_class)
        crowded = self.rng.random() < 0.12
        self.parked()
        for _ in range(self.rng.randint(0, 5) + self.rng.randint(0, 6)):
            self.vehicle(self.rng.choices(list(self.traffic), list(self.traffic.values()))[0])
        for _ in range(self.rng.randint(8, 16) if crowded else self.rng.randint(0, 5)):
            self.walker(gather=crowded)
        return self.movers

    def special(self, object_class: ObjectClass) -> Placed | None:
        """One object of `object_class` where such a thing would be."""
        if object_class in (_C.FIRE, _C.SMOKE):
            return self.burning(object_class)
        if object_class in (_C.BAG, _C.RUBBISH):
            return self.left(object_class)
        if object_class is _C.PERSON:
            return self.walker()
        return self.vehicle(object_class)

    def vehicle(self, object_class: ObjectClass) -> Placed | None:
        """A vehicle in a lane, or now and then parked, crossing or against the traffic."""
        look = self.wardrobe.look(object_class)
        width, length, _ = look.mesh.extent if look.mesh is not None else (1.0, 1.0, 1.0)
        narrow = object_class in (_C.MOTORCYCLE, _C.BICYCLE)
        for _ in range(_ATTEMPTS):
            lane = self.rng.choice(self.lanes)
            if not lane.heavy and not narrow and object_class not in (_C.CAR, _C.VAN, _C.AMBULANCE):
                continue
            room = max(0.0, lane.width / 2 - width / 2)
            x, y, heading = lane.at(
                self._distance(lane),
                self.rng.uniform(-room, room) + (0.25 * lane.width if narrow else 0.0) * self.rng.random(),
            )
            heading += self.rng.gauss(0, 0.05) + (math.pi if self.rng.random() < 0.06 else 0.0)
            if self.rng.random() < 0.05:
                heading += self.rng.uniform(-1.5, 1.5)
            parked = self.rng.random() < 0.12
            if narrow and parked:
                look = self.wardrobe.look(object_class, parked=True)
            placed = self._put(look, x, y, heading, 0.0 if parked else self.rng.uniform(2, 12), max(0.7, length / 2))
            if placed is not None:
                return placed
        return None

    def parked(self) -> None:
        """Motorcycles left on the pavement."""
        share = self.rng.choice((0.0, 0.0, 0.3))
        for x, y, heading in self.scene.parking:
            if self.rng.random() < share:
                look = self.wardrobe.look(_C.MOTORCYCLE, parked=True)
                self._put(look, x, y, heading + self.rng.uniform(-0.2, 0.2), 0.0, 0.3)

    def walker(self, *, gather: bool = False) -> Placed | None:
        """Somebody on foot: on a pavement mostly, sometimes on the road, or in a group."""
        look = self.wardrobe.look(_C.PERSON)
        group = self.scene.spots.get("crowd")
        for _ in range(_ATTEMPTS):
            if gather and group:
                x0, y0 = self.rng.choice(group)
                x, y = self.rng.gauss(x0, 1.6), self.rng.gauss(y0, 3.0)
                heading = self.rng.uniform(-math.pi, math.pi)
            else:
                lane = self.rng.choice(
                    self.scene.walks if self.rng.random() < 0.72 and self.scene.walks else self.scene.lanes
                )
                x, y, heading = lane.at(self._distance(lane), self.rng.uniform(-lane.width / 2, lane.width / 2))
                heading += self.rng.choice((0.0, math.pi, self.rng.uniform(-1.6, 1.6)))
            speed = self.rng.choice((0.0, 1.3, 1.3))
            placed = self._put(look, x, y, heading, speed, 0.35)
            if placed is not None:
                return placed
        return None

    def left(self, object_class: ObjectClass) -> Placed | None:
        """A bag or a heap of rubbish, mostly off the carriageway."""
        look = self.wardrobe.look(object_class)
        for _ in range(_ATTEMPTS):
            spots = self.scene.spots.get("dump", [])
            if object_class is _C.RUBBISH and spots and self.rng.random() < 0.5:
                x, y = self.rng.choice(spots)
                x, y = x + self.rng.gauss(0, 0.5), y + self.rng.gauss(0, 2)
            else:
                lane = self.rng.choice(
                    self.scene.walks if self.rng.random() < 0.75 and self.scene.walks else self.scene.lanes
                )
                x, y, _ = lane.at(self._distance(lane, near=True), self.rng.uniform(-lane.width / 2, lane.width / 2))
            placed = self._put(
                look, x, y, self.rng.uniform(-math.pi, math.pi), 0.0, 0.8 if object_class is _C.RUBBISH else 0.35
            )
            if placed is not None:
                return placed
        return None

    def burning(self, object_class: ObjectClass) -> Placed | None:
        """A fire (every other time with smoke above it) or smoke alone."""
        for _ in range(_ATTEMPTS):
            lane = self.rng.choice(self.scene.walks + self.lanes)
            x, y, _ = lane.at(self._distance(lane), self.rng.uniform(-lane.width / 2 - 1, lane.width / 2 + 1))
            if not self._in_view(x, y):
                continue
            width = self.rng.uniform(0.7, 2.8)
            if object_class is _C.SMOKE or self.rng.random() < 0.5:
                size = (width * self.rng.uniform(1.6, 2.6), width * self.rng.uniform(2.2, 4.5) + 1)
                self.movers.append(self._placed(make_look(_C.SMOKE, self.rng), x, y - 0.02, 0.0, 0.0, size=size, z=0.3))
            if object_class is _C.FIRE:
                size = (width, width * self.rng.uniform(1.0, 1.8))
                self.movers.append(self._placed(make_look(_C.FIRE, self.rng), x, y, 0.0, 0.0, size=size))
            self._taken.append((x, y, 0.6))
            return self.movers[-1]
        return None

    def _put(self, look: Look, x: float, y: float, heading: float, speed: float, radius: float) -> Placed | None:
        if not self._in_view(x, y) or not self._free(x, y, radius):
            return None
        self._taken.append((x, y, radius))
        placed = self._placed(look, x, y, heading, speed)
        self.movers.append(placed)
        return placed

    def _placed(
        self,
        look: Look,
        x: float,
        y: float,
        heading: float,
        speed: float,
        size: tuple[float, float] = (1.0, 1.0),
        z: float = 0.0,
    ) -> Placed:
        action = "standing" if speed < 0.1 else "moving"
        name = f"{self.prefix}{len(self.movers)}"
        return Placed(
            name, look, x, y, heading, z, speed, self.rng.random(), action, size, since=self.rng.uniform(2, 60)
        )

    def _free(self, x: float, y: float, radius: float) -> bool:
        return all((x - a) ** 2 + ((y - b) * 0.8) ** 2 > (radius + r) ** 2 * 0.6 for a, b, r in self._taken)

    def _in_view(self, x: float, y: float) -> bool:
        pixels, depth = self.camera.project(np.array([[x, y, 0.0]]))
        u, v = pixels[0]
        w, h = self.camera.width, self.camera.height
        return bool(depth[0] > 2.5 and -0.03 * w < u < 1.03 * w and 0.02 * h < v < 1.12 * h)

    def _seen_length(self, lane: Lane) -> bool:
        return any(self._in_view(*lane.at(lane.length * share)[:2]) for share in (0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9))

    def _distance(self, lane: Lane, *, near: bool = False) -> float:
        """A distance along the lane, more often near the lens than far from it."""
        best = self.rng.uniform(0.5, lane.length - 0.5)
        for _ in range(3 if near else 2):
            other = self.rng.uniform(0.5, lane.length - 0.5)
            if self._away(lane, other) < self._away(lane, best) and self._in_view(*lane.at(other)[:2]):
                best = other
        return best

    def _away(self, lane: Lane, distance: float) -> float:
        x, y, _ = lane.at(distance)
        return math.hypot(x - self.camera.x, y - self.camera.y)
