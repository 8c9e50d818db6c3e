"""The vector index: one contract, Qdrant Edge in its own process on a laptop, a Qdrant server in a province.

The names are looked up when they are first used: the index's own processes start without the settings' libraries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matpho_embeddings.index.opening import open_index
    from matpho_embeddings.index.settings import IndexSettings

__all__ = ["IndexSettings", "open_index"]


def __getattr__(name: str) -> object:
    if name == "IndexSettings":
        from matpho_embeddings.index.settings import IndexSettings

        return IndexSettings
    if name == "open_index":
        from matpho_embeddings.index.opening import open_index

        return open_index
    raise AttributeError(name)
