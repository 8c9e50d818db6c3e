"""Acted incidents and their harmless neighbours: who does what, where, and what a watcher should report."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from matpho_contracts.vocabulary import Colour, EventType, ObjectClass
from matpho_simcity.drawing.actor import Look, Placed, make_look
from matpho_simcity.world.scene import Lane, Place, Scene, Spot

_O = ObjectClass
_APPROACH = 14.0
"""Metres from which a vehicle of an incident drives up."""

Act = Callable[[float], Placed | None]
"""Where an actor is `seconds` after its incident began, or None while it is away."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One thing seen to take part in an event."""

    object_class: ObjectClass
    colour: Colour
    actor_id: str
    plate: str = ""


@dataclass(frozen=True, slots=True)
class ExpectedEvent:
    """What a watcher should report: seconds after the script began, who took part, where (metres; the zone's name)."""

    type: EventType
    start: float
    end: float
    objects: tuple[Taken, ...]
    x: float
    y: float
    zone: str


@dataclass(slots=True)
class Incident:
    """A small play: its actors and, unless it is harmless, the events it amounts to."""

    name: str
    start: float
    length: float
    acts: list[Act] = field(default_factory=list)
    events: list[ExpectedEvent] = field(default_factory=list)

    def at(self, seconds: float) -> list[Placed]:
        """Its actors `seconds` after the script began."""
        if not self.start <= seconds < self.start + self.length:
            return []
        return [placed for act in self.acts if (placed := act(seconds - self.start)) is not None]


def _along(
    name: str, look: Look, points: list[Spot], speed: float, delay: float = 0.0, waits: dict[int, float] | None = None
) -> tuple[Act, list[float]]:
    """An act that goes through `points` at `speed` m/s, waiting `waits[i]` seconds at point i; and its arrivals."""
    arrivals, leaves, clock = [delay], [], delay
    for index, (here, there) in enumerate(zip(points, points[1:] + points[-1:], strict=True)):
        clock += (waits or {}).get(index, 0.0)
        leaves.append(clock)
        clock += math.dist(here, there) / speed
        arrivals.append(clock)

    def act(seconds: float) -> Placed | None:
        if seconds < delay or seconds >= leaves[-1]:
            return None
        index = max(i for i, time in enumerate(arrivals[: len(points)]) if time <= seconds)
        (x0, y0), (x1, y1) = points[index], points[min(index + 1, len(points) - 1)]
        if seconds < leaves[index] or (x0, y0) == (x1, y1):
            (a, b), (c, d) = (points[index - 1], points[index]) if index else (points[0], points[1])
            return Placed(name, look, x0, y0, math.atan2(c - a, d - b), 0.0, 0.0, 0.0, "standing")
        gone = (seconds - leaves[index]) * speed
        share = gone / math.dist((x0, y0), (x1, y1))
        heading = math.atan2(x1 - x0, y1 - y0)
        return Placed(
            name, look, x0 + (x1 - x0) * share, y0 + (y1 - y0) * share, heading, 0.0, speed, (gone / 1.35) % 1.0
        )

    return act, arrivals


def _still(
    name: str,
    look: Look,
    x: float,
    y: float,
    heading: float,
    since: float,
    until: float,
    size: tuple[float, float] = (1.0, 1.0),
    z: float = 0.0,
) -> Act:
    """An act that stands (or burns, growing) at one spot from `since` to `until`."""

    def act(seconds: float) -> Placed | None:
        if not since <= seconds < until:
            return None
        grown = min(1.0, 0.35 + (seconds - since) / 12.0)
        return Placed(
            name, look, x, y, heading, z, 0.0, 0.0, "standing", (size[0] * grown, size[1] * grown), seconds - since
        )

    return act


class Director:
    """Stages incidents in one scene; `rng` decides who and where."""

    def __init__(self, scene: Scene, rng: Random, name: str, start: float, length: float) -> None:
        self.scene, self.rng, self.name = scene, rng, name
        self.incident = Incident(name, start, length)

    def stage(self, kind: str) -> Incident:
        """Stage `kind` (an event type's value or the name of a harmless play)."""
        getattr(self, f"_{kind}")()
        return self.incident

    def _id(self, part: str) -> str:
        return f"{self.name}-{part}"

    def _event(
        self, kind: EventType, start: float, end: float, looks: list[tuple[str, Look]], at: Spot, zone: str
    ) -> None:
        begun, last = self.incident.start, self.incident.start + self.incident.length
        taken = tuple(Taken(look.object_class, look.colour, name, look.plate) for name, look in looks)
        self.incident.events.append(
            ExpectedEvent(kind, begun + start, min(begun + end, last), taken, at[0], at[1], zone)
        )

    def _add(self, act: Act) -> None:
        self.incident.acts.append(act)

    def _lane(self, prefix: str) -> Lane:
        return self.rng.choice([lane for lane in self.scene.lanes if lane.name.startswith(prefix)])

    def _spot(self, name: str, spread: float = 0.0) -> Spot:
        x, y = self.rng.choice(self.scene.spots[name])
        return x + self.rng.uniform(-spread, spread) * 0.3, y + self.rng.uniform(-spread, spread)

    def _edge_y(self, far: bool) -> float:
        return 62.0 if far else -8.0

    # -- incidents ---------------------------------------------------------------------------------------------------

    def _wrong_way(self) -> None:
        """A rider (or a car) comes down the lane that leads away from the lens."""
        light = self.scene.place in (Place.ALLEY, Place.BRIDGE, Place.SCHOOL_GATE, Place.MARKET)
        kind = _O.MOTORCYCLE if light or self.rng.random() < 0.7 else self.rng.choice((_O.CAR, _O.TRUCK))
        look, lane = make_look(kind, self.rng), self._lane("up")
        x = lane.path[0][0] + lane.width * (0.3 if kind is _O.MOTORCYCLE else 0.05)
        name, speed = self._id("vehicle"), self.rng.uniform(4.0, 6.0)
        points = [(x, 58.0), (x, -12.0)]
        if self.scene.place is Place.ROUNDABOUT:
            points = [(x + 7.0, 12.0), (x, 8.0), (x, -12.0)]
        act, arrivals = _along(name, look, points, speed)
        self._add(act)
        begun, gone = arrivals[len(points) - 2], arrivals[len(points) - 1]
        self._event(EventType.WRONG_WAY, begun, gone, [(name, look)], (x, points[-2][1] / 2), "up")

    def _stopped_vehicle(self) -> None:
        """A vehicle breaks down in its lane."""
        kind = (
            self.rng.choice((_O.CAR, _O.TRUCK, _O.VAN, _O.BUS, _O.MOTORCYCLE))
            if self.scene.place is not Place.ALLEY
            else _O.CAR
        )
        look, (x, y) = make_look(kind, self.rng, riders=1), self._spot("stop", 2.0)
        ahead = 1 if x > 0 else -1
        name, stay = self._id("vehicle"), self.rng.uniform(28.0, 36.0)
        act, arrivals = _along(
            name, look, [(x, y - ahead * _APPROACH * 2), (x, y), (x, y + ahead * 45.0)], 6.0, 0.0, {1: stay}
        )
        self._add(act)
        self._event(
            EventType.STOPPED_VEHICLE,
            arrivals[1],
            arrivals[1] + stay,
            [(name, look)],
            (x, y),
            "up" if x > 0 else "down",
        )

    def _illegal_parking(self) -> None:
        """A vehicle is left in the no-parking strip along the kerb."""
        kind = self.rng.choice((_O.CAR, _O.CAR, _O.VAN, _O.TRUCK))
        look, (x, y) = make_look(kind, self.rng), self._spot("no_parking", 1.5)
        name, stay = self._id("vehicle"), self.rng.uniform(32.0, 40.0)
        inner = x - 2.2
        act, arrivals = _along(
            name,
            look,
            [(inner, y - 22.0), (inner, y - 8.0), (x, y), (inner, y + 9.0), (inner, y + 40.0)],
            5.5,
            0.0,
            {2: stay},
        )
        self._add(act)
        self._event(EventType.ILLEGAL_PARKING, arrivals[2], arrivals[2] + stay, [(name, look)], (x, y), "no_parking")

    def _intrusion(self) -> None:
        """Somebody slips through the gap into the fenced yard, looks round and leaves again."""
        look, (gap_x, gap_y) = make_look(_O.PERSON, self.rng, child=False), self._spot("gap")
        inside = self.rng.sample(self.scene.spots["restricted"], 2)
        name = self._id("person")
        points = [
            (gap_x - 1.5, gap_y - 7.0),
            (gap_x - 1.0, gap_y),
            (gap_x + 1.5, gap_y),
            *inside,
            (gap_x + 1.5, gap_y),
            (gap_x - 1.0, gap_y),
            (gap_x - 1.2, gap_y + 12),
        ]
        act, arrivals = _along(name, look, points, 1.5, 0.0, {3: self.rng.uniform(5, 9), 4: self.rng.uniform(5, 9)})
        self._add(act)
        self._event(EventType.INTRUSION, arrivals[2], arrivals[5], [(name, look)], inside[0], "restricted")

    def _crowd(self) -> None:
        """People gather from both sides, stand about and go."""
        x0, y0 = self._spot("crowd")
        number = self.rng.randint(7, 11)
        people: list[tuple[str, Look]] = []
        stay, last, first = self.rng.uniform(22, 28), 0.0, math.inf
        wide = 1.3 if self.scene.place in (Place.ALLEY,) else 1.7
        for index in range(number):
            look, name = make_look(_O.PERSON, self.rng), self._id(f"person{index}")
            turn = 2 * math.pi * index / number
            radius = (0.55 + 0.45 * (index % 2)) * wide
            goal = (x0 + radius * 0.75 * math.cos(turn), y0 + radius * 1.5 * math.sin(turn))
            side = -1 if index % 2 else 1
            act, arrivals = _along(
                name,
                look,
                [(goal[0], goal[1] + side * 11), goal, (goal[0], goal[1] - side * 16)],
                1.7,
                index * 0.35,
                {1: stay},
            )
            last, first = max(last, arrivals[1]), min(first, arrivals[1] + stay)
            people.append((name, look))
            self._add(act)
        self._event(EventType.CROWD, last, first, people, (x0, y0), "crowd_area")

    def _burn(self, *, flames: bool) -> None:
        x, y = self._spot("fire", 1.0)
        end = self.incident.length
        taken: list[tuple[str, Look]] = []
        smoke, width = make_look(_O.SMOKE, self.rng), self.rng.uniform(1.4, 2.4)
        heap = make_look(_O.RUBBISH, self.rng)
        self._add(_still(self._id("heap"), heap, x, y + 0.3, 0.0, 0.0, end))
        self._add(_still(self._id("smoke"), smoke, x, y, 0.0, 1.0, end, (width * 2.0, width * 3.4), 0.4))
        taken.append((self._id("smoke"), smoke))
        if flames:
            fire = make_look(_O.FIRE, self.rng)
            self._add(_still(self._id("fire"), fire, x, y - 0.1, 0.0, 0.5, end, (width, width * 1.5)))
            self._event(EventType.FIRE, 2.0, end, [(self._id("fire"), fire)], (x, y), "")
        self._event(EventType.SMOKE, 3.0, end, taken, (x, y), "")

    def _fire(self) -> None:
        """A heap burns by the road."""
        self._burn(flames=True)

    def _smoke(self) -> None:
        """Smoke without a flame."""
        self._burn(flames=False)

    def _illegal_dumping(self) -> None:
        """Somebody walks or drives up, leaves rubbish and goes."""
        x, y = self._spot("dump", 1.0)
        heap, name = make_look(_O.RUBBISH, self.rng), self._id("actor")
        waits = {1: 4.0}
        if self.rng.random() < 0.5 or self.scene.place is Place.ALLEY:
            look = make_look(_O.PERSON, self.rng, child=False)
            side = self.rng.choice((-1, 1))
            act, arrivals = _along(
                name, look, [(x - 0.9, y - side * 12), (x - 0.9, y), (x - 0.9, y + side * 30)], 1.6, 0.0, waits
            )
        else:
            look = make_look(self.rng.choice((_O.MOTORCYCLE, _O.TRUCK, _O.VAN)), self.rng, riders=1)
            half = look.mesh.extent[0] / 2 if look.mesh is not None else 1.0
            kerb = min(
                x - 1.4 - half, max(lane.path[0][0] for lane in self.scene.lanes if lane.name.startswith("up")) + 1.0
            )
            act, arrivals = _along(name, look, [(kerb, y - 24), (kerb, y), (kerb, y + 55)], 5.0, 0.0, waits)
        self._add(act)
        left = arrivals[1] + 2.5
        self._add(_still(self._id("rubbish"), heap, x, y, 0.0, left, self.incident.length))
        self._event(
            EventType.ILLEGAL_DUMPING,
            left,
            left + 25.0,
            [(self._id("rubbish"), heap), (name, look)],
            (x, y),
            "no_dumping",
        )

    def _pedestrian_on_road(self) -> None:
        """Somebody walks in the carriageway."""
        look, lane, name = make_look(_O.PERSON, self.rng), self._lane("up"), self._id("person")
        x = lane.path[0][0] + lane.width * 0.1
        y = self.rng.uniform(9.0, 14.0) if self.scene.place is not Place.ROUNDABOUT else self.rng.uniform(1.0, 4.0)
        far = y + 22 if self.scene.place not in (Place.JUNCTION, Place.ROUNDABOUT) else y + 5
        edge = x + lane.width * 0.5 + 1.2
        points = [(edge, y - 3), (x, y), (x, far), (edge, far + 2)]
        act, arrivals = _along(name, look, points, 1.15, 0.0, {2: 0.0 if far > y + 6 else 8.0})
        self._add(act)
        self._event(
            EventType.PEDESTRIAN_ON_ROAD, arrivals[0] + 1.5, arrivals[3] - 1.5, [(name, look)], (x, y + 5), "up"
        )

    # -- harmless neighbours -------------------------------------------------------------------------------------------

    def _bus_calls(self) -> None:
        """A bus stops for passengers where it may."""
        look, (x, y) = make_look(_O.BUS, self.rng), self.scene.spots["bus_stop"][0]
        act, _ = _along(
            self._id("bus"),
            look,
            [(x - 1.5, y - 50), (x - 1.5, y - 18), (x, y - 4), (x - 1.5, y + 14), (x - 1.5, y + 60)],
            6.0,
            0.0,
            {2: 12.0},
        )
        self._add(act)

    def _along_the_fence(self) -> None:
        """Somebody walks past the fence and stays outside."""
        look, (x, y) = make_look(_O.PERSON, self.rng), self._spot("gap")
        act, _ = _along(self._id("person"), look, [(x - 0.9, y - 20), (x - 0.9, y + 20)], 1.3)
        self._add(act)

    def _short_halt(self) -> None:
        """A car lets somebody out on the far side and drives on within a few seconds."""
        look, lane = make_look(_O.CAR, self.rng), self._lane("down")
        x = lane.path[0][0] - lane.width * 0.15
        act, _ = _along(self._id("car"), look, [(x, 60.0), (x, 24.0), (x, -12.0)], 7.0, 0.0, {1: 4.0})
        self._add(act)

    def _pair_talks(self) -> None:
        """Two people meet on the pavement; no crowd."""
        x, y = self.scene.spots.get("crowd", self.scene.spots["fire"])[0]
        for index, side in enumerate((-1, 1)):
            look = make_look(_O.PERSON, self.rng)
            act, _ = _along(
                self._id(f"person{index}"),
                look,
                [(x + side * 0.4, y + side * 12), (x + side * 0.4, y + side * 0.3), (x + side * 0.4, y - side * 14)],
                1.3,
                0.0,
                {1: 12.0},
            )
            self._add(act)


def incidents_of(scene: Scene) -> list[str]:
    """The incidents that can be acted in `scene`."""
    kinds = ["wrong_way", "stopped_vehicle", "fire", "smoke", "pedestrian_on_road"]
    kinds += ["illegal_parking"] if "no_parking" in scene.spots else []
    kinds += ["intrusion", "intrusion"] if "restricted" in scene.spots else []
    kinds += ["crowd"] if "crowd" in scene.spots else []
    kinds += ["illegal_dumping"] if "dump" in scene.spots else []
    if scene.place is Place.ALLEY:
        kinds = [kind for kind in kinds if kind not in ("wrong_way", "pedestrian_on_road", "stopped_vehicle")]
    return kinds


def neighbours_of(scene: Scene) -> list[str]:
    """The harmless plays that fit `scene`."""
    kinds = ["pair_talks"] if scene.place not in (Place.ALLEY, Place.BRIDGE) else []
    kinds += ["short_halt"] if scene.place not in (Place.ALLEY, Place.JUNCTION, Place.ROUNDABOUT) else []
    kinds += ["bus_calls", "bus_calls"] if "bus_stop" in scene.spots else []
    kinds += ["along_the_fence", "along_the_fence"] if "gap" in scene.spots else []
    return kinds
