"""A video file as a source of frames: its own clock, its own start time, an honest word when it is cut short."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import av
import av.error
from av.container import InputContainer

from matpho_contracts.errors import MatphoError
from matpho_edge.streams.decoding import (
    DecoderOptions,
    check_size,
    open_file,
    prepare,
    recorded_at,
)
from matpho_edge.streams.errors import UnreadableVideoError
from matpho_edge.streams.handover import Handover
from matpho_edge.streams.picture import Converter, DecodedFrame
from matpho_edge.streams.sampling import MediaClock, Sampler
from matpho_edge.streams.status import SourceStatus, StatusCallback, StatusKeeper

QUEUE = 8
SHORT_BY_S = 2.0
"""A file that ends this much before its announced end (and 5 % of it) was cut short."""

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
MAX_PICTURE_BYTES = 20 * 1024 * 1024


class Stopped(Exception):  # noqa: N818 -- a signal between our own functions, not an error
    """The taker has let go."""


class Emit(Protocol):
    """Hands one frame on; raises Stopped when nobody wants more."""

    def __call__(self, frame: DecodedFrame) -> None:
        """Take the frame."""


class Warn(Protocol):
    """Takes a reason for people and its code."""

    def __call__(self, reason: str, code: str) -> None:
        """Remember it."""


class FileSource:
    """One file or several, one after the other, as a FrameSource. Nothing is dropped: a slow taker slows the reading.

    A lone file that cannot be read raises UnreadableVideoError from `frames()`; among several it is named in
    `warnings` and left out. A file that breaks off gives its frames up to there, then `status` is `degraded`.
    """

    def __init__(
        self,
        paths: list[Path],
        *,
        camera_id: str,
        fps: float,
        started_at: datetime | None = None,
        decoder: DecoderOptions | None = None,
        on_status: StatusCallback | None = None,
    ) -> None:
        self.camera_id = camera_id
        self.warnings: list[str] = []
        self._paths = paths
        self._reader = FileReader(camera_id, fps, decoder or DecoderOptions(), self._warn)
        self._started_at = started_at
        self._on_status = on_status
        self._keeper = StatusKeeper(camera_id, self._tell)
        self._queue: Handover[DecodedFrame] = Handover(QUEUE, drop_oldest=False)
        self._thread: threading.Thread | None = None

    @property
    def status(self) -> SourceStatus:
        """`online` while reading, `degraded` with the reason after a broken file, `offline` at the end."""
        return self._keeper.current

    async def frames(self) -> AsyncIterator[DecodedFrame]:
        """Frames in order of time; raises UnreadableVideoError when there is nothing to read at all."""
        if self._thread is not None:
            raise RuntimeError("frames() of a file is iterated once")
        self._queue.attach()
        self._thread = threading.Thread(target=self._run, name=f"file-{self.camera_id}", daemon=True)
        self._thread.start()
        try:
            while (frame := await self._queue.take()) is not None:
                yield frame
        finally:
            self._queue.abandon()

    async def close(self) -> None:
        """Stop reading and let go of the file."""
        self._queue.abandon()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    def _tell(self, status: SourceStatus) -> None:
        if self._on_status is not None:
            self._queue.call(self._on_status, status)

    def _warn(self, reason: str, code: str) -> None:
        self.warnings.append(reason)
        self._keeper.become("degraded", reason, code)

    def _emit(self, frame: DecodedFrame) -> None:
        if self._keeper.current.last_frame_at is None and not self.warnings:
            self._keeper.become("online")
        self._keeper.note(last_frame_at=frame.captured_at, size=frame.size)
        if not self._queue.put(frame):
            raise Stopped

    def _run(self) -> None:
        try:
            error = self._read_all()
        except Stopped:
            error = None
        if not self.warnings and error is None:
            self._keeper.become("offline", "đã đọc hết (read to the end)", "finished")
        elif error is not None:
            self._keeper.become("offline", error.message, error.code)
        self._queue.end(error)

    def _read_all(self) -> MatphoError | None:
        read, failure, start, offset = 0, None, self._started_at, 0.0
        for path in self._paths:
            try:
                length = self._reader.read(path, start, offset, self._emit)
            except MatphoError as error:
                failure = error
                if len(self._paths) > 1:
                    self._warn(error.message, error.code)
                continue
            except OSError as error:
                failure = UnreadableVideoError(f"{path.name}: không đọc được ({type(error).__name__}).")
                continue
            read += 1
            offset += length
            start = start + timedelta(seconds=length) if start is not None else None
        return None if read else failure


class FileReader:
    """Reads one file after another on the thread of its caller."""

    def __init__(self, camera_id: str, fps: float, decoder: DecoderOptions, warn: Warn) -> None:
        self._camera_id = camera_id
        self._fps = fps
        self._decoder = decoder
        self._warn = warn
        self._converter = Converter()
        self._last_seen: datetime | None = None

    def read(self, path: Path, start: datetime | None, offset: float, emit: Emit) -> float:
        """Read a file from `start` (UTC; None: its metadata, else its modification time) with media time from `offset`.

        Returns its length in seconds. Raises UnreadableVideoError when not one picture comes out.
        """
        picture = path.suffix.lower() in PICTURE_SUFFIXES
        if picture and path.stat().st_size > MAX_PICTURE_BYTES:
            raise UnreadableVideoError(f"{path.name}: ảnh quá lớn (picture larger than {MAX_PICTURE_BYTES} bytes).")
        with open_file(path, picture=picture) as container:
            began = start or (None if picture else recorded_at(container))
            began = began or datetime.fromtimestamp(path.stat().st_mtime, UTC)
            length = self._decode(container, path, began, offset, emit)
        return 1 / (self._fps or 1.0) if picture else length

    def _decode(self, container: InputContainer, path: Path, began: datetime, offset: float, emit: Emit) -> float:
        stream = prepare(container, path.name, self._decoder)
        rate = float(stream.average_rate or 25)
        clock, sampler, pictures, broken = MediaClock(1 / rate, max_jump=None), Sampler(self._fps), 0, ""
        try:
            for packet in container.demux(stream):
                for picture in self._pictures(packet):
                    check_size(picture.width, picture.height, path.name)
                    pictures += 1
                    raw = (
                        float(picture.pts * picture.time_base)
                        if picture.pts is not None and picture.time_base
                        else None
                    )
                    seconds = clock.advance(raw)
                    if sampler.is_due(seconds):
                        emit(self._frame(picture, began, offset, seconds, path.name))
        except av.error.FFmpegError as error:
            broken = type(error).__name__
        if not pictures:
            raise UnreadableVideoError(f"{path.name}: không giải mã được hình nào (no picture could be decoded).")
        self._judge_end(container, path.name, clock.seconds, broken)
        return clock.seconds + 1 / rate

    def _pictures(self, packet: av.Packet[av.VideoStream]) -> list[av.VideoFrame]:
        try:
            return packet.decode()
        except (av.error.InvalidDataError, av.error.PatchWelcomeError):
            return []  # One broken picture; the end of the file is judged by its length.

    def _frame(self, picture: av.VideoFrame, began: datetime, offset: float, seconds: float, name: str) -> DecodedFrame:
        seen = began + timedelta(seconds=seconds)
        if self._last_seen is not None:
            seen = max(seen, self._last_seen)
        self._last_seen = seen
        return DecodedFrame(
            picture,
            self._converter,
            camera_id=self._camera_id,
            captured_at=seen,
            media_seconds=offset + seconds,
            origin=name,
        )

    def _judge_end(self, container: InputContainer, name: str, reached: float, broken: str) -> None:
        announced = container.duration / av.time_base if container.duration else 0.0
        if broken or announced - reached > max(SHORT_BY_S, 0.05 * announced):
            promised = f" / {announced:.1f}" if announced else ""
            self._warn(f"{name}: tệp bị cắt ở giây {reached:.1f}{promised} (file breaks off).", "truncated_file")
