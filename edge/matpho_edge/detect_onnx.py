"""A detector exported as ONNX (or OpenVINO): letterbox, one inference, boxes back in the picture's own coordinates.

Two layouts are read, as ultralytics exports them: `(batch, 4 + classes, anchors)` with centre boxes that still need
non-maximum suppression (YOLOv8, 11, 12), and `(batch, n, 6)` with corners, score and class (end to end: YOLOv10, 26).
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from matpho_contracts.errors import BadInputError
from matpho_edge.detect import Picture, check_picture
from matpho_edge.detect_labels import read_names
from matpho_edge.detections import NO_SECOND, Detections, Second

if TYPE_CHECKING:
    from matpho_embeddings.runtime import Session

PADDING = 114
"""Grey of the letterbox, as the models were trained with."""
STRIDE = 32
DEFAULT_SIDE = 640
MAX_SIDE = 2048
MAX_OBJECTS = 300
MAX_CANDIDATES = 3000
"""Boxes that go into non-maximum suppression at most, best first."""

LEAST_SECOND = 0.1
"""A second name of a lower score is noise."""
_Boxes = tuple[NDArray[np.float32], NDArray[np.float32], list[int], tuple[Second, ...]]
"""Corners (n, 4), scores (n,), classes and seconds."""


class Letterbox(NamedTuple):
    """How a picture was put into the model's input: pixels = (model - pad) / ratio."""

    ratio: float
    left: int
    top: int
    width: int
    height: int


class OnnxDetector:
    """A YOLO-like detection model behind an inference session. Thread-safe as its session is."""

    def __init__(self, session: Session, *, name: str, conf: float, iou: float, renamed: Mapping[str, str]) -> None:
        task = session.metadata.get("task", "detect")
        if task != "detect":
            raise BadInputError(f"{name} is a model for {task}, not for detection.", action="Give detection weights.")
        names = read_names(session.metadata.get("names"))
        self.name = name
        self._session = session
        self._conf, self._iou = conf, iou
        self._names = tuple(renamed.get(label, label) for label in names)
        self.labels = tuple(dict.fromkeys(self._names))
        self._input = self._check_input(name)
        self._raw = self._check_output(name)
        self._side = self._image_side()

    def _check_input(self, name: str) -> str:
        inputs = self._session.inputs
        if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].shape[1] not in (3, None):
            raise BadInputError(f"{name} does not take one colour picture: it is no detector of this kind.")
        self._batch, _, self._height, self._width = inputs[0].shape
        self._half = inputs[0].dtype in ("float16", "f16")
        return inputs[0].name

    def _check_output(self, name: str) -> bool:
        """Whether boxes come raw (True) or end to end (False)."""
        shape = self._session.outputs[0].shape
        wanted = 4 + len(self._names)
        if len(shape) == 3 and shape[1] == wanted:
            return True
        if len(shape) == 3 and shape[2] == 6:
            return False
        if len(shape) == 3 and shape[1] is None and shape[2] is None:
            return self._session.metadata.get("end2end", "False").lower() != "true"
        raise BadInputError(
            f"{name} gives {shape}; a detector of {len(self._names)} classes gives (1, {wanted}, n) or (1, n, 6).",
            action="Give the weights of a detector, exported by ultralytics.",
        )

    def _image_side(self) -> int:
        """The side the model was trained with, for models that take any size."""
        text = self._session.metadata.get("imgsz", "")
        try:
            sizes = ast.literal_eval(text) if text else DEFAULT_SIDE
            side = max(sizes) if isinstance(sizes, list | tuple) else int(sizes)
        except (ValueError, SyntaxError, TypeError) as error:
            raise BadInputError("The model's image size cannot be read.") from error
        if not STRIDE <= side <= MAX_SIDE:
            raise BadInputError(f"The model wants pictures of {side} pixels; at most {MAX_SIDE} are accepted.")
        return side

    def detect(self, images: Sequence[Picture]) -> list[Detections]:
        """What is in each picture, one inference each (batching gains nothing on a processor)."""
        return [self._one(image) for image in images]

    def _one(self, image: Picture) -> Detections:
        check_picture(image)
        blob, box = self._prepare(image)
        output = np.asarray(self._session.run({self._input: blob})[0][0], dtype=np.float32)
        boxes, scores, classes, seconds = self._raw_boxes(output) if self._raw else self._final_boxes(output)
        corner = np.array([box.left, box.top] * 2, np.float32)
        size = np.array([box.width, box.height] * 2, np.float32) * np.float32(box.ratio)
        scaled = np.asarray(np.clip((boxes - corner) / size, 0.0, 1.0), dtype=np.float32)
        whole = (scaled[:, 2] > scaled[:, 0]) & (scaled[:, 3] > scaled[:, 1])
        found = Detections(scaled, tuple(self._names[c] for c in classes), np.clip(scores, 0, 1), seconds)
        return found.take(whole)

    def _prepare(self, image: Picture) -> tuple[NDArray[np.floating], Letterbox]:
        """The model's input (1, 3, h, w), RGB in 0..1, and how the picture lies in it."""
        height, width = image.shape[:2]
        target_h, target_w = self._target(height, width)
        ratio = min(target_h / height, target_w / width)
        inner_w, inner_h = max(1, round(width * ratio)), max(1, round(height * ratio))
        resized = image
        if (inner_w, inner_h) != (width, height):
            resized = np.asarray(cv2.resize(image, (inner_w, inner_h), interpolation=cv2.INTER_LINEAR), np.uint8)
        left, top = (target_w - inner_w) // 2, (target_h - inner_h) // 2
        canvas = np.full((target_h, target_w, 3), PADDING, np.uint8)
        canvas[top : top + inner_h, left : left + inner_w] = resized
        blob = cv2.dnn.blobFromImage(canvas, scalefactor=1 / 255, swapRB=True)
        wanted = np.asarray(blob, dtype=np.float32)
        return wanted.astype(np.float16) if self._half else wanted, Letterbox(ratio, left, top, width, height)

    def _target(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the input: the model's own, or for open sizes the picture's shape in strides of 32."""
        if self._height is not None and self._width is not None:
            return self._height, self._width
        ratio = self._side / max(height, width)
        return _strides(height * ratio), _strides(width * ratio)

    def _raw_boxes(self, output: NDArray[np.float32]) -> _Boxes:
        """(4 + classes, anchors) to corners, scores, classes and seconds, doubles taken out class by class."""
        if output.shape[0] != 4 + len(self._names):
            raise BadInputError(f"{self.name} gave an output of the shape {output.shape}: it is no such detector.")
        best = output[4:].max(axis=0)
        chosen = np.flatnonzero(best > self._conf)
        if len(chosen) > MAX_CANDIDATES:
            chosen = chosen[np.argsort(-best[chosen])[:MAX_CANDIDATES]]
        part = output[:, chosen]
        scores, classes = best[chosen], part[4:].argmax(axis=0)
        half = part[2:4] / 2
        corners = np.concatenate([part[:2] - half, part[:2] + half]).T
        keep = suppress(corners, scores, classes, self._iou)[:MAX_OBJECTS]
        seconds = self._seconds(part[4:, keep], classes[keep])
        return np.ascontiguousarray(corners[keep]), scores[keep], [int(c) for c in classes[keep]], seconds

    def _seconds(self, scores: NDArray[np.float32], classes: NDArray[np.intp]) -> tuple[Second, ...]:
        """The second name of each box, from all its classes' scores (classes, n); two of our words may stand for
        several of the model's."""
        if len(scores) < 2:
            return (NO_SECOND,) * len(classes)
        others = scores.copy()
        others[classes, np.arange(len(classes))] = 0.0
        second = others.argmax(axis=0)
        return tuple(
            (self._names[int(c)], float(min(others[c, i], 1.0)))
            if others[c, i] >= LEAST_SECOND and self._names[int(c)] != self._names[int(classes[i])]
            else NO_SECOND
            for i, c in enumerate(second)
        )

    def _final_boxes(self, output: NDArray[np.float32]) -> _Boxes:
        """(n, 6) rows of corners, score, class: only the weak ones go."""
        if output.shape[1] != 6:
            raise BadInputError(f"{self.name} gave an output of the shape {output.shape}: it is no such detector.")
        rows = output[output[:, 4] > self._conf][:MAX_OBJECTS]
        rows = rows[(rows[:, 5] >= 0) & (rows[:, 5] < len(self._names))]
        return np.ascontiguousarray(rows[:, :4]), rows[:, 4], [int(c) for c in rows[:, 5]], ()


def _strides(side: float) -> int:
    return max(STRIDE, int(np.ceil(side / STRIDE)) * STRIDE)


def suppress(
    corners: NDArray[np.float32], scores: NDArray[np.float32], classes: NDArray[np.integer], overlap: float
) -> NDArray[np.intp]:
    """Non-maximum suppression within each class: indices that stay, best first.

    Greedy over the whole overlap matrix; boxes of two classes are moved apart so that they never meet.
    """
    if not len(scores):
        return np.zeros(0, np.intp)
    order = np.argsort(-scores, kind="stable")
    span = float(corners.max() - corners.min()) + 1.0
    apart = corners[order] + (classes[order].astype(np.float32) * span)[:, None]
    areas = (apart[:, 2] - apart[:, 0]) * (apart[:, 3] - apart[:, 1])
    alive = np.ones(len(order), np.bool_)
    keep: list[int] = []
    for place in range(len(order)):
        if not alive[place]:
            continue
        keep.append(place)
        rest = slice(place + 1, None)
        low = np.maximum(apart[place, :2], apart[rest, :2])
        high = np.minimum(apart[place, 2:], apart[rest, 2:])
        shared = np.clip(high - low, 0, None).prod(axis=1)
        alive[rest] &= shared <= overlap * np.maximum(areas[place] + areas[rest] - shared, 1e-9)
    return np.asarray(order[keep], dtype=np.intp)
