"""`matpho audit verify|export|search`: the audit log checked, handed to an auditor, read."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from matpho.commands.ask import HomeOption, JsonOption
from matpho.connecting import connect
from matpho.home import Home
from matpho.tables import print_json
from matpho_contracts.times import VIETNAM, from_rfc3339

WitnessOption = Annotated[
    list[Path] | None,
    typer.Option("--witness", help="A checkpoint kept elsewhere: a signed note, or a copy of checkpoints.jsonl."),
]
FromOption = Annotated[str, typer.Option("--from", help="RFC 3339, for example 2026-11-21T06:00:00+07:00.")]
ToOption = Annotated[str, typer.Option("--to", help="RFC 3339.")]
CaseOption = Annotated[str, typer.Option("--case", help="Only entries of this case number.")]
SubjectOption = Annotated[str, typer.Option(help="An id, or the plate, number or name that entries are about.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    audit = typer.Typer(help="The audit log: verify it, export it, search it.", no_args_is_help=True)
    audit.command()(verify)
    audit.command()(export)
    audit.command()(search)
    app.add_typer(audit, name="audit")


def verify(witness: WitnessOption = None, json: JsonOption = False, home: HomeOption = None) -> None:
    """Hash the whole log again and hold it against its checkpoints, its tiles and what witnesses kept.

    Exit code 1 when anything is not as it was signed, or when the log's clock went back.
    """
    report = _post(home, "/audit/verify", {"witnesses": [str(path.resolve()) for path in witness or []]})
    if json:
        print_json(report)
    else:
        typer.echo(f"entries: {report['entries']}, checkpoints: {report['checkpoints']}, tiles: {report['tiles']}")
        typer.echo(f"root: {report['root']}")
        if witness:
            typer.echo(f"grown from the {report['witnessed']} entries that a witness saw")
        for problem in report["problems"]:
            typer.echo(f"  BROKEN {problem}")
        for change in report["clock"]:
            typer.echo(f"  CLOCK {change}")
        typer.echo("intact" if report["intact"] else "NOT intact")
    if not report["intact"] or report["clock"]:
        raise typer.Exit(1)


def export(
    out: Annotated[Path, typer.Option("--out", help="The archive to write.")],
    time_from: FromOption = "",
    time_to: ToOption = "",
    case: CaseOption = "",
    subject: SubjectOption = "",
    witness: WitnessOption = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Write entries with their proofs, the key, the policies and a verifier into one archive.

    Whoever gets it runs `python verify_audit.py ARCHIVE --key KEY`; give them the key by another way than the archive.
    """
    document = {
        "out": str(out.resolve()),
        "time_from": time_from or None,
        "time_to": time_to or None,
        "case_number": case,
        "subject": subject,
        "witnesses": [str(path.resolve()) for path in witness or []],
    }
    summary = _post(home, "/audit/export", document)
    if json:
        print_json(summary)
        return
    typer.echo(f"{summary['entries']} of {summary['size']} entries in {summary['path']}")
    typer.echo(f"key: {summary['key']}")


def search(
    actor: Annotated[str, typer.Option(help="Only what this user did.")] = "",
    action: Annotated[str, typer.Option(help="Only this tool or act.")] = "",
    subject: SubjectOption = "",
    outcome: Annotated[str, typer.Option(help="answered, denied, refused, failed, clarify, confirm.")] = "",
    decision: Annotated[str, typer.Option(help="allowed, denied, refused, confirm, none.")] = "",
    case: CaseOption = "",
    time_from: FromOption = "",
    time_to: ToOption = "",
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    offset: Annotated[int, typer.Option(min=0)] = 0,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Show entries, newest first."""
    document = {
        "actor": actor,
        "action": action,
        "subject": subject,
        "outcome": outcome,
        "decision": decision,
        "case_number": case,
        "time_from": time_from or None,
        "time_to": time_to or None,
        "limit": limit,
        "offset": offset,
    }
    page = _post(home, "/audit/search", document)
    if json:
        print_json(page)
        return
    for record in page["records"]:
        entry = record["entry"]
        at = from_rfc3339(entry["at"]).astimezone(VIETNAM).strftime("%d/%m/%Y %H:%M:%S")
        rule = f" ({entry['rule']})" if entry["rule"] else ""
        typer.echo(
            f"{record['log_index']:>8} {at} {entry['user_id']:<16} {entry['action']:<22} "
            f"{entry['decision']:<8} {entry['outcome']}{rule}"
        )
    typer.echo(f"{len(page['records'])} / {page['total']}")


def _post(home: Path | None, path: str, document: dict[str, Any]) -> dict[str, Any]:
    async def call() -> dict[str, Any]:
        async with connect(Home.find(home).make()) as operator:
            answer: dict[str, Any] = await operator.post(path, document)
            return answer

    return asyncio.run(call())
