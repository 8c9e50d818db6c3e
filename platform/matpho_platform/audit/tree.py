"""A growing RFC 6962 tree that keeps only the roots of its full subtrees: appending costs O(log n)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from matpho_contracts.merkle import node_hash

_BLOCK_HEIGHT = 8
BLOCK = 1 << _BLOCK_HEIGHT


def full_root(hashes: Sequence[bytes]) -> bytes:
    """The root over a power of two of hashes."""
    sha256, row = hashlib.sha256, list(hashes)
    while len(row) > 1:
        row = [sha256(b"\x01" + left + right).digest() for left, right in zip(row[::2], row[1::2], strict=True)]
    return row[0]


class Frontier:
    """The compact range of a tree, largest subtree first."""

    def __init__(self) -> None:
        self.size = 0
        self._roots: list[tuple[int, bytes]] = []

    def append(self, leaf: bytes) -> None:
        """Add a leaf hash."""
        self.join(0, leaf)

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Add many leaf hashes; aligned blocks of 256 are hashed by themselves, which is faster."""
        at = 0
        while at < len(leaves):
            if self.size % BLOCK == 0 and len(leaves) - at >= BLOCK:
                self.join(_BLOCK_HEIGHT, full_root(leaves[at : at + BLOCK]))
                at += BLOCK
            else:
                self.append(leaves[at])
                at += 1

    def join(self, height: int, value: bytes) -> None:
        """Add a complete subtree of 2**height leaves; the size so far must be a multiple of that (ValueError)."""
        if self.size % (1 << height):
            raise ValueError(f"a subtree of height {height} cannot follow {self.size} leaves")
        self.size += 1 << height
        while self._roots and self._roots[-1][0] == height:
            value = node_hash(self._roots.pop()[1], value)
            height += 1
        self._roots.append((height, value))

    def root(self) -> bytes:
        """The tree's root, equal to `merkle.root_hash` over all leaves."""
        if not self._roots:
            return hashlib.sha256(b"").digest()
        value = self._roots[-1][1]
        for _, left in reversed(self._roots[:-1]):
            value = node_hash(left, value)
        return value

    def copy(self) -> Frontier:
        """An independent copy, for a commit that may fail."""
        other = Frontier()
        other.size, other._roots = self.size, list(self._roots)
        return other
