"""Copying SQLite's write-ahead log into the database beside the writers, so that no commit has to wait for it."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from contextlib import closing

EVERY_COMMITS = 64
_WAYS = ("PASSIVE", "RESTART")
"""First all that is there, beside the writers; then, in a moment between two of them, the little that came meanwhile,
after which the next one begins the log anew: a file that does not grow is flushed faster."""
log = logging.getLogger(__name__)


class LogKeeper:
    """Copies after some commits, on a thread; a writer that has come far ahead still does it itself."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._commits = 0
        self._copying: asyncio.Task[None] | None = None

    def committed(self) -> None:
        """A transaction is on the disk."""
        self._commits += 1
        if self._commits >= EVERY_COMMITS and (self._copying is None or self._copying.done()):
            self._commits = 0
            self._copying = asyncio.create_task(asyncio.to_thread(self._copy), name="matpho-wal-keeper")

    async def close(self) -> None:
        """Finish what was begun."""
        if self._copying is not None:
            await asyncio.wait((self._copying,))

    def _copy(self) -> None:
        try:
            with closing(sqlite3.connect(self._path, timeout=0)) as connection:
                connection.execute("PRAGMA synchronous=FULL").close()
                for way in _WAYS:
                    connection.execute(f"PRAGMA wal_checkpoint({way})").fetchone()
        except sqlite3.Error as error:  # the log only grows; what is committed is in it
            log.warning("write-ahead log not copied", extra={"problem": type(error).__name__})
