"""`matpho serve`: run this installation's center until stopped."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from matpho.commands.ask import HomeOption
from matpho.home import Home


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(serve)


def serve(
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Instead of the settings' port; 0 is any.")] = None,
    home: HomeOption = None,
) -> None:
    """Serve people and boxes: the web, the API, the command line's socket."""
    from matpho.serving import serve as run

    asyncio.run(run(Home.find(home).make(), port=port, ready=lambda url: typer.echo(f"Matpho: {url}")))
