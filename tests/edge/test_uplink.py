"""The uplink against a real server on loopback that checks every signature, refuses, breaks off and comes back."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from matpho_contracts.edge_api import (
    BATCHES_PATH,
    ENROL_PATH,
    ClipArguments,
    Command,
    CommandFailure,
    CommandList,
    EnrolAnswer,
    EnrolRequest,
    EventResult,
    IntakeAnswer,
    MoveArguments,
    SnapshotArguments,
    StatusReport,
)
from matpho_contracts.errors import ConfigurationError, NotFoundError, UnavailableError
from matpho_contracts.events import Caption, Event, EventData, Evidence, Rule, parse_event
from matpho_contracts.ids import new_event_id
from matpho_contracts.request_signing import verify_request
from matpho_contracts.signing import PublicKey, SigningKey, verify_batch
from matpho_contracts.vocabulary import Severity
from matpho_contracts.wire import MAX_BODY_BYTES, decode_batch
from matpho_edge.compose import Composed
from matpho_edge.outbox import Outbox
from matpho_edge.uplink import Pace, Uplink
from matpho_edge.uplink_link import CenterLink, check_center_url

AT = datetime(2026, 11, 21, 7, 30, tzinfo=UTC)
QUICK = Pace(poll_s=0.02, heartbeat_s=0.05, command_wait_s=1, shortest_wait_s=0.02, longest_wait_s=0.1)


def composed(still: bytes | None = b"\xff\xd8picture") -> Composed:
    import hashlib

    digest = None if still is None else hashlib.sha256(still).hexdigest()
    data = EventData(
        camera_id="cam-1",
        area="kim-ma",
        start=AT,
        end=AT,
        severity=Severity.INFO,
        caption=Caption(vi="Xe tải trắng xuất hiện.", en="A white truck appears."),
        evidence=Evidence(thumbnail_sha256=digest),
        rule=Rule(name="object_seen"),
    )
    event = Event(
        id=new_event_id(), source="urn:matpho:edge:box-1:cam-1", type="vn.matpho.object_seen", time=AT, data=data
    )
    return Composed(event, still)


class StandInCenter:
    """Keeps the rules of the wire and nothing else; can be told to misbehave."""

    def __init__(self) -> None:
        self.keys: dict[str, PublicKey] = {}
        self.token = "one-time"
        self.events: dict[str, bytes] = {}
        self.stills: dict[str, bytes] = {}
        self.batches: list[int] = []
        self.repeats = 0
        self.reports: list[StatusReport] = []
        self.commands: list[Command] = []
        self.results: dict[str, tuple[str, bytes]] = {}
        self.answer_with: list[int] = []
        """HTTP status for the next uploads, before any is taken."""
        self.drop_answers = 0
        """So many uploads are stored and then not answered."""
        self.poison: Callable[[Event], str | None] = lambda event: None
        self.refuse_batch: Callable[[Event], bool] = lambda event: False
        self.url = ""

    def app(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_post(ENROL_PATH, self.enrol)
        app.router.add_post(BATCHES_PATH, self.intake)
        app.router.add_put("/api/v1/edges/{edge}/status", self.status)
        app.router.add_get("/api/v1/edges/{edge}/commands", self.ask)
        app.router.add_post("/api/v1/edges/{edge}/results/{command}", self.result)
        return app

    async def enrol(self, request: web.Request) -> web.Response:
        asked = EnrolRequest.model_validate_json(await request.read())
        if asked.token.get_secret_value() != self.token:
            return web.Response(status=403)
        self.token = ""
        key = PublicKey.from_hex(asked.public_key)
        self.keys[key.key_id] = key
        return web.Response(body=EnrolAnswer(edge_id=asked.edge_id, key_id=key.key_id).model_dump_json())

    async def intake(self, request: web.Request) -> web.StreamResponse:
        if self.answer_with:
            return web.Response(status=self.answer_with.pop(0))
        batch = decode_batch(await request.read())
        key = self.keys.get(batch.header.key_id)
        if key is None:
            return web.Response(status=401)
        verify_batch(batch.events, batch.header, key)
        self.batches.append(len(batch.events))
        events = [parse_event(raw) for raw in batch.events]
        if any(self.refuse_batch(event) for event in events):
            return web.Response(status=422, text="no")
        results = [self.take(event, raw) for event, raw in zip(events, batch.events, strict=True)]
        self.stills.update(batch.stills)
        if self.drop_answers:
            self.drop_answers -= 1
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        return web.Response(body=IntakeAnswer(results=tuple(results)).model_dump_json())

    def take(self, event: Event, raw: bytes) -> EventResult:
        reason = self.poison(event)
        if reason:
            return EventResult(id=event.id, status="rejected", reason=reason)
        if event.id in self.events:
            self.repeats += 1
            return EventResult(id=event.id, status="repeat")
        self.events[event.id] = raw
        return EventResult(id=event.id, status="stored")

    async def verify(self, request: web.Request) -> bytes:
        body = await request.read()
        verify_request(request.method, request.path_qs, request.headers, body, self.keys.get)
        return body

    async def status(self, request: web.Request) -> web.Response:
        self.reports.append(StatusReport.model_validate_json(await self.verify(request)))
        return web.Response(status=204)

    async def ask(self, request: web.Request) -> web.Response:
        await self.verify(request)
        for _ in range(20):
            if self.commands:
                break
            await asyncio.sleep(0.02)
        found, self.commands = CommandList(commands=tuple(self.commands)), []
        return web.Response(body=found.model_dump_json())

    async def result(self, request: web.Request) -> web.Response:
        body = await self.verify(request)
        self.results[request.match_info["command"]] = (request.content_type, body)
        return web.Response(status=204)


@pytest.fixture
async def center() -> AsyncIterator[StandInCenter]:
    made = StandInCenter()
    runner = web.AppRunner(made.app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    made.url = f"http://{host}:{port}"
    yield made
    await runner.cleanup()


@pytest.fixture
def box(tmp_path: Path) -> Outbox:
    return Outbox.open(tmp_path / "outbox.db")


@pytest.fixture
def key() -> SigningKey:
    return SigningKey.generate()


@pytest.fixture
async def link(center: StandInCenter, key: SigningKey) -> AsyncIterator[CenterLink]:
    center.keys[key.public.key_id] = key.public
    made = CenterLink(center.url, edge_id="box-1", key=key)
    yield made
    await made.close()


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(1500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen within 15 seconds")


class TestSending:
    async def test_events_and_stills_arrive_as_they_were_signed(
        self, center: StandInCenter, link: CenterLink, box: Outbox, key: SigningKey
    ) -> None:
        items = [composed(f"still {number}".encode()) for number in range(250)]
        box.put_all(items)
        sent = await Uplink(link, box, key).drain()
        assert sent == 250
        assert box.waiting() == 0
        assert center.batches == [100, 100, 50]
        assert center.events == {item.event.id: item.event.canonical() for item in items}
        assert len(center.stills) == 250

    async def test_an_answer_that_is_lost_costs_a_repeat_and_no_event(
        self, center: StandInCenter, link: CenterLink, box: Outbox, key: SigningKey
    ) -> None:
        box.put_all([composed() for _ in range(20)])
        center.drop_answers = 2
        uplink = Uplink(link, box, key, pace=QUICK)
        await uplink.drain()
        assert len(center.events) == 20
        assert center.repeats == 40
        assert uplink.counts.repeats == 20
        assert box.waiting() == 0

    async def test_a_center_that_is_away_is_waited_for(
        self, center: StandInCenter, link: CenterLink, box: Outbox, key: SigningKey
    ) -> None:
        box.put(composed())
        center.answer_with = [503, 507, 429, 500]
        uplink = Uplink(link, box, key, pace=QUICK)
        running = asyncio.create_task(uplink.run())
        await until(lambda: box.waiting() == 0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert uplink.counts.failures == 4
        assert len(center.events) == 1

    async def test_drain_gives_up_and_keeps_everything(self, tmp_path: Path, key: SigningKey) -> None:
        box = Outbox.open(tmp_path / "b.db")
        box.put(composed())
        nobody = CenterLink("http://127.0.0.1:9", edge_id="box-1", key=key)
        with pytest.raises(UnavailableError, match="did not answer"):
            await Uplink(nobody, box, key, pace=QUICK).drain(give_up_after=2)
        assert box.waiting() == 1
        await nobody.close()

    async def test_a_rejected_event_is_set_aside_and_the_others_go_on(
        self, center: StandInCenter, link: CenterLink, box: Outbox, key: SigningKey
    ) -> None:
        items = [composed() for _ in range(5)]
        box.put_all(items)
        bad = items[2].event.id
        center.poison = lambda event: "clock is from 1970" if event.id == bad else None
        await Uplink(link, box, key).drain()
        assert [(dead.id, dead.reason) for dead in box.dead_letters()] == [(bad, "clock is from 1970")]
        assert len(center.events) == 4
        assert box.waiting() == 0

    async def test_a_batch_refused_whole_is_halved_until_the_bad_event_is_alone(
        self, center: StandInCenter, link: CenterLink, box: Outbox, key: SigningKey
    ) -> None:
        items = [composed() for _ in range(37)]
        box.put_all(items)
        bad = items[20].event.id
        center.refuse_batch = lambda event: event.id == bad
        await Uplink(link, box, key).drain()
        assert [dead.id for dead in box.dead_letters()] == [bad]
        assert len(center.events) == 36

    async def test_an_answer_about_other_events_settles_nothing(
        self, center: StandInCenter, link: CenterLink, box: Outbox, key: SigningKey
    ) -> None:
        box.put_all([composed(), composed()])
        real = center.take
        center.take = lambda event, raw: real(event, raw).model_copy(update={"id": new_event_id()})  # type: ignore[method-assign]
        with pytest.raises(UnavailableError, match="other events"):
            await Uplink(link, box, key, pace=QUICK).drain(give_up_after=2)
        assert box.waiting() == 2


class TestEnrolment:
    async def test_a_token_is_shown_once(self, center: StandInCenter, box: Outbox, key: SigningKey) -> None:
        link = CenterLink(center.url, edge_id="box-1", key=key)
        box.put(composed())
        for _ in range(2):
            await Uplink(link, box, key, enrol_token=SecretStr("one-time")).drain()
        assert list(center.keys) == [key.public.key_id]
        assert len(center.events) == 1
        await link.close()

    async def test_a_wrong_token_is_an_error_and_shows_nowhere(
        self, center: StandInCenter, box: Outbox, key: SigningKey
    ) -> None:
        link = CenterLink(center.url, edge_id="box-1", key=key)
        with pytest.raises(UnavailableError) as caught:
            await Uplink(link, box, key, enrol_token=SecretStr("wrong-secret")).drain()
        assert "does not accept this box" in str(caught.value)
        assert "wrong-secret" not in repr(caught.value)
        await link.close()

    async def test_an_unknown_key_keeps_its_events(self, center: StandInCenter, box: Outbox, key: SigningKey) -> None:
        link = CenterLink(center.url, edge_id="box-1", key=key)
        box.put(composed())
        with pytest.raises(UnavailableError):
            await Uplink(link, box, key, pace=QUICK).drain(give_up_after=1)
        assert box.waiting() == 1
        await link.close()


class Handler:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.moves: list[MoveArguments] = []
        self.snapshots = 0

    async def snapshot(self, camera_id: str) -> bytes:
        self.snapshots += 1
        if camera_id == "gone":
            raise NotFoundError("There is no such camera.")
        if camera_id == "broken":
            raise RuntimeError("rtsp://admin:secret@camera")
        return b"\xff\xd8now"

    async def clip(self, camera_id: str, start: datetime, end: datetime) -> Path:
        path = self.folder / "clip.mp4"
        path.write_bytes(b"ftyp" + camera_id.encode())
        return path

    async def move(self, camera_id: str, arguments: MoveArguments) -> None:
        self.moves.append(arguments)


def command(
    arguments: SnapshotArguments | ClipArguments | MoveArguments, camera: str = "cam-1", late: bool = False
) -> Command:
    deadline = datetime.now(UTC) + timedelta(seconds=-5 if late else 30)
    return Command(id=new_event_id(), camera_id=camera, deadline=deadline, arguments=arguments)


class TestCommands:
    async def run(
        self, center: StandInCenter, link: CenterLink, box: Outbox, key: SigningKey, handler: Handler
    ) -> None:
        ids = [one.id for one in center.commands]
        report = StatusReport(edge_id="box-1", sent_at=AT)
        uplink = Uplink(link, box, key, status=lambda: report, handler=handler, pace=QUICK)
        running = asyncio.create_task(uplink.run())
        await until(lambda: set(ids) <= set(center.results) and bool(center.reports))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    async def test_snapshot_clip_and_move_are_answered(
        self, center: StandInCenter, link: CenterLink, box: Outbox, key: SigningKey, tmp_path: Path
    ) -> None:
        snapshot, clip = command(SnapshotArguments()), command(ClipArguments(start=AT, end=AT + timedelta(seconds=9)))
        move = command(MoveArguments(preset="cổng"))
        center.commands = [snapshot, clip, move]
        handler = Handler(tmp_path)
        await self.run(center, link, box, key, handler)
        assert center.results[snapshot.id] == ("image/jpeg", b"\xff\xd8now")
        assert center.results[clip.id] == ("video/mp4", b"ftypcam-1")
        assert center.results[move.id][1] == b""
        assert handler.moves == [MoveArguments(preset="cổng")]
        assert not (tmp_path / "clip.mp4").exists()
        assert center.reports[0].edge_id == "box-1"

    async def test_failures_are_told_and_carry_no_secret(
        self, center: StandInCenter, link: CenterLink, box: Outbox, key: SigningKey, tmp_path: Path
    ) -> None:
        gone, broken = command(SnapshotArguments(), "gone"), command(SnapshotArguments(), "broken")
        late = command(SnapshotArguments(), late=True)
        center.commands = [gone, broken, late]
        handler = Handler(tmp_path)
        await self.run(center, link, box, key, handler)
        failures = {
            one.id: CommandFailure.model_validate_json(center.results[one.id][1]) for one in (gone, broken, late)
        }
        assert failures[gone.id].code == "not_found"
        assert failures[broken.id].code == "internal"
        assert "secret" not in failures[broken.id].message
        assert "deadline" in failures[late.id].message
        assert handler.snapshots == 2

    async def test_a_command_given_twice_is_done_once(
        self, center: StandInCenter, link: CenterLink, box: Outbox, key: SigningKey, tmp_path: Path
    ) -> None:
        one = command(SnapshotArguments())
        center.commands = [one, one]
        handler = Handler(tmp_path)
        await self.run(center, link, box, key, handler)
        assert handler.snapshots == 1


class TestAddress:
    @pytest.mark.parametrize(
        "url", ["http://127.0.0.1:8000", "http://localhost/", "http://[::1]:1", "https://center.vn"]
    )
    def test_encrypted_or_this_machine(self, url: str) -> None:
        assert check_center_url(url) == url.rstrip("/")

    @pytest.mark.parametrize(
        "url",
        [
            "http://center.vn",
            "http://10.0.0.1",
            "http://127.0.0.1.evil.vn",
            "ftp://center.vn",
            "center.vn",
            "https://u:p@x.vn",
            "http://[::1",
        ],
    )
    def test_anything_else_is_refused(self, url: str) -> None:
        with pytest.raises(ConfigurationError):
            check_center_url(url)

    async def test_a_center_with_an_unknown_certificate_gets_nothing(
        self, center: StandInCenter, box: Outbox, key: SigningKey, tmp_path: Path
    ) -> None:
        certificate, private = make_certificate(tmp_path)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, private)
        runner = web.AppRunner(center.app())
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        url = f"https://localhost:{runner.addresses[0][1]}"
        center.keys[key.public.key_id] = key.public
        box.put(composed())
        stranger = CenterLink(url, edge_id="box-1", key=key)
        with pytest.raises(UnavailableError):
            await Uplink(stranger, box, key, pace=QUICK).drain(give_up_after=1)
        assert center.events == {}
        known = CenterLink(url, edge_id="box-1", key=key, ca_file=certificate)
        assert await Uplink(known, box, key, pace=QUICK).drain() == 1
        await stranger.close()
        await known.close()
        await runner.cleanup()


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for localhost."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    begin = datetime.now(UTC) - timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=9))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    certificate, key_file = folder / "cert.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate, key_file
