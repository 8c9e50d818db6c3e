"""Live cameras: simulated ones on loopback that go away, fall silent, change passwords; never a lost source."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from matpho_edge.credentials import Credentials, masked, split_userinfo
from matpho_edge.recorder import Recorder, RingLimits
from matpho_edge.streams import SourceStatus, open_source
from matpho_edge.streams.address import LiveAddress, parse_address
from matpho_edge.streams.decoding import open_live
from matpho_edge.streams.handover import Handover
from matpho_edge.streams.live import Backoff, LiveOptions, LiveSource
from matpho_edge.streams.packets import PacketSink
from matpho_edge.streams.sampling import MediaClock, Sampler, WallAnchor
from matpho_simcity.camera import CameraIdentity, CameraSettings, SimulatedCamera
from matpho_simcity.camera.pattern import PatternSource

CANARY = "c4n@ry/p%s:s w"
QUICK = LiveOptions(stall=0.8, first_picture=3.0, backoff=(0.1, 0.3), auth_wait=0.3)


def simulated(password: str = CANARY) -> SimulatedCamera:
    settings = CameraSettings(key_frame_seconds=0.5)
    source = PatternSource((320, 180), frames_per_second=10.0)
    return SimulatedCamera(source, CameraIdentity("A1", "x"), username="admin", password=password, settings=settings)


@asynccontextmanager
async def reading(
    camera: SimulatedCamera,
    *,
    password: str = CANARY,
    sink: PacketSink | None = None,
    seen: list[SourceStatus] | None = None,
) -> AsyncIterator[LiveSource]:
    """A source whose frames are taken by a task all the while."""
    statuses = seen if seen is not None else []
    source = open_source(
        camera.stream_url(), camera_id="cam-1", credentials=Credentials("admin", password), options=QUICK, sink=sink,
        on_status=statuses.append,
    )  # fmt: skip
    assert isinstance(source, LiveSource)

    async def take() -> None:
        async for _ in source.frames():
            pass

    task = asyncio.create_task(take())
    try:
        yield source
    finally:
        await source.close()
        await asyncio.wait_for(task, 5)


async def until(condition: object, seconds: float = 15.0) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.02)


class TestLiveSource:
    async def test_frames_at_the_analysed_rate_with_wall_clock(self) -> None:
        async with simulated() as camera:
            before = datetime.now(UTC)
            source = open_source(camera.stream_url(), camera_id="c", fps=5, credentials=Credentials("admin", CANARY))
            frames = []
            async for frame in source.frames():
                frames.append(frame)
                if len(frames) == 8:
                    break
            await source.close()
        steps = [b.media_seconds - a.media_seconds for a, b in pairwise(frames)]
        assert all(0.09 < step < 0.35 for step in steps)
        assert abs(sum(steps) / len(steps) - 0.2) < 0.05
        assert all(before - timedelta(seconds=1) < frame.captured_at <= datetime.now(UTC) for frame in frames)
        assert frames[0].size == (320, 180)
        assert frames[0].bgr().shape == (180, 320, 3)
        assert source.status.codec == "h264"

    async def test_a_camera_that_is_away_at_first_is_taken_when_it_comes(self) -> None:
        async with simulated() as camera:
            await camera.go_offline()
            async with reading(camera) as source:
                await until(lambda: source.status.reconnects >= 2)
                assert (source.status.status, source.status.reason_code) == ("offline", "camera_unreachable")
                await camera.come_back()
                await until(lambda: source.status.status == "online")

    async def test_comes_back_after_an_outage_and_tells_each_change_once(self) -> None:
        seen: list[SourceStatus] = []
        async with simulated() as camera, reading(camera, seen=seen) as source:
            await until(lambda: source.status.status == "online")
            await camera.go_offline()
            await until(lambda: source.status.status == "offline")
            await asyncio.sleep(0.5)
            await camera.come_back()
            await until(lambda: source.status.status == "online")
            await until(lambda: len(seen) >= 3)
        changes = [(one.status, one.reason_code) for one in seen]
        assert changes[0] == ("online", "")
        assert changes[-1] == ("online", "")
        assert len([change for change in changes if change[0] == "offline"]) <= 2

    async def test_a_silent_stream_is_found_out_and_survived(self) -> None:
        async with simulated() as camera, reading(camera) as source:
            await until(lambda: source.status.status == "online")
            camera.silence()
            await until(lambda: source.status.status == "offline")
            camera.silence(False)
            await until(lambda: source.status.status == "online")

    async def test_a_wrong_password_is_told_apart_and_never_shown(self) -> None:
        async with simulated() as camera, reading(camera, password="wrong-canary-7") as source:
            await until(lambda: source.status.reason_code == "camera_auth")
            assert "mật khẩu" in source.status.reason
            assert "canary" not in repr(source.status)
            camera.change_password("wrong-canary-7")
            await until(lambda: source.status.status == "online")

    async def test_a_stream_that_does_not_exist(self) -> None:
        async with simulated() as camera:
            url = camera.stream_url().replace("main", "nothing")
            source = open_source(url, camera_id="c", credentials=Credentials("admin", CANARY), options=QUICK)
            task = asyncio.ensure_future(anext(source.frames(), None))
            await until(lambda: source.status.reason_code == "camera_protocol")
            await source.close()
            assert await asyncio.wait_for(task, 5) is None

    async def test_something_else_listens_there(self) -> None:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        source = open_source(f"rtsp://127.0.0.1:{port}/x", camera_id="c", options=QUICK)
        task = asyncio.ensure_future(anext(source.frames(), None))
        await until(lambda: source.status.reconnects >= 2)
        assert source.status.status == "offline"
        await source.close()
        await asyncio.wait_for(task, 5)
        server.close()
        await server.wait_closed()

    @pytest.mark.parametrize("first", [b"302 Moved", b"401 Unauthorized"])
    async def test_a_camera_that_sends_us_elsewhere_is_not_followed(self, first: bytes) -> None:
        knocks: list[bytes] = []
        logins: list[bytes] = []

        async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            knocks.append(await reader.read(100))
            writer.close()

        async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            challenge = b'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"\r\n'
            while head := await reader.readuntil(b"\r\n\r\n"):
                number = head.partition(b"CSeq: ")[2].partition(b"\r\n")[0]
                status = first if b"Authorization" not in head else b"301 Moved"
                logins.append(head)
                location = b"Location: rtsp://127.0.0.1:%d/evil\r\n" % other.sockets[0].getsockname()[1]
                extra = challenge if status == b"401 Unauthorized" else location
                writer.write(b"RTSP/1.0 " + status + b"\r\nCSeq: " + number + b"\r\n" + extra + b"\r\n")

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                await redirect(reader, writer)
            writer.close()

        other = await asyncio.start_server(elsewhere, "127.0.0.1", 0)
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        url = f"rtsp://127.0.0.1:{server.sockets[0].getsockname()[1]}/x"
        source = open_source(url, camera_id="c", credentials=Credentials("admin", CANARY), options=QUICK)
        task = asyncio.ensure_future(anext(source.frames(), None))
        await until(lambda: source.status.reconnects >= 2)
        assert source.status.reason_code == "camera_protocol"
        await source.close()
        await asyncio.wait_for(task, 5)
        for one in (server, other):
            one.close()
            await one.wait_closed()
        assert knocks == []
        assert all(CANARY.encode() not in head for head in logins)

    @pytest.mark.parametrize("allowed", [False, True])
    async def test_the_password_goes_out_in_clear_only_where_allowed(self, allowed: bool) -> None:
        heads: list[bytes] = []

        async def basic(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                while head := await reader.readuntil(b"\r\n\r\n"):
                    heads.append(head)
                    number = head.partition(b"CSeq: ")[2].partition(b"\r\n")[0]
                    writer.write(
                        b"RTSP/1.0 401 No\r\nCSeq: " + number + b'\r\nWWW-Authenticate: Basic realm="r"\r\n\r\n'
                    )
            writer.close()

        server = await asyncio.start_server(basic, "127.0.0.1", 0)
        url = f"rtsp://127.0.0.1:{server.sockets[0].getsockname()[1]}/x"
        source = open_source(
            url, camera_id="c", credentials=Credentials("admin", CANARY), options=replace(QUICK, allow_basic=allowed)
        )
        task = asyncio.ensure_future(anext(source.frames(), None))
        await until(lambda: source.status.reconnects >= 1)
        await source.close()
        await asyncio.wait_for(task, 5)
        server.close()
        await server.wait_closed()
        assert any(b"Authorization: Basic" in head for head in heads) is allowed

    async def test_udp(self) -> None:
        async with simulated() as camera:
            address = parse_address(camera.stream_url(), Credentials("admin", CANARY))
            assert isinstance(address, LiveAddress)

            def read() -> int:
                with open_live(address, udp=True, open_timeout=5, read_timeout=5) as container:
                    return sum(1 for _ in zip(range(5), container.decode(video=0), strict=False))

            assert await asyncio.to_thread(read) == 5

    async def test_the_queue_does_not_grow_when_nobody_takes(self) -> None:
        async with simulated() as camera:
            source = open_source(
                camera.stream_url(), camera_id="c", fps=0, credentials=Credentials("admin", CANARY), options=QUICK
            )
            iterator = aiter(source.frames())
            await anext(iterator)
            await until(lambda: source.status.dropped > 3)
            newest = [await anext(iterator) for _ in range(QUICK.queue)][-1]
            assert datetime.now(UTC) - newest.captured_at < timedelta(seconds=2)
            await source.close()

    async def test_closing_a_dead_connection_does_not_hang(self) -> None:
        async with simulated() as camera, reading(camera) as source:
            await until(lambda: source.status.status == "online")
            camera.silence()
            await asyncio.wait_for(source.close(), 4)


class TestRecording:
    async def test_the_same_connection_is_recorded(self, tmp_path: Path) -> None:
        with Recorder(tmp_path / "ring", RingLimits(min_free_bytes=0, segment_seconds=1.0)) as recorder:
            async with simulated() as camera, reading(camera, sink=recorder.sink("cam-1")) as source:
                await until(lambda: source.status.status == "online")
                began = datetime.now(UTC)
                await asyncio.sleep(2.4)
                assert camera.rtsp_sessions == 1
            await until(lambda: recorder.status.bytes > 0)
            clip = recorder.clip("cam-1", began, began + timedelta(seconds=1.8), tmp_path / "clip.mp4")
        assert clip.gaps == ()
        assert abs((clip.end - clip.start).total_seconds() - 1.8) < 1.0


class TestHandover:
    async def test_drops_the_oldest(self) -> None:
        queue: Handover[int] = Handover(2, drop_oldest=True)
        for number in range(5):
            queue.put(number)
        queue.end()
        assert [await queue.take(), await queue.take(), await queue.take()] == [3, 4, None]
        assert queue.dropped == 3

    async def test_an_error_comes_after_what_was_before_it(self) -> None:
        queue: Handover[int] = Handover(2, drop_oldest=False)
        queue.put(1)
        queue.end(ValueError("broken"))
        assert await queue.take() == 1
        with pytest.raises(ValueError, match="broken"):
            await queue.take()

    async def test_a_waiting_thread_is_freed_when_the_taker_leaves(self) -> None:
        queue: Handover[int] = Handover(1, drop_oldest=False)
        queue.put(1)
        waiting = asyncio.create_task(asyncio.to_thread(queue.put, 2))
        await asyncio.sleep(0.05)
        queue.abandon()
        assert await asyncio.wait_for(waiting, 5) is False


class TestJudgement:
    def test_sampler_keeps_the_rate_of_uneven_streams(self) -> None:
        for rate in (12, 15, 24, 29.97, 30):
            sampler = Sampler(5.0)
            kept = sum(sampler.is_due(n / rate) for n in range(int(rate * 20)))
            assert abs(kept - 100) <= 1

    def test_sampler_after_a_pause_does_not_rush(self) -> None:
        sampler = Sampler(5.0)
        assert sampler.is_due(0)
        kept = [seconds for seconds in (10.0, 10.04, 10.08, 10.12, 10.2) if sampler.is_due(seconds)]
        assert kept == [10.0, 10.2]

    def test_clock_never_goes_back_and_closes_leaps(self) -> None:
        clock = MediaClock(0.04)
        times = [clock.advance(raw) for raw in (100.0, 100.04, 5.0, 5.04, 99_999.0, None, 99_999.1)]
        assert times == sorted(times)
        assert times[-1] < 1.0
        assert clock.jumps == 2

    def test_files_may_pause(self) -> None:
        clock = MediaClock(0.04, max_jump=None)
        assert [clock.advance(raw) for raw in (0.0, 100.0)] == [0.0, 100.0]

    def test_anchor_smooths_arrival_and_never_tells_the_future(self) -> None:
        start = datetime(2026, 11, 21, tzinfo=UTC)
        anchor = WallAnchor()
        arrivals = [0.5, 0.3, 0.25, 0.9, 0.45]  # Seconds late, each picture 0.2 s after the other.
        seen = []
        for number, late in enumerate(arrivals):
            arrived = start + timedelta(seconds=number * 0.2 + late)
            seen.append(anchor.at(number * 0.2, arrived))
            assert seen[-1] <= arrived
        assert seen == sorted(seen)
        assert seen[-1] == start + timedelta(seconds=4 * 0.2 + 0.25)

    def test_anchor_follows_a_clock_that_drifts(self) -> None:
        start = datetime(2026, 11, 21, tzinfo=UTC)
        anchor = WallAnchor()
        anchor.at(0.0, start)
        assert anchor.at(1.0, start + timedelta(seconds=100)) == start + timedelta(seconds=100)

    def test_backoff_grows_with_jitter_to_its_limit(self) -> None:
        backoff = Backoff(1.0, 60.0)
        waits = [backoff.next() for _ in range(12)]
        assert all(1.0 <= wait <= 60.0 for wait in waits)
        assert waits[-1] >= 30.0
        assert len(set(waits[6:])) > 1
        backoff.reset()
        assert backoff.next() == 1.0


class TestCredentials:
    def test_nothing_shows_the_password(self) -> None:
        secret = Credentials("admin", CANARY)
        for shown in (repr(secret), str(secret), f"{secret}", str([secret]), str(vars(type(secret)).keys())):
            assert CANARY not in shown
        with pytest.raises(TypeError):
            __import__("pickle").dumps(secret)

    @pytest.mark.parametrize(
        ("url", "bare", "password"),
        [
            ("rtsp://a:b@h:554/p", "rtsp://h:554/p", "b"),
            ("rtsp://a:b%40c@h/p", "rtsp://h/p", "b@c"),
            ("rtsp://a:b@c@h/p?x=1", "rtsp://h/p?x=1", "b@c"),
            ("rtsp://a:b/c@h/p", "rtsp://h/p", "b/c"),
            ("rtsp://a:b?c@h:1/p", "rtsp://h:1/p", "b?c"),
            ("rtsp://[::1]:554/p@q", "rtsp://[::1]:554/p@q", None),
            ("rtsp://h:554/p@q", "rtsp://h:554/p@q", None),
        ],
    )
    def test_userinfo_is_taken_out(self, url: str, bare: str, password: str | None) -> None:
        left, credentials = split_userinfo(url)
        assert left == bare
        assert (credentials.reveal() if credentials else None) == password

    def test_masked(self) -> None:
        for url in (
            "rtsp://admin:canary@h/x", "rtsp://h/user=admin&password=canary&ch=1", "rtsp://h/x?pwd=canary", "rtsp://a:b/canary@h/x",
        ):  # fmt: skip
            assert "canary" not in masked(url)
            assert "//h/" in masked(url)
