"""What `vụ đó`, `cái thứ hai`, `vụ khói ở chợ` stand for: by the talk so far where it tells, else by a lookup."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from matpho_agent.language.moments import DAY, at, number
from matpho_agent.planner.clause import Clause
from matpho_agent.planner.lookups import (
    MAX_ROWS,
    OPEN_STATES,
    Found,
    described,
    fitting,
    incident_lookup,
    linked_lookup,
    search_lookup,
    suited,
)
from matpho_agent.planner.plan import EventReference, QueryPlan, Remembered
from matpho_agent.planner.references import chosen_row, point_at
from matpho_agent.planner.telling import at_the_ends, nearest
from matpho_contracts.times import VIETNAM

_COUNTED = re.compile(
    r"(?<![0-9a-z])(?:(?P<n>hai|ba|bon|nam|sau|two|three|four|five|[2-9]) (?:cai|vu|su kien|clip|vu viec|con|chiec"
    r"|of them|events|clips)|(?P<two>ca hai|ca 2|both|the two))(?![0-9a-z])"
)
PLURAL = ("các", "những", "tất", "hết", "all", "both", "them", "these", "those", "mọi")


@dataclass(frozen=True, slots=True)
class Resolution:
    """Ids that may be meant (one: it is), or the lookup to make first as (tool, arguments)."""

    ids: list[str] = field(default_factory=list)
    lookup: tuple[str, dict[str, Any]] | None = None


def find_incident(plan: QueryPlan, clause: Clause, found: Sequence[Found], arguments: Mapping[str, Any]) -> Resolution:
    """The incident that a wish speaks of. `plan` holds the description, from this clause and the waiting one."""
    rows = next((look.rows for look in reversed(found) if look.tool == "list_incidents"), None)
    memory = clause.memory
    event = _event_in_focus(plan, clause)
    if event is not None and not _tells_more(plan, clause):
        return _of_event(event, clause, rows)
    if rows is not None and _superlative(plan) and not described(plan):
        open_ones = suited(rows, plan.intent, arguments)
        chosen = chosen_row(open_ones, plan.event, None) if plan.event else None
        return Resolution([chosen.id] if chosen else [])
    if not _tells_more(plan, clause):
        if rows is None and _superlative(plan) and not memory.incidents and not memory.results:
            return Resolution(lookup=("list_incidents", {"status": sorted(OPEN_STATES), "limit": MAX_ROWS}))
        remembered = _remembered_incident(plan, clause, arguments)
        if remembered or not described(plan):
            return Resolution(remembered)
    known = fitting(memory.incidents, plan, clause.situation) if memory.incidents else []
    if len(known) == 1 and rows is None:
        return Resolution([known[0].id])
    if rows is None:
        return Resolution(lookup=("list_incidents", incident_lookup(plan, clause.situation)))
    near = fitting(rows, plan, clause.situation)
    if not near and plan.time_point is None and len(timeless := fitting(rows, _timeless(plan), clause.situation)) == 1:
        near = timeless
    fit = suited(near, plan.intent, arguments)
    exact = [row for row in fit if row.type in plan.event_types] or fit
    return Resolution([row.id for row in nearest(exact, clause)])


def _superlative(plan: QueryPlan) -> bool:
    """`cái nặng nhất`, `vụ mới nhất`: one of all there are, whatever was listed before."""
    return plan.event is not None and (plan.event.which in {"worst", "oldest"} or plan.event.ordinal == 0)


def _timeless(plan: QueryPlan) -> QueryPlan:
    """The description without its hours: `hồi trưa` is said of one o'clock too; the lookup kept to the time already."""
    return plan.model_copy(update={"time_from": None, "time_to": None})


def _tells_more(plan: QueryPlan, clause: Clause) -> bool:
    """Whether the description is of the incident itself; an area alone may be the unit's, a time the order's."""
    if plan.event_types or plan.plate or plan.camera_ids or plan.camera_options:
        return True
    return bool(
        (plan.areas or plan.time_from)
        and clause.says("vụ", "incident", "case", "sự", "alert")
        and not clause.reading.has("reference")
    )


def _event_in_focus(plan: QueryPlan, clause: Clause) -> Remembered | None:
    """The one event pointed at, where events and not incidents were spoken of last."""
    memory = clause.memory
    if memory.topic == "incident" and (memory.incident_id or memory.incidents):
        return None
    if plan.event is not None and plan.event.event_id:
        return Remembered(id=plan.event.event_id)
    if not memory.results and not memory.event_id:
        return None
    ids = point_at(plan.event or clause.plan.event, memory)
    fit = [row for row in memory.results if row.id in ids]
    if len(fit) > 1 and described(plan):
        fit = fitting(fit, plan, clause.situation)
    fit = nearest(fit, clause)
    if len(fit) == 1:
        return fit[0]
    return Remembered(id=ids[0]) if len(ids) == 1 and not fit else None


def _of_event(event: Remembered, clause: Clause, rows: Sequence[Remembered] | None) -> Resolution:
    if event.incident_id:
        return Resolution([event.incident_id])
    for row in (*clause.memory.incidents, *(rows or ())):
        if event.id in row.event_ids:
            return Resolution([row.id])
    return Resolution() if rows is not None else Resolution(lookup=("list_incidents", linked_lookup(event)))


def _remembered_incident(plan: QueryPlan, clause: Clause, arguments: Mapping[str, Any]) -> list[str]:
    memory = clause.memory
    reference = plan.event or clause.plan.event
    if reference is not None and (reference.ordinal is not None or reference.which) and memory.incidents:
        chosen = chosen_row(memory.incidents, reference, memory.incident_id)
        return [chosen.id] if chosen else []
    if memory.incident_id:
        return [memory.incident_id]
    return [row.id for row in nearest(suited(memory.incidents, plan.intent, arguments), clause)]


def find_events(plan: QueryPlan, clause: Clause, found: Sequence[Found]) -> Resolution:
    """The events that a wish speaks of; several where the words say so."""
    looked = [look.rows for look in found if look.tool == "search_events"]
    rows = looked[-1] if looked else None
    memory = clause.memory
    reference = clause.plan.event or plan.event
    if reference is not None and reference.event_id:
        return Resolution([reference.event_id])
    if reference is not None and reference.clock is not None and memory.results:
        timeless = plan.model_copy(update={"time_from": None, "time_to": None})
        return Resolution(point_at(reference, memory, fitting(memory.results, timeless, clause.situation)))
    if ends := at_the_ends(memory.results, clause):
        return Resolution([row.id for row in ends])
    if not described(plan):
        return Resolution(_remembered_events(reference, clause))
    known = fitting(memory.results, plan, clause.situation)
    if rows is None and known:
        chosen = _one_of(known, reference, clause)
        if len(chosen) == 1 or (chosen and plural(clause, len(chosen))):
            return Resolution(chosen)
    if rows is None:
        return Resolution(lookup=("search_events", search_lookup(plan)))
    if len(looked) > 1:
        plan = _loosened(plan) or plan
    fit = nearest(fitting(rows, plan, clause.situation) or _about_then(rows, plan, clause), clause)
    if not fit and len(looked) == 1 and (loose := _loosened(plan)) is not None:
        return Resolution(lookup=("search_events", search_lookup(loose)))
    if len(fit) > 1 and (reference is not None or plan.intent in LOOKING):
        fit = _told_of(fit, clause) or fit
    return Resolution(_one_of(fit, reference, clause))


LOOKING = frozenset({"get_event", "get_clip", "find_similar_events"})
"""Wishes that only look: of several, what the talk has shown is meant."""


def _loosened(plan: QueryPlan) -> QueryPlan | None:
    """The description with its hours widened to the day and its things left out: people say `trưa` at one o'clock too,
    and call a motorbike a bike. None where that is no wider."""
    start, end = plan.time_from, plan.time_to
    begin = at(start.astimezone(VIETNAM).date()) if start and end and end - start < DAY else start
    until = begin + DAY if begin and begin != start and end and end <= begin + DAY else end
    if (begin, until) == (start, end) and not (plan.objects and plan.event_types):
        return None
    return plan.model_copy(update={"time_from": begin, "time_to": until, "time_point": None, "objects": []})


def _about_then(rows: Sequence[Remembered], plan: QueryPlan, clause: Clause) -> list[Remembered]:
    """The one row nearest to the clock time said, where none lies right at it: nobody reads a clock to the minute."""
    if plan.time_point is None:
        return []
    near = point_at(
        EventReference(clock=plan.time_point), clause.memory, fitting(rows, _timeless(plan), clause.situation)
    )
    return [row for row in rows if row.id in near] if len(near) == 1 else []


def _told_of(rows: Sequence[Remembered], clause: Clause) -> list[Remembered]:
    """Those that this talk has already shown: `sự kiện đầu tiên (xe tải trắng tối qua)` is none that nobody saw."""
    memory = clause.memory
    told = {row.id for row in memory.results} | {str(name) for entry in memory.history for name in entry.get("ids", ())}
    return [row for row in rows if row.id in told]


def _one_of(rows: Sequence[Remembered], reference: EventReference | None, clause: Clause) -> list[str]:
    if reference is not None and (reference.ordinal is not None or reference.which) and not plural(clause, len(rows)):
        chosen = chosen_row(rows, reference, clause.memory.event_id)
        return [chosen.id] if chosen else []
    return [row.id for row in rows]


def plural(clause: Clause, size: int) -> bool:
    """Whether the words mean all of so many; a number said must be just that: `cả 3 cái đó` of five is unclear."""
    if at_the_ends(clause.memory.results, clause):
        return True
    counted = _COUNTED.search(clause.free.plain)
    if counted is None:
        return clause.says(*PLURAL)
    return size == (number(counted["n"]) if counted["n"] else 2)


def _remembered_events(reference: EventReference | None, clause: Clause) -> list[str]:
    memory = clause.memory
    if memory.topic == "incident" and memory.incident_id and (reference is None or reference.ordinal is None):
        row = next((row for row in memory.incidents if row.id == memory.incident_id), None)
        if row is not None and row.event_ids:
            return list(row.event_ids)
    if plural(clause, len(memory.results)) and memory.results and (reference is None or reference.ordinal is None):
        return [row.id for row in memory.results]
    ids = point_at(reference, memory)
    if len(ids) < 2:
        return ids
    return [row.id for row in nearest([row for row in memory.results if row.id in ids], clause)] or ids
