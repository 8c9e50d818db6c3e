"""How a camera is: online, degraded or offline, and why, in words for people."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from matpho_contracts.edge_api import CameraHealth
from matpho_contracts.events import Quality
from matpho_contracts.times import now

DARK = 0.03
"""Mean brightness below which a picture shows nothing (0..1)."""
BLURRED = 1.5
"""Sharpness (variance of the Laplacian at about 640 columns) below which a picture shows nothing."""
MAX_REASON = 200

Status = Literal["online", "offline", "degraded"]


class HealthKeeper:
    """Remembers since when one camera's status has been what it is."""

    def __init__(self, camera_id: str) -> None:
        self._camera_id = camera_id
        self._status: Status = "offline"
        self._since = now()

    def report(
        self,
        *,
        source: Status,
        reason: str,
        quality: Quality,
        fps: float,
        last_frame_at: datetime | None,
    ) -> CameraHealth:
        """The camera's health now; `source` is what its stream says, which a black or blurred picture makes worse."""
        status = source
        if source == "online":
            reason = _blind(quality) if last_frame_at is not None else ""
            status = "degraded" if reason else "online"
        if status != self._status:
            self._status, self._since = status, now()
        return CameraHealth(
            id=self._camera_id,
            status=status,
            since=self._since,
            fps=min(max(fps, 0.0), 1000.0),
            last_frame_at=last_frame_at,
            brightness=quality.brightness,
            sharpness=quality.sharpness,
            reason=reason[:MAX_REASON],
        )


def _blind(quality: Quality) -> str:
    """Why a picture that comes shows nothing; empty when it shows something."""
    if quality.brightness < DARK:
        return "hình tối đen, có thể bị che (the picture is black, perhaps covered)"
    if quality.sharpness < BLURRED:
        return "hình mờ hoàn toàn (the picture is wholly blurred)"
    return ""
