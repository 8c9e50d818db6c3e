"""Publishing the tree: tiles and bundles first, the signed checkpoint note last; all of it made from the database.

A note is never published that the published one does not grow into: the new root is computed from the tiles on disk and
the entries behind them, and must be the root that the database's own checkpoint signs. Files that went missing are made
again; a file that differs from the log stops publishing, and a verification names it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from matpho_contracts import merkle
from matpho_contracts.signing import SigningKey
from matpho_platform.audit import repository
from matpho_platform.audit.errors import AuditBrokenError
from matpho_platform.audit.note import Checkpoint, origin_of
from matpho_platform.audit.tiles import ENTRIES, LEVEL_HEIGHT, WIDTH, TileFolder, levels, pack, replace_file
from matpho_platform.audit.tree import Frontier, full_root
from matpho_platform.store.engine import Store
from matpho_platform.store.session import ReadSession

EVERY_ENTRIES = 256
EVERY_S = 10.0
_BUNDLES_AT_ONCE = 32
EMPTY_ROOT = merkle.root_hash(())


class Publisher:
    """Writes the tlog-tiles files of one log."""

    def __init__(self, store: Store, key: SigningKey, folder: Path) -> None:
        self._store = store
        self._key = key
        self._tiles = TileFolder(folder)
        self._path = folder / "checkpoint"
        self._lock = asyncio.Lock()
        self._published: Checkpoint | None = None
        self._edges: list[list[bytes]] = []
        """The hashes of the last, partial tile of each level."""
        self._size = 0
        self._grown = asyncio.Event()
        self._many = asyncio.Event()

    def grown(self, size: int) -> None:
        """The log has `size` entries now."""
        self._size = size
        self._grown.set()
        if size - (self._published.size if self._published else 0) >= EVERY_ENTRIES:
            self._many.set()

    async def due(self) -> None:
        """Wait until something is to be published: 10 s after the first new entry, at once when 256 are new."""
        await self._grown.wait()
        try:
            async with asyncio.timeout(EVERY_S):
                await self._many.wait()
        except TimeoutError:
            pass
        self._grown.clear()
        self._many.clear()

    def note(self) -> str:
        """The signed note as published."""
        return self._path.read_text(encoding="utf-8")

    async def publish(self) -> Checkpoint:
        """Publish what is committed; raises AuditBrokenError when files and log do not fit together."""
        async with self._lock:
            try:
                return await self._publish()
            except BaseException:
                self._published = None  # begin again from what is on the disk
                raise

    async def _publish(self) -> Checkpoint:
        """1 where the files are; 2 the log must not be shorter; 3 what the old note promised, 4 what is new."""
        old = await asyncio.to_thread(self._read_note)
        if self._published is None:
            self._published = await asyncio.to_thread(self._resume, old)  # 1
        async with self._store.reading() as session:
            row = await repository.newest_checkpoint(session)
            size, root = (int(row["size"]), bytes.fromhex(row["root"])) if row is not None else (0, EMPTY_ROOT)
            if old is not None and size < old.size:  # 2
                raise AuditBrokenError(f"The log has {size} entries; {old.size} were published.")
            if old is not None and old.size > self._published.size:
                await self._write_up_to(session, self._published.size, old.size, old.root)  # 3
                self._published = old
            if old is not None and size == old.size:
                return self._published
            await self._write_up_to(session, self._published.size, size, root)  # 4
        return await self._finish(Checkpoint(origin_of(self._key.public), size, root))

    async def _write_up_to(self, session: ReadSession, start: int, size: int, root: bytes) -> None:
        at = start - start % WIDTH
        while at < size:
            limit = min(_BUNDLES_AT_ONCE * WIDTH, size - at)
            entries = await repository.texts_from(session, at, limit)
            if len(entries) != limit:
                raise AuditBrokenError("The log lacks entries that its checkpoint covers.")
            await asyncio.to_thread(self._write, at, entries)
            at += limit
        if edge_root(self._edges) != root:
            raise AuditBrokenError(f"The first {size} entries of the log are not those that were signed.")

    async def _finish(self, head: Checkpoint) -> Checkpoint:
        await asyncio.to_thread(replace_file, self._path, head.sign(self._key).encode())
        self._published = head
        return head

    def _read_note(self) -> Checkpoint | None:
        return Checkpoint.open(self._path.read_bytes(), self._key.public) if self._path.exists() else None

    def _resume(self, head: Checkpoint | None) -> Checkpoint:
        """Where the files are; an empty tree when there are none, or when some are missing and are to be made again."""
        self._edges = []
        if head is None or self._tiles.missing(head.size) is not None:
            return Checkpoint(origin_of(self._key.public), 0, EMPTY_ROOT)
        for level, count in levels(head.size):
            width = count % WIDTH
            self._edges.append((self._tiles.read(level, count // WIDTH, width) or []) if width else [])
        if edge_root(self._edges) != head.root:
            raise AuditBrokenError("The tiles do not hash to their own checkpoint.")
        return head

    def _write(self, start: int, entries: Sequence[bytes]) -> None:
        """Write the bundles and tiles of entries from `start`, the first of a bundle."""
        for offset in range(0, len(entries), WIDTH):
            bundle = entries[offset : offset + WIDTH]
            number = (start + offset) // WIDTH
            hashes = [merkle.leaf_hash(entry) for entry in bundle]
            self._tiles.write(ENTRIES, number, len(bundle), pack(bundle))
            self._tiles.write(0, number, len(bundle), b"".join(hashes))
            if not self._edges:
                self._edges.append([])
            if self._edges[0] != hashes[: len(self._edges[0])]:
                raise AuditBrokenError(f"The entries of bundle {number} are not those that were published.")
            self._edges[0] = hashes
            if len(hashes) == WIDTH:
                self._climb(0, number)
        for level in range(1, len(self._edges)):
            self._partial(level, start + len(entries))

    def _climb(self, level: int, number: int) -> None:
        """A tile is full: its root goes into the tile above, which may be full in turn."""
        root = full_root(self._edges[level])
        self._edges[level] = []
        if level + 1 == len(self._edges):
            self._edges.append([])
        above = self._edges[level + 1]
        above.append(root)
        if len(above) == WIDTH:
            self._tiles.write(level + 1, number // WIDTH, WIDTH, b"".join(above))
            self._climb(level + 1, number // WIDTH)

    def _partial(self, level: int, size: int) -> None:
        hashes = self._edges[level]
        if hashes:
            self._tiles.write(level, size // WIDTH ** (level + 1), len(hashes), b"".join(hashes))


def edge_root(edges: Sequence[Sequence[bytes]]) -> bytes:
    """The root of the tree whose last partial tiles these are: everything before them is inside them."""
    tree = Frontier()
    for level in range(len(edges) - 1, -1, -1):
        for value in edges[level]:
            tree.join(LEVEL_HEIGHT * level, value)
    return tree.root()
