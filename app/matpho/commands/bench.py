"""`matpho bench edge|search|ingest|agent|audit|sop [--json]`: our figures beside the peers', in one run."""

from __future__ import annotations

import importlib
from typing import Annotated, Any

import typer

from matpho.tables import machine, print_json, print_table

AREAS = ("edge", "search", "ingest", "agent", "audit", "sop")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(bench)


def bench(
    area: Annotated[str, typer.Argument(help="edge, search, ingest, agent, audit or sop")],
    json: Annotated[bool, typer.Option("--json", help="One JSON object with `rows` instead of a table.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Smaller and less precise, for a first look.")] = False,
) -> None:
    """Measure one area beside its peers on this machine."""
    if area not in AREAS:
        raise typer.BadParameter(f"choose one of {', '.join(AREAS)}")
    report: dict[str, Any] = importlib.import_module(f"matpho.bench.{area}").run(quick=quick)
    report = {"bench": area, "machine": machine(), **report}
    if json:
        print_json(report)
    else:
        print_table(f"matpho bench {area}", report)
