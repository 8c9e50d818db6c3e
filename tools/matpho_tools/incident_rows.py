"""The lines that show an act on an incident to the person who must agree: real names, both languages."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, StringConstraints

from matpho_contracts.times import VIETNAM
from matpho_contracts.vocabulary import EVENT_TYPES, EventType
from matpho_platform.incidents.procedure import Procedure
from matpho_platform.incidents.schemas import (
    MAX_NOTE,
    IncidentSummary,
    IncidentTask,
    Priority,
    Unit,
    UnitKind,
)
from matpho_platform.incidents.states import STATUS_NAMES
from matpho_tools.contract import Row

Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_NOTE)]
PRIORITY_NAMES: dict[Priority, tuple[str, str]] = {
    Priority.LOW: ("thấp", "low"),
    Priority.MEDIUM: ("trung bình", "medium"),
    Priority.HIGH: ("cao", "high"),
    Priority.CRITICAL: ("khẩn cấp", "critical"),
}
KIND_NAMES: dict[UnitKind, tuple[str, str]] = {
    UnitKind.POLICE: ("công an", "police"),
    UnitKind.FIRE: ("chữa cháy và cứu nạn", "fire and rescue"),
    UnitKind.MEDICAL: ("y tế", "medical"),
    UnitKind.TRAFFIC: ("giao thông", "traffic"),
    UnitKind.ENVIRONMENT: ("môi trường", "environment"),
}


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Listed = BeforeValidator(_listed)
"""A single word where a list is asked for is a list of one."""


def type_names(event_type: str) -> tuple[str, str]:
    """An event type in Vietnamese and English; an unknown one as it is."""
    if event_type not in set(EventType):
        return event_type, event_type
    name = EVENT_TYPES[EventType(event_type)][2]
    return name.vi, name.en


def incident_row(incident: IncidentSummary) -> Row:
    """Which incident: number, what, where, in which state."""
    kind, state = type_names(incident.type), STATUS_NAMES[incident.status]
    said = [" · ".join(part for part in (incident.id, kind[n], incident.camera_name, state[n]) if part) for n in (0, 1)]
    return Row("incident_id", "Vụ việc", "Incident", said[0], said[1])


def unit_row(unit: Unit) -> Row:
    """Which unit, and what it can do."""
    vi, en = KIND_NAMES[unit.kind]
    named = f"{unit.name} ({unit.id})"
    return Row("unit_id", "Lực lượng", "Unit", f"{named}, {vi}", f"{named}, {en}")


def procedure_row(procedure: Procedure | None, given: bool) -> Row:
    """Which procedure it will run by."""
    shown = f"{procedure.title} ({procedure.id})" if procedure else ""
    vi, en = (shown, shown) if procedure else ("không có quy trình phù hợp", "no procedure fits")
    return Row("procedure", "Quy trình", "Procedure", vi, en, "person" if given else "center")


def priority_row(priority: Priority, given: bool) -> Row:
    """How much it presses."""
    vi, en = PRIORITY_NAMES[priority]
    return Row("priority", "Mức ưu tiên", "Priority", vi, en, "person" if given else "center")


def note_rows(note: str, argument: str = "note") -> tuple[Row, ...]:
    """The person's own words, where there are some."""
    if not note:
        return ()
    vi, en = ("Lý do", "Reason") if argument == "reason" else ("Ghi chú", "Note")
    return (Row(argument, vi, en, f"«{note}»", f"«{note}»"),)


def sent_before(task: IncidentTask) -> Row:
    """A warning that the unit has been sent to this incident before."""
    when = f"{task.sent_at.astimezone(VIETNAM):%H:%M %d/%m}"
    vi, en = f"{task.unit_name} đã được điều lúc {when}", f"{task.unit_name} was sent at {when}"
    return Row("unit_id", "Lưu ý", "Mind", vi, en, "center")
