"""`matpho index SOURCE --camera ID`: a video file, a folder or an RTSP address into the store that cameras fill."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

import typer
from pydantic import SecretStr
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from matpho.commands.ask import HomeOption, JsonOption, as_time
from matpho.home import Home
from matpho.tables import print_json

PASSWORD_VARIABLE = "MATPHO_CAMERA_PASSWORD"  # noqa: S105 - the variable's name


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(index)


def index(
    source: Annotated[str, typer.Argument(help="A video file, a folder of videos or pictures, or rtsp://…")],
    camera: Annotated[str, typer.Option(help="Id under which the camera is known, for example cong-truong-1.")],
    name: Annotated[str, typer.Option(help="Its name for people (default: the id).")] = "",
    area: Annotated[str, typer.Option(help="Code of its area (default: the installation's first).")] = "",
    detector: Annotated[str, typer.Option(help="A shipped detector, an .onnx or a .pt file.")] = "",
    encoder: Annotated[str, typer.Option(help="A shipped encoder or an exported folder.")] = "",
    started_at: Annotated[str, typer.Option(help="When the recording began (RFC 3339).")] = "",
    fps: Annotated[float, typer.Option(min=0.1, max=30, help="Pictures analysed a second.")] = 5.0,
    user: Annotated[str, typer.Option(help=f"The camera's account; password in ${PASSWORD_VARIABLE}.")] = "",
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Index real footage; run again after Ctrl-C to go on, nothing is doubled."""
    from matpho.indexing import IndexOrder
    from matpho.indexing import index as run

    password = os.environ.get(PASSWORD_VARIABLE)
    order = IndexOrder(
        source=source,
        camera_id=camera,
        camera_name=name,
        area=area,
        detector=detector,
        encoder=encoder,
        started_at=as_time(started_at),
        fps=fps,
        username=user,
        password=SecretStr(password) if password else None,
    )
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=json) as bar:
        task = bar.add_task(camera, total=None)
        report = asyncio.run(
            run(
                Home.find(home).make(),
                order,
                lambda step: bar.update(
                    task, completed=step.done, total=step.total, description=f"{camera}: {step.events}"
                ),
            )
        )
    summary = {
        "camera": camera,
        "files": report.files,
        "already_done": report.already_done,
        "pictures": report.frames,
        "analysed": report.analysed,
        "events": report.events,
        "repeats": report.repeats,
        "without_vectors": report.without_vectors,
        "warnings": report.warnings,
    }
    if json:
        print_json(summary)
    else:
        for key, value in summary.items():
            typer.echo(f"{key}: {value}")
