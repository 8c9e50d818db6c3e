"""`matpho procedures check|dry-run|replay`: procedure files read, walked through, and held against past incidents."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError

from matpho.commands.ask import HomeOption, JsonOption, UserOption
from matpho.connecting import connect
from matpho.home import Home
from matpho.tables import print_json
from matpho_contracts.errors import BadInputError, UnavailableError
from matpho_contracts.times import now
from matpho_platform.incidents.procedure import Procedure, Seconds, StepKind
from matpho_platform.incidents.procedure_files import SHIPPED, read_procedure, read_procedures
from matpho_platform.incidents.rehearsal import Course, Happening, rehearse, replay
from matpho_platform.incidents.schemas import IncidentDetail, Priority

PAGE = 100
_SECONDS: TypeAdapter[int] = TypeAdapter(Seconds)
_WORDS = {
    "told": ("báo cho", "told:"),
    "done": ("xong", "done:"),
    "overdue": ("QUÁ HẠN", "OVERDUE:"),
    "asks": ("chờ trả lời", "waits for an answer:"),
    "unfinished": ("chưa xong khi kết thúc", "not done at the end:"),
}
_FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="A procedure, YAML.")]
_PairOption = Annotated[list[str] | None, typer.Option(metavar="STEP=ANSWER", help="An answer to a step that asks.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Procedures: check files, walk through one, replay past incidents.", no_args_is_help=True)
    group.command()(check)
    group.command(name="dry-run")(dry_run)
    group.command(name="replay")(replay_past)
    app.add_typer(group, name="procedures")


def check(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A file, or a folder of them.")] = SHIPPED,
    json: JsonOption = False,
) -> None:
    """Read procedures as a center would; without a path, those that ship.

    Exit code 2 for a file that is none; the message says which line and field.
    """
    found = read_procedures(path) if path.is_dir() else (read_procedure(path),)
    if json:
        print_json({"procedures": [_summary(one) for one in found]})
        return
    for one in found:
        kinds = Counter(step.kind for step in one.steps)
        said = ", ".join(f"{kinds[kind]} {kind.value}" for kind in StepKind if kinds[kind])
        typer.echo(f"{one.id:<16} {one.title}: {len(one.steps)} bước / steps ({said})")
    typer.echo(f"Hợp lệ / in order: {len(found)}")


def dry_run(
    file: _FileArgument,
    answer: _PairOption = None,
    took: Annotated[
        list[str] | None, typer.Option(metavar="STEP=2m", help="How long a step takes; else all of its time.")
    ] = None,
    acknowledged: Annotated[str, typer.Option(help="After how long somebody acknowledges (45s); empty: nobody.")] = "",
    priority: Annotated[Priority | None, typer.Option(help="Else that of the procedure.")] = None,
    json: JsonOption = False,
) -> None:
    """Walk through a procedure on paper: who is told when, which steps come, what is overdue. Touches nothing."""
    procedure = read_procedure(file)
    course = Course(
        priority or procedure.priority,
        _pairs(answer),
        {step: float(_duration(said)) for step, said in _pairs(took).items()},
        float(_duration(acknowledged)) if acknowledged else None,
    )
    way = rehearse(procedure, course)
    if json:
        print_json({"procedure": procedure.id, "priority": course.priority, "way": [asdict(one) for one in way]})
    else:
        typer.echo(f"{procedure.title} ({procedure.id}), {course.priority.value}")
        _show(way)


def replay_past(
    file: _FileArgument,
    user: UserOption = "commander",
    days: Annotated[int, typer.Option(min=1, max=3650, help="How far back.")] = 30,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Hold a procedure against the past incidents of its event types: what it would have told whom, what was late."""
    procedure = read_procedure(file)
    past = asyncio.run(_past(Home.find(home).make(), user, procedure, days))
    ways = {one.id: replay(procedure, one, now()) for one in past}
    counts = Counter(happening.what for way in ways.values() for happening in way)
    if json:
        shown = {name: [asdict(one) for one in way] for name, way in ways.items()}
        print_json({"procedure": procedure.id, "incidents": len(ways), "counts": counts, "ways": shown})
        return
    for name, way in ways.items():
        typer.echo(f"{name}:")
        _show(way)
    said = ", ".join(f"{what} {count}" for what, count in sorted(counts.items()))
    typer.echo(f"{len(ways)} vụ việc / incidents: {said or 'không có gì / nothing'}")


async def _past(home: Home, user: str, procedure: Procedure, days: int) -> list[IncidentDetail]:
    """Incidents as that account may see them, through the tools."""
    since = (now() - timedelta(days=days)).isoformat()
    async with connect(home) as operator:

        async def call(tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
            result = await operator.post("/tools", {"user": user, "tool": tool, "arguments": arguments})
            if result["outcome"] != "answered":
                raise UnavailableError(f"{tool}: {result['outcome']} ({result.get('rule') or result.get('message')}).")
            found: dict[str, Any] = result["data"]
            return found

        page = await call("list_incidents", {"time_from": since, "limit": PAGE})
        wanted = [one["id"] for one in page["incidents"] if one["type"] in procedure.event_types]
        return [IncidentDetail.model_validate(await call("get_incident", {"incident_id": name})) for name in wanted]


def _pairs(given: Sequence[str] | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in given or ():
        name, sign, value = one.partition("=")
        if not sign:
            raise BadInputError(f"{one!r} is no pair.", action="Write it like step=value.")
        found[name] = value
    return found


def _duration(said: str) -> int:
    try:
        return _SECONDS.validate_python(said)
    except ValidationError as error:
        raise BadInputError(f"{said!r} is no time.", action="Write it like 90s, 2m, 4h or 1d.") from error


def _show(way: Sequence[Happening]) -> None:
    for one in way:
        vi, en = _WORDS[one.what]
        hours, rest = divmod(int(one.at_s), 3600)
        typer.echo(f"  +{hours:d}:{rest // 60:02d}:{rest % 60:02d}  {vi} / {en} {one.words}")


def _summary(one: Procedure) -> dict[str, Any]:
    return {"id": one.id, "title": one.title, "format": one.format, "steps": [step.id for step in one.steps]}
