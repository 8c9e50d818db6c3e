"""The feed to a security operations centre, received by a real TLS server: every entry, also over breaks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from matpho_contracts.signing import SigningKey
from matpho_platform.audit.log import AuditLog
from matpho_platform.audit.schemas import AuditEntry
from matpho_platform.audit.soc import SocSettings, feed
from matpho_platform.audit.soc.feed import SocFeed
from matpho_platform.audit.soc.formats import syslog
from matpho_platform.audit.soc.kinds import ACTS, OUTCOMES, all_kinds, kind_of
from matpho_platform.store import Store, open_store


class Receiver:
    """A syslog receiver over TLS that counts octets as RFC 5425 says."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self.messages: list[str] = []
        self.connections = 0
        self.port = 0
        self.close_after = 0
        self._server: asyncio.Server | None = None
        self._grown = asyncio.Condition()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        left = self.close_after
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            while True:
                length = await reader.readuntil(b" ")
                message = await reader.readexactly(int(length))
                async with self._grown:
                    self.messages.append(message.decode())
                    self._grown.notify_all()
                left -= 1
                if left == 0:
                    break
        writer.transport.abort()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(20), self._grown:
            await self._grown.wait_for(lambda: len(self.indexes()) >= count)

    def indexes(self) -> set[str]:
        return {word for message in self.messages for word in message.split() if word.startswith("externalId=")}


def certificate(folder: Path) -> Path:
    """A certificate of 127.0.0.1 that signs itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "soc.test")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("soc.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "soc.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@pytest.fixture
async def store(tmp_path: Path, migrated: Path) -> AsyncIterator[Store]:
    shutil.copy(migrated, tmp_path / "a.db")
    opened = await open_store(tmp_path / "a.db")
    yield opened
    await opened.close()


@pytest.fixture
async def log(store: Store, tmp_path: Path) -> AuditLog:
    made = AuditLog(store, SigningKey.generate(), tmp_path / "audit")
    await made.open()
    return made


@pytest.fixture
async def receiver(tmp_path: Path) -> AsyncIterator[Receiver]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path))
    made = Receiver(context)
    await made.start()
    yield made
    await made.stop()


def settings(receiver: Receiver, tmp_path: Path, **changes: object) -> SocSettings:
    given = {"host": "127.0.0.1", "port": receiver.port, "ca": tmp_path / "soc.pem", "server_name": "soc.test"}
    return SocSettings.model_validate({**given, **changes})


def feeding(store: Store, chosen: SocSettings, folder: Path) -> tuple[SocFeed, asyncio.Task[None]]:
    made = SocFeed(store, chosen, folder, "matpho")
    return made, asyncio.create_task(made.run())


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("SETTLE_S", 0.1), ("LOOK_EVERY_S", 0.02), ("BACKOFF_S", (0.02,))):
        monkeypatch.setattr(feed, name, value)


def entry(number: int, **changes: object) -> AuditEntry:
    made = AuditEntry(user_id="an", role="officer", action="search_events", outcome="answered", arguments={"n": number})
    return made.model_copy(update=changes)


async def test_every_entry_arrives(store: Store, log: AuditLog, receiver: Receiver, tmp_path: Path) -> None:
    await asyncio.gather(*(log.append(entry(number)) for number in range(600)))
    _, task = feeding(store, settings(receiver, tmp_path), log.folder)
    await receiver.until(600)
    await log.append(entry(1, action="sign_in", outcome="failed", device="10.1.2.3"))
    await receiver.until(601)
    await ended(task)
    last = receiver.messages[-1]
    assert last.startswith("<108>1 ")  # log audit, warning
    assert " matpho matpho 2005 - CEF:0|Matpho|center|1|2005|Sign-in: failed|5|" in last
    assert "src=10.1.2.3" in last
    assert len(receiver.messages) == 601


async def test_breaks_lose_nothing(store: Store, log: AuditLog, receiver: Receiver, tmp_path: Path) -> None:
    receiver.close_after = 37
    made, task = feeding(store, settings(receiver, tmp_path), log.folder)
    for first in range(0, 200, 20):
        await asyncio.gather(*(log.append(entry(number)) for number in range(first, first + 20)))
        await asyncio.sleep(0.03)
    receiver.close_after = 0
    await receiver.until(200)
    assert receiver.connections > 1
    async with asyncio.timeout(20):
        while made.waiting_from < 200:  # noqa: ASYNC110 - a figure, no event
            await asyncio.sleep(0.02)
    await ended(task)


async def test_a_receiver_that_was_away_gets_everything_and_a_new_process_goes_on(
    store: Store, log: AuditLog, receiver: Receiver, tmp_path: Path
) -> None:
    chosen = settings(receiver, tmp_path)
    await receiver.stop()
    await asyncio.gather(*(log.append(entry(number)) for number in range(50)))
    made, task = feeding(store, chosen, log.folder)
    await asyncio.sleep(0.1)
    assert made.waiting_from == 0
    await receiver.start()
    await receiver.until(50)
    async with asyncio.timeout(20):
        while made.waiting_from < 50:  # noqa: ASYNC110 - a figure, no event
            await asyncio.sleep(0.02)
    await ended(task)
    received = len(receiver.messages)
    await log.append(entry(50))
    _, task = feeding(store, chosen, log.folder)
    await receiver.until(51)
    await ended(task)
    assert len(receiver.messages) == received + 1


async def test_troubles_of_the_log_come_through_the_spool(
    store: Store, log: AuditLog, receiver: Receiver, tmp_path: Path
) -> None:
    chosen = settings(receiver, tmp_path, format="json")
    SocFeed(store, chosen, log.folder, "matpho").tell("audit_stopped", "The disk failed.")
    _, task = feeding(store, chosen, log.folder)
    async with asyncio.timeout(20):
        while not receiver.messages:  # noqa: ASYNC110 - the other side's list
            await asyncio.sleep(0.02)
    await ended(task)
    document = json.loads(receiver.messages[0].partition(" - ")[2])
    assert document["class_uid"] == 2004
    assert document["severity_id"] == 5
    assert document["message"] == "The disk failed."


async def test_only_from_a_severity_on(store: Store, log: AuditLog, receiver: Receiver, tmp_path: Path) -> None:
    await log.append(entry(0))
    await log.append(entry(1, outcome="refused"))
    _, task = feeding(store, settings(receiver, tmp_path, least_severity=5), log.folder)
    await receiver.until(1)
    await ended(task)
    assert receiver.indexes() == {"externalId=1"}


@pytest.mark.parametrize("wrong", ["name", "authority"])
async def test_nothing_goes_to_a_receiver_that_cannot_prove_who_it_is(
    store: Store, log: AuditLog, receiver: Receiver, tmp_path: Path, wrong: str
) -> None:
    await log.append(entry(0))
    changes: dict[str, object] = {"server_name": "other.test"} if wrong == "name" else {"ca": None}
    made, task = feeding(store, settings(receiver, tmp_path, **changes), log.folder)
    await asyncio.sleep(0.3)
    await ended(task)
    assert receiver.messages == []
    assert made.sent == 0


class TestFormats:
    def test_every_kind_has_its_own_id(self) -> None:
        kinds = list(all_kinds())
        assert len(kinds) == len(ACTS) * len(OUTCOMES) > 60
        assert len({kind.signature_id for _, _, kind in kinds}) == len(kinds)
        assert all(0 <= kind.severity <= 10 for _, _, kind in kinds)

    def test_every_kind_can_be_written(self) -> None:
        for action, outcome, kind in all_kinds():
            for style in ("cef", "json"):
                severity, line = syslog({"action": action, "outcome": outcome}, 7, style, "trung tâm 1")  # type: ignore[arg-type]  # the two styles
                length, _, message = line.partition(b" ")
                assert int(length) == len(message)
                assert severity == kind.severity
                assert message.split(b" ")[4].isascii()

    def test_kinds_of_acts_that_grew_a_word(self) -> None:
        assert kind_of("sign_in_passkey", "failed").signature_id == 2005
        assert kind_of("change_password", "answered").signature_id == 2040
        assert kind_of("confirm_totp", "failed").signature_id == 2125
        assert kind_of("end_session", "answered").signature_id == 2090
        assert kind_of("something_else", "odd").signature_id == 9908

    def test_hostile_values_stay_values(self) -> None:
        hostile = "a|b\\c=d\ne\r\nCEF:0|x|\x00\x1b[31m"
        entry = {"action": "say", "outcome": "refused", "rule": hostile, "user_id": hostile, "at": "never"}
        _, line = syslog(entry, 1, "cef", hostile)
        message = line.partition(b" ")[2].decode()
        assert "\n" not in message
        assert "\x00" not in message
        assert "\x1b" not in message
        assert "reason=a|b\\\\c\\=d\\ne\\nCEF:0|x|" in message
        assert message.count(" cs1=") == 0
        _, line = syslog(entry, 1, "json", "x")
        assert json.loads(line.partition(b" - ")[2])["actor"]["user"]["uid"] == hostile
