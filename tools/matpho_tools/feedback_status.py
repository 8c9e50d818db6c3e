"""`feedback_status`: where a citizen's report stands and what was done, by its tracking code."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from matpho_tools.contract import Arguments, Call, MissingError, Produced, Tool

OFFERED = 5
"""Own reports that are offered where no code was said."""
Code = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class FeedbackStatusArguments(Arguments):
    """The code on the receipt."""

    code: Code | None = None


async def _run(call: Call[FeedbackStatusArguments]) -> Produced:
    """Who may read the words of a report is decided by the service; a code alone shows where it stands."""
    if call.arguments.code is None:
        own = await call.center.feedback.own(call.principal)
        raise MissingError("code", "say the report's code", own[:OFFERED])
    state = await call.center.feedback.status(call.principal, call.arguments.code, at=call.now)
    return Produced(state, (state.code,))


TOOL = Tool(
    name="feedback_status",
    summary="Tell where a citizen's report stands and what was done, by its tracking code.",
    arguments=FeedbackStatusArguments,
    action="feedback_status",
    run=_run,
    part_vi="bộ phận tiếp nhận phản ánh",
    part_en="the report desk",
)
