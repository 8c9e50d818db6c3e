"""Index runs on films drawn and encoded here: whole, cut off and resumed, repeated, broken, and on the real clips."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from matpho_contracts.errors import BadInputError, MatphoError, NotFoundError, StorageFullError
from matpho_contracts.events import Event, parse_event
from matpho_contracts.ids import is_event_id
from matpho_contracts.vocabulary import EventType
from matpho_edge import indexing
from matpho_edge.compose import Place
from matpho_edge.detect import Detector, load_detector
from matpho_edge.detections import Detections
from matpho_edge.indexing import IndexReport, IndexRun, Progress
from matpho_edge.indexing_identity import event_id
from matpho_edge.outbox import Outbox
from matpho_edge.pipeline_analyst import AnalystOptions
from matpho_edge.rules import Zone

AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
PLACE = Place("box-1", "cam-1", "kim-ma", "Ngã tư Kim Mã")
LANE = Zone.model_validate(
    {"name": "lane", "kind": "carriageway", "polygon": [(0, 0.3), (1, 0.3), (1, 1), (0, 1)], "direction": (1, 0)}
)
Picture = NDArray[np.uint8]
SHARED = Path(os.environ.get("MATPHO_SHARED", Path(__file__).parents[2].parent / "shared")) / "data"


def street(t: float, paint: tuple[int, int, int] = (30, 30, 210)) -> Picture:
    """A ghost driver from second 1 to 6, a white car the right way from 9 to 14."""
    picture = np.full((180, 320, 3), 100, np.uint8)
    for begin, x, shade in ((1, 0.9 - 0.15 * (t - 1), paint), (9, 0.1 + 0.15 * (t - 9), (240, 240, 240))):
        if begin <= t < begin + 5:
            left = int(x * 320) - 25
            cv2.rectangle(picture, (left, 100), (left + 50, 130), shade, -1)
    return picture


def film(path: Path, seconds: float = 15, paint: tuple[int, int, int] = (30, 30, 210), fps: int = 10) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=fps)
        stream.width, stream.height, stream.bit_rate = 320, 180, 3_000_000
        stream.time_base = Fraction(1, fps)
        for number in range(int(seconds * fps)):
            frame = av.VideoFrame.from_ndarray(street(number / fps, paint), format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


class PaintDetector:
    """Finds cars as regions of bright or coloured paint."""

    name, labels = "paint", ("car",)

    def __init__(self) -> None:
        self.calls = 0

    def detect(self, images: Sequence[Picture]) -> list[Detections]:
        self.calls += 1
        return [self._one(image) for image in images]

    def _one(self, image: Picture) -> Detections:
        spread = image.max(axis=2).astype(int) - image.min(axis=2)
        paint = ((spread > 70) | (image.min(axis=2) > 200)).astype(np.uint8)
        contours, _ = cv2.findContours(paint, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        boxes = [cv2.boundingRect(c) for c in contours if cv2.contourArea(c) > 100]
        height, width = image.shape[:2]
        corners = [(x / width, y / height, (x + w) / width, (y + h) / height) for x, y, w, h in boxes]
        scores = np.full(len(boxes), 0.9, np.float32)
        return Detections(np.array(corners, np.float32).reshape(-1, 4), ("car",) * len(boxes), scores)


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    opened = Outbox.open(tmp_path / "outbox.db")
    yield opened
    opened.close()


def make_run(
    source: Path | str, outbox: Outbox, state: Path, detector: Detector | None = None, **more: object
) -> IndexRun:
    values: dict[str, object] = {"options": AnalystOptions(zones=(LANE,)), "started_at": AT, "encoder": None, **more}
    return IndexRun(
        str(source),
        PLACE,
        detector=detector or PaintDetector(),
        sink=outbox,
        state_dir=state,
        **values,  # type: ignore[arg-type]  # by name
    )


def events(outbox: Outbox) -> list[Event]:
    return [parse_event(waiting.raw) for waiting in outbox.take(10_000, 10**9)]


class TestWhole:
    async def test_a_film_becomes_events_with_the_films_own_times(self, tmp_path: Path, outbox: Outbox) -> None:
        told: list[Progress] = []
        report = await make_run(film(tmp_path / "a.mp4"), outbox, tmp_path, on_progress=told.append).run()
        found = {(str(event.event_type), str(event.data.objects[0].colour)): event for event in events(outbox)}
        assert set(found) == {("wrong_way", "red"), ("object_seen", "red"), ("object_seen", "white")}
        ghost = found["wrong_way", "red"]
        assert 1 <= (ghost.time - AT).total_seconds() <= 6
        assert report.events == 3
        assert report.frames == pytest.approx(75, abs=1)
        assert report.analysed < report.frames
        assert (told[-1].done, told[-1].events) == (report.frames, 3)
        assert told[-1].total == pytest.approx(report.frames, abs=1)

    async def test_the_second_run_adds_nothing_even_after_everything_was_sent(
        self, tmp_path: Path, outbox: Outbox
    ) -> None:
        path, detector = film(tmp_path / "a.mp4"), PaintDetector()
        await make_run(path, outbox, tmp_path, detector).run()
        outbox.settle([waiting.seq for waiting in outbox.take(100, 10**9)])
        calls = detector.calls
        copy = tmp_path / "renamed.mp4"
        copy.write_bytes(path.read_bytes())
        for again in (path, copy):
            report = await make_run(again, outbox, tmp_path, detector).run()
            assert (report.already_done, report.events, report.frames) == (1, 0, 0)
        assert detector.calls == calls
        assert outbox.waiting() == 0

    async def test_lost_progress_costs_work_and_no_double(self, tmp_path: Path, outbox: Outbox) -> None:
        path = film(tmp_path / "a.mp4")
        await make_run(path, outbox, tmp_path / "one").run()
        first = {event.id for event in events(outbox)}
        report = await make_run(path, outbox, tmp_path / "two").run()
        assert {event.id for event in events(outbox)} == first
        assert (report.events, report.repeats) == (0, 3)

    async def test_another_camera_is_another_run(self, tmp_path: Path, outbox: Outbox) -> None:
        path = film(tmp_path / "a.mp4")
        await make_run(path, outbox, tmp_path).run()
        other = IndexRun(
            str(path),
            Place("box-1", "cam-2", "kim-ma", "Cầu Giấy"),
            detector=PaintDetector(),
            encoder=None,
            sink=outbox,
            state_dir=tmp_path,
            started_at=AT,
        )
        assert (await other.run()).events == 2
        assert len({event.id for event in events(outbox)}) == 5


class TestCutOff:
    @pytest.mark.parametrize("cut_at", [3, 14, 40, 58])
    async def test_a_run_that_was_cut_off_goes_on_as_if_it_had_not_been(
        self, tmp_path: Path, outbox: Outbox, cut_at: int
    ) -> None:
        path = film(tmp_path / "a.mp4")
        whole = Outbox.open(tmp_path / "whole.db")
        await make_run(path, whole, tmp_path / "whole").run()
        wanted = {waiting.id: waiting.raw for waiting in whole.take(100, 10**9)}
        whole.close()

        detector = PaintDetector()
        running: asyncio.Task[IndexReport] | None = None

        def stop(progress: Progress) -> None:
            if progress.done == cut_at:
                assert running is not None
                running.cancel()

        running = asyncio.create_task(make_run(path, outbox, tmp_path / "cut", detector, on_progress=stop).run())
        with pytest.raises(asyncio.CancelledError):
            await running
        before = detector.calls
        report = await make_run(path, outbox, tmp_path / "cut", detector).run()
        assert {waiting.id: waiting.raw for waiting in outbox.take(100, 10**9)} == wanted
        assert report.repeats == 0
        full = PaintDetector()
        await make_run(path, outbox, tmp_path / "count", full).run()
        assert detector.calls == full.calls
        assert before <= full.calls

    async def test_a_full_disk_stops_the_run_and_room_lets_it_go_on(self, tmp_path: Path) -> None:
        small = Outbox.open(tmp_path / "small.db", limit_bytes=64 * 4096)
        path = film(tmp_path / "a.mp4")
        ballast = 0
        while True:
            try:
                small.set_note(f"ballast {ballast}", "x" * 3000)
            except StorageFullError:
                break
            ballast += 1
        with pytest.raises(StorageFullError, match="no room"):
            await make_run(path, small, tmp_path / "s").run()
        assert small.waiting() < 3
        for number in range(ballast):
            small.set_note(f"ballast {number}", "")
        await make_run(path, small, tmp_path / "s").run()
        assert small.waiting() == 3
        small.close()


class TestFolders:
    async def test_films_of_a_folder_follow_each_other_and_strangers_are_named(
        self, tmp_path: Path, outbox: Outbox
    ) -> None:
        folder = tmp_path / "films"
        folder.mkdir()
        film(folder / "part9.mp4")
        film(folder / "part10.mp4", paint=(210, 60, 30))
        (folder / "part11.mp4").write_bytes(b"not a film")
        report = await make_run(folder, outbox, tmp_path).run()
        assert report.files == 3
        assert any("part11" in warning for warning in report.warnings)
        ghosts = [event for event in events(outbox) if event.event_type is EventType.WRONG_WAY]
        assert [str(event.data.objects[0].colour) for event in ghosts] == ["red", "blue"]
        assert (ghosts[1].time - ghosts[0].time).total_seconds() == pytest.approx(15, abs=1.5)
        again = await make_run(folder, outbox, tmp_path).run()
        assert (again.events, again.already_done) == (0, 2)

    async def test_a_picture_shows_what_is_in_it_at_once(self, tmp_path: Path, outbox: Outbox) -> None:
        cv2.imwrite(str(tmp_path / "still.jpg"), street(3))
        report = await make_run(tmp_path / "still.jpg", outbox, tmp_path).run()
        assert report.events == 1
        (event,) = events(outbox)
        assert event.event_type is EventType.OBJECT_SEEN
        assert event.data.evidence.thumbnail_sha256 is not None
        assert (await make_run(tmp_path / "still.jpg", outbox, tmp_path).run()).events == 0


class TestBadInput:
    async def test_a_file_that_is_no_film(self, tmp_path: Path, outbox: Outbox) -> None:
        path = tmp_path / "report.mp4"
        path.write_bytes(b"%PDF-1.7 nothing to see")
        with pytest.raises(BadInputError) as caught:
            await make_run(path, outbox, tmp_path).run()
        assert caught.value.exit_code == 2
        assert outbox.waiting() == 0

    async def test_a_file_that_is_not_there(self, tmp_path: Path, outbox: Outbox) -> None:
        with pytest.raises(NotFoundError):
            await make_run(tmp_path / "absent.mp4", outbox, tmp_path).run()

    async def test_a_film_cut_short_gives_what_it_has_and_a_warning(self, tmp_path: Path, outbox: Outbox) -> None:
        whole = film(tmp_path / "a.mkv").read_bytes()
        cut = tmp_path / "cut.mkv"
        cut.write_bytes(whole[: len(whole) * 6 // 10])
        report = await make_run(cut, outbox, tmp_path).run()
        assert report.events >= 2
        assert report.warnings

    async def test_an_address_that_does_not_answer(
        self, tmp_path: Path, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(indexing, "FIRST_PICTURE_S", 1.0)
        with pytest.raises(MatphoError) as caught:
            await make_run("rtsp://user:secret@127.0.0.1:9/live", outbox, tmp_path).run()
        assert caught.value.exit_code == 2
        assert "secret" not in str(caught.value)

    async def test_a_naive_time(self, tmp_path: Path, outbox: Outbox) -> None:
        with pytest.raises(BadInputError, match="offset"):
            make_run(tmp_path / "a.mp4", outbox, tmp_path, started_at=datetime(2026, 1, 1))


class TestIds:
    def test_shape_and_order(self) -> None:
        first, second = event_id(1_700_000_000_000, "a"), event_id(1_700_000_000_001, "a")
        assert is_event_id(first)
        assert first < second
        assert (first[14], first[19] in "89ab") == ("7", True)
        assert event_id(1_700_000_000_000, "b") != first


@pytest.mark.skipif(not (SHARED / "video").is_dir(), reason="the shared weights and clips are not here")
class TestRealClip:
    async def test_street_vehicles(self, tmp_path: Path, outbox: Outbox) -> None:
        """by_eye.json: red sedan, dark grey sedan, white pickup, white SUV; parked cars behind; no people."""
        detector = load_detector(SHARED / "weights" / "yolo11n-dq8.onnx", threads=2)
        assert "car" in detector.labels
        clip = SHARED / "video" / "street-vehicles.mp4"
        report = await make_run(clip, outbox, tmp_path, detector, options=AnalystOptions()).run()
        seen = [(event.data.objects[0].label, str(event.data.objects[0].colour)) for event in events(outbox)]
        assert ("car", "red") in seen
        assert any(label in ("car", "truck") and colour == "white" for label, colour in seen)
        assert "person" not in json.dumps(seen)
        assert 4 <= len(seen) <= 20
        assert report.frames == pytest.approx(56, abs=1)
