"""Auditors fetch checkpoints, proofs and tiles; nobody else does; every read is on the log."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator

import httpx2
import pytest

from matpho_contracts import merkle
from matpho_platform.access.principal import Principal, Role
from matpho_platform.audit.note import Checkpoint
from matpho_platform.audit.offline import verify_audit
from matpho_platform.audit.schemas import AuditEntry
from matpho_platform.center import Center
from matpho_platform.web import create_app
from matpho_platform.web.session import current_principal

BASE = "/api/v1/audit"


class Web:
    """The app of a center, with whoever is meant to ask."""

    def __init__(self, center: Center) -> None:
        self.app = create_app(center)
        self.app.dependency_overrides[current_principal] = lambda: self.who
        self.who = Principal("kiem", "Kiểm", Role.AUDITOR)
        self.client = httpx2.AsyncClient(transport=httpx2.ASGITransport(self.app), base_url="http://center")

    async def get(self, path: str) -> httpx2.Response:
        return await self.client.get(f"{BASE}/{path}")


@pytest.fixture
async def web(center: Center) -> AsyncIterator[Web]:
    for number in range(5):
        await center.audit.append(AuditEntry(user_id=f"u{number}", role="officer", action="search_events"))
    made = Web(center)
    yield made
    await made.client.aclose()


async def test_checkpoint_and_proofs_fit_together(web: Web, center: Center) -> None:
    note = (await web.get("checkpoint")).text
    head = Checkpoint.open(note.encode(), center.key.public)
    key = verify_audit.Key((await web.get("key")).text)
    assert verify_audit.open_note(note.encode(), key)[1:] == (head.size, head.root)
    proof = (await web.get(f"proof/inclusion?index=2&size={head.size}")).json()
    leaf = merkle.leaf_hash(proof["entry"].encode())
    path = [bytes.fromhex(step) for step in proof["path"]]
    assert merkle.verify_inclusion(leaf, 2, head.size, path, head.root)
    grown = (await web.get(f"proof/consistency?old={head.size}")).json()
    assert grown["size"] > head.size  # each read was logged, and so the log grew
    path = [bytes.fromhex(step) for step in grown["path"]]
    assert merkle.verify_consistency(head.size, grown["size"], head.root, bytes.fromhex(grown["root"]), path)


async def test_tiles(web: Web, center: Center) -> None:
    head = Checkpoint.open((await web.get("checkpoint")).content, center.key.public)
    hashes = (await web.get(f"tile/0/000.p/{head.size}")).content
    assert merkle.root_hash([hashes[at : at + 32] for at in range(0, len(hashes), 32)]) == head.root
    assert base64.b64encode(head.root).decode() in head.text()
    for path in ("0/001", "0/000.p/256", "0/../../center.pem", "%2e%2e/checkpoint", "64/000", "0/000.p/0", "x/000"):
        assert (await web.get(f"tile/{path}")).status_code == 404, path


@pytest.mark.parametrize(
    "path", ["proof/inclusion?index={}", "proof/inclusion?index=0&size={}", "proof/consistency?old={}"]
)
async def test_a_number_that_the_log_cannot_write_is_none(web: Web, center: Center, path: str) -> None:
    before = center.audit.size
    assert (await web.get(path.format(2**53))).status_code == 422
    assert center.audit.size == before
    assert (await web.get(path.format(2**53 - 1))).status_code in {404, 422}
    assert center.audit.size == before + 1


async def test_every_read_is_on_the_log(web: Web, center: Center) -> None:
    for path in ("checkpoint", "key", "proof/inclusion?index=0", "proof/consistency?old=1", "tile/0/000.p/5"):
        before = center.audit.size
        await web.get(path)
        assert center.audit.size == before + 1, path
    page = await center.audit.search(actor="kiem")
    assert [one.entry.action for one in page.records][::-1] == [
        "audit_checkpoint",
        "audit_key",
        "audit_inclusion",
        "audit_consistency",
        "audit_tile",
    ]
    assert all(one.entry.policies and one.entry.policy_version for one in page.records)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.AUDITOR])
async def test_nobody_else_reads_the_log(web: Web, center: Center, role: Role) -> None:
    web.who = Principal("ai", "Ai", role, areas=("p-hoan-kiem",))
    for path in ("checkpoint", "key", "proof/inclusion?index=0", "proof/consistency?old=1", "tile/0/000"):
        assert (await web.get(path)).status_code == 403, path
    page = await center.audit.search(actor="ai")
    assert {one.entry.decision for one in page.records} == {"denied"}
    assert page.total == 5


@pytest.mark.parametrize(
    "query", ["index=-1", "index=5000", "index=x", "index=0&size=99999", "index=1&size=1", f"index={10**30}"]
)
async def test_what_cannot_be_proven(web: Web, query: str) -> None:
    assert (await web.get(f"proof/inclusion?{query}")).status_code == 422


async def test_without_a_session_there_is_nothing(center: Center) -> None:
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(create_app(center)), base_url="http://center"
    ) as client:
        for path in ("checkpoint", "key", "proof/inclusion?index=0", "tile/0/000"):
            assert (await client.get(f"{BASE}/{path}")).status_code == 401
