"""`matpho demo`: a whole city on one machine, with an address to open and a sign-in for each role."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from matpho.commands.ask import HomeOption
from matpho.home import Home


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where the page is served on this machine.")] = 8080,
    cameras: Annotated[int, typer.Option(min=1, max=12, help="How many simulated cameras.")] = 8,
    seed: Annotated[str, typer.Option(help="Another seed is another day.")] = "1",
    detector: Annotated[str, typer.Option(help="A shipped detector, an .onnx or a .pt file.")] = "city-detector",
    home: HomeOption = None,
) -> None:
    """Start simulated cameras, an edge box, the center and the assistant; Ctrl-C stops everything."""
    from matpho.demo.demo import run

    asyncio.run(run(Home.find(home).make(), port=port, cameras=cameras, seed=seed, detector=detector))
