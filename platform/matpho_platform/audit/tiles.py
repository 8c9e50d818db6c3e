"""Where tiles and entry bundles lie, and how they are read and written: the layout of C2SP tlog-tiles as plain files.

`tile/<L>/<N>` holds 256 hashes of complete subtrees of height 8 L, `tile/entries/<N>` the entries under the tile
`tile/0/<N>`; the last of each level may be partial (`<N>.p/<W>`, W of them). A full tile replaces its partial ones.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from matpho_platform.audit.errors import AuditBrokenError

WIDTH = 256
LEVEL_HEIGHT = 8
"""A tile spans a subtree of this height: WIDTH is 2 to this power."""
HASH = 32
ENTRIES = "entries"
_TEMPORARY = ".writing-"


def levels(size: int) -> Iterator[tuple[int, int]]:
    """Each level of a tree with how many hashes it holds; none of an empty tree."""
    level, count = 0, size
    while count:
        yield level, count
        level, count = level + 1, count // WIDTH


def number_path(number: int) -> str:
    """A tile's number in path elements of three digits: 1234067 is `x001/x234/067`."""
    parts = [f"{number % 1000:03d}"]
    while number >= 1000:
        number //= 1000
        parts.append(f"x{number % 1000:03d}")
    return "/".join(reversed(parts))


def tile_path(level: int | str, number: int, width: int = 0) -> str:
    """The path of a tile, or of a bundle (`level` is ENTRIES), beside the checkpoint; a width of 0 is the full one."""
    return f"tile/{level}/{number_path(number)}" + ("" if width in (0, WIDTH) else f".p/{width}")


def pack(entries: Sequence[bytes]) -> bytes:
    """An entry bundle: each entry behind its length in two bytes; entries beyond 65,535 bytes raise OverflowError."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def unpack(bundle: bytes) -> list[bytes]:
    """The entries of a bundle; raises AuditBrokenError when it is cut."""
    entries, at = [], 0
    while at < len(bundle):
        length = int.from_bytes(bundle[at : at + 2], "big")
        entry = bundle[at + 2 : at + 2 + length]
        if at + 2 > len(bundle) or len(entry) != length:
            raise AuditBrokenError("An entry bundle is cut.")
        entries.append(entry)
        at += 2 + length
    return entries


class TileFolder:
    """The files of one log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, level: int, number: int, width: int) -> list[bytes] | None:
        """The first `width` hashes of a tile; from the full tile where the partial one is gone. None: not there."""
        data = self._bytes(level, number, width)
        if data is None:
            return None
        if len(data) % HASH or len(data) < width * HASH:
            raise AuditBrokenError(f"The tile {tile_path(level, number, width)} is cut.")
        return [data[at : at + HASH] for at in range(0, width * HASH, HASH)]

    def _bytes(self, level: int | str, number: int, width: int) -> bytes | None:
        for path in {tile_path(level, number, width): 0, tile_path(level, number): 0}:
            try:
                return (self.folder / path).read_bytes()
            except FileNotFoundError:
                continue
        return None

    def missing(self, size: int) -> str | None:
        """A file that a tree of `size` needs and that is not there."""
        for level, count in levels(size):
            for number in range((count + WIDTH - 1) // WIDTH):
                width = min(WIDTH, count - number * WIDTH)
                for kind in (level, ENTRIES) if level == 0 else (level,):
                    partial, full = tile_path(kind, number, width), tile_path(kind, number)
                    if not (self.folder / partial).exists() and not (self.folder / full).exists():
                        return partial
        return None

    def write(self, level: int | str, number: int, width: int, data: bytes) -> None:
        """Write a tile or bundle whole, flushed; one that is there must be the same (AuditBrokenError)."""
        path = self.folder / tile_path(level, number, width)
        if path.exists():
            if path.read_bytes() != data:
                raise AuditBrokenError(f"The file {tile_path(level, number, width)} is not what the log holds.")
        else:
            replace_file(path, data)
        if width == WIDTH:
            shutil.rmtree(path.with_name(path.name + ".p"), ignore_errors=True)


def replace_file(path: Path, data: bytes) -> None:
    """Put a file in place whole: a crash leaves the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{_TEMPORARY}{path.name}")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
