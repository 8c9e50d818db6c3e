"""A roundabout: four arms round a planted island."""

from __future__ import annotations

import math
from random import Random

import numpy as np

from matpho_simcity.world.landmarks import Landmarks
from matpho_simcity.world.scene import Lane, Material, Place, Scene, ZoneKind, straight

_NEAR_END = -14.0


def build_roundabout(rng: Random) -> Scene:
    """Four arms round a planted island; traffic circles anticlockwise as everywhere that drives on the right."""
    scene = Scene(Place.ROUNDABOUT)
    centre, outer, island, arm = 32.0, rng.uniform(16.0, 19.0), rng.uniform(6.5, 8.5), rng.uniform(5.2, 6.4)
    scene.strip(Material.PAVING, (-75, 75), (-40, 200))
    scene.strip(Material.ASPHALT, (-arm, arm), (-40, 200))
    scene.strip(Material.ASPHALT, (-75, 75), (centre - arm, centre + arm))

    def ring(radius: float) -> list[tuple[float, float]]:
        return [
            (radius * math.cos(a), centre + radius * math.sin(a))
            for a in np.linspace(0, 2 * math.pi, 40, endpoint=False)
        ]

    scene.flat(Material.ASPHALT, ring(outer))
    scene.flat(Material.WHITE_PAINT, ring(island + 1.1))
    scene.flat(Material.ASPHALT, ring(island + 0.9))
    scene.flat(Material.KERB, ring(island))
    scene.flat(Material.GRASS, ring(island - 0.4), 0.1)
    for y in np.arange(-12, 120, 6.0):
        if abs(y - centre) > outer:
            scene.strip(Material.YELLOW_PAINT, (-0.08, 0.08), (float(y), float(y) + 3))
    for sign in (-1, 1):
        for x in np.arange(outer, 70, 6.0):
            left = float(min(sign * x, sign * (x + 3)))
            scene.strip(Material.YELLOW_PAINT, (left, left + 3), (centre - 0.08, centre + 0.08))
    circle = (outer + island) / 2
    east = [(circle * math.cos(a), centre + circle * math.sin(a)) for a in np.linspace(-1.2, 1.2, 15)]
    west = [
        (circle * math.cos(a), centre + circle * math.sin(a)) for a in np.linspace(math.pi - 1.2, math.pi + 1.2, 15)
    ]
    north = [(circle * math.cos(a), centre + circle * math.sin(a)) for a in np.linspace(0.35, math.pi - 0.35, 15)]
    x = arm * 0.5
    scene.lanes.append(
        Lane(
            "up0", np.array([(x, -12.0), (x, centre - outer - 1), *east, (x, centre + outer + 1), (x, 110.0)]), arm, 7.0
        )
    )
    scene.lanes.append(
        Lane(
            "down0",
            np.array([(-x, 110.0), (-x, centre + outer + 1), *west, (-x, centre - outer - 1), (-x, -12.0)]),
            arm,
            7.0,
        )
    )
    scene.lanes.append(
        Lane(
            "cross_left",
            np.array(
                [(65.0, centre + x), (outer + 1, centre + x), *north, (-outer - 1, centre + x), (-65.0, centre + x)]
            ),
            arm,
            6.5,
        )
    )
    for sx in (-1, 1):
        for name, y0, y1 in (("near", _NEAR_END, centre - outer - 2), ("far", centre + outer + 2, 130.0)):
            Landmarks(scene, rng, sx, arm + (3.0 if name == "near" else 0), 4.0, None, 0).build("shops", y0, y1)
    scene.block((-1.2, 1.2), (centre - 1.2, centre + 1.2), (0.1, 1.2), (160, 165, 170))
    scene.block((-0.5, 0.5), (centre - 0.5, centre + 0.5), (1.2, 6.5), (190, 195, 198))
    Landmarks(scene, rng, 1, 0, 0, None, 0).planting(
        [(island * 0.6 * math.cos(a), centre + island * 0.6 * math.sin(a)) for a in np.linspace(0, 6, 10)]
    )
    for index, y in enumerate((4.0, centre - outer - 3, centre + outer + 3, 75.0)):
        scene.street_lamp(arm + 0.8 if index % 2 else -arm - 0.8, y, -1 if index % 2 else 1, 8.0)
    scene.walks.append(Lane("right", straight((arm + 2.6, -12.0), (arm + 2.6, centre - outer - 3)), 3.0, 1.2))
    scene.walks.append(Lane("left", straight((-arm - 2.6, centre - outer - 3), (-arm - 2.6, -12.0)), 3.0, 1.2))
    edge = centre - outer - 1
    scene.zone("up", ZoneKind.CARRIAGEWAY, (0.1, arm), (-6.0, edge), ((x, -6.0), (x, edge)))
    scene.zone("down", ZoneKind.CARRIAGEWAY, (-arm, -0.1), (-6.0, edge), ((-x, edge), (-x, -6.0)))
    scene.zone("pavement_right", ZoneKind.PAVEMENT, (arm + 0.2, arm + 6.5), (-6.0, edge))
    scene.zone("crowd_area", ZoneKind.CROWD_AREA, (arm + 0.2, arm + 6.5), (2.0, edge))
    scene.zone("no_dumping", ZoneKind.NO_DUMPING, (arm + 0.2, arm + 6.5), (2.0, edge))
    scene.spots.update(
        stop=[(x, 9.0), (-x, 8.0)],
        crowd=[(arm + 3.2, 8.5)],
        dump=[(arm + 1.4, 9.0)],
        fire=[(arm + 2.5, 10.0), (-arm - 2.5, 12.0)],
    )
    scene.eye, scene.gaze = (arm + 3.0, -9.0), (0.0, centre - 12)
    return scene
