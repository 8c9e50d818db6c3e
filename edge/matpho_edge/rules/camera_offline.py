"""Camera offline: no picture has come for some time; a blip is no outage, and a flapping camera is one outage."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from matpho_contracts.vocabulary import EventType
from matpho_edge.rules.contract import RuleHit, RuleParameters


class CameraOfflineParameters(RuleParameters):
    """Seconds."""

    min_seconds: Annotated[float, Field(gt=0, le=3600)] = 15.0
    """Silence up to here is a blip."""
    stable_s: Annotated[float, Field(ge=0, le=3600)] = 20.0
    """Pictures must flow this long before an outage counts as over."""


class CameraOffline:
    """Judges the source, not the picture: ask it every second or so, whether frames come or not."""

    name = "camera_offline"
    event_type = EventType.CAMERA_OFFLINE

    def __init__(self, parameters: CameraOfflineParameters | None = None) -> None:
        self.parameters = parameters or CameraOfflineParameters()
        self._down = False
        self._flowing_since: datetime | None = None
        self._started: datetime | None = None

    @property
    def down(self) -> bool:
        """Whether an outage is going on."""
        return self._down

    def observe_source(self, last_frame_at: datetime | None, at: datetime) -> RuleHit | None:
        """The one hit of an outage, when it has lasted long enough.

        `last_frame_at` is when a picture last came, on the same clock as `at`; None when none ever did, and then the
        time runs from the first call (a camera that cannot be reached at all is offline too).
        """
        self._started = self._started or at
        silent_since = last_frame_at or self._started
        silent = (at - silent_since).total_seconds()
        if silent < self.parameters.min_seconds:
            self._recover(at, quiet=silent > 2.0)
            return None
        self._flowing_since = None
        if self._down:
            return None
        self._down = True
        return RuleHit(self.name, self.event_type, silent_since, at, parameters=self.parameters.plain())

    def _recover(self, at: datetime, *, quiet: bool) -> None:
        if not self._down:
            return
        if quiet:
            self._flowing_since = None
            return
        self._flowing_since = self._flowing_since or at
        if at - self._flowing_since >= timedelta(seconds=self.parameters.stable_s):
            self._down, self._flowing_since = False, None
