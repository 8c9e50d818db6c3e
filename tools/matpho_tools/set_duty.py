"""Put a person on the duty roster of an area, for pages: whoever may send units there says who is on duty there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from matpho_contracts.ids import ShortId
from matpho_contracts.times import AwareDatetime
from matpho_platform.access.policy import Resource
from matpho_platform.incidents.rosters import Duty, DutyKind
from matpho_tools.contract import Arguments, Call, Produced, Tool

if TYPE_CHECKING:
    from matpho_platform.center import Center


class SetDutyArguments(Arguments):
    """Who is on duty where, as what (a kind of unit, or `duty_officer`), from when to when."""

    area: ShortId
    kind: DutyKind
    user_id: ShortId
    starts_at: AwareDatetime
    ends_at: AwareDatetime


async def _run(call: Call[SetDutyArguments]) -> Produced:
    duty = Duty.model_validate(call.arguments.model_dump())
    kept = await call.center.rosters.set(call.principal, duty, at=call.now)
    return Produced(kept, (kept.id, kept.user_id))


async def _about(center: Center, arguments: SetDutyArguments) -> Sequence[Resource | None]:
    known = center.areas.find(arguments.area) is not None
    return (Resource(lineage=center.areas.lineage(arguments.area)) if known else None,)


TOOL = Tool(
    name="set_duty",
    summary="Put a person on the duty roster.",
    arguments=SetDutyArguments,
    action="dispatch_unit",
    run=_run,
    part_vi="lịch trực",
    part_en="the duty roster",
    about=_about,
    exposed=False,
)
