"""A growing RFC 6962 tree that keeps only the roots of its full subtrees: appending costs O(log n)."""

from __future__ import annotations

import hashlib

from matpho_contracts.merkle import node_hash


class Frontier:
    """The compact range of a tree, largest subtree first."""

    def __init__(self) -> None:
        self.size = 0
        self._roots: list[tuple[int, bytes]] = []

    def append(self, leaf: bytes) -> None:
        """Add a leaf hash."""
        self.join(0, leaf)

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
