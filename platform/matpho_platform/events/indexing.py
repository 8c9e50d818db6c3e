"""Step 6 of intake: stored events into the vector index; a point that the index refuses does not hold up the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from matpho_contracts.errors import BadInputError
from matpho_contracts.events import Event
from matpho_embeddings.index.contract import Point, VectorIndex
from matpho_platform.events.reading import StoredEvent

_log = structlog.get_logger(__name__)


class Indexer:
    """The outbox's handler for the index. Adding a point twice is adding it once."""

    def __init__(self, index: VectorIndex, point_of: Callable[[Event], Point]) -> None:
        self._index = index
        self._point_of = point_of

    async def add(self, stored: Sequence[StoredEvent]) -> None:
        """Index events; raises what the index raises when it is away, so that the outbox tries again."""
        points = [point for point in map(self._point, stored) if point is not None]
        try:
            await self._index.upsert(points)
        except BadInputError:
            for point in points:
                await self._add_alone(point)

    def _point(self, stored: StoredEvent) -> Point | None:
        try:
            return self._point_of(stored.event)
        except BadInputError as error:
            _log.warning("event_not_indexable", event=stored.event.id, reason=error.message)
            return None

    async def _add_alone(self, point: Point) -> None:
        try:
            await self._index.upsert([point])
        except BadInputError as error:
            _log.warning("event_not_indexable", event=point.id, reason=error.message)
