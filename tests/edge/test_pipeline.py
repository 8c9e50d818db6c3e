"""A camera's whole way on drawn pictures: gate, a detector that really looks at pixels, rules, composition, outbox."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from matpho_contracts.errors import BadInputError
from matpho_contracts.events import Event, parse_event
from matpho_contracts.vocabulary import Colour, EventType
from matpho_edge.compose import Place
from matpho_edge.detections import Detections
from matpho_edge.health import HealthKeeper
from matpho_edge.outbox import Outbox
from matpho_edge.pipeline import CameraPipeline
from matpho_edge.pipeline_analyst import Analyst, AnalystOptions
from matpho_edge.pipeline_masks import Masks
from matpho_edge.pipeline_turns import Turns
from matpho_edge.rules import CameraOfflineParameters, RuleSettings, Zone

START = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
Picture = NDArray[np.uint8]
RED, WHITE = (30, 30, 200), (235, 235, 235)


class Drawn:
    """A drawn picture as a Frame."""

    def __init__(self, picture: Picture, seconds: float, camera_id: str = "cam-1") -> None:
        self._picture = picture
        self._picture.flags.writeable = False
        self.camera_id, self.media_seconds = camera_id, seconds
        self.captured_at = START + timedelta(seconds=seconds)
        self.size = (picture.shape[1], picture.shape[0])

    def luma(self) -> Picture:
        return np.asarray(cv2.cvtColor(self._picture, cv2.COLOR_BGR2GRAY), np.uint8)

    def bgr(self) -> Picture:
        return self._picture


def street(cars: Sequence[tuple[float, float, tuple[int, int, int]]] = ()) -> Picture:
    """A grey street, 640x360, with cars at (x, y) in 0..1."""
    picture = np.full((360, 640, 3), 100, np.uint8)
    picture[:120] = 140
    for x, y, paint in cars:
        left, foot = int(x * 640) - 40, int(y * 360)
        cv2.rectangle(picture, (left, foot - 40), (left + 80, foot), paint, -1)
        cv2.rectangle(picture, (left + 20, foot - 36), (left + 60, foot - 26), (50, 40, 40), -1)
    return picture


class PaintDetector:
    """Finds cars as regions of bright or coloured paint. It looks at the pixels and nothing else."""

    name, labels = "paint", ("car", "person", "motorcycle")

    def __init__(self, delay_s: float = 0.0, fail_at: Sequence[int] = ()) -> None:
        self.calls, self.delay_s, self.fail_at = 0, delay_s, fail_at

    def detect(self, images: Sequence[Picture]) -> list[Detections]:
        self.calls += 1
        if self.delay_s:
            time.sleep(self.delay_s)
        if self.calls in self.fail_at:
            raise BadInputError("The model refused this picture.")
        return [self._one(image) for image in images]

    def _one(self, image: Picture) -> Detections:
        spread = image.max(axis=2).astype(int) - image.min(axis=2)
        paint = ((spread > 60) | (image.min(axis=2) > 200)).astype(np.uint8)
        contours, _ = cv2.findContours(paint, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        boxes = [cv2.boundingRect(c) for c in contours if cv2.contourArea(c) > 200]
        height, width = image.shape[:2]
        corners = [(x / width, y / height, (x + w) / width, (y + h) / height) for x, y, w, h in boxes]
        array = np.array(corners, np.float32).reshape(-1, 4)
        return Detections(array, ("car",) * len(boxes), np.full(len(boxes), 0.9, np.float32))


Scene = Callable[[float], Picture]


class Scripted:
    """A FrameSource that shows a scene; with a pace it is a live camera, without one a file."""

    def __init__(
        self, scene: Scene, seconds: float, pipeline: CameraPipeline | None = None, *, pace_s: float = 0.0
    ) -> None:
        self.scene, self.seconds, self.fps, self.pace_s = scene, seconds, 5.0, pace_s
        self.pipeline = pipeline
        """Waited for after each picture, so that a slow machine judges the same pictures as a fast one."""

    async def frames(self) -> AsyncIterator[Drawn]:
        for number in range(int(self.seconds * self.fps)):
            yield Drawn(self.scene(number / self.fps), number / self.fps)
            await asyncio.sleep(self.pace_s)
            for _ in range(20_000):
                if self.pipeline is None or (self.pipeline._newest is None and not self.pipeline._alone.locked()):
                    break
                await asyncio.sleep(0.0005)

    async def close(self) -> None:
        pass


LANE = Zone.model_validate(
    {"name": "lane", "kind": "carriageway", "polygon": [(0, 0.3), (1, 0.3), (1, 1), (0, 1)], "direction": (1, 0)}
)
PLACE = Place("box-1", "cam-1", "kim-ma", "Ngã tư Kim Mã")
QUIET = RuleSettings.model_validate({"object_seen": {"enabled": False}})


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    opened = Outbox.open(tmp_path / "outbox.db")
    yield opened
    opened.close()


@pytest.fixture
def turns() -> Iterator[Turns]:
    made = Turns()
    yield made
    made.close()


def analyst(outbox: Outbox, detector: PaintDetector | None = None, **options: object) -> Analyst:
    chosen = AnalystOptions(**{"zones": (LANE,), **options})  # type: ignore[arg-type]  # by name
    return Analyst(PLACE, detector or PaintDetector(), outbox, options=chosen)


def events(outbox: Outbox) -> list[Event]:
    return [parse_event(waiting.raw) for waiting in outbox.take(1000, 10**9)]


def ghost_driver(t: float) -> Picture:
    return street([(0.9 - 0.08 * t, 0.7, RED)] if 2 < t < 11 else [])


class TestOneCamera:
    async def test_a_ghost_driver_becomes_a_signed_ready_event(self, outbox: Outbox, turns: Turns) -> None:
        pipeline = CameraPipeline(analyst(outbox, rules=QUIET), turns)
        await pipeline.run(Scripted(ghost_driver, 14, pipeline))
        (event,) = events(outbox)
        assert event.event_type is EventType.WRONG_WAY
        assert event.data.objects[0].colour is Colour.RED
        assert event.data.caption.vi.startswith("Ô tô đỏ đi ngược chiều trên lòng đường tại Ngã tư Kim Mã")
        (waiting,) = outbox.take(1, 10**9)
        assert waiting.still is not None
        still = cv2.imdecode(np.frombuffer(waiting.still, np.uint8), cv2.IMREAD_COLOR)
        assert still is not None
        assert still.shape == (360, 640, 3)

    async def test_every_car_is_seen_once_and_the_empty_street_costs_nothing(
        self, outbox: Outbox, turns: Turns
    ) -> None:
        def scene(t: float) -> Picture:
            inside = 10 < t < 20
            return street([(0.1 + 0.08 * (t - 10), 0.6, WHITE), (0.9 - 0.08 * (t - 10), 0.9, RED)] if inside else [])

        detector = PaintDetector()
        one_way = LANE.model_copy(update={"direction": None})
        pipeline = CameraPipeline(analyst(outbox, detector, zones=(one_way,)), turns)
        await pipeline.run(Scripted(scene, 60, pipeline))
        assert sorted(str(event.data.objects[0].colour) for event in events(outbox)) == ["red", "white"]
        assert detector.calls < 115
        assert pipeline.stats.frames == 300
        assert pipeline.analyst.counts.analysed == detector.calls

    async def test_what_is_lost_is_shown_in_the_picture_that_still_had_it(self, outbox: Outbox, turns: Turns) -> None:
        def scene(t: float) -> Picture:
            return street([(0.3 + 0.05 * t, 0.6 + 0.05 * t, RED)] if 1 < t < 3 else [])

        pipeline = CameraPipeline(analyst(outbox), turns)
        await pipeline.run(Scripted(scene, 6, pipeline))
        (waiting,) = outbox.take(10, 10**9)
        assert parse_event(waiting.raw).time == START + timedelta(seconds=2.8)
        assert waiting.still is not None
        still = cv2.imdecode(np.frombuffer(waiting.still, np.uint8), cv2.IMREAD_COLOR)
        assert still is not None
        assert (still.max(axis=2).astype(int) - still.min(axis=2) > 60).any()

    async def test_what_is_there_when_the_pictures_end_is_reported(self, outbox: Outbox, turns: Turns) -> None:
        one_way = LANE.model_copy(update={"direction": None})
        pipeline = CameraPipeline(analyst(outbox, zones=(one_way,)), turns)
        await pipeline.run(Scripted(lambda t: street([(0.2 + 0.1 * t, 0.7, RED)]), 3, pipeline))
        (event,) = events(outbox)
        assert event.time == START + timedelta(seconds=2.8)

    async def test_a_car_that_stands_is_found_though_nothing_moves(self, outbox: Outbox, turns: Turns) -> None:
        pipeline = CameraPipeline(analyst(outbox, rules=QUIET), turns)
        await pipeline.run(Scripted(lambda t: street([(min(0.1 + 0.1 * t, 0.5), 0.7, WHITE)]), 50, pipeline))
        assert [event.event_type for event in events(outbox)] == [EventType.STOPPED_VEHICLE]

    async def test_a_picture_that_cannot_be_judged_is_not_the_end(self, outbox: Outbox, turns: Turns) -> None:
        detector = PaintDetector(fail_at=range(1, 12))
        pipeline = CameraPipeline(analyst(outbox, detector, rules=QUIET), turns)
        await pipeline.run(Scripted(ghost_driver, 14, pipeline))
        assert pipeline.stats.failures == 11
        assert len(events(outbox)) == 1

    async def test_a_source_that_cannot_be_read_says_so(self, outbox: Outbox, turns: Turns) -> None:
        class Broken(Scripted):
            async def frames(self) -> AsyncIterator[Drawn]:
                yield Drawn(street(), 0.0)
                raise BadInputError("This is no video.")

        with pytest.raises(BadInputError, match="no video"):
            await CameraPipeline(analyst(outbox), turns).run(Broken(ghost_driver, 1))

    async def test_cancelling_ends_it_cleanly(self, outbox: Outbox, turns: Turns) -> None:
        detector = PaintDetector(delay_s=0.05)
        running = asyncio.create_task(
            CameraPipeline(analyst(outbox, detector), turns).run(Scripted(ghost_driver, 1000, pace_s=0.01))
        )
        await asyncio.sleep(0.3)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        calls = detector.calls
        await asyncio.sleep(0.1)
        assert detector.calls == calls


class TestMasks:
    WINDOW = Zone.model_validate({"name": "w", "kind": "masked", "polygon": [(0, 0), (0.5, 0), (0.5, 1), (0, 1)]})

    async def test_a_masked_zone_is_neither_judged_nor_stored(self, outbox: Outbox, turns: Turns) -> None:
        def scene(t: float) -> Picture:
            return street([(0.05 + 0.03 * (t % 10), 0.6, RED), (0.95 - 0.04 * (t % 10), 0.9, WHITE)])

        pipeline = CameraPipeline(analyst(outbox, zones=(self.WINDOW,)), turns)
        await pipeline.run(Scripted(scene, 10, pipeline))
        seen = events(outbox)
        assert seen
        assert all(event.data.objects[0].colour is Colour.WHITE for event in seen)
        for waiting in outbox.take(100, 10**9):
            still = cv2.imdecode(np.frombuffer(waiting.still or b"", np.uint8), cv2.IMREAD_COLOR)
            assert still is not None
            assert still[:, :310].max() < 40

    def test_the_frame_itself_is_left_alone(self) -> None:
        picture = street()
        picture.flags.writeable = False
        masked = Masks([self.WINDOW]).apply(picture)
        assert masked[:, :300].max() == 0
        assert picture.min() > 0
        assert Masks([LANE]).apply(picture) is picture


class TestFairness:
    async def test_cameras_share_a_slow_detector_evenly_and_nothing_queues_up(
        self, outbox: Outbox, turns: Turns
    ) -> None:
        detector = PaintDetector(delay_s=0.01)

        def busy(t: float) -> Picture:
            return street([((0.1 + 0.07 * t) % 1.0, 0.7, WHITE)])

        pipelines = [CameraPipeline(analyst(outbox, detector, rules=QUIET), turns) for _ in range(6)]
        await asyncio.gather(*(p.run(Scripted(busy, 40, pace_s=0.01)) for p in pipelines))
        looks = [p.analyst.counts.analysed for p in pipelines]
        assert max(looks) - min(looks) <= 2 + 0.2 * max(looks)
        assert all(p.stats.superseded > 0 for p in pipelines)
        assert all(p.stats.superseded + p.analyst.counts.analysed == p.stats.opened for p in pipelines)


class TestOffline:
    async def test_silence_is_reported_once_without_a_picture(self, outbox: Outbox, turns: Turns) -> None:
        pipeline = CameraPipeline(analyst(outbox), turns, offline=CameraOfflineParameters(min_seconds=15))
        reported = [await pipeline.tick(START + timedelta(seconds=second)) for second in range(60)]
        assert sum(reported) == 1
        assert pipeline.offline
        (event,) = events(outbox)
        assert event.event_type is EventType.CAMERA_OFFLINE
        assert outbox.take(1, 10**6)[0].still is None

    async def test_left_out_by_settings(self, outbox: Outbox, turns: Turns) -> None:
        pipeline = CameraPipeline(analyst(outbox), turns, offline=CameraOfflineParameters(enabled=False))
        assert not any([await pipeline.tick(START + timedelta(seconds=second)) for second in range(60)])


class TestFullDisk:
    async def test_events_wait_for_room_and_are_kept_then(self, tmp_path: Path, turns: Turns) -> None:
        small = Outbox.open(tmp_path / "small.db", limit_bytes=300 * 1024)
        made = analyst(small, rules=RuleSettings.model_validate({"object_seen": {"per_minute": 6000}}))
        rng = np.random.default_rng(0)

        def scene(t: float) -> Picture:
            cars = [(0.1 + 0.2 * k, 0.45 + 0.1 * ((k + int(t / 4)) % 5), WHITE) for k in range(5)]
            picture = street(cars if t % 4 < 3 else [])
            return np.where(picture == 100, rng.integers(60, 120, picture.shape, dtype=np.uint8), picture)

        pipeline = CameraPipeline(made, turns)
        await pipeline.run(Scripted(scene, 24, pipeline))
        first = small.take(1000, 10**9)
        assert len(made._pending) > 0
        small.settle([waiting.seq for waiting in first])
        waiting = {composed.event.id for composed in made._pending}
        made._keep([])
        assert {one.id for one in small.take(1000, 10**9)} & waiting
        small.close()


class TestClock:
    def test_a_clock_that_falls_back_begins_anew_and_a_small_step_is_held(self, outbox: Outbox) -> None:
        made = analyst(outbox, rules=QUIET)
        for seconds in (100.0, 100.2, 100.1, 100.4, 20.0, 20.2, 20.4):
            made.look(Drawn(street([(0.5, 0.7, WHITE)]), seconds))
        assert [track.hits for track in made._tracker.tracks] == [3]


class TestHealth:
    def test_a_black_or_blurred_picture_is_degraded(self, outbox: Outbox) -> None:
        made, keeper = analyst(outbox), HealthKeeper("cam-1")

        def judged(picture: Picture, seconds: float) -> str:
            made.open_for(Drawn(picture, seconds))
            report = keeper.report(source="online", reason="", quality=made.quality, fps=5.0, last_frame_at=START)
            return report.status + report.reason[:8]

        assert judged(street([(0.5, 0.7, WHITE)]), 0.0) == "online"
        assert judged(np.zeros((360, 640, 3), np.uint8), 10.0) == "degradedhình tối"
        assert judged(np.full((360, 640, 3), 120, np.uint8), 20.0) == "degradedhình mờ "
        offline = keeper.report(source="offline", reason="x", quality=made.quality, fps=0, last_frame_at=None)
        assert (offline.status, offline.reason) == ("offline", "x")
