"""Independent players read the streams: PyAV always, ffprobe and GStreamer where they are installed."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator

import av
import av.error
import numpy as np
import pytest

from matpho_simcity.camera import CameraIdentity, CameraSettings, SimulatedCamera
from matpho_simcity.camera.pattern import PatternSource

PASSWORD = "s3cret"
QUICK = {"fpsprobesize": "0", "analyzeduration": "1000000", "probesize": "50000"}

needs_ffprobe = pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not installed")
needs_gstreamer = pytest.mark.skipif(shutil.which("gst-launch-1.0") is None, reason="GStreamer is not installed")


@pytest.fixture
def source() -> PatternSource:
    return PatternSource((320, 180))


@pytest.fixture
async def camera(source: PatternSource) -> AsyncIterator[SimulatedCamera]:
    settings = CameraSettings(sub_size=(160, 90))
    async with SimulatedCamera(
        source, CameraIdentity("P1", "Máy"), username="admin", password=PASSWORD, settings=settings
    ) as camera:
        yield camera


def address(camera: SimulatedCamera, stream: str = "main", password: str = PASSWORD) -> str:
    return camera.stream_url(stream).replace("rtsp://", f"rtsp://admin:{password}@")


def read(url: str, transport: str, count: int) -> list[np.ndarray]:
    """The first pictures as BGR; the first decoded one must be a key frame."""
    pictures: list[np.ndarray] = []
    with av.open(url, options={"rtsp_transport": transport, **QUICK}, timeout=10) as container:
        for frame in container.decode(video=0):
            assert pictures or frame.key_frame
            pictures.append(frame.to_ndarray(format="bgr24"))
            if len(pictures) == count:
                break
    return pictures


def clock(picture: np.ndarray) -> int:
    """The tenths of a second that the pattern's cells spell."""
    scale = picture.shape[1] / 320
    cells = [picture[int(3 * scale), int((8 * bit + 4) * scale)].mean() > 128 for bit in range(16)]
    return sum(int(cell) << bit for bit, cell in enumerate(cells))


class TestPyAv:
    @pytest.mark.parametrize("transport", ["tcp", "udp"])
    async def test_pictures_come_in_order(self, camera: SimulatedCamera, transport: str) -> None:
        pictures = await asyncio.to_thread(read, address(camera), transport, 12)
        times = [clock(picture) for picture in pictures]
        assert times == sorted(times)
        assert times[-1] > times[0]

    async def test_many_clients_of_both_streams_share_the_drawing(self, camera: SimulatedCamera) -> None:
        readers = [
            asyncio.to_thread(read, address(camera, stream), transport, 8)
            for stream in ("main", "sub")
            for transport in ("tcp", "udp")
        ]
        shapes = [pictures[0].shape for pictures in await asyncio.gather(*readers)]
        assert shapes == [(180, 320, 3), (180, 320, 3), (90, 160, 3), (90, 160, 3)]
        assert camera.pictures_drawn < 60

    async def test_wrong_password_and_wrong_path(self, camera: SimulatedCamera) -> None:
        with pytest.raises(av.error.HTTPUnauthorizedError):
            await asyncio.to_thread(read, address(camera, password="wrong"), "tcp", 1)
        with pytest.raises(av.error.HTTPNotFoundError):
            await asyncio.to_thread(read, address(camera).replace("main", "none"), "tcp", 1)

    async def test_freezing_keeps_the_stream_but_stops_the_picture(self, camera: SimulatedCamera) -> None:
        camera.freeze()
        times = {clock(picture) for picture in await asyncio.to_thread(read, address(camera), "tcp", 8)}
        assert len(times) == 1
        camera.freeze(False)
        assert len({clock(picture) for picture in await asyncio.to_thread(read, address(camera), "tcp", 8)}) > 1

    async def test_silence_then_speech(self, camera: SimulatedCamera) -> None:
        camera.silence()
        reader = asyncio.create_task(asyncio.to_thread(read, address(camera), "tcp", 2))
        await asyncio.sleep(0.8)
        assert not reader.done()
        camera.silence(False)
        assert len(await reader) == 2

    async def test_outage_cuts_the_stream(self, camera: SimulatedCamera) -> None:
        reader = asyncio.create_task(asyncio.to_thread(read, address(camera), "tcp", 1000))
        for _ in range(200):
            if camera.rtsp_sessions:
                break
            await asyncio.sleep(0.05)
        await camera.go_offline()
        ending = (await asyncio.gather(reader, return_exceptions=True))[0]
        assert isinstance(ending, av.error.FFmpegError) or len(ending) < 1000
        await camera.come_back()
        assert len(await asyncio.to_thread(read, address(camera), "tcp", 2)) == 2


async def run(*command: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(30):
        output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


class TestOtherPlayers:
    @needs_ffprobe
    @pytest.mark.parametrize("transport", ["tcp", "udp"])
    async def test_ffprobe(self, camera: SimulatedCamera, transport: str) -> None:
        fields = "stream=codec_name,profile,width,height,avg_frame_rate"
        command = ["ffprobe", "-v", "error", "-rtsp_transport", transport, "-show_entries", fields, "-of", "json"]
        code, output = await run(*command, address(camera))
        assert code == 0, output
        assert json.loads(output)["streams"] == [
            {"codec_name": "h264", "profile": "Main", "width": 320, "height": 180, "avg_frame_rate": "10/1"}
        ]

    @needs_ffprobe
    async def test_ffprobe_with_a_wrong_password(self, camera: SimulatedCamera) -> None:
        code, output = await run("ffprobe", "-rtsp_transport", "tcp", address(camera, password="wrong"))
        assert code != 0
        assert "401" in output

    @needs_gstreamer
    @pytest.mark.parametrize("protocol", ["tcp", "udp"])
    async def test_gstreamer(self, camera: SimulatedCamera, protocol: str) -> None:
        source = ["rtspsrc", f"location={camera.stream_url()}", "user-id=admin", f"user-pw={PASSWORD}"]
        options = [f"protocols={protocol}", "latency=50"]
        rest = [
            "!",
            "rtph264depay",
            "!",
            "h264parse",
            "!",
            "avdec_h264",
            "!",
            "identity",
            "eos-after=8",
            "!",
            "fakesink",
        ]
        code, output = await run("gst-launch-1.0", "-q", *source, *options, *rest)
        assert code == 0, output
        assert "ERROR" not in output
