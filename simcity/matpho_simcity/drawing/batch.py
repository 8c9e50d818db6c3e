"""The arithmetic of a frame's movers all at once: where each face lies on the picture, its order and its colour."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matpho_simcity.drawing.actor import Placed
from matpho_simcity.drawing.atmosphere import Atmosphere, Light, lamp_field
from matpho_simcity.drawing.geometry import NEAR_PLANE, Camera, Floats
from matpho_simcity.drawing.mesh import Mesh
from matpho_simcity.drawing.people import WALK_PHASES

FARTHEST = 140.0
"""Metres beyond which movers are not drawn."""
_TINY = 3.0


@dataclass(frozen=True, slots=True)
class Solid:
    """One mover ready to be drawn.

    `turn` (3, 3) and `shift` (3,) take its own axes to the camera's; `box` (x0, y0, x1, y1) is what it covers on the
    picture, unclipped; `faces` the range of its faces in the batch.
    """

    placed: Placed
    mesh: Mesh
    turn: Floats
    shift: Floats
    depth: float
    box: tuple[float, ...]
    nearest: float
    farthest: float
    gain: Floats
    fade: float
    faces: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Batch:
    """Solids, far ones first, and their faces in painting order.

    `outlines` (K, 10, 2) in 1/16 pixel, `paints` (b, g, r), `counts` of points and `widths` in metres as in Mesh.
    """

    solids: list[Solid]
    outlines: NDArray[np.int32]
    paints: list[list[float]]
    counts: list[int]
    widths: list[float]


def in_view(movers: list[Placed], camera: Camera) -> list[tuple[float, Placed]]:
    """(depth in metres, mover) of those that may be on the picture, far ones first."""
    if not movers:
        return []
    seen = camera.to_camera(np.array([(m.x, m.y, m.z) for m in movers], dtype=float))
    reach = np.array([m.look.mesh.radius if m.look.mesh is not None else max(m.size) for m in movers])
    wide, tall = camera.width / 2 / camera.focal, camera.height / 2 / camera.focal
    depth = seen[:, 2]
    kept = (depth > NEAR_PLANE) & (depth < FARTHEST)
    kept &= np.abs(seen[:, 0]) - reach * 1.2 < depth * wide
    kept &= np.abs(seen[:, 1]) - reach * 1.2 < depth * tall
    slant = np.linalg.norm(seen, axis=1)
    order = np.argsort(-slant)
    return [(float(depth[i]), movers[i]) for i in order if kept[i]]


def _phase(placed: Placed, mesh: Mesh) -> int:
    if len(mesh.points) == 1:
        return 0
    return WALK_PHASES if placed.speed < 0.1 else int(placed.phase * WALK_PHASES) % WALK_PHASES


def gains(movers: list[Placed], air: Atmosphere, lamps: list[tuple[float, float, float]]) -> Floats:
    """(N, 3) light on each mover, blue-green-red."""
    gain = np.tile(np.array(air.ambient), (len(movers), 1))
    if air.light is not Light.DAY and lamps:
        x, y = np.array([m.x for m in movers]), np.array([m.y for m in movers])
        gain = gain + lamp_field(x, y, lamps)[:, None] * np.array(air.lamp)
    return gain


def prepare(
    ordered: list[tuple[float, Placed]], camera: Camera, air: Atmosphere, lamps: list[tuple[float, float, float]]
) -> Batch:
    """Everything that the painter needs of the solids among `ordered` (from `in_view`)."""
    chosen = [(depth, placed, placed.look.mesh) for depth, placed in ordered if placed.look.mesh is not None]
    if not chosen:
        return Batch([], np.zeros((0, 10, 2), np.int32), [], [], [])
    light = gains([placed for _, placed, _ in chosen], air, lamps)
    sun, rotation = np.array(air.sun), camera.rotation
    points: list[Floats] = []
    directions: list[Floats] = []
    turns: list[Floats] = []
    shifts: list[Floats] = []
    for _, placed, mesh in chosen:
        cos, sin = math.cos(placed.heading), math.sin(placed.heading)
        spin = np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])
        turn = rotation @ spin
        shift = rotation @ (np.array((placed.x, placed.y, placed.z)) - camera.position)
        points.append(mesh.points[_phase(placed, mesh)] @ turn.T + shift)
        directions.append(mesh.normals @ np.column_stack([turn.T, spin.T @ sun]))
        turns.append(turn)
        shifts.append(shift)
    return _assemble(chosen, camera, air, light, points, directions, turns, shifts)


def _assemble(
    chosen: list[tuple[float, Placed, Mesh]], camera: Camera, air: Atmosphere, light: Floats,
    points: list[Floats], directions: list[Floats], turns: list[Floats], shifts: list[Floats],
) -> Batch:  # fmt: skip
    sizes = np.array([len(p) for p in points])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    vertex_counts = np.array([mesh.vertex_count for _, _, mesh in chosen])
    seen = np.concatenate(points)
    flat = seen[:, :2] * (camera.focal / np.maximum(seen[:, 2:3], 1e-3)) + (camera.width / 2, camera.height / 2)
    np.clip(flat, -6000, 6000, out=flat)
    spans = np.empty(2 * len(sizes), np.int64)
    spans[0::2], spans[1::2] = starts, starts + vertex_counts
    low, high = np.minimum.reduceat(flat, spans)[::2], np.maximum.reduceat(flat, spans)[::2]
    near, far = np.minimum.reduceat(seen[:, 2], spans)[::2], np.maximum.reduceat(seen[:, 2], spans)[::2]
    tall = high[:, 1] - low[:, 1]
    shown = (
        (near > NEAR_PLANE)
        & (high > 0).all(axis=1)
        & (low[:, 0] < camera.width)
        & (low[:, 1] < camera.height)
        & (tall >= _TINY)
    )

    face_counts = np.array([len(mesh.counts) for _, _, mesh in chosen])
    owner = np.repeat(np.arange(len(chosen)), face_counts)
    faces = np.concatenate([mesh.faces for _, _, mesh in chosen]) + starts[owner][:, None]
    facing = np.concatenate(directions)
    thick = np.concatenate([mesh.thick for _, _, mesh in chosen])
    keep = shown[owner] & (np.concatenate([mesh.details for _, _, mesh in chosen]) <= tall[owner])
    keep &= thick | (np.einsum("ij,ij->i", facing[:, :3], seen[faces[:, 0]]) < 0)
    picked = np.flatnonzero(keep)
    owner = owner[picked]
    first_face = np.concatenate([[0], np.cumsum(face_counts)[:-1]])
    centre = seen[starts[owner] + vertex_counts[owner] + picked - first_face[owner]]
    layers = np.concatenate([mesh.layers for _, _, mesh in chosen])[picked]
    order = np.lexsort((layers * 1000 - np.linalg.norm(centre, axis=1), owner))
    picked, owner = picked[order], owner[order]

    fade = np.exp(-np.array([depth for depth, _, _ in chosen]) * air.density)
    paints = _paints(chosen, picked, owner, facing[picked, 3], thick[picked], light, fade, air)
    outlines = (flat * 16).astype(np.int32)[faces[picked]]
    bounds = np.searchsorted(owner, np.arange(len(chosen) + 1)).tolist()
    all_counts = np.concatenate([mesh.count_array for _, _, mesh in chosen])[picked].tolist()
    all_widths = np.concatenate([mesh.width_array for _, _, mesh in chosen])[picked].tolist()
    solids = [
        Solid(
            placed, mesh, turns[i], shifts[i], depth, tuple(map(float, (*low[i], *high[i]))),
            float(near[i]), float(far[i]), light[i], float(fade[i]), (bounds[i], bounds[i + 1]),
        )
        for i, (depth, placed, mesh) in enumerate(chosen)
        if shown[i]
    ]  # fmt: skip
    return Batch(solids, outlines, paints, all_counts, all_widths)


def _paints(
    chosen: list[tuple[float, Placed, Mesh]], picked: NDArray[np.intp], owner: NDArray[np.intp], lit: Floats,
    thick: NDArray[np.bool_], light: Floats, fade: Floats, air: Atmosphere,
) -> list[list[float]]:  # fmt: skip
    """The lit colour of each picked face."""
    own = np.concatenate([mesh.colours for _, _, mesh in chosen])[picked]
    level = 1 - air.contrast * 0.75 + air.contrast * np.clip(lit, -0.25, 1)
    level[thick] = 0.95
    colours = own * (level[:, None] * light[owner])
    if air.headlights:
        glowing = np.concatenate([mesh.emissive for _, _, mesh in chosen])[picked]
        colours[glowing] = own[glowing]
    kept = fade[owner][:, None]
    colours = np.clip(colours * kept + np.array(air.haze) * (1 - kept), 0, 255)
    rows: list[list[float]] = colours.tolist()
    return rows
