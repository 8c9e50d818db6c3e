"""What a camera tells about itself, in our words: plain values, no foreign types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Profile:
    """A media profile: size in pixels, `fps` as configured, `encoding` as the camera writes it (`H264`, `JPEG`)."""

    token: str
    name: str
    encoding: str = ""
    size: tuple[int, int] | None = None
    fps: float | None = None
    video_source: str = ""
    has_ptz: bool = False


@dataclass(frozen=True, slots=True)
class Preset:
    """A remembered direction of the lens."""

    token: str
    name: str


@dataclass(frozen=True, slots=True)
class CameraDescription:
    """Everything worth showing of a camera; what it would not tell is empty and named in `missing`."""

    manufacturer: str
    model: str
    serial: str
    firmware: str
    profiles: tuple[Profile, ...]
    has_ptz: bool
    presets: tuple[Preset, ...]
    services: tuple[str, ...]
    clock_offset: timedelta | None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PtzStatus:
    """Where the lens is: degrees (pan right, tilt up; None where the camera does not say), zoom in [0, 1]."""

    pan: float | None
    tilt: float | None
    zoom: float | None
    moving: bool | None


@dataclass(frozen=True, slots=True)
class ImagingSettings:
    """The picture's settings, in the camera's own units; None where it has none."""

    brightness: float | None = None
    contrast: float | None = None
    saturation: float | None = None
    sharpness: float | None = None
    ir_cut_filter: str | None = None


@dataclass(frozen=True, slots=True)
class CameraEvent:
    """A message of the camera's own: `topic` such as `tns1:VideoSource/MotionAlarm`, simple items by name.

    `operation` is `Initialized` for a state told at subscription, `Changed` or `Deleted` later, empty for no property.
    """

    topic: str
    source: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)
    at: datetime | None = None
    operation: str = ""
