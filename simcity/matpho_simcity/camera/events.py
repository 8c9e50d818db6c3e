"""Events a camera tells: topics with state, and pull-point subscriptions with bounded queues."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

MAX_QUEUED_MESSAGES = 200
MAX_SUBSCRIPTION = timedelta(hours=1)
MIN_SUBSCRIPTION = timedelta(seconds=1)
DEFAULT_SUBSCRIPTION = timedelta(seconds=60)

MOTION = "tns1:VideoSource/MotionAlarm"
DIGITAL_INPUT = "tns1:Device/Trigger/DigitalInput"


@dataclass(frozen=True, slots=True)
class Topic:
    """A property topic: one source item and one boolean data item, with their XML Schema types."""

    path: str
    source_name: str
    source_value: str
    source_type: str
    data_name: str
    data_type: str = "xs:boolean"


TOPICS: tuple[Topic, ...] = (
    Topic(MOTION, "Source", "video_source_1", "tt:ReferenceToken", "State"),
    Topic(DIGITAL_INPUT, "InputToken", "digital_input_1", "tt:ReferenceToken", "LogicalState"),
)


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification: what changed to what, when. `operation` is Initialized or Changed."""

    topic: Topic
    value: bool
    at: datetime
    operation: str = "Changed"


@dataclass(slots=True)
class Subscription:
    """One client's pull point. `accepts` is its topic filter."""

    id: str
    expires: datetime
    accepts: Callable[[Topic], bool]
    queue: deque[Notice] = field(default_factory=lambda: deque(maxlen=MAX_QUEUED_MESSAGES))
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, notice: Notice) -> None:
        """Queue a notice that the filter accepts; the oldest falls out when the queue is full."""
        if self.accepts(notice.topic):
            self.queue.append(notice)
            self.arrived.set()

    async def pull(self, limit: int, seconds: float) -> list[Notice]:
        """Up to `limit` notices; waits up to `seconds` for the first."""
        try:
            async with asyncio.timeout(seconds):
                while not self.queue:
                    self.arrived.clear()
                    await self.arrived.wait()
        except TimeoutError:
            return []
        return [self.queue.popleft() for _ in range(min(limit, len(self.queue)))]


class TooManySubscriptionsError(Exception):
    """The camera serves as many subscriptions as it can."""


class Subscriptions:
    """All pull points of a camera and the present state of its topics.

    `on_wanted` is told whenever motion begins or ceases to interest anybody.
    """

    def __init__(self, limit: int, now: Callable[[], datetime]) -> None:
        self._limit = limit
        self._now = now
        self._all: dict[str, Subscription] = {}
        self._state: dict[str, bool] = {topic.path: False for topic in TOPICS}
        self.on_wanted: Callable[[bool], None] = lambda _: None

    @property
    def state(self) -> Mapping[str, bool]:
        """The present value of each topic."""
        return self._state

    def create(self, life: timedelta, accepts: Callable[[Topic], bool]) -> Subscription:
        """A new pull point, its queue holding the state of every accepted topic."""
        self.sweep()
        if len(self._all) >= self._limit:
            raise TooManySubscriptionsError
        subscription = Subscription(secrets.token_urlsafe(12), self._now() + self._bounded(life), accepts)
        self._all[subscription.id] = subscription
        self.synchronise(subscription)
        self.on_wanted(True)
        return subscription

    def find(self, name: str) -> Subscription | None:
        """The living subscription of that name."""
        self.sweep()
        return self._all.get(name)

    def renew(self, subscription: Subscription, life: timedelta) -> None:
        """Let it live on from now."""
        subscription.expires = self._now() + self._bounded(life)

    def remove(self, subscription: Subscription) -> None:
        """Forget a subscription."""
        self._all.pop(subscription.id, None)
        self.on_wanted(bool(self._all))

    def clear(self) -> None:
        """Forget all, as a restart does."""
        self._all.clear()
        self.on_wanted(False)

    def sweep(self) -> None:
        """Forget what has expired."""
        now = self._now()
        for subscription in [one for one in self._all.values() if one.expires <= now]:
            self.remove(subscription)

    def synchronise(self, subscription: Subscription) -> None:
        """Queue the present state of all topics (SetSynchronizationPoint)."""
        for topic in TOPICS:
            subscription.put(Notice(topic, self._state[topic.path], self._now(), "Initialized"))

    def tell(self, path: str, value: bool) -> None:
        """A topic has a value now; every subscription hears of a change."""
        self.sweep()
        if self._state[path] == value:
            return
        self._state[path] = value
        notice = Notice(next(topic for topic in TOPICS if topic.path == path), value, self._now())
        for subscription in self._all.values():
            subscription.put(replace(notice))

    @staticmethod
    def _bounded(life: timedelta) -> timedelta:
        return min(max(life, MIN_SUBSCRIPTION), MAX_SUBSCRIPTION)
