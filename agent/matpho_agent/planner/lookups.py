"""Which events or incidents a description means: rows that a lookup found, or that the talk remembers, weighed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from matpho_agent.planner.plan import QueryPlan, Remembered
from matpho_agent.planner.situation import Situation
from matpho_contracts.text import normalise_plate

LOOKUP = "lookup_"
"""How the id of a lookup's call begins; the graph shows nothing of such a call."""
MAX_ROWS = 20
OPENED_LATER = timedelta(hours=2)
"""An incident is opened after its event, rarely later than this."""
AROUND_CLOCK = timedelta(minutes=40)
"""How far behind a full hour that somebody names an event is still looked for."""
LINKED_WITHIN = timedelta(hours=6)
KIN = (
    frozenset({"fire", "smoke"}),
    frozenset({"crowd", "gate_crowding"}),
    frozenset({"intrusion", "perimeter_line_crossed", "restricted_area_entry"}),
    frozenset({"illegal_dumping", "material_spill"}),
    frozenset({"pedestrian_on_road", "child_on_road"}),
)
"""Kinds of events that people call by one word."""
OPEN_STATES = frozenset({"new", "in_progress", "escalated", "reopened"})
SUITED: Mapping[str, frozenset[str]] = {
    "get_incident": OPEN_STATES,
    "acknowledge_alert": frozenset({"new", "reopened", "escalated"}),
    "dispatch_unit": OPEN_STATES,
    "escalate_incident": OPEN_STATES,
    "closed": OPEN_STATES | {"resolved"},
    "resolved": OPEN_STATES,
    "in_progress": OPEN_STATES,
    "reopened": frozenset({"resolved", "closed"}),
    "step_done": OPEN_STATES,
}
"""States of incidents that an act, or a new state, makes sense for."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one lookup of this wish brought."""

    tool: str
    rows: tuple[Remembered, ...]


def read_found(tool: str, content: str) -> Found:
    """The rows of a lookup's answer; what is no such answer has none."""
    try:
        told = json.loads(content)
    except ValueError:
        return Found(tool, ())
    rows = told.get("rows", ()) if isinstance(told, dict) else ()
    known = [row_of(row) for row in list(rows)[:MAX_ROWS] if isinstance(row, dict)]
    return Found(tool, tuple(row for row in known if row is not None))


def row_of(row: Mapping[str, Any]) -> Remembered | None:
    """A row of a list as the talk remembers it; None where it has no id."""
    if not isinstance(row.get("id"), str):
        return None
    time = row.get("time") or row.get("opened_at")
    seen = [each for each in row.get("objects") or () if isinstance(each, Mapping)]
    plates = row.get("plates") or [each["plate"]["text"] for each in seen if isinstance(each.get("plate"), Mapping)]
    return Remembered(
        id=row["id"],
        camera_id=row.get("camera_id") or "",
        area=row.get("area") or "",
        time=datetime.fromisoformat(time) if isinstance(time, str) else time,
        type=row.get("type") or "",
        plate=str(plates[0]) if plates else "",
        objects=_names(row, seen, "objects", "class"),
        colors=_names(row, seen, "colors", "color"),
        severity=str(row.get("severity") or ""),
        status=row.get("status") or "",
        priority=row.get("priority") or "",
        event_ids=[str(event) for event in row.get("event_ids") or ()][:MAX_ROWS],
        incident_id=row.get("incident_id") or "",
    )


def _names(row: Mapping[str, Any], seen: Sequence[Mapping[str, Any]], name: str, part: str) -> list[str]:
    """The classes or colours of what a row shows, told in full or as bare names."""
    told = [each for each in row.get(name) or () if isinstance(each, str)]
    return list(dict.fromkeys(told or [str(each[part]) for each in seen if each.get(part)]))[:MAX_ROWS]


def described(plan: QueryPlan) -> bool:
    """Whether the words describe what is meant, rather than only point."""
    return bool(
        plan.event_types or plan.plate or plan.camera_ids or plan.camera_options or plan.objects or plan.colors
        or plan.near or plan.areas or plan.time_from
    )  # fmt: skip


def fitting(rows: Iterable[Remembered], plan: QueryPlan, situation: Situation) -> list[Remembered]:
    """The rows that the description may mean; what a row does not tell is no reason against it, but counts less."""
    fit = [row for row in rows if _fits(row, plan, situation)]
    fit = [row for row in fit if row.event_ids or row.type in plan.event_types] or fit
    return [row for row in fit if _shows(row, plan)] or fit


def _fits(row: Remembered, plan: QueryPlan, situation: Situation) -> bool:
    if plan.event_types and row.type and row.type not in widened(plan.event_types):
        return False
    cameras = plan.camera_ids or plan.camera_options
    if cameras and row.camera_id and row.camera_id not in cameras:
        return False
    if _looks_other(row, plan):
        return False
    if plan.areas and row.area and not set(plan.areas) & set(situation.places.lineage(row.area)):
        return False
    if row.time is None:
        return True
    late = timedelta() if row.camera_id else OPENED_LATER
    begins_late = plan.time_from is not None and row.time < plan.time_from
    return not begins_late and not (plan.time_to is not None and row.time >= plan.time_to + late)


def _shows(row: Remembered, plan: QueryPlan) -> bool:
    """Whether the row tells of everything that the description names of looks; such rows come before silent ones."""
    return bool((row.objects or not plan.objects) and (row.colors or not plan.colors) and (row.plate or not plan.plate))


def _looks_other(row: Remembered, plan: QueryPlan) -> bool:
    """Whether what the row shows has none of the things, colours or plates spoken of."""
    if plan.objects and row.objects and not set(plan.objects) & set(row.objects):
        return True
    if plan.colors and row.colors and not set(plan.colors) & set(row.colors):
        return True
    plate = normalise_plate(plan.plate or "")
    return bool(plate and row.plate and plate not in (normalise_plate(row.plate) or row.plate))


def widened(types: Sequence[str]) -> set[str]:
    """The kinds with those that people call alike."""
    return {kind for name in types for group in (*KIN, {name}) if name in group for kind in group}


def suited(rows: Sequence[Remembered], tool: str, arguments: Mapping[str, Any]) -> list[Remembered]:
    """Of several those whose state the act makes sense for, where there are any."""
    purpose = "step_done" if "step_done" in arguments else str(arguments.get("status", "")) or tool
    wanted = SUITED.get(purpose) or SUITED.get(tool)
    fit = [row for row in rows if wanted and row.status in wanted]
    return fit or list(rows)


def search_lookup(plan: QueryPlan) -> dict[str, Any]:
    """Arguments of the search for the events that a description means."""
    found: dict[str, Any] = {}
    if plan.event_types:
        found["event_types"] = sorted(widened(plan.event_types))
    for name in ("objects", "objects_not", "colors", "plate", "areas", "min_count"):
        if getattr(plan, name):
            found[name] = getattr(plan, name)
    cameras = plan.camera_ids or plan.camera_options
    if cameras:
        found["camera_ids"] = list(cameras)
        found.pop("areas", None)
    if plan.near:
        found["near"] = plan.near.model_dump()
    slack = AROUND_CLOCK if plan.time_point is not None and plan.time_point.minute == 0 else timedelta()
    return {**found, **_times(plan, slack)}


def incident_lookup(plan: QueryPlan, situation: Situation) -> dict[str, Any]:
    """Arguments of the list of incidents that a description may mean."""
    cameras = plan.camera_ids or plan.camera_options
    homes = [place.area for camera in cameras if (place := situation.places.camera(camera))]
    areas = list(dict.fromkeys([*plan.areas, *homes]))
    return {**({"areas": areas} if areas else {}), **_times(plan, OPENED_LATER), "limit": MAX_ROWS}


def linked_lookup(event: Remembered) -> dict[str, Any]:
    """Arguments of the list of incidents among which that of an event is."""
    found: dict[str, Any] = {"limit": MAX_ROWS}
    if event.area:
        found["areas"] = [event.area]
    if event.time is not None:
        found["time_from"] = (event.time - timedelta(minutes=10)).isoformat()
        found["time_to"] = (event.time + LINKED_WITHIN).isoformat()
    return found


def _times(plan: QueryPlan, slack: timedelta) -> dict[str, Any]:
    found = {}
    if plan.time_from:
        found["time_from"] = plan.time_from.isoformat()
    if plan.time_to:
        found["time_to"] = (plan.time_to + slack).isoformat()
    return found
