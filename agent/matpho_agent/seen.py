"""What a planner may know of a result: ids, kinds, places, times, states; no text of a camera, a report or a person.

A caption, a note or a report is written by whoever stands before the camera or writes to the agency. It is shown to the
person who asks, as a quotation, and it never reaches the step that decides which tool is called next.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from matpho_tools.contract import ToolResult

LOOKUP = "lookup_"
"""How the id of a call begins that only serves to find what a wish speaks of."""
MAX_ROWS = 20
KEPT = (
    "id", "type", "time", "camera_id", "area", "status", "priority", "severity", "procedure", "opened_at", "event_ids",
    "incident_id", "assigned_to", "level",
)  # fmt: skip
"""Fields whose values the center itself writes from closed lists, numbers and ids."""
PERSONAL = frozenset({"subject", "photos", "image", "location", "contact"})
"""Arguments that name somebody or come from them; they serve their call and are not remembered."""
NUMBER = re.compile(r"(?<!\d)\d{12}(?!\d)|(?:sinh|born|dob)\b[^\d\n]{0,12}\d{1,2}[/.-]\d{1,2}[/.-]\d{4}", re.IGNORECASE)
LISTS = ("hits", "incidents", "cameras", "requests", "units", "procedures", "watches")


def is_lookup(call: Mapping[str, Any]) -> bool:
    """Whether a planned call is a lookup."""
    return str(call["id"]).startswith(LOOKUP)


def without_persons(call: Mapping[str, Any]) -> dict[str, Any]:
    """A call as a conversation keeps it: without whom it was about."""
    kept = {name: value for name, value in call["arguments"].items() if name not in PERSONAL}
    return {"name": call["name"], "arguments": kept}


def unnamed(text: str) -> str:
    """A person's words as a conversation keeps them: citizens' numbers and birth dates are struck out."""
    return NUMBER.sub("•••", text)


def for_planner(result: ToolResult) -> str:
    """A result as JSON for the planning step."""
    rows: Sequence[Any] = next((result.data[name] for name in LISTS if isinstance(result.data.get(name), list)), [])
    told = {
        "outcome": result.outcome.value,
        "rule": result.rule,
        "total": result.data.get("total"),
        "ids": result.ids[:MAX_ROWS],
        "rows": [_row(row) for row in rows[:MAX_ROWS] if isinstance(row, Mapping)],
    }
    return json.dumps(told, ensure_ascii=False)


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: row[name] for name in KEPT if row.get(name) not in (None, "", [])}
    plates = [seen["plate"]["text"] for seen in row.get("objects", ()) if seen.get("plate")]
    kinds = sorted({seen["class"] for seen in row.get("objects", ()) if seen.get("class")})
    return {**kept, **({"plates": plates} if plates else {}), **({"objects": kinds} if kinds else {})}
