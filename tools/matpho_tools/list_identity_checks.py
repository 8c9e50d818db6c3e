"""The identity checks that the caller asked for or decided, and those that wait for them; models do not see it."""

from __future__ import annotations

from matpho_platform.access.conditions import Condition
from matpho_platform.access.policy import Allowed
from matpho_tools.contract import Call, Produced, Tool
from matpho_tools.filters import Paging
from matpho_tools.identity_rows import PART

ACTION = "list_identity_checks"


class ListIdentityChecksArguments(Paging):
    """Which page; `waiting`: only what waits for the caller's decision."""

    waiting: bool = False


async def _run(call: Call[ListIdentityChecksArguments]) -> Produced:
    wanted = call.arguments
    verdict = call.center.policy.decide(call.principal, ACTION, now=call.now)
    page = await call.center.identity.list_for(
        call.principal,
        call.now,
        deciding=isinstance(verdict, Allowed) and Condition.REQUESTER_OR_DECIDER not in verdict.conditions,
        waiting=wanted.waiting,
        limit=wanted.limit,
        offset=wanted.offset,
    )
    return Produced(page, tuple(request.id for request in page.requests))


TOOL = Tool(
    name=ACTION,
    summary="Identity checks of the caller, and those that wait for the caller's decision.",
    arguments=ListIdentityChecksArguments,
    action=ACTION,
    run=_run,
    part_vi=PART[0],
    part_en=PART[1],
    exposed=False,
)
