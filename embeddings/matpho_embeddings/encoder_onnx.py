"""An encoder from a model folder: two ONNX towers and a tokenizer, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matpho_contracts.errors import BadInputError, IntegrityError

from .encoder_pictures import PictureInput, as_input, fitted
from .encoder_words import Words
from .models import ModelCard
from .runtime import Backend, Precision, Session, open_session

BATCH = 16
"""Pictures or sentences a run; more gains nothing on a processor and only costs memory."""


class OnnxEncoder:
    """Implements `Encoder`. Thread-safe: the sessions, the tokenizer and OpenCV's resizing are."""

    def __init__(
        self, card: ModelCard, *, backend: Backend = "auto", threads: int = 1, precision: Precision | None = None
    ) -> None:
        self.name = card.name
        self.version = card.version
        try:
            self.dim = int(card.settings["dim"])
            self._input = _picture_input(card.settings)
            context = int(card.settings["context_length"])
            parts = card.files["image"], card.files["text"], card.files["tokenizer"]
        except (KeyError, TypeError, ValueError) as error:
            raise BadInputError(
                f"The card of {card.name} lacks or garbles {error}.", action="Export the encoder again."
            ) from error
        chosen: Precision = precision or card.settings.get("precision", "float32")
        self._image = open_session(parts[0], backend, threads, precision=chosen)
        self._text = open_session(parts[1], backend, threads, precision=chosen)
        self._words = Words(parts[2], context)
        self._pixels, self._ids = self._image.inputs[0].name, self._text.inputs[0].name

    def encode_images(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, dim) unit vectors of n BGR pictures of any size, each (height, width, 3)."""
        squares = [fitted(image, self._input) for image in images]
        arrays = [as_input(squares[at : at + BATCH], self._input) for at in range(0, len(squares), BATCH)]
        return self._run(self._image, self._pixels, arrays)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, dim) unit vectors of n sentences, Vietnamese or English."""
        arrays = [self._words.ids(texts[at : at + BATCH]) for at in range(0, len(texts), BATCH)]
        return self._run(self._text, self._ids, arrays)

    def _run(self, session: Session, name: str, arrays: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        found = [unit(session.run({name: array})[0]) for array in arrays]
        vectors = np.concatenate(found) if found else np.zeros((0, self.dim), dtype=np.float32)
        if vectors.shape[1] != self.dim:
            raise BadInputError(f"{self.name} gives {vectors.shape[1]} numbers, its card says {self.dim}.")
        return vectors


def unit(vectors: NDArray[Any]) -> NDArray[np.float32]:
    """The (n, dim) vectors at length one. IntegrityError where one is zero or holds no number."""
    plain = np.asarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(plain, axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or (lengths < 1e-12).any():
        raise IntegrityError("The encoder gave a vector without a direction.", action="Export the encoder again.")
    return np.asarray(plain / lengths, dtype=np.float32)


def _picture_input(told: Any) -> PictureInput:
    mean, std = (tuple(float(channel) for channel in told[key]) for key in ("mean", "std"))
    if len(mean) != 3 or len(std) != 3 or min(std) <= 0 or told["fit"] not in ("letterbox", "crop", "squash"):
        raise ValueError("mean, std or fit")
    return PictureInput(int(told["image_size"]), (mean[0], mean[1], mean[2]), (std[0], std[1], std[2]), told["fit"])
