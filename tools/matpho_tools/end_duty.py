"""Take a duty off the roster, for pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from matpho_platform.access.policy import Resource
from matpho_tools.contract import Arguments, Call, Produced, Tool

if TYPE_CHECKING:
    from matpho_platform.center import Center


class EndDutyArguments(Arguments):
    """Which one."""

    duty_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{1,36}$")]


class EndedDuty(BaseModel):
    """A duty that is no longer on the roster; `found` is false where it was not (any more)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    found: bool


async def _run(call: Call[EndDutyArguments]) -> Produced:
    duty_id = call.arguments.duty_id
    return Produced(EndedDuty(id=duty_id, found=await call.center.rosters.remove(duty_id)), (duty_id,))


async def _about(center: Center, arguments: EndDutyArguments) -> Sequence[Resource | None]:
    duty = await center.rosters.find(arguments.duty_id)
    return (None if duty is None else Resource(lineage=center.areas.lineage(duty.area)),)


TOOL = Tool(
    name="end_duty",
    summary="Take a duty off the roster.",
    arguments=EndDutyArguments,
    action="dispatch_unit",
    run=_run,
    part_vi="lịch trực",
    part_en="the duty roster",
    about=_about,
    exposed=False,
)
