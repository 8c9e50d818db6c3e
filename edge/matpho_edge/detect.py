"""Detectors: pictures in, boxes with names and scores out, whatever weights stand behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from matpho_contracts.errors import BadInputError, NotFoundError
from matpho_edge.detect_labels import COCO_TO_OURS
from matpho_edge.detections import Detections

if TYPE_CHECKING:
    from matpho_embeddings.runtime import Backend, Precision

Picture = NDArray[np.uint8]
"""(height, width, 3) BGR."""

DEFAULT_CONFIDENCE = 0.3
DEFAULT_IOU = 0.7
"""Overlap above which two boxes of one class are one object; the value that YOLO exporters use."""
SHIPPED = "city-detector"
"""The detector that ships with Matpho; `city` alone means the same here."""


class Detector(Protocol):
    """A detection model. Implementations are thread-safe."""

    @property
    def name(self) -> str:
        """What it is called in events and reports."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label it can say, in our words where we have one."""

    def detect(self, images: Sequence[Picture]) -> list[Detections]:
        """What is in each picture; pictures may differ in size. Raises BadInputError for what is no picture."""


def load_detector(
    ref: str | Path = SHIPPED,
    *,
    backend: Backend = "auto",
    threads: int = 1,
    conf: float = DEFAULT_CONFIDENCE,
    iou: float = DEFAULT_IOU,
    classes_map: Mapping[str, str] | None = None,
    precision: Precision = "float32",
) -> Detector:
    """Open a detector: the name of a shipped model, a folder with `detector.onnx`, an .onnx/.xml file or a .pt file.

    `conf` and `iou` lie in 0..1. `classes_map` renames the model's classes over the built-in map (COCO's `backpack`
    is our `bag`); what neither names keeps the model's own word. Raises NotFoundError (no such model),
    BadInputError (not a detector, or values out of range), ConfigurationError (an extra is missing).
    """
    if not 0.0 < conf < 1.0 or not 0.0 < iou <= 1.0:
        raise BadInputError("Confidence and overlap must lie between 0 and 1.", action="Use 0.3 and 0.7 to begin with.")
    file, name = _resolve(ref)
    renamed = {**COCO_TO_OURS, **(classes_map or {})}
    if file.suffix.lower() in (".pt", ".pth"):
        from matpho_edge.detect_ultralytics import UltralyticsDetector

        return UltralyticsDetector(file, threads=threads, conf=conf, iou=iou, renamed=renamed)
    from matpho_edge.detect_onnx import OnnxDetector
    from matpho_embeddings.runtime import open_session

    session = open_session(file, backend, threads, precision=precision)
    return OnnxDetector(session, name=name, conf=conf, iou=iou, renamed=renamed)


def _resolve(ref: str | Path) -> tuple[Path, str]:
    """The model file behind a name or a path, and what to call it; a model folder is checked by its checksums."""
    from matpho_embeddings.models import CARD, model_path, open_folder

    path = Path(ref)
    if isinstance(ref, str) and not path.exists() and not path.suffix:
        path = model_path(SHIPPED if ref in ("city", SHIPPED) else ref)
    if path.is_dir():
        if not (path / CARD).is_file():
            return _existing(path / "detector.onnx"), path.name
        card = open_folder(path)
        if card.kind != "detector" or "detector" not in card.files:
            raise BadInputError(f"{card.name} is a {card.kind}, not a detector.", action="Give a detector's folder.")
        return card.files["detector"], card.name
    return _existing(path), path.stem


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise NotFoundError(f"There is no detector at {path}.", action="Check the path.")
    return path


def check_picture(image: Picture) -> None:
    """Raise BadInputError unless this is a colour picture of a sane size."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not 0 < image.size <= MAX_PICTURE_BYTES:
        raise BadInputError(f"This is no BGR picture: shape {image.shape}, {image.dtype}.")


MAX_PICTURE_BYTES = 3 * 16384 * 16384
