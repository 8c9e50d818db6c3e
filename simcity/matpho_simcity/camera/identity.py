"""Who a simulated camera says it is, and how strict and how large it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote
from uuid import NAMESPACE_URL, UUID, uuid5

SCOPE_PREFIX = "onvif://www.onvif.org"


@dataclass(frozen=True, slots=True)
class CameraIdentity:
    """The name plate: what GetDeviceInformation, GetScopes and WS-Discovery tell.

    `uuid` is the device's stable endpoint address; left out, it follows from manufacturer, model and serial number, so
    that the same camera has the same address after every start. `location` holds scope paths such as
    ``("country/vn", "city/hanoi", "ward/ba-dinh")``.
    """

    serial: str
    name: str
    manufacturer: str = "Matpho Simcity"
    model: str = "SC-360"
    firmware: str = "1.0.0"
    location: tuple[str, ...] = ()
    uuid: UUID | None = None

    @property
    def endpoint(self) -> str:
        """The endpoint reference, ``urn:uuid:…``."""
        return f"urn:uuid:{self.uuid or uuid5(NAMESPACE_URL, f'{self.manufacturer}/{self.model}/{self.serial}')}"

    @property
    def mac_address(self) -> str:
        """A locally administered hardware address derived from the endpoint, ``02:…``."""
        tail = self.endpoint.replace("-", "")[-10:]
        return ":".join(["02", *(tail[i : i + 2] for i in range(0, 10, 2))])

    def scopes(self, *, has_ptz: bool) -> tuple[str, ...]:
        """ONVIF scope URIs; blanks and letters outside ASCII are percent-encoded."""
        kinds = ["type/video_encoder", "type/Network_Video_Transmitter", *(["type/ptz"] if has_ptz else [])]
        parts = [*kinds, "Profile/Streaming", "Profile/T", f"hardware/{quote(self.model)}", f"name/{quote(self.name)}"]
        places = [f"location/{quote(place)}" for place in self.location]
        return tuple(f"{SCOPE_PREFIX}/{part}" for part in [*parts, *places])


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a running camera listens (TCP)."""

    http: int
    rtsp: int


@dataclass(frozen=True, slots=True)
class CameraLimits:
    """How much one camera bears before it refuses, as a real device does. Times in seconds."""

    rtsp_sessions: int = 8
    rtsp_connections: int = 32
    rtsp_session_timeout: float = 60.0
    rtsp_request_timeout: float = 10.0
    rtsp_queue_bytes: int = 1 << 20
    event_subscriptions: int = 10
    presets: int = 32
    nonce_lifetime: float = 300.0
    created_window: float = 300.0


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """The camera's own configuration; sizes in pixels, rates in bits and frames per second."""

    main_bit_rate: int = 1_500_000
    sub_size: tuple[int, int] | None = (320, 180)
    sub_bit_rate: int = 300_000
    key_frame_seconds: float = 2.0
    jpeg_quality: int = 88
    limits: CameraLimits = field(default_factory=CameraLimits)
