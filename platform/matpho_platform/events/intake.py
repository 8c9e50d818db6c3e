"""Intake: from an upload's bytes to events safely on disk. The numbers are those of the architecture's intake flow.

1 read the batch within limits
2 verify its signature against the box's registered key, then each event's shape, source, camera and area
3 inbox: an event seen before has no effect
4 one transaction: event, inbox and outbox rows; the commit flushes to disk (writer.py)
5 acknowledge
6 index and 7 live stream follow from the outbox (outbox.py)
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import datetime

import structlog

from matpho_contracts.edge_api import IntakeAnswer
from matpho_contracts.errors import BadInputError, MatphoError, UnavailableError
from matpho_contracts.signing import SignatureError
from matpho_contracts.times import now
from matpho_contracts.wire import Batch, decode_batch
from matpho_platform.cameras.areas import AreaTree
from matpho_platform.cameras.edges import EdgeKey, EdgeRegistry
from matpho_platform.cameras.errors import UnknownKeyError
from matpho_platform.cameras.registry import CameraOwners
from matpho_platform.events import intake_repository as repository
from matpho_platform.events.candidates import Bounds, Candidates, Rejection, take_apart
from matpho_platform.events.writer import GroupWriter, aside_row
from matpho_platform.store.blobs import BlobStore
from matpho_platform.store.engine import Store

THREAD_BYTES = 256 * 1024
"""Uploads above this are read and verified in a thread, so that others need not wait behind them."""
UNSIGNED_PER_MINUTE = 60
"""Unsigned rubbish that is written to the quarantine; the rest is only counted."""

_log = structlog.get_logger(__name__)


class Intake:
    """What the web layer calls with an upload's body."""

    def __init__(
        self,
        store: Store,
        blobs: BlobStore,
        registry: EdgeRegistry,
        owners: CameraOwners,
        areas: AreaTree,
        writer: GroupWriter,
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._registry = registry
        self._owners = owners
        self._areas = areas
        self._writer = writer
        self._unsigned_window = (0.0, 0)
        self.counts: Counter[str] = Counter()
        """Lines by what became of them (`stored`, `repeat`, `rejected`) and refused batches by code."""

    async def receive(self, body: bytes, *, at: datetime | None = None) -> IntakeAnswer:
        """Take one upload; the answer means that what it calls stored is on disk.

        `at` is the present of a world that is played on another day (an evaluation); None is now.
        Raises BadInputError (1), SignatureError (2), StorageFullError or UnavailableError (4, nothing stored).
        """
        in_thread = len(body) > THREAD_BYTES
        try:
            batch = await asyncio.to_thread(decode_batch, body) if in_thread else decode_batch(body)  # 1
            key = await self._key(batch)
            bounds = await self._bounds(key, at or now())
            if in_thread:
                candidates = await asyncio.to_thread(take_apart, batch, key, bounds)  # 2
            else:
                candidates = take_apart(batch, key, bounds)
        except (BadInputError, SignatureError) as error:
            await self._refused(body, error)
            raise
        return await self._store_all(candidates)

    async def _store_all(self, candidates: Candidates) -> IntakeAnswer:
        await self._blobs.put(candidates.stills)  # before the rows that name them; a spare still does no harm
        results = await self._writer.write(candidates)  # 3, 4
        for result in results:
            self.counts[result.status] += 1
        return IntakeAnswer(results=tuple(results))  # 5

    async def _key(self, batch: Batch) -> EdgeKey:
        found = await self._registry.key(batch.header.key_id)
        if found is None or found.revoked_ms is not None or found.edge_id != batch.header.edge_id:
            raise UnknownKeyError("The batch is signed by a key that is not enrolled for this box.")
        return found

    async def _bounds(self, key: EdgeKey, at: datetime) -> Bounds:
        areas = frozenset(self._areas.expand(key.areas)) if key.areas else None
        return Bounds(areas, await self._owners.current(), at)

    async def _refused(self, body: bytes, error: MatphoError) -> None:
        """Count a batch that could not be shown to come from a box, and keep a sample of such batches."""
        self.counts[error.code] += 1
        started, count = self._unsigned_window
        if time.monotonic() - started > 60:
            started, count = time.monotonic(), 0
        self._unsigned_window = (started, count + 1)
        if count >= UNSIGNED_PER_MINUTE:
            return
        _log.warning("intake_batch_refused", code=error.code, size=len(body))
        row = aside_row(body, Rejection(error.code, error.message[:200]), "", signed=False)
        try:
            async with self._store.writing() as session:
                await repository.set_aside(session, [row])
        except UnavailableError:
            _log.error("intake_quarantine_failed", code=error.code)  # the caller still hears the first error
