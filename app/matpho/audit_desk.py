"""The operator's side of `matpho audit`: verify, export and search the log of an open center; each is on the log."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict

from matpho_contracts.times import AwareDatetime
from matpho_platform.audit.export import Wanted, export_audit
from matpho_platform.audit.log import AuditLog
from matpho_platform.audit.schemas import AuditEntry
from matpho_platform.audit.witness import Witnessed, read_witness
from matpho_platform.center import Center


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Verify(_Body):
    """Files of heads that somebody kept."""

    witnesses: tuple[Path, ...] = ()


class Export(_Body):
    """What goes into an archive, and where it is written."""

    out: Path
    time_from: AwareDatetime | None = None
    time_to: AwareDatetime | None = None
    case_number: str = ""
    subject: str = ""
    witnesses: tuple[Path, ...] = ()


class Search(_Body):
    """What is looked for."""

    actor: str = ""
    action: str = ""
    subject: str = ""
    outcome: str = ""
    decision: str = ""
    case_number: str = ""
    time_from: AwareDatetime | None = None
    time_to: AwareDatetime | None = None
    limit: int = 50
    offset: int = 0


def add_audit_routes(app: FastAPI, center: Center, channel: str) -> None:
    """Add the three to the operator's API; `channel` names who sits at the command line."""

    async def note(action: str, arguments: dict[str, Any], personal: dict[str, str] | None = None) -> None:
        shown = {name: value for name, value in arguments.items() if value}
        entry = AuditEntry(user_id=channel, role="operator", action=action, outcome="answered", channel=channel)
        update = {"arguments": shown, "case_number": str(shown.pop("case_number", ""))}
        await center.audit.append(entry.model_copy(update=update), personal=personal)

    @app.post("/audit/verify")
    async def verify(asked: Verify) -> dict[str, Any]:
        heads = await _heads(center.audit, asked.witnesses)
        await note("audit_verify", {"witnesses": len(heads)})
        report = await center.audit.verify(heads)
        return {"intact": report.intact, **report.model_dump(mode="json")}

    @app.post("/audit/export")
    async def export(asked: Export) -> dict[str, Any]:
        heads = await _heads(center.audit, asked.witnesses)
        wanted = Wanted(**asked.model_dump(exclude={"out", "witnesses"}))
        said = wanted.model_dump(mode="json", exclude={"subject"})
        await note("audit_export", said, {"subject": asked.subject} if asked.subject else None)
        summary = await export_audit(center.audit, asked.out, wanted, witnesses=heads, policies=center.policy.folder)
        return summary.model_dump(mode="json")

    @app.post("/audit/search")
    async def search(asked: Search) -> dict[str, Any]:
        said = asked.model_dump(mode="json", exclude={"subject"})
        await note("search_audit", said, {"subject": asked.subject} if asked.subject else None)
        page = await center.audit.search(**asked.model_dump())
        return page.model_dump(mode="json")


async def _heads(log: AuditLog, files: tuple[Path, ...]) -> list[Witnessed]:
    heads: list[Witnessed] = []
    for path in files:
        heads += await asyncio.to_thread(read_witness, path, log.key.public)
    return heads
