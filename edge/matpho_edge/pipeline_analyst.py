"""One camera's judgement, step by step and without a clock of its own: picture in, kept events out.

The steps: 1 mask, 2 gate, 3 detect, 4 track, 5 judge by rules, 6 compose, 7 keep. Cameras and files pass here alike.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import structlog
from numpy.typing import NDArray

from matpho_contracts.errors import MatphoError, UnavailableError
from matpho_contracts.events import Quality
from matpho_contracts.vocabulary import EventType
from matpho_edge.compose import Composed, Composer, Place
from matpho_edge.compose_still import quality
from matpho_edge.detections import Detections
from matpho_edge.gate import GateParameters, GateVerdict, MotionGate
from matpho_edge.pipeline_masks import Masks
from matpho_edge.rules import RuleEngine, RuleHit, RuleSettings, Zone, covered, make_rules
from matpho_edge.track import Tracker, TrackerParameters

if TYPE_CHECKING:
    from matpho_edge.detect import Detector
    from matpho_edge.frames import Frame
    from matpho_edge.outbox import Sink
    from matpho_embeddings.encoder import Encoder

MAX_PENDING = 200
"""Events kept in memory while the outbox has no room; the oldest go first."""
QUALITY_EVERY = timedelta(seconds=5)
CLOCK_JUMP = timedelta(seconds=2)
"""A camera's time that falls back by more than this begins a new story: old tracks mean nothing then."""

Picture = NDArray[np.uint8]

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class AnalystCounts:
    """What one camera's analysis has come to, since the start."""

    gated: int = 0
    """Pictures that the gate saw."""
    analysed: int = 0
    detections: int = 0
    events: int = 0
    repeats: int = 0
    refused: int = 0
    """Events that the outbox could not take and that are gone."""
    by_type: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AnalystOptions:
    """How one camera is judged."""

    zones: tuple[Zone, ...] = ()
    rules: RuleSettings = field(default_factory=RuleSettings)
    gate: GateParameters = field(default_factory=GateParameters)
    tracker: TrackerParameters = field(default_factory=TrackerParameters)


class Analyst:
    """Judges one camera's pictures in order of time. `open_for` is cheap; `look` is for a worker, one at a time."""

    def __init__(
        self,
        place: Place,
        detector: Detector,
        sink: Sink,
        *,
        encoder: Encoder | None = None,
        options: AnalystOptions | None = None,
        new_id: Callable[[RuleHit], str] | None = None,
        remember: bool = False,
    ) -> None:
        self.place = place
        self.counts = AnalystCounts()
        self.quality = Quality()
        """Of the newest picture that was judged for it."""
        self._options = options or AnalystOptions()
        self._detector, self._sink, self._remember = detector, sink, remember
        self._masks = Masks(self._options.zones)
        self._gate = MotionGate(self._options.gate)
        self._composer = Composer(place, self._options.zones, encoder, new_id=new_id)
        self._pending: deque[Composed] = deque(maxlen=MAX_PENDING)
        self.last_detections = Detections.none()
        """What was found at the newest look."""
        self._at: datetime | None = None
        self._measured: datetime | None = None
        self._before: tuple[Picture, Picture] | None = None
        """The picture of the look before, (height, width, 3) BGR, and its brightness plane: it still shows what the
        newest one has lost."""
        self._begin()

    def _begin(self) -> None:
        """Fresh tracks and rules."""
        self._tracker = Tracker(self._options.tracker)
        self._engine = RuleEngine(make_rules(self._options.rules), self._options.zones)

    @property
    def covers(self) -> tuple[EventType, ...]:
        """Event types that the rules can find with this detector."""
        return covered(self._engine.rules, self._detector.labels)

    @property
    def without_vectors(self) -> int:
        """Events that went without vectors because the encoder failed."""
        return self._composer.counts.without_vectors

    def open_for(self, frame: Frame) -> GateVerdict:
        """Steps 1 and 2: whether this picture is worth a look."""
        self.counts.gated += 1
        luma = self._masks.apply(frame.luma())
        if self._measured is None or abs(frame.captured_at - self._measured) >= QUALITY_EVERY:
            self._measured = frame.captured_at
            self.quality = quality(luma)
        return self._gate.look(luma, frame.media_seconds)

    def look(self, frame: Frame) -> list[Composed]:
        """Steps 1 and 3 to 7 on one picture; the events it yields are kept when this returns.

        Raises UnavailableError (StorageFullError) only when events must not be lost (`remember`); else they wait in
        memory for room.
        """
        picture = self._masks.apply(frame.bgr())  # 1
        detections = self._detector.detect([picture])[0].without_twins()  # 3
        self.counts.analysed += 1
        self.counts.detections += len(detections)
        self.last_detections = detections
        luma = self._masks.apply(frame.luma())
        before = self._before
        hits = self._judge(frame, detections, picture, luma)  # 4, 5
        shown = [(hit, before if _is_past(hit) else (picture, luma)) for hit in hits]
        return self._keep([self._composer.compose(hit, *(seen or (None, None))) for hit, seen in shown])  # 6, 7

    def finish(self) -> list[Composed]:
        """Steps 5 to 7 for what was still waited for when the pictures ended; nothing more may be looked at."""
        if self._at is None or self._before is None:
            return []
        nothing = Detections.none()
        tracks = self._tracker.update(nothing, self._time(self._at))
        hits = [hit for hit in self._engine.observe(tracks, nothing, self._at) if _is_past(hit)]
        return self._keep([self._composer.compose(hit, *self._before) for hit in hits])

    def replay(self, frame: Frame, detections: Detections) -> int:
        """Steps 1, 4 and 5 with remembered detections, to come back to where a run was cut off.

        Its events are kept already; returns how many there were.
        """
        picture = self._masks.apply(frame.bgr())
        return len(self._judge(frame, detections, picture, self._masks.apply(frame.luma())))

    def _judge(self, frame: Frame, found: Detections, picture: Picture, luma: Picture) -> list[RuleHit]:
        at = self._time(frame.captured_at)
        tracks = self._tracker.update(found, at)  # 4
        self._composer.views.look(tracks, picture, luma)
        self._before = (picture, luma)
        return self._engine.observe(tracks, found, at)  # 5

    def report(self, hit: RuleHit) -> list[Composed]:
        """Steps 6 and 7 for a hit without a picture (a camera that is offline)."""
        return self._keep([self._composer.compose(hit, None, None)])

    def _time(self, captured_at: datetime) -> datetime:
        """Never back: a small step back is held, a large one begins anew."""
        if self._at is not None and captured_at <= self._at:
            if self._at - captured_at > CLOCK_JUMP:
                self._begin()
            else:
                captured_at = self._at + timedelta(microseconds=1)
        self._at = captured_at
        return captured_at

    def _keep(self, made: Sequence[Composed]) -> list[Composed]:
        """Step 7: on disk, or in memory until there is room."""
        kept = []
        overflow = max(0, len(self._pending) + len(made) - MAX_PENDING)
        self.counts.refused += overflow
        self._pending.extend(made)
        while self._pending:
            composed = self._pending[0]
            try:
                new = self._sink.put(composed, remember=self._remember)
            except UnavailableError as error:
                if self._remember:
                    raise
                _log.error("event not kept yet", camera=self.place.camera_id, error=str(error)[:200])
                break
            except MatphoError as error:
                _log.error("event refused", camera=self.place.camera_id, error=str(error)[:200])
                self.counts.refused += 1
                self._pending.popleft()
                continue
            self._pending.popleft()
            if new:
                kept.append(composed)
                name = composed.event.event_type.value
                self.counts.by_type[name] = self.counts.by_type.get(name, 0) + 1
            else:
                self.counts.repeats += 1
        self.counts.events += len(kept)
        return kept


def _is_past(hit: RuleHit) -> bool:
    """Whether it speaks of a thing that the newest picture no longer shows."""
    return bool(hit.tracks) and hit.tracks[0].missed == 1
