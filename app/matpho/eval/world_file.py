"""The world of an evaluation: a JSON file that fills a fresh, empty installation, read strictly and within limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from matpho_contracts.errors import BadInputError
from matpho_contracts.ids import EventId, ShortId
from matpho_contracts.text import fold
from matpho_contracts.times import AwareDatetime
from matpho_contracts.vocabulary import Colour, EventType, Severity
from matpho_platform.access.principal import Role
from matpho_platform.feedback import schemas as feedback
from matpho_platform.identity import schemas as identity

MAX_WORLD_BYTES = 256 * 1024 * 1024
MAX_CAMERAS = 50_000
MAX_EVENTS = 1_000_000
MAX_RECORDS = 100_000
"""Of every other kind."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Text = Annotated[str, StringConstraints(max_length=20_000)]
Names = Annotated[tuple[Name, ...], Field(max_length=50)]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Place = tuple[Latitude, Longitude]
"""(latitude, longitude) in WGS 84 degrees."""
Priority = Literal["low", "medium", "high", "critical"]
_SAME_FEEDBACK = {"new": "received", "open": "received", "assigned": "in_progress", "closed": "resolved"}
_SAME_REQUEST = {"completed": "answered", "done": "answered", "denied": "rejected", "waiting": "pending"}
"""Words for states that the format leaves open."""


def _feedback_status(value: object) -> object:
    return _SAME_FEEDBACK.get(value, value) if isinstance(value, str) else value


def _request_status(value: object) -> object:
    return _SAME_REQUEST.get(value, value) if isinstance(value, str) else value


class FileMisfitError(BadInputError):
    """A file of an evaluation does not fit its format."""

    code = "file_misfit"


class Record(BaseModel):
    """One thing of a world. Fields that the format does not name are kept aside and told, not used."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)


class WorldArea(Record):
    """A province or a commune in it."""

    code: ShortId
    name: Name
    level: Literal["province", "commune"]
    parent: ShortId | None = None
    aliases: Names = ()
    center: Place | None = None


class WorldCamera(Record):
    """A camera and how it is at the world's present."""

    id: ShortId
    name: Name
    aliases: Names = ()
    area: ShortId
    location: Place | None = None
    kind: Literal["fixed", "ptz"]
    owner: Literal["police", "local_authority", "shared_private"]
    status: Literal["online", "offline", "degraded"]
    presets: Names = ()


class WorldUnit(Record):
    """Somebody who can be sent."""

    id: ShortId
    name: Name
    aliases: Names = ()
    area: ShortId
    kind: Literal["police", "fire", "medical", "traffic", "environment"]


class WorldUser(Record):
    """Somebody who asks; `mfa`: whether their session has shown a second factor."""

    id: ShortId
    name: Name
    role: Role
    area: ShortId | None = None
    mfa: bool = False


class WorldStep(Record):
    """One step of a procedure."""

    name: Name
    role: Role
    within_minutes: Annotated[int, Field(ge=0, le=527_040)]
    """Up to a year."""


class WorldProcedure(Record):
    """A standard operating procedure; `public`: whether citizens may read it."""

    id: ShortId
    title: Name
    event_types: tuple[EventType, ...] = ()
    priority: Priority
    steps: Annotated[tuple[WorldStep, ...], Field(max_length=50)] = ()
    text: Text = ""
    public: bool = False


class WorldObject(Record):
    """Something that an event shows; its JSON names are `class` and `color`."""

    label: Annotated[str, StringConstraints(min_length=1, max_length=64)] = Field(alias="class")
    colour: Colour | None = Field(default=None, alias="color")
    plate: Annotated[str, StringConstraints(min_length=1, max_length=20, pattern=r"[0-9A-Za-z]")] | None = None


class WorldEvent(Record):
    """Something that happened in front of a camera."""

    id: EventId
    type: EventType
    camera_id: ShortId
    time: AwareDatetime
    severity: Severity
    objects: Annotated[tuple[WorldObject, ...], Field(max_length=1000)] = ()
    object_count: Annotated[int, Field(ge=0, le=100_000)] | None = None
    """How many were there at once, where the world says so."""
    caption_vi: Annotated[str, StringConstraints(max_length=500)] = ""
    caption_en: Annotated[str, StringConstraints(max_length=500)] = ""


class WorldIncident(Record):
    """An incident as it stands."""

    id: ShortId
    event_ids: Annotated[tuple[EventId, ...], Field(max_length=50)] = ()
    procedure: ShortId | None = None
    priority: Priority
    status: Literal["new", "in_progress", "escalated", "resolved", "closed", "reopened"]
    area: ShortId
    opened_at: AwareDatetime
    acknowledged_at: AwareDatetime | None = None
    assigned_to: ShortId | None = None


class WorldFeedback(Record):
    """A citizen's report."""

    code: ShortId
    category: Name
    text: Text
    area: ShortId
    status: Annotated[feedback.Status, BeforeValidator(_feedback_status)]
    created_at: AwareDatetime
    owner: ShortId | None = None


class WorldGrant(Record):
    """What the authentication centre has granted this installation."""

    unit_code: ShortId
    purposes: Annotated[Names, Field(min_length=1)]
    fields: Annotated[Names, Field(min_length=1)]
    valid_to: AwareDatetime


class WorldSubject(Record):
    """Whom an identity request is about: a plate, or a citizen by number, name and date of birth together."""

    plate: Name | None = None
    citizen_id: Name | None = None
    name: Name | None = None
    date_of_birth: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None

    @model_validator(mode="after")
    def _one(self) -> WorldSubject:
        person = [part is not None for part in (self.citizen_id, self.name, self.date_of_birth)]
        if any(person) if self.plate is not None else not all(person):
            raise ValueError("a subject is a plate, or a citizen_id with name and date_of_birth")
        return self


class WorldRequest(Record):
    """An identity request as it stands."""

    id: ShortId
    case_number: Name
    purpose: Name
    subject: WorldSubject
    fields: Names
    requester: ShortId
    status: Annotated[identity.Status, BeforeValidator(_request_status)]
    decided_by: ShortId | None = None
    expires_at: AwareDatetime | None = None


class World(BaseModel):
    """A whole world; every id that one record names another by exists."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Name
    now: AwareDatetime
    areas: Annotated[tuple[WorldArea, ...], Field(min_length=1, max_length=MAX_RECORDS)]
    cameras: Annotated[tuple[WorldCamera, ...], Field(max_length=MAX_CAMERAS)]
    units: Annotated[tuple[WorldUnit, ...], Field(max_length=MAX_RECORDS)]
    users: Annotated[tuple[WorldUser, ...], Field(min_length=1, max_length=MAX_RECORDS)]
    procedures: Annotated[tuple[WorldProcedure, ...], Field(max_length=MAX_RECORDS)]
    events: Annotated[tuple[WorldEvent, ...], Field(max_length=MAX_EVENTS)]
    incidents: Annotated[tuple[WorldIncident, ...], Field(max_length=MAX_RECORDS)]
    feedback: Annotated[tuple[WorldFeedback, ...], Field(max_length=MAX_RECORDS)]
    identity_grant: WorldGrant | None = None
    identity_requests: Annotated[tuple[WorldRequest, ...], Field(max_length=MAX_RECORDS)] = ()

    @model_validator(mode="after")
    def _whole(self) -> World:
        problem = next(_problems(self), None)
        if problem is not None:
            raise ValueError(problem)
        return self

    @cached_property
    def user(self) -> dict[str, WorldUser]:
        """Users by id."""
        return {user.id: user for user in self.users}

    @cached_property
    def unnamed_fields(self) -> tuple[str, ...]:
        """Fields in the file that the format does not name, as `events.note`; nothing reads them."""
        found: dict[str, None] = {}
        for kind in ("areas", "cameras", "units", "users", "procedures", "events", "incidents", "feedback"):
            for record in getattr(self, kind):
                found.update({f"{kind}.{extra}": None for extra in record.model_extra or {}})
        return tuple(found)

    @cached_property
    def _names(self) -> dict[str, dict[str, set[str]]]:
        kinds: dict[str, dict[str, set[str]]] = {"area": {}, "camera": {}, "unit": {}}
        for area in self.areas:
            _add(kinds["area"], area.code, area.name, area.aliases)
        for camera in self.cameras:
            _add(kinds["camera"], camera.id, camera.name, camera.aliases)
        for unit in self.units:
            _add(kinds["unit"], unit.id, unit.name, unit.aliases)
        return kinds

    def named(self, kind: Literal["area", "camera", "unit"], text: str) -> frozenset[str]:
        """The ids of the things that a text names: by id, name or other name, in any case, with or without marks."""
        return frozenset(self._names[kind].get(fold(text), ()))


def _add(names: dict[str, set[str]], key: str, name: str, aliases: Sequence[str]) -> None:
    for text in (key, name, *aliases):
        names.setdefault(fold(text), set()).add(key)


def read_world(path: Path) -> World:
    """A world from its file; raises FileMisfitError with the first thing that does not fit."""
    raw = read_bytes(path, MAX_WORLD_BYTES)
    try:
        return World.model_validate_json(raw)
    except ValidationError as error:
        raise FileMisfitError(f"{path}: {first_problem(error)}") from error


def read_bytes(path: Path, limit: int) -> bytes:
    """A file's bytes; raises FileMisfitError when it cannot be read or is over `limit` bytes."""
    try:
        if path.stat().st_size > limit:
            raise FileMisfitError(f"{path} is over {limit} bytes.")
        return path.read_bytes()
    except OSError as error:
        raise FileMisfitError(f"{path} cannot be read.", action="Check the path.") from error


def first_problem(error: ValidationError) -> str:
    """The first thing that a model found wrong, in one sentence."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    return f"{where}: {message}." if where else f"{message}."


def _problems(world: World) -> Iterator[str]:
    """What hangs in the air: ids given twice, or named and not there."""
    areas, cameras = {a.code for a in world.areas}, {c.id for c in world.cameras}
    users, units = {u.id for u in world.users}, {u.id for u in world.units}
    procedures, events = {p.id for p in world.procedures}, {e.id for e in world.events}
    for kind, ids in _ids(world).items():
        yield from (f"{kind}: {key} occurs {count} times" for key, count in Counter(ids).items() if count > 1)
    for kind, places in (("cameras", world.cameras), ("units", world.units), ("incidents", world.incidents)):
        yield from _missing(kind, "area", ((place.id, place.area) for place in places), areas)
    yield from _missing("areas", "parent", ((a.code, a.parent) for a in world.areas), areas)
    yield from _circles(world.areas)
    yield from _missing("users", "area", ((u.id, u.area) for u in world.users), areas)
    yield from _missing("events", "camera_id", ((e.id, e.camera_id) for e in world.events), cameras)
    yield from _missing("incidents", "event", ((i.id, e) for i in world.incidents for e in i.event_ids), events)
    yield from _missing("incidents", "procedure", ((i.id, i.procedure) for i in world.incidents), procedures)
    yield from _missing("incidents", "assignee", ((i.id, i.assigned_to) for i in world.incidents), users | units)
    yield from _missing("feedback", "area", ((f.code, f.area) for f in world.feedback), areas)
    yield from _missing("feedback", "owner", ((f.code, f.owner) for f in world.feedback), users)
    yield from _missing("identity_requests", "user", ((r.id, r.requester) for r in world.identity_requests), users)
    yield from _missing("identity_requests", "user", ((r.id, r.decided_by) for r in world.identity_requests), users)


def _ids(world: World) -> dict[str, list[str]]:
    return {
        "areas": [area.code for area in world.areas],
        "feedback": [report.code for report in world.feedback],
        **{
            kind: [record.id for record in getattr(world, kind)]
            for kind in ("cameras", "units", "users", "procedures", "events", "incidents", "identity_requests")
        },
    }


def _missing(kind: str, what: str, named: Iterable[tuple[str, str | None]], known: set[str]) -> Iterator[str]:
    for owner, key in named:
        if key is not None and key not in known:
            yield f"{kind}: {owner} names the {what} {key}, which the world does not have"


def _circles(areas: Sequence[WorldArea]) -> Iterator[str]:
    parents = {area.code: area.parent for area in areas}
    for code in parents:
        above: str | None = parents[code]
        seen = {code}
        while above is not None:
            if above in seen:
                yield f"areas: {code} lies within itself"
                return
            seen.add(above)
            above = parents.get(above)
