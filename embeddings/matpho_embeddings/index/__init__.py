"""The vector index: one contract, Qdrant Edge in its own process on a laptop, a Qdrant server in a province."""

from matpho_embeddings.index.opening import open_index
from matpho_embeddings.index.settings import IndexSettings

__all__ = ["IndexSettings", "open_index"]
