"""The audit log: append-only, an RFC 6962 tree over canonical entries, its head signed in the same commit.

Appending: 1 whoever waits goes into one commit, so that callers share a disk flush; what was spooled goes first; 2 the
head in the database must be the one we know, or grow from it; 3 entries, leaves, sealed personal values and a signed
checkpoint of the new tree in one transaction; 4 an index goes back only when the commit is on disk. Every KEEP_EVERY
entries the checkpoint is also written to a file beside the database, and the tree is published as tiles
(audit.publishing), so that a restored or cut database is found out by what the files remember.
"""

from __future__ import annotations

import asyncio
import hashlib
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import structlog
from sqlalchemy import RowMapping

from matpho_contracts.errors import BadInputError, MatphoError, UnavailableError
from matpho_contracts.signing import SigningKey
from matpho_contracts.times import now, unix_ms
from matpho_platform.audit import repository
from matpho_platform.audit.batch import Batch, Waiting
from matpho_platform.audit.checkpoints import CheckpointFile, CheckpointKeeper, statement
from matpho_platform.audit.errors import AuditBrokenError
from matpho_platform.audit.note import Checkpoint
from matpho_platform.audit.personal import Subjects, subject_of
from matpho_platform.audit.proofs import ConsistencyProof, InclusionProof, Prover
from matpho_platform.audit.publishing import Publisher
from matpho_platform.audit.schemas import AuditEntry, AuditFilter, AuditPage, AuditRecord, AuditReport, commitment
from matpho_platform.audit.sealed_values import MAX_PERSONAL_VALUES, values_of, wrong_values
from matpho_platform.audit.spooling import Spooling
from matpho_platform.audit.tree import Frontier
from matpho_platform.audit.verification import Witnessed, verify_trail
from matpho_platform.store.engine import Store
from matpho_platform.store.errors import DiskFailedError, MovedError
from matpho_platform.store.session import ReadSession, WriteSession

MAX_LIMIT = 500
MAX_BATCH = 256
"""Entries of one commit."""
MAX_WAITING = 20_000
SPOOL_AFTER_S = 2.0
"""How long an alert's entry waits for the log before it goes to the spool."""
_LEAVES_AT_ONCE = 16_384

_log = structlog.get_logger(__name__)


class AuditLog:
    """Takes entries in, gives them back, proves them, checks them all."""

    def __init__(self, store: Store, key: SigningKey, folder: Path) -> None:
        """`folder` holds what stands beside the database: checkpoints, tiles, spool."""
        self._store = store
        self._key = key
        self._folder = folder
        self._keeper = CheckpointKeeper(CheckpointFile(folder / "checkpoints.jsonl"))
        self._tree = Frontier()
        self._waiting: list[Waiting] = []
        self._writer: asyncio.Task[None] | None = None
        self._failed: DiskFailedError | None = None
        self._secret = hashlib.sha256(b"matpho-audit-commitment" + key.sign(b"matpho-audit-commitment")).digest()
        self._subjects = Subjects(self._secret)
        self._spooling = Spooling(folder / "spool", self._subjects)
        self._publisher = Publisher(store, key, folder)
        self._prover = Prover(folder)
        self.on_trouble: Callable[[str, str], None] = _untold
        """Told of what the log cannot hold itself: an action's name and a sentence."""

    @property
    def secret(self) -> bytes:
        """The key of commitments and argument hashes (audit.schemas); Ed25519 is deterministic, so it never changes."""
        return self._secret

    @property
    def size(self) -> int:
        """How many entries this process knows the log to have."""
        return self._tree.size

    @property
    def key(self) -> SigningKey:
        """The log's key: checkpoints and exports are signed with it."""
        return self._key

    @property
    def store(self) -> Store:
        """The database of the log."""
        return self._store

    @property
    def folder(self) -> Path:
        """Where checkpoints, tiles and spool are."""
        return self._folder

    async def open(self) -> None:
        """Read the tree; raises AuditBrokenError when the trail is shorter than its head says."""
        await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True, mode=0o700)
        async with self._store.reading() as session:
            head = await repository.newest_checkpoint(session)
            self._tree = await self._caught_up(session, head)
        if self._tree.size:
            self._publisher.grown(self._tree.size)  # what a crash left unpublished
        if self._spooling.waiting:
            self._wake()

    # --- taking in

    async def append(
        self, entry: AuditEntry, *, personal: Mapping[str, str] | None = None, subject: str | None = None
    ) -> int:
        """Write an entry; durable when this returns its log index (from 0).

        `personal` values stay outside the log, each sealed under the secret of whom it names; `subject`, where given,
        owns them all and is whom the entry is about. Raises AuditBrokenError or UnavailableError: then what was to be
        audited must not run.
        """
        return await self._queued(_waiting(entry, personal, subject))

    async def append_or_spool(
        self, entry: AuditEntry, *, personal: Mapping[str, str] | None = None, subject: str | None = None
    ) -> int | None:
        """As `append`, for alerts alone: while the log cannot be written the entry goes to the spool; then None.

        Raises UnavailableError when neither can be written.
        """
        one = _waiting(entry, personal, subject)
        try:
            return await self._queued(one, patience=SPOOL_AFTER_S)
        except MatphoError as error:
            if isinstance(error, BadInputError):
                raise
            _log.error("audit_entry_spooled", code=error.code, action=entry.action)
        await self._spooling.keep(one)
        await asyncio.to_thread(self.on_trouble, "audit_spooled", f"The act {entry.action} waits in the spool.")
        return None

    async def _queued(self, one: Waiting, patience: float | None = None) -> int:
        if self._failed is not None:
            raise DiskFailedError(self._failed.message, action=self._failed.action)
        if len(self._waiting) >= MAX_WAITING:
            raise UnavailableError("The audit log takes in more than it can write.", action="Try again soon.")
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        one.done = done
        self._waiting.append(one)
        self._wake()
        if patience is not None:
            await asyncio.wait((done,), timeout=patience)
            if not done.done() and one in self._waiting:
                self._waiting.remove(one)
                raise UnavailableError("The audit log did not write in time.")
        return await done

    def _wake(self) -> None:
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all(), name="matpho-audit-writer")

    async def _write_all(self) -> None:
        """Commit what waits until nothing does; each round takes everybody who came meanwhile."""
        try:
            while self._spooling.waiting:
                await self._bring_home()
        except BaseException as error:  # it stays in the spool; nobody goes before it
            waiting, self._waiting = self._waiting, []
            self._refuse(waiting, error)
            return
        while self._waiting:
            group = self._waiting[:MAX_BATCH]
            del self._waiting[:MAX_BATCH]
            try:
                await self._commit_apart(group)
            except BaseException as error:
                self._refuse(group, error)
                if not isinstance(error, Exception):
                    raise

    async def _bring_home(self) -> None:
        """Commit what the spool holds, in order, before anything newer."""
        spooled = await self._spooling.take()
        for first in range(0, len(spooled), MAX_BATCH):
            await self._commit(spooled[first : first + MAX_BATCH])
        await self._spooling.done()

    def _refuse(self, group: Sequence[Waiting], error: BaseException) -> None:
        if isinstance(error, DiskFailedError):
            self._failed = error  # a flush that failed is never tried again
            _log.critical("audit_stopped", code=error.code)
            self.on_trouble("audit_stopped", error.message)
        elif not isinstance(error, MatphoError):
            _log.error("audit_commit_failed", trace=traceback.format_exc())
            error = UnavailableError("The audit log could not be written.", action="Try again.")
        for one in group:
            if one.done is not None and not one.done.done():
                one.done.set_exception(error)

    async def _commit_apart(self, group: Sequence[Waiting]) -> None:
        """Commit a group; where one entry cannot be written at all, the others go on without it."""
        try:
            await self._commit(group)
        except MatphoError:
            raise
        except Exception:
            if len(group) == 1:
                raise
            for one in group:
                try:
                    await self._commit([one])
                except Exception as error:
                    self._refuse([one], error)

    async def _commit(self, group: Sequence[Waiting]) -> None:
        """Behind the tree that we know, where the database still has it, which the commit finds out; else behind its
        own."""
        if self._tree.size and not any(one.spool_id for one in group):
            with suppress(MovedError):
                await self._commit_behind_ours(group)
                return
        async with self._store.writing() as session:
            tree = await self._head(session)  # 2
            fresh = await self._spooling.unknown(session, group)
            batch = await Batch.write(session, tree, fresh, self._subjects, self._checkpoint)  # 3
            await repository.save_size(session, tree.size)
        self._committed(fresh, batch)  # 4

    async def _commit_behind_ours(self, group: Sequence[Waiting]) -> None:
        """In one trip to the database. Raises MovedError, and nothing is written, where its tree is not ours."""
        tree = self._tree.copy()
        async with self._store.writing() as session:
            await repository.grow(session, tree.size, tree.size + len(group))  # 2
            batch = await Batch.write(session, tree, group, self._subjects, self._checkpoint)  # 3
        self._committed(group, batch)  # 4

    def _committed(self, group: Sequence[Waiting], batch: Batch) -> None:
        first, self._tree = batch.tree.size - len(group), batch.tree
        for number, one in enumerate(group):
            if one.done is not None and not one.done.done():
                one.done.set_result(first + number)
        for head in batch.heads:
            if head["size"] % repository.KEEP_EVERY == 0:
                self._keeper.keep(head)
        self._publisher.grown(batch.tree.size)

    async def _head(self, session: WriteSession) -> Frontier:
        """The tree as the database has it, locked for us until the commit."""
        size = await repository.lock_size(session)
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
            await asyncio.to_thread(tree.extend, leaves)
        if head is not None and tree.root().hex() != head["root"]:
            raise AuditBrokenError(
                "The audit trail does not hash to its checkpoint.", action="Run matpho audit verify."
            )
        return tree

    def _checkpoint(self, tree: Frontier) -> dict[str, str | int]:
        root, at_ms = tree.root().hex(), unix_ms(now())
        signature = self._key.sign(statement(tree.size, root, at_ms)).hex()
        key_id = self._key.public.key_id
        return {"size": tree.size, "root": root, "at_ms": at_ms, "key_id": key_id, "signature": signature}

    # --- publishing and proofs

    async def publish(self) -> Checkpoint:
        """Write tiles and the signed checkpoint note of everything that is committed; returns the checkpoint."""
        return await self._publisher.publish()

    async def keep_published(self) -> None:
        """The worker: publishes 10 s after an entry at the latest, or when 256 are new; brings home the spool."""
        while True:
            await self._publisher.due()
            if self._spooling.waiting:
                self._wake()
            try:
                await self.publish()
            except MatphoError as error:
                _log.critical("audit_not_published", code=error.code, problem=str(error))
                if isinstance(error, AuditBrokenError):
                    await asyncio.to_thread(self.on_trouble, "audit_not_published", error.message)

    async def checkpoint(self) -> str:
        """The newest signed note; published first when entries wait."""
        await self.publish()
        return await asyncio.to_thread(self._publisher.note)

    async def inclusion(self, index: int, size: int | None = None) -> InclusionProof:
        """That an entry is in the tree of `size` (the published one). Raises BadInputError outside of it."""
        head = await self.publish()
        proof = await asyncio.to_thread(self._prover.inclusion, index, size or head.size, head.size)
        async with self._store.reading() as session:
            rows = await repository.entries_from(session, index, 1)
        return proof.model_copy(update={"entry": rows[0]["entry"]}) if rows else proof

    async def consistency(self, old: int, new: int | None = None) -> ConsistencyProof:
        """That the tree of `new` (the published one) grew from the tree of `old`."""
        head = await self.publish()
        return await asyncio.to_thread(self._prover.consistency, old, new or head.size, head.size)

    # --- reading

    async def search(
        self,
        *,
        actor: str | None = None,
        action: str | None = None,
        subject: str | None = None,
        outcome: str | None = None,
        decision: str | None = None,
        case_number: str | None = None,
        own: str | None = None,
        time_from: datetime | None = None,
        time_to: datetime | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> AuditPage:
        """Entries that fit, newest first.

        `subject` is any text an entry holds (an id), or the plate, number or name of somebody it is about; `own` keeps
        the page to what that user did.
        """
        wanted = AuditFilter(
            own=own or "",
            actor=actor or "",
            action=action or "",
            subject=subject or "",
            commitments=(commitment(subject, self._secret),) if subject else (),
            outcome=outcome or "",
            decision=decision or "",
            case_number=case_number or "",
            from_ms=unix_ms(time_from) if time_from else None,
            to_ms=unix_ms(time_to) if time_to else None,
            limit=max(1, min(limit, MAX_LIMIT)),
            offset=max(0, offset),
        )
        ids = self.subject_ids(wanted.subject)
        async with self._store.reading() as session:
            rows = await repository.search(session, wanted, ids)
            total = await repository.count(session, wanted, ids)
        records = (
            AuditRecord(log_index=row["log_index"], entry=AuditEntry.model_validate_json(row["entry"])) for row in rows
        )
        return AuditPage(records=tuple(records), total=total, offset=wanted.offset, limit=wanted.limit)

    def subject_ids(self, value: str) -> set[str]:
        """The keyed ids under which a plate, number or name may be known."""
        return self._subjects.ids_of(value) if value else set()

    async def personal(self, index: int) -> dict[str, str]:
        """The personal values of an entry that can still be read, by name.

        Raises AuditBrokenError for one that is not what the log commits to.
        """
        async with self._store.reading() as session:
            return await values_of(session, self._subjects, index)

    async def erase_subject(self, subject: str) -> int:
        """Destroy the secret of whom `subject` names; returns how many values became unreadable. The log stays valid.

        Whoever calls logs that it was done, and why.
        """
        erased = 0
        async with self._store.writing() as session:
            for subject_id in sorted({self._subjects.id_of(one) for one in (subject, subject_of(subject))}):
                erased += await repository.erase_subject(session, subject_id, bytes(60))
        return erased

    async def verify(self, witnesses: Sequence[Witnessed] = ()) -> AuditReport:
        """Hash the whole trail again; hold it against every signed checkpoint, the tiles, and what witnesses kept."""
        remembered = await self._keeper.kept()
        async with self._store.reading() as session:
            report = await verify_trail(session, self._key.public, remembered, folder=self._folder, witnesses=witnesses)
            wrong = await wrong_values(session, self._subjects)
        return report.model_copy(update={"problems": (*report.problems, *wrong)})

    async def close(self) -> None:
        """Finish what waits; remember the head in the files too."""
        if self._writer is not None:
            await asyncio.wait((self._writer,))
        if not self._tree.size:
            return
        self._keeper.keep(self._checkpoint(self._tree))
        await self._keeper.close()
        try:
            await self.publish()
        except MatphoError as error:
            _log.critical("audit_not_published", code=error.code, problem=str(error))


def _untold(_action: str, _message: str) -> None:
    """Nobody listens."""


def _waiting(entry: AuditEntry, personal: Mapping[str, str] | None, subject: str | None) -> Waiting:
    values = {name[:200]: str(value) for name, value in (personal or {}).items() if value}
    if len(values) > MAX_PERSONAL_VALUES:
        raise BadInputError(f"An audit entry takes at most {MAX_PERSONAL_VALUES} personal values.")
    return Waiting(entry, None, values, subject)
