"""Steps 3 and 4 of intake: one writer that commits all waiting batches at once, so that callers share a disk flush."""

from __future__ import annotations

import asyncio
import hashlib
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from matpho_contracts.edge_api import EventResult
from matpho_contracts.errors import MatphoError, UnavailableError
from matpho_platform.events import intake_repository as repository
from matpho_platform.events.candidates import Candidates, Rejection, rejected
from matpho_platform.store.engine import Store
from matpho_platform.store.errors import DiskFailedError
from matpho_platform.store.serials import lock_serial, save_serial
from matpho_platform.store.session import WriteSession

GROUP_EVENTS = 2_000
"""Events of one commit: above this, the flush no longer counts."""
WAITING_BATCHES = 64
QUARANTINE_BODY_BYTES = 64 * 1024
SERIAL = "events"

_log = structlog.get_logger(__name__)
_Waiting = tuple[Candidates, "asyncio.Future[list[EventResult]]"]


class GroupWriter:
    """Takes candidates, gives back what became of each line once it is on disk. `run` is its worker."""

    def __init__(self, store: Store, topics: Callable[[], Sequence[str]], on_commit: Callable[[], None]) -> None:
        """`topics` says at each commit to whom its events are promised; `on_commit` wakes them."""
        self._store = store
        self._topics = topics
        self._on_commit = on_commit
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue(WAITING_BATCHES)
        self._held: _Waiting | None = None
        self._failed: DiskFailedError | None = None

    async def write(self, candidates: Candidates) -> list[EventResult]:
        """Store a batch; returns after the commit. Raises StorageFullError or UnavailableError with nothing stored."""
        if self._failed is not None:
            raise DiskFailedError(self._failed.message, action=self._failed.action)
        done: asyncio.Future[list[EventResult]] = asyncio.get_running_loop().create_future()
        try:
            self._queue.put_nowait((candidates, done))
        except asyncio.QueueFull as error:
            raise UnavailableError("The center takes in more than it can write.", action="Send again soon.") from error
        return await done

    async def run(self) -> None:
        """Write groups until cancelled, or until the disk fails: a flush that failed is never tried again."""
        while self._failed is None:
            group = await self._next_group()
            try:
                await self._commit(group)
            except DiskFailedError as error:
                self._stop(error, group)
            except MatphoError:
                for waiting in group:  # one of them may be the cause: each gets its own transaction
                    await self._commit_alone(waiting)
            except BaseException as error:
                for _, done in group:
                    if not done.done():
                        done.set_exception(UnavailableError("The center is stopping.", action="Send again."))
                if not isinstance(error, Exception):
                    raise
                _log.error("intake_group_failed", trace=traceback.format_exc())

    def _stop(self, error: DiskFailedError, group: Sequence[_Waiting]) -> None:
        """Take nothing more; everybody who waits is told."""
        self._failed = error
        _log.critical("intake_stopped", code=error.code)
        left = [*group, *([self._held] if self._held else [])]
        while not self._queue.empty():
            left.append(self._queue.get_nowait())
        for _, done in left:
            if not done.done():
                done.set_exception(error)

    async def _next_group(self) -> list[_Waiting]:
        group = [self._held or await self._queue.get()]
        self._held = None
        size = len(group[0][0].lines)
        while not self._queue.empty():
            waiting = self._queue.get_nowait()
            size += len(waiting[0].lines)
            if size > GROUP_EVENTS:
                self._held = waiting
                break
            group.append(waiting)
        return group

    async def _commit(self, group: Sequence[_Waiting]) -> None:
        async with self._store.writing() as session:
            answers = await write_group(session, [candidates for candidates, _ in group], self._topics())
        self._on_commit()
        for (_, done), results in zip(group, answers, strict=True):
            if not done.done():
                done.set_result(results)

    async def _commit_alone(self, waiting: _Waiting) -> None:
        try:
            await self._commit([waiting])
        except MatphoError as error:
            _log.error("intake_commit_failed", code=error.code, edge=waiting[0].edge_id)
            if not waiting[1].done():
                waiting[1].set_exception(error)


async def write_group(
    session: WriteSession, group: Sequence[Candidates], topics: Sequence[str]
) -> list[list[EventResult]]:
    """Write batches in one transaction, each event once; returns each batch's results in line order."""
    serial = await lock_serial(session, SERIAL)
    ids = {line["id"] for batch in group for line in batch.lines if isinstance(line, dict)}
    known = await repository.seen(session, sorted(ids))
    rows = _Rows(serial, known)
    answers = [rows.add(batch) for batch in group]
    await repository.add_events(session, rows.batches, rows.events, rows.inbox, topics)
    await repository.set_aside(session, rows.aside)
    if rows.events:
        await save_serial(session, SERIAL, rows.serial)
    return answers


class _Rows:
    """The rows of one commit, as they gather."""

    def __init__(self, serial: int, known: dict[str, bytes]) -> None:
        self.serial = serial
        self._known = known
        self.batches: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.inbox: list[dict[str, Any]] = []
        self.aside: list[dict[str, Any]] = []

    def add(self, batch: Candidates) -> list[EventResult]:
        """Judge each line against what was seen, also within this commit (step 3)."""
        first = self.serial + 1
        results = []
        for raw, line, digest in zip(batch.raws, batch.lines, batch.digests, strict=True):
            seen = self._known.get(line["id"]) if isinstance(line, dict) else None
            if isinstance(line, dict) and seen is None:
                results.append(self._store(line, digest, first))
            elif isinstance(line, dict) and seen == digest:
                results.append(EventResult.model_construct(id=line["id"], status="repeat", reason=""))
            else:
                results.append(self._reject(batch, raw, line))
        if self.serial >= first:
            self.batches.append(
                {
                    "batch_id": first,
                    "edge_id": batch.edge_id,
                    "received_ms": batch.received_ms,
                    "stored": self.serial - first + 1,
                    "header": batch.header,
                }
            )
        return results

    def _store(self, line: dict[str, Any], digest: bytes, batch_id: int) -> EventResult:
        self.serial += 1
        self._known[line["id"]] = digest
        line["seq"], line["batch_id"] = self.serial, batch_id
        self.events.append(line)
        self.inbox.append({"event_id": line["id"], "digest": digest, "seq": self.serial})
        return EventResult.model_construct(id=line["id"], status="stored", reason="")

    def _reject(self, batch: Candidates, raw: bytes, line: dict[str, Any] | Rejection) -> EventResult:
        conflict = Rejection("conflict", "An event of this id was stored with other bytes.")
        rejection = conflict if isinstance(line, dict) else line
        self.aside.append(aside_row(raw, rejection, batch.edge_id, signed=True))
        return rejected(raw, rejection)


def aside_row(raw: bytes, rejection: Rejection, edge_id: str, *, signed: bool) -> dict[str, Any]:
    """A row of the quarantine; of what nobody signed only the beginning is kept."""
    return {
        "signed": signed,
        "edge_id": edge_id,
        "code": rejection.code,
        "reason": rejection.reason,
        "digest": hashlib.sha256(raw).hexdigest(),
        "size": len(raw),
        "body": raw[: QUARANTINE_BODY_BYTES if signed else 4096],
    }
