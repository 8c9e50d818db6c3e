"""Slowing down who guesses passwords, without locking out who knows theirs.

Wrong tries are counted for each pair of account and client: somebody who fails for another's account from elsewhere
shuts only themselves out. A client that signed in to the account before has its own count, so a spread-out attack that
uses up the account's budget for strangers does not touch it.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable

PAIR_TRIES = 5
STRANGER_TRIES = 50
"""Wrong tries for one account from all clients that never got in."""
WINDOW_S = 900.0
_REMEMBERED = 20_000


class TryLimit:
    """Counts in memory, bounded; a restart forgets."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def allowed(self, user_id: str, client: str) -> bool:
        """Whether this client may try this account's password now."""
        pair = (user_id, client)
        if self._recent((user_id, f"@{client}")) >= PAIR_TRIES:
            return False
        return pair in self._known or self._recent((user_id, "strangers")) < STRANGER_TRIES

    def failed(self, user_id: str, client: str) -> None:
        """A wrong password."""
        self._count((user_id, f"@{client}"))
        if (user_id, client) not in self._known:
            self._count((user_id, "strangers"))

    def succeeded(self, user_id: str, client: str) -> None:
        """The right password: this client is known from now on."""
        self._failed.pop((user_id, f"@{client}"), None)
        self._known[(user_id, client)] = None
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def _count(self, key: tuple[str, str]) -> None:
        self._failed.setdefault(key, deque(maxlen=STRANGER_TRIES)).append(self._clock())
        self._failed.move_to_end(key)
        while len(self._failed) > _REMEMBERED:
            self._failed.popitem(last=False)

    def _recent(self, key: tuple[str, str]) -> int:
        oldest = self._clock() - WINDOW_S
        return sum(at > oldest for at in self._failed.get(key, ()))
