"""What a box and a center say to each other besides events. The box always calls; the center never connects inward.

    POST /api/v1/edges/enrol                        EnrolRequest -> EnrolAnswer (one-time token)
    POST /api/v1/intake/batches                     wire.encode_batch body -> IntakeAnswer
    PUT  /api/v1/edges/{edge_id}/status             StatusReport -> 204                  (signed request)
    GET  /api/v1/edges/{edge_id}/commands?wait=25   CommandList, held open up to `wait` s (signed request)
    POST /api/v1/edges/{edge_id}/results/{id}       the answer, or a JSON CommandFailure -> 204 (signed request)

Signed requests are those of `matpho_contracts.request_signing`; batches carry their own signature.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from matpho_contracts.geometry import Location
from matpho_contracts.ids import EventId, ShortId
from matpho_contracts.times import AwareDatetime

ENROL_PATH = "/api/v1/edges/enrol"
BATCHES_PATH = "/api/v1/intake/batches"
MAX_COMMAND_WAIT_S = 25
MAX_SNAPSHOT_BYTES = 8 * 1024 * 1024
MAX_CLIP_BYTES = 256 * 1024 * 1024
MAX_CLIP_SECONDS = 600
"""Ten minutes, as the tool contract says."""


def status_path(edge_id: str) -> str:
    """Where a box reports how it is."""
    return f"/api/v1/edges/{edge_id}/status"


def commands_path(edge_id: str) -> str:
    """Where a box asks what to do."""
    return f"/api/v1/edges/{edge_id}/commands"


def result_path(edge_id: str, command_id: str) -> str:
    """Where a box answers a command."""
    return f"/api/v1/edges/{edge_id}/results/{command_id}"


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Text = Annotated[str, StringConstraints(max_length=200)]


class CameraReport(_Message):
    """A camera as its box knows it."""

    id: ShortId
    name: Text
    area: ShortId
    kind: Literal["fixed", "ptz"] = "fixed"
    owner: Literal["police", "local_authority", "shared_private"] = "local_authority"
    location: Location | None = None
    aliases: tuple[Text, ...] = Field(default=(), max_length=32)
    """Other names that people use for it."""
    presets: tuple[Text, ...] = ()
    covers: tuple[Text, ...] = ()
    """Event types that the box's models and rules can find on this camera."""


class CameraHealth(_Message):
    """How one camera is right now."""

    id: ShortId
    status: Literal["online", "offline", "degraded"]
    since: AwareDatetime
    fps: Annotated[float, Field(ge=0, le=1000)] = 0.0
    last_frame_at: AwareDatetime | None = None
    brightness: Annotated[float, Field(ge=0, le=1)] = 0.0
    sharpness: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    reason: Text = ""


class StatusReport(_Message):
    """A box's heartbeat: its cameras, its queue, its disk."""

    edge_id: ShortId
    sent_at: AwareDatetime
    cameras: tuple[CameraReport, ...] = Field(default=(), max_length=500)
    health: tuple[CameraHealth, ...] = Field(default=(), max_length=500)
    outbox_waiting: Annotated[int, Field(ge=0)] = 0
    recorder_bytes: Annotated[int, Field(ge=0)] = 0
    disk_free_bytes: Annotated[int, Field(ge=0)] = 0
    software: Text = ""


class EnrolRequest(_Message):
    """A new box shows its one-time token and its public key."""

    edge_id: ShortId
    token: SecretStr
    public_key: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class EnrolAnswer(_Message):
    """The key the center has bound to the box."""

    edge_id: ShortId
    key_id: str


class EventResult(_Message):
    """What became of one event of a batch."""

    id: str
    status: Literal["stored", "repeat", "rejected"]
    reason: Text = ""


class IntakeAnswer(_Message):
    """One result for each event line, in order. Sent only after the center has the batch safely on disk."""

    results: tuple[EventResult, ...]


class SnapshotArguments(_Message):
    """Take a still now."""

    kind: Literal["snapshot"] = "snapshot"


class ClipArguments(_Message):
    """Cut a clip from the ring recorder; MP4, stream copy."""

    kind: Literal["clip"] = "clip"
    start: AwareDatetime
    end: AwareDatetime
    event_id: EventId | None = None


class MoveArguments(_Message):
    """Turn the lens: a preset, home, or a relative move in degrees (pan + right, tilt + up) and zoom in [-1, 1]."""

    kind: Literal["move"] = "move"
    preset: Text | None = None
    home: bool = False
    pan: Annotated[float, Field(ge=-360, le=360)] = 0.0
    tilt: Annotated[float, Field(ge=-180, le=180)] = 0.0
    zoom: Annotated[float, Field(ge=-1, le=1)] = 0.0


class Command(_Message):
    """Something the center asks of a box; not started after its deadline."""

    id: EventId
    camera_id: ShortId
    deadline: AwareDatetime
    arguments: Annotated[SnapshotArguments | ClipArguments | MoveArguments, Field(discriminator="kind")]


class CommandList(_Message):
    """What is waiting for the box; empty when nothing came within the wait."""

    commands: tuple[Command, ...] = ()


class CommandFailure(_Message):
    """Why a command could not be done."""

    code: Text
    message: Text
