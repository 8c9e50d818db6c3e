"""`matpho ask "…" --as USER [--json]`: one question to the assistant, as an account of this installation."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from matpho.connecting import connect
from matpho.home import Home
from matpho.tables import print_json
from matpho_contracts.errors import BadInputError
from matpho_contracts.times import from_rfc3339

HomeOption = Annotated[Path | None, typer.Option("--home", help="Folder of the installation ($MATPHO_HOME, .matpho).")]
UserOption = Annotated[str, typer.Option("--as", metavar="USER", help="The account to act as; see `matpho users`.")]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(ask)


def ask(
    text: Annotated[str, typer.Argument(help="The question, in Vietnamese or English.")],
    user: UserOption = "commander",
    json: JsonOption = False,
    now: Annotated[str, typer.Option(help="Pretend that it is this time (RFC 3339).")] = "",
    home: HomeOption = None,
) -> None:
    """Ask the assistant."""
    answer = asyncio.run(_ask(Home.find(home).make(), user, text, as_time(now)))
    if json:
        print_json(answer)
    else:
        typer.echo(answer["answer"])


def as_time(text: str) -> datetime | None:
    """An option's RFC 3339 time, None where it is empty; raises BadInputError."""
    if not text:
        return None
    try:
        return from_rfc3339(text)
    except ValueError as error:
        raise BadInputError(f"{text!r} is no time.", action="Write it like 2026-11-21T14:30:00+07:00.") from error


async def _ask(home: Home, user: str, text: str, now: datetime | None) -> dict[str, Any]:
    async with connect(home) as operator:
        document = {"user": user, "text": text, "now": now.isoformat() if now else None}
        answer: dict[str, Any] = await operator.post("/ask", document)
        return answer
