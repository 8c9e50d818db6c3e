"""A short journal of acknowledged writes: one append and one fsync make a group of writes durable.

The shard's own `flush` costs some eight syncs, and its log is not synced at all before; so writes are acknowledged by
this journal, and the shard is flushed now and then, after which the journal begins anew. What a power cut leaves in it
is written to the shard again at the next start, in order; every write may be repeated without harm.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

_HEAD = struct.Struct("<II")
"""Length and CRC-32 of an entry."""


class Journal:
    """An append-only file of byte entries; one process, one thread."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.size = os.fstat(self._file).st_size

    def entries(self) -> Iterator[bytes]:
        """Whole entries in order; ends at the first torn one, which was never acknowledged."""
        position = 0
        while len(head := os.pread(self._file, _HEAD.size, position)) == _HEAD.size:
            length, checksum = _HEAD.unpack(head)
            entry = os.pread(self._file, length, position + _HEAD.size)
            if len(entry) != length or zlib.crc32(entry) != checksum:
                return
            yield entry
            position += _HEAD.size + length

    def append(self, entries: Sequence[bytes]) -> None:
        """Add entries, on the disk on return; raises OSError with the journal as it was."""
        block = b"".join(_HEAD.pack(len(entry), zlib.crc32(entry)) + entry for entry in entries)
        view, position = memoryview(block), self.size
        try:
            while view:
                written = os.pwrite(self._file, view, position)
                view, position = view[written:], position + written
            os.fdatasync(self._file)
        except OSError:
            os.ftruncate(self._file, self.size)
            raise
        self.size = position

    def clear(self) -> None:
        """Begin anew: everything in it stands safely elsewhere."""
        os.ftruncate(self._file, 0)
        os.fsync(self._file)
        self.size = 0

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)
