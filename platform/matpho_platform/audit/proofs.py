"""Proofs out of the published tiles: that an entry is in the log, and that the log only ever grew."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from matpho_contracts import merkle
from matpho_contracts.errors import BadInputError
from matpho_platform.audit.errors import AuditBrokenError
from matpho_platform.audit.tiles import LEVEL_HEIGHT, WIDTH, TileFolder
from matpho_platform.audit.tree import full_root

_KEPT_TILES = 512
_KEPT_ROOTS = 100_000


class _Proof(BaseModel):
    model_config = ConfigDict(frozen=True)


class InclusionProof(_Proof):
    """That the entry `index` is in the tree of `size` entries with this root (hashes as hex)."""

    index: int
    size: int
    root: str
    leaf: str
    path: tuple[str, ...]
    entry: str = ""
    """The entry's canonical text."""


class ConsistencyProof(_Proof):
    """That the tree of `size` entries begins with the tree of `old` entries (hashes as hex)."""

    old: int
    size: int
    old_root: str
    root: str
    path: tuple[str, ...]


class Prover:
    """Reads the tiles of one log; every proof is checked before it goes out."""

    def __init__(self, folder: Path) -> None:
        self._tiles = TileFolder(folder)

    def inclusion(self, index: int, size: int, published: int) -> InclusionProof:
        """Raises BadInputError outside the published tree, AuditBrokenError when the tiles do not fit together."""
        if not 0 <= index < size <= published:
            raise BadInputError(f"Entry {index} of {size} is not in the published tree of {published} entries.")
        reader = _Reader(self._tiles, published)
        leaf = reader.subtree(index, index + 1)
        path = [reader.subtree(*span) for span in merkle.inclusion_ranges(index, size)]
        root = reader.subtree(0, size)
        if not merkle.verify_inclusion(leaf, index, size, path, root):
            raise AuditBrokenError("The tiles do not prove what they hold.")
        return InclusionProof(
            index=index, size=size, root=root.hex(), leaf=leaf.hex(), path=tuple(step.hex() for step in path)
        )

    def walk(self, size: int) -> Walk:
        """Proofs of many entries of the published tree of `size`."""
        return Walk(self._tiles, size)

    def consistency(self, old: int, size: int, published: int) -> ConsistencyProof:
        """Raises BadInputError outside the published tree, AuditBrokenError when the tiles do not fit together."""
        if not 0 < old <= size <= published:
            raise BadInputError(f"{old} and {size} are no sizes of the published tree of {published} entries.")
        reader = _Reader(self._tiles, published)
        path = [reader.subtree(*span) for span in merkle.consistency_ranges(old, size)]
        old_root, root = reader.subtree(0, old), reader.subtree(0, size)
        if not merkle.verify_consistency(old, size, old_root, root, path):
            raise AuditBrokenError("The tiles do not prove what they hold.")
        return ConsistencyProof(
            old=old, size=size, old_root=old_root.hex(), root=root.hex(), path=tuple(step.hex() for step in path)
        )


class Walk:
    """Inclusion proofs of many entries of one published tree; tiles are read once, and only the latest are kept."""

    def __init__(self, tiles: TileFolder, size: int) -> None:
        self.size = size
        self._reader = _Reader(tiles, size)

    def path(self, index: int) -> list[bytes]:
        """The proof of an entry."""
        return [self._reader.subtree(*span) for span in merkle.inclusion_ranges(index, self.size)]


class _Reader:
    """Roots of subtrees of a published tree; reads each tile once."""

    def __init__(self, tiles: TileFolder, published: int) -> None:
        self._tiles = tiles
        self._published = published
        self._seen: dict[tuple[int, int], list[bytes]] = {}
        self._roots: dict[tuple[int, int], bytes] = {}

    def subtree(self, first: int, end: int) -> bytes:
        """The root over D[first:end]; `first` is a multiple of the largest power of two that fits in between."""
        count = end - first
        if count == 0:
            return merkle.root_hash(())
        if count & (count - 1) == 0:
            return self._complete(first, count.bit_length() - 1)
        middle = first + (1 << ((count - 1).bit_length() - 1))
        return merkle.node_hash(self.subtree(first, middle), self.subtree(middle, end))

    def _complete(self, first: int, height: int) -> bytes:
        """The root of 2**height leaves: some hashes of one tile, hashed together."""
        if (first, height) not in self._roots:
            level, rest = divmod(height, LEVEL_HEIGHT)
            number, offset = divmod(first >> (LEVEL_HEIGHT * level), WIDTH)
            if len(self._roots) > _KEPT_ROOTS:
                self._roots.clear()
            self._roots[first, height] = full_root(self._tile(level, number)[offset : offset + (1 << rest)])
        return self._roots[first, height]

    def _tile(self, level: int, number: int) -> list[bytes]:
        if (level, number) not in self._seen:
            if len(self._seen) > _KEPT_TILES:
                self._seen.clear()
            count = self._published >> (LEVEL_HEIGHT * level)
            hashes = self._tiles.read(level, number, min(WIDTH, count - number * WIDTH))
            if hashes is None:
                raise AuditBrokenError("A tile of the published tree is missing.", action="Publish again.")
            self._seen[(level, number)] = hashes
        return self._seen[(level, number)]
