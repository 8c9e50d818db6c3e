"""Things left on the ground: bags, suitcases, sacks and heaps of rubbish."""

from __future__ import annotations

import math
from random import Random

from matpho_contracts.vocabulary import Colour
from matpho_simcity.drawing.mesh import Mesh, MeshBuilder
from matpho_simcity.drawing.palette import DARK, Bgr, scaled, shade

_CARDBOARD: Bgr = (95.0, 140.0, 175.0)


def bag(colour: Colour, rng: Random) -> Mesh:
    """A suitcase, a holdall or a rucksack in `colour`."""
    paint = shade(colour, rng)
    kind = rng.choice(("suitcase", "holdall", "rucksack"))
    mesh = MeshBuilder()
    if kind == "suitcase":
        w, d, h = rng.uniform(0.24, 0.3), rng.uniform(0.14, 0.18), rng.uniform(0.6, 0.78)
        mesh.box((-w, w), (-d, d), (0.06, h), paint)
        for share in (-0.5, 0.0, 0.5):
            mesh.end_panel(
                d + 0.005, (w * share - 0.02, w * share + 0.02), (0.1, h - 0.05), scaled(paint, 0.7), detail=14
            )
            mesh.end_panel(
                -d - 0.005, (w * share - 0.02, w * share + 0.02), (0.1, h - 0.05), scaled(paint, 0.7), detail=14
            )
        mesh.begin((0.0, 0.0, h), 1)
        mesh.line(
            [(-w * 0.5, 0.0, h), (-w * 0.5, 0.0, h + 0.28), (w * 0.5, 0.0, h + 0.28), (w * 0.5, 0.0, h)], DARK, 0.045
        )
    elif kind == "holdall":
        w, d, h = rng.uniform(0.34, 0.46), rng.uniform(0.18, 0.24), rng.uniform(0.34, 0.44)
        mesh.prism(
            [
                (-d, 0.0, w),
                (-d, h * 0.6, w),
                (-d * 0.4, h, w * 0.92),
                (d * 0.4, h, w * 0.92),
                (d, h * 0.6, w),
                (d, 0.0, w),
            ],
            paint,
        )
        mesh.begin((0.0, 0.0, h), 1)
        for y in (-0.08, 0.08):
            mesh.line(
                [(-w * 0.4, y, h * 0.9), (-w * 0.25, y, h + 0.17), (w * 0.25, y, h + 0.17), (w * 0.4, y, h * 0.9)],
                DARK,
                0.05,
            )
        mesh.line([(-w * 0.9, 0.0, h + 0.005), (w * 0.9, 0.0, h + 0.005)], scaled(paint, 0.5), 0.03, 14)
    else:
        w, d, h = rng.uniform(0.2, 0.25), rng.uniform(0.14, 0.19), rng.uniform(0.5, 0.6)
        mesh.prism(
            [
                (-d, 0.0, w),
                (-d, h * 0.75, w),
                (-d * 0.5, h, w * 0.7),
                (d * 0.5, h, w * 0.7),
                (d, h * 0.6, w),
                (d * 1.3, h * 0.5, w * 0.8),
                (d * 1.3, 0.0, w * 0.8),
            ],
            paint,
        )
        mesh.end_panel(d * 1.31, (-w * 0.6, w * 0.6), (0.05, h * 0.35), scaled(paint, 0.65), detail=12)
        mesh.begin((0.0, 0.0, h), 1)
        mesh.line([(-0.06, 0.0, h), (0.0, 0.0, h + 0.1), (0.06, 0.0, h)], DARK, 0.04)
    return mesh.build()


def rubbish(colour: Colour, rng: Random) -> Mesh:
    """A heap of sacks, mostly in `colour`, with cartons and litter round it."""
    mesh = MeshBuilder()
    spread = rng.uniform(0.5, 1.3)
    for _ in range(rng.randint(6, 14)):
        a, r = rng.uniform(0, 2 * math.pi), spread * rng.uniform(0.6, 1.35)
        x, y, s = r * math.cos(a), r * math.sin(a), rng.uniform(0.06, 0.17)
        litter = shade(
            rng.choice((Colour.WHITE, Colour.WHITE, Colour.BROWN, Colour.YELLOW, Colour.BLUE, Colour.RED)), rng
        )
        mesh.begin((x, y, -1.0), -1)
        mesh.face(
            [
                (x - s, y - s * 0.6, 0.01),
                (x + s, y - s * 0.4, 0.01),
                (x + s * 0.8, y + s, 0.01),
                (x - s * 0.7, y + s * 0.7, 0.01),
            ],
            litter,
            detail=14,
        )
    for _ in range(rng.randint(1, 3)):
        x, y = rng.uniform(-spread, spread) * 0.8, rng.uniform(-spread, spread) * 0.8
        s = rng.uniform(0.15, 0.3)
        mesh.box((x - s, x + s), (y - s, y + s * 0.8), (0.0, s * 1.3), scaled(_CARDBOARD, rng.uniform(0.75, 1.1)))
    for index in range(rng.randint(7, 15)):
        a, r = rng.uniform(0, 2 * math.pi), spread * math.sqrt(rng.random()) * 0.85
        x, y = r * math.cos(a), r * math.sin(a)
        size = rng.uniform(0.4, 0.68)
        z = size * 0.38 + max(0.0, (spread - r)) * rng.uniform(0.0, 0.6)
        own = colour if rng.random() < 0.75 else rng.choice((Colour.BLACK, Colour.WHITE, Colour.BLUE, Colour.GREEN))
        paint = scaled(shade(own, rng), rng.uniform(0.8, 1.1))
        mesh.begin((x, y, z), 0.001 * index + z)
        mesh.ball((x, y, z), size, scaled(paint, 0.72))
        mesh.ball((x + 0.02, y, z + size * 0.07), size * 0.84, paint)
        mesh.ball(
            (x - size * 0.12, y, z + size * 0.18),
            size * 0.34,
            scaled(paint, 1.25) if own is not Colour.BLACK else (70.0, 70.0, 72.0),
            10,
        )
        if rng.random() < 0.6:
            mesh.line([(x, y, z + size * 0.35), (x + 0.05, y, z + size * 0.62)], paint, 0.1, 16)
    return mesh.build()
