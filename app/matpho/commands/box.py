"""`matpho box SETTINGS`: run an edge box."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(box)


def box(settings: Annotated[Path, typer.Argument(help="The box's settings, a YAML file.")]) -> None:
    """Watch this box's cameras and send what happens to its center, until stopped."""
    from matpho.box import run_box

    asyncio.run(run_box(settings, lambda cameras: typer.echo(f"box runs, {cameras} cameras")))
