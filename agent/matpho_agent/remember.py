"""What a conversation remembers of a call: enough to point back at, so that turn 60 costs what turn 1 does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from matpho_agent.answers.calls import Done
from matpho_agent.planner.plan import MAX_REMEMBERED_RESULTS, Memory, NearPlan, QueryPlan, Remembered
from matpho_tools.contract import Outcome

HISTORY = 6
"""Exchanges that a planning model sees."""
HISTORY_CHARS = 300
LISTS = frozenset({"search_events", "find_similar_events"})


def plan_of(tool: str, arguments: Mapping[str, Any]) -> QueryPlan:
    """The plan that a list or a count came from, whoever planned it."""
    plan = QueryPlan(intent=tool)
    for name in QueryPlan.model_fields:
        value = arguments.get(name)
        if value is None or name == "intent":
            continue
        if name in {"time_from", "time_to"}:
            value = datetime.fromisoformat(value)
        elif name == "near":
            value = NearPlan(**value)
        elif isinstance(value, tuple):
            value = list(value)
        setattr(plan, name, value)
    return plan


def remember(memory: Memory, call: Done) -> None:
    """Take note of a finished call; one that was stopped changes nothing but the places it spoke of."""
    arguments, result = call.arguments, call.result
    cameras = arguments.get("camera_ids") or ([arguments["camera_id"]] if arguments.get("camera_id") else [])
    if len(cameras) == 1:
        memory.camera_id = cameras[0]
    if result.outcome is not Outcome.ANSWERED:
        return
    if call.tool in {"search_events", "event_statistics"}:
        memory.plan = plan_of(call.tool, arguments)
        if not cameras:
            memory.camera_id = None
    if call.tool in LISTS:
        _list(memory, result.data)
    elif call.tool == "list_cameras":
        memory.cameras = [camera["id"] for camera in result.data.get("cameras", [])][:MAX_REMEMBERED_RESULTS]
        memory.camera_id = memory.cameras[0] if len(memory.cameras) == 1 else None
    elif call.tool == "get_event" and result.data:
        event = result.data["event"]
        memory.event_id, memory.camera_id = event["id"], event["data"]["camera_id"]
    elif arguments.get("event_id"):
        memory.event_id = arguments["event_id"]


def _list(memory: Memory, data: Mapping[str, Any]) -> None:
    hits = data.get("hits", [])[:MAX_REMEMBERED_RESULTS]
    memory.results = [
        Remembered(
            id=hit["id"],
            camera_id=hit["camera_id"],
            area=hit["area"],
            time=datetime.fromisoformat(hit["time"]),
            type=hit["type"],
        )
        for hit in hits
    ]
    memory.event_id = hits[0]["id"] if len(hits) == 1 else None
    if len({hit["camera_id"] for hit in hits}) == 1:
        memory.camera_id = hits[0]["camera_id"]


def keep_history(memory: Memory, text: str, calls: list[dict[str, Any]], ids: list[str]) -> None:
    """Add this exchange in short and drop the oldest."""
    entry = {"user": text[:HISTORY_CHARS], "calls": calls[:4], "ids": ids[:5]}
    memory.history = [*memory.history, entry][-HISTORY:]
    memory.turns += 1
