"""Holding the published tiles and bundles against the entries of the database, in one pass over both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from matpho_platform.audit.tiles import ENTRIES, HASH, WIDTH, levels, pack, tile_path
from matpho_platform.audit.tree import full_root


class TileCheck:
    """Takes the log's entries in order and compares every file that holds some of them."""

    def __init__(self, folder: Path, size: int) -> None:
        """`size` is that of the published note: what its tree needs must be there."""
        self._folder = folder
        self._size = size
        self._hashes: list[list[bytes]] = [[]]
        """Hashes of each level since its last full tile."""
        self._numbers = [0]
        self._texts: list[bytes] = []
        self._needed = dict(_needed(size))
        self.compared = 0

    def add(self, texts: Sequence[bytes], leaves: Sequence[bytes], root: bytes | None) -> list[str]:
        """Take what follows, up to the end of a tile at most; `root` is that of a whole tile.

        Returns what does not fit in the files of the tiles that are full now.
        """
        self._texts += texts
        self._hashes[0] += leaves
        if len(self._texts) < WIDTH:
            return []
        return [*self._bundle(), *self._full(0, root or full_root(self._hashes[0]))]

    def finish(self) -> list[str]:
        """Compare the partial tiles at the end, and tell what the published tree lacks or has too much."""
        problems = self._bundle()
        for level, hashes in enumerate(self._hashes):
            problems += self._compare(level, self._numbers[level], hashes)
            problems += self._compare(level, self._numbers[level] + 1, ())
        return problems + [f"The published file {path} is missing." for path in sorted(self._needed.values())]

    def _bundle(self) -> list[str]:
        number, texts, self._texts = self._numbers[0], self._texts, []
        return [
            f"The bundle {path} does not hold the log's entries."
            for path, width in self._files(ENTRIES, number)
            if width > len(texts) or not self._same(path, pack(texts[:width]))
        ]

    def _full(self, level: int, root: bytes) -> list[str]:
        hashes, number = self._hashes[level], self._numbers[level]
        problems = self._compare(level, number, hashes)
        self._hashes[level] = []
        self._numbers[level] += 1
        if level + 1 == len(self._hashes):
            self._hashes.append([])
            self._numbers.append(0)
        above = self._hashes[level + 1]
        above.append(root)
        return problems + (self._full(level + 1, full_root(above)) if len(above) == WIDTH else [])

    def _compare(self, level: int, number: int, hashes: Sequence[bytes]) -> list[str]:
        whole = b"".join(hashes)
        return [
            f"The tile {path} does not hold the log's hashes."
            for path, width in self._files(level, number)
            if width > len(hashes) or not self._same(path, whole[: width * HASH])
        ]

    def _files(self, level: int | str, number: int) -> list[tuple[str, int]]:
        """The full file and every partial one of a tile, as far as they are there."""
        full = tile_path(level, number)
        found = [(full, WIDTH)] if (self._folder / full).exists() else []
        if found:  # the full file stands for all partial ones
            self._needed.pop(full, None)
        partial = self._folder / f"{full}.p"
        for path in sorted(partial.iterdir()) if partial.is_dir() else []:
            if path.name.isascii() and path.name.isdigit():
                found.append((f"{full}.p/{path.name}", int(path.name)))
                if self._needed.get(full) == found[-1][0]:
                    del self._needed[full]
        return found

    def _same(self, path: str, data: bytes) -> bool:
        self.compared += 1
        return (self._folder / path).read_bytes() == data


def _needed(size: int) -> Iterator[tuple[str, str]]:
    """Each file that a tree needs, by the name of its full form."""
    for level, count in levels(size):
        for number in range((count + WIDTH - 1) // WIDTH):
            width = min(WIDTH, count - number * WIDTH)
            for kind in (level, ENTRIES) if level == 0 else (level,):
                yield tile_path(kind, number), tile_path(kind, number, width)
