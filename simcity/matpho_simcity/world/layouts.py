"""Builds the scene of each kind of place from a seed: the road, what stands along it, and the operator's zones."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from random import Random

import numpy as np

from matpho_simcity.world.landmarks import Landmarks
from matpho_simcity.world.roundabout import build_roundabout
from matpho_simcity.world.scene import Lane, Material, Place, Scene, Signal, ZoneKind, straight

NEAR_END, FAR_END = -14.0, 150.0
"""Metres along the main street that are built."""
_STRIPES, _QUEUE = 3.2, 7.0
"""Metres along the street: the stripes of a crossing, and where the first vehicles wait at a light."""
TRAFFIC_NEAR, TRAFFIC_FAR = -12.0, 120.0


@dataclass(frozen=True, slots=True)
class _Plan:
    """Measures of one street, metres."""

    half: float
    lanes: int
    left: float
    right: float
    sides: tuple[str, str]
    junction: float | None = None
    cross: float = 6.0
    median: bool = False


_SIDES: dict[Place, tuple[str, str]] = {
    Place.STREET: ("shops", "shops"),
    Place.JUNCTION: ("shops", "shops"),
    Place.PAVEMENT: ("park", "shops"),
    Place.ALLEY: ("houses", "houses"),
    Place.RIVER_BANK: ("shops", "river"),
    Place.SCHOOL_GATE: ("shops", "school"),
    Place.MARKET: ("shops", "market"),
    Place.BRIDGE: ("rail", "rail"),
    Place.CONSTRUCTION: ("shops", "yard"),
    Place.BUS_STOP: ("shops", "shops"),
    Place.ROUNDABOUT: ("shops", "shops"),
}


def _plan(place: Place, rng: Random) -> _Plan:
    lanes = 2 if place in (Place.BRIDGE, Place.JUNCTION) else rng.choice((1, 1, 2))
    half = {1: rng.uniform(4.4, 5.6), 2: rng.uniform(6.6, 7.8)}[lanes]
    left, right = rng.uniform(2.6, 4.0), rng.uniform(3.2, 5.0)
    if place is Place.ALLEY:
        half, lanes, left, right = rng.uniform(2.0, 2.6), 1, 0.5, 0.5
    if place is Place.PAVEMENT:
        right = rng.uniform(4.6, 6.0)
    if place is Place.BRIDGE:
        left, right = 1.6, 1.6
    junction = rng.uniform(27.0, 34.0) if place is Place.JUNCTION else None
    return _Plan(
        half, lanes, left, right, _SIDES[place], junction, rng.uniform(5.0, 6.5), lanes == 2 and rng.random() < 0.4
    )


def build_scene(place: Place, seed: str) -> Scene:
    """The scene of `place` that `seed` stands for; equal seeds give equal scenes."""
    rng = Random(f"layout:{place}:{seed}")
    if place is Place.ROUNDABOUT:
        return build_roundabout(rng)
    plan = _plan(place, rng)
    scene = Scene(place)
    _road(scene, plan, rng)
    for sign, width, side in ((-1, plan.left, plan.sides[0]), (1, plan.right, plan.sides[1])):
        Landmarks(scene, rng, sign, plan.half, width, plan.junction, plan.cross).build(side, NEAR_END, FAR_END)
    _furniture(scene, plan, rng)
    _zones(scene, plan)
    return scene


def _road(scene: Scene, plan: _Plan, rng: Random) -> None:
    half = plan.half
    edge = 70.0
    if scene.place is Place.BRIDGE:
        scene.strip(Material.WATER, (-90, 90), (-40, 240), -9.0)
        scene.strip(Material.CONCRETE, (-half - plan.left, half + plan.right), (NEAR_END - 20, 240))
    else:
        scene.strip(Material.CONCRETE, (-edge, edge), (-40, 240))
    scene.strip(Material.ASPHALT, (-half, half), (NEAR_END - 20, 240))
    if plan.junction is not None:
        scene.strip(Material.ASPHALT, (-edge, edge), (plan.junction - plan.cross, plan.junction + plan.cross))
    _markings(scene, plan)
    lane_width = half / plan.lanes
    stop = (plan.junction - plan.cross - 4.5 - TRAFFIC_NEAR) if plan.junction is not None else 0.0
    back = (TRAFFIC_FAR - plan.junction - plan.cross - 4.5) if plan.junction is not None else 0.0
    group = "main" if plan.junction is not None else ""
    base = 4.5 if scene.place is Place.ALLEY else 11.5 if scene.place is Place.BRIDGE else 8.5
    for index in range(plan.lanes):
        x = lane_width * (index + 0.5) * 0.96
        speed = base * rng.uniform(0.92, 1.1) * (1.12 if index == 0 and plan.lanes > 1 else 1.0)
        heavy = scene.place is not Place.ALLEY
        scene.lanes.append(
            Lane(f"up{index}", straight((x, TRAFFIC_NEAR), (x, TRAFFIC_FAR)), lane_width, speed, group, stop, heavy)
        )
        scene.lanes.append(
            Lane(f"down{index}", straight((-x, TRAFFIC_FAR), (-x, TRAFFIC_NEAR)), lane_width, speed, group, back, heavy)
        )
    if plan.junction is not None:
        for name, sign in (("right", 1), ("left", -1)):
            y = plan.junction - sign * plan.cross * 0.5
            path = straight((-60.0 * sign, y), (60.0 * sign, y))
            scene.lanes.append(Lane(f"cross_{name}", path, plan.cross, 7.5, "cross", 60 - half - 4.5))


def _markings(scene: Scene, plan: _Plan) -> None:
    half, junction = plan.half, plan.junction
    gap = (junction - plan.cross - 5.0, junction + plan.cross + 5.0) if junction is not None else (1e6, 1e6)

    def free(y0: float, y1: float) -> bool:
        return y1 < gap[0] or y0 > gap[1]

    if scene.place is Place.ALLEY:
        return
    for y in np.arange(NEAR_END, 140, 6.0):
        if not free(y, y + 6):
            continue
        if plan.lanes == 2:
            for x in (-half / 2, half / 2):
                scene.strip(Material.WHITE_PAINT, (x - 0.08, x + 0.08), (y, y + 2.6))
            for x in (-0.2, 0.2):
                scene.strip(Material.YELLOW_PAINT, (x - 0.07, x + 0.07), (y, y + 6))
        else:
            scene.strip(Material.YELLOW_PAINT, (-0.08, 0.08), (y, y + 3.2))
        for x in (-half + 0.3, half - 0.3):
            scene.strip(Material.WHITE_PAINT, (x - 0.06, x + 0.06), (y, y + 6))
    for number, y in enumerate(_crossings(scene, plan)):
        scene.zone(f"crossing_{number + 1}", ZoneKind.CROSSING, (-half, half), (y - 0.4, y + _STRIPES + 0.4))
        for x in np.arange(-half + 0.5, half - 0.4, 1.0):
            scene.strip(Material.WHITE_PAINT, (x, x + 0.5), (y, y + _STRIPES))
    if junction is not None:
        scene.zone("waiting_up", ZoneKind.WAITING, (0.1, half), (gap[0] - _QUEUE, gap[0] + 0.5))
        scene.zone("waiting_down", ZoneKind.WAITING, (-half, -0.1), (gap[1] - 0.5, gap[1] + _QUEUE))
        scene.strip(Material.WHITE_PAINT, (0.3, half - 0.3), (gap[0] - 0.2, gap[0] + 0.25))
        scene.strip(Material.WHITE_PAINT, (-half + 0.3, -0.3), (gap[1] - 0.25, gap[1] + 0.2))


def _crossings(scene: Scene, plan: _Plan) -> list[float]:
    """Where zebra crossings begin, metres along the street."""
    if plan.junction is not None:
        return [plan.junction - plan.cross - 4.0, plan.junction + plan.cross + 0.8]
    return [22.0] if scene.place is Place.SCHOOL_GATE else []


def _furniture(scene: Scene, plan: _Plan, rng: Random) -> None:
    """Street lamps, wires, traffic lights, the bus shelter and the median."""
    edge_left, edge_right = -plan.half - min(0.7, plan.left / 2), plan.half + min(0.7, plan.right / 2)
    for index, y in enumerate(np.arange(6.0, 130.0, 24.0)):
        x, lean = (edge_right, -1) if index % 2 else (edge_left, 1)
        if plan.junction is not None and abs(y - plan.junction) < plan.cross + 2:
            continue
        scene.street_lamp(x, float(y), lean, 8.0 if scene.place is not Place.ALLEY else 5.5)
    if scene.place is not Place.BRIDGE:
        for lift in (0.0, 0.25, 0.45, 0.8):
            x = edge_left + rng.uniform(-0.1, 0.1)
            run = [(x, y, 6.3 + lift - 0.5 * math.sin(math.pi * ((y - 6) % 24) / 24)) for y in np.arange(6, 126, 4.0)]
            for start, end in itertools.pairwise(run):
                scene.wire([start, end], (40, 40, 42), 0.02)
    if plan.median:
        scene.block((-0.25, 0.25), (-10.0, (plan.junction or 120.0) - plan.cross - 6), (0.0, 0.5), (150, 152, 154))
    if plan.junction is not None:
        near, far = plan.junction - plan.cross - 1.0, plan.junction + plan.cross + 1.0
        for x, y, group in (
            (edge_right, far, "main"),
            (edge_left, near, "main"),
            (edge_right, near, "cross"),
            (edge_left, far, "cross"),
        ):
            scene.wire([(x, y, 0.0), (x, y, 4.4)], (90, 92, 94), 0.16)
            scene.block((x - 0.22, x + 0.22), (y - 0.15, y + 0.15), (3.3, 4.4), (36, 36, 36))
            scene.signals.append(Signal(group, x, y, 3.85))
    if scene.place is Place.BUS_STOP:
        _shelter(scene, plan)


def _shelter(scene: Scene, plan: _Plan) -> None:
    x0, x1, y0, y1 = plan.half + plan.right - 1.6, plan.half + plan.right - 0.2, 24.0, 30.0
    for x in (x0 + 0.1, x1):
        for y in (y0, y1):
            scene.wire([(x, y, 0.0), (x, y, 2.5)], (120, 110, 90), 0.1)
    scene.block((x0 - 0.4, x1), (y0 - 0.2, y1 + 0.2), (2.5, 2.62), (130, 90, 40))
    scene.block((x0 + 0.7, x1 - 0.1), (y0 + 0.5, y1 - 0.5), (0.4, 0.48), (90, 130, 160))
    scene.strip(Material.YELLOW_PAINT, (plan.half - 2.6, plan.half - 2.45), (y0 - 6, y1 + 8))
    scene.strip(Material.YELLOW_PAINT, (plan.half - 2.6, plan.half - 0.1), (y0 - 6, y0 - 5.85))
    scene.strip(Material.YELLOW_PAINT, (plan.half - 2.6, plan.half - 0.1), (y1 + 7.85, y1 + 8))
    scene.wire([(plan.half + 0.5, y1 + 2, 0.0), (plan.half + 0.5, y1 + 2, 2.6)], (120, 120, 120), 0.09)
    scene.block((plan.half + 0.2, plan.half + 0.8), (y1 + 1.97, y1 + 2.03), (2.0, 2.7), (180, 90, 20))
    scene.spots["bus_stop"] = [(plan.half - 1.4, y1 + 1.0)]
    scene.spots["waiting"] = [(x0 - 0.6, y) for y in np.arange(y0, y1 + 4, 1.1)]


def _zones(scene: Scene, plan: _Plan) -> None:
    """What an operator would draw: in metres; the site turns it into picture coordinates."""
    half, far = plan.half, 58.0
    outer_l, outer_r = -half - plan.left, half + plan.right
    blocks = (
        [(-6.0, far)]
        if plan.junction is None
        else [(-6.0, plan.junction - plan.cross - 4.5), (plan.junction + plan.cross + 4.5, far)]
    )
    for number, (y0, y1) in enumerate(blocks):
        suffix = "" if number == 0 else f"_{number + 1}"
        if scene.place is Place.ALLEY:
            break  # everybody walks and rides wherever there is room: no rule of the road holds
        scene.zone(f"up{suffix}", ZoneKind.CARRIAGEWAY, (0.1, half), (y0, y1), ((half / 2, y0), (half / 2, y1)))
        scene.zone(f"down{suffix}", ZoneKind.CARRIAGEWAY, (-half, -0.1), (y0, y1), ((-half / 2, y1), (-half / 2, y0)))
        if plan.right > 1:
            scene.zone(f"pavement_right{suffix}", ZoneKind.PAVEMENT, (half + 0.2, outer_r), (y0, y1))
            scene.zone(f"pavement_left{suffix}", ZoneKind.PAVEMENT, (outer_l, -half - 0.2), (y0, y1))
    if plan.right > 1 and scene.place not in (Place.BRIDGE, Place.BUS_STOP):
        scene.zone("no_parking", ZoneKind.NO_PARKING, (half - 2.3, half), (10.0, min(far, blocks[0][1] - 0.5, 44.0)))
        scene.spots.setdefault("no_parking", [(half - 1.15, y) for y in (16.0, 19.0, 22.0)])
    if scene.place is Place.BUS_STOP:
        scene.zone("bus_stop", ZoneKind.BUS_STOP, (half - 2.5, half), (18.0, 38.0))
        scene.zone("no_parking", ZoneKind.NO_PARKING, (half - 2.3, half), (6.0, 17.0))
        scene.spots["no_parking"] = [(half - 1.15, 11.0), (half - 1.15, 13.0)]
    if plan.right > 2 and "crowd" not in scene.spots and scene.place is not Place.BRIDGE:
        scene.spots["crowd"] = [((half + outer_r) / 2 - 0.2, 20.0)]
        scene.zone("crowd_area", ZoneKind.CROWD_AREA, (half + 0.1, outer_r), (13.0, 28.0))
    if plan.right > 1 and "dump" not in scene.spots and scene.place is not Place.BRIDGE:
        scene.spots["dump"] = [(half + 1.1, 15.0), (half + 1.3, 24.0)]
        scene.zone("no_dumping", ZoneKind.NO_DUMPING, (half + 0.1, outer_r), (8.0, 34.0))
    elif scene.place is Place.ALLEY:
        scene.spots["dump"] = [(half - 0.5, 13.0), (-half + 0.5, 17.0)]
        scene.zone("no_dumping", ZoneKind.NO_DUMPING, (-half, half), (8.0, 26.0))
    scene.spots.setdefault(
        "fire", [(half + min(1.8, plan.right * 0.6), 19.0), (-half - min(1.6, plan.left * 0.5), 26.0)]
    )
    near, beyond = (20.0, 25.0) if plan.junction is None else (9.0, 11.0)
    scene.spots["stop"] = [(half * 0.35 if plan.lanes == 2 else half * 0.45, near), (-half * 0.4, beyond)]
    _view(scene, plan)
    _walks(scene, plan)


_ACROSS = (Place.RIVER_BANK, Place.SCHOOL_GATE, Place.MARKET, Place.BUS_STOP, Place.CONSTRUCTION)
"""Places whose interest lies on the right: their cameras hang on the left."""


def _view(scene: Scene, plan: _Plan) -> None:
    """Where a camera hangs and what it looks at; and where motorcycles are left."""
    half = plan.half
    scene.eye, scene.gaze = (half + plan.right * 0.3, -5.0), (half * 0.15, 20.0)
    if scene.place is Place.ALLEY:
        scene.eye, scene.gaze = (half * 0.55, -5.0), (0.0, 16.0)
    elif scene.place is Place.BRIDGE:
        scene.eye = (half + 0.8, -5.0)
    elif scene.place in _ACROSS:
        scene.eye = (-half - plan.left * 0.3, -5.0)
        scene.gaze = (half + 3.0, 19.0) if scene.place is Place.CONSTRUCTION else (half * 0.6, 20.0)
    if plan.left > 2 and plan.sides[0] == "shops":
        stands = np.arange(12.0, 48.0, 0.8)
        scene.parking = [(-half - plan.left + 1.0, float(y), math.pi / 2) for y in stands if int(y / 6) % 2]


def _walks(scene: Scene, plan: _Plan) -> None:
    half = plan.half
    if plan.right <= 1:
        for name, x in (("left", -half + 0.5), ("right", half - 0.5)):
            scene.walks.append(Lane(name, straight((x, TRAFFIC_NEAR), (x, 90.0)), 0.8, 1.25))
        return
    for name, x, width in (
        ("right", half + plan.right * 0.42, plan.right * 0.5),
        ("left", -half - plan.left * 0.45, plan.left * 0.45),
    ):
        scene.walks.append(Lane(name, straight((x, TRAFFIC_NEAR), (x, 90.0)), width, 1.25))
        scene.walks.append(Lane(name + "_back", straight((x + 0.3, 90.0), (x + 0.3, TRAFFIC_NEAR)), width, 1.2))
    if plan.junction is not None:
        y = plan.junction - plan.cross - 2.6
        scene.walks.append(Lane("crossing", straight((half + 3, y), (-half - 3, y)), 2.0, 1.3, "cross", 2.6))
