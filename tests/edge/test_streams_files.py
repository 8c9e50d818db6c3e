"""Files and folders as sources: right times, right rate, hostile and broken files told apart."""

from __future__ import annotations

import os
import struct
import threading
import zlib
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from matpho_contracts.errors import BadInputError, NotFoundError
from matpho_edge.streams import UnreadableVideoError, open_source
from matpho_edge.streams.files import FileSource
from matpho_edge.streams.opening import folder_files, natural_key
from matpho_edge.streams.picture import DecodedFrame

STARTED = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
SHARED = Path(os.environ.get("MATPHO_SHARED", Path(__file__).parents[3] / "shared"))


def write_video(
    path: Path,
    *,
    seconds: float = 2.0,
    fps: int = 25,
    size: tuple[int, int] = (160, 96),
    metadata: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """A grey ramp: picture n is n * 4 bright."""
    with av.open(str(path), "w", container_options=options or {}) as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast", "crf": "10", "g": "10"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.time_base = Fraction(1, fps)
        for number in range(round(seconds * fps)):
            picture = np.full((size[1], size[0], 3), (number * 4) % 256, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


async def read(source: object) -> list[DecodedFrame]:
    assert isinstance(source, FileSource)
    try:
        return [frame async for frame in source.frames()]
    finally:
        await source.close()


class TestVideoFile:
    async def test_samples_at_the_analysed_rate(self, tmp_path: Path) -> None:
        file = write_video(tmp_path / "a.mp4")
        frames = await read(open_source(str(file), camera_id="c", fps=5, started_at=STARTED))
        assert [round(frame.media_seconds, 3) for frame in frames] == [round(n / 5, 3) for n in range(10)]
        assert [frame.captured_at for frame in frames] == [STARTED + timedelta(seconds=n / 5) for n in range(10)]
        assert frames[0].camera_id == "c"

    async def test_gives_every_picture_when_asked(self, tmp_path: Path) -> None:
        file = write_video(tmp_path / "a.mp4")
        assert len(await read(open_source(str(file), camera_id="c", fps=0))) == 50

    async def test_a_slow_file_gives_what_it_has(self, tmp_path: Path) -> None:
        file = write_video(tmp_path / "a.mp4", fps=2, seconds=5)
        assert len(await read(open_source(str(file), camera_id="c", fps=5))) == 10

    async def test_pixels(self, tmp_path: Path) -> None:
        file = write_video(tmp_path / "a.mp4", size=(162, 98))  # No multiple of 16 or 32: rows are padded.
        frame = (await read(open_source(str(file), camera_id="c", fps=5)))[5]
        assert frame.size == (162, 98)
        assert frame.luma().shape == (98, 162)
        assert frame.bgr().shape == (98, 162, 3)
        assert frame.bgr() is frame.bgr()
        assert abs(float(frame.bgr().mean()) - 100) < 4
        assert abs(float(frame.luma().mean()) - (16 + 100 * 219 / 255)) < 4
        assert cv2.resize(frame.luma(), (81, 49), interpolation=cv2.INTER_AREA).shape == (49, 81)

    async def test_pictures_cannot_be_scribbled_on(self, tmp_path: Path) -> None:
        frame = (await read(open_source(str(write_video(tmp_path / "a.mp4")), camera_id="c")))[0]
        with pytest.raises(ValueError, match="read-only"):
            frame.luma()[0, 0] = 1

    async def test_starts_when_its_metadata_says(self, tmp_path: Path) -> None:
        file = write_video(tmp_path / "a.mp4", metadata={"creation_time": "2026-03-04T05:06:07Z"})
        frames = await read(open_source(str(file), camera_id="c"))
        assert frames[0].captured_at == datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)

    async def test_nonsense_metadata_falls_back_to_the_file(self, tmp_path: Path) -> None:
        file = write_video(tmp_path / "a.mkv", metadata={"creation_time": "1970-01-01T00:00:00Z"})
        os.utime(file, (1_700_000_000, 1_700_000_000))
        frames = await read(open_source(str(file), camera_id="c"))
        assert frames[0].captured_at == datetime.fromtimestamp(1_700_000_000, UTC)

    async def test_ends_quietly_when_whole(self, tmp_path: Path) -> None:
        source = open_source(str(write_video(tmp_path / "a.mp4")), camera_id="c")
        await read(source)
        assert (source.status.status, source.status.reason_code) == ("offline", "finished")

    async def test_a_taker_who_leaves_early_stops_the_reading(self, tmp_path: Path) -> None:
        source = open_source(str(write_video(tmp_path / "a.mp4", seconds=8)), camera_id="c", fps=0)
        async for frame in source.frames():
            first = frame.captured_at
            break
        await source.close()
        assert source.status.last_frame_at is not None
        assert source.status.last_frame_at - first < timedelta(seconds=2)
        assert "file-c" not in {thread.name for thread in threading.enumerate()}

    async def test_a_turned_picture_is_set_upright(self, tmp_path: Path) -> None:
        file = write_video(tmp_path / "phone.mp4")
        upright, quarter = (1, 0, 0, 0, 1, 0, 0, 0, 16384), (0, 1, 0, -1, 0, 0, 0, 0, 16384)
        old, new = (b"".join(struct.pack(">i", value * 65536) for value in matrix) for matrix in (upright, quarter))
        head, marker, tail = file.read_bytes().partition(b"tkhd")
        assert old in tail
        file.write_bytes(head + marker + tail.replace(old, new, 1))
        frame = (await read(open_source(str(file), camera_id="c")))[0]
        assert frame.size == (96, 160)
        assert frame.luma().shape == (160, 96)
        assert frame.bgr().shape == (160, 96, 3)

    @pytest.mark.skipif(not (SHARED / "data/video/vtest.mp4").exists(), reason="shared clips are not here")
    async def test_real_footage(self) -> None:
        frames = await read(open_source(str(SHARED / "data/video/vtest.mp4"), camera_id="c", fps=1))
        assert len(frames) == 80
        assert frames[0].size == (768, 576)


class TestBrokenFiles:
    async def test_a_cut_file_gives_frames_up_to_the_break(self, tmp_path: Path) -> None:
        file = write_video(tmp_path / "a.mp4", seconds=10, options={"movflags": "+faststart"})
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        source = open_source(str(file), camera_id="c")
        frames = await read(source)
        assert 5 < len(frames) < 45
        assert (source.status.status, source.status.reason_code) == ("degraded", "truncated_file")
        assert "a.mp4" in source.status.reason

    async def test_a_file_without_its_index_is_refused(self, tmp_path: Path) -> None:
        file = write_video(tmp_path / "a.mp4")
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        with pytest.raises(UnreadableVideoError, match=r"a\.mp4"):
            await read(open_source(str(file), camera_id="c"))

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"hello, I am a text\n" * 100,
            b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
            b"ffconcat version 1.0\nfile '/etc/passwd'\n",
            b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nc=IN IP4 127.0.0.1\r\nm=video 9 RTP/AVP 96\r\n",
        ],
        ids=["empty", "text", "playlist", "concat", "sdp"],
    )
    async def test_not_a_video(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "film.mp4").write_bytes(content)
        with pytest.raises(BadInputError):
            await read(open_source(str(tmp_path / "film.mp4"), camera_id="c"))

    @pytest.mark.parametrize(
        "playlist",
        [
            "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:2,\nreal.ts\n#EXT-X-ENDLIST\n",
            "ffconcat version 1.0\nfile 'real.ts'\n",
        ],
        ids=["hls", "concat"],
    )
    async def test_a_playlist_of_real_video_is_still_refused(self, tmp_path: Path, playlist: str) -> None:
        write_video(tmp_path / "real.ts")
        (tmp_path / "list.mp4").write_text(playlist)
        with pytest.raises(UnreadableVideoError):
            await read(open_source(str(tmp_path / "list.mp4"), camera_id="c"))

    async def test_a_pixel_flood_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "flood.png").write_bytes(png_of(20_000, 20_000))
        with pytest.raises(UnreadableVideoError):
            await read(open_source(str(tmp_path / "flood.png"), camera_id="c"))


def png_of(width: int, height: int) -> bytes:
    """A valid grey PNG that is tiny on disk and huge in memory."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(1)
    row = b"\0" * (width + 1)
    data = b"".join(packer.compress(row * 100) for _ in range(height // 100)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


class TestFolder:
    async def test_pictures_in_natural_order(self, tmp_path: Path) -> None:
        for number in (10, 9, 1):
            cv2.imwrite(str(tmp_path / f"shot{number}.png"), np.full((48, 64, 3), number * 20, np.uint8))
        (tmp_path / "notes.txt").write_text("no picture")
        frames = await read(open_source(str(tmp_path), camera_id="c", fps=2, started_at=STARTED))
        assert [frame.origin for frame in frames] == ["shot1.png", "shot9.png", "shot10.png"]
        assert [round(float(frame.bgr().mean())) for frame in frames] == [20, 180, 200]
        assert [frame.captured_at for frame in frames] == [STARTED + timedelta(seconds=n / 2) for n in range(3)]
        assert [frame.media_seconds for frame in frames] == [0.0, 0.5, 1.0]

    async def test_videos_follow_each_other(self, tmp_path: Path) -> None:
        write_video(tmp_path / "b2.mp4")
        write_video(tmp_path / "b10.mp4")
        frames = await read(open_source(str(tmp_path), camera_id="c", fps=5, started_at=STARTED))
        assert [frame.origin for frame in frames] == ["b2.mp4"] * 10 + ["b10.mp4"] * 10
        assert frames[10].captured_at == STARTED + timedelta(seconds=2)
        times = [frame.media_seconds for frame in frames]
        assert times == sorted(times)

    async def test_a_bad_file_does_not_stop_the_folder(self, tmp_path: Path) -> None:
        (tmp_path / "1.mp4").write_bytes(b"no video")
        write_video(tmp_path / "2.mp4")
        source = open_source(str(tmp_path), camera_id="c")
        assert isinstance(source, FileSource)
        assert len(await read(source)) == 10
        assert "1.mp4" in source.warnings[0]
        assert source.status.status == "degraded"

    async def test_grey_and_jpeg_pictures(self, tmp_path: Path) -> None:
        cv2.imwrite(str(tmp_path / "a.jpg"), np.full((48, 64), 90, np.uint8))
        frame = (await read(open_source(str(tmp_path / "a.jpg"), camera_id="c")))[0]
        assert abs(float(frame.luma().mean()) - 90) < 3
        assert frame.bgr().shape == (48, 64, 3)

    def test_links_and_hidden_files_are_left_out(self, tmp_path: Path) -> None:
        write_video(tmp_path / "a.mp4")
        (tmp_path / "b.mp4").symlink_to(tmp_path / "a.mp4")
        (tmp_path / ".c.mp4").write_bytes(b"x")
        assert [path.name for path in folder_files(tmp_path, frozenset({".mp4"}))] == ["a.mp4"]

    def test_an_empty_folder(self, tmp_path: Path) -> None:
        with pytest.raises(BadInputError):
            open_source(str(tmp_path), camera_id="c")

    def test_natural_order(self) -> None:
        assert sorted(["a10", "A9", "b1", "10", "9"], key=natural_key) == ["9", "10", "A9", "a10", "b1"]


class TestAddress:
    @pytest.mark.parametrize(
        "address",
        [
            "",
            "-i",
            "http://10.0.0.5/x",
            "exec:ls",
            "rtmp://h/x",
            "concat:a|b",
            "rtsp://",
            "rtsp:///x",
            "rtsp://h:99999/x",
            "rtsp://-o/x",
            "rtsp://h/a b",
            "file:///etc/\n",
            "x" * 5000,
            "subfile,,start,0,end,9,,:/etc/passwd",
            "/dev/null",
        ],
    )
    def test_refused(self, address: str) -> None:
        with pytest.raises((BadInputError, NotFoundError)):
            open_source(address, camera_id="c")

    def test_bad_options(self, tmp_path: Path) -> None:
        file = str(write_video(tmp_path / "a.mp4", seconds=0.2))
        for wrong in ({"camera_id": "../x"}, {"fps": -1.0}, {"fps": 1e9}, {"started_at": datetime(2026, 1, 1)}):
            with pytest.raises(BadInputError):
                open_source(file, **{"camera_id": "c", **wrong})  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        "address",
        [
            "ftp://admin:canary-7@host/x",
            "rtsp://admin:canary-7@/x",
            "rtsp://admin:can@ary-7@h:xx/y",
            "rtsp://a:c/anary-7@h /x",
        ],
    )
    def test_no_password_in_the_message(self, address: str) -> None:
        with pytest.raises((BadInputError, NotFoundError)) as caught:
            open_source(address, camera_id="c")
        assert "anary-7" not in str(caught.value)
