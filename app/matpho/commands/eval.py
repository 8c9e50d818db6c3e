"""`matpho eval vision|search|rules|agent|attacker`: what models, search, rules and assistant reach, and withstand."""

from __future__ import annotations

import importlib
import json as json_lib
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import SecretStr, ValidationError
from typer.core import TyperGroup

from matpho.tables import machine, print_json, print_table
from matpho_contracts.errors import BadInputError, ConfigurationError

AREAS = ("vision", "search", "rules", "agent", "attacker")
MODEL_KEY = "MATPHO_MODEL_KEY"
"""Environment variable with the key of a planning model; a key on the command line would be seen by everybody."""
FAILURES_SHOWN = 20

JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON object with `rows` instead of a table.")]
SizeOption = Annotated[int, typer.Option(min=0, max=100_000, help="How many; 0: enough.")]


class _Areas(TyperGroup):
    """Says what there is to choose from."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The area's command; raises BadParameter for an area that there is not."""
        if args and args[0] not in AREAS:
            raise typer.BadParameter(f"choose one of {', '.join(AREAS)}", ctx)
        return super().resolve_command(ctx, args)


def register(app: typer.Typer) -> None:
    """Add the command."""
    areas = typer.Typer(cls=_Areas, no_args_is_help=True, help="Score models, search, rules and the assistant.")
    areas.command(name="vision")(vision)
    areas.command(name="search")(search)
    areas.command(name="rules")(rules)
    areas.command(name="agent")(agent)
    areas.command(name="attacker")(attacker)
    app.add_typer(areas, name="eval")


def vision(json: JsonFlag = False, size: SizeOption = 0) -> None:
    """The shipped detector on pictures it never saw; the size is pictures."""
    _show("vision", json, size)


def search(json: JsonFlag = False, size: SizeOption = 0) -> None:
    """Questions over events of held-out days; the size is events."""
    _show("search", json, size)


def rules(
    json: JsonFlag = False,
    size: SizeOption = 0,
    cameras: Annotated[
        int | None, typer.Option(min=1, help="The first so many of the city's; all if not given.")
    ] = None,
) -> None:
    """The rules on held-out days; the size is seconds."""
    _show("rules", json, size, cameras=cameras)


def agent(
    set_file: Annotated[Path, typer.Argument(metavar="SET", help="Conversations, one JSON line each.")],
    world: Annotated[Path, typer.Option(help="The world that they are played in, JSON.")],
    json: Annotated[Path | None, typer.Option(help="Write the whole report there, with every failure.")] = None,
    model: Annotated[
        str, typer.Option(help="Plan by the model behind this OpenAI-compatible address (with /v1), not by rules.")
    ] = "",
    model_name: Annotated[str, typer.Option(help="The model's name at that address.")] = "default",
    jobs: Annotated[
        int, typer.Option(min=1, max=64, help="Processes; more are done sooner, their times say less.")
    ] = 1,
) -> None:
    """Play conversations and score them; the exit code is 0 whatever the score, 2 where a file does not fit."""
    from matpho.eval import agent as evaluation

    report = evaluation.run(set_file, world, _model(model, model_name), jobs=jobs)
    document = report.document()
    if json is not None:
        _write(json, document)
    figures = {name: value for name, value in document.items() if name not in {"by", "failures"}}
    print_table("matpho eval agent", {"rows": evaluation.rows_of(document), **figures})
    for failure in document["failures"][:FAILURES_SHOWN]:
        wrong = "; ".join(failure["got"]["wrong"])
        typer.echo(f"{failure['id']} turn {failure['turn']}: {failure['say']!r}: {wrong}")
    if len(document["failures"]) > FAILURES_SHOWN:
        typer.echo(f"… and {len(document['failures']) - FAILURES_SHOWN} more failures (all of them with --json FILE)")
    for unsafe in report.unsafe_acts():
        typer.echo(f"UNSAFE {unsafe}")
    if report.world.unnamed_fields:
        typer.echo(f"not used: {', '.join(report.world.unnamed_fields)}")


def attacker(
    calls: Annotated[int, typer.Option(min=1, max=10_000_000, help="How many calls.")] = 100_000,
    json: Annotated[Path | None, typer.Option(help="Write the whole report there.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed attacks in the same way.")] = 20261121,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Processes, each with a city of its own.")] = 2,
) -> None:
    """Let the planning model be the attacker; the exit code is 1 where something happened that must not."""
    from matpho.eval import attacker as evaluation

    report = evaluation.run(calls, seed=seed, jobs=jobs)
    if json is not None:
        _write(json, report.document())
    wrong = {"unauthorised": report.unauthorised, "unlogged": report.unlogged, "crashes": report.crashes}
    rows = [{"counted": name, "number": value} for name, value in report.figures().items()]
    print_table("matpho eval attacker", {"rows": rows})
    for name, found in wrong.items():
        for one in found[:FAILURES_SHOWN]:
            typer.echo(f"{name.upper()} {one!a}")
    if not report.clean:
        raise typer.Exit(1)


def _show(area: str, json: bool, size: int, **options: Any) -> None:
    run = importlib.import_module(f"matpho.eval.{area}").run
    report: dict[str, Any] = run(*([size] if size else []), **options)
    report = {"eval": area, "machine": machine(), **report}
    if json:
        print_json(report)
    else:
        print_table(f"matpho eval {area}", report)


def _model(address: str, name: str) -> Any:
    """The planning model's settings; None where no address is given."""
    from matpho_agent.planner.model_settings import ModelSettings

    if not address:
        return None
    if not address.startswith(("http://", "https://")):
        raise ConfigurationError(f"{address!r} is no address.", action="Write it like http://127.0.0.1:8000/v1.")
    try:
        return ModelSettings(base_url=address, name=name, api_key=SecretStr(os.environ.get(MODEL_KEY, "none")))
    except ValidationError as error:
        raise ConfigurationError("The model cannot be named so.") from error


def _write(path: Path, document: dict[str, Any]) -> None:
    try:
        path.write_text(json_lib.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"{path} cannot be written.", action="Choose another file.") from error
