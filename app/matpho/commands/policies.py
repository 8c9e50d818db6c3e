"""`matpho policies check|reload`: policy files held against the schema and against those that ship, and put to work."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from matpho.commands.ask import HomeOption, JsonOption
from matpho.connecting import center_is_running, connect
from matpho.home import Home
from matpho.policy_words import cell_sentence, rule_sentence
from matpho.tables import print_json
from matpho_contracts.errors import UnavailableError
from matpho_platform.access.policy_files import DEFAULT_FOLDER, PolicyBook, read_policies
from matpho_platform.access.policy_table import Cell, Reach, changed_cells, changed_rules, table
from matpho_platform.access.principal import Role

_FolderArgument = Annotated[Path, typer.Argument(metavar="FOLDER", help="The policy files to look at.")]
_MARKS = {Reach.NO: "-", Reach.OWN: "own", Reach.ALL: "all", Reach.OTHER: "some"}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="The policy files: check a folder, put changed ones to work.", no_args_is_help=True)
    group.command()(check)
    group.command()(reload)
    app.add_typer(group, name="policies")


def check(
    folder: _FolderArgument,
    matrix: Annotated[bool, typer.Option("--matrix", help="Show the whole table of who may what.")] = False,
    json: JsonOption = False,
) -> None:
    """Read a folder as a center would, and say what it changes against the policies that ship.

    Changes nothing. Exit code 2 when a center would not take the files; the message says which policy it is.
    """
    book, shipped = read_policies(folder), read_policies(DEFAULT_FOLDER)
    if json:
        print_json(_document(book, shipped))
        return
    typer.echo(f"Chính sách hợp lệ: {len(book.rules)} chính sách, {len(book.actions)} hành động, {book.version}.")
    typer.echo(f"The policies are in order: {len(book.rules)} policies, {len(book.actions)} actions, {book.version}.")
    if matrix:
        _show(book)
    sentences = [cell_sentence(change) for change in changed_cells(shipped, book)]
    sentences += [rule_sentence(change) for change in changed_rules(shipped, book)]
    if not sentences:
        typer.echo("Không có gì khác với chính sách đi kèm phần mềm. Nothing is different from those that ship.")
    for vi, en in sentences:
        typer.echo(f"- {vi}\n  {en}")


def reload(json: JsonOption = False, home: HomeOption = None) -> None:
    """Have the running center read its policy files again; broken ones are refused and the old ones go on deciding."""
    answer = asyncio.run(_reload(Home.find(home).make()))
    if json:
        print_json(answer)
    elif answer["version"] == answer["before"]:
        typer.echo(f"Không có gì thay đổi. Nothing has changed: {answer['version']}")
    else:
        typer.echo(f"{answer['before']} -> {answer['version']}")


async def _reload(home: Home) -> dict[str, Any]:
    if not center_is_running(home):
        raise UnavailableError(
            f"No center is running in {home.root}.", action="A center reads its policies when it starts."
        )
    async with connect(home) as operator:
        answer: dict[str, Any] = await operator.post("/policies/reload")
        return answer


def _document(book: PolicyBook, shipped: PolicyBook) -> dict[str, Any]:
    rules = changed_rules(shipped, book)
    return {
        "version": book.version,
        "shipped": shipped.version,
        "policies": len(book.rules),
        "table": [{"action": action, "role": role, **_plain(cell)} for (action, role), cell in table(book).items()],
        "changed": [
            {"action": one.action, "role": one.role, "before": _plain(one.before), "after": _plain(one.after)}
            for one in changed_cells(shipped, book)
        ],
        "added": [one.name for one in rules if one.before is None],
        "removed": [one.name for one in rules if one.after is None],
        "rewritten": [one.name for one in rules if one.before is not None and one.after is not None],
    }


def _plain(cell: Cell) -> dict[str, Any]:
    return {
        "reach": cell.reach,
        "conditions": sorted(cell.conditions),
        "second_factor": cell.second_factor,
    }


def _show(book: PolicyBook) -> None:
    """The table for a terminal: `+` stands for conditions, `*` for a fresh second factor."""
    cells = table(book)
    typer.echo(f"{'':<24}" + "".join(f"{role:<14}" for role in Role))
    for action in sorted(book.actions):
        row = [cells[action, role] for role in Role]
        marks = [_MARKS[cell.reach] + "+" * bool(cell.conditions) + "*" * cell.second_factor for cell in row]
        typer.echo(f"{action:<24}" + "".join(f"{mark:<14}" for mark in marks))
