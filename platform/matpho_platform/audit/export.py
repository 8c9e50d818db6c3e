"""Exporting the trail for an auditor: one archive that a single script verifies without us."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import rfc8785
from pydantic import BaseModel, ConfigDict

from matpho_contracts import merkle
from matpho_contracts.errors import BadInputError
from matpho_contracts.times import now, to_rfc3339, unix_ms
from matpho_platform.access.policy_files import DEFAULT_FOLDER, ROLES_FILE, SCHEMA_FILE
from matpho_platform.audit import repository
from matpho_platform.audit.errors import AuditBrokenError
from matpho_platform.audit.log import AuditLog
from matpho_platform.audit.note import origin_of, verifier_key
from matpho_platform.audit.offline import READMES, VERIFIER
from matpho_platform.audit.proofs import Prover, Walk
from matpho_platform.audit.schemas import AuditFilter
from matpho_platform.audit.witness import Witnessed

CONTEXT = "matpho-audit-export-v1"
_AT_ONCE = 2_048
MAX_WITNESSES = 256


class Wanted(BaseModel):
    """Which entries an export holds; nothing asked is the whole log."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    time_from: datetime | None = None
    time_to: datetime | None = None
    case_number: str = ""
    subject: str = ""

    @property
    def everything(self) -> bool:
        """Whether the whole log is wanted: then no single proofs are needed."""
        return not (self.time_from or self.time_to or self.case_number or self.subject)


class ExportSummary(BaseModel):
    """What an export holds."""

    model_config = ConfigDict(frozen=True)

    path: str
    entries: int
    size: int
    root: str
    key: str
    """The verifier key to give to the auditor by another way."""


async def export_audit(
    log: AuditLog, target: Path, wanted: Wanted, *, witnesses: Sequence[Witnessed] = (), policies: Path = DEFAULT_FOLDER
) -> ExportSummary:
    """Write the archive; `witnesses` are heads to prove the growth from, `policies` the files that decide now.

    Raises AuditBrokenError when the log does not fit its checkpoint or a witness, BadInputError for a witness of more
    entries than there are.
    """
    head = await log.publish()
    key = verifier_key(origin_of(log.key.public), log.key.public)
    proofs = await _witness_files(log, witnesses, head.size)
    await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
    with tempfile.TemporaryFile() as lines:
        count = await _entries(log, lines, wanted, head.size, head.root)
        files = {
            "checkpoint": head.sign(log.key).encode(),
            "log.key": key.encode() + b"\n",
            **{path.name: path.read_bytes() for path in (*READMES, VERIFIER)},
            **dict(_texts(policies)),
            **proofs,
        }
        await asyncio.to_thread(_write, target, lines, files, log, wanted, count, head.size, head.root.hex())
    return ExportSummary(path=str(target), entries=count, size=head.size, root=head.root.hex(), key=key)


async def _entries(log: AuditLog, target: BinaryIO, wanted: Wanted, size: int, root: bytes) -> int:
    """Write the lines of the entries; each one's proof is checked before it is written."""
    asked = AuditFilter(
        case_number=wanted.case_number,
        subject=wanted.subject,
        from_ms=unix_ms(wanted.time_from) if wanted.time_from else None,
        to_ms=unix_ms(wanted.time_to) if wanted.time_to else None,
    )
    ids, after, count = log.subject_ids(wanted.subject), -1, 0
    prover = Prover(log.folder).walk(size)
    async with log.store.reading() as session:
        while rows := await repository.page_after(session, asked, ids, after, size, _AT_ONCE):
            texts = [(int(row["log_index"]), str(row["entry"])) for row in rows]
            await asyncio.to_thread(_lines, target, texts, None if wanted.everything else prover, root)
            after, count = texts[-1][0], count + len(texts)
    return count


def _lines(target: BinaryIO, texts: Sequence[tuple[int, str]], prover: Walk | None, root: bytes) -> None:
    for index, text in texts:
        line: dict[str, object] = {"index": index, "entry": text}
        if prover is not None:
            path = prover.path(index)
            if not merkle.verify_inclusion(merkle.leaf_hash(text.encode()), index, prover.size, path, root):
                raise AuditBrokenError(f"Entry {index} is not the one that was published.")
            line["path"] = [base64.b64encode(step).decode() for step in path]
        target.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")


async def _witness_files(log: AuditLog, witnesses: Sequence[Witnessed], size: int) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for head in witnesses[-MAX_WITNESSES:]:
        if head.problem:
            raise AuditBrokenError(head.problem)
        if head.size > size:
            raise BadInputError(f"A witness saw {head.size} entries; the log has {size}.")
        if head.size == 0:
            continue
        proof = await log.consistency(head.size, size)
        if proof.old_root != head.root:
            raise AuditBrokenError(f"The first {head.size} entries are not those that a witness saw.")
        files[f"witnesses/{head.size}.json"] = proof.model_dump_json().encode()
    return files


def _texts(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.is_file() and (path.suffix == ".cedar" or path.name in (SCHEMA_FILE, ROLES_FILE)):
            yield f"policies/{path.name}", path.read_bytes()


def _write(
    target: Path,
    lines: BinaryIO,
    files: Mapping[str, bytes],
    log: AuditLog,
    wanted: Wanted,
    count: int,
    size: int,
    root: str,
) -> None:
    """The archive, under a temporary name until it is whole."""
    temporary = target.with_name(f".{target.name}.part")
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    lines.seek(0)
    digests["entries.jsonl"] = _digest(lines)
    manifest = rfc8785.dumps(
        {
            "context": CONTEXT,
            "log": origin_of(log.key.public),
            "size": size,
            "root": root,
            "entries": count,
            "complete": wanted.everything,
            "wanted": {name: str(value) for name, value in wanted.model_dump(mode="json").items() if value},
            "made_at": to_rfc3339(now()),
            "files": dict(digests),
        }
    )
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=5) as archive:
        archive.writestr("manifest.json", manifest)
        archive.writestr("manifest.sig", log.key.sign(manifest).hex() + "\n")
        for name, data in files.items():
            archive.writestr(name, data)
        lines.seek(0)
        with archive.open("entries.jsonl", "w", force_zip64=True) as file:
            for block in iter(lambda: lines.read(1 << 20), b""):
                file.write(block)
    temporary.replace(target)


def _digest(file: BinaryIO) -> str:
    found = hashlib.sha256()
    for block in iter(lambda: file.read(1 << 20), b""):
        found.update(block)
    return found.hexdigest()
