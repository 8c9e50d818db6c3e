"""`matpho verify`: every stored event, still and audit entry against what was signed."""

from __future__ import annotations

import asyncio
from typing import Any

import typer

from matpho.commands.ask import HomeOption, JsonOption
from matpho.connecting import connect
from matpho.home import Home
from matpho.tables import print_json


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(verify)


def verify(json: JsonOption = False, home: HomeOption = None) -> None:
    """Check all that is stored; exit code 1 when anything is not as it was signed."""
    report = asyncio.run(_verify(Home.find(home).make()))
    if json:
        print_json(report)
    else:
        events, audit = report["events"], report["audit"]
        typer.echo(f"events: {events['events']}, stills: {events['stills']}, altered: {len(events['findings'])}")
        for finding in events["findings"]:
            typer.echo(f"  ALTERED {finding['event_id']}: {finding['problem']}")
        typer.echo(f"audit entries: {audit['entries']}, problems: {len(audit['problems'])}")
        for problem in audit["problems"]:
            typer.echo(f"  {problem}")
    if not report["intact"]:
        raise typer.Exit(1)


async def _verify(home: Home) -> dict[str, Any]:
    async with connect(home) as operator:
        report: dict[str, Any] = await operator.post("/verify")
        return report
