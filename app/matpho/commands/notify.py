"""`matpho notify`: the channels of this installation. Without a word it says what waits; `test` tries one."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from matpho.commands.ask import HomeOption, JsonOption
from matpho.connecting import connect
from matpho.home import Home
from matpho.tables import print_json
from matpho_platform.notify.schemas import Channel


def register(app: typer.Typer) -> None:
    """Add the command and its words."""
    group = typer.Typer(help="How people are told: channels, what waits, a trial.", invoke_without_command=True)
    group.callback()(show)
    group.command("test")(try_out)
    app.add_typer(group, name="notify")


def show(context: typer.Context, json: JsonOption = False, home: HomeOption = None) -> None:
    """Channels of the settings, messages that wait, and alerts that have reached nobody."""
    if context.invoked_subcommand is not None:
        return

    async def ask() -> dict[str, Any]:
        async with connect(Home.find(home).make()) as operator:
            answer: dict[str, Any] = await operator.get("/notify")
            return answer

    found = asyncio.run(ask())
    if json:
        print_json(found)
        return
    typer.echo(f"{'channels':<14} {', '.join(found['channels']) or '-'}")
    for name, number in found["waiting"].items():
        typer.echo(f"{name:<14} {number}")


def try_out(
    channel: Annotated[Channel, typer.Argument(help="The channel.")],
    to: Annotated[str, typer.Option(metavar="USER", help="Whose address on it.")],
    home: HomeOption = None,
) -> None:
    """Send a test notice to somebody over one channel, at once; it ends in an error where that fails."""

    async def send() -> dict[str, Any]:
        async with connect(Home.find(home).make()) as operator:
            answer: dict[str, Any] = await operator.post("/notify/test", {"channel": channel.value, "user": to})
            return answer

    done = asyncio.run(send())
    typer.echo(
        f"{done['channel']}: sent to {done['user']} ({done['addresses']} address{'es' * (done['addresses'] > 1)})"
    )
