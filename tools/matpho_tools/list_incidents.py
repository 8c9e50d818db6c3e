"""`list_incidents`: incidents by state, priority, area, who has them and when they were opened."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from matpho_contracts.ids import ShortId
from matpho_contracts.times import AwareDatetime
from matpho_platform.incidents.schemas import Priority, Status
from matpho_tools.contract import Call, Named, Produced, Tool
from matpho_tools.filters import MAX_LIST, Paging
from matpho_tools.incident_rows import Listed


class ListIncidentsArguments(Paging):
    """Which incidents, newest first; inside a list any one suffices.

    `assigned_to` is an account's id or a person's name; the times are of opening, `time_from` <= t < `time_to`.
    """

    status: Annotated[tuple[Status, ...], Listed] = Field(default=(), max_length=len(Status))
    priority: Annotated[tuple[Priority, ...], Listed] = Field(default=(), max_length=len(Priority))
    areas: Annotated[tuple[ShortId, ...], Listed] = Field(default=(), max_length=MAX_LIST)
    assigned_to: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    time_from: AwareDatetime | None = None
    time_to: AwareDatetime | None = None

    @model_validator(mode="after")
    def _sense(self) -> ListIncidentsArguments:
        if self.time_from and self.time_to and self.time_to <= self.time_from:
            raise ValueError("time_to must be later than time_from")
        return self


async def _run(call: Call[ListIncidentsArguments]) -> Produced:
    wanted = call.arguments
    page = await call.center.incidents.list(
        call.scope,
        now=call.now,
        status=wanted.status,
        priority=wanted.priority,
        areas=wanted.areas,
        assigned_to=wanted.assigned_to or None,
        time_from=wanted.time_from,
        time_to=wanted.time_to,
        limit=wanted.limit,
        offset=wanted.offset,
    )
    return Produced(page, tuple(incident.id for incident in page.incidents))


TOOL = Tool(
    name="list_incidents",
    summary="List incidents by state, priority, area, assignee or time of opening, with progress and overdue steps.",
    arguments=ListIncidentsArguments,
    action="list_incidents",
    run=_run,
    part_vi="sổ vụ việc",
    part_en="the incident register",
    names=lambda arguments: Named(areas=arguments.areas),
    free_text=lambda arguments: (arguments.assigned_to,),
)
