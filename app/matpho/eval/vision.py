"""`matpho eval vision`: the detector on pictures of simulated streets that no training run has seen.

The pictures come from the simulator's held-out split: other layouts, looks, camera heights, fields of view, and a seed
that training never uses. Objects the simulator marks as too small or too hidden to judge are ignored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

from matpho.eval.average_precision import Picture, evaluate
from matpho_edge.detect import Detector, load_detector
from matpho_edge.detections import Detections
from matpho_simcity.shots import PICTURES_PER_CAMERA, Shot, shots

SIZE = (640, 360)
SEED = "held-out-2026"
"""Training uses numbers; this word is drawn by no training run."""
LOWEST_SCORE = 0.02
"""The curve is taken from nearly all of what the detector says."""
WORKING_SCORE = 0.3


def run(pictures: int = 600, detector: str = "city-detector", seed: str = SEED) -> dict[str, Any]:
    """Average precision at overlap 0.5 by class and its mean, with recall and precision at the working score."""
    model = load_detector(detector, conf=LOWEST_SCORE, threads=2)
    results = evaluate(_judged(model, pictures, seed), threshold=0.5, working_score=WORKING_SCORE)
    rows = [
        {
            "class": name,
            "objects": result.truth,
            "ap50": round(result.average_precision, 4),
            "recall": round(result.recall, 4),
            "precision": round(result.precision, 4),
        }
        for name, result in sorted(results.items())
    ]
    return {
        "rows": rows,
        "detector": model.name,
        "pictures": pictures,
        "seed": seed,
        "working_score": WORKING_SCORE,
        "map50": round(float(np.mean([result.average_precision for result in results.values()])), 4),
    }


def _judged(model: Detector, pictures: int, seed: str) -> Iterator[Picture]:
    for shot in held_out(pictures, seed):
        yield _picture(shot, model.detect([shot.image])[0])


def held_out(pictures: int, seed: str) -> Iterator[Shot]:
    """`pictures` held-out pictures, a few to a camera."""
    for camera, start in enumerate(range(0, pictures, PICTURES_PER_CAMERA)):
        yield from shots("val", seed, camera, SIZE, min(PICTURES_PER_CAMERA, pictures - start))


def _picture(shot: Shot, found: Detections) -> Picture:
    width, height = SIZE
    truth: dict[str, list[tuple[int, int, int, int]]] = defaultdict(list)
    ignored: dict[str, list[tuple[int, int, int, int]]] = defaultdict(list)
    for sighting in shot.sightings:
        name = sighting.placed.look.object_class.value
        (ignored if sighting.ignore else truth)[name].append(sighting.box)
    boxes = found.boxes * np.array([width, height, width, height], np.float32)
    labels = np.array(found.labels)
    return Picture(
        truth={name: np.array(items, np.float64) for name, items in truth.items()},
        ignored={name: np.array(items, np.float64) for name, items in ignored.items()},
        found={name: (boxes[labels == name], found.scores[labels == name]) for name in set(found.labels)},
    )
