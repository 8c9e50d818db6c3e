"""The ring recorder: what comes in can be cut out again, after a crash, under a full disk, under a legal hold."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from queue import SimpleQueue

import av
import numpy as np
import pytest

from matpho_contracts.errors import BadInputError, IntegrityError, NotFoundError, StorageFullError
from matpho_edge.recorder import MAX_WAITING_BYTES, CameraSink, Recorder, RingLimits
from matpho_edge.recorder_index import segment_path, start_of
from matpho_edge.streams.packets import CodedPacket, CodedStream, parameter_sets

START = datetime(2026, 11, 21, 7, 30, 0, 250_000, tzinfo=UTC)
FPS, GOP = 10, 10


def coded_stream(
    seconds: float, *, size: tuple[int, int] = (160, 96), start: datetime = START, codec: str = "libx264"
) -> list[CodedPacket]:
    """Packets with start codes, one key frame a second, stamped 90 kHz, seen from `start` on."""
    encoder = av.CodecContext.create(codec, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = *size, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
    encoder.gop_size = GOP
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "x264-params": f"keyint={GOP}:scenecut=0"}
    if codec == "libx265":
        encoder.options = {
            "preset": "ultrafast",
            "x265-params": f"keyint={GOP}:bframes=0:log-level=none:repeat-headers=1",
        }
    packets = []
    for number in range(round(seconds * FPS)):
        picture = np.full((size[1], size[0], 3), (number * 5) % 256, np.uint8)
        frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
        frame.pts = number
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    step = 90_000 // FPS
    return [
        CodedPacket(bytes(p), p.pts * step, p.dts * step, step, p.is_keyframe, start + timedelta(seconds=p.pts / FPS))
        for p in packets
        if p.pts is not None and p.dts is not None
    ]


def description(size: tuple[int, int] = (160, 96)) -> CodedStream:
    return CodedStream("h264", size[0], size[1], Fraction(1, 90_000), float(FPS), b"")


def record(recorder: Recorder, camera_id: str, packets: list[CodedPacket]) -> None:
    sink = recorder.sink(camera_id)
    sink.opened(description())
    for packet in packets:
        sink.packet(packet)
    sink.lost()


def wait_until(condition: object, seconds: float = 10.0) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def segments(root: Path) -> list[Path]:
    return sorted(root.glob("*/*/*/*.mp4"))


@pytest.fixture(scope="module")
def half_minute() -> list[CodedPacket]:
    return coded_stream(30)


@pytest.fixture
def recorded(tmp_path: Path, half_minute: list[CodedPacket]) -> Iterator[Recorder]:
    with Recorder(tmp_path / "ring", RingLimits(max_hours=1e6, min_free_bytes=0)) as recorder:
        record(recorder, "cam-1", half_minute)
        wait_until(lambda: len(recorder.recorded("cam-1", START, START + timedelta(minutes=1))) == 3)
        yield recorder
    # What was recorded can still be read by a second recorder: nothing was left open.


class TestSegments:
    def test_cuts_at_key_frames_about_every_ten_seconds(self, recorded: Recorder, tmp_path: Path) -> None:
        recorded.close()
        files = segments(tmp_path / "ring")
        assert [file.relative_to(tmp_path / "ring").as_posix() for file in files] == [
            "2026-11-21/07/cam-1/30.00.250.mp4",
            "2026-11-21/07/cam-1/30.10.250.mp4",
            "2026-11-21/07/cam-1/30.20.250.mp4",
        ]
        for file in files:
            with av.open(str(file)) as container:
                packets = [packet for packet in container.demux(video=0) if packet.size]
                assert packets[0].is_keyframe
                assert len(packets) == 100

    def test_pictures_are_the_cameras_own_bytes(
        self, recorded: Recorder, tmp_path: Path, half_minute: list[CodedPacket]
    ) -> None:
        recorded.close()
        with av.open(str(segments(tmp_path / "ring")[0])) as container:
            kept = [bytes(packet) for packet in container.demux(video=0) if packet.size]
        # MP4 writes lengths of four bytes where the camera wrote start codes; a P picture is one unit here.
        assert kept[1][4:] == half_minute[1].data[4:]

    def test_path_tells_the_start(self) -> None:
        assert start_of(segment_path("a:b", START)) == START
        assert start_of("2026-11-21/07/cam/readme.txt") is None

    def test_begins_at_a_key_frame(self, tmp_path: Path, half_minute: list[CodedPacket]) -> None:
        with Recorder(tmp_path, RingLimits(max_hours=1e6, min_free_bytes=0)) as recorder:
            record(recorder, "cam-1", half_minute[3:40])
        assert start_of(segments(tmp_path)[0].relative_to(tmp_path).as_posix()) == START + timedelta(seconds=1)

    def test_a_leap_of_the_cameras_clock_begins_a_new_segment(
        self, tmp_path: Path, half_minute: list[CodedPacket]
    ) -> None:
        later = coded_stream(3, start=START + timedelta(seconds=3))
        with Recorder(tmp_path, RingLimits(max_hours=1e6, min_free_bytes=0)) as recorder:
            record(recorder, "cam-1", half_minute[:30] + later)  # The second run starts at 0 again.
            clip = None
        with Recorder(tmp_path, RingLimits(max_hours=1e6, min_free_bytes=0)) as recorder:
            assert len(recorder.recorded("cam-1", START, START + timedelta(seconds=10))) == 2
            clip = recorder.clip("cam-1", START, START + timedelta(seconds=6), tmp_path / "out.mp4")
        assert clip.gaps == ()


class TestClip:
    def test_plays_what_was_asked(self, recorded: Recorder, tmp_path: Path) -> None:
        wanted = START + timedelta(seconds=8.5), START + timedelta(seconds=14.5)
        clip = recorded.clip("cam-1", *wanted, tmp_path / "clip.mp4")
        assert clip.start == START + timedelta(seconds=8)  # The key frame before.
        assert abs((clip.end - wanted[1]).total_seconds()) <= 0.11
        assert clip.gaps == ()
        with av.open(str(clip.path)) as container:
            frames = list(container.decode(video=0))
        assert len(frames) == 66
        assert frames[0].time == pytest.approx(0, abs=0.001)
        assert frames[-1].time == pytest.approx(6.5, abs=0.01)

    def test_index_stands_in_front(self, recorded: Recorder, tmp_path: Path) -> None:
        clip = recorded.clip("cam-1", START, START + timedelta(seconds=5), tmp_path / "clip.mp4")
        head = clip.path.read_bytes()
        assert head.index(b"moov") < head.index(b"mdat")
        assert head[4:8] == b"ftyp"

    def test_a_gap_is_told_and_keeps_its_length(self, tmp_path: Path) -> None:
        with Recorder(tmp_path / "ring", RingLimits(max_hours=1e6, min_free_bytes=0)) as recorder:
            record(recorder, "cam-1", coded_stream(4))
            record(recorder, "cam-1", coded_stream(4, start=START + timedelta(seconds=10)))
            wait_until(lambda: len(recorder.recorded("cam-1", START, START + timedelta(seconds=20))) == 2)
            recorder.sink("cam-1").lost()
            wait_until(lambda: recorder.status.bytes > 0)
            clip = recorder.clip("cam-1", START, START + timedelta(seconds=13.9), tmp_path / "clip.mp4")
        assert len(clip.gaps) == 1
        assert clip.gaps[0].start == START + timedelta(seconds=3.9)
        assert clip.gaps[0].end == START + timedelta(seconds=10)
        with av.open(str(clip.path)) as container:
            assert list(container.decode(video=0))[-1].time == pytest.approx(13.9, abs=0.01)

    def test_a_clip_past_the_end_says_so(self, recorded: Recorder, tmp_path: Path) -> None:
        clip = recorded.clip("cam-1", START + timedelta(seconds=25), START + timedelta(seconds=60), tmp_path / "c.mp4")
        assert clip.gaps[-1].end == START + timedelta(seconds=60)

    def test_nothing_recorded(self, recorded: Recorder, tmp_path: Path) -> None:
        for camera_id, start in (("cam-1", START - timedelta(hours=1)), ("cam-2", START)):
            with pytest.raises(NotFoundError):
                recorded.clip(camera_id, start, start + timedelta(seconds=5), tmp_path / "no.mp4")
        assert not (tmp_path / "no.mp4").exists()
        assert list(tmp_path.glob(".*part")) == []

    def test_range_is_judged(self, recorded: Recorder, tmp_path: Path) -> None:
        for end in (START, START - timedelta(seconds=1), START + timedelta(seconds=601)):
            with pytest.raises(BadInputError):
                recorded.clip("cam-1", START, end, tmp_path / "no.mp4")
        with pytest.raises(BadInputError):
            recorded.clip("cam-1", START.replace(tzinfo=None), START.replace(tzinfo=None), tmp_path / "no.mp4")

    def test_reads_the_segment_being_written(self, tmp_path: Path, half_minute: list[CodedPacket]) -> None:
        with Recorder(tmp_path / "ring", RingLimits(max_hours=1e6, min_free_bytes=0)) as recorder:
            sink = recorder.sink("cam-1")
            sink.opened(description())
            for packet in half_minute[:60]:
                sink.packet(packet)
            wait_until(lambda: segments(tmp_path / "ring") != [] and _readable(segments(tmp_path / "ring")[0]) >= 40)
            clip = recorder.clip("cam-1", START, START + timedelta(seconds=3), tmp_path / "clip.mp4")
            assert clip.gaps == ()


def _readable(file: Path) -> int:
    try:
        with av.open(str(file)) as container:
            return sum(1 for packet in container.demux(video=0) if packet.size)
    except (av.error.FFmpegError, IndexError):
        return 0


class TestCrash:
    def test_a_killed_recorder_loses_at_most_the_last_fragment(self, tmp_path: Path) -> None:
        script = textwrap.dedent(
            """
            import pickle, sys, time
            from pathlib import Path
            from matpho_edge.recorder import Recorder, RingLimits
            stream, packets = pickle.loads(Path(sys.argv[2]).read_bytes())
            recorder = Recorder(Path(sys.argv[1]), RingLimits(max_hours=1e6, min_free_bytes=0))
            sink = recorder.sink("cam-1")
            sink.opened(stream)
            for packet in packets:
                sink.packet(packet)
            while recorder._queue.qsize():
                time.sleep(0.01)
            time.sleep(0.1)
            print("ready", flush=True)
            time.sleep(60)
            """
        )
        (tmp_path / "packets").write_bytes(pickle.dumps((description(), coded_stream(15))))
        command = [sys.executable, "-c", script, str(tmp_path / "ring"), str(tmp_path / "packets")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            os.kill(child.pid, signal.SIGKILL)
        with Recorder(tmp_path / "ring", RingLimits(max_hours=1e6, min_free_bytes=0)) as recorder:
            ranges = recorder.recorded("cam-1", START, START + timedelta(minutes=1))
            assert len(ranges) == 2
            assert ranges[-1][1] >= START + timedelta(seconds=13.5)
            clip = recorder.clip("cam-1", START, START + timedelta(seconds=13), tmp_path / "clip.mp4")
            assert clip.gaps == ()

    def test_torn_tail_is_measured_not_believed(self, tmp_path: Path, half_minute: list[CodedPacket]) -> None:
        with Recorder(tmp_path, RingLimits(max_hours=1e6, min_free_bytes=0)) as recorder:
            record(recorder, "cam-1", half_minute[:100])
        file = segments(tmp_path)[0]
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        (tmp_path / "index.sqlite").unlink()
        with Recorder(tmp_path, RingLimits(max_hours=1e6, min_free_bytes=0)) as recorder:
            [(start, end)] = recorder.recorded("cam-1", START, START + timedelta(minutes=1))
        assert start == START
        assert timedelta(seconds=2) < end - start < timedelta(seconds=7)

    def test_a_damaged_index_is_made_again(self, tmp_path: Path, half_minute: list[CodedPacket]) -> None:
        with Recorder(tmp_path, RingLimits(max_hours=1e6, min_free_bytes=0)) as recorder:
            record(recorder, "cam-1", half_minute[:100])
        for file in tmp_path.glob("index.sqlite*"):
            file.unlink()
        (tmp_path / "index.sqlite").write_bytes(b"not a database, " * 100)
        with Recorder(tmp_path, RingLimits(max_hours=1e6, min_free_bytes=0)) as recorder:
            assert len(recorder.recorded("cam-1", START, START + timedelta(minutes=1))) == 1

    def test_an_empty_file_is_cleared_away(self, tmp_path: Path) -> None:
        file = tmp_path / segment_path("cam-1", START)
        file.parent.mkdir(parents=True)
        file.write_bytes(b"")
        with Recorder(tmp_path, RingLimits(max_hours=1e6, min_free_bytes=0)) as recorder:
            assert recorder.status.segments == 0
        assert not file.exists()


class TestRing:
    def test_oldest_go_first_held_ones_never(self, tmp_path: Path, half_minute: list[CodedPacket]) -> None:
        with Recorder(tmp_path, RingLimits(max_hours=1e6, min_free_bytes=0)) as recorder:
            record(recorder, "cam-1", half_minute)
            recorder.hold("cam-1", START + timedelta(seconds=2), START + timedelta(seconds=3), "vụ án 12")
        size = max(file.stat().st_size for file in segments(tmp_path))
        with Recorder(tmp_path, RingLimits(max_hours=1e6, min_free_bytes=0, max_bytes=2 * size)) as recorder:
            recorder._tidy()
            left = [file.name for file in segments(tmp_path)]
        assert left == ["30.00.250.mp4", "30.20.250.mp4"]

    def test_hours_are_kept(self, tmp_path: Path) -> None:
        with Recorder(tmp_path, RingLimits(max_hours=1, min_free_bytes=0)) as recorder:
            record(recorder, "old", coded_stream(2, start=datetime.now(UTC) - timedelta(hours=2)))
            record(recorder, "new", coded_stream(2, start=datetime.now(UTC)))
            wait_until(lambda: [file.parent.name for file in segments(tmp_path)] == ["new"], seconds=20)

    def test_release_lets_go(self, recorded: Recorder, tmp_path: Path) -> None:
        hold = recorded.hold("cam-1", START, START + timedelta(seconds=1), "vụ án 12")
        assert [one.id for one in recorded.holds()] == [hold.id]
        recorded.release(hold.id)
        assert recorded.holds() == ()
        with pytest.raises(NotFoundError):
            recorded.release(hold.id)

    def test_holds_outlive_the_recorder(self, recorded: Recorder, tmp_path: Path) -> None:
        hold = recorded.hold("cam-1", START, START + timedelta(seconds=1), "vụ án 12")
        recorded.close()
        with Recorder(tmp_path / "ring", RingLimits(min_free_bytes=0)) as again:
            assert again.holds() == (hold,)

    def test_an_unreadable_hold_stops_all_deleting(self, tmp_path: Path, half_minute: list[CodedPacket]) -> None:
        (tmp_path / "holds").mkdir()
        (tmp_path / "holds" / "broken.json").write_text("{")
        with Recorder(tmp_path, RingLimits(max_hours=1e6, min_free_bytes=0, max_bytes=1)) as recorder:
            record(recorder, "cam-1", half_minute)
            wait_until(lambda: recorder.status.segments == 3)
            recorder._tidy()
            assert len(segments(tmp_path)) == 3
            with pytest.raises(IntegrityError):
                recorder.holds()


class TestFullDisk:
    def test_pauses_says_so_and_records_again(self, tmp_path: Path, half_minute: list[CodedPacket]) -> None:
        room = {"free": 10}
        limits = RingLimits(max_hours=1e6, min_free_bytes=1000)
        with Recorder(tmp_path, limits, room=lambda _: room["free"]) as recorder:
            sink = recorder.sink("cam-1")
            sink.opened(description())
            for packet in half_minute[:30]:
                sink.packet(packet)
            wait_until(lambda: recorder.status.state == "full")
            assert isinstance(recorder.status.error, StorageFullError)
            assert segments(tmp_path) == []
            room["free"] = 10_000
            recorder._retry_at = 0.0
            for packet in half_minute[30:60]:
                sink.packet(packet)
            wait_until(lambda: recorder.status.state == "recording" and segments(tmp_path) != [])

    def test_makes_room_by_the_oldest_unheld(self, tmp_path: Path, half_minute: list[CodedPacket]) -> None:
        with Recorder(tmp_path, RingLimits(max_hours=1e6, min_free_bytes=0)) as recorder:
            record(recorder, "cam-1", half_minute)
            recorder.hold("cam-1", START, START + timedelta(seconds=1), "giữ")
        limits = RingLimits(max_hours=1e6, min_free_bytes=1)
        with Recorder(tmp_path, limits, room=lambda root: 3 - len(segments(root))) as recorder:
            record(recorder, "cam-2", coded_stream(2))
            wait_until(lambda: any(file.parent.name == "cam-2" for file in segments(tmp_path)))
        assert [file.name for file in segments(tmp_path) if file.parent.name == "cam-1"] == [
            "30.00.250.mp4",
            "30.20.250.mp4",
        ]

    def test_a_write_that_fails_does_not_end_the_recorder(self, tmp_path: Path, half_minute: list[CodedPacket]) -> None:
        with Recorder(tmp_path, RingLimits(max_hours=1e6, min_free_bytes=0)) as recorder:
            (tmp_path / "2026-11-21").write_text("a file where a folder should be")
            record(recorder, "cam-1", half_minute[:20])
            wait_until(lambda: recorder.status.state == "failed")
            (tmp_path / "2026-11-21").unlink()
            recorder._retry_at = 0.0
            record(recorder, "cam-1", half_minute[:20])
            wait_until(lambda: recorder.status.state == "recording")

    def test_a_slow_disk_costs_pictures_not_memory(self, tmp_path: Path) -> None:
        sink = CameraSink("cam-1", SimpleQueue())
        big = CodedPacket(bytes(MAX_WAITING_BYTES // 2), 0, 0, 1, True, START)
        for _ in range(3):
            sink.packet(big)
        small = CodedPacket(b"x", 0, 0, 1, False, START)
        sink.packet(small)  # Would fit, but hangs on a picture that was left out.
        assert sink.dropped == 2
        sink.written(big)
        sink.packet(CodedPacket(b"x", 0, 0, 1, True, START))
        assert sink.dropped == 2


class TestCodings:
    def test_a_camera_that_changes_its_size_begins_a_new_segment(
        self, tmp_path: Path, half_minute: list[CodedPacket]
    ) -> None:
        other = coded_stream(3, size=(192, 112), start=START + timedelta(seconds=3))
        moved = [replace(one, pts=one.pts + 270_000, dts=(one.dts or 0) + 270_000) for one in other]
        with Recorder(tmp_path / "ring", RingLimits(max_hours=1e6, min_free_bytes=0)) as recorder:
            record(recorder, "cam-1", half_minute[:30] + moved)
            wait_until(lambda: len(recorder.recorded("cam-1", START, START + timedelta(seconds=10))) == 2)
            recorder.close()
        sizes = []
        for file in segments(tmp_path / "ring"):
            with av.open(str(file)) as container:
                frames = list(container.decode(video=0))
                sizes.append((frames[-1].width, frames[-1].height, len(frames)))
        assert sizes == [(160, 96, 30), (192, 112, 30)]
        with Recorder(tmp_path / "ring", RingLimits(max_hours=1e6, min_free_bytes=0)) as recorder:
            clip = recorder.clip("cam-1", START, START + timedelta(seconds=6), tmp_path / "clip.mp4")
        assert "mã hóa" in clip.gaps[-1].reason
        assert clip.gaps[-1].start == START + timedelta(seconds=3)

    def test_parameter_sets_of_the_description_are_put_in(self, tmp_path: Path, half_minute: list[CodedPacket]) -> None:
        sets = parameter_sets("h264", half_minute[0].data)
        assert len(sets) > 10
        bare = [replace(one, data=one.data.replace(sets[4:20], b"\x06" + sets[5:20])) for one in half_minute[:30]]
        assert all(parameter_sets("h264", one.data) != sets for one in bare)
        with Recorder(tmp_path, RingLimits(max_hours=1e6, min_free_bytes=0)) as recorder:
            sink = recorder.sink("cam-1")
            sink.opened(replace(description(), parameter_sets=sets))
            for packet in bare:
                sink.packet(packet)
        with av.open(str(segments(tmp_path)[0])) as container:
            assert len(list(container.decode(video=0))) == 30

    def test_h265(self, tmp_path: Path) -> None:
        packets = coded_stream(3, codec="libx265")
        with Recorder(tmp_path / "ring", RingLimits(max_hours=1e6, min_free_bytes=0)) as recorder:
            sink = recorder.sink("cam-1")
            sink.opened(replace(description(), codec="hevc"))
            for packet in packets:
                sink.packet(packet)
            sink.lost()
            wait_until(lambda: recorder.status.bytes > 0)
            clip = recorder.clip("cam-1", START, START + timedelta(seconds=3), tmp_path / "clip.mp4")
        with av.open(str(clip.path)) as container:
            assert container.streams.video[0].codec_context.name == "hevc"
            assert len(list(container.decode(video=0))) == 30
