"""Checks a package of evidence with nothing but Python: `python3 verify.py PACKAGE.zip [--key HEX]`.

Kiểm tra gói bằng chứng chỉ bằng Python, không cần mạng.

1 the archive has its one canonical form, byte for byte
2 the manifest is signed by the center's key (give `--key`, as you know it from elsewhere)
3 every file is in the manifest with its SHA-256, and none is missing or extra
4 every event is what its box signed: bytes, inclusion proof, signature; its still is the one that the event names
5 the center's audit log holds this manifest: entry, inclusion proof, signed checkpoint

Take this program from the center or an auditor rather than from a package that you doubt.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"
ENTRY = "audit/entry.json"
PROOF = "audit/proof.json"
CHECKPOINT = "audit/checkpoint.txt"
OUTSIDE = {MANIFEST, SIGNATURE, ENTRY, PROOF, CHECKPOINT}
"""Files that cannot stand in the manifest, because they speak of it."""
EPOCH = (1980, 1, 1, 0, 0, 0)
CHUNK = 1 << 20
MAX_JSON = 16 * 1024 * 1024
MAX_FILES = 200


# Ed25519, RFC 8032 section 5.1.7, in extended homogeneous coordinates.
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]
NEUTRAL: Point = (0, 1, 1, 0)


def _add(a: Point, b: Point) -> Point:
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    left, right, low, high = f - e, h - g, h + g, f + e
    return (left * right % P, low * high % P, right * low % P, left * high % P)


def _times(scalar: int, point: Point) -> Point:
    total = NEUTRAL
    while scalar:
        if scalar & 1:
            total = _add(total, point)
        point, scalar = _add(point, point), scalar >> 1
    return total


def _decode(raw: bytes) -> Point | None:
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P)


_BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = _decode(_BASE_Y.to_bytes(32, "little"))


def signed(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an Ed25519 signature fits."""
    if len(key) != 32 or len(signature) != 64 or BASE is None:
        return False
    public, commitment = _decode(key), _decode(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if public is None or commitment is None or scalar >= ORDER:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
    left, right = _times(scalar, BASE), _add(commitment, _times(challenge, public))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


def root_of(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The Merkle root that a leaf and its proof imply (RFC 9162 section 2.1.3.2); None for a wrong shape."""
    if not 0 <= index < size:
        return None
    node, last, value = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if node & 1 or node == last:
            value = hashlib.sha256(b"\x01" + sibling + value).digest()
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            value = hashlib.sha256(b"\x01" + value + sibling).digest()
        node, last = node >> 1, last >> 1
    return value if last == 0 else None


def leaf_of(data: bytes) -> bytes:
    """The Merkle leaf of some bytes."""
    return hashlib.sha256(b"\x00" + data).digest()


# The archive


def write_archive(target: BinaryIO, members: Mapping[str, bytes | Path], source: zipfile.ZipFile | None = None) -> None:
    """The one form of an archive: names sorted, stored, no times, no attributes.

    A member is its bytes or a file; with `source`, every member is copied from there.
    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, EPOCH)
            info.create_system, info.external_attr = 3, 0o600 << 16
            content = members[name]
            if source is not None:
                info.file_size = source.getinfo(name).file_size
                with source.open(name) as old, archive.open(info, "w") as new:
                    _copy(old, new)
            elif isinstance(content, bytes):
                archive.writestr(info, content)
            else:
                info.file_size = content.stat().st_size
                with content.open("rb") as old, archive.open(info, "w") as new:
                    _copy(old, new)


def _copy(old: Any, new: Any) -> None:
    while piece := old.read(CHUNK):
        new.write(piece)


def canonical(package: Path) -> bool:
    """Whether an archive is, byte for byte, what writing its content again gives."""
    with package.open("rb") as given, zipfile.ZipFile(package) as archive, tempfile.TemporaryFile() as again:
        write_archive(again, dict.fromkeys(archive.namelist(), b""), archive)
        again.seek(0)
        while True:
            left, right = given.read(CHUNK), again.read(CHUNK)
            if left != right:
                return False
            if not left:
                return True


# The checks


def verify(package: Path, key: str = "") -> list[str]:
    """What is wrong with a package; empty when nothing is. `key` is the center's public key, 64 hex digits."""
    try:
        with zipfile.ZipFile(package) as archive:
            names = archive.namelist()
            if len(names) > MAX_FILES or len(set(names)) != len(names):
                return ["The archive holds too many files, or one twice."]
            infos = archive.infolist()
            stored = all(info.compress_type == zipfile.ZIP_STORED for info in infos)
            if not stored or sum(info.file_size for info in infos) > package.stat().st_size:
                return ["The archive is packed otherwise than ours are."]
            if not canonical(package):
                return ["The archive is not in its canonical form: it was changed after it was made."]
            return _Check(archive, set(names), key).run()
    except Exception as error:  # a hostile file may fail anywhere, and whatever fails is no package
        return [f"The package cannot be read: {type(error).__name__}."]


class _Check:
    def __init__(self, archive: zipfile.ZipFile, names: set[str], key: str) -> None:
        self.archive, self.names, self.key = archive, names, key
        self.problems: list[str] = []

    def say(self, problem: str) -> None:
        self.problems.append(problem)

    def small(self, name: str) -> bytes:
        if self.archive.getinfo(name).file_size > MAX_JSON:
            raise ValueError("a document is too large")
        return self.archive.read(name)

    def run(self) -> list[str]:
        """The steps, in order; without a signed manifest there is nothing to go by."""
        raw = self.small(MANIFEST)
        manifest = json.loads(raw)
        stated = manifest["center_key"]
        if self.key and stated != self.key.lower():
            return ["The package is signed by another key than the one given."]
        if not signed(bytes.fromhex(stated), raw, bytes.fromhex(self.small(SIGNATURE).decode().strip())):
            return ["The manifest's signature does not fit."]
        self.files(manifest["files"])
        for event in manifest["events"]:
            self.event(event, manifest["keys"])
        self.audit(hashlib.sha256(raw).hexdigest(), bytes.fromhex(stated))
        return self.problems

    def files(self, stated: Mapping[str, Any]) -> None:
        for name in sorted(self.names - set(stated) - OUTSIDE):
            self.say(f"{name} is not in the manifest.")
        for name, facts in stated.items():
            if name not in self.names:
                self.say(f"{name} is missing.")
                continue
            with self.archive.open(name) as file:
                digest, size = hashlib.sha256(), 0
                while piece := file.read(CHUNK):
                    digest.update(piece)
                    size += len(piece)
            if (digest.hexdigest(), size) != (facts["sha256"], facts["size"]):
                self.say(f"{name} is not what the manifest says.")

    def event(self, event: Mapping[str, Any], keys: Mapping[str, Any]) -> None:
        name, raw = event["id"], self.small(event["file"])
        proof = json.loads(self.small(event["proof"]))
        statement = json.loads(proof["statement"])
        key = bytes.fromhex(keys.get(statement["key_id"], {"public_key": ""})["public_key"])
        path = [bytes.fromhex(step) for step in proof["path"]]
        root = root_of(leaf_of(raw), proof["index"], statement["size"], path)
        whole = root is not None and root.hex() == statement["root"]
        fits = signed(key, proof["statement"].encode(), bytes.fromhex(proof["signature"]))
        named = hashlib.sha256(key).hexdigest() == statement["key_id"]
        if not (whole and fits and named and statement["context"] == "matpho-event-batch-v1"):
            self.say(f"Event {name} is not what its box signed.")
        document = json.loads(raw)
        if document["id"] != name:
            self.say(f"The file of event {name} holds another event.")
        still = event["still"].get("file")
        if still:
            with self.archive.open(still) as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # a ZipExtFile reads too
            if digest != document["data"]["evidence"].get("thumbnail_sha256"):
                self.say(f"The still of event {name} is not the one that its box signed.")

    def audit(self, manifest_sha256: str, key: bytes) -> None:
        entry, proof = self.small(ENTRY), json.loads(self.small(PROOF))
        if json.loads(entry)["arguments"]["manifest_sha256"] != manifest_sha256:
            self.say("The audit entry speaks of another manifest.")
        text, _, under = self.small(CHECKPOINT).decode().rpartition("\n\n")
        origin, size, root = (text + "\n").split("\n")[:3]
        lines = [line.split(" ") for line in under.strip().split("\n")]
        mine = [base64.b64decode(line[2])[4:] for line in lines if line[1] == origin]
        if not any(signed(key, (text + "\n").encode(), signature) for signature in mine):
            self.say("The audit checkpoint's signature does not fit.")
        path = [bytes.fromhex(step) for step in proof["path"]]
        found = root_of(leaf_of(entry), proof["index"], int(size), path)
        if found is None or found != base64.b64decode(root):
            self.say("The audit log's checkpoint does not cover the entry of this export.")


def main(arguments: Sequence[str]) -> int:
    """The command line: 0 intact, 1 not, 2 wrong use."""
    given = [word for word in arguments if word != "--key"]
    key = given.pop() if "--key" in arguments and len(given) == 2 else ""
    if len(given) != 1 or ("--key" in arguments) != bool(key):
        print("python3 verify.py PACKAGE.zip [--key CENTER_PUBLIC_KEY_HEX]")
        return 2
    problems = verify(Path(given[0]), key)
    for problem in problems:
        print(problem)
    if not problems:
        print("NGUYEN VEN / INTACT")
        if not key:
            with zipfile.ZipFile(given[0]) as archive:
                stated = json.loads(archive.read(MANIFEST))["center_key"]
            print(f"Signed by key {stated}: compare it with the center's. / Hay doi chieu khoa cua trung tam.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
