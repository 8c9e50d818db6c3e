"""Where entries of alerts wait while the log cannot be written: an append-only file, flushed, taken over once."""

from __future__ import annotations

import base64
import os
import threading
from collections.abc import Sequence
from pathlib import Path

from matpho_platform.store.errors import storage_full

MAX_BYTES = 1024 * 1024 * 1024
"""A spool beyond this takes no more."""


class Spool:
    """Lines of base64, mode 0600. A line is acknowledged when it is on the disk; a torn last line never was."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._taking = path.with_name(path.name + ".taking")
        self._lock = threading.Lock()
        self._waiting = path.exists() or self._taking.exists()

    @property
    def waiting(self) -> bool:
        """Whether something is there to be taken over."""
        return self._waiting

    def append(self, document: bytes) -> None:
        """Add a line; on the disk when this returns. Raises StorageFullError or OSError."""
        with self._lock:
            new = not self._path.exists()
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                size = os.fstat(handle).st_size
                if size > MAX_BYTES:
                    raise storage_full()
                torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
                _write_all(handle, (b"\n" if torn else b"") + base64.b64encode(document) + b"\n")
                os.fsync(handle)
            finally:
                os.close(handle)
            if new:
                _sync_folder(self._path.parent)
            self._waiting = True

    def take(self) -> Sequence[bytes | None]:
        """What waits, in order; None for a line that is damaged. It stays until `done`."""
        with self._lock:
            if not self._taking.exists() and self._path.exists():
                self._path.replace(self._taking)
                _sync_folder(self._path.parent)
            if not self._taking.exists():
                self._waiting = False
                return ()
            lines = self._taking.read_bytes().split(b"\n")
        whole = lines[:-1]  # what follows the last newline is torn: nobody was told that it is safe
        return [_decoded(line) for line in whole]

    def done(self) -> None:
        """What `take` gave is in the log."""
        with self._lock:
            self._taking.unlink(missing_ok=True)
            self._waiting = self._path.exists()


def _decoded(line: bytes) -> bytes | None:
    try:
        return base64.b64decode(line, validate=True)
    except ValueError:
        return None


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
