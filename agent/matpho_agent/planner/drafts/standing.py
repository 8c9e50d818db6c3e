"""Arguments of `create_watch`: what to wait for, how long, whom to tell, under what name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from matpho_agent.language.deadlines import read_deadline
from matpho_agent.planner.clause import Clause
from matpho_agent.planner.drafts.identity import case_number
from matpho_contracts.vocabulary import EVENT_TYPES, EventType

MAX_NAME = 80
FILTERED = (
    "event_types", "objects", "objects_not", "colors", "min_count", "plate", "areas", "camera_ids", "near",
    "severity_min",
)  # fmt: skip
"""Filters that a standing query can hold; times of events make no sense in one."""
_CHANNELS = {
    "zalo": r"zalo", "email": r"e-?mail|thu dien tu", "sms": r"sms|tin nhan dien thoai", "telegram": r"telegram",
    "teams": r"teams",
}  # fmt: skip


def watch(clause: Clause) -> dict[str, Any]:
    """`create_watch`; a clause that describes nothing gives no filter."""
    found: dict[str, Any] = case_number(clause)
    if not found and clause.memory.case_number and clause.situation.role == "investigator":
        found["case_number"] = clause.memory.case_number
    wanted = watch_filter(clause)
    if wanted:
        found["filter"] = wanted
        found["name"] = clause.pieces.get("name") or _name(clause, wanted)
    elif clause.pieces.get("name"):
        found["name"] = clause.pieces["name"]
    deadline = read_deadline(clause.free, clause.situation.now)
    if deadline:
        found["expires"] = deadline[0].isoformat()
    elif clause.plan.time_to is not None and clause.plan.time_to > clause.situation.now:
        found["expires"] = clause.plan.time_to.isoformat()
    channels = [name for name, words in _CHANNELS.items() if re.search(rf"(?<![0-9a-z])(?:{words})", clause.free.plain)]
    if channels:
        found["notify"] = channels
    return found


def watch_filter(clause: Clause) -> dict[str, Any]:
    """The event filters of the clause as a plain object."""
    plan = clause.plan
    found: dict[str, Any] = {}
    before = clause.memory.plan
    if (
        before is not None
        and not (plan.event_types or plan.objects or plan.plate)
        and SAME_KIND.search(clause.free.plain)
    ):
        found = {name: getattr(before, name) for name in ("event_types", "objects", "colors") if getattr(before, name)}
    for name in FILTERED:
        value = getattr(plan, name)
        if value:
            found[name] = value.model_dump() if name == "near" else value
    if plan.camera_options and not plan.camera_ids:
        found["camera_ids"] = list(plan.camera_options)
    before = clause.memory.plan
    if found and before is not None and len(before.event_types) == 1 and AGAIN.search(clause.free.plain):
        found.setdefault("event_types", list(before.event_types))
    spoken = clause.reading.has("camera_reference") or THERE.search(clause.free.plain)
    if found and spoken and not any(name in found for name in ("camera_ids", "areas", "near")):
        memory = clause.memory
        cameras = {row.camera_id for row in memory.results if row.camera_id and row.id == memory.event_id}
        cameras = cameras or {row.camera_id for row in memory.results if row.camera_id}
        there = memory.camera_id or (cameras.pop() if len(cameras) == 1 else None)
        if there:
            found["camera_ids"] = [there]
    return found


AGAIN = re.compile(
    r"(?<![0-9a-z])(?:again|once more|nhu (?:vay|the)|kieu (?:do|nay|vay|the)|tai dien|tai pham|lap lai|nua|tiep tuc)"
    r"(?![0-9a-z])"
)
"""The kind of event spoken of last."""
SAME_KIND = re.compile(
    r"(?<![0-9a-z])(?:one|ones|another|any more|(?:it|this|that) (?:happens|again)|like (?:that|this|these)|such"
    r"|(?:nhu|kieu) (?:vay|the|do|nay|ri|rua)|nua|tai dien|lap lai|tiep dien)(?![0-9a-z])"
)
"""Words that wait for more of what was spoken of."""
THERE = re.compile(
    r"(?<![0-9a-z])(?:there|o do|cho do|cho day|qua day|tai do|khuc do|cho ay|o day|doan do)(?![0-9a-z])"
)
"""The place spoken of last."""


def _name(clause: Clause, wanted: Mapping[str, Any]) -> str:
    """A name made of what is waited for and where, in the language of the talk."""
    vietnamese = clause.memory.language == "vi"
    kinds = [EVENT_TYPES[EventType(name)][2] for name in wanted.get("event_types", ())]
    words = [kind.vi if vietnamese else kind.en for kind in kinds] or list(wanted.get("objects", ()))
    words += [str(wanted["plate"])] if wanted.get("plate") else []
    index = clause.situation.places
    places = [index.camera(camera) for camera in wanted.get("camera_ids", ())]
    places += [index.area(area) for area in wanted.get("areas", ())]
    where = [place.name for place in places if place is not None]
    text = ", ".join(words) or ("Theo dõi" if vietnamese else "Watch")
    return f"{text} – {', '.join(where)}"[:MAX_NAME] if where else text[:MAX_NAME]
