"""Which reading tool a clause asks for, from the cues in it; wishes to act are told by planner/wishes.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matpho_agent.planner.plan import QueryPlan

if TYPE_CHECKING:
    from matpho_agent.planner.scan import Reading

READING = (
    "find_similar_events",
    "get_clip",
    "get_snapshot",
    "camera_status",
    "list_cameras",
    "event_statistics",
    "get_event",
    "search_events",
)
LISTING = frozenset({"liet", "ke", "danh", "list", "nhung", "cac"})
CAMERA_WORDS = ("cam", "camera", "cameras", "cams")
VIEW_WORDS = ("xem", "coi", "mo", "show", "see", "view", "open", "look", "watch", "grab")


def reading_intent(reading: Reading, plan: QueryPlan) -> str:
    """The name of a tool that reads events or cameras, or empty where the clause names no such wish."""
    cues = reading.values("intent")
    speaks_of_cameras = reading.says(*CAMERA_WORDS)
    wanted = next((name for name in READING if name in cues), "")
    if wanted in {"find_similar_events", "get_clip", "get_snapshot"}:
        return wanted
    one_camera = bool(plan.camera_ids or plan.camera_options or plan.camera_that)
    if wanted in {"camera_status", "list_cameras"} or (speaks_of_cameras and plan.status and not plan.event_types):
        return _about_cameras(plan, wanted, one_camera)
    if speaks_of_cameras and not plan.event_types and not plan.objects and not plan.query:
        if one_camera and reading.says(*VIEW_WORDS) and (plan.time_from is None or plan.at_present):
            return "get_snapshot"
        if (plan.kind or plan.owner) and not one_camera:
            return "list_cameras"
    if wanted == "event_statistics" or plan.forecast or plan.group_by or plan.compare_to or plan.metric != "count":
        listed = "search_events" in cues and any(token.plain in LISTING for token in reading.text.tokens)
        return "search_events" if listed and not plan.group_by and not plan.compare_to else "event_statistics"
    if wanted == "get_event" or (plan.event and plan.event.event_id and not plan.has_filters()):
        return "get_event"
    return wanted


def _about_cameras(plan: QueryPlan, wanted: str, one_camera: bool) -> str:
    if plan.event_types:
        return "search_events"
    if one_camera:
        return "camera_status" if wanted == "camera_status" or not wanted or plan.status else wanted
    return (
        "list_cameras"
        if plan.status or plan.kind or plan.owner or wanted == "list_cameras"
        else wanted or "list_cameras"
    )
