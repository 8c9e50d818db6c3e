"""`matpho eval vision|search|rules [--json]`: what models, search and rules reach on days they never saw."""

from __future__ import annotations

import importlib
from typing import Annotated, Any

import typer

from matpho.tables import machine, print_json, print_table

AREAS = ("vision", "search", "rules")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="eval")(evaluate)


def evaluate(
    area: Annotated[str, typer.Argument(help="vision, search or rules")],
    json: Annotated[bool, typer.Option("--json", help="One JSON object with `rows` instead of a table.")] = False,
    size: Annotated[
        int, typer.Option(min=0, max=100_000, help="Pictures (vision), events (search), seconds (rules); 0: enough.")
    ] = 0,
) -> None:
    """Score the shipped models, the search and the rules on held-out days."""
    if area not in AREAS:
        raise typer.BadParameter(f"choose one of {', '.join(AREAS)}")
    run = importlib.import_module(f"matpho.eval.{area}").run
    report: dict[str, Any] = run(size) if size else run()
    report = {"eval": area, "machine": machine(), **report}
    if json:
        print_json(report)
    else:
        print_table(f"matpho eval {area}", report)
