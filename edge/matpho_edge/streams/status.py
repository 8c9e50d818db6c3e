"""How one source is right now, and who is told when that changes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from matpho_contracts.times import now

Condition = Literal["online", "offline", "degraded"]
StatusCallback = Callable[["SourceStatus"], None]


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """A source's health. Times are UTC; `fps` counts decoded pictures a second, before sampling.

    `reason_code` is the code of the error behind `offline` or `degraded` (`camera_auth`, `camera_unreachable`, …).
    """

    camera_id: str
    status: Condition = "offline"
    since: datetime | None = None
    fps: float = 0.0
    last_frame_at: datetime | None = None
    reason: str = ""
    reason_code: str = ""
    reconnects: int = 0
    dropped: int = 0
    decode_errors: int = 0
    size: tuple[int, int] | None = None
    codec: str = ""


class StatusKeeper:
    """The one place a source's status lives; safe to read from any thread."""

    def __init__(self, camera_id: str, on_change: StatusCallback | None = None) -> None:
        self._lock = threading.Lock()
        self._status = SourceStatus(camera_id, since=now(), reason="chưa kết nối (not connected yet)")
        self._on_change = on_change

    @property
    def current(self) -> SourceStatus:
        """The status at this moment."""
        with self._lock:
            return self._status

    def note(self, **changes: object) -> None:
        """Change figures that are no transition (fps, counts, last picture)."""
        with self._lock:
            self._status = replace(self._status, **changes)  # type: ignore[arg-type]  # names are checked by replace()

    def become(self, condition: Condition, reason: str = "", reason_code: str = "") -> None:
        """Change the condition; the callback hears of it only when condition or cause are new."""
        with self._lock:
            before = self._status
            if (before.status, before.reason_code) == (condition, reason_code) and before.reason == reason:
                return
            since = before.since if before.status == condition else now()
            self._status = replace(before, status=condition, reason=reason, reason_code=reason_code, since=since)
            after = self._status
        if self._on_change is not None:
            self._on_change(after)
