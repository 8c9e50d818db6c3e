"""`matpho users`: the accounts of this installation; `matpho users --add ID` makes one or sets a new password."""

from __future__ import annotations

import asyncio
import getpass
import sys
from typing import Annotated, Any

import typer

from matpho.commands.ask import HomeOption, JsonOption
from matpho.connecting import connect
from matpho.home import Home
from matpho.tables import print_json


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(users)


def users(
    add: Annotated[str, typer.Option(metavar="ID", help="Make this account, or set its password.")] = "",
    name: Annotated[str, typer.Option(help="Its name (default: the id).")] = "",
    role: Annotated[str, typer.Option(help="Its role, for example officer.")] = "officer",
    area: Annotated[list[str] | None, typer.Option(help="Its areas (codes).")] = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """List the accounts, or make one; the password is read from the terminal or from standard input."""
    document: dict[str, Any] = {}
    if add:
        password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
        document = {"id": add, "name": name or add, "role": role, "areas": area or [], "password": password}
    accounts = asyncio.run(_users(Home.find(home).make(), document))
    if json:
        print_json({"users": accounts})
        return
    for account in accounts:
        typer.echo(f"{account['id']:<16} {account['role']:<14} {', '.join(account['areas']):<20} {account['name']}")


async def _users(home: Home, document: dict[str, Any]) -> list[dict[str, Any]]:
    async with connect(home) as operator:
        if document:
            await operator.post("/users", document)
        accounts: list[dict[str, Any]] = await operator.get("/users")
        return accounts
