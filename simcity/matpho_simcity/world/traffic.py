"""Ambient traffic: vehicles and walkers that enter lanes in chunks of time, follow who is ahead and stop at lights.

Everything is worked out per chunk from a seed, so that any moment of any day can be asked for without playing up to it.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from matpho_contracts.vocabulary import ObjectClass
from matpho_simcity.drawing.actor import Look, Placed, make_look
from matpho_simcity.world.scene import Lane, Place, Scene

CYCLE = 40.0
"""Seconds of one round of the traffic lights."""
CHUNK = 2 * CYCLE
"""Seconds of traffic worked out at once."""
_STEP = 0.25
_LIFE = 120.0
_GREEN = {"main": (0.0, 17.0), "cross": (20.0, 36.0)}
_AMBER = 3.0
_KEPT_CHUNKS = 8
_O = ObjectClass
_MIX: dict[ObjectClass, float] = {
    _O.MOTORCYCLE: 46,
    _O.CAR: 22,
    _O.BICYCLE: 8,
    _O.VAN: 6,
    _O.TRUCK: 8,
    _O.BUS: 5,
    _O.AMBULANCE: 0.6,
    _O.FIRE_ENGINE: 0.3,
}
_LIGHT_MIX: dict[ObjectClass, float] = {_O.MOTORCYCLE: 60, _O.BICYCLE: 22, _O.CAR: 8}


def is_green(group: str, seconds: float) -> bool:
    """Whether lane group `group` ("main", "cross", or "" for no light) may go."""
    if not group:
        return True
    start, end = _GREEN[group]
    return start <= seconds % CYCLE < end


def signal_colour(group: str, seconds: float) -> tuple[int, int, int]:
    """The lamp that burns, (blue, green, red)."""
    _, end = _GREEN[group]
    if is_green(group, seconds):
        return 60, 220, 60
    return (40, 190, 250) if end <= seconds % CYCLE < end + _AMBER else (40, 40, 245)


def bulbs(scene: Scene, seconds: float) -> list[tuple[tuple[float, float, float], tuple[int, int, int]]]:
    """Where the scene's traffic lights burn (metres) and in which colour (blue, green, red)."""
    found = []
    for signal in scene.signals:
        colour = signal_colour(signal.group, seconds)
        drop = {60: 0.32, 190: 0.0}.get(colour[0] if colour[1] == 220 else colour[1], -0.32)
        found.append(((signal.x, signal.y - 0.2, signal.z - drop), colour))
    return found


@dataclass(frozen=True, slots=True)
class Trip:
    """One vehicle's or walker's way along a lane: `distances` every 0.25 s from `start`."""

    id: str
    look: Look
    lane: Lane
    start: float
    offset: float
    distances: NDArray[np.float32]

    def at(self, seconds: float) -> Placed | None:
        """Where it is, or None before it enters and after it left."""
        position = (seconds - self.start) / _STEP
        index = int(position)
        if position < 0 or index + 1 >= len(self.distances):
            return None
        first, second = float(self.distances[index]), float(self.distances[index + 1])
        distance = first + (second - first) * (position - index)
        if distance >= self.lane.length:
            return None
        x, y, heading = self.lane.at(distance, self.offset)
        speed = (second - first) / _STEP
        action = "standing" if speed < 0.1 else "moving"
        return Placed(self.id, self.look, x, y, heading, 0.0, speed, (distance / 1.35) % 1.0, action)


class Traffic:
    """All ambient movement of one scene on one day; `density` 1 is a normal street, 0 empty."""

    def __init__(self, scene: Scene, seed: str, *, density: float = 1.0, wet: bool = False) -> None:
        self._scene, self._seed, self._density, self._wet = scene, seed, density, wet
        self._chunks: OrderedDict[int, list[Trip]] = OrderedDict()

    def at(self, seconds: float) -> list[Placed]:
        """Everyone on the way `seconds` after the script began."""
        current = math.floor(seconds / CHUNK)
        found = []
        for number in range(current - math.ceil(_LIFE / CHUNK), current + 1):
            found += [placed for trip in self._chunk(number) if (placed := trip.at(seconds)) is not None]
        return found

    def _chunk(self, number: int) -> list[Trip]:
        trips = self._chunks.get(number)
        if trips is None:
            trips = self._drive(number) + self._walk(number)
            self._chunks[number] = trips
            while len(self._chunks) > _KEPT_CHUNKS:
                self._chunks.popitem(last=False)
        self._chunks.move_to_end(number)
        return trips

    def _drive(self, number: int) -> list[Trip]:
        trips: list[Trip] = []
        for lane in self._scene.lanes:
            rng = Random(f"{self._seed}:{lane.name}:{number}")
            trips += self._lane(lane, number, rng)
        return trips

    def _lane(self, lane: Lane, number: int, rng: Random) -> list[Trip]:
        """Vehicles of one lane: the wide ones queue behind each other, two-wheelers keep to the right of them."""
        trips: list[Trip] = []
        ahead: dict[bool, tuple[float, NDArray[np.float32], float]] = {}
        mix = _MIX if lane.heavy else _LIGHT_MIX
        pace = {Place.ALLEY: 0.6, Place.BRIDGE: 1.1, Place.MARKET: 0.8}.get(self._scene.place, 1.0) * self._density
        clock = number * CHUNK + rng.uniform(1.0, 4.0)
        while pace > 0 and clock < (number + 1) * CHUNK - 2.0:
            kind = rng.choices(list(mix), list(mix.values()))[0]
            narrow = kind in (_O.MOTORCYCLE, _O.BICYCLE)
            look = make_look(kind, rng, poncho=self._wet)
            length = look.mesh.extent[1] if look.mesh is not None else 4.0
            speed = (
                lane.speed
                * {_O.BICYCLE: 0.5, _O.MOTORCYCLE: 1.0, _O.TRUCK: 0.85, _O.BUS: 0.85}.get(kind, 0.95)
                * rng.uniform(0.93, 1.05)
            )
            track = narrow and lane.width > 2.6
            distances = self._follow(lane, clock, speed, length, ahead.get(track))
            ahead[track] = (clock, distances, length)
            side = lane.width * (
                rng.uniform(0.2, 0.42)
                if track
                else rng.uniform(-0.12, 0.0)
                if lane.width > 2.6
                else rng.uniform(-0.2, 0.2)
            )
            trips.append(Trip(f"{lane.name}-{number}-{len(trips)}", look, lane, clock, side, distances))
            clock += max(1.4 if narrow else 2.6, rng.expovariate(pace / (5.2 if narrow else 6.5)))
        return trips

    def _follow(
        self,
        lane: Lane,
        start: float,
        speed: float,
        length: float,
        ahead: tuple[float, NDArray[np.float32], float] | None,
    ) -> NDArray[np.float32]:
        """Distance every quarter of a second for one that wants `speed`, behind `ahead` and before red lights."""
        steps = int(_LIFE / _STEP)
        distances = np.zeros(steps, np.float32)
        here, now = 0.0, speed
        for step in range(1, steps):
            clock = start + step * _STEP
            room = math.inf
            if lane.signal and here < lane.stop - 0.3 and not is_green(lane.signal, clock):
                room = lane.stop - length / 2 - here
                if room < now * now / 9.0 - 1.0:
                    room = math.inf
            if ahead is not None:
                index = int((clock - ahead[0]) / _STEP)
                if index < len(ahead[1]):
                    room = min(room, float(ahead[1][index]) - (ahead[2] + length) / 2 - 1.2 - here)
            wanted = min(speed, math.sqrt(max(0.0, 2 * 2.2 * (room - 0.4)))) if room < 1e6 else speed
            now = max(0.0, min(wanted, now + 1.8 * _STEP))
            here += now * _STEP
            distances[step] = here
            if here > lane.length + 1:
                return distances[: step + 1]
        return distances

    def _walk(self, number: int) -> list[Trip]:
        trips: list[Trip] = []
        for lane in self._scene.walks:
            rng = Random(f"{self._seed}:walk:{lane.name}:{number}")
            clock = number * CHUNK + rng.uniform(0, 20)
            while self._density > 0 and clock < (number + 1) * CHUNK:
                pace = lane.speed * rng.uniform(0.85, 1.2)
                look = make_look(
                    _O.PERSON, rng, child=rng.random() < (0.5 if self._scene.place is Place.SCHOOL_GATE else 0.1)
                )
                distances = self._stroll(lane, clock, pace)
                trips.append(
                    Trip(
                        f"walk-{lane.name}-{number}-{len(trips)}",
                        look,
                        lane,
                        clock,
                        rng.uniform(-0.45, 0.45) * lane.width,
                        distances,
                    )
                )
                clock += rng.expovariate(self._density / (16.0 if self._scene.place is not Place.MARKET else 9.0)) + 2.0
        return trips

    @staticmethod
    def _stroll(lane: Lane, start: float, pace: float) -> NDArray[np.float32]:
        steps = int(_LIFE / _STEP)
        if not lane.signal:
            return np.arange(steps, dtype=np.float32) * np.float32(pace * _STEP)
        distances, here = np.zeros(steps, np.float32), 0.0
        for step in range(1, steps):
            clock = start + step * _STEP
            waits = abs(here - lane.stop) < 0.4 and not (
                is_green(lane.signal, clock) and is_green(lane.signal, clock + 7)
            )
            here += 0.0 if waits else pace * _STEP
            distances[step] = here
        return distances
