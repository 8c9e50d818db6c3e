"""Cars, vans, lorries, buses, ambulances and fire engines as families of shaded solids."""

from __future__ import annotations

from random import Random

from matpho_contracts.vocabulary import Colour
from matpho_simcity.drawing.mesh import Mesh, MeshBuilder, Point
from matpho_simcity.drawing.palette import (
    BEACON_BLUE,
    BEACON_RED,
    CHROME,
    DARK,
    GLASS,
    HEADLIGHT,
    HUB,
    INDICATOR,
    TAILLIGHT,
    TYRE,
    Bgr,
    scaled,
    shade,
)

_WHITE: Bgr = (238.0, 240.0, 240.0)
_RED: Bgr = (32.0, 28.0, 205.0)


def _inset(points: list[Point], share: float, x: float) -> list[Point]:
    """The outline drawn in towards its middle, on the flank at half width `x`."""
    cy, cz = sum(p[1] for p in points) / len(points), sum(p[2] for p in points) / len(points)
    return [(x, cy + (y - cy) * share, cz + (z - cz) * share) for _, y, z in points]


def _lights(mesh: MeshBuilder, length: float, half: float, z: float, size: float = 0.16) -> None:
    """Head and tail lights of the open part, and the lamps that shine at night."""
    for sign in (-1.0, 1.0):
        inner, outer = sorted((sign * half * 0.95, sign * (half * 0.95 - size * 2)))
        mesh.end_panel(length / 2 + 0.01, (inner, outer), (z, z + size), HEADLIGHT, detail=14, emissive=True)
        mesh.end_panel(-length / 2 - 0.01, (inner, outer), (z, z + size * 1.3), TAILLIGHT, detail=14, emissive=True)
        mesh.lamps.append(
            ((sign * half * 0.8, length / 2 + 0.05, z + size / 2), (0.0, 1.0, 0.0), (200.0, 235.0, 255.0))
        )
        mesh.lamps.append(
            ((sign * half * 0.8, -length / 2 - 0.05, z + size / 2), (0.0, -1.0, 0.0), (30.0, 20.0, 200.0))
        )


def car(colour: Colour, rng: Random) -> Mesh:
    """A saloon, hatchback, SUV or taxi."""
    paint = shade(colour, rng)
    kind = rng.choice(("saloon", "hatch", "suv", "suv", "saloon"))
    length = {"saloon": 4.45, "hatch": 3.75, "suv": 4.5}[kind] * rng.uniform(0.96, 1.06)
    height = {"saloon": 1.46, "hatch": 1.5, "suv": 1.75}[kind] * rng.uniform(0.98, 1.05)
    half = {"saloon": 0.88, "hatch": 0.83, "suv": 0.93}[kind] * rng.uniform(0.98, 1.04)
    waist = height * 0.6
    rear, front = -length / 2, length / 2
    mesh = MeshBuilder()
    mesh.prism(
        [
            (rear, 0.24, half * 0.96),
            (rear - 0.02, 0.62, half),
            (rear + 0.12, waist, half * 0.94),
            (front - 0.55, waist * 0.94, half * 0.94),
            (front - 0.06, waist * 0.78, half * 0.92),
            (front, 0.24, half * 0.94),
        ],
        paint,
    )
    mesh.side_panel(half + 0.004, (rear + 0.1, front - 0.1), (0.22, 0.34), DARK, detail=20)
    for y in (rear + length * 0.19, front - length * 0.19):
        mesh.wheel(half + 0.015, y, 0.33 if kind != "suv" else 0.38, TYRE, HUB)
    mesh.side_panel(half + 0.01, (-0.12, 0.02), (waist * 0.86, waist * 0.9), DARK, detail=60)
    mesh.end_panel(front + 0.012, (-half * 0.5, half * 0.5), (0.36, waist * 0.55), DARK, detail=18)
    mesh.end_panel(rear - 0.03, (-half * 0.9, half * 0.9), (0.25, 0.36), DARK, detail=30)
    _lights(mesh, length + 0.04, half, waist * 0.62)
    mesh.plate(front + 0.03, 0.42)
    mesh.plate(rear - 0.05, 0.6, (0.45, 0.16))
    tail = {"saloon": rear + 0.75, "hatch": rear + 0.12, "suv": rear + 0.1}[kind]
    cabin = [
        (tail, waist - 0.02, half * 0.9),
        (tail + (0.55 if kind == "saloon" else 0.3), height, half * 0.72),
        (front - length * 0.42, height, half * 0.72),
        (front - length * 0.25, waist - 0.05, half * 0.9),
    ]
    mesh.prism(cabin, paint, layer=1, strips={0: GLASS, 2: GLASS})
    for sign in (-1.0, 1.0):
        outline = [(0.0, y, z) for y, z, _ in cabin]
        window = _inset(outline, 0.82, sign * half * 0.84)
        mesh.face(window, GLASS, detail=10)
        middle = (window[0][1] + window[3][1]) / 2
        post = [
            (sign * half * 0.845, middle + d, z)
            for d, z in ((-0.05, waist), (0.05, waist), (0.05, height * 0.97), (-0.05, height * 0.97))
        ]
        mesh.face(post, scaled(paint, 0.9), detail=26)
    if colour in (Colour.WHITE, Colour.GREEN, Colour.YELLOW) and rng.random() < 0.35:
        sign_colour: Bgr = (60.0, 210.0, 250.0) if colour is not Colour.YELLOW else _WHITE
        mesh.box((-0.3, 0.3), (-0.12, 0.12), (height, height + 0.2), sign_colour, layer=2)
    return mesh.build()


def _van_body(mesh: MeshBuilder, paint: Bgr, length: float, half: float, height: float) -> None:
    rear, front = -length / 2, length / 2
    mesh.prism(
        [
            (rear, 0.3, half * 0.97),
            (rear, height * 0.9, half * 0.95),
            (rear + 0.15, height, half * 0.88),
            (front - 1.35, height, half * 0.88),
            (front - 0.6, 1.2, half * 0.94),
            (front - 0.05, 1.0, half * 0.94),
            (front, 0.3, half * 0.94),
        ],
        paint,
        strips={3: GLASS},
    )
    for y in (rear + length * 0.2, front - length * 0.17):
        mesh.wheel(half + 0.015, y, 0.35, TYRE, HUB)
    mesh.side_panel(half + 0.004, (rear + 0.1, front - 0.1), (0.28, 0.42), DARK, detail=20)
    mesh.end_panel(rear - 0.012, (-half * 0.75, half * 0.75), (height * 0.55, height * 0.85), GLASS, detail=12)
    mesh.end_panel(front + 0.012, (-half * 0.55, half * 0.55), (0.45, 0.75), DARK, detail=18)
    _lights(mesh, length + 0.02, half, 0.72)
    mesh.plate(front + 0.03, 0.42)
    mesh.plate(rear - 0.03, 0.6, (0.45, 0.16))


def _flank(mesh: MeshBuilder, half: float, y: tuple[float, float], z: tuple[float, float], detail: float = 10) -> None:
    mesh.side_panel(half + 0.008, y, z, GLASS, detail=detail)


def van(colour: Colour, rng: Random) -> Mesh:
    """A minibus with windows all round, or a panel van with a blank flank."""
    paint = shade(colour, rng)
    length, half, height = rng.uniform(4.7, 5.7), rng.uniform(0.92, 1.02), rng.uniform(2.05, 2.5)
    mesh = MeshBuilder()
    _van_body(mesh, paint, length, half, height)
    low, high = height * 0.58, height * 0.86
    _flank(mesh, half, (length / 2 - 2.05, length / 2 - 1.15), (low, high))
    if rng.random() < 0.55:
        _flank(mesh, half, (-length / 2 + 0.3, -length / 2 + 1.45), (low, high))
        _flank(mesh, half, (-length / 2 + 1.55, length / 2 - 2.15), (low, high))
    mesh.side_panel(half + 0.006, (length / 2 - 2.12, length / 2 - 2.09), (0.45, high), scaled(paint, 0.6), detail=40)
    if rng.random() < 0.5:
        mesh.side_panel(half + 0.005, (-length / 2 + 0.1, length / 2 - 0.7), (0.9, 1.0), scaled(paint, 0.7), detail=30)
    return mesh.build()


def ambulance(colour: Colour, rng: Random) -> Mesh:
    """A white high-roofed van with a red band, red crosses and a light bar."""
    paint = shade(colour, rng)
    length, half, height = rng.uniform(5.1, 5.8), rng.uniform(0.97, 1.05), rng.uniform(2.35, 2.65)
    mesh = MeshBuilder()
    _van_body(mesh, paint, length, half, height)
    rear, front = -length / 2, length / 2
    _flank(mesh, half, (front - 2.05, front - 1.15), (height * 0.58, height * 0.86))
    mesh.side_panel(half + 0.01, (rear + 0.05, front - 0.1), (0.82, 1.12), _RED)
    mesh.end_panel(rear - 0.015, (-half * 0.9, half * 0.9), (0.85, 1.1), _RED)
    mesh.end_panel(front + 0.014, (-half * 0.9, half * 0.9), (0.82, 0.92), _RED)
    cross = (rear + front) / 2 - 0.75
    mid = height * 0.72
    mesh.side_panel(half + 0.012, (cross - 0.13, cross + 0.13), (mid - 0.38, mid + 0.38), _RED)
    mesh.side_panel(half + 0.013, (cross - 0.38, cross + 0.38), (mid - 0.13, mid + 0.13), _RED)
    mesh.face(
        [
            (-0.13, -0.9, height + 0.01),
            (0.13, -0.9, height + 0.01),
            (0.13, 0.0, height + 0.01),
            (-0.13, 0.0, height + 0.01),
        ],
        _RED,
        detail=14,
    )
    mesh.face(
        [
            (-0.45, -0.58, height + 0.012),
            (0.45, -0.58, height + 0.012),
            (0.45, -0.32, height + 0.012),
            (-0.45, -0.32, height + 0.012),
        ],
        _RED,
        detail=14,
    )
    _beacons(mesh, half, front - 1.5, height, rng)
    return mesh.build()


def _beacons(mesh: MeshBuilder, half: float, y: float, z: float, rng: Random) -> None:
    """A light bar across the roof, blue and red."""
    first, second = (BEACON_BLUE, BEACON_RED) if rng.random() < 0.5 else (BEACON_RED, BEACON_BLUE)
    for x, lamp in (((-half * 0.75, -0.02), first), ((0.02, half * 0.75), second)):
        mesh.box(x, (y - 0.16, y + 0.16), (z, z + 0.22), lamp, layer=5)
        mesh.lamps.append((((x[0] + x[1]) / 2, y, z + 0.2), (0.0, 0.0, 1.0), lamp))


def _cab(mesh: MeshBuilder, paint: Bgr, rear: float, front: float, half: float, height: float) -> None:
    """A lorry's cab between `rear` and `front`."""
    mesh.prism(
        [
            (rear, 0.5, half),
            (rear, height, half * 0.94),
            (front - 0.35, height, half * 0.92),
            (front, height * 0.52, half),
            (front, 0.42, half),
        ],
        paint,
        layer=1,
        strips={2: GLASS},
    )
    mesh.side_panel(half + 0.01, (rear + 0.35, front - 0.3), (height * 0.56, height * 0.86), GLASS, detail=10)
    mesh.side_panel(half + 0.008, (rear + 0.3, rear + 0.33), (0.6, height * 0.9), scaled(paint, 0.6), detail=40)
    mesh.end_panel(front + 0.012, (-half * 0.6, half * 0.6), (0.75, height * 0.44), scaled(paint, 0.55), detail=20)
    mesh.end_panel(front + 0.014, (-half * 0.98, half * 0.98), (0.42, 0.68), DARK, detail=16)
    for sign in (-1.0, 1.0):
        x0, x1 = sorted((sign * half * 0.95, sign * half * 0.62))
        mesh.end_panel(front + 0.02, (x0, x1), (0.72, 0.92), HEADLIGHT, detail=14, emissive=True)
        mesh.line(
            [(sign * half, front - 0.1, height * 0.8), (sign * (half + 0.28), front + 0.05, height * 0.75)],
            DARK,
            0.08,
            40,
        )
        mesh.lamps.append(((sign * half * 0.8, front + 0.05, 0.82), (0.0, 1.0, 0.0), (200.0, 235.0, 255.0)))
    mesh.plate(front + 0.03, 0.56)


def _tail(mesh: MeshBuilder, rear: float, half: float) -> None:
    mesh.end_panel(rear - 0.012, (-half, half), (0.6, 0.8), DARK, detail=16)
    for sign in (-1.0, 1.0):
        x0, x1 = sorted((sign * half * 0.95, sign * half * 0.7))
        mesh.end_panel(rear - 0.02, (x0, x1), (0.62, 0.78), TAILLIGHT, detail=14, emissive=True)
        mesh.lamps.append(((sign * half * 0.8, rear - 0.05, 0.7), (0.0, -1.0, 0.0), (30.0, 20.0, 200.0)))
    mesh.plate(rear - 0.03, 0.7)


def truck(colour: Colour, rng: Random) -> Mesh:
    """A lorry with a box, a tarpaulin, a tipper, a tank or an open bed behind its cab."""
    paint = shade(colour, rng)
    small = rng.random() < 0.5
    length = rng.uniform(5.2, 6.4) if small else rng.uniform(7.0, 9.2)
    half, cab_height = (
        (rng.uniform(0.98, 1.1), rng.uniform(2.1, 2.3)) if small else (rng.uniform(1.18, 1.25), rng.uniform(2.6, 2.9))
    )
    kind = rng.choice(("box", "box", "box", "tarpaulin", "tipper", "tank", "bed"))
    rear, front = -length / 2, length / 2
    back_of_cab = front - (1.6 if small else 2.0)
    mesh = MeshBuilder()
    mesh.box((-half * 0.9, half * 0.9), (rear + 0.05, back_of_cab), (0.5, 0.85), DARK)
    axles = [front - 0.95, rear + length * 0.17] + ([] if small else [rear + length * 0.17 + 1.15])
    _tail(mesh, rear, half * 0.9)
    for y in axles:
        mesh.wheel(half * 0.98, y, 0.4 if small else 0.5, TYRE, HUB)
    _cargo(mesh, kind, paint, (rear, back_of_cab - 0.12), half, cab_height, rng)
    _cab(mesh, paint, back_of_cab, front, half, cab_height)
    mesh.begin((0.0, axles[0], 0.5), 2)
    mesh.wheel(half + 0.015, axles[0], 0.4 if small else 0.5, TYRE, HUB)
    return mesh.build()


def _cargo(
    mesh: MeshBuilder, kind: str, paint: Bgr, y: tuple[float, float], half: float, cab_height: float, rng: Random
) -> None:
    """What the lorry carries, between y[0] and y[1]."""
    body = scaled(paint, rng.uniform(0.9, 1.06))
    top = cab_height + (rng.uniform(0.15, 0.7) if kind in ("box", "tarpaulin") else -0.5)
    if kind in ("box", "tarpaulin"):
        mesh.box((-half, half), y, (0.85, top), body, layer=1, taper=1.0 if kind == "box" else 0.93)
        for share in (0.25, 0.5, 0.75) if kind == "box" else (0.2, 0.4, 0.6, 0.8):
            at = y[0] + (y[1] - y[0]) * share
            mesh.side_panel(half + 0.01, (at - 0.03, at + 0.03), (0.9, top - 0.1), scaled(body, 0.78), detail=30)
        mesh.end_panel(y[0] - 0.01, (-0.03, 0.03), (0.9, top - 0.08), scaled(body, 0.55), detail=22)
        mesh.side_panel(half + 0.012, y, (0.85, 1.0), DARK, detail=22)
        return
    if kind == "tank":
        mesh.begin((0.0, (y[0] + y[1]) / 2, 1.6), 1)
        ring = [
            (-half * 0.5, 0.85),
            (half * 0.5, 0.85),
            (half * 0.95, 1.3),
            (half * 0.95, 1.85),
            (half * 0.5, 2.3),
            (-half * 0.5, 2.3),
            (-half * 0.95, 1.85),
            (-half * 0.95, 1.3),
        ]
        for end in y:
            mesh.face([(x, end, z) for x, z in ring], body)
        for (x0, z0), (x1, z1) in zip(ring, ring[1:] + ring[:1], strict=True):
            mesh.face([(x0, y[0], z0), (x0, y[1], z0), (x1, y[1], z1), (x1, y[0], z1)], body)
        return
    wall = 1.75 if kind == "tipper" else 1.35
    load: Bgr = rng.choice(((70.0, 110.0, 145.0), (88.0, 96.0, 104.0), (60.0, 90.0, 120.0), (150.0, 150.0, 150.0)))
    mesh.box((-half, half), y, (0.85, wall), body, layer=1, taper=1.03 if kind == "tipper" else 1.0)
    for share in (0.2, 0.4, 0.6, 0.8):
        at = y[0] + (y[1] - y[0]) * share
        mesh.side_panel(half * 1.03, (at - 0.05, at + 0.05), (0.9, wall), scaled(body, 0.7), detail=30)
    mesh.box(
        (-half * 0.9, half * 0.9),
        (y[0] + 0.15, y[1] - 0.15),
        (wall, wall + rng.uniform(0.15, 0.6)),
        load,
        layer=2,
        taper=0.6,
    )


def bus(colour: Colour, rng: Random) -> Mesh:
    """A city bus or a coach with a row of windows, doors on the right and a lit route board."""
    paint = shade(colour, rng)
    length, half, height = rng.uniform(8.2, 12.0), rng.uniform(1.2, 1.28), rng.uniform(2.95, 3.3)
    trim = rng.choice((_WHITE, scaled(paint, 0.6), (40.0, 205.0, 245.0), scaled(paint, 1.25)))
    rear, front = -length / 2, length / 2
    mesh = MeshBuilder()
    mesh.prism(
        [
            (rear, 0.32, half),
            (rear, height - 0.12, half * 0.97),
            (rear + 0.2, height, half * 0.92),
            (front - 0.3, height, half * 0.92),
            (front, height - 0.5, half * 0.97),
            (front, 0.32, half),
        ],
        paint,
    )
    low, high = height * 0.5, height * 0.82
    panes = int(length / 1.35)
    step = (length - 1.0) / panes
    mesh.side_panel(half + 0.006, (rear + 0.25, front - 0.25), (low, high), DARK)
    for i in range(panes):
        y0 = rear + 0.35 + i * step
        mesh.side_panel(
            half + 0.01, (y0 + 0.06, y0 + step - 0.06), (low + 0.06, high - 0.06), scaled(GLASS, 1.25), detail=26
        )
    mesh.side_panel(half + 0.006, (rear + 0.05, front - 0.05), (0.75, 0.98), trim, detail=12)
    mesh.side_panel(half + 0.005, (rear + 0.05, front - 0.05), (0.32, 0.45), DARK, detail=20)
    for y0 in (front - 1.5, (rear + front) / 2 - 0.6):
        mesh.face(
            [(half + 0.012, y, z) for y, z in ((y0, 0.4), (y0 + 1.05, 0.4), (y0 + 1.05, high), (y0, high))],
            scaled(GLASS, 0.75),
            detail=18,
        )
    for y in (rear + length * 0.22, front - length * 0.2):
        mesh.wheel(half + 0.02, y, 0.48, TYRE, HUB)
    mesh.end_panel(front + 0.015, (-half * 0.92, half * 0.92), (height * 0.42, height * 0.8), GLASS)
    mesh.face(
        [
            (-half * 0.7, front - 0.02, height - 0.46),
            (half * 0.7, front - 0.02, height - 0.46),
            (half * 0.65, front - 0.2, height - 0.16),
            (-half * 0.65, front - 0.2, height - 0.16),
        ],
        (30.0, 170.0, 255.0),
        emissive=True,
        detail=14,
    )
    mesh.end_panel(rear - 0.012, (-half * 0.8, half * 0.8), (height * 0.58, height * 0.84), GLASS, detail=10)
    mesh.end_panel(rear - 0.012, (-half * 0.9, half * 0.9), (0.45, 0.85), scaled(paint, 0.6), detail=16)
    _lights(mesh, length + 0.03, half, 0.62, 0.2)
    mesh.plate(front + 0.04, 0.45)
    mesh.plate(rear - 0.04, 0.95)
    mesh.face(
        [
            (-half * 0.5, -1.2, height + 0.01),
            (half * 0.5, -1.2, height + 0.01),
            (half * 0.5, 0.9, height + 0.01),
            (-half * 0.5, 0.9, height + 0.01),
        ],
        scaled(CHROME, 0.95),
        detail=24,
    )
    return mesh.build()


def fire_engine(colour: Colour, rng: Random) -> Mesh:
    """A red lorry with a crew cab, shutters, a white band, a ladder on its roof and beacons."""
    paint = shade(colour, rng)
    length, half, height = rng.uniform(7.0, 8.6), rng.uniform(1.2, 1.27), rng.uniform(2.7, 3.0)
    rear, front = -length / 2, length / 2
    back = front - 2.9
    mesh = MeshBuilder()
    mesh.box((-half * 0.9, half * 0.9), (rear + 0.05, back), (0.5, 0.85), DARK)
    _tail(mesh, rear, half * 0.9)
    mesh.box((-half, half), (rear, back - 0.08), (0.7, height - 0.1), paint, layer=1)
    count = 3
    step = (back - rear - 0.5) / count
    for i in range(count):
        y0 = rear + 0.25 + i * step
        mesh.side_panel(
            half + 0.01, (y0 + 0.08, y0 + step - 0.08), (1.15, height - 0.4), (165.0, 168.0, 170.0), detail=14
        )
    mesh.side_panel(half + 0.012, (rear, back - 0.08), (0.86, 1.06), _WHITE)
    mesh.end_panel(rear - 0.012, (-half * 0.7, half * 0.7), (1.1, height - 0.4), (165.0, 168.0, 170.0), detail=14)
    mesh.end_panel(rear - 0.011, (-half, half), (0.86, 1.04), (40.0, 220.0, 250.0), detail=12)
    for y in (rear + length * 0.2, rear + length * 0.2 + 1.1):
        mesh.wheel(half + 0.02, y, 0.5, TYRE, HUB)
    _cab(mesh, paint, back, front, half, height)
    mesh.side_panel(half + 0.012, (back + 0.2, back + 1.2), (height * 0.56, height * 0.86), GLASS, detail=10)
    mesh.side_panel(half + 0.012, (back, front), (0.86, 1.06), _WHITE)
    mesh.end_panel(front + 0.016, (-half, half), (1.0, 1.14), _WHITE)
    mesh.begin((0.0, front - 1.2, 0.5), 2)
    mesh.wheel(half + 0.02, front - 1.2, 0.5, TYRE, HUB)
    mesh.begin((0.0, 0.0, height + 0.2), 3)
    for x in (-0.45, 0.1):
        mesh.line([(x, rear - 0.2, height + 0.05), (x, front - 1.4, height + 0.3)], CHROME, 0.11)
    for i in range(9):
        y = rear + (front - 1.4 - rear) * i / 8
        z = height + 0.05 + 0.25 * i / 8
        mesh.line([(-0.45, y, z), (0.1, y, z)], CHROME, 0.08, 24)
    mesh.box(
        (0.4, 0.95),
        (back - 1.6, back - 0.6),
        (height - 0.1, height + 0.3),
        INDICATOR if rng.random() < 0.15 else scaled(paint, 0.85),
        layer=3,
        detail=26,
    )
    _beacons(mesh, half, front - 0.8, height, rng)
    return mesh.build()
