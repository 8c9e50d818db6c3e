"""Verify an export of a Matpho audit log: python verify_audit.py EXPORT.zip [--key KEY] [--witness FILE] [--find TEXT].

One file, Python 3.10 or newer, nothing to install, no network. It checks, by hashing everything again:

1 the export's list of files is signed by the log's key, and every file is the one that was listed;
2 the checkpoint (a C2SP signed note: log name, number of entries, RFC 6962 root) is signed by the same key;
3 every entry is in the tree of that checkpoint: by its inclusion proof, or, in a complete export, by the whole tree;
4 every head that a witness kept is a beginning of the same log (consistency proofs, RFC 9162).

The key comes out of the export itself unless --key names the one you were given by another way: without it a forger
could have put in a key of their own. Exit code 0: all holds. 1: something does not. 2: this is no export.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

MAX_FILE = 4 * 1024**3
MAX_SMALL = 1024 * 1024
MAX_LINE = 256 * 1024
MAX_PATH = 64
DASH = "\u2014"


class BrokenError(Exception):
    """Something that must hold does not."""


class NoExportError(Exception):
    """This is not an export that can be read at all."""


# ---------------------------------------------------------------- Ed25519, verification only (RFC 8032, section 5.1.7)

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
Point = tuple[int, int, int, int]  # extended coordinates X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z
ZERO: Point = (0, 1, 1, 0)


def add(a: Point, b: Point) -> Point:
    """The sum of two points."""
    e = (a[1] - a[0]) * (b[1] - b[0]) % P
    f = (a[1] + a[0]) * (b[1] + b[0]) % P
    g = 2 * a[3] * b[3] * D % P
    h = 2 * a[2] * b[2] % P
    i, j, k, m = f - e, h - g, h + g, f + e
    return (i * j % P, k * m % P, j * k % P, i * m % P)


def times(factor: int, point: Point) -> Point:
    """A multiple of a point; not in constant time, which verifying does not need."""
    result = ZERO
    while factor:
        if factor & 1:
            result = add(result, point)
        point = add(point, point)
        factor >>= 1
    return result


def recover_x(y: int, odd: int) -> int | None:
    """The x of the point with this y and sign; None when there is none."""
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P or (x == 0 and odd):
        return None
    return P - x if x & 1 != odd else x


def decode(data: bytes) -> Point | None:
    """A point from its 32 bytes; None when they are not the canonical bytes of one."""
    number = int.from_bytes(data, "little")
    y, odd = number & ((1 << 255) - 1), number >> 255
    x = recover_x(y, odd) if y < P else None
    return None if x is None else (x, y, 1, x * y % P)


def encode(point: Point) -> bytes:
    """The 32 bytes of a point."""
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = recover_x(BASE_Y, 0) or 0
BASE: Point = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def signed_by(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is the key's over `message`."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, scalar = decode(public), int.from_bytes(signature[32:], "little")
    if key is None or scalar >= L or encode(times(8, key)) == encode(ZERO):
        return False
    digest = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    minus_key = (P - key[0], key[1], 1, P - key[3])
    return encode(add(times(scalar, BASE), times(digest, minus_key))) == signature[:32]


# ---------------------------------------------------------------- Merkle tree (RFC 6962 hashing, RFC 9162 proofs)


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a pair."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """The root over leaves as they come."""

    def __init__(self) -> None:
        self.size = 0
        self.peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """The next leaf: as many pairs close as its number has ones at the end."""
        number = self.size
        while number & 1:
            leaf = node_hash(self.peaks.pop(), leaf)
            number >>= 1
        self.peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The root over what came so far."""
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        value = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            value = node_hash(peak, value)
        return value


def inclusion_holds(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """RFC 9162, section 2.1.3.2."""
    if not 0 <= index < size or any(len(value) != 32 for value in (leaf, root, *path)):
        return False
    fn, sn, value = index, size - 1, leaf
    for step in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            value = node_hash(step, value)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            value = node_hash(value, step)
        fn >>= 1
        sn >>= 1
    return sn == 0 and value == root


def consistency_holds(old: int, size: int, old_root: bytes, root: bytes, path: Sequence[bytes]) -> bool:
    """RFC 9162, section 2.1.4.2; every tree grows from the empty one."""
    if not 0 <= old <= size or any(len(value) != 32 for value in (old_root, root, *path)):
        return False
    if old == 0:
        empty = hashlib.sha256(b"").digest()
        return not path and old_root == empty and (size > 0 or root == empty)
    if old == size:
        return not path and old_root == root
    steps = list(path)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    fn, sn = old - 1, size - 1
    while fn & 1:
        fn >>= 1
        sn >>= 1
    first = second = steps[0]
    for step in steps[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            first, second = node_hash(step, first), node_hash(step, second)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            second = node_hash(second, step)
        fn >>= 1
        sn >>= 1
    return sn == 0 and first == old_root and second == root


# ---------------------------------------------------------------- notes


class Key:
    """A verifier key: name+id+base64(1, public key)."""

    def __init__(self, text: str) -> None:
        try:
            self.name, identity, encoded = text.strip().split("+", 2)
            data = base64.b64decode(encoded, validate=True)
        except ValueError:
            raise NoExportError("the key is not written as name+id+key") from None
        self.text, self.public = text.strip(), data[1:]
        self.identity = hashlib.sha256(self.name.encode() + b"\n" + data).digest()[:4]
        if len(data) != 33 or data[0] != 1 or self.identity.hex() != identity:
            raise NoExportError("the key is no Ed25519 key, or its id does not fit")


def open_note(note: bytes, key: Key) -> tuple[str, int, bytes]:
    """Log name, size and root of a checkpoint that `key` signed."""
    text, blank, under = note.decode("utf-8", "strict").rpartition("\n\n")
    text += "\n"
    good = False
    for line in under.split("\n")[:-1]:
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] != DASH:
            raise BrokenError("the checkpoint has a line that is no signature")
        data = base64.b64decode(parts[2], validate=True)
        if parts[1] == key.name and data[:4] == key.identity:
            if not signed_by(key.public, text.encode(), data[4:]):
                raise BrokenError("the signature under the checkpoint does not fit")
            good = True
    if not blank or not good:
        raise BrokenError("the checkpoint is not signed by the log's key")
    return read_head(text)


def read_head(text: str) -> tuple[str, int, bytes]:
    """Log name, size and root out of a checkpoint's lines."""
    lines = text.split("\n")
    if len(lines) < 4 or not lines[1].isdigit():
        raise BrokenError("the checkpoint is not written as one")
    root = base64.b64decode(lines[2], validate=True)
    if len(root) != 32:
        raise BrokenError("the checkpoint's root is no hash")
    return lines[0], int(lines[1]), root


# ---------------------------------------------------------------- the export


class Export:
    """An export, opened."""

    def __init__(self, path: str, pinned: str | None) -> None:
        try:
            self.archive = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile) as error:
            raise NoExportError(f"{path} cannot be opened: {error}") from None
        names = self.archive.namelist()
        if len(set(names)) != len(names):
            raise BrokenError("the export holds two files of one name")
        self.manifest_bytes = self.small("manifest.json")
        self.manifest: dict[str, Any] = json.loads(self.manifest_bytes)
        self.key = Key(pinned or self.small("log.key").decode())
        self.pinned = pinned is not None

    def small(self, name: str) -> bytes:
        """A file of the export that may not be large."""
        try:
            with self.archive.open(name) as file:
                data = file.read(MAX_SMALL + 1)
        except KeyError:
            raise NoExportError(f"{name} is missing") from None
        if len(data) > MAX_SMALL:
            raise NoExportError(f"{name} is too large")
        return data

    def check_files(self) -> None:
        """1: the signed list of files, and the files."""
        signature = bytes.fromhex(self.small("manifest.sig").decode().strip())
        if self.manifest.get("context") != "matpho-audit-export-v1":
            raise NoExportError("the manifest is not one of an audit export")
        if not signed_by(self.key.public, self.manifest_bytes, signature):
            raise BrokenError("the list of files is not signed by the log's key")
        listed: dict[str, str] = self.manifest["files"]
        there = set(self.archive.namelist()) - {"manifest.json", "manifest.sig"}
        for name in sorted(there.symmetric_difference(listed)):
            raise BrokenError(f"{name} is in the export or in its list, not in both")
        for name, digest in sorted(listed.items()):
            if self.digest(name) != digest:
                raise BrokenError(f"{name} is not the file that was exported")

    def digest(self, name: str) -> str:
        """The SHA-256 of a file."""
        found, left = hashlib.sha256(), MAX_FILE
        with self.archive.open(name) as file:
            for block in iter(lambda: file.read(1 << 20), b""):
                left -= len(block)
                if left < 0:
                    raise NoExportError(f"{name} is too large")
                found.update(block)
        return found.hexdigest()

    def entries(self) -> Iterator[tuple[int, str, list[bytes] | None]]:
        """Each entry: its index, its text, its inclusion proof (None in a complete export)."""
        with self.archive.open("entries.jsonl") as file:
            for line in iter(lambda: file.readline(MAX_LINE + 1), b""):
                if len(line) > MAX_LINE:
                    raise BrokenError("an entry is too long")
                document = json.loads(line)
                path = document.get("path")
                if path is not None and len(path) > MAX_PATH:
                    raise BrokenError("a proof is too long")
                steps = None if path is None else [base64.b64decode(step, validate=True) for step in path]
                yield int(document["index"]), str(document["entry"]), steps


def check(export: Export, witnesses: Sequence[bytes], find: str | None) -> dict[str, Any]:
    """2, 3, 4; returns what was found out. Raises BrokenError at the first thing that does not hold."""
    export.check_files()
    name, size, root = open_note(export.small("checkpoint"), export.key)
    if (name, size) != (export.manifest["log"], export.manifest["size"]) or name != export.key.name:
        raise BrokenError("the checkpoint is not the one that the export names")
    complete, count, last = bool(export.manifest["complete"]), 0, -1
    heads = [open_note(note, export.key) for note in witnesses]
    wanted = {head[1]: head[2] for head in heads}
    tree, seen, found = Tree(), {0: Tree().root(), size: root}, []
    for index, text, path in export.entries():
        leaf = leaf_hash(text.encode())
        if index <= last:
            raise BrokenError(f"entry {index} stands behind entry {last}")
        if complete:
            if index != tree.size or path is not None:
                raise BrokenError(f"entry {tree.size} is missing")
            tree.add(leaf)
            if tree.size in wanted:
                seen[tree.size] = tree.root()
        elif path is None or not inclusion_holds(leaf, index, size, path, root):
            raise BrokenError(f"entry {index} is not in the log that was signed")
        count, last = count + 1, index
        if find is not None and find in text:
            found.append((index, text))
    if count != export.manifest["entries"]:
        raise BrokenError(f"the export lists {export.manifest['entries']} entries and holds {count}")
    if complete and (tree.size, tree.root()) != (size, root):
        raise BrokenError("the entries do not hash to the root that was signed")
    proven = check_witnesses(export, heads, seen, name, size, root)
    return {"log": name, "size": size, "root": root.hex(), "entries": count, "witnessed": proven, "found": found}


def check_witnesses(
    export: Export, heads: Sequence[tuple[str, int, bytes]], seen: dict[int, bytes], name: str, size: int, root: bytes
) -> list[int]:
    """4: each head that a witness kept is a beginning of this log; returns their sizes."""
    proofs: dict[int, dict[str, Any]] = {}
    inside: list[tuple[str, int, bytes]] = []
    for file in export.archive.namelist():
        if file.startswith("witnesses/") and file.endswith(".json"):
            proof = json.loads(export.small(file))
            proofs[int(proof["old"])] = proof
            inside.append((name, int(proof["old"]), bytes.fromhex(proof["old_root"])))
    proven = []
    for origin, old, old_root in [*heads, *inside]:
        if origin != name:
            raise BrokenError("a witness's checkpoint is of another log")
        if old > size:
            raise BrokenError(f"a witness saw {old} entries; this export knows of {size}")
        if old in seen:
            holds = seen[old] == old_root
        elif old in proofs:
            steps = [bytes.fromhex(step) for step in proofs[old]["path"]]
            holds = consistency_holds(old, size, old_root, root, steps)
        else:
            raise BrokenError(
                f"the export holds no proof from the {old} entries of a witness; export it with --witness"
            )
        if not holds:
            raise BrokenError(f"the first {old} entries are not those that a witness saw")
        proven.append(old)
    return sorted(set(proven))


def read_small(path: str) -> bytes:
    """A small file of the auditor's."""
    with Path(path).open("rb") as file:
        return file.read(MAX_SMALL)


def main(arguments: Sequence[str]) -> int:
    """Run from the command line."""
    reader = argparse.ArgumentParser(description="Verify an export of a Matpho audit log.")
    reader.add_argument("export")
    reader.add_argument("--key", help="the log's key as you were given it (name+id+key), not the export's own")
    reader.add_argument("--witness", action="append", default=[], help="a checkpoint that you kept")
    reader.add_argument("--find", help="show the entries that hold this text")
    reader.add_argument("--json", action="store_true", help="one JSON object")
    given = reader.parse_args(arguments)
    try:
        witnesses = [read_small(path) for path in given.witness]
        export = Export(given.export, given.key)
        report = check(export, witnesses, given.find)
    except (BrokenError, UnicodeDecodeError) as error:
        print(json.dumps({"holds": False, "problem": str(error)}) if given.json else f"BROKEN / SAI LỆCH: {error}")
        return 1
    except Exception as error:  # however the bytes are damaged: what cannot be read is no export
        print(json.dumps({"holds": False, "problem": f"no export: {error}"}) if given.json else f"NO EXPORT: {error}")
        return 2
    if given.json:
        print(json.dumps({"holds": True, "key": export.key.text, "key_given": export.pinned, **report}))
        return 0
    for index, text in report["found"]:
        print(f"{index}\t{text}")
    print("ALL HOLDS / TOÀN VẸN")
    print(f"log / nhật ký:      {report['log']} ({report['size']} entries, root {report['root']})")
    print(f"entries / mục:      {report['entries']}")
    print(f"witnesses / nhân chứng: {', '.join(map(str, report['witnessed'])) or '-'}")
    print(f"key / khóa:         {export.key.text}")
    if not export.pinned:
        print("The key came out of the export: compare it with the one you were given, or pass --key.")
        print("Khóa lấy từ chính gói này: hãy so với khóa bạn được giao, hoặc dùng --key.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
