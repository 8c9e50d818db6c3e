"""Pictures with boxes for detector training: read once, cut, scaled and tinted anew each time one is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matpho_contracts.errors import BadInputError

Picture = NDArray[np.uint8]
Boxes = NDArray[np.float32]

BACKGROUND = (114, 114, 114)
"""Grey around a picture that does not fill the frame, the letterbox colour of the YOLO family."""
ZOOM = (0.75, 1.7)
VISIBLE_SHARE = 0.35
"""A cut object keeps its label while this share of its box is still in the frame."""
SMALLEST_SIDE = 3.0
"""Pixels; a box with a shorter side is too small to learn from."""
MAX_PICTURES = 200_000


@dataclass(frozen=True, slots=True)
class Labelled:
    """One encoded picture and its boxes: (n, 5) rows of class, centre x, centre y, width, height as shares."""

    encoded: bytes
    boxes: Boxes


def read_labelled(folder: Path, split: str) -> list[Labelled]:
    """All pictures of `folder/images/<split>` with the boxes of `folder/labels/<split>` (YOLO layout)."""
    files = sorted(path for path in (folder / "images" / split).glob("*") if path.suffix in (".jpg", ".png"))
    if not files:
        raise BadInputError(
            f"There are no pictures in {folder / 'images' / split}.",
            action="Make a set first: python -m matpho_simcity.dataset detection FOLDER --images 5000",
        )
    if len(files) > MAX_PICTURES:
        raise BadInputError(f"{len(files)} pictures are too many to hold in memory.", action="Give 200,000 at most.")
    return [Labelled(file.read_bytes(), _read_boxes(folder / "labels" / split / f"{file.stem}.txt")) for file in files]


def _read_boxes(file: Path) -> Boxes:
    rows = [line.split() for line in file.read_text().splitlines() if line.strip()] if file.exists() else []
    if any(len(row) != 5 for row in rows):
        raise BadInputError(f"{file.name} is not a YOLO label file.", action="Each line is: class x y width height.")
    return np.array(rows, dtype=np.float32).reshape(-1, 5)


def repeat_weights(pictures: Sequence[Labelled], classes: int) -> NDArray[np.float64]:
    """How often to draw each picture: those with rare classes more often (square root of the rarity, LVIS' rule).

    Gupta et al., LVIS, 2019, section on repeat factor sampling; the threshold here is 0.4 of the pictures.
    """
    holds = np.zeros((len(pictures), classes), dtype=bool)
    for number, picture in enumerate(pictures):
        holds[number, picture.boxes[:, 0].astype(int)] = True
    factor = np.maximum(1.0, np.sqrt(0.4 / np.maximum(holds.mean(axis=0), 1e-6)))
    weights = np.where(holds, factor, 1.0).max(axis=1)
    return np.asarray(weights / weights.sum(), dtype=np.float64)


class StreetPictures:
    """A drawing of training samples that ultralytics' trainer reads like any data set.

    `window` is (height, width) of the samples in pixels: cut from pictures scaled as if to fit `size`, so a window
    smaller than `size` costs less and shows objects as large as they will be. One epoch is `epoch` samples, drawn
    with replacement.
    """

    rect = False

    def __init__(
        self,
        pictures: Sequence[Labelled],
        size: tuple[int, int],
        window: tuple[int, int],
        epoch: int,
        classes: int,
        seed: int,
    ) -> None:
        self._pictures = pictures
        self._size = size
        self._window = window
        self._epoch = epoch
        self._weights = repeat_weights(pictures, classes)
        self._numbers = np.random.default_rng(seed)
        self._random = Random(seed)
        self.labels: list[Any] = []

    def __len__(self) -> int:
        return self._epoch

    def __getitem__(self, index: int) -> dict[str, Any]:
        """One sample: `img` (3, height, width) uint8 RGB, `cls` (n, 1), `bboxes` (n, 4) centre and size as shares."""
        import torch

        chosen = self._pictures[int(self._numbers.choice(len(self._pictures), p=self._weights))]
        picture = cv2.imdecode(np.frombuffer(chosen.encoded, np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            raise BadInputError("A training picture cannot be decoded.", action="Make the set again.")
        picture, boxes = cut(picture.astype(np.uint8, copy=False), chosen.boxes, self._size, self._window, self._random)
        picture = tint(picture, self._random)
        return {
            "img": torch.from_numpy(np.ascontiguousarray(picture[:, :, ::-1].transpose(2, 0, 1))),
            "cls": torch.from_numpy(boxes[:, :1].copy()),
            "bboxes": torch.from_numpy(boxes[:, 1:].copy()),
            "im_file": str(index),
        }

    @staticmethod
    def collate_fn(samples: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """One batch in the form that ultralytics' loss wants: boxes of all pictures in one list with `batch_idx`."""
        import torch

        counts = [len(sample["cls"]) for sample in samples]
        return {
            "img": torch.stack([sample["img"] for sample in samples]),
            "cls": torch.cat([sample["cls"] for sample in samples]),
            "bboxes": torch.cat([sample["bboxes"] for sample in samples]),
            "batch_idx": torch.repeat_interleave(torch.arange(len(samples)), torch.tensor(counts)).float(),
            "im_file": [sample["im_file"] for sample in samples],
        }


def cut(
    picture: Picture, boxes: Boxes, size: tuple[int, int], window: tuple[int, int], random: Random
) -> tuple[Picture, Boxes]:
    """A random part of the picture, mirrored half the time, and the boxes still in it.

    The picture is scaled to fit (height, width) `size` times a random zoom; the part is (height, width) `window`.
    """
    height, width = window
    source_height, source_width = picture.shape[:2]
    scale = min(size[1] / source_width, size[0] / source_height)
    scale *= 1.0 if random.random() < 0.3 else float(np.exp(random.uniform(*np.log(ZOOM))))
    left = _offset(source_width * scale, width, boxes, 1, random)
    top = _offset(source_height * scale, height, boxes, 2, random)
    mirrored = random.random() < 0.5
    matrix = np.array([[scale, 0, -left], [0, scale, -top]], dtype=np.float64)
    if mirrored:
        matrix[0] = (-scale, 0, width - 1 + left)
    way = cv2.INTER_AREA if scale < 0.7 else cv2.INTER_LINEAR
    part = cv2.warpAffine(picture, matrix, (width, height), flags=way, borderValue=BACKGROUND)
    kept = _cut_boxes(boxes, (source_width * scale, source_height * scale), (left, top), (width, height))
    if mirrored:
        kept[:, 1] = 1.0 - kept[:, 1]
    return np.asarray(part, dtype=np.uint8), kept


def _offset(scaled: float, wanted: int, boxes: Boxes, column: int, random: Random) -> float:
    """Where the window starts, in scaled pixels; mostly near one of the objects if there is a choice."""
    room = scaled - wanted
    if room > 0 and len(boxes) and random.random() < 0.7:
        middle = float(boxes[random.randrange(len(boxes)), column]) * scaled
        return min(max(middle - wanted * random.uniform(0.2, 0.8), 0.0), room)
    return random.uniform(min(room, 0.0), max(room, 0.0))


def _cut_boxes(boxes: Boxes, scaled: tuple[float, float], start: tuple[float, float], size: tuple[int, int]) -> Boxes:
    centres = boxes[:, 1:3] * scaled - start
    halves = boxes[:, 3:5] * scaled / 2
    low = np.clip(centres - halves, 0, size)
    high = np.clip(centres + halves, 0, size)
    sides = high - low
    visible = sides.prod(axis=1) / np.maximum((halves * 2).prod(axis=1), 1e-6)
    keep = (visible >= VISIBLE_SHARE) & (sides.min(axis=1, initial=np.inf) >= SMALLEST_SIDE)
    found = np.concatenate([boxes[:, :1], (low + high) / 2 / size, sides / size], axis=1)
    return np.asarray(found[keep], dtype=np.float32)


def tint(picture: Picture, random: Random) -> Picture:
    """Another exposure, contrast and saturation, sometimes softer: what lenses and codecs do."""
    gain, lift = random.uniform(0.75, 1.3), random.uniform(-18, 18)
    tinted = cv2.convertScaleAbs(picture, alpha=gain, beta=max(lift, -18.0))
    if random.random() < 0.5:
        grey = cv2.cvtColor(cv2.cvtColor(tinted, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        share = random.uniform(0.5, 1.3)
        tinted = cv2.addWeighted(tinted, share, grey, 1.0 - share, 0.0)
    if random.random() < 0.15:
        tinted = cv2.GaussianBlur(tinted, (3, 3), 0)
    return np.asarray(tinted, dtype=np.uint8)
