"""The references of what it costs to make bytes durable: a bare commit to a write-ahead log, and the flush alone."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROW_BYTES = 1200
"""About an audit entry with its leaf and checkpoint."""
_FLUSHED_BYTES = 8 * 4096
"""About the pages that such a row changes."""


@contextmanager
def bare_commit(path: Path) -> Iterator[Callable[[], None]]:
    """A function that commits one row to SQLite and is back when it is flushed; no index, no other table."""
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE entries (entry BLOB)")
        yield lambda: database.execute("INSERT INTO entries VALUES (zeroblob(?))", (ROW_BYTES,)).close()
    finally:
        database.close()


@contextmanager
def bare_flush(path: Path) -> Iterator[Callable[[], None]]:
    """A function that overwrites some pages of a file and flushes them: the disk's part in a commit, at its least."""
    file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        os.pwrite(file, bytes(_FLUSHED_BYTES), 0)
        os.fsync(file)

        def flush() -> None:
            os.pwrite(file, os.urandom(_FLUSHED_BYTES), 0)
            os.fdatasync(file)

        yield flush
    finally:
        os.close(file)
