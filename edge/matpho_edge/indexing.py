"""Real material through the same pipeline: a file, a folder or a live address, into the same outbox; safe to cut off.

A run is resumed exactly: the detector's answers so far are remembered and played back through gate, tracker and rules,
so that tracks keep their ids, and an event's id follows from the source's bytes, the track and the time.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import av
import av.error

from matpho_contracts.errors import BadInputError, UnavailableError
from matpho_edge.compose import Place
from matpho_edge.gate import GateParameters
from matpho_edge.indexing_identity import event_ids, file_digest
from matpho_edge.indexing_state import IndexState, RunState
from matpho_edge.pipeline import CameraPipeline
from matpho_edge.pipeline_analyst import Analyst, AnalystOptions
from matpho_edge.pipeline_turns import Turns
from matpho_edge.rules import RuleSettings
from matpho_edge.streams import open_source
from matpho_edge.streams.address import LiveAddress, parse_address
from matpho_edge.streams.files import PICTURE_SUFFIXES
from matpho_edge.streams.opening import VIDEO_SUFFIXES, folder_files
from matpho_edge.track import TrackerParameters

if TYPE_CHECKING:
    from matpho_edge.credentials import Credentials
    from matpho_edge.detect import Detector
    from matpho_edge.detections import Detections
    from matpho_edge.frames import Frame
    from matpho_edge.outbox import Sink
    from matpho_embeddings.encoder import Encoder

FIRST_PICTURE_S = 30.0
"""How long a live source may take to show its first picture before the run gives up with the reason."""
_STATE_FILE = "index.db"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come. `total` is an estimate from the files' own word, None for a live source."""

    source: str
    done: int
    total: int | None
    events: int
    """New events so far."""


@dataclass(slots=True)
class IndexReport:
    """What a run has done. Pictures are those sampled at the analysed rate."""

    files: int = 0
    already_done: int = 0
    """Files that an earlier run had finished: nothing was read of them."""
    frames: int = 0
    analysed: int = 0
    events: int = 0
    repeats: int = 0
    without_vectors: int = 0
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Unit:
    """One file with its place in the run."""

    path: Path
    key: str
    started_at: datetime | None


class IndexRun:
    """One `matpho index`. `sink` is the outbox, `state_dir` a folder beside it; both outlive the run."""

    def __init__(
        self,
        source: str,
        place: Place,
        *,
        detector: Detector,
        encoder: Encoder | None,
        sink: Sink,
        state_dir: Path,
        started_at: datetime | None = None,
        fps: float = 5.0,
        options: AnalystOptions | None = None,
        credentials: Credentials | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> None:
        """`started_at` (aware) is when the first picture of a file was seen; left out, each file's own word counts."""
        if started_at is not None and started_at.tzinfo is None:
            raise BadInputError("A start time needs an offset.", action="Write 2026-11-21T14:30:00+07:00.")
        self._source, self._place = source, place
        self._detector, self._encoder, self._sink = detector, encoder, sink
        self._state_dir, self._started_at, self._fps = state_dir, started_at, fps
        self._options = options or AnalystOptions()
        self._credentials = credentials
        self._on_progress = on_progress or (lambda progress: None)
        self._report = IndexReport()
        self._base = 0
        self._total: int | None = None

    async def run(self) -> IndexReport:
        """Read the source to its end; cancel to stop, run again to go on.

        Raises BadInputError (no video, no such kind of source), NotFoundError, UnavailableError (a camera that does not
        answer or refuses the password; a full disk). What was found before is kept in every case.
        """
        found = parse_address(self._source, self._credentials)
        if isinstance(found, LiveAddress):
            await self._live(found)
            return self._report
        paths = [found] if found.is_file() else folder_files(found, PICTURE_SUFFIXES | VIDEO_SUFFIXES)
        state = await asyncio.to_thread(IndexState, self._state_dir / _STATE_FILE)
        try:
            await self._files(paths, state)
        finally:
            await asyncio.to_thread(state.close)
        return self._report

    async def _files(self, paths: Sequence[Path], state: IndexState) -> None:
        self._total = await asyncio.to_thread(lambda: sum(estimate(path, self._fps) for path in paths))
        start, failures = self._started_at, []
        for path in paths:
            digest = await asyncio.to_thread(file_digest, path)
            unit = _Unit(path, self._key(digest), start)
            self._report.files += 1
            try:
                await self._file(unit, state)
            except BadInputError as error:
                if len(paths) == 1:
                    raise
                failures.append(error)
                self._report.warnings.append(error.message)
            if start is not None:
                start += timedelta(seconds=state.run(unit.key).seconds + 1 / (self._fps or 25.0))
        if failures and len(failures) == len(paths):
            raise failures[0]

    def _key(self, digest: str) -> str:
        """What makes two runs one: the same bytes, camera, detector and rate."""
        text = f"{digest}|{self._place.camera_id}|{self._detector.name}|{self._fps:g}"
        return hashlib.sha256(text.encode()).hexdigest()

    async def _file(self, unit: _Unit, state: IndexState) -> None:
        known = await asyncio.to_thread(state.run, unit.key)
        if known.finished:
            self._report.already_done += 1
            self._base += known.frames
            self._tell(0)
            return
        analyst = self._analyst(unit)
        source = open_source(
            str(unit.path),
            camera_id=self._place.camera_id,
            fps=self._fps,
            started_at=known.started_at or unit.started_at,
        )
        try:
            last = await self._pictures(source.frames(), analyst, unit, state, known)
            await _finish(asyncio.to_thread(analyst.finish))
            await asyncio.to_thread(state.finish, unit.key)
            self._base += last
        finally:
            await source.close()
            self._add(analyst)
            self._report.warnings += getattr(source, "warnings", [])

    async def _pictures(
        self, frames: AsyncIterator[Frame], analyst: Analyst, unit: _Unit, state: IndexState, known: RunState
    ) -> int:
        """Every picture once, in order; returns how many there were."""
        remembered = await asyncio.to_thread(state.looks, unit.key)
        number, still_picture = 0, unit.path.suffix.lower() in PICTURE_SUFFIXES
        async for frame in frames:
            number += 1
            if number == 1 and known.started_at is None:
                began = frame.captured_at - timedelta(seconds=frame.media_seconds)
                await asyncio.to_thread(state.begin, unit.key, unit.path.name, self._place.camera_id, began)
            wanted = analyst.open_for(frame).analyse or still_picture
            if wanted:
                await _finish(asyncio.to_thread(self._one, analyst, frame, number, unit.key, state, remembered))
            state.advance(unit.key, number, analyst.counts.events, frame.media_seconds)
            self._report.frames += 1
            self._tell(number, analyst.counts.events)
        return number

    def _one(
        self,
        analyst: Analyst,
        frame: Frame,
        number: int,
        key: str,
        state: IndexState,
        remembered: Mapping[int, Detections],
    ) -> None:
        """One look, or its playback; events are on disk before the look is remembered."""
        found = remembered.get(number)
        if found is not None:
            analyst.replay(frame, found)
            return
        analyst.look(frame)
        state.look(key, number, analyst.last_detections)

    def _analyst(self, unit: _Unit) -> Analyst:
        options = self._options
        if unit.path.suffix.lower() in PICTURE_SUFFIXES:
            options = _for_single_pictures(options)
        return Analyst(
            self._place,
            self._detector,
            self._sink,
            encoder=self._encoder,
            options=options,
            new_id=event_ids(unit.key),
            remember=True,
        )

    async def _live(self, address: LiveAddress) -> None:
        """A live address until cancelled; gives up with the reason when no picture ever comes."""
        source = open_source(
            self._source, camera_id=self._place.camera_id, fps=self._fps, credentials=self._credentials
        )
        analyst = Analyst(self._place, self._detector, self._sink, encoder=self._encoder, options=self._options)
        turns = Turns()
        pipeline = CameraPipeline(analyst, turns)
        reading = asyncio.create_task(pipeline.run(source))
        try:
            await self._first_picture(pipeline, source, reading, address)
            while not reading.done():
                self._report.frames = pipeline.stats.frames
                self._tell(pipeline.stats.frames, analyst.counts.events)
                await asyncio.wait([reading], timeout=0.5)
            await reading
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await source.close()
            await asyncio.to_thread(turns.close)
            self._report.frames = pipeline.stats.frames
            self._add(analyst)

    async def _first_picture(
        self, pipeline: CameraPipeline, source: object, reading: asyncio.Task[None], address: LiveAddress
    ) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + FIRST_PICTURE_S
        while pipeline.stats.frames == 0 and not reading.done():
            status = getattr(source, "status", None)
            refused = status is not None and status.reason_code == "camera_auth"
            if refused or loop.time() > until:
                reason = status.reason if status is not None and status.reason else f"{address.shown}: no picture came."
                raise LiveSourceError(reason, action="Check the address, the user and the password.")
            await asyncio.sleep(0.1)

    def _add(self, analyst: Analyst) -> None:
        self._report.analysed += analyst.counts.analysed
        self._report.events += analyst.counts.events
        self._report.repeats += analyst.counts.repeats
        self._report.without_vectors += analyst.without_vectors

    def _tell(self, number: int, events: int = 0) -> None:
        done = self._base + number
        total = None if self._total is None else max(self._total, done)
        self._on_progress(Progress(self._place.camera_id, done, total, self._report.events + events))


class LiveSourceError(UnavailableError):
    """A live source given by hand never showed a picture: wrong address or password, or the camera is away."""

    code = "live_source"
    exit_code = 2


def estimate(path: Path, fps: float) -> int:
    """About how many pictures a file holds at the analysed rate; 1 where it does not say, 0 where it is none."""
    if path.suffix.lower() in PICTURE_SUFFIXES:
        return 1
    try:
        with av.open(str(path)) as container:
            stream = next(iter(container.streams.video), None)
            if stream is None:
                return 0
            seconds = (container.duration or 0) / av.time_base
            rate = float(stream.average_rate or 25)
            return max(1, round(seconds * (min(fps, rate) if fps else rate)))
    except (av.error.FFmpegError, OSError, ValueError):
        return 0


def _for_single_pictures(options: AnalystOptions) -> AnalystOptions:
    """A picture alone is all there is: what it shows is sure at the first look."""
    rules = options.rules
    seen = rules.object_seen.model_copy(
        update={"min_looks": 1, "patience": 1, "better_look_s": 0.0, "same_place_s": 0.0}
    )
    sure = {"looks": 1, "needed": 1}
    chosen = {
        name: rule.model_copy(update={"enabled": False})
        for name, rule in ((name, getattr(rules, name)) for name in RuleSettings.model_fields)
        if name not in ("object_seen", "fire", "smoke")
    }
    changed = rules.model_copy(
        update={
            **chosen,
            "object_seen": seen,
            "fire": rules.fire.model_copy(update=sure),
            "smoke": rules.smoke.model_copy(update=sure),
        }
    )
    return AnalystOptions(
        zones=options.zones, rules=changed, gate=GateParameters(), tracker=TrackerParameters(min_hits=1)
    )


async def _finish(work: Awaitable[object]) -> None:
    """Await the work; when cancelled meanwhile, let it end first: half a look is no state to stop in."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise
