"""What the camera registry gives: cameras, their health, pages of them, boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from matpho_contracts.geometry import Location
from matpho_contracts.times import AwareDatetime

Status = Literal["online", "offline", "degraded"]
Kind = Literal["fixed", "ptz"]
Owner = Literal["police", "local_authority", "shared_private"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Camera(_Value):
    """A camera of the registry."""

    id: str
    name: str
    area: str
    kind: Kind
    owner: Owner
    status: Status
    edge_id: str
    location: Location | None = None
    aliases: tuple[str, ...] = ()
    """Other names that people use for it."""
    presets: tuple[str, ...] = ()
    covers: tuple[str, ...] = ()
    """Event types that can be found on this camera; what is not here is not covered."""


@dataclass(frozen=True, slots=True)
class Naming:
    """What a camera is called and where it is: no state, no picture. `location` is (latitude, longitude), WGS 84."""

    id: str
    name: str
    area: str
    kind: str
    aliases: tuple[str, ...] = ()
    location: tuple[float, float] | None = None
    presets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Namings:
    """Every camera's naming at one moment; the same `stamp` means that nothing has changed since."""

    stamp: int
    cameras: tuple[Naming, ...]


class CameraPage(_Value):
    """A page of cameras by name; `total` counts all that fit within the caller's scope."""

    cameras: tuple[Camera, ...]
    total: int
    offset: int = 0
    limit: int = 50


class EdgeState(_Value):
    """A box as it last reported."""

    edge_id: str
    name: str
    online: bool
    reported_at: AwareDatetime | None = None
    outbox_waiting: int = 0
    recorder_bytes: int = 0
    disk_free_bytes: int = 0
    software: str = ""


class CameraStatus(_Value):
    """How a camera is; `status` is `offline` too when its box has been silent."""

    camera: Camera
    status: Status
    since: AwareDatetime
    fps: float
    last_frame_at: AwareDatetime | None
    brightness: float
    sharpness: float
    reason: str
    reported_at: AwareDatetime
    edge: EdgeState
