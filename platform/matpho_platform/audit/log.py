"""The audit log: append-only, an RFC 6962 tree over canonical entries, its head signed in the same commit.

Appending: 1 one at a time; 2 the head in the database must be the one we know, or grow from it; 3 entry, leaf and a
signed checkpoint of the new tree in one transaction; 4 the index goes back only when the commit is on disk. Every
KEEP_EVERY entries the checkpoint is also written to a file beside the database, so that a restored or cut database is
found out by what the file remembers.
"""

from __future__ import annotations

import asyncio
import hashlib
from datetime import datetime
from pathlib import Path

from sqlalchemy import RowMapping

from matpho_contracts import merkle
from matpho_contracts.signing import SigningKey
from matpho_contracts.times import from_rfc3339, now, to_rfc3339, unix_ms
from matpho_platform.audit import repository
from matpho_platform.audit.checkpoints import CheckpointFile, statement
from matpho_platform.audit.errors import AuditBrokenError
from matpho_platform.audit.schemas import AuditEntry, AuditPage, AuditRecord, AuditReport
from matpho_platform.audit.tree import Frontier
from matpho_platform.audit.verification import verify_trail
from matpho_platform.store.engine import Store
from matpho_platform.store.serials import lock_serial, save_serial
from matpho_platform.store.session import ReadSession, WriteSession

SERIAL = "audit"
MAX_LIMIT = 500
_LEAVES_AT_ONCE = 10_000


class AuditLog:
    """Takes entries in, gives them back, checks them all."""

    def __init__(self, store: Store, key: SigningKey, file: Path) -> None:
        self._store = store
        self._key = key
        self._file = CheckpointFile(file)
        self._tree = Frontier()
        self._lock = asyncio.Lock()
        self._secret = hashlib.sha256(b"matpho-audit-commitment" + key.sign(b"matpho-audit-commitment")).digest()

    @property
    def secret(self) -> bytes:
        """The key of commitments and argument hashes (audit.schemas); Ed25519 is deterministic, so it never changes."""
        return self._secret

    async def open(self) -> None:
        """Read the tree; raises AuditBrokenError when the trail is shorter than its head says."""
        async with self._store.reading() as session:
            head = await repository.newest_checkpoint(session)
            self._tree = await self._caught_up(session, head)

    async def append(self, entry: AuditEntry) -> int:
        """Write an entry; durable when this returns its log index (from 0).

        Raises AuditBrokenError or UnavailableError: then what was to be audited must not run.
        """
        canonical = entry.canonical()
        leaf = merkle.leaf_hash(canonical)
        async with self._lock:  # 1
            async with self._store.writing() as session:
                tree = await self._head(session)  # 2
                index = tree.size
                tree.append(leaf)
                row = {
                    "log_index": index,
                    "at_ms": unix_ms(from_rfc3339(to_rfc3339(entry.at))),
                    "user_id": entry.user_id[:64],
                    "action": entry.action,
                    "outcome": entry.outcome,
                    "leaf": leaf,
                    "entry": canonical.decode(),
                }
                checkpoint = self._checkpoint(tree)
                await repository.add(session, row, checkpoint)  # 3
                await save_serial(session, SERIAL, tree.size)
            self._tree = tree  # 4
            if tree.size % repository.KEEP_EVERY == 0:
                await asyncio.to_thread(self._file.append, checkpoint)
        return index

    async def _head(self, session: WriteSession) -> Frontier:
        """The tree as the database has it, locked for us until the commit."""
        size = await lock_serial(session, SERIAL)
        if size == self._tree.size:
            return self._tree.copy()
        return await self._caught_up(session, await repository.newest_checkpoint(session))

    async def _caught_up(self, session: ReadSession, head: RowMapping | None) -> Frontier:
        """Our tree with what others appended since; its root must be the head's."""
        size = int(head["size"]) if head is not None else 0
        tree = self._tree.copy()
        if size < tree.size:
            raise AuditBrokenError(
                f"The audit trail shrank from {tree.size} to {size} entries.", action="Stop and restore it."
            )
        while tree.size < size:
            leaves = await repository.leaves_from(session, tree.size, min(_LEAVES_AT_ONCE, size - tree.size))
            if not leaves:
                raise AuditBrokenError("The audit trail lacks entries that its checkpoint covers.")
            for leaf in leaves:
                tree.append(leaf)
        if head is not None and tree.root().hex() != head["root"]:
            raise AuditBrokenError("The audit trail does not hash to its checkpoint.", action="Run matpho verify.")
        return tree

    def _checkpoint(self, tree: Frontier) -> dict[str, str | int]:
        root, at_ms = tree.root().hex(), unix_ms(now())
        signature = self._key.sign(statement(tree.size, root, at_ms)).hex()
        key_id = self._key.public.key_id
        return {"size": tree.size, "root": root, "at_ms": at_ms, "key_id": key_id, "signature": signature}

    async def search(
        self,
        *,
        actor: str | None = None,
        action: str | None = None,
        subject: str | None = None,
        time_from: datetime | None = None,
        time_to: datetime | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> AuditPage:
        """Entries that fit, newest first. `subject` is any text an entry holds: an id, or a commitment."""
        limit, offset = max(1, min(limit, MAX_LIMIT)), max(0, offset)
        async with self._store.reading() as session:
            rows, total = await repository.search(
                session,
                actor=actor,
                action=action,
                subject=subject,
                from_ms=unix_ms(time_from) if time_from else None,
                to_ms=unix_ms(time_to) if time_to else None,
                limit=limit,
                offset=offset,
            )
        records = (
            AuditRecord(log_index=row["log_index"], entry=AuditEntry.model_validate_json(row["entry"])) for row in rows
        )
        return AuditPage(records=tuple(records), total=total, offset=offset, limit=limit)

    async def verify(self) -> AuditReport:
        """Hash the whole trail again and hold it against every signed checkpoint, in the database and in the file."""
        remembered = await asyncio.to_thread(self._file.read)
        async with self._store.reading() as session:
            return await verify_trail(session, self._key.public, remembered)

    async def close(self) -> None:
        """Remember the head in the file too."""
        async with self._lock:
            if self._tree.size:
                await asyncio.to_thread(self._file.append, self._checkpoint(self._tree))
