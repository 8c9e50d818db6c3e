"""The index of a world, opened once and lent to each conversation: none brings in events, so none changes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matpho_embeddings.index import IndexSettings, open_index
from matpho_embeddings.index.contract import Found, IndexFilter, Point, Query, VectorIndex


class LentIndex:
    """An index that is read only, and that stays open when a center that it was lent to lets go of it."""

    def __init__(self, index: VectorIndex) -> None:
        self._index = index

    @classmethod
    async def open(cls, folder: Path, dim: int) -> LentIndex:
        """The index kept in a folder; raises what opening an index raises."""
        return cls(await open_index(IndexSettings(kind="edge", dim=dim, path=folder)))

    async def upsert(self, points: Sequence[Point]) -> None:
        """Raises RuntimeError: the next conversation would see what this one did."""
        raise RuntimeError(f"a conversation would change the index of its world ({len(points)} points)")

    async def delete(self, ids: Sequence[str]) -> None:
        """As `upsert`."""
        raise RuntimeError(f"a conversation would change the index of its world ({len(ids)} points)")

    async def search(self, query: Query, where: IndexFilter, *, limit: int, offset: int = 0) -> Found:
        """As the index itself."""
        return await self._index.search(query, where, limit=limit, offset=offset)

    async def count(self, where: IndexFilter) -> int:
        """As the index itself."""
        return await self._index.count(where)

    async def vectors(self, point_id: str) -> Mapping[str, NDArray[np.float32]] | None:
        """As the index itself."""
        return await self._index.vectors(point_id)

    async def close(self) -> None:
        """Nothing: whoever lent it takes it back."""

    async def take_back(self) -> None:
        """Close the index itself."""
        await self._index.close()
