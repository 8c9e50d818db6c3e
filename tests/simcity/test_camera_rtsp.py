"""The RTSP server, spoken to byte by byte: what a strict camera answers and what it refuses."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from matpho_simcity.camera import CameraIdentity, CameraLimits, CameraSettings, SimulatedCamera
from matpho_simcity.camera.pattern import PatternSource

PASSWORD = "right horse"
LIMITS = CameraLimits(rtsp_sessions=3, rtsp_connections=6, rtsp_session_timeout=1.0, rtsp_request_timeout=1.0)
TCP = "RTP/AVP/TCP;unicast;interleaved=0-1"


Connect = Callable[..., Awaitable["Client"]]


@dataclass
class Answer:
    status: int
    headers: dict[str, list[str]]
    body: bytes = b""

    def header(self, name: str) -> str:
        return self.headers.get(name.lower(), [""])[0]


@dataclass
class Client:
    """A minimal RTSP client that keeps binary frames apart."""

    url: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    password: str = PASSWORD
    algorithm: str = "MD5"
    frames: list[tuple[int, bytes]] = field(default_factory=list)
    sequence: int = 0
    nonce: str = ""
    realm: str = ""

    @classmethod
    async def connect(cls, camera: SimulatedCamera, **options: str) -> Client:
        reader, writer = await asyncio.open_connection("127.0.0.1", camera.ports.rtsp)
        return cls(camera.stream_url(), reader, writer, **options)

    async def raw(self, data: bytes) -> Answer:
        self.writer.write(data)
        return await self.answer()

    async def answer(self) -> Answer:
        async with asyncio.timeout(5):
            while True:
                first = await self.reader.readexactly(1)
                if first == b"$":
                    await self.frame(await self.reader.readexactly(3))
                    continue
                head = (first + await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers: dict[str, list[str]] = {}
                for line in head[1:]:
                    if line:
                        name, _, value = line.partition(": ")
                        headers.setdefault(name.lower(), []).append(value)
                body = await self.reader.readexactly(int(headers.get("content-length", ["0"])[0]))
                return Answer(int(head[0].split()[1]), headers, body)

    async def frame(self, head: bytes) -> None:
        self.frames.append((head[0], await self.reader.readexactly(int.from_bytes(head[1:]))))

    async def packets(self, count: int) -> list[tuple[int, bytes]]:
        async with asyncio.timeout(5):
            while len(self.frames) < count:
                assert await self.reader.readexactly(1) == b"$"
                await self.frame(await self.reader.readexactly(3))
        return self.frames

    def credentials(self, method: str, url: str) -> str:
        def h(text: str) -> str:
            digest = hashlib.sha256 if self.algorithm == "SHA-256" else hashlib.md5
            return digest(text.encode()).hexdigest()

        response = h(f"{h(f'admin:{self.realm}:{self.password}')}:{self.nonce}:{h(f'{method}:{url}')}")
        fields = f'username="admin", realm="{self.realm}", nonce="{self.nonce}", uri="{url}", response="{response}"'
        return f"Authorization: Digest {fields}, algorithm={self.algorithm}\r\n"

    async def ask(self, method: str, url: str = "", **headers: str) -> Answer:
        url = url or self.url
        self.sequence += 1
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        proof = self.credentials(method, url) if self.nonce else ""
        answer = await self.raw(f"{method} {url} RTSP/1.0\r\nCSeq: {self.sequence}\r\n{lines}{proof}\r\n".encode())
        assert answer.header("cseq") == str(self.sequence)
        return answer

    async def log_in(self) -> Client:
        challenge = next(
            one for one in (await self.ask("DESCRIBE")).headers["www-authenticate"] if self.algorithm in one
        )
        self.realm, self.nonce = (re.search(f'{name}="([^"]+)"', challenge)[1] for name in ("realm", "nonce"))
        return self

    async def set_up(self, transport: str = TCP) -> str:
        answer = await self.ask("SETUP", self.url + "/trackID=0", Transport=transport)
        assert answer.status == 200
        return answer.header("session").partition(";")[0]


@pytest.fixture
async def camera() -> AsyncIterator[SimulatedCamera]:
    source = PatternSource((320, 180), 20.0)
    settings = CameraSettings(sub_size=(160, 90), limits=LIMITS)
    async with SimulatedCamera(
        source, CameraIdentity("R1", "Đường số 1"), username="admin", password=PASSWORD, settings=settings
    ) as camera:
        yield camera


@pytest.fixture
async def connect() -> AsyncIterator[Callable[..., Awaitable[Client]]]:
    made: list[Client] = []

    async def connect(camera: SimulatedCamera, **options: str) -> Client:
        made.append(await Client.connect(camera, **options))
        return made[-1]

    yield connect
    for client in made:
        client.writer.transport.abort()
    await asyncio.sleep(0)


@pytest.fixture
async def client(camera: SimulatedCamera, connect: Connect) -> Client:
    return await (await connect(camera)).log_in()


class TestCredentials:
    async def test_options_needs_none_describe_does(self, connect: Connect, camera: SimulatedCamera) -> None:
        client = await connect(camera)
        assert "SETUP" in (await client.ask("OPTIONS")).header("public")
        refused = await client.ask("DESCRIBE")
        assert refused.status == 401
        assert all(one.startswith("Digest ") for one in refused.headers["www-authenticate"])

    @pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
    async def test_both_algorithms(self, connect: Connect, camera: SimulatedCamera, algorithm: str) -> None:
        client = await (await connect(camera, algorithm=algorithm)).log_in()
        assert (await client.ask("DESCRIBE")).status == 200

    async def test_wrong_password(self, connect: Connect, camera: SimulatedCamera) -> None:
        client = await (await connect(camera, password="wrong")).log_in()
        for method in ("DESCRIBE", "SETUP", "PLAY", "PAUSE", "TEARDOWN", "GET_PARAMETER", "SET_PARAMETER"):
            assert (await client.ask(method)).status == 401

    async def test_basic_is_refused(self, connect: Connect, camera: SimulatedCamera) -> None:
        client = await connect(camera)
        assert (await client.ask("DESCRIBE", Authorization="Basic YWRtaW46cmlnaHQgaG9yc2U=")).status == 401

    async def test_a_session_does_not_open_the_door_for_another_connection(
        self, connect: Connect, camera: SimulatedCamera, client: Client
    ) -> None:
        session = await client.set_up()
        thief = await connect(camera)
        assert (await thief.ask("TEARDOWN", Session=session)).status == 401
        assert camera.rtsp_sessions == 1

    async def test_change_of_password_ends_everything(
        self, connect: Connect, camera: SimulatedCamera, client: Client
    ) -> None:
        await client.ask("PLAY", Session=await client.set_up())
        camera.change_password("new")
        assert camera.rtsp_sessions == 0
        async with asyncio.timeout(5):
            with contextlib.suppress(ConnectionError):
                await client.reader.read()  # until the camera has cut the connection
        old = await (await connect(camera)).log_in()
        assert (await old.ask("DESCRIBE")).status == 401
        new = await (await connect(camera, password="new")).log_in()
        assert (await new.ask("DESCRIBE")).status == 200


class TestDialogue:
    async def test_description(self, client: Client) -> None:
        answer = await client.ask("DESCRIBE")
        text = answer.body.decode()
        assert answer.header("content-type") == "application/sdp"
        assert answer.header("content-base") == client.url + "/"
        assert "sprop-parameter-sets=" in text
        assert "packetization-mode=1" in text

    async def test_from_setup_to_teardown_over_tcp(self, client: Client, camera: SimulatedCamera) -> None:
        session = await client.set_up()
        play = await client.ask("PLAY", Session=session)
        numbers = re.search(r"seq=(\d+);rtptime=(\d+)", play.header("rtp-info"))
        frames = await client.packets(20)
        assert {channel for channel, _ in frames} == {0, 1}
        first = frames[0][1]
        assert struct.unpack("!HI", first[2:8]) == (int(numbers[1]), int(numbers[2]))
        assert first[12] & 0x1F in (7, 24)  # begins with parameter sets: a key frame
        assert next(packet for channel, packet in frames if channel == 1)[1] == 200
        assert (await client.ask("PAUSE", Session=session)).status == 200
        assert (await client.ask("PAUSE", Session=session)).status == 455
        assert (await client.ask("PLAY", Session=session)).status == 200
        assert (await client.ask("GET_PARAMETER", Session=session)).status == 200
        assert (await client.ask("TEARDOWN", Session=session)).status == 200
        assert (await client.ask("PLAY", Session=session)).status == 454
        assert camera.rtsp_sessions == 0

    async def test_udp_goes_to_the_client_and_comes_from_an_even_port(self, client: Client) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtp:
            rtp.bind(("127.0.0.1", 0))
            rtp.setblocking(False)
            port = rtp.getsockname()[1]
            wish = f"RTP/AVP;unicast;destination=192.0.2.77;client_port={port}-{port + 1}"
            answer = await client.ask("SETUP", client.url + "/trackID=0", Transport=wish)
            server_port = int(re.search(r"server_port=(\d+)", answer.header("transport"))[1])
            await client.ask("PLAY", Session=answer.header("session").partition(";")[0])
            async with asyncio.timeout(5):
                packet, sender = await asyncio.get_running_loop().sock_recvfrom(rtp, 2048)
        assert sender == ("127.0.0.1", server_port)
        assert server_port % 2 == 0
        assert packet[0] >> 6 == 2

    async def test_pictures_are_drawn_only_while_somebody_watches(
        self, client: Client, camera: SimulatedCamera
    ) -> None:
        await client.ask("DESCRIBE")
        session = await client.set_up()
        assert camera.pictures_drawn == 0
        await client.ask("PLAY", Session=session)
        await client.packets(6)
        await client.ask("TEARDOWN", Session=session)
        await asyncio.sleep(0.2)  # the thread may be in the middle of a picture
        drawn = camera.pictures_drawn
        await asyncio.sleep(0.4)
        assert camera.pictures_drawn == drawn > 0


class TestRefusals:
    @pytest.mark.parametrize(
        ("method", "path", "headers", "status"),
        [
            ("DESCRIBE", "/stream/none", {}, 404),
            ("DESCRIBE", "/stream/main/trackID=0", {}, 404),
            ("SETUP", "/stream/main", {"Transport": TCP}, 459),
            ("SETUP", "/stream/main/trackID=7", {"Transport": TCP}, 404),
            ("SETUP", "/stream/main/trackID=0", {}, 461),
            ("SETUP", "/stream/main/trackID=0", {"Transport": "RTP/AVP;multicast"}, 461),
            ("SETUP", "/stream/main/trackID=0", {"Transport": "RTP/AVP;unicast;client_port=0-70000"}, 461),
            ("SETUP", "/stream/main/trackID=0", {"Transport": "RTP/AVP/TCP;interleaved=900-901"}, 461),
            ("SETUP", "/stream/main/trackID=0", {"Transport": 'RTP/AVP/TCP;interleaved=0-1;mode="record"'}, 461),
            ("PLAY", "/stream/main", {}, 454),
            ("PLAY", "/stream/main", {"Session": "0123456789abcdef"}, 454),
            ("DESCRIBE", "/stream/main", {"Require": "onvif-replay"}, 551),
            ("RECORD", "/stream/main", {}, 405),
            ("DANCE", "/stream/main", {}, 501),
        ],
    )
    async def test_status(self, client: Client, method: str, path: str, headers: dict[str, str], status: int) -> None:
        assert (await client.ask(method, client.url.replace("/stream/main", path), **headers)).status == status

    @pytest.mark.parametrize(
        ("data", "status"),
        [
            (b"GET / HTTP/1.1\r\nCSeq: 1\r\n\r\n", 400),
            (b"OPTIONS * RTSP/1.0\r\n\r\n", 400),
            (b"OPTIONS * RTSP/1.0\r\nCSeq: x\r\n\r\n", 400),
            (b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nno colon\r\n\r\n", 400),
            (b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nX: \xff\r\n\r\n", 400),
            (b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nX: a\x1b[2J\r\n\r\n", 400),
            (b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n" + b"X: y\r\n" * 100 + b"\r\n", 400),
            (b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: -1\r\n\r\n", 400),
            (b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 99999\r\n\r\n", 413),
            (b"OPTIONS * RTSP/1.0\r\nX: " + b"y" * 20000, 413),
            (b"OPTIONS * RTSP/2.0\r\nCSeq: 1\r\n\r\n", 505),
            (b"$\x00\x00\x04abcd", 400),
        ],
    )
    async def test_malformed(self, connect: Connect, camera: SimulatedCamera, data: bytes, status: int) -> None:
        client = await connect(camera)
        assert (await client.raw(data)).status == status
        other = await connect(camera)
        assert (await other.ask("OPTIONS")).status == 200

    async def test_range_and_second_setup(self, client: Client) -> None:
        session = await client.set_up()
        assert (await client.ask("PLAY", Session=session, Range="clock=20260101T000000Z-")).status == 457
        again = await client.ask("SETUP", client.url + "/trackID=0", Session=session, Transport=TCP)
        assert again.status == 455
        taken = await client.ask("SETUP", client.url + "/trackID=0", Transport=TCP)
        assert taken.status == 461

    async def test_session_limit(self, client: Client, camera: SimulatedCamera) -> None:
        for channel in range(0, 6, 2):
            await client.set_up(f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}")
        full = await client.ask("SETUP", client.url + "/trackID=0", Transport="RTP/AVP/TCP;unicast")
        assert full.status == 453
        assert camera.rtsp_sessions == 3

    async def test_connection_limit(self, connect: Connect, camera: SimulatedCamera) -> None:
        clients = [await connect(camera) for _ in range(6)]
        for one in clients:
            assert (await one.ask("OPTIONS")).status == 200
        assert (await (await connect(camera)).answer()).status == 503

    async def test_slow_request_and_silence_end_the_connection(self, connect: Connect, camera: SimulatedCamera) -> None:
        slow, silent = await connect(camera), await connect(camera)
        slow.writer.write(b"OPTIONS * RT")
        async with asyncio.timeout(6):
            assert await slow.reader.read() == b""
            assert await silent.reader.read() == b""


class TestSessions:
    async def test_quiet_session_ends_and_a_kept_one_lives(self, connect: Connect, camera: SimulatedCamera) -> None:
        quiet, kept = [await (await connect(camera)).log_in() for _ in range(2)]
        await quiet.set_up()
        session = await kept.set_up()
        async with asyncio.timeout(10):
            while camera.rtsp_sessions == 2:
                assert (await kept.ask("GET_PARAMETER", Session=session)).status == 200
                await asyncio.sleep(0.3)
        assert (await kept.ask("GET_PARAMETER", Session=session)).status == 200

    async def test_receiver_reports_keep_a_session(self, client: Client, camera: SimulatedCamera) -> None:
        await client.set_up()
        for _ in range(8):
            client.writer.write(b"$\x01\x00\x08" + bytes([0x80, 201, 0, 1, 0, 0, 0, 0]))
            await asyncio.sleep(0.3)
        assert camera.rtsp_sessions == 1

    async def test_tcp_session_dies_with_its_connection(self, client: Client, camera: SimulatedCamera) -> None:
        await client.ask("PLAY", Session=await client.set_up())
        client.writer.close()
        for _ in range(100):
            if camera.rtsp_sessions == 0:
                break
            await asyncio.sleep(0.05)
        assert camera.rtsp_sessions == 0

    async def test_a_reader_that_does_not_read_is_dropped_and_others_go_on(self, connect: Connect) -> None:
        source = PatternSource((640, 360), 30.0)
        settings = CameraSettings(main_bit_rate=8_000_000, limits=CameraLimits(rtsp_queue_bytes=20_000))
        noisy = NoisySource(source)
        async with SimulatedCamera(
            noisy, CameraIdentity("R2", "x"), username="admin", password=PASSWORD, settings=settings
        ) as camera:
            stuck, reading = [await (await connect(camera)).log_in() for _ in range(2)]
            stuck.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            stuck.writer.transport.pause_reading()
            for one in (stuck, reading):
                one.sequence = 10
                one.writer.write(
                    f"SETUP {one.url}/trackID=0 RTSP/1.0\r\nCSeq: 1\r\nTransport: {TCP}\r\n"
                    f"{one.credentials('SETUP', one.url + '/trackID=0')}\r\n".encode()
                )
            session = (await reading.answer()).header("session").partition(";")[0]
            await reading.ask("PLAY", Session=session)
            other = next(name for name in camera._rtsp.sessions if name != session)
            proof = stuck.credentials("PLAY", stuck.url)
            stuck.writer.write(f"PLAY {stuck.url} RTSP/1.0\r\nCSeq: 2\r\nSession: {other}\r\n{proof}\r\n".encode())
            async with asyncio.timeout(30):
                while camera.rtsp_sessions == 2:
                    reading.frames.clear()
                    await reading.packets(20)
            reading.frames.clear()
            assert len(await reading.packets(20)) >= 20
            assert list(camera._rtsp.sessions) == [session]
            reading.writer.close()


class NoisySource(PatternSource):
    """Pictures that do not compress."""

    def __init__(self, source: PatternSource) -> None:
        super().__init__(source.size, source.frames_per_second)

    def frame(self, seconds, position):
        return np.random.default_rng(int(seconds * 1000)).integers(0, 255, (*self.size[::-1], 3), dtype=np.uint8)
