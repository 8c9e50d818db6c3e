"""The settings of one box: who it is, whom it reports to, its cameras with their zones, its models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator

from matpho_contracts.errors import ConfigurationError
from matpho_contracts.geometry import Location
from matpho_contracts.ids import ShortId
from matpho_contracts.settings import SettingsBase
from matpho_edge.credentials import Credentials
from matpho_edge.outbox import DEFAULT_LIMIT_BYTES, MIN_LIMIT_BYTES
from matpho_edge.rules import RuleSettings, Zone, ZoneKind
from matpho_edge.uplink_link import check_center_url

MAX_CAMERAS = 500
MAX_ZONES = 100

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=300)]


class CameraAccount(SettingsBase):
    """User and password of a camera; write the password as `${NAME}` and set NAME in the environment."""

    username: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    password: SecretStr

    def credentials(self) -> Credentials:
        """As the streams and ONVIF take them."""
        return Credentials(self.username, self.password)


class CameraMatch(SettingsBase):
    """How a discovered ONVIF device is known to be this camera; what is given must hold, at least one must be given."""

    serial: Word | None = None
    name: Word | None = None
    """The name in the device's own scopes, without regard to case."""
    endpoint: Word | None = None
    """The endpoint reference (`urn:uuid:…`)."""
    host: Word | None = None
    """The address that answers, alone or with `:port`."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.serial or self.name or self.endpoint or self.host):
            raise ValueError("give a serial, a name, an endpoint or a host")
        return self


class CameraSettings(SettingsBase):
    """One camera: an `address` (rtsp://…, a file), or a `match` for a device that discovery finds."""

    id: ShortId
    name: Name
    name_en: Annotated[str, StringConstraints(max_length=200)] = ""
    aliases: tuple[Name, ...] = Field(default=(), max_length=32)
    """Other names that people use for it: found like the name itself."""
    area: ShortId | None = None
    kind: Literal["fixed", "ptz"] = "fixed"
    owner: Literal["police", "local_authority", "shared_private"] = "local_authority"
    location: Location | None = None
    address: SecretStr | None = None
    """May hold a password, so it is never shown."""
    onvif: Word | None = None
    """`host[:port]` of the camera's ONVIF service, for moving the lens and for finding the stream without discovery."""
    match: CameraMatch | None = None
    account: CameraAccount | None = None
    profile: Annotated[str, StringConstraints(max_length=100)] | None = None
    """ONVIF media profile by token or name; the first where left out."""
    zones: tuple[Zone, ...] = Field(default=(), max_length=MAX_ZONES)
    presets: tuple[Annotated[str, StringConstraints(max_length=200)], ...] = ()
    fps: Annotated[float, Field(gt=0, le=30)] | None = None
    rules: RuleSettings | None = None
    record: bool | None = None
    """Left out: yes, unless zones are masked, because the recorder keeps the stream as it came, masks and all."""

    @field_validator("zones")
    @classmethod
    def _names(cls, value: tuple[Zone, ...]) -> tuple[Zone, ...]:
        names = [zone.name for zone in value]
        if len(set(names)) != len(names):
            raise ValueError("two zones of one camera have the same name")
        return value

    @property
    def is_masked(self) -> bool:
        """Whether a part of its picture must not be seen."""
        return any(zone.kind is ZoneKind.MASKED for zone in self.zones)

    @property
    def records(self) -> bool:
        """Whether the recorder keeps it."""
        return not self.is_masked if self.record is None else self.record


class CenterConnection(SettingsBase):
    """Where events go. `enrol_token` is needed once; the key that is enrolled stays in the data directory."""

    url: str
    enrol_token: SecretStr | None = None
    ca_file: Path | None = None
    certificate: Path | None = None
    certificate_key: Path | None = None
    heartbeat_s: Annotated[float, Field(ge=0.05, le=3600)] = 10.0

    @field_validator("url")
    @classmethod
    def _encrypted(cls, value: str) -> str:
        try:
            return check_center_url(value)
        except ConfigurationError as error:
            raise ValueError(str(error)) from error

    @model_validator(mode="after")
    def _pair(self) -> Self:
        if (self.certificate is None) != (self.certificate_key is None):
            raise ValueError("a client certificate needs its key, and a key its certificate")
        return self

    @property
    def client_certificate(self) -> tuple[Path, Path] | None:
        """Certificate and key, where given."""
        if self.certificate is None or self.certificate_key is None:
            return None
        return self.certificate, self.certificate_key


class DiscoverySettings(SettingsBase):
    """Looking for the cameras that have a `match`; without any such camera nothing is asked."""

    enabled: bool = True
    targets: tuple[Word, ...] = Field(default=(), max_length=1024)
    """`host[:port]` to ask by unicast, where multicast does not reach."""
    multicast: bool = True
    interfaces: tuple[Word, ...] | None = None
    seconds: Annotated[float, Field(gt=0, le=30)] = 3.0
    every_s: Annotated[float, Field(ge=1, le=86_400)] = 30.0
    """How often cameras that are still missing are looked for."""


class ModelSettings(SettingsBase):
    """Detector and encoder: a shipped name, a folder or a file."""

    detector: Word = "city-detector"
    encoder: Word | None = "city"
    """None: events go without vectors and cannot be found by what they look like."""
    backend: Literal["auto", "onnxruntime", "openvino"] = "auto"
    precision: Literal["float32", "bfloat16", "auto"] = "auto"
    threads: Annotated[int, Field(ge=1, le=64)] = 1
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.3
    overlap: Annotated[float, Field(gt=0, le=1)] = 0.7
    classes: dict[str, str] = Field(default_factory=dict, max_length=1000)
    """The model's words to ours, over the built-in map."""


class RecorderSettings(SettingsBase):
    """The ring recorder: bytes and hours kept, whichever ends first."""

    enabled: bool = True
    max_bytes: Annotated[int, Field(ge=1024 * 1024)] = 100 * 1024**3
    max_hours: Annotated[float, Field(gt=0, le=24 * 366)] = 72.0
    min_free_bytes: Annotated[int, Field(ge=0)] = 1024**3
    segment_seconds: Annotated[float, Field(ge=1, le=600)] = 10.0


class EdgeSettings(SettingsBase):
    """One box, from one YAML file (`load_settings(path, EdgeSettings)`)."""

    edge_id: ShortId
    area: ShortId
    """Of every camera that names none."""
    data_dir: Path
    center: CenterConnection | None = None
    """None: the box keeps its events until it gets a center."""
    discovery: DiscoverySettings = Field(default_factory=DiscoverySettings)
    account: CameraAccount | None = None
    """For every camera that has none of its own."""
    cameras: tuple[CameraSettings, ...] = Field(default=(), max_length=MAX_CAMERAS)
    models: ModelSettings = Field(default_factory=ModelSettings)
    recorder: RecorderSettings = Field(default_factory=RecorderSettings)
    rules: RuleSettings = Field(default_factory=RuleSettings)
    fps: Annotated[float, Field(gt=0, le=30)] = 5.0
    """Pictures of a camera a second that are looked at."""
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """Looks at a time, over all cameras."""
    outbox_bytes: Annotated[int, Field(ge=MIN_LIMIT_BYTES)] = DEFAULT_LIMIT_BYTES

    @model_validator(mode="after")
    def _cameras(self) -> Self:
        ids = [camera.id for camera in self.cameras]
        if len(set(ids)) != len(ids):
            raise ValueError("two cameras have the same id")
        for camera in self.cameras:
            if camera.address is None and camera.onvif is None and camera.match is None:
                raise ValueError(f"camera {camera.id} needs an address, an onvif host or a match")
            if camera.match is not None and camera.address is None and not self.discovery.enabled:
                raise ValueError(f"camera {camera.id} is to be discovered, but discovery is off")
        return self
