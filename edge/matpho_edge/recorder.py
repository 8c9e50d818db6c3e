"""The ring recorder: every camera's own stream kept as it came, oldest first to go, held ones never."""

from __future__ import annotations

import errno
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Literal

import av.error

from matpho_contracts.edge_api import MAX_CLIP_BYTES, MAX_CLIP_SECONDS
from matpho_contracts.errors import BadInputError, MatphoError, NotFoundError, StorageFullError, UnavailableError
from matpho_contracts.ids import is_short_id
from matpho_contracts.times import from_unix_ms, now, unix_ms
from matpho_edge.recorder_clip import ClipFile, Gap, Part, cut
from matpho_edge.recorder_index import Hold, Holds, Segment, SegmentIndex, segment_path, start_of
from matpho_edge.recorder_segments import SegmentWriter, probe
from matpho_edge.streams.packets import CodedPacket, CodedStream, PacketSink

__all__ = ["ClipFile", "Gap", "Hold", "Recorder", "RecorderStatus", "RingLimits"]

MAX_WAITING_BYTES = 32 * 1024 * 1024
"""Coded pictures of one camera that may wait for a slow disk; what comes on top is left out and counted."""

TIDY_EVERY_S = 5.0
RETRY_AFTER_S = 5.0


@dataclass(frozen=True, slots=True)
class RingLimits:
    """How much is kept. `min_free_bytes` of the disk always stay free for the events; times in hours and seconds."""

    max_bytes: int = 100 * 1024**3
    max_hours: float = 72.0
    min_free_bytes: int = 1024**3
    segment_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class RecorderStatus:
    """How the recorder is: `full` and `failed` carry the error; it tries again by itself."""

    state: Literal["recording", "full", "failed"] = "recording"
    segments: int = 0
    bytes: int = 0
    oldest: datetime | None = None
    free_bytes: int = 0
    dropped_packets: int = 0
    error: MatphoError | None = None


class CameraSink:
    """Where one camera's packets go (a PacketSink): into a bounded queue, never waiting for the disk."""

    def __init__(self, camera_id: str, queue: SimpleQueue[_Note]) -> None:
        self.camera_id = camera_id
        self._queue = queue
        self._lock = threading.Lock()
        self._waiting = 0
        self._until_key = False
        self.dropped = 0

    def opened(self, stream: CodedStream) -> None:
        """A connection begins."""
        self._queue.put((self, stream))

    def packet(self, packet: CodedPacket) -> None:
        """The next coded picture; left out while the disk is too far behind."""
        with self._lock:
            full = self._waiting + len(packet.data) > MAX_WAITING_BYTES
            if full or (self._until_key and not packet.is_key):
                self._until_key = True
                self.dropped += 1
                return
            self._until_key = False
            self._waiting += len(packet.data)
        self._queue.put((self, packet))

    def lost(self) -> None:
        """The connection has ended."""
        self._queue.put((self, None))

    def written(self, packet: CodedPacket) -> None:
        """The recorder has taken the packet off the queue."""
        with self._lock:
            self._waiting -= len(packet.data)


_Note = tuple[CameraSink, CodedStream | CodedPacket | None] | None
"""What travels to the writing thread: a stream begins, a picture, a stream ends; None alone: stop."""

_NOTHING: _Note = (CameraSink("nobody", SimpleQueue()), None)
"""Nothing came in time: only tidy up."""


@dataclass(slots=True)
class _Track:
    """The writing thread's view of one camera."""

    stream: CodedStream | None = None
    writer: SegmentWriter | None = None
    segment: Segment | None = None


def free_bytes(folder: Path) -> int:
    """Bytes free on the folder's disk."""
    return shutil.disk_usage(folder).free


class Recorder:
    """Keeps what cameras send in segments of about ten seconds under `root`, as `YYYY-MM-DD/HH/<camera>/MM.SS.mmm.mp4`.

    One thread writes for all cameras; nothing that the disk does reaches the cameras' threads. Opening measures again
    what a power cut left unfinished. Use `sink(camera_id)` as the `sink` of `open_source`.
    """

    def __init__(
        self, root: Path, limits: RingLimits | None = None, *, room: Callable[[Path], int] = free_bytes
    ) -> None:
        self._limits = limits or RingLimits()
        self._root = root
        self._room = room
        root.mkdir(parents=True, exist_ok=True)
        self._holds = Holds(root / "holds")
        self._index = SegmentIndex(root / "index.sqlite")
        self._queue: SimpleQueue[_Note] = SimpleQueue()
        self._sinks: dict[str, CameraSink] = {}
        self._tracks: dict[str, _Track] = {}
        self._lock = threading.Lock()
        self._error: MatphoError | None = None
        self._retry_at = 0.0
        self._closed = False
        self._recover()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    # --- for everybody -------------------------------------------------------------------------------------------

    def sink(self, camera_id: str) -> PacketSink:
        """Where `camera_id`'s packets go; the same sink for the same camera. Raises BadInputError for a bad id."""
        if not is_short_id(camera_id):
            raise BadInputError("Mã camera không hợp lệ (not a valid camera id).")
        with self._lock:
            return self._sinks.setdefault(camera_id, CameraSink(camera_id, self._queue))

    @property
    def status(self) -> RecorderStatus:
        """How the recorder is at this moment."""
        count, size, oldest = self._index.totals()
        with self._lock:
            dropped, error = sum(sink.dropped for sink in self._sinks.values()), self._error
        state: Literal["recording", "full", "failed"] = "recording"
        if error is not None:
            state = "full" if isinstance(error, StorageFullError) else "failed"
        when = None if oldest is None else from_unix_ms(oldest)
        return RecorderStatus(state, count, size, when, self._free(), dropped, error)

    def clip(self, camera_id: str, start: datetime, end: datetime, out: Path) -> ClipFile:
        """Cut [start, end] (aware, at most ten minutes) into `out`, an MP4 for browsers, without coding it again.

        Blocks while it copies: from asyncio use `asyncio.to_thread`. Raises BadInputError (range, size), NotFoundError
        (nothing recorded then), StorageFullError.
        """
        if start.tzinfo is None or end.tzinfo is None:
            raise BadInputError("Giờ cần múi giờ (times need an offset).")
        if not timedelta(0) < end - start <= timedelta(seconds=MAX_CLIP_SECONDS):
            raise BadInputError(f"Đoạn cắt phải dài từ 0 đến {MAX_CLIP_SECONDS} giây (clip length out of range).")
        wanted = self._index.overlapping(camera_id, unix_ms(start), unix_ms(end))
        if not wanted:
            raise NotFoundError(
                f"{camera_id}: không có hình nào được ghi lúc đó (nothing was recorded then).",
                action="Chọn giờ khác / choose another time.",
            )
        parts = [Part(self._root / one.path, from_unix_ms(one.start_ms)) for one in wanted]
        return cut(parts, start, end, out, max_bytes=MAX_CLIP_BYTES)

    def recorded(self, camera_id: str, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
        """The stretches recorded within [start, end], by segment; UTC."""
        live = now()
        return [
            (from_unix_ms(one.start_ms), live if one.end_ms is None else from_unix_ms(one.end_ms))
            for one in self._index.overlapping(camera_id, unix_ms(start), unix_ms(end))
        ]

    def hold(self, camera_id: str, start: datetime, end: datetime, reason: str) -> Hold:
        """Keep [start, end] of a camera whatever the limits say, until released; on disk when this returns."""
        if not is_short_id(camera_id) or end < start or not reason.strip():
            raise BadInputError("Lệnh giữ cần camera, khoảng giờ và lý do (a hold needs a camera, a range, a reason).")
        return self._holds.add(camera_id, start, end, reason)

    def release(self, hold_id: str) -> None:
        """End a hold; raises NotFoundError."""
        self._holds.release(hold_id)

    def holds(self) -> Sequence[Hold]:
        """Holds in force; raises IntegrityError when one cannot be read."""
        self._holds.check()
        return self._holds.all()

    def close(self) -> None:
        """Finish the open segments and stop; what waits in the queue is written first."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self._thread.join()
            self._index.close()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- the writing thread --------------------------------------------------------------------------------------

    def _run(self) -> None:
        tidied = 0.0
        while True:
            try:
                note = self._queue.get(timeout=TIDY_EVERY_S)
            except Empty:
                note = _NOTHING
            if note is None:
                break
            if note is not _NOTHING:
                self._guarded(partial(self._handle, *note))
            if time.monotonic() - tidied > TIDY_EVERY_S:
                tidied = time.monotonic()
                self._guarded(self._tidy)
        for camera_id in list(self._tracks):
            self._guarded(partial(self._finish, self._tracks[camera_id]))

    def _guarded(self, action: Callable[[], None]) -> None:
        """Whatever the disk does is a state of the recorder and never its end."""
        try:
            action()
        except (av.error.FFmpegError, OSError, ValueError, MatphoError) as error:
            self._fail(error)

    def _handle(self, sink: CameraSink, what: CodedStream | CodedPacket | None) -> None:
        track = self._tracks.setdefault(sink.camera_id, _Track())
        if isinstance(what, CodedPacket):
            sink.written(what)
            try:
                self._packet(sink.camera_id, track, what)
            except BaseException:
                self._abandon(track)
                sink.dropped += 1
                raise
            return
        self._finish(track)
        track.stream = what

    def _packet(self, camera_id: str, track: _Track, packet: CodedPacket) -> None:
        if track.stream is None:
            return
        if track.writer is not None:
            age = (packet.captured_at - track.writer.start).total_seconds()
            if not track.writer.fits(packet) or (packet.is_key and age >= self._limits.segment_seconds):
                self._finish(track)
        if track.writer is not None:
            track.writer.write(packet)
        elif packet.is_key and time.monotonic() >= self._retry_at:
            self._begin(camera_id, track, track.stream, packet)

    def _begin(self, camera_id: str, track: _Track, stream: CodedStream, packet: CodedPacket) -> None:
        self._make_room()
        path = segment_path(camera_id, packet.captured_at)
        track.segment = Segment(path, camera_id, unix_ms(packet.captured_at), None, 0)
        self._index.put(track.segment)
        track.writer = SegmentWriter(self._root / path, stream, packet)
        with self._lock:
            self._error = None

    def _finish(self, track: _Track) -> None:
        writer, segment = track.writer, track.segment
        track.writer = track.segment = None
        if writer is not None and segment is not None:
            try:
                size = writer.close()
            except (av.error.FFmpegError, OSError):
                self._measure(segment)
                raise
            self._index.put(replace(segment, end_ms=unix_ms(writer.end), bytes=size))

    def _abandon(self, track: _Track) -> None:
        """A write failed: what reached the disk stays readable and is measured, the rest is lost."""
        segment = track.segment
        with suppress(av.error.FFmpegError, OSError):
            self._finish(track)
        if segment is not None:
            self._measure(segment)

    def _fail(self, error: Exception) -> None:
        code = getattr(error, "errno", None)
        full = isinstance(error, StorageFullError) or code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        reason = error if isinstance(error, MatphoError) else None
        if reason is None:
            reason = (
                StorageFullError("Ổ đĩa đầy, tạm ngừng ghi hình (disk full, recording pauses).")
                if full
                else UnavailableError(f"Không ghi được hình (recording failed: {type(error).__name__}).")
            )
        self._retry_at = time.monotonic() + RETRY_AFTER_S
        with self._lock:
            self._error = reason

    # --- room ----------------------------------------------------------------------------------------------------

    def _free(self) -> int:
        try:
            return self._room(self._root)
        except OSError:
            return 0

    def _tidy(self) -> None:
        """Delete what is too old or too much, oldest first, never what is held."""
        oldest_kept = unix_ms(now() - timedelta(hours=self._limits.max_hours))
        _, total, _ = self._index.totals()
        for segment in self._index.oldest():
            too_old = segment.end_ms is not None and segment.end_ms < oldest_kept
            if not too_old and total <= self._limits.max_bytes:
                break
            if not self._holds.covers(segment):
                self._delete(segment)
                total -= segment.bytes

    def _make_room(self) -> None:
        """Raise StorageFullError unless the disk has room, after deleting the oldest that may go."""
        if self._free() >= self._limits.min_free_bytes:
            return
        for segment in self._index.oldest():
            if not self._holds.covers(segment):
                self._delete(segment)
                if self._free() >= self._limits.min_free_bytes:
                    return
        raise StorageFullError(
            "Ổ đĩa đầy, tạm ngừng ghi hình (disk full, recording pauses).",
            action="Thêm chỗ hoặc giải phóng đoạn đang giữ / add room or release holds; recording resumes by itself.",
        )

    def _delete(self, segment: Segment) -> None:
        file = self._root / segment.path
        file.unlink(missing_ok=True)
        self._index.remove(segment.path)
        for folder in list(file.parents)[:3]:
            try:
                folder.rmdir()
            except OSError:
                break  # Others still live there.

    # --- after a power cut ---------------------------------------------------------------------------------------

    def _recover(self) -> None:
        """Make the index true: forget files that are gone, measure those unfinished or unknown."""
        known = self._index.all_paths()
        present = {file.relative_to(self._root).as_posix(): file for file in self._root.glob("*/*/*/*.mp4")}
        for path in known.keys() - present.keys():
            self._index.remove(path)
        for path, file in present.items():
            segment = known.get(path)
            start = start_of(path)
            if start is not None and (segment is None or segment.end_ms is None):
                self._measure(Segment(path, file.parent.name, unix_ms(start), None, 0))

    def _measure(self, segment: Segment) -> None:
        """Enter a segment with the range that can really be read; one without a single picture is deleted."""
        measured = probe(self._root / segment.path)
        if measured is None:
            if not self._holds.covers(segment):
                self._delete(segment)
            return
        end = segment.start_ms + round(measured.seconds * 1000)
        self._index.put(replace(segment, end_ms=end, bytes=measured.bytes))
