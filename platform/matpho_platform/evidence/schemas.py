"""What an export takes and gives."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from matpho_contracts.times import AwareDatetime

MAX_EVENTS = 20
MAX_PURPOSE = 200


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EventLine(_Value):
    """An event as it would be exported, shown before the person agrees."""

    id: str
    type: str
    time: AwareDatetime
    camera_id: str
    camera_name: str
    area: str


class Missing(_Value):
    """A part that could not be had; the manifest says so too."""

    event_id: str
    part: str
    """`still` or `clip`."""
    reason: str


class PackageView(_Value):
    """A package that lies ready."""

    id: str
    case_number: str
    purpose: str
    requester: str
    event_ids: tuple[str, ...]
    sha256: str
    """Of the whole file."""
    manifest_sha256: str
    size: int
    files: int
    missing: tuple[Missing, ...] = ()
    audit_index: int | None = None
    created_at: AwareDatetime
    keep_until: AwareDatetime
    url: str
