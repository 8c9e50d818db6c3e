"""Exports: events of a case into one signed package, once for each call, kept until somebody ends its time on record.

1 a repeat of the same call gives the same package
2 at most MAX_EVENTS events, all within the caller's scope; a case number that is open; a purpose
3 a number, reserved before anything is gathered
4 events, proofs, stills, clips; what cannot be had is named
5 the manifest over all of it, signed; 6 an audit entry that holds the manifest's digest: no log, no export
7 the archive, whole on disk; 8 the row that says it is ready
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import rfc8785
from sqlalchemy import RowMapping

from matpho_contracts.signing import SigningKey
from matpho_contracts.times import VIETNAM, from_unix_ms, to_rfc3339, unix_ms
from matpho_platform.access.principal import Principal, Scope
from matpho_platform.audit.log import AuditLog
from matpho_platform.audit.note import Checkpoint
from matpho_platform.audit.schemas import AuditEntry
from matpho_platform.cameras.areas import AreaTree
from matpho_platform.evidence import packing, repository, verifier
from matpho_platform.evidence.errors import EvidenceError, PackageNotFoundError, other_case
from matpho_platform.evidence.gathering import Gathered, Gatherer
from matpho_platform.evidence.schemas import MAX_EVENTS, MAX_PURPOSE, EventLine, Missing, PackageView
from matpho_platform.identity.cases import CaseRegister, FormOnlyRegister, read_case_number
from matpho_platform.identity.errors import case_closed
from matpho_platform.store.engine import Store
from matpho_platform.store.errors import DuplicateError, storage_full
from matpho_platform.store.serials import lock_serial, save_serial

KEEP = timedelta(days=3653)
"""How long a package is kept at least: ten years."""
ACTION = "evidence_package"


class EvidenceService:
    """Makes packages and opens them again."""

    def __init__(
        self,
        store: Store,
        gatherer: Gatherer,
        areas: AreaTree,
        audit: AuditLog,
        key: SigningKey,
        folder: Path,
        *,
        center: str,
        quota_bytes: int,
        min_free_bytes: int = 0,
        cases: CaseRegister | None = None,
    ) -> None:
        self._store = store
        self._gatherer = gatherer
        self._areas = areas
        self._audit = audit
        self._key = key
        self._folder = folder
        self._center = center
        self._quota = quota_bytes
        self._min_free = min_free_bytes
        self._cases = cases or FormOnlyRegister()
        self._making: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        packing.sweep_parts(folder)

    async def preview(self, scope: Scope, event_ids: Sequence[str]) -> tuple[EventLine, ...]:
        """The events as they would be exported; raises EvidenceError or EventNotFoundError."""
        found = await self._gatherer.find(scope, _checked(event_ids))
        return tuple(
            EventLine(
                id=one.event.id,
                type=one.event.event_type.value,
                time=one.event.time,
                camera_id=one.event.data.camera_id,
                camera_name=one.camera_name,
                area=one.event.data.area,
            )
            for one in found
        )

    async def export(
        self,
        principal: Principal,
        scope: Scope,
        event_ids: Sequence[str],
        case_number: str,
        purpose: str,
        *,
        now: datetime,
        key: str,
    ) -> PackageView:
        """Make a package, or give the one that this call made before.

        Raises EvidenceError, EventNotFoundError, DeniedError for a closed case, StorageFullError with nothing written,
        and whatever the audit log raises: without an entry there is no package.
        """
        ids = _checked(event_ids)  # 2
        number, said = read_case_number(case_number), purpose.strip()
        if not 0 < len(said) <= MAX_PURPOSE:
            raise EvidenceError(f"A purpose has 1 to {MAX_PURPOSE} characters.")
        if not await self._cases.is_open(number, now):
            raise case_closed(number)
        async with self._making[key]:
            try:
                try:
                    row = await self._reserved(principal, scope, ids, number, said, now, key)  # 1, 3
                except DuplicateError:  # somebody else took the day's first number, or this key, at the same moment
                    row = await self._reserved(principal, scope, ids, number, said, now, key)
                if row["status"] == repository.READY:
                    return _view(row)
                return await self._made(principal, scope, row, now)
            finally:
                self._making.pop(key, None)

    async def _reserved(
        self,
        principal: Principal,
        scope: Scope,
        ids: Sequence[str],
        case_number: str,
        purpose: str,
        now: datetime,
        key: str,
    ) -> RowMapping:
        async with self._store.reading() as session:
            known = await repository.by_key(session, key)
        if known is not None:
            return _own(known, principal)
        found = await self._gatherer.find(scope, ids)
        day = now.astimezone(VIETNAM).strftime("%m%d")
        serial_name = f"evidence-{day}"
        async with self._store.writing() as session:
            number = await lock_serial(session, serial_name) + 1
            known = await repository.by_key(session, key)
            if known is not None:
                return _own(known, principal)
            row = {
                "package_id": f"BC-{day}-{number:02d}",
                "case_number": case_number,
                "purpose": purpose,
                "requester": principal.user_id,
                "event_ids": json.dumps(list(ids)),
                "areas": json.dumps(sorted({one.event.data.area for one in found})),
                "status": repository.BUILDING,
                "request_key": key,
                "sha256": "",
                "manifest_sha256": "",
                "size": 0,
                "files": 0,
                "missing": "[]",
                "created_ms": unix_ms(now),
                "keep_until_ms": unix_ms(now + KEEP),
            }
            await repository.add(session, row)
            await save_serial(session, serial_name, number)
        return await self._row(str(row["package_id"]))

    async def _made(self, principal: Principal, scope: Scope, row: RowMapping, now: datetime) -> PackageView:
        package_id = row["package_id"]
        found = await self._gatherer.find(scope, json.loads(row["event_ids"]))
        gathered = await self._gatherer.gather(scope, found, now)  # 4
        manifest = await asyncio.to_thread(self._manifest, principal, row, gathered, now)  # 5
        digest = hashlib.sha256(manifest).hexdigest()
        total = sum(facts["size"] for facts in json.loads(manifest)["files"].values()) + len(manifest)
        async with self._store.reading() as session:
            if await repository.used_bytes(session) + total > self._quota:
                raise storage_full()
        packing.check_room(self._folder, total, self._min_free)
        index = await self._audit.append(self._entry(principal, row, digest, now))  # 6
        gathered.members |= {
            verifier.MANIFEST: manifest,
            verifier.SIGNATURE: self._key.sign(manifest).hex().encode() + b"\n",
            **await self._proven(index),
        }
        path, sha256, size = await asyncio.to_thread(
            packing.write_package, self._folder, package_id, gathered.members
        )  # 7
        values = {
            "sha256": sha256,
            "manifest_sha256": digest,
            "size": size,
            "files": len(gathered.members),
            "missing": json.dumps([one.model_dump() for one in gathered.missing], ensure_ascii=False),
            "audit_index": index,
        }
        async with self._store.writing() as session:
            won = await repository.finish(session, package_id, values)  # 8
        if not won:  # another process made it in the meantime
            await asyncio.to_thread(path.unlink, missing_ok=True)
        return _view(await self._row(package_id))

    def _manifest(self, principal: Principal, row: RowMapping, gathered: Gathered, now: datetime) -> bytes:
        facts = {
            "id": row["package_id"],
            "case_number": row["case_number"],
            "purpose": row["purpose"],
            "exported_by": principal.user_id,
            "exported_at": to_rfc3339(now),
        }
        gathered.members |= packing.own_files(facts)
        exported = {"at": to_rfc3339(now), "what": "exported", "who": principal.user_id, "event": ""}
        document: dict[str, Any] = {
            "context": "matpho-evidence-v1",
            "package": row["package_id"],
            **{name: value for name, value in facts.items() if name != "id"},
            "software": packing.software(),
            "center": self._center,
            "center_key": self._key.public.raw.hex(),
            "keys": gathered.keys,
            "events": gathered.events,
            "custody": [*gathered.custody, exported],
            "missing": [one.model_dump() for one in gathered.missing],
            "files": packing.digests(gathered.members),
        }
        return rfc8785.dumps(document)

    def _entry(self, principal: Principal, row: RowMapping, digest: str, now: datetime) -> AuditEntry:
        return AuditEntry(
            user_id=principal.user_id,
            role=principal.role.value,
            action=ACTION,
            decision="allowed",
            outcome="answered",
            arguments={"package": row["package_id"], "manifest_sha256": digest},
            result_ids=tuple(json.loads(row["event_ids"])),
            session_id=principal.session_id[:200],
            case_number=row["case_number"],
            purpose=row["purpose"],
            event_at=now,
        )

    async def _proven(self, index: int) -> dict[str, packing.Content]:
        """The audit log's word that it holds the entry."""
        note = (await self._audit.checkpoint()).encode()
        proof = await self._audit.inclusion(index, Checkpoint.open(note, self._audit.key.public).size)
        document = {"index": proof.index, "size": proof.size, "root": proof.root, "path": list(proof.path)}
        return {
            verifier.ENTRY: proof.entry.encode(),
            verifier.PROOF: json.dumps(document, indent=1).encode(),
            verifier.CHECKPOINT: note,
        }

    async def origin(self, package_id: str) -> tuple[str, tuple[str, ...]] | None:
        """Who made a package and the areas of its events, or None where there is no such package."""
        async with self._store.reading() as session:
            row = await repository.find(session, package_id)
        return None if row is None else (row["requester"], tuple(json.loads(row["areas"])))

    async def open(self, scope: Scope, package_id: str, case_number: str) -> tuple[PackageView, Path]:
        """A package and its file, under the case that it was made for. Who may have it the policy has said already.

        Raises PackageNotFoundError (outside the scope too) and DeniedError for another case. The file is checked; one
        that was changed on disk counts as not there.
        """
        row = await self._row(package_id)
        inner = self._areas.expand_scope(scope)
        if row["status"] != repository.READY or not all(map(inner.covers, json.loads(row["areas"]))):
            raise PackageNotFoundError(f"There is no package {package_id}.")
        if read_case_number(case_number) != row["case_number"]:
            raise other_case(package_id)
        path = self._folder / f"{package_id}-{row['sha256'][:16]}.zip"
        if not await asyncio.to_thread(_intact, path, row["sha256"]):
            raise PackageNotFoundError(
                f"The file of package {package_id} is gone or was changed.", action="Restore it, or export again."
            )
        return _view(row), path

    async def _row(self, package_id: str) -> RowMapping:
        async with self._store.reading() as session:
            row = await repository.find(session, package_id)
        if row is None:
            raise PackageNotFoundError(f"There is no package {package_id}.")
        return row


def _checked(event_ids: Sequence[str]) -> list[str]:
    ids = list(dict.fromkeys(event_ids))
    if not 0 < len(ids) <= MAX_EVENTS:
        raise EvidenceError(f"A package holds 1 to {MAX_EVENTS} events.", action="Make several packages.")
    return ids


def _own(row: RowMapping, principal: Principal) -> RowMapping:
    """A package begun under this call's key; a key is one person's."""
    if row["requester"] != principal.user_id:
        raise EvidenceError("This call's key belongs to somebody else's export.")
    return row


def _intact(path: Path, sha256: str) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except FileNotFoundError:
        return False


def _view(row: RowMapping) -> PackageView:
    return PackageView(
        id=row["package_id"],
        case_number=row["case_number"],
        purpose=row["purpose"],
        requester=row["requester"],
        event_ids=tuple(json.loads(row["event_ids"])),
        sha256=row["sha256"],
        manifest_sha256=row["manifest_sha256"],
        size=row["size"],
        files=row["files"],
        missing=tuple(Missing.model_validate(one) for one in json.loads(row["missing"])),
        audit_index=row["audit_index"],
        created_at=from_unix_ms(row["created_ms"]),
        keep_until=from_unix_ms(row["keep_until_ms"]),
        url=f"/api/v1/evidence/{quote(row['package_id'])}?case_number={quote(row['case_number'], safe='')}",
    )
