"""Counting what one account does within a window of time, in memory and bounded; a restart forgets."""

from __future__ import annotations

from collections import OrderedDict, deque
from datetime import datetime, timedelta

_REMEMBERED = 20_000


class Window:
    """At most `most` times within `span`, for each account."""

    def __init__(self, most: int, span: timedelta) -> None:
        self._most = most
        self._span = span
        self._times: OrderedDict[str, deque[datetime]] = OrderedDict()

    def full(self, user_id: str, at: datetime) -> bool:
        """Whether this account has used up its share."""
        return sum(at - self._span < time <= at for time in self._times.get(user_id, ())) >= self._most

    def count(self, user_id: str, at: datetime) -> None:
        """Once more."""
        self._times.setdefault(user_id, deque(maxlen=self._most)).append(at)
        self._times.move_to_end(user_id)
        while len(self._times) > _REMEMBERED:
            self._times.popitem(last=False)
