"""The contract of a dual encoder: pictures and sentences to unit vectors of one space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Encoder(Protocol):
    """A CLIP-like model. Implementations are thread-safe."""

    @property
    def name(self) -> str:
        """Model name, as events carry it."""

    @property
    def version(self) -> str:
        """Version; vectors of two versions are never compared."""

    @property
    def dim(self) -> int:
        """Numbers in a vector."""

    def encode_images(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, dim) unit vectors of n BGR pictures of any size, each (height, width, 3)."""

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, dim) unit vectors of n sentences, Vietnamese or English."""
