"""Any open_clip model as an encoder, run by torch: for trying weights before they are exported."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matpho_contracts.errors import BadInputError

from .encoder_onnx import BATCH, unit
from .encoder_pictures import PictureInput, as_input, fitted
from .training.extra import need


class OpenClipEncoder:
    """Implements `Encoder` for `open_clip:<model>/<pretrained>`; `pretrained` is one of its tags, a file, or empty.

    An empty tag means random weights, good for tests alone. One call runs at a time. ConfigurationError without the
    extra `train`, BadInputError for a model or tag that open_clip does not know or cannot fetch.
    """

    def __init__(self, model: str, pretrained: str = "", *, threads: int = 1) -> None:
        open_clip, self._torch = need("open_clip"), need("torch")
        self._torch.set_num_threads(threads)
        try:
            self._model = open_clip.create_model(model, pretrained=pretrained or None).eval()
            self._tokenize = open_clip.get_tokenizer(model)
        except Exception as error:
            raise BadInputError(
                f"open_clip cannot load {model} with {pretrained or 'no weights'}: {error}.",
                action="See open_clip.list_pretrained(), or give the path of a checkpoint.",
            ) from error
        self.name = f"open_clip-{model}"
        self.version = Path(pretrained).stem if pretrained else "untrained"
        self._input = open_clip_input(self._model)
        self._lock = threading.Lock()
        self.dim = int(self.encode_texts(["a"]).shape[1])

    def encode_images(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, dim) unit vectors of n BGR pictures of any size, each (height, width, 3)."""
        squares = [fitted(image, self._input) for image in images]
        parts = [
            self._run(self._model.encode_image, as_input(squares[at : at + BATCH], self._input))
            for at in range(0, len(squares), BATCH)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, self.dim), dtype=np.float32)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, dim) unit vectors of n sentences, in the languages the model was trained on."""
        parts = [
            self._run(self._model.encode_text, self._tokenize(list(texts[at : at + BATCH])).numpy())
            for at in range(0, len(texts), BATCH)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, self.dim), dtype=np.float32)

    def _run(self, tower: Any, array: NDArray[Any]) -> NDArray[np.float32]:
        with self._lock, self._torch.no_grad():
            return unit(tower(self._torch.from_numpy(array)).float().numpy())


def open_clip_input(model: Any) -> PictureInput:
    """How an open_clip model wants its pictures; one that names no middle cut or stretching is cut to the middle."""
    size = model.visual.image_size
    told = dict(getattr(model.visual, "preprocess_cfg", {}) or {})
    mean = tuple(told.get("mean") or (0.48145466, 0.4578275, 0.40821073))
    std = tuple(told.get("std") or (0.26862954, 0.26130258, 0.27577711))
    fit = {"squash": "squash", "longest": "letterbox"}.get(str(told.get("resize_mode")), "crop")
    side = int(size[0] if isinstance(size, (tuple, list)) else size)
    return PictureInput(side, mean, std, fit)  # type: ignore[arg-type]  # values of a foreign dictionary
