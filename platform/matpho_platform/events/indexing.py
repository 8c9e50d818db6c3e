"""Step 6 of intake: stored events into the vector index; an event that the index refuses does not hold up the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from matpho_contracts.errors import BadInputError
from matpho_contracts.events import Event
from matpho_embeddings.index.contract import Point, VectorIndex
from matpho_platform.events.reading import StoredEvent

_log = structlog.get_logger(__name__)


class Indexer:
    """The outbox's handler for the index. Adding a point twice is adding it once.

    `points_of` makes the points of events (Retriever.points_of); it encodes, so it runs in a thread.
    """

    def __init__(self, index: VectorIndex, points_of: Callable[[Sequence[Event]], list[Point]]) -> None:
        self._index = index
        self._points_of = points_of

    async def add(self, stored: Sequence[StoredEvent]) -> None:
        """Index events; raises what the index raises when it is away, so that the outbox tries again."""
        events = [item.event for item in stored]
        try:
            await self._add(events)
        except BadInputError:
            for event in events:
                await self._add_alone(event)

    async def _add(self, events: Sequence[Event]) -> None:
        if events:
            await self._index.upsert(await asyncio.to_thread(self._points_of, events))

    async def _add_alone(self, event: Event) -> None:
        try:
            await self._add([event])
        except BadInputError as error:
            _log.warning("event_not_indexable", event_id=event.id, reason=error.message)
