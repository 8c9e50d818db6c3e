"""Merkle trees as RFC 6962 section 2.1 defines them: hashes, inclusion and consistency proofs and their check."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

_LEAF = b"\x00"
_NODE = b"\x01"
_HASH = 32


def leaf_hash(data: bytes) -> bytes:
    """Hash of one entry: SHA-256 of 0x00 and the bytes."""
    return hashlib.sha256(_LEAF + data).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """Hashes of many entries; a loop of its own, as long logs are hashed again and again."""
    sha256 = hashlib.sha256
    return [sha256(b"\x00" + entry).digest() for entry in entries]


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: SHA-256 of 0x01 and both children."""
    return hashlib.sha256(_NODE + left + right).digest()


def _split(size: int) -> int:
    """Largest power of two smaller than `size` (size > 1)."""
    return 1 << ((size - 1).bit_length() - 1)


def root_hash(leaves: Sequence[bytes]) -> bytes:
    """Root over leaf hashes; the empty tree is SHA-256 of nothing."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    middle = _split(len(leaves))
    return node_hash(root_hash(leaves[:middle]), root_hash(leaves[middle:]))


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Sibling hashes from leaf `index` up to the root; raises IndexError outside the tree."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"leaf {index} is not in a tree of {len(leaves)}")
    if len(leaves) == 1:
        return []
    middle = _split(len(leaves))
    if index < middle:
        return [*inclusion_proof(leaves[:middle], index), root_hash(leaves[middle:])]
    return [*inclusion_proof(leaves[middle:], index - middle), root_hash(leaves[:middle])]


def inclusion_proofs(leaves: Sequence[bytes]) -> tuple[bytes, list[list[bytes]]]:
    """The root and every leaf's inclusion proof in one pass of O(n log n) hashes."""
    if len(leaves) <= 1:
        return root_hash(leaves), [[] for _ in leaves]
    middle = _split(len(leaves))
    left, left_paths = inclusion_proofs(leaves[:middle])
    right, right_paths = inclusion_proofs(leaves[middle:])
    paths = [[*path, right] for path in left_paths] + [[*path, left] for path in right_paths]
    return node_hash(left, right), paths


def root_from_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that a leaf and its proof imply (RFC 9162 section 2.1.3.2); raises ValueError for a wrong shape."""
    if not 0 <= index < size:
        raise ValueError("the leaf index lies outside the tree")
    node, last, value = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise ValueError("the proof is longer than the tree is high")
        if node & 1 or node == last:
            value = node_hash(sibling, value)
            while node and not node & 1:
                node >>= 1
                last >>= 1
        else:
            value = node_hash(value, sibling)
        node >>= 1
        last >>= 1
    if last != 0:
        raise ValueError("the proof is shorter than the tree is high")
    return value


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """The subtrees D[first:end] whose roots are the inclusion proof of a leaf, in proof order (RFC 6962, 2.1.1)."""
    if not 0 <= index < size:
        raise ValueError("the leaf index lies outside the tree")
    first, end, found = 0, size, []
    while end - first > 1:
        middle = first + _split(end - first)
        if index < middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((first, middle))
            first = middle
    return found[::-1]


def consistency_ranges(old: int, size: int) -> list[tuple[int, int]]:
    """The subtrees D[first:end] whose roots prove that a tree grew from its first `old` leaves (RFC 6962, 2.1.2)."""
    if not 0 < old <= size:
        raise ValueError("only a tree that has leaves and is not larger can be proven to be the beginning")
    first, end, found = 0, size, []
    while old < end:
        middle = first + _split(end - first)
        if old <= middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((first, middle))
            first = middle
    return ([(first, end)] if first > 0 else []) + found[::-1]


def consistency_proof(leaves: Sequence[bytes], old: int) -> list[bytes]:
    """Hashes that prove that these leaves begin with the first `old` of them; raises ValueError outside the tree."""
    return [root_hash(leaves[first:end]) for first, end in consistency_ranges(old, len(leaves))]


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether a leaf hash is at `index` of the tree of `size` leaves with this root."""
    if not _are_hashes((leaf, root, *path)):
        return False
    try:
        return root_from_inclusion(leaf, index, size, path) == root
    except ValueError:
        return False


def verify_consistency(old: int, size: int, old_root: bytes, root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the tree of `size` leaves grew from that of `old` leaves (RFC 9162 section 2.1.4.2).

    From the empty tree every tree grows, which needs no hashes to prove; its root must be that of nothing.
    """
    if not _are_hashes((old_root, root, *path)) or not 0 <= old <= size:
        return False
    if old == 0:
        return not path and old_root == root_hash(()) and (size > 0 or root == old_root)
    if old == size:
        return not path and old_root == root
    hashes = list(path) if old & (old - 1) else [old_root, *path]
    if not hashes:
        return False
    node, last = old - 1, size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    before = after = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            after = node_hash(after, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and before == old_root and after == root


def _are_hashes(values: Sequence[bytes]) -> bool:
    return all(len(value) == _HASH for value in values)
