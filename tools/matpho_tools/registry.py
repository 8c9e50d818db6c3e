"""Every tool of this installation, by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from matpho_contracts.errors import ConfigurationError
from matpho_tools import (
    acknowledge_alert,
    camera_status,
    create_watch,
    daily_briefing,
    decide_identity_check,
    dispatch_unit,
    end_duty,
    end_watch,
    escalate_incident,
    event_statistics,
    event_still,
    export_evidence,
    feedback_photo,
    feedback_status,
    find_similar_events,
    get_clip,
    get_event,
    get_incident,
    get_snapshot,
    identity_check_result,
    list_cameras,
    list_duties,
    list_false_alarms,
    list_identity_checks,
    list_incidents,
    list_notices,
    list_notifications,
    list_procedures,
    list_undelivered,
    list_watches,
    move_camera,
    open_clip,
    open_evidence,
    open_incident,
    public_information,
    request_identity_check,
    search_audit,
    search_events,
    set_duty,
    snooze_notices,
    submit_feedback,
    support_incident,
    update_incident,
)
from matpho_tools.contract import Tool


def registry(tools: Iterable[Tool[Any]]) -> Mapping[str, Tool[Any]]:
    """The tools by name; raises ConfigurationError when two share one."""
    table: dict[str, Tool[Any]] = {}
    for tool in tools:
        if tool.name in table:
            raise ConfigurationError(f"Two tools are called {tool.name}.")
        table[tool.name] = tool
    return MappingProxyType(table)


TOOLS = registry(
    (
        search_events.TOOL,
        get_event.TOOL,
        find_similar_events.TOOL,
        event_statistics.TOOL,
        list_cameras.TOOL,
        camera_status.TOOL,
        get_snapshot.TOOL,
        get_clip.TOOL,
        move_camera.TOOL,
        submit_feedback.TOOL,
        feedback_status.TOOL,
        public_information.TOOL,
        daily_briefing.TOOL,
        create_watch.TOOL,
        search_audit.TOOL,
        request_identity_check.TOOL,
        decide_identity_check.TOOL,
        identity_check_result.TOOL,
        export_evidence.TOOL,
        list_incidents.TOOL,
        get_incident.TOOL,
        list_procedures.TOOL,
        acknowledge_alert.TOOL,
        open_incident.TOOL,
        dispatch_unit.TOOL,
        update_incident.TOOL,
        escalate_incident.TOOL,
        event_still.TOOL,
        feedback_photo.TOOL,
        open_clip.TOOL,
        open_evidence.TOOL,
        list_watches.TOOL,
        end_watch.TOOL,
        list_notifications.TOOL,
        list_notices.TOOL,
        list_undelivered.TOOL,
        snooze_notices.TOOL,
        list_identity_checks.TOOL,
        support_incident.TOOL,
        list_duties.TOOL,
        list_false_alarms.TOOL,
        set_duty.TOOL,
        end_duty.TOOL,
    )
)
EXPOSED = tuple(name for name, tool in TOOLS.items() if tool.exposed)
"""What planners, MCP and the tool list see."""


def openai_schema(tool: Tool[Any]) -> dict[str, Any]:
    """A tool in the form that OpenAI-compatible models take."""
    schema = tool.arguments.model_json_schema()
    schema.pop("title", None)
    schema.pop("description", None)
    return {"type": "function", "function": {"name": tool.name, "description": tool.summary, "parameters": schema}}


@cache
def openai_schemas() -> list[dict[str, Any]]:
    """All exposed tools in that form, made once; whoever gets them leaves them as they are."""
    return [openai_schema(TOOLS[name]) for name in EXPOSED]
