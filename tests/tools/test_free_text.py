"""No tool takes a person's free words past the refusal rules; a citizen's report is content and is let through."""

from __future__ import annotations

from typing import Any

import pytest

from matpho_tools.contract import Tool
from matpho_tools.registry import TOOLS

WORDS = ("note", "reason", "purpose", "query", "name", "preset", "step_done")
LET_THROUGH = {("public_information", "query")}
"""What may be asked of the public library: whether cameras recognise faces is a fair question."""
MARK = "Lời của người dùng"
REQUIRED: dict[str, dict[str, Any]] = {
    "create_watch": {"filter": {"event_types": ["fight"]}},
    "open_incident": {"event_ids": ["01a1f962-bc80-72bb-a617-ed392a095ee8"]},
    "export_evidence": {"event_ids": ["01a1f962-bc80-72bb-a617-ed392a095ee8"], "case_number": "HS-1"},
    "request_identity_check": {"case_number": "HS-1", "subject": {"plate": "14A-123.45"}, "fields": ["full_name"]},
    "decide_identity_check": {"request_id": "IDR-1", "decision": "approve"},
    "move_camera": {"camera_id": "HG-01"},
    "escalate_incident": {"incident_id": "VV-1"},
    "support_incident": {"incident_id": "VV-1", "area": "DN-HC"},
    "update_incident": {"incident_id": "VV-1"},
    "acknowledge_alert": {"incident_id": "VV-1"},
    "dispatch_unit": {"incident_id": "VV-1"},
}
FIELDS = [
    (tool, field)
    for tool in TOOLS.values()
    for field in tool.arguments.model_fields
    if field in WORDS and (tool.name, field) not in LET_THROUGH
]


@pytest.mark.parametrize(("tool", "field"), FIELDS, ids=[f"{tool.name}.{field}" for tool, field in FIELDS])
def test_free_words_are_judged(tool: Tool[Any], field: str) -> None:
    arguments = tool.arguments.model_validate({**REQUIRED.get(tool.name, {}), field: MARK})
    assert any(MARK in text for text in tool.free_text(arguments))


def test_the_words_of_a_report_are_content() -> None:
    tool = TOOLS["submit_feedback"]
    assert tool.free_text(tool.arguments.model_validate({"text": MARK})) == ()
