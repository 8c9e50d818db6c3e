"""What event search needs of retrieval; `matpho_embeddings.retrieval.Retriever` is it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from matpho_embeddings.index.contract import Found, IndexFilter


class Ranker(Protocol):
    """Best matches first, within a filter."""

    async def search(self, text: str | None, where: IndexFilter, *, limit: int, offset: int = 0) -> Found:
        """Events that fit words."""

    async def similar(
        self,
        vectors: Mapping[str, NDArray[np.float32]],
        where: IndexFilter,
        *,
        limit: int,
        offset: int = 0,
        exclude: str | None = None,
    ) -> Found:
        """Events that look like given vectors."""
