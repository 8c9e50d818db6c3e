"""`search_events`: events by free text and filters, best first; with neither text nor objects newest first."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from matpho_platform.events.errors import SearchUnavailableError
from matpho_platform.events.schemas import EventFilter, EventPage
from matpho_tools.contract import Call, Produced, Tool
from matpho_tools.filters import MAX_QUERY_CHARS, FilterArguments, Paging


class SearchEventsArguments(FilterArguments, Paging):
    """The filters, and what is left to describe in words."""

    query: Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_QUERY_CHARS)] = ""


class SearchPage(EventPage):
    """A page of events; `words_searched` is false where the query could not be looked for and filters alone decided."""

    words_searched: bool = True


async def _run(call: Call[SearchEventsArguments]) -> Produced:
    """With the index away the filters still answer, and the result says so; without filters it is a failure."""
    wanted, where = call.arguments, call.arguments.event_filter()
    searched = True
    try:
        page = await _page(call, wanted.query or None, where)
    except SearchUnavailableError:
        if where == EventFilter():
            raise
        page, searched = await _page(call, None, where), False
    result = SearchPage(**dict(page), words_searched=searched)
    return Produced(result, tuple(hit.id for hit in page.hits))


async def _page(call: Call[SearchEventsArguments], query: str | None, where: EventFilter) -> EventPage:
    wanted = call.arguments
    return await call.center.events.search(call.scope, query, where, limit=wanted.limit, offset=wanted.offset)


TOOL = Tool(
    name="search_events",
    summary="Search camera events by free text (Vietnamese or English) and filters, best first.",
    arguments=SearchEventsArguments,
    action="search_events",
    run=_run,
    part_vi="kho sự kiện",
    part_en="the event store",
    names=SearchEventsArguments.named,
    free_text=lambda arguments: (f"tìm {arguments.query}", f"tìm {' '.join(arguments.objects)}"),
)
