"""Proofs: three verifiers written apart from each other agree on every case, also on those that must not pass.

One is ours (the rounds of RFC 9162), one the auditor's script, one here, recursive as RFC 6962 defines the proofs.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from matpho_contracts import merkle
from matpho_contracts.merkle import consistency_proof, inclusion_proof, leaf_hash, node_hash, root_hash
from matpho_platform.audit.offline import VERIFIER, verify_audit

LEAVES = [leaf_hash(number.to_bytes(2, "big")) for number in range(301)]
ROOTS = [root_hash(LEAVES[:size]) for size in range(len(LEAVES) + 1)]
EMPTY = hashlib.sha256(b"").digest()
TO = 65

Inclusion = Callable[[bytes, int, int, Sequence[bytes], bytes], bool]
Consistency = Callable[[int, int, bytes, bytes, Sequence[bytes]], bool]


class WrongShapeError(Exception):
    pass


def split(size: int) -> int:
    half = 1
    while half * 2 < size:
        half *= 2
    return half


def recursive_root(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    if size == 1:
        if path:
            raise WrongShapeError
        return leaf
    if not path:
        raise WrongShapeError
    left = split(size)
    if index < left:
        return node_hash(recursive_root(leaf, index, left, path[:-1]), path[-1])
    return node_hash(path[-1], recursive_root(leaf, index - left, size - left, path[:-1]))


def recursive_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    if not 0 <= index < size or {len(one) for one in (leaf, root, *path)} != {32}:
        return False
    try:
        return recursive_root(leaf, index, size, path) == root
    except WrongShapeError:
        return False


def recursive_roots(old: int, size: int, path: Sequence[bytes], known: bytes | None) -> tuple[bytes, bytes]:
    """Both roots that a consistency proof implies; `known` is the old root while the old tree is a whole subtree."""
    if old == size:
        if known is not None:
            if path:
                raise WrongShapeError
            return known, known
        if len(path) != 1:
            raise WrongShapeError
        return path[0], path[0]
    if not path:
        raise WrongShapeError
    left = split(size)
    if old <= left:
        before, after = recursive_roots(old, left, path[:-1], known)
        return before, node_hash(after, path[-1])
    before, after = recursive_roots(old - left, size - left, path[:-1], None)
    return node_hash(path[-1], before), node_hash(path[-1], after)


def recursive_consistency(old: int, size: int, old_root: bytes, root: bytes, path: Sequence[bytes]) -> bool:
    if not 0 <= old <= size or {len(one) for one in (old_root, root, *path)} != {32}:
        return False
    if old == 0:
        return not path and old_root == EMPTY and (size != 0 or root == EMPTY)
    try:
        return recursive_roots(old, size, path, old_root) == (old_root, root)
    except WrongShapeError:
        return False


def agreed_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    said = {
        verifier(leaf, index, size, path, root)
        for verifier in (merkle.verify_inclusion, verify_audit.inclusion_holds, recursive_inclusion)
    }
    assert len(said) == 1, (index, size, len(path))
    return said.pop()


def agreed_consistency(old: int, size: int, old_root: bytes, root: bytes, path: Sequence[bytes]) -> bool:
    said = {
        verifier(old, size, old_root, root, path)
        for verifier in (merkle.verify_consistency, verify_audit.consistency_holds, recursive_consistency)
    }
    assert len(said) == 1, (old, size, len(path))
    return said.pop()


@pytest.mark.parametrize("size", range(1, TO + 1))
def test_every_leaf_of_every_tree_is_proven(size: int) -> None:
    for index in range(size):
        path = inclusion_proof(LEAVES[:size], index)
        assert agreed_inclusion(LEAVES[index], index, size, path, ROOTS[size])
        assert path == [root_hash(LEAVES[first:end]) for first, end in merkle.inclusion_ranges(index, size)]


@pytest.mark.parametrize("size", range(1, TO + 1))
def test_every_tree_is_proven_to_be_the_beginning_of_every_larger_one(size: int) -> None:
    for old in range(1, size + 1):
        path = consistency_proof(LEAVES[:size], old)
        assert agreed_consistency(old, size, ROOTS[old], ROOTS[size], path)
        assert (path == []) == (old == size)
    assert agreed_consistency(0, size, EMPTY, ROOTS[size], [])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 33, 64, TO])
def test_a_wrong_inclusion_proof_does_not_pass(size: int) -> None:
    for index in range(size):
        leaf, path, root = LEAVES[index], inclusion_proof(LEAVES[:size], index), ROOTS[size]
        wrong = [
            (leaf, index, size, [*path, root], root),
            (leaf, index, size, [root, *path], root),
            (leaf, index, size, [*path, b""], root),
            (leaf, index, size, [*path, *path], root) if path else (leaf, size, size, path, root),
            (leaf, index, size, path[:-1], root) if path else (leaf, index, 0, path, root),
            (leaf, index, size, path[1:], root) if path else (leaf, -1, size, path, root),
            (leaf, index, size, path[::-1], root) if path[::-1] != path else (leaf, index, -1, path, root),
            (leaf, index + size, size, path, root),
            (leaf, -1 - index, size, path, root),
            (LEAVES[-1], index, size, path, root),
            (b"", index, size, path, root),
            (leaf, index, size, path, b""),
            (leaf, index, size, path, EMPTY),
            (leaf, index, size, [EMPTY] * len(path), root) if path else (EMPTY, index, size, path, root),
            (leaf, index, size, [step[:31] for step in path], root) if path else (leaf[:31], index, size, path, root),
        ]
        for case in wrong:
            assert not agreed_inclusion(*case), (index, size)


@pytest.mark.parametrize("size", [2, 3, 7, 8, 33, 64, TO])
def test_a_wrong_consistency_proof_does_not_pass(size: int) -> None:
    for old in range(1, size):
        path, old_root, root = consistency_proof(LEAVES[:size], old), ROOTS[old], ROOTS[size]
        wrong = [
            (old, size, old_root, root, [*path, root]),
            (old, size, old_root, root, [old_root, *path]),
            (old, size, old_root, root, [*path, b""]),
            (old, size, old_root, root, path[:-1]),
            (old, size, old_root, root, []),
            (old, size, root, old_root, path),
            (old, size, EMPTY, root, path),
            (old, size, old_root, EMPTY, path),
            (old, size, b"", root, path),
            (old, size, old_root, b"", path),
            (size, old, old_root, root, path),
            (-old, size, old_root, root, path),
            (0, size, old_root, root, path),
            (old, size, old_root, root, [EMPTY] * len(path)),
            (old, old, old_root, old_root, path),
        ]
        for case in wrong:
            assert not agreed_consistency(*case), (old, size)


@pytest.mark.parametrize(
    ("case", "holds"),
    [
        ((0, 0, EMPTY, EMPTY, []), True),
        ((0, 0, EMPTY, EMPTY, [EMPTY]), False),
        ((0, 0, EMPTY, ROOTS[1], []), False),
        ((0, 1, EMPTY, ROOTS[1], []), True),
        ((0, 1, ROOTS[1], ROOTS[1], []), False),
        ((0, 1, b"", ROOTS[1], []), False),
        ((0, 5, EMPTY, ROOTS[5], [ROOTS[1]]), False),
        ((1, 1, ROOTS[1], ROOTS[1], []), True),
        ((1, 1, ROOTS[1], ROOTS[1], [ROOTS[1]]), False),
        ((1, 1, ROOTS[1], ROOTS[2], []), False),
        ((1, 0, ROOTS[1], EMPTY, []), False),
        ((2, 1, ROOTS[2], ROOTS[1], []), False),
    ],
)
def test_empty_and_equal_trees(case: tuple[int, int, bytes, bytes, list[bytes]], holds: bool) -> None:
    assert agreed_consistency(*case) is holds


def test_nothing_is_in_the_empty_tree() -> None:
    for root in (EMPTY, LEAVES[0], b""):
        for leaf in (EMPTY, LEAVES[0], b""):
            assert not agreed_inclusion(leaf, 0, 0, [], root)
            assert not agreed_inclusion(leaf, 0, 0, [EMPTY], root)
    with pytest.raises(ValueError, match="outside"):
        merkle.inclusion_ranges(0, 0)
    with pytest.raises(ValueError, match="beginning"):
        merkle.consistency_ranges(0, 5)


def test_hashes_of_the_definition() -> None:
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert EMPTY.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert node_hash(b"", b"") == hashlib.sha256(b"\x01").digest()


def differ(trials: int, seed: int) -> int:
    """Random proofs, half of them changed; how many held. The verifiers must agree on each."""
    dice, held = random.Random(seed), 0
    paths: dict[tuple[str, int, int], list[bytes]] = {}
    for _ in range(trials):
        size = dice.randint(0, 300)
        kind = dice.choice(("inclusion", "consistency"))
        at = dice.randint(0, max(0, size - 1)) if kind == "inclusion" else dice.randint(0, size)
        if (kind, at, size) not in paths:
            usable = at < size if kind == "inclusion" else 0 < at <= size
            made = inclusion_proof if kind == "inclusion" else consistency_proof
            paths[kind, at, size] = made(LEAVES[:size], at) if usable else []
        path, root, leaf, old_root = list(paths[kind, at, size]), ROOTS[size], LEAVES[at], ROOTS[at]
        if dice.random() < 0.5:
            change = dice.randrange(8)
            pool = [EMPTY, root, leaf, old_root, b"", dice.choice(LEAVES), *path]
            if change == 0 and path:
                path[dice.randrange(len(path))] = dice.choice(pool)
            elif change == 1 and path:
                del path[dice.randrange(len(path))]
            elif change == 2:
                path.insert(dice.randint(0, len(path)), dice.choice(pool))
            elif change == 3:
                dice.shuffle(path)
            elif change == 4:
                at += dice.choice((-1, 1, 2, size))
            elif change == 5:
                size += dice.choice((-2, -1, 1, 2, 256))
            elif change == 6:
                root = dice.choice(pool)
            else:
                leaf = old_root = dice.choice(pool)
        if kind == "inclusion":
            held += agreed_inclusion(leaf, at, size, path, root)
        else:
            held += agreed_consistency(at, size, old_root, root, path)
    return held


def test_verifiers_agree_on_random_proofs() -> None:
    held = differ(12_000, 1)
    assert 4_000 < held < 9_000


@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_verifiers_agree_on_a_million_random_proofs() -> None:
    held = differ(1_000_000, 2)
    print(f"1,000,000 proofs, {held} held, 0 disagreements")
    assert held > 300_000


class TestSignatures:
    """The script's Ed25519 against a library's."""

    def test_agrees_with_the_library(self) -> None:
        from matpho_contracts.signing import SigningKey

        dice = random.Random(3)
        for _ in range(6):
            key = SigningKey.generate()
            message = dice.randbytes(dice.randrange(200))
            signature = key.sign(message)
            assert verify_audit.signed_by(key.public.raw, message, signature)
            assert not verify_audit.signed_by(key.public.raw, message + b"x", signature)
            place = dice.randrange(64)
            bent = signature[:place] + bytes([signature[place] ^ 1 << dice.randrange(8)]) + signature[place + 1 :]
            assert not verify_audit.signed_by(key.public.raw, message, bent)

    def test_the_first_vector_of_rfc_8032(self) -> None:
        public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
        signature = bytes.fromhex(
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
            "d25bf5f0595bbe24655141438e7a100b"
        )
        assert verify_audit.signed_by(public, b"", signature)

    def test_what_is_no_signature(self) -> None:
        from matpho_contracts.signing import SigningKey

        key = SigningKey.generate()
        signature = key.sign(b"m")
        scalar = int.from_bytes(signature[32:], "little")
        again = signature[:32] + (scalar + verify_audit.L).to_bytes(32, "little")
        identity = (1).to_bytes(32, "little")
        for public, wrong in (
            (key.public.raw, again),
            (key.public.raw, signature[:63]),
            (key.public.raw, signature + b"\0"),
            (key.public.raw[:31], signature),
            (identity, identity + bytes(32)),
            (b"\xff" * 32, signature),
            ((2**255 - 19 + 1).to_bytes(32, "little"), signature),
        ):
            assert not verify_audit.signed_by(public, b"m", wrong)


def test_the_script_stands_alone() -> None:
    import ast
    import sys

    names = set()
    for node in ast.walk(ast.parse(Path(VERIFIER).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    assert {name.partition(".")[0] for name in names} <= set(sys.stdlib_module_names)
