"""The parts of a scene: surfaces, walls, lanes, walks and the zones that an operator would draw on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from functools import cached_property

import numpy as np

from matpho_simcity.drawing.geometry import Floats, Picture

Spot = tuple[float, float]


class Place(StrEnum):
    """The kinds of place a camera watches."""

    STREET = "street"
    JUNCTION = "junction"
    PAVEMENT = "pavement"
    ALLEY = "alley"
    RIVER_BANK = "river_bank"
    SCHOOL_GATE = "school_gate"
    MARKET = "market"
    BRIDGE = "bridge"
    CONSTRUCTION = "construction"
    BUS_STOP = "bus_stop"
    ROUNDABOUT = "roundabout"


class Material(IntEnum):
    """What the ground is made of."""

    NONE = 0
    ASPHALT = 1
    PAVING = 2
    WHITE_PAINT = 3
    YELLOW_PAINT = 4
    KERB = 5
    GRASS = 6
    SOIL = 7
    WATER = 8
    CONCRETE = 9


class ZoneKind(StrEnum):
    """What a polygon on the picture means."""

    CARRIAGEWAY = "carriageway"
    NO_PARKING = "no_parking"
    RESTRICTED = "restricted"
    PAVEMENT = "pavement"
    CROWD_AREA = "crowd_area"
    WATER = "water"
    NO_DUMPING = "no_dumping"
    BUS_STOP = "bus_stop"
    CROSSING = "crossing"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Surface:
    """A flat piece of ground: `ring` (N, 3) metres."""

    material: Material
    ring: Floats


@dataclass(frozen=True, slots=True)
class Wall:
    """A textured rectangle: upper left corner, vectors along the top and down the side (metres), BGR + glow texture."""

    corner: Floats
    along: Floats
    down: Floats
    texture: Picture


@dataclass(frozen=True, slots=True)
class Panel:
    """A flat polygon (N, 3) of one colour, blue-green-red; `glow` 0..255 shines at night."""

    points: Floats
    colour: tuple[float, float, float]
    glow: int = 0


@dataclass(frozen=True, slots=True)
class Cutout:
    """An upright sprite (BGRA) that always faces the lens, its foot at (x, y, z)."""

    x: float
    y: float
    z: float
    width: float
    height: float
    sprite: Picture


@dataclass(frozen=True, slots=True)
class Wire:
    """A cable or thin pole through (N, 3) points, `width` metres thick."""

    points: Floats
    colour: tuple[float, float, float]
    width: float


@dataclass(frozen=True, slots=True)
class Flood:
    """Water that stands on the road round (x, y): across and along the street in metres when all of it is there;
    `risen` 0..1."""

    x: float
    y: float
    wide: float
    long: float
    risen: float


@dataclass(frozen=True)
class Lane:
    """One stream of traffic: (N, 2) `path` in driving direction, metres; `speed` m/s; `stop` metres to the line."""

    name: str
    path: Floats
    width: float
    speed: float
    signal: str = ""
    stop: float = 0.0
    heavy: bool = True

    @cached_property
    def distances(self) -> Floats:
        """(N,) metres along the path at each of its points."""
        steps = np.hypot(*np.diff(self.path, axis=0).T)
        return np.concatenate([[0.0], np.cumsum(steps)])

    @property
    def length(self) -> float:
        """Metres from entry to exit."""
        return float(self.distances[-1])

    def at(self, distance: float, offset: float = 0.0) -> tuple[float, float, float]:
        """(x, y, heading in radians clockwise from +y) `distance` metres along, `offset` metres to the right."""
        distances = self.distances
        index = int(np.clip(np.searchsorted(distances, distance, side="right") - 1, 0, len(distances) - 2))
        share = (distance - distances[index]) / (distances[index + 1] - distances[index])
        (x0, y0), (x1, y1) = self.path[index], self.path[index + 1]
        heading = float(np.arctan2(x1 - x0, y1 - y0))
        if share > 0.5 and index + 2 < len(self.path):
            heading = _turned(heading, self.path[index + 1], self.path[index + 2], share - 0.5)
        elif share < 0.5 and index > 0:
            heading = _turned(heading, self.path[index - 1], self.path[index], 0.5 - share)
        x = x0 + (x1 - x0) * share + offset * np.cos(heading)
        y = y0 + (y1 - y0) * share - offset * np.sin(heading)
        return float(x), float(y), heading


def _turned(heading: float, start: Floats, end: Floats, share: float) -> float:
    other = float(np.arctan2(end[0] - start[0], end[1] - start[1]))
    turn = (other - heading + np.pi) % (2 * np.pi) - np.pi
    return float(heading + turn * share)


@dataclass(frozen=True, slots=True)
class Zone:
    """A polygon on the ground (N, 2) metres; `direction` (2, 2) start and end of the permitted way of travel."""

    name: str
    kind: ZoneKind
    ring: Floats
    direction: Floats | None = None


@dataclass(frozen=True, slots=True)
class Signal:
    """A traffic light: which group it shows ("main" or "cross") and where its lamps hang."""

    group: str
    x: float
    y: float
    z: float


@dataclass(slots=True)
class Scene:
    """Everything that stands still, and where things may move."""

    place: Place
    surfaces: list[Surface] = field(default_factory=list)
    walls: list[Wall] = field(default_factory=list)
    panels: list[Panel] = field(default_factory=list)
    cutouts: list[Cutout] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    lanes: list[Lane] = field(default_factory=list)
    walks: list[Lane] = field(default_factory=list)
    zones: list[Zone] = field(default_factory=list)
    signals: list[Signal] = field(default_factory=list)
    lamps: list[tuple[float, float, float]] = field(default_factory=list)
    parking: list[tuple[float, float, float]] = field(default_factory=list)
    spots: dict[str, list[Spot]] = field(default_factory=dict)
    eye: tuple[float, float] = (0.0, 0.0)
    gaze: tuple[float, float] = (0.0, 30.0)

    def flat(self, material: Material, ring: list[tuple[float, float]], z: float = 0.0) -> None:
        """Add a level surface."""
        self.surfaces.append(Surface(material, np.array([(x, y, z) for x, y in ring])))

    def strip(self, material: Material, x: tuple[float, float], y: tuple[float, float], z: float = 0.0) -> None:
        """Add a level rectangle."""
        self.flat(material, [(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1])], z)

    def block(
        self, x: tuple[float, float], y: tuple[float, float], z: tuple[float, float], colour: tuple[float, float, float]
    ) -> None:
        """Add an upright box of one colour."""
        (x0, x1), (y0, y1), (z0, z1) = x, y, z
        sides = (
            ([(x0, y0, z0), (x1, y0, z0), (x1, y0, z1), (x0, y0, z1)], 0.86),
            ([(x0, y1, z0), (x1, y1, z0), (x1, y1, z1), (x0, y1, z1)], 0.8),
            ([(x0, y0, z0), (x0, y1, z0), (x0, y1, z1), (x0, y0, z1)], 0.93),
            ([(x1, y0, z0), (x1, y1, z0), (x1, y1, z1), (x1, y0, z1)], 0.93),
            ([(x0, y0, z1), (x1, y0, z1), (x1, y1, z1), (x0, y1, z1)], 1.08),
        )
        for ring, factor in sides:
            blue, green, red = (min(255.0, c * factor) for c in colour)
            self.panels.append(Panel(np.array(ring), (blue, green, red)))

    def wire(self, points: list[tuple[float, float, float]], colour: tuple[float, float, float], width: float) -> None:
        """Add a cable or thin pole."""
        self.wires.append(Wire(np.array(points, dtype=np.float64), colour, width))

    def zone(
        self,
        name: str,
        kind: ZoneKind,
        x: tuple[float, float],
        y: tuple[float, float],
        direction: tuple[tuple[float, float], tuple[float, float]] | None = None,
    ) -> None:
        """Add a rectangular zone."""
        ring = np.array([(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1])])
        self.zones.append(Zone(name, kind, ring, np.array(direction) if direction else None))

    def street_lamp(self, x: float, y: float, lean: int, height: float) -> None:
        """Add a street lamp that leans over the road (`lean` -1 to the left, 1 to the right)."""
        tip, steel = x + lean * 1.8, (112.0, 114.0, 112.0)
        self.wire([(x, y, 0.0), (x, y, height)], steel, 0.17)
        self.wire([(x, y, height - 0.1), (tip, y, height + 0.3)], steel, 0.1)
        near, far, top = y - 0.15, y + 0.15, height + 0.25
        ring = [
            (tip - 0.4, near, top),
            (tip + 0.4, near, top),
            (tip + 0.4, far, height + 0.2),
            (tip - 0.4, far, height + 0.2),
        ]
        self.panels.append(Panel(np.array(ring), (215, 235, 245), 255))
        self.lamps.append((tip, y, height))


def straight(start: Spot, end: Spot) -> Floats:
    """A (2, 2) path."""
    return np.array([start, end], dtype=np.float64)
