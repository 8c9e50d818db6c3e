"""What a conversation remembers of a call: enough to point back at, so that turn 60 costs what turn 1 does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from matpho_agent.answers.calls import Done
from matpho_agent.language.codes import read_codes
from matpho_agent.language.identifiers import read_identifiers
from matpho_agent.language.tokens import read_text
from matpho_agent.planner.drafts.table import DRAFTS, LISTING
from matpho_agent.planner.lookups import row_of
from matpho_agent.planner.plan import MAX_REMEMBERED_RESULTS, Memory, NearPlan, Pending, QueryPlan, Remembered, Topic
from matpho_agent.planner.reader import read_clause
from matpho_agent.planner.situation import Situation
from matpho_agent.planner.telling import words_of
from matpho_tools.contract import Outcome

HISTORY = 6
"""Exchanges that a planning model sees."""
HISTORY_CHARS = 300
LISTS = frozenset({"search_events", "find_similar_events"})
PLANNED = frozenset({"search_events", "event_statistics", "list_cameras"}) | LISTING
"""Calls that the next sentence may go on from."""
TOPICS: Mapping[str, Topic] = {
    "search_events": "event",
    "find_similar_events": "event",
    "get_event": "event",
    "get_clip": "event",
    "list_incidents": "incident",
    "get_incident": "incident",
    "open_incident": "incident",
    "acknowledge_alert": "incident",
    "dispatch_unit": "incident",
    "update_incident": "incident",
    "escalate_incident": "incident",
    "list_cameras": "camera",
    "camera_status": "camera",
    "get_snapshot": "camera",
    "move_camera": "camera",
    "request_identity_check": "request",
    "decide_identity_check": "request",
    "identity_check_result": "request",
    "submit_feedback": "report",
    "feedback_status": "report",
}


def plan_of(tool: str, arguments: Mapping[str, Any]) -> QueryPlan:
    """The plan that a call came from, whoever planned it."""
    if tool in DRAFTS:
        return QueryPlan(intent=tool, arguments=dict(arguments))
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
    """Take note of a finished call; one that was stopped changes nothing but the things that its words spoke of."""
    arguments, result = call.arguments, call.result
    memory.last = call.tool
    cameras = arguments.get("camera_ids") or ([arguments["camera_id"]] if arguments.get("camera_id") else [])
    if len(cameras) == 1:
        memory.camera_id = cameras[0]
    if result.outcome is Outcome.DENIED:
        note_named(memory, call.tool, arguments)
    if result.outcome is Outcome.CLARIFY:
        _pending(memory, call)
    if result.outcome is Outcome.CONFIRM:
        _redescribed(memory, call)
    if result.outcome in {Outcome.ANSWERED, Outcome.CONFIRM, Outcome.FAILED}:
        _spoken_of(memory, call)
    if result.outcome in {Outcome.DENIED, Outcome.FAILED} and call.tool in PLANNED:
        memory.plan = plan_of(call.tool, arguments)
    if result.outcome is not Outcome.ANSWERED:
        return
    if call.tool in PLANNED:
        memory.plan = plan_of(call.tool, arguments)
        if not cameras and call.tool in {"search_events", "event_statistics"}:
            memory.camera_id = None
    _note_results(memory, call)


def _pending(memory: Memory, call: Done) -> None:
    """A tool asks for a piece itself: the next words may be its answer."""
    missing = str(call.result.data.get("missing", "")).split(".")[0]
    if missing:
        options = [str(option) for option in call.result.data.get("options", ())][:MAX_REMEMBERED_RESULTS]
        memory.pending = Pending(plan=plan_of(call.tool, call.arguments), missing=missing, options=options)


def _redescribed(memory: Memory, call: Done) -> None:
    """The very next words may say anew which incident or events a proposal is about: `vụ ở chợ sáng nay cơ`."""
    missing = next((name for name in ("incident_id", "event_ids") if name in call.arguments), None)
    if missing:
        rest = {name: value for name, value in call.arguments.items() if name != missing}
        memory.pending = Pending(plan=plan_of(call.tool, rest), missing=missing, turn=memory.turns + 1)


def _spoken_of(memory: Memory, call: Done) -> None:
    """The single things that the arguments name, and what kind of thing the talk is about now."""
    arguments, ids = call.arguments, call.result.ids
    memory.topic = TOPICS.get(call.tool, memory.topic)
    if arguments.get("incident_id"):
        memory.incident_id = str(arguments["incident_id"])
    elif call.tool == "list_procedures" and (named := _incident_named(str(arguments.get("query", "")))):
        memory.incident_id, memory.topic = named, "incident"
    if arguments.get("request_id"):
        memory.request_id = str(arguments["request_id"])
    if arguments.get("code") and call.tool == "feedback_status":
        memory.report_code = str(arguments["code"])
    if call.result.outcome is Outcome.ANSWERED and ids:
        if call.tool == "request_identity_check":
            memory.request_id = ids[0]
        elif call.tool == "submit_feedback":
            memory.report_code = ids[0]


def note_named(memory: Memory, tool: str, arguments: Mapping[str, Any]) -> None:
    """What the words named stays known though nothing came of them: a denied act, one that still lacks a piece."""
    events = list(arguments.get("event_ids") or [])
    named: list[tuple[Topic, str]] = [
        ("event", str(arguments.get("event_id") or (events[0] if len(events) == 1 else ""))),
        ("camera", str(arguments.get("camera_id") or "")),
        ("report", str(arguments.get("code") or "") if tool == "feedback_status" else ""),
        ("request", str(arguments.get("request_id") or "")),
        ("incident", str(arguments.get("incident_id") or "")),
    ]
    for topic, name in named:
        if name:
            setattr(memory, NAMED_IN[topic], name)
            memory.topic = topic


NAMED_IN: Mapping[Topic, str] = {
    "event": "event_id", "camera": "camera_id", "report": "report_code", "request": "request_id",
    "incident": "incident_id",
}  # fmt: skip
"""Where the talk keeps the one thing of a kind."""


def note_refused(memory: Memory, text: str, situation: Situation) -> None:
    """The place, time and codes of a refused sentence stay known: `how busy was it there` is a fair next question."""
    plan, reading = read_clause(text, situation)
    if len(plan.camera_ids) == 1:
        memory.camera_id = plan.camera_ids[0]
    if plan.areas or plan.camera_ids:
        memory.plan = QueryPlan(
            intent="search_events",
            areas=plan.areas,
            camera_ids=plan.camera_ids,
            time_from=plan.time_from,
            time_to=plan.time_to,
        )
    incident = next((code.text for code in reading.identifiers.codes if code.kind == "incident"), None)
    if incident is not None:
        memory.incident_id, memory.topic = incident, "incident"


def _incident_named(query: str) -> str | None:
    """The incident that a question to the procedures was asked about: `SV.12 xử sao cho đúng bài`."""
    codes = read_identifiers(read_text(query)).codes
    return next((code.text for code in codes if code.kind == "incident"), None)


def _note_results(memory: Memory, call: Done) -> None:
    """Rows that can be pointed at, and the one thing that a result is about."""
    data, arguments = call.result.data, call.arguments
    incident = _incident_of(data)
    if call.tool in LISTS:
        _list(memory, data)
    elif call.tool == "list_incidents":
        memory.incidents = _rows(data.get("incidents", ()))
        memory.incident_id = memory.incidents[0].id if len(memory.incidents) == 1 else None
    elif incident is not None:
        memory.incident_id = incident.id
        others = [row for row in memory.incidents if row.id != incident.id]
        memory.incidents = [incident, *others][:MAX_REMEMBERED_RESULTS]
    elif call.tool == "list_cameras":
        memory.cameras = [camera["id"] for camera in data.get("cameras", [])][:MAX_REMEMBERED_RESULTS]
        memory.camera_id = memory.cameras[0] if len(memory.cameras) == 1 else None
    elif call.tool == "get_event" and data:
        event = data["event"]
        memory.event_id, memory.camera_id = event["id"], event["data"]["camera_id"]
    elif arguments.get("event_id"):
        memory.event_id = str(arguments["event_id"])


def _incident_of(data: Mapping[str, Any]) -> Remembered | None:
    """The one incident that a result shows or changed."""
    shown = data.get("incident")
    if isinstance(shown, Mapping):
        return row_of(shown)
    return row_of(data) if "event_ids" in data and "opened_at" in data else None


def _rows(rows: Any) -> list[Remembered]:
    found = [_with_words(row_of(row), row) for row in list(rows)[:MAX_REMEMBERED_RESULTS] if isinstance(row, Mapping)]
    return [row for row in found if row is not None]


def _with_words(row: Remembered | None, told: Mapping[str, Any]) -> Remembered | None:
    if row is not None:
        row.words = words_of(told.get("caption_vi"), told.get("caption_en"))
    return row


def _list(memory: Memory, data: Mapping[str, Any]) -> None:
    memory.results = _rows(data.get("hits", ()))
    memory.event_id = memory.results[0].id if len(memory.results) == 1 else None
    if len({row.camera_id for row in memory.results}) == 1:
        memory.camera_id = memory.results[0].camera_id


def keep_history(memory: Memory, text: str, calls: list[dict[str, Any]], ids: list[str]) -> None:
    """Add this exchange in short and drop the oldest; the case and the report that it names stay known."""
    for code in read_codes(read_text(text), ()):
        if code.kind == "case":
            memory.case_number = code.text
        elif code.kind == "report":
            memory.report_code = code.text
    entry = {"user": text[:HISTORY_CHARS], "calls": calls[:4], "ids": ids[:5]}
    memory.history = [*memory.history, entry][-HISTORY:]
    memory.turns += 1
