"""People on foot and on two wheels: limbs as thick lines, torsos as small prisms, heads as balls."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

from matpho_contracts.vocabulary import Colour
from matpho_simcity.drawing.mesh import Mesh, MeshBuilder, Point
from matpho_simcity.drawing.palette import (
    CHROME,
    DARK,
    HAIR,
    HEADLIGHT,
    SKIN,
    TAILLIGHT,
    TYRE,
    Bgr,
    scaled,
    shade,
)

WALK_PHASES = 8
"""Steps of the walking cycle kept as separate vertex sets; the last phase (index 8) stands still."""
_TROUSERS = (Colour.BLACK, Colour.BLACK, Colour.BLUE, Colour.GREY, Colour.BROWN, Colour.BLACK)
_HELMETS = (Colour.RED, Colour.BLUE, Colour.WHITE, Colour.BLACK, Colour.YELLOW, Colour.GREY, Colour.GREEN)
_NON_LA: Bgr = (150.0, 205.0, 225.0)


@dataclass(frozen=True, slots=True)
class _Dress:
    shirt: Bgr
    trousers: Bgr
    skin: Bgr
    hair: Bgr
    hat: str
    skirt: bool
    long_sleeves: bool
    pack: Bgr | None


def _dress(colour: Colour, rng: Random, *, child: bool) -> _Dress:
    lower = rng.choice([c for c in _TROUSERS if c is not colour] or [Colour.BLACK])
    if colour is Colour.BLACK:
        lower = rng.choice((Colour.GREY, Colour.BLUE, Colour.BLACK))
    return _Dress(
        shirt=shade(colour, rng),
        trousers=scaled(shade(lower, rng), 0.8),
        skin=rng.choice(SKIN),
        hair=rng.choice(HAIR[:2]) if child else rng.choice(HAIR),
        hat=rng.choice(("none", "none", "none", "cap", "non")) if not child else rng.choice(("none", "none", "cap")),
        skirt=rng.random() < 0.2 and not child,
        long_sleeves=rng.random() < 0.5,
        pack=shade(rng.choice(list(Colour)), rng) if rng.random() < (0.6 if child else 0.12) else None,
    )


def person(colour: Colour, rng: Random, *, child: bool = False) -> Mesh:
    """Somebody on foot wearing `colour` above the waist; phases 0..7 walk, phase 8 stands."""
    scale = rng.uniform(0.62, 0.78) if child else rng.uniform(0.93, 1.07)
    girth = rng.uniform(0.92, 1.18)
    dress = _dress(colour, rng, child=child)
    sets: list[list[Point]] = []
    for phase in range(WALK_PHASES + 1):
        swing = math.sin(2 * math.pi * phase / WALK_PHASES) if phase < WALK_PHASES else 0.08
        mesh = MeshBuilder()
        _walker(mesh, dress, swing, girth, child=child)
        sets.append([(x * scale, y * scale, z * scale) for x, y, z in mesh.points])
    widened = MeshBuilder()
    _walker(widened, dress, 0.0, girth, child=child, scale=scale)
    return widened.build(sets)


def _walker(mesh: MeshBuilder, dress: _Dress, swing: float, girth: float, *, child: bool, scale: float = 1.0) -> None:
    hip, shoulder, head = 0.88, 1.42, 1.6
    shoe: Bgr = (40.0, 40.0, 48.0)
    for side, stride in ((-0.1, swing), (0.1, -swing)):
        mesh.begin((side, 0.0, 0.45), 0)
        foot = (side, 0.36 * stride, 0.06 + 0.05 * max(0.0, -stride))
        knee = (side, 0.2 * stride + 0.05 * abs(stride), 0.48)
        mesh.line([(side, 0.0, hip), knee, foot], dress.trousers, 0.17 * girth * scale)
        mesh.line([foot, (side, foot[1] + 0.14, foot[2] - 0.02)], shoe, 0.1 * scale, 24)
    if dress.skirt:
        mesh.prism(
            [(-0.2, 0.45, 0.26 * girth), (-0.12, 0.95, 0.18), (0.12, 0.95, 0.18), (0.2, 0.45, 0.26 * girth)],
            dress.trousers,
            layer=1,
        )
    arm = dress.shirt if dress.long_sleeves else dress.skin
    for side, stride in ((-0.25, -swing), (0.25, swing)):
        x = side * girth
        mesh.begin((x, 0.0, 1.1), 2)
        mesh.line([(x, 0.0, shoulder - 0.08), (x * 1.08, 0.12 * stride, 1.12)], dress.shirt, 0.13 * scale)
        mesh.line([(x * 1.08, 0.12 * stride, 1.12), (x * 1.05, 0.28 * stride + 0.06, 0.88)], arm, 0.1 * scale)
    wide = 0.23 * girth
    mesh.prism(
        [
            (-0.12, hip - 0.06, wide * 0.86),
            (-0.14, 1.3, wide),
            (-0.07, shoulder + 0.04, wide * 0.7),
            (0.08, shoulder + 0.04, wide * 0.7),
            (0.14, 1.25, wide),
            (0.13, hip - 0.06, wide * 0.86),
        ],
        dress.shirt,
        layer=2,
    )
    if child:
        mesh.end_panel(0.15, (-0.08, 0.08), (1.22, 1.4), (40.0, 36.0, 205.0), detail=30)
    if dress.pack is not None:
        mesh.box((-0.17, 0.17), (-0.33, -0.13), (0.98, 1.4), dress.pack, layer=2)
    _head(mesh, dress, (0.0, 0.02, head), scale, 3, big=1.2 if child else 1.0)


def _head(mesh: MeshBuilder, dress: _Dress, at: Point, scale: float, layer: float, big: float = 1.0) -> None:
    x, y, z = at
    mesh.begin((x, y, z), layer)
    mesh.line([(x, y, z - 0.2), (x, y, z - 0.05)], dress.skin, 0.1 * scale, 30)
    mesh.ball((x, y - 0.02, z + 0.03), 0.27 * scale * big, dress.hair)
    mesh.ball((x, y + 0.06, z - 0.02), 0.21 * scale * big, dress.skin)
    if dress.hat == "cap":
        mesh.ball((x, y, z + 0.07), 0.25 * scale * big, scaled(dress.trousers, 1.3))
    elif dress.hat == "non":
        rim = [(x + 0.27 * math.cos(a * math.pi / 4), y + 0.27 * math.sin(a * math.pi / 4), z + 0.05) for a in range(8)]
        for a, b in zip(rim, rim[1:] + rim[:1], strict=True):
            mesh.face([a, b, (x, y, z + 0.27)], _NON_LA)


def _rider(
    mesh: MeshBuilder, dress: _Dress, helmet: Bgr | None, seat: Point, hands: Point, feet: Point, layer: float
) -> None:
    """Somebody sitting at `seat`, hands on `hands`, feet on `feet` (all for the right side; mirrored)."""
    _, y, z = seat
    for sign in (-1.0, 1.0):
        mesh.begin((sign * 0.16, y, z), layer)
        knee = (sign * 0.2, (y + feet[1]) / 2 + 0.22, z + 0.02)
        mesh.line([(sign * 0.11, y, z + 0.05), knee, (sign * feet[0], feet[1], feet[2])], dress.trousers, 0.16)
    wide = 0.23
    mesh.prism(
        [
            (y - 0.16, z, wide * 0.85),
            (y - 0.14, z + 0.42, wide),
            (y - 0.04, z + 0.58, wide * 0.72),
            (y + 0.12, z + 0.58, wide * 0.7),
            (y + 0.17, z + 0.38, wide),
            (y + 0.14, z, wide * 0.85),
        ],
        dress.shirt,
        layer=layer + 1,
    )
    for sign in (-1.0, 1.0):
        mesh.begin((sign * 0.26, y + 0.15, z + 0.4), layer + 1)
        elbow = (sign * 0.32, (y + hands[1]) / 2, z + 0.25)
        mesh.line([(sign * 0.22, y + 0.02, z + 0.5), elbow], dress.shirt, 0.13)
        mesh.line(
            [elbow, (sign * hands[0], hands[1], hands[2])], dress.shirt if dress.long_sleeves else dress.skin, 0.1
        )
    _head(mesh, dress, (0.0, y + 0.05, z + 0.76), 1.0, layer + 2)
    if helmet is not None:
        mesh.ball((0.0, y + 0.02, z + 0.81), 0.3, helmet)
        mesh.ball((0.04, y + 0.05, z + 0.86), 0.1, scaled(helmet, 1.3), 40)


def _wheel(mesh: MeshBuilder, y: float, radius: float, width: float, hub: Bgr | None) -> None:
    ring = [
        (0.0, y + radius * math.cos(i * math.pi / 4.5), radius + radius * 0.97 * math.sin(i * math.pi / 4.5))
        for i in range(9)
    ]
    mesh.line([*ring, ring[0]], TYRE, width)
    if hub is not None:
        mesh.ball((0.0, y, radius), radius * 0.9, hub, 18)


def motorcycle(colour: Colour, rng: Random, *, riders: int = 1, helmets: bool = True, poncho: bool = False) -> Mesh:
    """A step-through or scooter in `colour` with `riders` on it (0 parked, 1, 2)."""
    paint = shade(colour, rng)
    scooter = rng.random() < 0.5
    mesh = MeshBuilder()
    mesh.begin((0.0, 0.0, 0.3), 0)
    radius = 0.27 if scooter else 0.31
    for y in (-0.62, 0.64):
        _wheel(mesh, y, radius, 0.13, (120.0, 120.0, 120.0))
    mesh.line([(0.0, 0.64, radius), (0.0, 0.46, 0.95)], CHROME, 0.09)
    mesh.line([(0.14, -0.7, 0.3), (0.14, -0.1, 0.28)], CHROME, 0.1, 30)
    half = 0.24 if scooter else 0.19
    mesh.prism(
        [(-0.45, 0.3, half * 0.8), (-0.35, 0.6, half), (0.3, 0.5, half * 0.9), (0.4, 0.3, half * 0.7)],
        scaled(paint, 0.7) if scooter else DARK,
        layer=1,
    )
    mesh.prism(
        [(-0.92, 0.62, half * 0.6), (-0.88, 0.84, half * 0.7), (-0.05, 0.76, half), (0.0, 0.48, half * 0.95)],
        paint,
        layer=2,
    )
    mesh.end_panel(-0.93, (-half * 0.5, half * 0.5), (0.66, 0.8), TAILLIGHT, emissive=True, detail=24)
    mesh.prism(
        [(-0.8, 0.83, half * 0.62), (-0.75, 0.9, half * 0.7), (-0.05, 0.86, half * 0.75), (0.05, 0.78, half * 0.6)],
        DARK,
        layer=3,
    )
    mesh.prism(
        [(0.3, 0.34, half * 1.1), (0.36, 0.98, half * 1.15), (0.52, 1.0, half * 1.05), (0.56, 0.36, half)],
        paint,
        layer=3,
    )
    mesh.end_panel(0.58, (-half * 0.6, half * 0.6), (0.82, 0.98), HEADLIGHT, emissive=True, detail=24)
    mesh.prism([(0.4, 0.5, 0.09), (0.45, 0.66, 0.09), (0.84, 0.62, 0.09), (0.9, 0.48, 0.09)], paint, layer=3)
    mesh.begin((0.0, 0.42, 1.05), 4)
    mesh.line([(-0.36, 0.34, 1.05), (0.36, 0.34, 1.05)], DARK, 0.06)
    for sign in (-1.0, 1.0):
        mesh.line([(sign * 0.28, 0.36, 1.05), (sign * 0.38, 0.38, 1.25)], DARK, 0.05, 40)
        mesh.ball((sign * 0.38, 0.38, 1.26), 0.11, scaled(CHROME, 0.6), 34)
    mesh.plate(-0.97, 0.62, (0.22, 0.17))
    mesh.lamps.append(((0.0, 0.62, 0.92), (0.0, 1.0, 0.0), (200.0, 235.0, 255.0)))
    mesh.lamps.append(((0.0, -0.95, 0.74), (0.0, -1.0, 0.0), (30.0, 20.0, 200.0)))
    for seat in range(riders):
        _passenger(mesh, paint, seat, rng, helmets=helmets, poncho=poncho)
    return mesh.build()


def _passenger(mesh: MeshBuilder, paint: Bgr, seat: int, rng: Random, *, helmets: bool, poncho: bool) -> None:
    """The rider (seat 0) or who sits behind (seat 1)."""
    dress = _dress(
        rng.choice((Colour.GREY, Colour.BLACK, Colour.WHITE, Colour.BLUE, Colour.BROWN, Colour.GREEN)), rng, child=False
    )
    helmet = shade(rng.choice(_HELMETS), rng) if helmets else None
    y = -0.2 - 0.42 * seat
    _rider(
        mesh,
        dress,
        helmet,
        (0.0, y, 0.84),
        (0.33, 0.32 - 0.5 * seat, 1.06),
        (0.17, 0.1 - 0.35 * seat, 0.38),
        5 - 3 * 0.01 * seat,
    )
    if poncho and seat == 0:
        sheet = scaled(paint, 1.0)
        mesh.prism(
            [
                (y - 0.42, 0.72, 0.34),
                (y - 0.12, 1.44, 0.22),
                (y + 0.14, 1.44, 0.22),
                (0.42, 0.95, 0.38),
                (0.45, 0.7, 0.36),
            ],
            sheet,
            layer=6.5,
        )


def bicycle(colour: Colour, rng: Random, *, rider: bool = True) -> Mesh:
    """A bicycle with a frame in `colour`, ridden or leaning."""
    paint = shade(colour, rng)
    mesh = MeshBuilder()
    mesh.begin((0.0, 0.0, 0.4), 0)
    for y in (-0.52, 0.52):
        _wheel(mesh, y, 0.34, 0.05, None)
        for turn in range(3):
            a = turn * math.pi / 3
            mesh.line(
                [
                    (0.0, y - 0.3 * math.cos(a), 0.34 - 0.3 * math.sin(a)),
                    (0.0, y + 0.3 * math.cos(a), 0.34 + 0.3 * math.sin(a)),
                ],
                (150.0, 150.0, 150.0),
                0.012,
                60,
            )
    frame: list[list[Point]] = [
        [(0.0, -0.52, 0.34), (0.0, -0.02, 0.32), (0.0, 0.38, 0.82), (0.0, -0.14, 0.72), (0.0, -0.52, 0.34)],
        [(0.0, -0.02, 0.32), (0.0, -0.18, 0.86)],
        [(0.0, 0.52, 0.34), (0.0, 0.36, 0.98)],
    ]
    for run in frame:
        mesh.line(run, paint, 0.09)
    mesh.line([(-0.27, 0.3, 1.02), (0.27, 0.3, 1.02)], DARK, 0.045)
    mesh.line([(0.0, -0.34, 0.9), (0.0, -0.06, 0.9)], DARK, 0.12)
    if rng.random() < 0.6:
        mesh.box((-0.19, 0.19), (0.42, 0.74), (0.72, 0.98), (95.0, 120.0, 140.0), layer=1)
    if rng.random() < 0.5:
        mesh.line([(0.0, -0.8, 0.7), (0.0, -0.3, 0.72)], scaled(CHROME, 0.7), 0.16)
    if rider:
        dress = _dress(
            rng.choice((Colour.GREY, Colour.WHITE, Colour.BROWN, Colour.BLUE, Colour.BLACK)), rng, child=False
        )
        _rider(mesh, dress, None, (0.0, -0.2, 0.9), (0.25, 0.28, 1.03), (0.12, 0.02, 0.25), 2)
    return mesh.build()
