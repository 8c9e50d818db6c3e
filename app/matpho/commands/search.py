"""`matpho search "…" [--json]`: the search itself, without a conversation."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from matpho.commands.ask import HomeOption, JsonOption, UserOption
from matpho.connecting import connect
from matpho.home import Home
from matpho.tables import print_json
from matpho_contracts.errors import MatphoError
from matpho_contracts.times import VIETNAM, from_rfc3339


class SearchFailedError(MatphoError):
    """The gateway did not answer the search; its message says why."""

    code = "search_failed"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(search)


def search(
    query: Annotated[str, typer.Argument(help="What to look for, in Vietnamese or English.")] = "",
    json: JsonOption = False,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 10,
    event_type: Annotated[list[str] | None, typer.Option(help="Only these event types.")] = None,
    object_: Annotated[list[str] | None, typer.Option("--object", help="Only with one of these objects.")] = None,
    color: Annotated[list[str] | None, typer.Option(help="Only with one of these colours.")] = None,
    camera: Annotated[list[str] | None, typer.Option(help="Only these cameras (ids).")] = None,
    area: Annotated[list[str] | None, typer.Option(help="Only these areas (codes).")] = None,
    time_from: Annotated[str, typer.Option(help="RFC 3339, for example 2026-11-21T06:00:00+07:00.")] = "",
    time_to: Annotated[str, typer.Option(help="RFC 3339.")] = "",
    user: UserOption = "commander",
    home: HomeOption = None,
) -> None:
    """Search the events."""
    given: dict[str, Any] = {
        "query": query,
        "event_types": event_type,
        "objects": object_,
        "colors": color,
        "camera_ids": camera,
        "areas": area,
        "time_from": time_from,
        "time_to": time_to,
    }
    arguments = {name: value for name, value in given.items() if value} | {"limit": limit}
    result = asyncio.run(_search(Home.find(home).make(), user, arguments))
    if json:
        print_json(result)
    elif result["outcome"] != "answered":
        raise SearchFailedError(result["message_en"])
    else:
        _show(result["data"])


async def _search(home: Home, user: str, arguments: dict[str, Any]) -> dict[str, Any]:
    async with connect(home) as operator:
        document = {"user": user, "tool": "search_events", "arguments": arguments}
        result: dict[str, Any] = await operator.post("/tools", document)
        return result


def _show(page: dict[str, Any]) -> None:
    for hit in page["hits"]:
        at = from_rfc3339(hit["time"]).astimezone(VIETNAM).strftime("%d/%m/%Y %H:%M:%S")
        mark = " " if hit["certain"] else "?"
        typer.echo(f"{at} {mark} {hit['camera_id']:<20} {hit['type']:<16} {hit['caption_vi']}  [{hit['id']}]")
    possible = f" (?: {page['possible']})" if page["possible"] else ""
    typer.echo(f"{len(page['hits'])} / {page['total']}{possible}")
