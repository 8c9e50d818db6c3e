"""What one camera is and holds, as its services see it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from matpho_simcity.camera.access import Account
from matpho_simcity.camera.events import Subscriptions
from matpho_simcity.camera.identity import CameraIdentity, CameraSettings, Ports
from matpho_simcity.camera.lens import Lens
from matpho_simcity.camera.rtsp.stream import LiveStream
from matpho_simcity.camera.video.worker import VideoWorker
from matpho_simcity.video import PtzPosition

VIDEO_SOURCE = "video_source_1"
VIDEO_SOURCE_CONFIGURATION = "video_source_config_1"
PTZ_CONFIGURATION = "ptz_config_1"
PTZ_NODE = "ptz_node_1"


@dataclass(frozen=True, slots=True)
class Profile:
    """One media profile: its token, name, stream and the token of its encoder configuration."""

    token: str
    name: str
    stream: LiveStream
    encoder: str


@dataclass(slots=True)
class Preset:
    """A remembered lens position."""

    name: str
    position: PtzPosition


@dataclass(slots=True)
class CameraClock:
    """The camera's own idea of the time; `offset` makes it wrong on purpose."""

    offset: timedelta = timedelta()
    _epoch: float = field(default_factory=lambda: time.time() - time.monotonic())

    def wall_time(self, monotonic: float) -> float:
        """Seconds since 1970 UTC, by the camera's clock, at a moment of the monotonic clock."""
        return self._epoch + monotonic + self.offset.total_seconds()

    def now(self) -> datetime:
        """The camera's time, UTC."""
        return datetime.fromtimestamp(self.wall_time(time.monotonic()), UTC)


@dataclass(slots=True)
class CameraState:
    """Everything the services read and change."""

    identity: CameraIdentity
    settings: CameraSettings
    account: Account
    host: str
    clock: CameraClock
    lens: Lens
    worker: VideoWorker
    streams: Mapping[str, LiveStream]
    subscriptions: Subscriptions
    size: tuple[int, int]
    frames_per_second: float
    has_ptz: bool
    ports: Ports = field(default_factory=lambda: Ports(0, 0))
    presets: dict[str, Preset] = field(default_factory=dict)
    preset_counter: int = 0
    home: PtzPosition = field(default_factory=PtzPosition)

    def profiles(self) -> list[Profile]:
        """The fixed profiles, best first."""
        return [
            Profile(f"profile_{name}", f"{name}_stream", stream, f"encoder_{name}")
            for name, stream in self.streams.items()
        ]

    def scopes(self) -> tuple[str, ...]:
        """The device's scopes."""
        return self.identity.scopes(has_ptz=self.has_ptz)
