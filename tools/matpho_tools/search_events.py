"""`search_events`: events by free text and filters, best first; without text newest first."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from matpho_tools.contract import Call, Produced, Tool
from matpho_tools.filters import MAX_QUERY_CHARS, FilterArguments, Paging


class SearchEventsArguments(FilterArguments, Paging):
    """The filters, and what is left to describe in words."""

    query: Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_QUERY_CHARS)] = ""


async def _run(call: Call[SearchEventsArguments]) -> Produced:
    wanted = call.arguments
    page = await call.center.events.search(
        call.scope, wanted.query or None, wanted.event_filter(), limit=wanted.limit, offset=wanted.offset
    )
    return Produced(page, tuple(hit.id for hit in page.hits))


TOOL = Tool(
    name="search_events",
    summary="Search camera events by free text (Vietnamese or English) and filters; without query newest first.",
    arguments=SearchEventsArguments,
    action="search_events",
    run=_run,
    part_vi="kho sự kiện",
    part_en="the event store",
    names=SearchEventsArguments.named,
    free_text=lambda arguments: (arguments.query,),
)
