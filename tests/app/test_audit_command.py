"""`matpho audit`: what an operator and an auditor do with the log, from the command line to the offline verifier."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from matpho.main import build
from matpho_contracts.signing import SigningKey
from matpho_contracts.times import now
from matpho_platform.audit.log import AuditLog
from matpho_platform.audit.offline import VERIFIER
from matpho_platform.audit.schemas import AuditEntry
from matpho_platform.store import open_store

RUNNER = CliRunner()


@pytest.fixture
async def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation whose log has entries already."""
    made = tmp_path / "home"
    for number in range(8):
        entry = AuditEntry(
            user_id=f"u{number % 2}", role="officer", action="search_events", outcome="answered", case_number="VA-1"
        )
        await append(made, entry, {"plate": "30A-123.45"} if number == 3 else None)
    (made / "matpho.yaml").write_text("encoder: none-installed\n")
    return made


async def append(home: Path, entry: AuditEntry, personal: dict[str, str] | None = None) -> None:
    """Into the log, in a life of its own."""
    center = home / "center"
    store = await open_store(center / "center.db")
    log = AuditLog(store, SigningKey.load_or_create(center / "center.pem"), center / "audit")
    await log.open()
    await log.append(entry, personal=personal)
    await log.close()
    await store.close()


def run(home: Path, *arguments: str) -> tuple[int, Any]:
    result = RUNNER.invoke(build("audit"), ["audit", *arguments, "--home", str(home), "--json"])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, json.loads(result.stdout[result.stdout.index("{\n") :])  # log lines may stand before it


def test_from_the_command_line_to_the_auditor(home: Path, tmp_path: Path) -> None:
    witness = tmp_path / "kept"
    shutil.copy(home / "center" / "audit" / "checkpoint", witness)
    code, report = run(home, "verify", "--witness", str(witness))
    assert code == 0
    assert report["intact"] is True
    assert report["witnessed"] == 8
    code, page = run(home, "search", "--subject", "30a 12345")
    assert code == 0
    assert [record["log_index"] for record in page["records"]] == [9, 3]  # this search is about it too
    code, summary = run(home, "export", "--out", str(tmp_path / "x.zip"), "--case", "VA-1", "--witness", str(witness))
    assert code == 0
    assert summary["entries"] == 9  # the export of a case is itself about the case
    command = [sys.executable, "-I", str(VERIFIER), str(tmp_path / "x.zip"), "--key", summary["key"]]
    assert subprocess.run([*command, "--witness", str(witness)], check=False, capture_output=True).returncode == 0
    code, page = run(home, "search", "--actor", f"cli:{_user()}")
    assert [record["entry"]["action"] for record in page["records"]] == [
        "search_audit",
        "audit_export",
        "search_audit",
        "audit_verify",
    ]
    assert "30a" not in json.dumps(page)


def test_a_changed_log_is_told(home: Path) -> None:
    with sqlite3.connect(home / "center" / "center.db") as database:
        database.execute("UPDATE audit_entries SET user_id = 'x' WHERE log_index = 2")
    database.close()
    code, report = run(home, "verify")
    assert code == 1
    assert "Entry 2" in report["problems"][0]


async def test_a_clock_that_went_back_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = now() + timedelta(hours=3)
    with monkeypatch.context() as clock:
        clock.setattr("matpho_platform.audit.batch.now", lambda: ahead)  # the machine's clock, before it was set right
        await append(home, AuditEntry(user_id="u1", role="officer", action="get_clip", outcome="answered"))
    await append(home, AuditEntry(user_id="u1", role="officer", action="get_clip", outcome="answered"))
    code, report = await asyncio.to_thread(run, home, "verify")
    assert code == 1
    assert report["intact"] is True
    assert [line.split(" by ")[0] for line in report["clock"]] == ["At entry 9 the clock went back"]
    shown = await asyncio.to_thread(RUNNER.invoke, build("audit"), ["audit", "verify", "--home", str(home)])
    assert "CLOCK At entry 9 the clock went back by 2:59" in shown.stdout
    assert "intact" in shown.stdout
    assert "NOT" not in shown.stdout


def _user() -> str:
    import getpass

    return getpass.getuser()
