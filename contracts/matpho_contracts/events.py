"""The event contract: one CloudEvent for one thing that happened in front of one camera."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

import numpy as np
import rfc8785
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from matpho_contracts.errors import BadInputError
from matpho_contracts.geometry import Box, Location
from matpho_contracts.ids import EventId, ShortId
from matpho_contracts.text import normalise_plate
from matpho_contracts.times import AwareDatetime, to_rfc3339
from matpho_contracts.vocabulary import Colour, EventType, Severity

TYPE_PREFIX = "vn.matpho."
MAX_EVENT_BYTES = 64 * 1024
"""A signed event's canonical bytes; vectors of two 1024-d float16 images fit six times over."""
MAX_OBJECTS = 64
MAX_CLASSES = 8
"""Plausible classes of one object."""
MAX_VECTOR_DIM = 2048
SHA256_PATTERN = r"^[0-9a-f]{64}$"
_EVENT_TYPES = frozenset(EventType)

Sha256 = Annotated[str, StringConstraints(pattern=SHA256_PATTERN)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Sentence = Annotated[str, StringConstraints(max_length=500)]
Confidence = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, ser_json_inf_nan="null")


class Plate(_Model):
    """A licence plate, as read and normalised."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=20)]
    normalised: Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{1,16}$")]
    confidence: Confidence

    @classmethod
    def read(cls, text: str, confidence: float) -> Plate:
        """A plate from what was read; raises ValueError when no letter or digit is in it."""
        return cls(text=text, normalised=normalise_plate(text), confidence=confidence)


def _is_likeliest(name: str | None, shares: Mapping[Any, float] | None) -> bool:
    return shares is None or shares.get(name, -1.0) >= max(shares.values())


class SeenObject(_Model):
    """One tracked object of an event; `label` is an ObjectClass where the detector knows it, else its own word."""

    label: Label = Field(alias="class")
    colour: Colour | None = None
    """The name that the looks speak for most."""
    colours: Annotated[dict[Colour, Confidence], Field(min_length=1, max_length=len(Colour))] | None = None
    """How likely each plausible name is, where whoever saw it can tell: dusk makes white and grey much alike."""
    classes: Annotated[dict[Label, Confidence], Field(min_length=1, max_length=MAX_CLASSES)] | None = None
    """The same for the class: from afar a cyclist is somebody on foot."""
    confidence: Confidence
    track_id: Annotated[int, Field(ge=0)]
    box: Box
    first_seen: AwareDatetime
    last_seen: AwareDatetime
    plate: Plate | None = None

    @model_validator(mode="after")
    def _likeliest(self) -> Self:
        if not (_is_likeliest(self.label, self.classes) and _is_likeliest(self.colour, self.colours)):
            raise ValueError("an object's class and colour must be the likeliest of those given")
        return self


class Caption(_Model):
    """One plain sentence in each language."""

    vi: Sentence
    en: Sentence


class Evidence(_Model):
    """What backs the event up: the still's digest and where the recorder holds the clip."""

    thumbnail_sha256: Sha256 | None = None
    thumbnail_width: Annotated[int, Field(ge=0, le=8192)] = 0
    thumbnail_height: Annotated[int, Field(ge=0, le=8192)] = 0
    clip_start: AwareDatetime | None = None
    clip_end: AwareDatetime | None = None


def pack_vector(vector: NDArray[np.floating]) -> str:
    """A unit vector as base64 of little-endian float16; raises BadInputError for NaN, zeros or an absurd size."""
    flat = np.asarray(vector, dtype=np.float32).ravel()
    if not 0 < flat.size <= MAX_VECTOR_DIM:
        raise BadInputError(f"A vector of {flat.size} numbers is no embedding.")
    length = float(np.linalg.norm(flat))
    if not np.isfinite(length) or length == 0:
        raise BadInputError("The embedding holds NaN, infinity or only zeros.", action="Check the encoder.")
    return base64.b64encode((flat / length).astype("<f2").tobytes()).decode()


def unpack_vector(text: str) -> NDArray[np.float32]:
    """The float32 unit vector, shape (dim,), of a packed one; raises BadInputError when it is none."""
    try:
        raw = base64.b64decode(text, validate=True)
        flat = np.frombuffer(raw, dtype="<f2").astype(np.float32)
    except ValueError as error:
        raise BadInputError("The embedding is not base64 float16.") from error
    length = float(np.linalg.norm(flat))
    if not 0 < flat.size <= MAX_VECTOR_DIM or not np.isfinite(length) or length < 0.5:
        raise BadInputError("The embedding holds NaN, infinity, zeros or an absurd number of values.")
    return np.asarray(flat / length, dtype=np.float32)


class Vectors(_Model):
    """CLIP image embeddings made where the event was found: base64 float16, unit length."""

    encoder: Label
    version: Label
    dim: Annotated[int, Field(gt=0, le=MAX_VECTOR_DIM)]
    scene: str
    main_object: str | None = None

    @model_validator(mode="after")
    def _sizes(self) -> Self:
        for packed in (self.scene, self.main_object):
            if packed is not None and unpack_vector(packed).size != self.dim:
                raise ValueError(f"an embedding of {self.encoder} must have {self.dim} numbers")
        return self


class Rule(_Model):
    """Which rule fired, with the parameters it had."""

    name: Label
    parameters: dict[str, str | int | float | bool] = Field(default_factory=dict, max_length=32)


class Quality(_Model):
    """How good the picture was: mean brightness 0..1, sharpness (variance of the Laplacian, grey levels squared)."""

    brightness: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0
    sharpness: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] = 0.0


class EventData(_Model):
    """The payload of an event."""

    camera_id: ShortId
    area: ShortId
    start: AwareDatetime
    end: AwareDatetime
    severity: Severity
    location: Location | None = None
    zone: Label | None = None
    objects: tuple[SeenObject, ...] = Field(default=(), max_length=MAX_OBJECTS)
    object_count: Annotated[int, Field(ge=0, le=100_000)] = 0
    """How many objects were there at once; may exceed `len(objects)` in a crowd."""
    caption: Caption
    evidence: Evidence = Evidence()
    vectors: Vectors | None = None
    rule: Rule
    quality: Quality = Quality()

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.end < self.start:
            raise ValueError("an event ends before it starts")
        return self


class Event(_Model):
    """The CloudEvents 1.0 envelope. `time` is when it happened, never when it was sent."""

    specversion: Literal["1.0"] = "1.0"
    id: EventId
    source: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    type: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: Literal["urn:matpho:event:1"] = "urn:matpho:event:1"
    data: EventData

    @field_validator("type")
    @classmethod
    def _known(cls, value: str) -> str:
        if not value.startswith(TYPE_PREFIX) or value.removeprefix(TYPE_PREFIX) not in _EVENT_TYPES:
            raise ValueError(f"{value!r} is not an event type of the contract")
        return value

    @property
    def event_type(self) -> EventType:
        """The type without its prefix."""
        return EventType(self.type.removeprefix(TYPE_PREFIX))

    def canonical(self) -> bytes:
        """The bytes that are signed and travel: RFC 8785 JSON, times RFC 3339 with milliseconds."""
        document = self.model_dump(mode="python", by_alias=True, exclude_none=True)
        return rfc8785.dumps(_plain(document))


def _plain(value: Any) -> Any:
    """Times to text, tuples to lists, enums to their values: what canonical JSON takes."""
    if isinstance(value, datetime):
        return to_rfc3339(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return str(value)
    return value


def source_urn(edge_id: str, camera_id: str) -> str:
    """The `source` of an event: which box, which camera."""
    return f"urn:matpho:edge:{edge_id}:{camera_id}"


def parse_event(raw: bytes) -> Event:
    """Read an event from its bytes; raises BadInputError with the first thing that is wrong."""
    if len(raw) > MAX_EVENT_BYTES:
        raise BadInputError(f"An event of {len(raw)} bytes is over the limit of {MAX_EVENT_BYTES}.")
    try:
        return Event.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "event"
        raise BadInputError(f"Not an event of the contract: {where}: {first['msg']}.") from error
