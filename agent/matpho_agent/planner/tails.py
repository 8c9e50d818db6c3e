"""Codes told by their end (`yêu cầu 0012`, `vụ 31`, `sự kiện …7936a5`): the one thing known that ends so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from matpho_agent.planner.clause import Clause
from matpho_agent.planner.lookups import MAX_ROWS, Found
from matpho_agent.planner.plan import EventReference, Memory, QueryPlan
from matpho_agent.planner.step import Step, ask

CODED = ("incident_id", "request_id", "code")
"""Arguments that are codes of things which the talk may have named in full."""
_TAIL = re.compile(r"[a-z]{0,2}\d{1,8}[a-z]{0,2}", re.IGNORECASE)
"""What may be an end of a code: digits with a letter or two, and no separators."""
_EVENT = re.compile(
    r"(?:\.{2,}|(?<![0-9a-z])(?:duoi|ket thuc(?: bang)?|ending(?: in| with)?|ends(?: in| with)?)(?: la| so)? ?)"
    r"(?P<t>[0-9a-f]{4,12})(?![0-9a-z\-])"
)
LOOSE = 4
"""Characters from which on an end needs no separator before it."""


def whole_codes(plan: QueryPlan, clause: Clause, found: Sequence[Found], arguments: dict[str, Any]) -> Step | None:
    """Put the full code where only its end was said; the lookup to make first, or the question where several end so.

    An end that nothing known has stays as it was said, and the tool answers for it.
    """
    for name in CODED:
        said = arguments.get(name)
        if not isinstance(said, str) or not _TAIL.fullmatch(said):
            continue
        known = list(_known(name, clause.memory))
        looked = [row.id for look in found if look.tool == "list_incidents" for row in look.rows]
        fit = _ending(said, known) or (_ending(said, looked) if name == "incident_id" else [])
        if not fit and name == "incident_id" and not found:
            return Step(plan, "list_incidents", {"limit": MAX_ROWS}, lookup=True)
        if len(fit) > 1:
            rest = {key: value for key, value in plan.arguments.items() if key != name}
            return ask(plan.model_copy(update={"arguments": rest}), name, fit)
        arguments[name] = fit[0] if fit else said
    return None


def point_by_tail(clause: Clause) -> None:
    """Let an end of an event's id (`…7936a5`) point at the one event of the talk that has it."""
    match = _EVENT.search(clause.free.plain)
    if match is None or clause.plan.plate:
        return
    memory = clause.memory
    fit = _ending(match["t"], [*(row.id for row in memory.results), *([memory.event_id] if memory.event_id else [])])
    if len(fit) == 1:
        clause.plan.event = EventReference(event_id=fit[0])


def _known(name: str, memory: Memory) -> Iterable[str]:
    """The codes of a kind that the talk has named or shown."""
    if name == "incident_id":
        yield from (row.id for row in memory.incidents)
        yield from (row.incident_id for row in memory.results if row.incident_id)
    mine = {"incident_id": memory.incident_id, "request_id": memory.request_id, "code": memory.report_code}[name]
    if mine:
        yield mine
    if name != "incident_id":
        yield from (str(shown) for entry in memory.history for shown in entry.get("ids", ()))


def _ending(tail: str, ids: Iterable[str]) -> list[str]:
    """The ids that end so; the one that is just this, where there is one."""
    whole = list(dict.fromkeys(ids))
    exact = [name for name in whole if name.casefold() == tail.casefold()]
    return exact or [name for name in whole if _ends(name.casefold(), tail.casefold())]


def _ends(name: str, tail: str) -> bool:
    last = re.split(r"[^0-9a-z]", name)[-1]
    if last == tail or (tail.isdigit() and last.isdigit() and int(last) == int(tail)):
        return True
    return name.endswith(tail) and (len(tail) >= LOOSE or not name[-len(tail) - 1].isdigit())
