"""How far each index run has come, and what its detector said so far: enough to go on as if nothing had happened."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from matpho_contracts.errors import ConfigurationError, StorageFullError, UnavailableError
from matpho_contracts.times import from_rfc3339, now
from matpho_edge.detections import Detections

COMMIT_EVERY_S = 2.0
"""Looks of so many seconds at most are done again after a crash; their events keep their ids."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    key TEXT PRIMARY KEY, source TEXT NOT NULL, camera_id TEXT NOT NULL, started_at TEXT,
    finished_at TEXT, frames INTEGER NOT NULL DEFAULT 0, events INTEGER NOT NULL DEFAULT 0,
    seconds REAL NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS looks (
    key TEXT NOT NULL, frame INTEGER NOT NULL, labels TEXT NOT NULL, numbers BLOB NOT NULL,
    PRIMARY KEY (key, frame)) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class RunState:
    """One source's progress; `frames` counts pictures read, `seconds` is the media time reached."""

    started_at: datetime | None = None
    finished: bool = False
    frames: int = 0
    events: int = 0
    seconds: float = 0.0


class IndexState:
    """The progress of all index runs of one store, in one SQLite file. Thread-safe."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._lock, self._committed = path, threading.Lock(), time.monotonic()
        try:
            self._db = sqlite3.connect(path, timeout=10.0, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.executescript(_SCHEMA)
        except sqlite3.DatabaseError as error:
            raise ConfigurationError(
                f"{path} cannot be used to remember progress ({error}).", action="Move it away and start again."
            ) from error

    def close(self) -> None:
        """Write what is left and let go."""
        self.commit()
        with self._lock:
            self._db.close()

    def run(self, key: str) -> RunState:
        """The progress of one run; an empty one when it is new."""
        with self._lock:
            row = self._db.execute(
                "SELECT started_at, finished_at, frames, events, seconds FROM runs WHERE key = ?", (key,)
            ).fetchone()
        if row is None:
            return RunState()
        started = None if row[0] is None else from_rfc3339(row[0])
        return RunState(started, row[1] is not None, int(row[2]), int(row[3]), float(row[4]))

    def begin(self, key: str, source: str, camera_id: str, started_at: datetime) -> None:
        """Enter a run; its start time is fixed from now on, because event ids hang on it."""
        with self._change(commit=True):
            self._db.execute(
                "INSERT OR IGNORE INTO runs (key, source, camera_id, started_at) VALUES (?, ?, ?, ?)",
                (key, source, camera_id, started_at.isoformat()),
            )

    def looks(self, key: str) -> dict[int, Detections]:
        """What the detector has said so far, by frame number."""
        with self._lock:
            rows = self._db.execute("SELECT frame, labels, numbers FROM looks WHERE key = ?", (key,)).fetchall()
        return {int(frame): _unpack(labels, numbers) for frame, labels, numbers in rows}

    def look(self, key: str, frame: int, detections: Detections) -> None:
        """Remember one look; on disk within COMMIT_EVERY_S."""
        labels, numbers = _words(detections), _pack(detections)
        with self._change():
            self._db.execute("INSERT OR REPLACE INTO looks VALUES (?, ?, ?, ?)", (key, frame, labels, numbers))

    def advance(self, key: str, frames: int, events: int, seconds: float) -> None:
        """Note how far the run has come."""
        with self._change():
            self._db.execute(
                "UPDATE runs SET frames = max(frames, ?), events = max(events, ?), seconds = max(seconds, ?)"
                " WHERE key = ?",
                (frames, events, seconds, key),
            )

    def finish(self, key: str) -> None:
        """The source has been read to its end: its looks are not needed any more."""
        with self._change(commit=True):
            self._db.execute("UPDATE runs SET finished_at = ? WHERE key = ?", (now().isoformat(), key))
            self._db.execute("DELETE FROM looks WHERE key = ?", (key,))

    def commit(self) -> None:
        """Put everything noted on disk."""
        with self._change(commit=True):
            pass

    @contextmanager
    def _change(self, *, commit: bool = False) -> Iterator[None]:
        """A change within the open transaction, which is closed every COMMIT_EVERY_S or when asked."""
        with self._lock:
            try:
                if not self._db.in_transaction:
                    self._db.execute("BEGIN IMMEDIATE")
                yield
                if commit or time.monotonic() - self._committed >= COMMIT_EVERY_S:
                    self._db.execute("COMMIT")
                    self._committed = time.monotonic()
            except sqlite3.Error as error:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
                    raise StorageFullError(
                        f"{self._path} has no room left; progress was kept up to {COMMIT_EVERY_S:.0f} s ago.",
                        action="Free disk space and run the same command again.",
                    ) from error
                raise UnavailableError(f"{self._path} could not be written ({error}).") from error


def _words(detections: Detections) -> str:
    """A line for each object: its name and, after a tab, what else it may be."""
    seconds = [name for name, _ in detections.seconds]
    return "\n".join("\t".join(names) for names in zip(detections.labels, seconds or detections.labels, strict=True))


def _pack(detections: Detections) -> bytes:
    """Boxes and scores, bit for bit: little-endian float32, six numbers an object, the last its second's score."""
    seconds = np.array([score for _, score in detections.seconds] or [-1.0] * len(detections), np.float32)
    columns = [detections.boxes, detections.scores[:, None], seconds[:, None]]
    return np.concatenate(columns, axis=1).astype("<f4").tobytes()


def _unpack(words: str, numbers: bytes) -> Detections:
    rows = np.frombuffer(numbers, dtype="<f4").reshape(-1, 6).astype(np.float32)
    names = [line.split("\t") for line in words.split("\n")] if words else []
    told = bool((rows[:, 5] >= 0).all())
    seconds = tuple((second, float(row[5])) for (_, second), row in zip(names, rows, strict=True)) if told else ()
    labels = tuple(label for label, _ in names)
    return Detections(np.ascontiguousarray(rows[:, :4]), labels, np.ascontiguousarray(rows[:, 4]), seconds)
