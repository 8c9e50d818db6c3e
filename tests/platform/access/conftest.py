"""What the tests of accounts share: a clock that can be moved, cheap hashes, an authenticator, a served center."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cbor2
import httpx2
import pytest
import uvicorn
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from matpho_platform.access.accounts import Accounts
from matpho_platform.access.principal import Role
from matpho_platform.access.settings import AccessSettings
from matpho_platform.center import Center
from matpho_platform.store import Store, open_store
from matpho_platform.web import create_app

PASSWORD = "hoa-sữa-tháng-mười"
START = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)


@dataclass
class Clock:
    """A present that tests move."""

    at: datetime = START

    def __call__(self) -> datetime:
        return self.at

    def pass_by(self, **time: float) -> None:
        self.at += timedelta(**time)


@pytest.fixture
async def store(database: str | None, tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(database or tmp_path / "a.db")
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hasher() -> PasswordHash:
    """argon2id as always, but small: these tests are not about its strength."""
    return PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))


@pytest.fixture
def make_accounts(store: Store, clock: Clock, hasher: PasswordHash) -> Callable[..., Accounts]:
    def make(**settings: Any) -> Accounts:
        return Accounts(store, AccessSettings(**{"mfa_required": False, **settings}), clock=clock, hasher=hasher)

    return make


@pytest.fixture
async def accounts(make_accounts: Callable[..., Accounts]) -> Accounts:
    """An officer's account; nobody needs a second factor."""
    made = make_accounts()
    await made.create("an", "Trần Văn An", Role.OFFICER, PASSWORD, areas=("p-hoan-kiem",))
    return made


@dataclass
class Authenticator:
    """A software authenticator: EC P-256, attestation none, a signature counter. Its faults can be chosen."""

    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    count: int = 0
    verifies: bool = True
    present: bool = True
    origin: str = ""
    """Instead of the page's."""
    host: str = ""
    """Instead of the options' rpId."""

    def create(self, options: dict[str, Any], origin: str) -> dict[str, Any]:
        """`navigator.credentials.create` of a page at `origin`."""
        numbers = self.key.public_key().public_numbers()
        key = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        named = len(self.credential_id).to_bytes(2, "big") + self.credential_id + cbor2.dumps(key)
        data = self._data(options["rp"]["id"], attested=bytes(16) + named)
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options["challenge"], origin)
        return self._answer({"clientDataJSON": client, "attestationObject": attestation})

    def get(self, options: dict[str, Any], origin: str) -> dict[str, Any]:
        """`navigator.credentials.get` of a page at `origin`."""
        data = self._data(options["rpId"])
        client = self._client("webauthn.get", options["challenge"], origin)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer({"clientDataJSON": client, "authenticatorData": data, "signature": signature})

    def _data(self, host: str, attested: bytes = b"") -> bytes:
        self.count += 1
        flags = self.present * 0x01 | self.verifies * 0x04 | bool(attested) * 0x40
        return (
            hashlib.sha256((self.host or host).encode()).digest() + bytes([flags]) + self.count.to_bytes(4) + attested
        )

    def _client(self, kind: str, challenge: str, origin: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin or origin}).encode()

    def _answer(self, response: dict[str, bytes]) -> dict[str, Any]:
        name = bytes_to_base64url(self.credential_id)
        plain = {key: bytes_to_base64url(value) for key, value in response.items()}
        return {"id": name, "rawId": name, "type": "public-key", "response": plain, "clientExtensionResults": {}}


@pytest.fixture
def authenticator() -> Callable[..., Authenticator]:
    assert base64url_to_bytes("AA") == b"\0"
    return Authenticator


@asynccontextmanager
async def serving(center: Center, *, port: int = 0) -> AsyncIterator[str]:
    """The center's web on loopback while the block runs; its address by name, as passkeys need it."""
    listener = socket.create_server(("127.0.0.1", port))
    config = uvicorn.Config(
        create_app(center), log_level="error", ws="none", lifespan="on", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    for _ in range(1000):
        if server.started:
            break
        await asyncio.sleep(0.01)
    yield f"http://localhost:{listener.getsockname()[1]}"
    server.should_exit = True
    await running


@pytest.fixture
async def base(center: Center) -> AsyncIterator[str]:
    async with serving(center) as address:
        yield address


@pytest.fixture
async def browser(base: str) -> AsyncIterator[Callable[[], httpx2.AsyncClient]]:
    """Makes browsers: each with cookies of its own, and our origin on every request."""
    opened: list[httpx2.AsyncClient] = []

    def make() -> httpx2.AsyncClient:
        client = httpx2.AsyncClient(base_url=base, trust_env=False, headers={"origin": base})
        opened.append(client)
        return client

    yield make
    for client in opened:
        await client.aclose()
