"""A `.pt` file through ultralytics itself; the library (AGPL-3.0, with torch) is loaded only when such weights come."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from matpho_contracts.errors import BadInputError, ConfigurationError
from matpho_edge.detect import Picture, check_picture
from matpho_edge.detections import Detections


class UltralyticsDetector:
    """YOLO weights as trained. One picture at a time: the library's predictor is not thread-safe."""

    def __init__(self, file: Path, *, threads: int, conf: float, iou: float, renamed: Mapping[str, str]) -> None:
        try:
            import torch
            from ultralytics import YOLO
        except ImportError as error:
            raise ConfigurationError(
                f"{file.name} is a PyTorch file and ultralytics is not installed.",
                action="pip install 'matpho[train]', or give the exported .onnx file, which needs neither.",
            ) from error
        torch.set_num_threads(threads)
        try:
            self._model: Any = YOLO(str(file))
            task, names = self._model.task, self._model.names
        except Exception as error:
            raise BadInputError(f"{file.name} holds no ultralytics weights.", action="Check the file.") from error
        if task != "detect":
            raise BadInputError(f"{file.name} is a model for {task}, not for detection.")
        self.name = file.stem
        self._conf, self._iou = conf, iou
        self._names = {int(key): renamed.get(str(name), str(name)) for key, name in dict(names).items()}
        self.labels = tuple(dict.fromkeys(self._names.values()))
        self._lock = threading.Lock()

    def detect(self, images: Sequence[Picture]) -> list[Detections]:
        """What is in each picture."""
        return [self._one(image) for image in images]

    def _one(self, image: Picture) -> Detections:
        check_picture(image)
        with self._lock:
            result = self._model.predict(image, conf=self._conf, iou=self._iou, verbose=False, device="cpu")[0]
        boxes = np.asarray(result.boxes.xyxyn.cpu().numpy(), dtype=np.float32).reshape(-1, 4)
        scores = np.asarray(result.boxes.conf.cpu().numpy(), dtype=np.float32).reshape(-1)
        classes = result.boxes.cls.cpu().numpy().astype(int).reshape(-1)
        return Detections(np.clip(boxes, 0, 1), tuple(self._names[int(c)] for c in classes), scores)
