"""`matpho procedures`: files checked, walked through, and held against past incidents."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from matpho.home import Home
from matpho.installation import open_installation
from matpho.main import build
from matpho_contracts.errors import BadInputError, ConfigurationError
from matpho_contracts.times import now
from matpho_platform.incidents.procedure_files import SHIPPED

FIRE = str(SHIPPED / "01-chay-khoi.yaml")
PLAIN = """id: QT-THU
title: Thử
event_types: [fire]
steps:
  - {name: Xác minh, role: officer, within_minutes: 2}
  - {name: Báo cáo, role: officer, within_minutes: 10}
"""


def run(*words: str) -> Result:
    result = CliRunner().invoke(build("procedures"), ["procedures", *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


class TestCheck:
    def test_those_that_ship_are_in_order(self) -> None:
        shown = json.loads(run("check", "--json").stdout)["procedures"]
        assert len(shown) == 10
        assert {one["format"] for one in shown} == {2}

    def test_a_wrong_file_is_named_with_line_and_field(self, tmp_path: Path) -> None:
        (tmp_path / "x.yaml").write_text(PLAIN.replace("within_minutes: 10", "within: soon"), encoding="utf-8")
        with pytest.raises(ConfigurationError, match=r"x\.yaml, line 6: steps\.1\.within"):
            run("check", str(tmp_path / "x.yaml"))


class TestDryRun:
    def test_the_way_of_one_answer(self) -> None:
        words = ("--answer", "xac-minh=báo nhầm", "--took", "xac-minh=20s", "--acknowledged", "25s", "--json")
        shown = json.loads(run("dry-run", FIRE, *words).stdout)
        assert [(one["at_s"], one["what"], one["step"]) for one in shown["way"]] == [
            (0.0, "told", ""), (20.0, "done", "xac-minh"), (620.0, "done", "ghi-bao-nham"),
        ]  # fmt: skip

    def test_it_stops_at_a_question_without_an_answer(self) -> None:
        assert "chờ trả lời" in run("dry-run", FIRE).stdout

    @pytest.mark.parametrize("words", [("--answer", "xac-minh"), ("--took", "xac-minh=lâu"), ("--answer", "x=y")])
    def test_what_cannot_be_is_said(self, words: tuple[str, str]) -> None:
        with pytest.raises(BadInputError):
            run("dry-run", FIRE, *words)


class TestReplay:
    def test_a_past_incident_by_another_procedure(self, tmp_path: Path) -> None:
        home = Home(tmp_path / "home").make()
        (tmp_path / "x.yaml").write_text(PLAIN, encoding="utf-8")
        asyncio.run(_fill(home))
        found = run("replay", str(tmp_path / "x.yaml"), "--home", str(home.root), "--json")
        shown: dict[str, Any] = json.loads(found.stdout)
        assert shown["incidents"] == 0
        assert shown["counts"] == {}


async def _fill(home: Home) -> None:
    """An incident without an event: of no type, so that no procedure is held against it."""
    async with open_installation(home) as installation:
        opened = now() - timedelta(hours=2)
        record = {"id": "VV-0101-01", "area": "local", "priority": "high", "opened_at": opened}
        await installation.center.incidents.load(incidents=[record])
        assert len(await installation.center.procedures.all(public_only=False)) == 10
