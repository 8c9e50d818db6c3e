"""Which pictures are analysed, and what time they were seen: pure judgement on numbers."""

from __future__ import annotations

from datetime import datetime, timedelta

MAX_JUMP_S = 10.0
"""A live stream's clock that leaps further than this has been set anew, not lived through."""

MAX_LATENESS_S = 2.0
"""A live picture is never believed to be older than this when it comes out of the decoder."""

_SLACK_S = 0.002
"""Time stamps of 90 kHz and 1/1000 s clocks round; a picture this little early is on time."""


class Sampler:
    """Picks pictures on a grid of `fps` a second; all of them when `fps` is 0.

    >>> sampler = Sampler(5.0)
    >>> [n for n in range(25) if sampler.is_due(n / 25)]
    [0, 5, 10, 15, 20]
    """

    def __init__(self, fps: float) -> None:
        self._period = 1.0 / fps if fps > 0 else 0.0
        self._next: float | None = None

    def is_due(self, seconds: float) -> bool:
        """Whether the picture at `seconds` (media time, not going backwards) is one to analyse."""
        if self._period == 0.0 or self._next is None:
            self._next = seconds + self._period
            return True
        if seconds + _SLACK_S < self._next:
            return False
        missed = int((seconds + _SLACK_S - self._next) / self._period)
        self._next += (missed + 1) * self._period
        return True


class MediaClock:
    """A stream's own clock made safe: starts at 0, never goes backwards, leaps are closed up.

    `max_jump` None believes every leap forward (files may hold long pauses).
    """

    def __init__(self, frame_seconds: float = 0.04, max_jump: float | None = MAX_JUMP_S) -> None:
        self._frame = frame_seconds
        self._max_jump = max_jump
        self._raw: float | None = None
        self._offset = 0.0
        self.seconds = 0.0
        self.jumps = 0

    def advance(self, raw: float | None) -> float:
        """Seconds since the first picture, for a picture stamped `raw` seconds (None: not stamped)."""
        if raw is None:
            self.seconds += self._frame
            self._offset += self._frame
            return self.seconds
        if self._raw is None:
            self._offset = self.seconds - raw
        elif raw < self._raw or (self._max_jump is not None and raw > self._raw + self._max_jump):
            self.jumps += 1
            self._offset = self.seconds + self._frame - raw
        self._raw = raw
        self.seconds = max(self.seconds, raw + self._offset)
        return self.seconds


class WallAnchor:
    """Ties a live stream's media time to the wall clock, without the jitter of arrival.

    The least delayed picture so far sets the anchor; a clock behind by more than
    MAX_LATENESS_S sets it anew.
    """

    def __init__(self) -> None:
        self._anchor: datetime | None = None
        self._last: datetime | None = None

    def at(self, media_seconds: float, arrived: datetime) -> datetime:
        """When a picture of `media_seconds` that came out at `arrived` (UTC) was seen; never in the future."""
        media = timedelta(seconds=media_seconds)
        if self._anchor is None:
            self._anchor = arrived - media
        late = (arrived - (self._anchor + media)).total_seconds()
        if late < 0 or late > MAX_LATENESS_S:
            self._anchor = arrived - media
        seen = self._anchor + media
        if self._last is not None and self._last < arrived:
            seen = max(seen, self._last)
        self._last = seen
        return seen
