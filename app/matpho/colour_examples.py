"""Crops of the simulated city with the true names of their colours, as the colour network learns them.

The pictures are drawn, squeezed as a camera's codec does, and cut as a detector cuts: a little beside the truth.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import cv2
import numpy as np

from matpho_contracts.geometry import Box
from matpho_contracts.vocabulary import Colour, ObjectClass
from matpho_edge.colours import MIN_PIXELS, Look, class_number, plain_light, surroundings
from matpho_edge.colours_light import SceneLight
from matpho_embeddings.training.colours import ColourExamples
from matpho_simcity.placing import TRAFFIC
from matpho_simcity.shots import PICTURES_PER_CAMERA, Shot, shots

SIZE = (640, 360)
BESIDE = 0.06
"""How far a detector's edges lie beside the true ones, standard deviation in shares of the side."""
COLOURLESS = frozenset({ObjectClass.FIRE, ObjectClass.SMOKE, ObjectClass.RUBBISH})
TWO_WHEELERS = frozenset({ObjectClass.MOTORCYCLE, ObjectClass.BICYCLE})
_STREET = {**TRAFFIC, ObjectClass.BICYCLE: 30.0}
"""Bicycles show least of their colour: more of them are looked at."""
_QUALITY = (45, 95)
_ORDER = tuple(Colour)


def draw_examples(split: str, seed: str, cameras: int, workers: int = 2) -> ColourExamples:
    """Examples of `cameras` random cameras of `split` ("train" or "val")."""
    with ProcessPoolExecutor(workers) as pool:
        parts = list(pool.map(partial(_of_camera, split, seed), range(cameras), chunksize=8))
    return ColourExamples.together(parts)


def _of_camera(split: str, seed: str, camera: int) -> ColourExamples:
    random = np.random.default_rng(camera)
    found = [
        (look, colour)
        for shot in shots(split, seed, camera, SIZE, PICTURES_PER_CAMERA, _STREET)
        for look, colour in _of_shot(shot, random)
    ]
    return ColourExamples(
        pictures=np.array([plain_light(look.crop, look.light) for look, _ in found], np.uint8),
        surroundings=np.array([surroundings(look.light) for look, _ in found], np.float32),
        classes=np.array([class_number(look.label) for look, _ in found], np.int64),
        colours=np.array([_ORDER.index(colour) for _, colour in found], np.int64),
    )


def _of_shot(shot: Shot, random: np.random.Generator) -> Iterator[tuple[Look, Colour]]:
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(*_QUALITY))]
    picture = np.asarray(cv2.imdecode(cv2.imencode(".jpg", shot.image, quality)[1], cv2.IMREAD_COLOR), np.uint8)
    scene = SceneLight(picture, np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8))
    height, width = picture.shape[:2]
    for sighting in shot.sightings:
        label = sighting.placed.look.object_class
        if sighting.ignore or label in COLOURLESS:
            continue
        for _ in range(2 if label in TWO_WHEELERS else 1):
            left, top, right, bottom = sighting.box
            sides = np.array([right - left, bottom - top] * 2)
            beside = sighting.box + random.normal(0, BESIDE, 4) * sides
            x0, y0 = np.maximum(beside[:2].round().astype(int), 0)
            x1, y1 = np.minimum(beside[2:].round().astype(int), (width, height))
            if min(x1 - x0, y1 - y0) < MIN_PIXELS:
                continue
            box = Box(x1=x0 / width, y1=y0 / height, x2=x1 / width, y2=y1 / height)
            yield Look(picture[y0:y1, x0:x1], label.value, scene.around(box)), sighting.placed.look.colour
