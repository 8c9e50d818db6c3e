"""From a decoding thread to the event loop: a short queue that drops the oldest (live) or makes it wait (files)."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Handover(Generic[Item]):
    """A bounded queue with one thread that puts and one coroutine that takes. It never grows past `capacity`."""

    def __init__(self, capacity: int, *, drop_oldest: bool) -> None:
        self._items: deque[Item] = deque()
        self._capacity = capacity
        self._drop_oldest = drop_oldest
        self._changed = threading.Condition()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: asyncio.Event | None = None
        self._ended = False
        self._error: Exception | None = None
        self.dropped = 0

    def attach(self) -> None:
        """Bind to the running event loop; called once, by the taker."""
        self._loop = asyncio.get_running_loop()
        self._waiting = asyncio.Event()

    def put(self, item: Item) -> bool:
        """Hand over an item; False when nobody will take any more."""
        with self._changed:
            while len(self._items) >= self._capacity and not self._ended:
                if self._drop_oldest:
                    self._items.popleft()
                    self.dropped += 1
                else:
                    self._changed.wait()
            if self._ended:
                return False
            self._items.append(item)
        self.call(self._wake)
        return True

    def end(self, error: Exception | None = None) -> None:
        """No more items: the taker gets what is left, then stops (raising `error` where given)."""
        with self._changed:
            if not self._ended:
                self._ended, self._error = True, error
            self._changed.notify_all()
        self.call(self._wake)

    def abandon(self) -> None:
        """The taker lets go: what waits is forgotten, the thread's next put says so."""
        with self._changed:
            self._items.clear()
        self.end()

    def call(self, function: Callable[..., None], *arguments: object) -> None:
        """Run `function` on the taker's event loop; nothing happens when the loop is gone."""
        if self._loop is None or self._loop.is_closed():
            return
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:  # The loop closed between the question and the call.
            return

    def _wake(self) -> None:
        if self._waiting is not None:
            self._waiting.set()

    async def take(self) -> Item | None:
        """The next item, waiting for it; None at the end. Raises the error given to `end`."""
        if self._waiting is None:
            self.attach()
        while True:
            with self._changed:
                if self._items:
                    item = self._items.popleft()
                    self._changed.notify_all()
                    return item
                if self._ended:
                    if self._error is not None:
                        raise self._error
                    return None
                waiting = self._waiting
                assert waiting is not None  # noqa: S101 -- attach() above has set it
                waiting.clear()
            await waiting.wait()
