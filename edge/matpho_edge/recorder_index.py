"""What the ring recorder holds: segments by camera and time in SQLite, legal holds in files of their own."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from matpho_contracts.errors import IntegrityError, NotFoundError
from matpho_contracts.ids import new_event_id
from matpho_contracts.times import from_rfc3339, from_unix_ms, to_rfc3339, unix_ms

MAX_HOLD_BYTES = 16 * 1024
MAX_REASON_CHARACTERS = 500

_SCHEMA = """
CREATE TABLE IF NOT EXISTS segments (
  path TEXT PRIMARY KEY, camera_id TEXT NOT NULL, start_ms INTEGER NOT NULL, end_ms INTEGER, bytes INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS segments_by_camera ON segments (camera_id, start_ms);
CREATE INDEX IF NOT EXISTS segments_by_time ON segments (start_ms);
"""


@dataclass(frozen=True, slots=True)
class Segment:
    """One file of the ring: `path` relative to the root, wall-clock range in Unix ms; `end_ms` None while written."""

    path: str
    camera_id: str
    start_ms: int
    end_ms: int | None
    bytes: int


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold: what was recorded by a camera in [start, end] must not be deleted until it is released."""

    id: str
    camera_id: str
    start: datetime
    end: datetime
    reason: str

    def covers(self, segment: Segment) -> bool:
        """Whether any moment of the segment is held."""
        end_ms = segment.end_ms if segment.end_ms is not None else segment.start_ms + 3_600_000
        same = self.camera_id == segment.camera_id
        return same and segment.start_ms <= unix_ms(self.end) and end_ms >= unix_ms(self.start)


def segment_path(camera_id: str, start: datetime) -> str:
    """`YYYY-MM-DD/HH/<camera>/MM.SS.mmm.mp4`, UTC: the start can be read from the name alone."""
    utc = start.astimezone(UTC)
    return f"{utc:%Y-%m-%d}/{utc:%H}/{camera_id}/{utc:%M.%S}.{utc.microsecond // 1000:03d}.mp4"


def start_of(path: str) -> datetime | None:
    """The start that a segment's path tells; None for a file that is no segment."""
    try:
        day, hour, _, name = path.split("/")
        minute, second, milliseconds, suffix = name.split(".")
        if suffix != "mp4":
            return None
        text = f"{day}T{hour}:{minute}:{second}.{milliseconds}+00:00"
        return datetime.fromisoformat(text)
    except ValueError:
        return None


class SegmentIndex:
    """The table of segments. It can always be rebuilt from the files, so a damaged one is set aside, not trusted."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        try:
            self._connection = self._open(file)
        except sqlite3.DatabaseError:
            file.replace(file.with_suffix(".damaged"))
            for suffix in ("-wal", "-shm"):
                file.with_name(file.name + suffix).unlink(missing_ok=True)
            self._connection = self._open(file)

    @staticmethod
    def _open(file: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None, timeout=10)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.executescript(_SCHEMA)
            connection.execute("PRAGMA quick_check").fetchone()
        except sqlite3.DatabaseError:
            connection.close()
            raise
        return connection

    @contextmanager
    def _cursor(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            yield self._connection

    def put(self, segment: Segment) -> None:
        """Add a segment or say how it ended."""
        with self._cursor() as sql:
            sql.execute(
                "INSERT OR REPLACE INTO segments VALUES (?, ?, ?, ?, ?)",
                (segment.path, segment.camera_id, segment.start_ms, segment.end_ms, segment.bytes),
            )

    def remove(self, path: str) -> None:
        """Forget a segment."""
        with self._cursor() as sql:
            sql.execute("DELETE FROM segments WHERE path = ?", (path,))

    def overlapping(self, camera_id: str, start_ms: int, end_ms: int) -> list[Segment]:
        """Segments of a camera that touch [start, end], by start; the one being written always counts."""
        with self._cursor() as sql:
            rows = sql.execute(
                "SELECT * FROM segments WHERE camera_id = ? AND start_ms <= ? AND (end_ms IS NULL OR end_ms >= ?)"
                " ORDER BY start_ms",
                (camera_id, end_ms, start_ms),
            ).fetchall()
        return [Segment(*row) for row in rows]

    def oldest(self) -> Iterator[Segment]:
        """Finished segments of all cameras, oldest first."""
        with self._cursor() as sql:
            rows = sql.execute("SELECT * FROM segments WHERE end_ms IS NOT NULL ORDER BY start_ms").fetchall()
        return (Segment(*row) for row in rows)

    def all_paths(self) -> dict[str, Segment]:
        """Every segment by its path."""
        with self._cursor() as sql:
            return {row[0]: Segment(*row) for row in sql.execute("SELECT * FROM segments")}

    def totals(self) -> tuple[int, int, int | None]:
        """(segments, bytes, start of the oldest in Unix ms)."""
        with self._cursor() as sql:
            count, size, oldest = sql.execute("SELECT count(*), total(bytes), min(start_ms) FROM segments").fetchone()
        return int(count), int(size), oldest

    def close(self) -> None:
        """Let go of the file."""
        with self._cursor() as sql:
            sql.close()


class Holds:
    """Legal holds, one small file each, written durably. While one cannot be read, nothing may be deleted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        self.unreadable: list[str] = []
        self._holds: dict[str, Hold] = {}
        for file in sorted(folder.glob("*.json")):
            try:
                hold = _read_hold(file)
            except (OSError, ValueError, KeyError, TypeError):
                self.unreadable.append(file.name)
            else:
                self._holds[hold.id] = hold

    def all(self) -> Sequence[Hold]:
        """Every hold in force, oldest first."""
        with self._lock:
            return tuple(sorted(self._holds.values(), key=lambda hold: hold.id))

    def add(self, camera_id: str, start: datetime, end: datetime, reason: str) -> Hold:
        """Hold a stretch; on disk before this returns."""
        hold = Hold(new_event_id(), camera_id, start, end, reason[:MAX_REASON_CHARACTERS])
        document = {"camera_id": camera_id, "start": to_rfc3339(start), "end": to_rfc3339(end), "reason": hold.reason}
        file = self._folder / f"{hold.id}.json"
        temporary = file.with_suffix(".new")
        with temporary.open("w", encoding="utf-8") as target:
            json.dump(document, target, ensure_ascii=False)
            target.flush()
            os.fsync(target.fileno())
        temporary.replace(file)
        _sync_folder(self._folder)
        with self._lock:
            self._holds[hold.id] = hold
        return hold

    def release(self, hold_id: str) -> None:
        """End a hold; raises NotFoundError."""
        with self._lock:
            if self._holds.pop(hold_id, None) is None:
                raise NotFoundError("Không có lệnh giữ này (no such hold).")
        with suppress(FileNotFoundError):
            (self._folder / f"{hold_id}.json").unlink()
        _sync_folder(self._folder)

    def covers(self, segment: Segment) -> bool:
        """Whether a segment must be kept; everything is while a hold cannot be read."""
        return bool(self.unreadable) or any(hold.covers(segment) for hold in self.all())

    def check(self) -> None:
        """Raise IntegrityError when a hold's file cannot be read."""
        if self.unreadable:
            raise IntegrityError(
                f"Lệnh giữ không đọc được: {', '.join(self.unreadable[:5])} (unreadable legal holds).",
                action="Khôi phục tệp; đến lúc đó không gì bị xóa / restore them; until then nothing is deleted.",
            )


def _read_hold(file: Path) -> Hold:
    if file.stat().st_size > MAX_HOLD_BYTES:
        raise ValueError("too large")
    document = json.loads(file.read_text(encoding="utf-8"))
    start, end = from_rfc3339(document["start"]), from_rfc3339(document["end"])
    return Hold(file.stem, str(document["camera_id"]), start, end, str(document.get("reason", "")))


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def range_of(segment: Segment) -> tuple[datetime, datetime | None]:
    """A segment's wall-clock range, UTC."""
    return from_unix_ms(segment.start_ms), None if segment.end_ms is None else from_unix_ms(segment.end_ms)
