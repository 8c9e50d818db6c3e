"""`list_procedures`: procedures, and the passages of them that answer a question."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from matpho_platform.access.policy import Denied, Facts, Resource
from matpho_tools.contract import Call, Produced, Tool
from matpho_tools.filters import MAX_QUERY_CHARS, Paging

ACTION = "list_procedures"


class ListProceduresArguments(Paging):
    """A question or a few words, in Vietnamese (with or without marks) or English; empty lists all."""

    query: Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_QUERY_CHARS)] = ""


async def _run(call: Call[ListProceduresArguments]) -> Produced:
    wanted, center = call.arguments, call.center
    hidden = center.policy.decide(call.principal, ACTION, Resource(public=False), Facts(), call.now)
    aliases = [(alias, unit.name) for unit in await center.units.all() for alias in unit.aliases]
    page = await center.procedures.search(
        wanted.query,
        public_only=isinstance(hidden, Denied),
        aliases=aliases,
        limit=wanted.limit,
        offset=wanted.offset,
    )
    return Produced(page, tuple(procedure.id for procedure in page.procedures))


TOOL = Tool(
    name=ACTION,
    summary="Find operating procedures and the passages in them that answer a question.",
    arguments=ListProceduresArguments,
    action=ACTION,
    run=_run,
    part_vi="kho quy trình",
    part_en="the procedures",
    free_text=lambda arguments: (arguments.query,),
)
