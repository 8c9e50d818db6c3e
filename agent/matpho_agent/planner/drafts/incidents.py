"""Arguments of the incident tools: states, priorities, levels, units, notes, reasons, whose they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from matpho_agent.language.lexicon import Match
from matpho_agent.language.names import NameMatch
from matpho_agent.language.tokens import read_text
from matpho_agent.planner.citizens import MINE
from matpho_agent.planner.clause import Clause
from matpho_agent.planner.drafts.steps import step_done_bare, step_named
from matpho_tools.city import UnitName

PRIORITIES = ("low", "medium", "high", "critical")
STATE_OF_ACT = {
    "reopen": "reopened", "close": "closed", "resolve": "resolved", "working": "in_progress", "done": "resolved",
}  # fmt: skip
"""The acts that set a state, the weightier first."""
SETTABLE = frozenset({"new", "in_progress", "resolved", "closed", "reopened", "escalated"})
CHARGED = frozenset({"trach", "giao", "ly", "dam", "om", "handling"})
"""Last words of `phụ trách`, `thụ lý`, `xử lý`: what `tôi` is charged with."""
OWN = frozenset({"toi", "em", "tui", "minh", "me", "chau", "con"})
PLACES_OF_MINE = frozenset(
    {"plate", "patch", "ward", "area", "ground", "turf", "beat", "books", "watch", "side", "zone"}
)
"""`on my patch`: a place or a desk, not an account."""
ABOVE = ("trở", "above", "higher", "hơn")


def priority(clause: Clause) -> str | None:
    """The priority said last: "không phải cao, thấp thôi" ends low, "medium rather than high" is medium."""
    tokens, found = clause.free.tokens, clause.found("priority")
    said = [m.value for m in found if not (m.start and tokens[m.start - 1].plain in {"than", "of"})]
    return said[-1] if said else None


def incident_id(clause: Clause) -> dict[str, Any]:
    """The incident's code, or any code that stands for no other thing; `hồ sơ K-3` of an incident is one too."""
    code = clause.incident
    return {"incident_id": code} if code else {}


def acknowledge(clause: Clause) -> dict[str, Any]:
    """`acknowledge_alert`: which, and the news behind it."""
    return {**incident_id(clause), **_pieces(clause, "note")}


def open_incident(clause: Clause) -> dict[str, Any]:
    """`open_incident`: priority, procedure, note; the events are found elsewhere."""
    found: dict[str, Any] = _pieces(clause, "note")
    if clause.reading.identifiers.event_ids:
        found["event_ids"] = list(clause.reading.identifiers.event_ids)
    if (level := priority(clause)) is not None:
        found["priority"] = level
    if (procedure := clause.code("procedure")) is not None:
        found["procedure"] = procedure
    return found


def update(clause: Clause) -> dict[str, Any]:
    """`update_incident`: a state or a finished step, note and reason."""
    found = {**incident_id(clause), **_pieces(clause, "note", "reason")}
    step = step_named(clause) if "step" in clause.acts else step_done_bare(clause)
    if step is not None:
        return {**found, "step_done": step}
    acts = [STATE_OF_ACT[act] for act in STATE_OF_ACT if act in clause.acts]
    states = [state for state in clause.said("state") if state in SETTABLE]
    if acts or states:
        found["status"] = acts[0] if acts else states[-1]
    if found.get("status") == "reopened" and "reason" not in found and (why := found.pop("note", None) or _why(clause)):
        found["reason"] = why
    return found


_REOPENED = re.compile(
    r"(?:mo lai|xu lai|lam lai|lat lai|reopen(?:ed)?)(?: (?:di|gium|giup|ho|luon|ngay|cho toi|cho em|cho anh"
    r"|it|please|pls))*"
    r" (?P<x>.{8,})$"
)


def _why(clause: Clause) -> str | None:
    """The news right behind an order to open again, where it is no part of the order: `mở lại đi phụ huynh vẫn kêu`."""
    match = _REOPENED.search(clause.free.plain.strip())
    if match is None or clause.codes or clause.reading.places or clause.plan.event_types:
        return None
    said = match["x"].split()
    if len(said) < 3 or said[0] in {"vu", "cai", "su", "incident", "the", "that", "case", "job", "ho"}:
        return None
    return clause.free.typed.strip()[match.start("x") : match.end("x")].strip(" .,!")


def escalate(clause: Clause) -> dict[str, Any]:
    """`escalate_incident`: which, to what level, and the news behind it."""
    found = {**incident_id(clause), **_pieces(clause, "note")}
    if "note" not in found and "reason" in clause.pieces:
        found["note"] = clause.pieces["reason"]
    levels = clause.said("level")
    if levels:
        found["to_level"] = levels[-1]
    return found


def dispatch(clause: Clause) -> dict[str, Any]:
    """`dispatch_unit`: the unit by name, or by its kind where the area has just one of it."""
    found = {**incident_id(clause), **_pieces(clause, "note")}
    since = _corrected(clause)
    told = [match for match in clause.unit_names if match.start >= since]
    named = list(dict.fromkeys(unit for match in told for unit in match.ids))
    units = named if named else units_of_kind(clause)
    if len(units) == 1:
        found["unit_id"] = units[0]
    elif units:
        found["unit_options"] = units
    return found


_CORRECTED = re.compile(
    r"(?<![0-9a-z])(?:no,? wait|wait,? no|scratch that|i mean|i meant|make that|actually|rather|sorry|on second thought"
    r"|(?:a|o|u|oi|ua) (?:khong|nham|quen|thoi)|nham|lon|noi lon|hay thoi|ma thoi|y toi la|y em la)(?![0-9a-z])"
)
"""Words by which somebody mends an order in the same breath."""


def _corrected(clause: Clause) -> int:
    """The number of the word from which on a mended order holds: `the fire crew? no wait, the ward police`."""
    tokens = clause.free.tokens
    cuts = [match.end() for match in _CORRECTED.finditer(clause.free.plain)]
    cuts = [cut for cut in cuts if any(m.start < len(tokens) and tokens[m.start].start >= cut for m in _units(clause))]
    return next((n for n, token in enumerate(tokens) if token.start >= cuts[-1]), 0) if cuts else 0


def _units(clause: Clause) -> list[Match | NameMatch]:
    return [*clause.unit_names, *clause.found("unitkind")]


def units_of_kind(clause: Clause) -> list[str]:
    """Units of the kind spoken of: in the area named beside it, else where the incident is, else near home."""
    since = _corrected(clause)
    kinds = {match.value for match in clause.found("unitkind") if match.start >= since}
    if not kinds:
        return []
    situation, memory = clause.situation, clause.memory
    fitting = [unit for unit in situation.units if unit.kind in kinds]
    numbered = _numbered(fitting, clause)
    if numbered:
        return numbered
    incident = next(
        (r.area for r in memory.incidents if r.id == (clause.code("incident", "") or memory.incident_id)), ""
    )
    for areas in (clause.plan.areas, [incident], list(situation.own_areas)):
        for area in filter(None, areas):
            for place in situation.places.lineage(area):
                there = [unit.id for unit in fitting if unit.area == place]
                if there:
                    return there
    return [unit.id for unit in fitting]


def _numbered(units: Sequence[UnitName], clause: Clause) -> list[str]:
    """The units whose name has the number that was said: `115`, `csgt số 3`."""
    said = {token.plain for token in clause.free.tokens if token.plain.isdigit()}
    return [u.id for u in units if said & {t.plain for name in (u.name, *u.aliases) for t in read_text(name).tokens}]


def list_incidents(clause: Clause) -> dict[str, Any]:
    """`list_incidents`: states, priorities, whose, where, when."""
    plan = clause.plan
    found: dict[str, Any] = {}
    states = list(dict.fromkeys(state for value in _states(clause) for state in value.split("+")))
    if states:
        found["status"] = states
    said = clause.said("priority")
    if said:
        least = PRIORITIES.index(said[-1])
        found["priority"] = list(PRIORITIES[least:]) if clause.says(*ABOVE) and least < 3 else list(dict.fromkeys(said))
    person = who(clause)
    if person:
        found["assigned_to"] = person
    if plan.areas or plan.camera_ids:
        homes = [place.area for camera in plan.camera_ids if (place := clause.situation.places.camera(camera))]
        found["areas"] = list(dict.fromkeys([*plan.areas, *homes]))
    if plan.time_from:
        found["time_from"] = plan.time_from.isoformat()
    if plan.time_to:
        found["time_to"] = plan.time_to.isoformat()
    return found


def _states(clause: Clause) -> list[str]:
    """The states said, less what only sets one off: `đã giải quyết nhưng chưa đóng` are the resolved ones."""
    tokens, found = clause.free.tokens, clause.found("state")
    return [
        match.value
        for number, match in enumerate(found)
        if not number or match.start == 0 or tokens[match.start - 1].plain not in SETTING_OFF
    ]


SETTING_OFF = frozenset({"nhung", "ma", "but", "yet", "though", "chu"})


def who(clause: Clause) -> str | None:
    """The account of the person spoken of; the caller's own where they say `của tôi`."""
    ids = list(dict.fromkeys(person for match in clause.people for person in match.ids))
    if len(ids) == 1:
        return ids[0]
    if ids:
        return None
    own = clause.says(*MINE, "mine", "myself")
    spoken = clause.acts & {"assigned", "who", "audit", "standing"} or clause.memory.plan is not None
    return clause.situation.user_id or None if own and spoken and _possessive(clause) else None


def _possessive(clause: Clause) -> bool:
    """`của tôi`, `giao cho tôi`, `chính tôi`, `my`: not the `tôi` of `cho tôi xem`."""
    tokens = clause.free.tokens
    for place, token in enumerate(tokens):
        if token.plain in {"my", "mine", "myself"}:
            follower = tokens[place + 1].plain if place + 1 < len(tokens) else ""
            return follower not in PLACES_OF_MINE
        if token.plain in OWN and place and tokens[place - 1].plain in {"cua", "chinh", "rieng", "to", "by"}:
            return True
        if token.plain in OWN and any(t.plain in CHARGED for t in tokens[place + 1 : place + 4]):
            return True
        if token.plain in OWN and place > 1 and (tokens[place - 2].plain, tokens[place - 1].plain) == ("giao", "cho"):
            return True
    return False


def _pieces(clause: Clause, *names: str) -> dict[str, Any]:
    return {name: clause.pieces[name] for name in names if clause.pieces.get(name)}
