"""`matpho users`: the accounts of this installation. Without a word it lists them."""

from __future__ import annotations

import asyncio
import getpass
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from matpho.commands.ask import HomeOption, JsonOption
from matpho.connecting import connect
from matpho.home import Home
from matpho.tables import print_json

UserArgument = Annotated[str, typer.Argument(metavar="ID", help="The account.")]
NameOption = Annotated[str, typer.Option(help="Its name (default: the id).")]
RoleOption = Annotated[str, typer.Option(help="Its role, for example officer.")]
AreaOption = Annotated[list[str] | None, typer.Option(help="Its areas (codes).")]


def register(app: typer.Typer) -> None:
    """Add the command and its words."""
    group = typer.Typer(help="The accounts of this installation.", invoke_without_command=True)
    group.callback()(users)
    for command in (add, password, invite, disable, enable, token, reset_factors):
        group.command()(command)
    app.add_typer(group, name="users")


def users(
    context: typer.Context,
    add: Annotated[str, typer.Option(metavar="ID", hidden=True)] = "",
    name: NameOption = "",
    role: RoleOption = "officer",
    area: AreaOption = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """List the accounts."""
    if context.invoked_subcommand is not None:
        return
    if add:
        document = {"id": add, "name": name or add, "role": role, "areas": area or [], "password": _password()}
        _post(home, "/users", document)
    accounts = asyncio.run(_get(home))
    if json:
        print_json({"users": accounts})
        return
    for account in accounts:
        typer.echo(f"{account['id']:<16} {account['role']:<14} {', '.join(account['areas']):<20} {account['name']}")


def add(
    user: UserArgument,
    name: NameOption = "",
    role: RoleOption = "officer",
    area: AreaOption = None,
    invite: Annotated[bool, typer.Option(help="Give an invitation instead of setting a password.")] = False,
    home: HomeOption = None,
) -> None:
    """Make an account; its password is read from the terminal or from standard input."""
    document: dict[str, Any] = {"id": user, "name": name or user, "role": role, "areas": area or []}
    made = _post(home, "/users", document if invite else {**document, "password": _password()})
    typer.echo(made.get("invitation", user))


def password(user: UserArgument, home: HomeOption = None) -> None:
    """Set an account's password; what it has open ends."""
    found = next((one for one in asyncio.run(_get(home)) if one["id"] == user), None)
    if found is None:
        typer.echo(f"There is no account {user}.", err=True)
        raise typer.Exit(2)
    _post(home, "/users", {**found, "password": _password()})


def invite(user: UserArgument, home: HomeOption = None) -> None:
    """An invitation: whoever has it sets the account's password on the web, once, within three days."""
    typer.echo(_post(home, f"/users/{user}/invitation")["invitation"])


def disable(user: UserArgument, home: HomeOption = None) -> None:
    """Shut an account and end what it has open."""
    _post(home, f"/users/{user}/disable")


def enable(user: UserArgument, home: HomeOption = None) -> None:
    """Open a shut account again."""
    _post(home, f"/users/{user}/enable")


def token(
    user: UserArgument,
    name: Annotated[str, typer.Option(help="What the token is for.")] = "cli",
    action: Annotated[list[str] | None, typer.Option(help="Only these actions.")] = None,
    area: Annotated[list[str] | None, typer.Option(help="Only these areas of the account's.")] = None,
    days: Annotated[int, typer.Option(min=1, max=90, help="How long it is good.")] = 30,
    home: HomeOption = None,
) -> None:
    """Make an API token and show it, this once."""
    document = {"name": name, "actions": action or None, "areas": area or None, "days": days}
    typer.echo(_post(home, f"/users/{user}/tokens", document)["token"])


def reset_factors(user: UserArgument, home: HomeOption = None) -> None:
    """Take an account's second factors away (a lost telephone); what it has open ends."""
    _post(home, f"/users/{user}/reset-factors")


def _password() -> str:
    return getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


def _post(home: Path | None, path: str, document: dict[str, Any] | None = None) -> dict[str, Any]:
    async def send() -> dict[str, Any]:
        async with connect(Home.find(home).make()) as operator:
            answer: dict[str, Any] = await operator.post(path, document)
            return answer

    return asyncio.run(send())


async def _get(home: Path | None) -> list[dict[str, Any]]:
    async with connect(Home.find(home).make()) as operator:
        accounts: list[dict[str, Any]] = await operator.get("/users")
        return accounts
