"""Signed tree heads: the statement under the signature, and a file of them beside the database, written in turn."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog

from matpho_contracts.signing import PublicKey, SignatureError
from matpho_platform.audit.canonical import canonical_json
from matpho_platform.audit.errors import AuditBrokenError

MAX_FILE_BYTES = 256 * 1024 * 1024
_log = structlog.get_logger(__name__)
_FIELDS = {"size", "root", "at_ms", "key_id", "signature"}


def statement(size: int, root: str, at_ms: int) -> bytes:
    """What a checkpoint's signature covers."""
    return canonical_json({"context": "matpho-audit-checkpoint-v1", "size": size, "root": root, "at_ms": at_ms})


def problem_of(checkpoint: Mapping[str, Any], key: PublicKey) -> str:
    """What is wrong with a checkpoint's signature; empty when nothing is."""
    if checkpoint["key_id"] != key.key_id:
        return f"The checkpoint of {checkpoint['size']} entries is signed by another key."
    try:
        covered = statement(checkpoint["size"], checkpoint["root"], checkpoint["at_ms"])
        key.verify(covered, bytes.fromhex(checkpoint["signature"]))
    except (SignatureError, ValueError):
        return f"The signature of the checkpoint of {checkpoint['size']} entries does not fit."
    return ""


class CheckpointFile:
    """Checkpoints as lines of JSON, only ever appended; copy it elsewhere, and the trail has a witness."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, checkpoint: Mapping[str, Any]) -> None:
        """Add a line and flush it to disk."""
        with self._path.open("ab") as file:
            file.write(json.dumps(dict(checkpoint)).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> Sequence[Mapping[str, Any]]:
        """Every checkpoint; a last line cut short by a crash is left out, any other damage raises AuditBrokenError."""
        if not self._path.exists():
            return ()
        if self._path.stat().st_size > MAX_FILE_BYTES:
            raise AuditBrokenError(f"{self._path.name} is too large for a file of checkpoints.")
        lines = self._path.read_bytes().split(b"\n")
        found = []
        for line in lines[:-1]:
            try:
                checkpoint = json.loads(line)
            except ValueError as error:
                raise AuditBrokenError(f"{self._path.name} holds a line that is no checkpoint.") from error
            if not isinstance(checkpoint, dict) or set(checkpoint) != _FIELDS:
                raise AuditBrokenError(f"{self._path.name} holds a line that is no checkpoint.")
            found.append(checkpoint)
        return found


class CheckpointKeeper:
    """Writes heads to the file in order, beside the commits: no entry waits for it."""

    def __init__(self, file: CheckpointFile) -> None:
        self._file = file
        self._heads: list[Mapping[str, Any]] = []
        self._writing: asyncio.Task[None] | None = None

    def keep(self, head: Mapping[str, Any]) -> None:
        """Have a checkpoint written."""
        self._heads.append(head)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write(), name="matpho-audit-checkpoints")

    async def kept(self) -> Sequence[Mapping[str, Any]]:
        """Every checkpoint of the file, with what was on its way. Raises AuditBrokenError as `CheckpointFile.read`."""
        await self.close()
        return await asyncio.to_thread(self._file.read)

    async def close(self) -> None:
        """Finish what is on its way."""
        if self._writing is not None:
            await asyncio.wait((self._writing,))

    async def _write(self) -> None:
        while self._heads:
            head = self._heads.pop(0)
            try:
                await asyncio.to_thread(self._file.append, head)
            except OSError as error:
                _log.critical("audit_checkpoint_not_kept", size=head["size"], problem=type(error).__name__)
