"""The outbox: every event is on disk, whole and once, before anybody is told, until the center has said that it has it.

SQLite in WAL mode with synchronous=FULL: kill -9 and a power cut lose nothing that `put` has returned from.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from matpho_contracts.errors import BadInputError, ConfigurationError, StorageFullError, UnavailableError
from matpho_contracts.events import MAX_EVENT_BYTES, Event
from matpho_contracts.times import now, unix_ms
from matpho_contracts.wire import MAX_STILL_BYTES
from matpho_edge.compose import Composed

PAGE_BYTES = 4096
DEFAULT_LIMIT_BYTES = 8 * 1024**3
"""About a week of ten events a second at one still each hundredth; a box with a larger disk sets more."""
MIN_LIMIT_BYTES = 64 * PAGE_BYTES
MAX_DEAD_LETTERS = 10_000
BUSY_TIMEOUT_S = 10.0
_FULL = 2
"""What `PRAGMA synchronous` reads for FULL."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS waiting (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, raw BLOB NOT NULL,
    still_sha256 TEXT, still BLOB, kept_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS dead (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL, raw BLOB NOT NULL, still BLOB, reason TEXT NOT NULL,
    at_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS sent (id TEXT PRIMARY KEY) WITHOUT ROWID;
"""


class Sink(Protocol):
    """Where composed events go."""

    def put(self, composed: Composed, *, remember: bool = False) -> bool:
        """Keep an event for good; False when it is known already. Raises StorageFullError and keeps nothing."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that the center has not acknowledged; `seq` rises by one with each event of this incarnation."""

    seq: int
    id: str
    raw: bytes
    still_sha256: str | None
    still: bytes | None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that the center refused, and why; kept for inspection, never sent again."""

    seq: int
    id: str
    raw: bytes
    reason: str


class Outbox:
    """One box's durable queue. Thread-safe; several processes may use one file."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._db, self.path = connection, path
        self._lock = threading.Lock()
        self.incarnation = self._meta_or("incarnation", secrets.token_hex(8))
        """Names this file's life: an outbox restored from an old copy is told apart by the center with `seq`."""

    @classmethod
    def open(cls, path: Path, *, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> Outbox:
        """Open or make the outbox; raises ConfigurationError when it is none or cannot be made durable."""
        if limit_bytes < MIN_LIMIT_BYTES:
            raise ConfigurationError(f"An outbox needs at least {MIN_LIMIT_BYTES} bytes.")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            connection = sqlite3.connect(
                path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False, cached_statements=64
            )
            _configure(connection, limit_bytes)
        except sqlite3.DatabaseError as error:
            if _is_full(error):
                raise _full(path) from error
            raise ConfigurationError(
                f"{path} cannot be used as an outbox ({error}).", action="Move it away and start again."
            ) from error
        return cls(connection, path)

    def close(self) -> None:
        """Let go of the file; everything put is on disk already."""
        with self._lock:
            self._db.close()

    def put(self, composed: Composed, *, remember: bool = False) -> bool:
        """Keep one event with its still; on return both are on disk. False when the event is known already.

        With `remember` the id is kept after the center has acknowledged it, so that the same event made again (by an
        index run that was cut off) is not sent twice. Raises StorageFullError (nothing was kept) and BadInputError.
        """
        return self.put_all([composed], remember=remember) == 1

    def put_all(self, batch: Sequence[Composed], *, remember: bool = False) -> int:
        """Keep several events in one transaction: all or none. Returns how many were new."""
        rows = [_row(composed) for composed in batch]
        new = 0
        with self._change():
            for row in rows:
                if self._db.execute("SELECT 1 FROM sent WHERE id = ?", (row[0],)).fetchone():
                    continue
                done = self._db.execute(
                    "INSERT OR IGNORE INTO waiting (id, raw, still_sha256, still, kept_ms) VALUES (?, ?, ?, ?, ?)", row
                )
                new += done.rowcount
                if remember and done.rowcount:
                    self._db.execute("INSERT OR IGNORE INTO sent (id) VALUES (?)", (row[0],))
        return new

    def take(self, limit: int, max_bytes: int) -> list[Waiting]:
        """The oldest waiting events, at most `limit` of them and about `max_bytes` in all, but always one."""
        with self._lock:
            cursor = self._db.execute(
                "SELECT seq, id, raw, still_sha256, still FROM waiting ORDER BY seq LIMIT ?", (limit,)
            )
            taken: list[Waiting] = []
            total = 0
            for row in cursor:
                total += len(row[2]) + len(row[4] or b"")
                if taken and total > max_bytes:
                    break
                taken.append(Waiting(*row))
            cursor.close()
        return taken

    def settle(self, acknowledged: Sequence[int], refused: Sequence[tuple[int, str]] = ()) -> None:
        """Forget what the center has and set aside what it refuses (seq and reason), in one transaction."""
        with self._change():
            for seq, reason in refused:
                self._db.execute(
                    "INSERT OR REPLACE INTO dead (seq, id, raw, still, reason, at_ms)"
                    " SELECT seq, id, raw, still, ?, ? FROM waiting WHERE seq = ?",
                    (reason[:500], unix_ms(now()), seq),
                )
            gone = [(seq,) for seq in acknowledged] + [(seq,) for seq, _ in refused]
            self._db.executemany("DELETE FROM waiting WHERE seq = ?", gone)
            self._db.execute(
                "DELETE FROM dead WHERE seq <= (SELECT seq FROM dead ORDER BY seq DESC LIMIT 1 OFFSET ?)",
                (MAX_DEAD_LETTERS,),
            )

    def waiting(self) -> int:
        """How many events the center does not have yet."""
        with self._lock:
            return int(self._db.execute("SELECT count(*) FROM waiting").fetchone()[0])

    def dead_letters(self, limit: int = 100) -> list[DeadLetter]:
        """What the center refused, newest first."""
        with self._lock:
            rows = self._db.execute("SELECT seq, id, raw, reason FROM dead ORDER BY seq DESC LIMIT ?", (limit,))
            return [DeadLetter(*row) for row in rows.fetchall()]

    def note(self, key: str) -> str | None:
        """A small durable note of the box's own (is it enrolled?)."""
        with self._lock:
            row = self._db.execute("SELECT value FROM meta WHERE key = ?", (f"note:{key}",)).fetchone()
        return None if row is None else str(row[0])

    def set_note(self, key: str, value: str) -> None:
        """Write a note; durable on return."""
        with self._change():
            self._db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (f"note:{key}", value))

    def _meta_or(self, key: str, value: str) -> str:
        with self._change():
            self._db.execute("INSERT OR IGNORE INTO meta (key, value) VALUES (?, ?)", (key, value))
            return str(self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()[0])

    @contextmanager
    def _change(self) -> Iterator[None]:
        """One transaction, on disk when the block is left; undone whole when anything fails."""
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._db.execute("COMMIT")
            except BaseException as error:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise _converted(error, self.path) from error
                raise


def _configure(connection: sqlite3.Connection, limit_bytes: int) -> None:
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")
    connection.execute(f"PRAGMA max_page_count = {limit_bytes // PAGE_BYTES}")
    connection.execute("PRAGMA journal_size_limit = 67108864")
    check_durable(connection)
    if mode != "wal":
        raise ConfigurationError("The outbox's disk cannot hold a write-ahead log.", action="Use a local disk.")
    connection.executescript(_SCHEMA)


def check_durable(connection: sqlite3.Connection) -> None:
    """Raise ConfigurationError unless a commit on this connection waits for the disk."""
    level = int(connection.execute("PRAGMA synchronous").fetchone()[0])
    if level < _FULL:
        raise ConfigurationError("The outbox would not survive a power cut (synchronous is not FULL).")


def _row(composed: Composed) -> tuple[str, bytes, str | None, bytes | None, int]:
    event: Event = composed.event
    raw = event.canonical()
    if len(raw) > MAX_EVENT_BYTES:
        raise BadInputError(f"An event of {len(raw)} bytes is over the limit of {MAX_EVENT_BYTES}.")
    if composed.still is not None and len(composed.still) > MAX_STILL_BYTES:
        raise BadInputError(f"A still of {len(composed.still)} bytes is over the limit of {MAX_STILL_BYTES}.")
    digest = event.data.evidence.thumbnail_sha256 if composed.still is not None else None
    return event.id, raw, digest, composed.still, unix_ms(now())


def _is_full(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL


def _full(path: Path) -> StorageFullError:
    return StorageFullError(
        f"The outbox {path} has no room left; the event was not kept.",
        action="Free disk space, or restore the link to the center so that waiting events can leave.",
    )


def _converted(error: sqlite3.Error, path: Path) -> StorageFullError | UnavailableError:
    if _is_full(error):
        return _full(path)
    return UnavailableError(
        f"The outbox {path} could not be written ({error}); nothing was changed.", action="Check the disk."
    )
