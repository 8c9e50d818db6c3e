"""Opening an index by its settings."""

from __future__ import annotations

from matpho_embeddings.index.contract import VectorIndex
from matpho_embeddings.index.settings import IndexSettings


async def open_index(settings: IndexSettings) -> VectorIndex:
    """The index the settings ask for, ready to search.

    Raises ConfigurationError when it holds other vectors or is in use, UnavailableError when it cannot be reached.
    """
    if settings.kind == "qdrant":
        from matpho_embeddings.index.qdrant import QdrantServerIndex

        return await QdrantServerIndex.open(settings)
    from matpho_embeddings.index.edge import EdgeIndex

    return await EdgeIndex.open(settings)
