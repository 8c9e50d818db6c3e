"""`identity_check_result`: what the authentication centre said, for the two who asked and decided, until it expires."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from matpho_platform.access.policy import Resource
from matpho_tools.contract import Arguments, Call, Produced, Tool
from matpho_tools.identity_rows import RequestId
from matpho_tools.resources import identity_resource

if TYPE_CHECKING:
    from matpho_platform.center import Center


class IdentityCheckResultArguments(Arguments):
    """Which request."""

    request_id: RequestId


async def _about(center: Center, arguments: IdentityCheckResultArguments) -> Sequence[Resource | None]:
    return (await identity_resource(center, arguments.request_id),)


async def _run(call: Call[IdentityCheckResultArguments]) -> Produced:
    shown = await call.center.identity.result(call.principal, call.arguments.request_id, call.now)
    return Produced(shown, (shown.request.id,))


TOOL = Tool(
    name="identity_check_result",
    summary="Read where an identity request stands and, once answered, the granted fields.",
    arguments=IdentityCheckResultArguments,
    action="identity_check_result",
    run=_run,
    part_vi="trung tâm xác thực",
    part_en="the authentication centre",
    about=_about,
    when_unlogged="stop",
    deadline_s=20.0,
)
