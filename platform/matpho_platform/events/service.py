"""Events for people and tools: search, one event, look-alikes, statistics, stills. Every call carries its scope."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from matpho_contracts.errors import BadInputError, NotFoundError, UnavailableError
from matpho_contracts.events import Event
from matpho_contracts.times import now
from matpho_embeddings.attributes import sure_attributes
from matpho_embeddings.encoder import Encoder
from matpho_embeddings.index.contract import OBJECT, SCENE, Found, Hit, IndexFilter, VectorIndex
from matpho_platform.access.principal import Scope
from matpho_platform.cameras import repository as camera_repository
from matpho_platform.cameras.areas import AreaTree
from matpho_platform.cameras.edges import EdgeRegistry
from matpho_platform.events import reading, repository, statistics
from matpho_platform.events.errors import EventNotFoundError, SearchUnavailableError
from matpho_platform.events.filters import to_index, to_sql, within
from matpho_platform.events.forecast import expected, history
from matpho_platform.events.ranking import Ranker
from matpho_platform.events.schemas import (
    MAX_LIMIT,
    EventDetail,
    EventFilter,
    EventHit,
    EventPage,
    Forecast,
    StatisticsQuery,
    StatisticsTable,
)
from matpho_platform.media.pictures import decode_jpeg
from matpho_platform.store.blobs import BlobStore
from matpho_platform.store.engine import Store
from matpho_platform.store.session import ReadSession

MAX_QUERY = 1_000
"""Characters of a free-text query."""
MAX_OFFSET = 100_000


def still_path(event_id: str) -> str:
    """Where the API serves an event's still."""
    return f"/api/v1/events/{event_id}/still"


class EventService:
    """Reads the event store and the index."""

    def __init__(
        self,
        store: Store,
        blobs: BlobStore,
        areas: AreaTree,
        registry: EdgeRegistry,
        *,
        ranker: Ranker | None = None,
        index: VectorIndex | None = None,
        encoder: Encoder | None = None,
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._areas = areas
        self._registry = registry
        self._ranker = ranker
        self._index = index
        self._encoder = encoder

    async def search(
        self, scope: Scope, query: str | None, where: EventFilter, *, limit: int = 20, offset: int = 0
    ) -> EventPage:
        """With words the best match first, with objects or colours the most certain first, else the newest first.

        `total` counts all that fits the filters; objects and colours also fit where they are only possible, unless
        there is no index to ask. Raises SearchUnavailableError for words where there is no index, BadInputError for
        an absurd query or page.
        """
        limit, offset = _page(limit, offset)
        text = (query or "").strip()
        if len(text) > MAX_QUERY:
            raise BadInputError(f"A query has at most {MAX_QUERY} characters.")
        inner = self._areas.expand_scope(scope)
        condition = to_index(where, inner, self._areas)
        if text:
            if self._ranker is None:
                raise SearchUnavailableError(
                    "Search by words is not set up here.", action="Use filters, or set an index."
                )
            return await self._ranked(self._ranker, inner, text, condition, limit, offset)
        if condition.attributes and self._ranker is not None:
            with suppress(UnavailableError):
                return await self._ranked(self._ranker, inner, None, condition, limit, offset)
        return await self._newest(inner, where, limit, offset)

    async def _ranked(
        self, ranker: Ranker, inner: Scope, text: str | None, condition: IndexFilter, limit: int, offset: int
    ) -> EventPage:
        found = await ranker.search(text, condition, limit=limit, offset=offset)
        page = await self._hydrated(inner, found, limit, offset, condition.attributes)
        if not condition.attributes or self._index is None:
            return page
        certain = await self._index.count(replace(condition, sure=condition.attributes))
        return page.model_copy(update={"possible": max(0, found.total - certain)})

    async def _newest(self, inner: Scope, where: EventFilter, limit: int, offset: int) -> EventPage:
        async with self._store.reading() as session:
            condition = to_sql(where, inner, self._areas)
            rows, total = await repository.newest(session, condition, limit, offset)
            stored = [item for item in map(reading.parse_row, rows) if item is not None]
            names = await camera_repository.names(session, (item.event.data.camera_id for item in stored))
        hits = tuple(_hit(item.event, names) for item in stored)
        return EventPage(hits=hits, total=total, offset=offset, limit=limit)

    async def _hydrated(
        self, inner: Scope, found: Found, limit: int, offset: int, attributes: tuple[str, ...] = ()
    ) -> EventPage:
        """Ids of the index to events of the store; what the store lacks or the scope forbids is left out."""
        async with self._store.reading() as session:
            by_id = await self._events(session, inner, [hit.id for hit in found.hits])
            names = await camera_repository.names(session, (event.data.camera_id for event in by_id.values()))
        hits = tuple(_hit(by_id[hit.id], names, hit, attributes) for hit in found.hits if hit.id in by_id)
        return EventPage(hits=hits, total=found.total, offset=offset, limit=limit, exact=found.exact)

    async def _events(self, session: ReadSession, inner: Scope, ids: Iterable[str]) -> dict[str, Event]:
        rows = await reading.by_ids(session, ids, within(inner))
        parsed = {event_id: reading.parse_row(row) for event_id, row in rows.items()}
        return {event_id: stored.event for event_id, stored in parsed.items() if stored is not None}

    async def get(self, scope: Scope, event_id: str) -> EventDetail:
        """One event, its signature and columns checked again now; raises EventNotFoundError outside the scope too."""
        await self._registry.key("")  # refreshes the registry when it is old
        async with self._store.reading() as session:
            found = await reading.by_ids(session, [event_id], within(self._areas.expand_scope(scope)))
            row = found.get(event_id)
            stored = reading.parse_row(row) if row is not None else None
            if row is None or stored is None:
                raise EventNotFoundError(f"There is no event {event_id}.")
            names = await camera_repository.names(session, [stored.event.data.camera_id])
        reason = reading.check_row(row, self._registry.public_key)
        return EventDetail(
            event=stored.event,
            proof=reading.proof_of(row),
            received_at=stored.received_at,
            camera_name=names.get(stored.event.data.camera_id, stored.event.data.camera_id),
            signature="invalid" if reason else "valid",
            signature_reason=reason,
            thumbnail=_thumbnail(stored.event),
        )

    async def area_of(self, event_id: str) -> str | None:
        """The area an event was seen in; None where there is no such event."""
        return await repository.area_of(self._store, event_id)

    async def similar(
        self, scope: Scope, like: str | bytes, where: EventFilter, *, limit: int = 20, offset: int = 0
    ) -> EventPage:
        """Events that look like an event (its id) or a picture (JPEG bytes)."""
        limit, offset = _page(limit, offset)
        if self._ranker is None or self._index is None:
            raise SearchUnavailableError("Search by likeness is not set up here.", action="Set an index.")
        inner = self._areas.expand_scope(scope)
        exclude = like if isinstance(like, str) else None
        vectors = await self._vectors_of(scope, like) if isinstance(like, str) else await self._encoded(like)
        condition = to_index(where, inner, self._areas)
        found = await self._ranker.similar(vectors, condition, limit=limit, offset=offset, exclude=exclude)
        return await self._hydrated(inner, found, limit, offset, condition.attributes)

    async def _vectors_of(self, scope: Scope, event_id: str) -> Mapping[str, NDArray[np.float32]]:
        await self._event(scope, event_id)
        vectors = await self._index.vectors(event_id) if self._index else None
        pictures = {name: vector for name, vector in (vectors or {}).items() if name in (SCENE, OBJECT)}
        if not pictures:
            raise SearchUnavailableError("The event has no picture to compare with.", action="Use another event.")
        return pictures

    async def _encoded(self, jpeg: bytes) -> Mapping[str, NDArray[np.float32]]:
        if self._encoder is None:
            raise SearchUnavailableError("No encoder is set up here.", action="Search by an event instead.")
        picture = await asyncio.to_thread(decode_jpeg, jpeg)
        vector = (await asyncio.to_thread(self._encoder.encode_images, [picture]))[0]
        return {SCENE: vector, OBJECT: vector}

    async def statistics(self, scope: Scope, query: StatisticsQuery, *, at: datetime | None = None) -> StatisticsTable:
        """Counts or rates by group within the scope; `at` is the present, where an open period ends."""
        inner = self._areas.expand_scope(scope)
        async with self._store.reading() as session:
            return await statistics.tabulate(session, query, inner, self._areas, at or now())

    async def forecast(self, scope: Scope, where: EventFilter, days: int, *, at: datetime) -> Forecast:
        """What to expect of the next local days; the filter's own period does not matter."""
        inner = self._areas.expand_scope(scope)
        async with self._store.reading() as session:
            counts = await history(session, where, inner, self._areas, at)
        return expected(counts, days, at)

    async def still(self, scope: Scope, event_id: str) -> bytes:
        """An event's still, JPEG, checked against its signed digest; raises EventNotFoundError where there is none."""
        event = await self._event(scope, event_id)
        digest = event.data.evidence.thumbnail_sha256
        if digest is None:
            raise EventNotFoundError("The event has no still.")
        try:
            return await self._blobs.get(digest)
        except NotFoundError as error:
            raise EventNotFoundError("The event's still never came.") from error

    async def _event(self, scope: Scope, event_id: str) -> Event:
        async with self._store.reading() as session:
            found = await self._events(session, self._areas.expand_scope(scope), [event_id])
        if event_id not in found:
            raise EventNotFoundError(f"There is no event {event_id}.")
        return found[event_id]


def _page(limit: int, offset: int) -> tuple[int, int]:
    if offset > MAX_OFFSET:
        raise BadInputError(f"A page starts at most {MAX_OFFSET} events in.", action="Narrow the filters.")
    return max(1, min(limit, MAX_LIMIT)), max(0, offset)


def _thumbnail(event: Event) -> str | None:
    return still_path(event.id) if event.data.evidence.thumbnail_sha256 else None


def _hit(event: Event, names: Mapping[str, str], hit: Hit | None = None, attributes: tuple[str, ...] = ()) -> EventHit:
    """`attributes` is what was asked for; `hit` how the index ranked it."""
    data = event.data
    return EventHit(
        id=event.id,
        type=event.event_type,
        time=event.time,
        camera_id=data.camera_id,
        camera_name=names.get(data.camera_id, data.camera_id),
        area=data.area,
        severity=data.severity,
        caption_vi=data.caption.vi,
        caption_en=data.caption.en,
        objects=data.objects,
        object_count=data.object_count,
        certain=not attributes or not set(attributes).isdisjoint(sure_attributes(event)),
        score=0.0 if hit is None else hit.score,
        matched={} if hit is None else dict(hit.parts),
        thumbnail=_thumbnail(event),
    )
