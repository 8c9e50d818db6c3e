"""Step 7 of a tool call: what a grant's conditions take away from a result before anybody sees it.

A kind of result that a condition cannot judge is withheld whole: forgetting to write a rule shows nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import BaseModel

from matpho_contracts.errors import MatphoError
from matpho_platform.access.conditions import Condition
from matpho_platform.cameras.schemas import CameraPage, CameraStatus
from matpho_platform.events.schemas import EventDetail, EventPage
from matpho_platform.incidents.procedure import ProcedurePage
from matpho_platform.watches.schemas import NotificationPage
from matpho_tools.event_statistics import Statistics
from matpho_tools.event_still import EventStill
from matpho_tools.get_clip import ClipReference
from matpho_tools.get_snapshot import Snapshot
from matpho_tools.mosaic import mosaic
from matpho_tools.open_clip import ClipFile

PLATE_IN_TEXT = re.compile(r"(?<![0-9A-Za-z])\d{2}[ .-]?[A-ZĐ]{1,2}\d?[ .-]?\d{3}[.]?\d{2}(?![0-9])")
HIDDEN = "•••"
STATUS_ONLY_VALUES = (CameraPage, CameraStatus)
VECTORS = {"event": {"data": {"vectors"}}}
"""Embeddings of people and scenes stay at the center; they can be searched with, not carried away."""


class WithheldError(MatphoError):
    """A result that the role's conditions have no rule for; it is not shown."""

    code = "withheld"
    status = 403


def redact(value: BaseModel, conditions: Collection[Condition]) -> dict[str, Any]:
    """The result as plain JSON values with everything taken out that the conditions forbid. Raises WithheldError."""
    if Condition.STATUS_ONLY in conditions and not isinstance(value, STATUS_ONLY_VALUES):
        raise WithheldError("This role sees status only, no pictures and no events.")
    if Condition.PUBLIC_ONLY in conditions and not _public(value):
        raise WithheldError("This role sees public statistics and procedures only.")
    document = _plain(value)
    if Condition.NO_PLATES in conditions:
        document = _without_plates(document)
    if Condition.NO_THUMBNAILS_OF_PEOPLE in conditions:
        document = _without_people(value, document)
    if Condition.REDACTED in conditions:
        document = _coarse(value, document)
    return document


def _public(value: BaseModel) -> bool:
    """Whether anybody may see it: figures, and procedures all of which are public."""
    if isinstance(value, ProcedurePage):
        shown = {procedure.id for procedure in value.procedures if procedure.public}
        return len(shown) == len(value.procedures) and all(part.procedure_id in shown for part in value.passages)
    return isinstance(value, Statistics)


def _plain(value: BaseModel) -> dict[str, Any]:
    if isinstance(value, EventDetail):
        return value.model_dump(mode="json", by_alias=True, exclude=VECTORS)
    return value.model_dump(mode="json", by_alias=True)


def _without_plates(document: Any) -> Any:
    """Every plate gone, also from captions, however deep."""
    if isinstance(document, Mapping):
        return {key: None if key == "plate" else _without_plates(item) for key, item in document.items()}
    if isinstance(document, list):
        return [_without_plates(item) for item in document]
    if isinstance(document, str):
        return PLATE_IN_TEXT.sub(HIDDEN, document)
    return document


def _without_people(value: BaseModel, document: dict[str, Any]) -> dict[str, Any]:
    """No still of an event in which a person was seen."""
    if isinstance(value, EventPage):
        for hit in document["hits"]:
            if _has_person(hit["objects"]):
                hit["thumbnail"] = None
    elif isinstance(value, EventDetail):
        if _has_person(document["event"]["data"]["objects"]):
            document["thumbnail"] = None
    elif isinstance(value, EventStill):
        if value.people:
            raise WithheldError("This role does not see stills of people.")
    elif not isinstance(value, Statistics | NotificationPage):
        raise WithheldError("This result has no rule for the role's conditions.")
    return document


def _has_person(objects: list[dict[str, Any]]) -> bool:
    """Whether somebody is in it, or may be."""
    return any("person" in (seen.get("class"), *(seen.get("classes") or ())) for seen in objects)


def _coarse(value: BaseModel, document: dict[str, Any]) -> dict[str, Any]:
    """Stills become a mosaic; clips are withheld until their redacted copy exists."""
    if isinstance(value, Snapshot):
        coarse = Snapshot(
            camera_id=value.camera_id, captured_at=value.captured_at, jpeg=mosaic(value.jpeg), redacted=True
        )
        return coarse.model_dump(mode="json")
    if isinstance(value, ClipReference | ClipFile):
        raise WithheldError("This role sees clips only in redacted form, and no redacted copy can be made here.")
    raise WithheldError("This result has no rule for the role's conditions.")
