"""Step 7 of intake: new events to whoever watches; a slow watcher loses its own oldest events, never others' time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

from matpho_contracts.events import Event
from matpho_platform.access.principal import Scope
from matpho_platform.cameras.areas import AreaTree
from matpho_platform.events.reading import StoredEvent

QUEUE_EVENTS = 256
"""Events that wait for one watcher."""
Watch = Callable[[Sequence[Event]], Awaitable[None]]


class Subscription:
    """One watcher's bounded queue; iterate over it. `missed` counts what it was too slow for."""

    def __init__(self, scope: Scope, size: int) -> None:
        self._scope = scope
        self._queue: deque[Event] = deque(maxlen=size)
        self._ready = asyncio.Event()
        self.missed = 0

    def offer(self, event: Event) -> None:
        """Take an event in when the scope covers it."""
        if not self._scope.covers(event.data.area):
            return
        self.missed += len(self._queue) == self._queue.maxlen
        self._queue.append(event)
        self._ready.set()

    async def __aiter__(self) -> AsyncIterator[Event]:
        while True:
            while self._queue:
                yield self._queue.popleft()
            self._ready.clear()
            await self._ready.wait()


class LiveEvents:
    """Hands stored events on: to watches, at least once and in order; to subscriptions, as they keep up."""

    def __init__(self, areas: AreaTree) -> None:
        self._areas = areas
        self._subscriptions: set[Subscription] = set()
        self._watches: list[Watch] = []

    def add_watch(self, watch: Watch) -> None:
        """Call `watch` with every new event; when it raises, the same events come again later. Make it idempotent."""
        self._watches.append(watch)

    @contextmanager
    def subscribe(self, scope: Scope, size: int = QUEUE_EVENTS) -> Iterator[Subscription]:
        """A live stream of the events within a scope, for as long as the block lasts."""
        subscription = Subscription(self._areas.expand_scope(scope), size)
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    def wanted(self) -> bool:
        """Whether anybody watches."""
        return bool(self._watches or self._subscriptions)

    async def publish(self, stored: Sequence[StoredEvent]) -> None:
        """The outbox's handler: watches first, since they may ask for a repeat."""
        events = [item.event for item in stored]
        for watch in self._watches:
            await watch(events)
        for subscription in self._subscriptions:
            for event in events:
                subscription.offer(event)
