"""How long to wait before asking again: twice as long each time, with chance in it."""

from __future__ import annotations

import random


class Backoff:
    """Waits between half a ceiling and the ceiling, which doubles; two hundred boxes do not come back in one second."""

    def __init__(self, shortest_s: float = 1.0, longest_s: float = 60.0) -> None:
        self._shortest, self._longest = shortest_s, longest_s
        self._ceiling = shortest_s

    def next(self) -> float:
        """Seconds to wait now."""
        wait = random.uniform(self._ceiling / 2, self._ceiling)
        self._ceiling = min(self._ceiling * 2, self._longest)
        return wait

    def reset(self) -> None:
        """All is well again."""
        self._ceiling = self._shortest
