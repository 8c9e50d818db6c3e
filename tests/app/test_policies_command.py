"""`matpho policies`: a folder held against the files that ship; a running center takes changed ones or refuses them."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from matpho.connecting import RemoteError
from matpho.home import Home
from matpho.installation import Installation, open_installation
from matpho.main import build
from matpho.policy_words import ACTIONS, CONDITIONS
from matpho.serving import serve_owner
from matpho_contracts.errors import ConfigurationError, UnavailableError
from matpho_platform.access.conditions import Condition
from matpho_platform.access.policy_files import DEFAULT_FOLDER, read_policies

NO_BRIEFING = """
@id("local.no_briefing")
@rule("no_briefing")
forbid (principal in Role::"leader", action == Action::"daily_briefing", resource);
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(DEFAULT_FOLDER, tmp_path / "policies")


def run(*words: str) -> Result:
    result = CliRunner().invoke(build("policies"), ["policies", *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def rewrite(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


class TestCheck:
    def test_a_copy_changes_nothing(self, folder: Path) -> None:
        rewrite(folder / "incidents.cedar", "// An officer reads", "// A note: an officer reads")
        shown = run("check", str(folder)).stdout
        assert "54 chính sách, 28 hành động, cedar-" in shown
        assert "Nothing is different" in shown

    def test_what_a_role_gains_and_loses_is_said_in_both_languages(self, folder: Path) -> None:
        rewrite(folder / "briefing.cedar", 'principal in Role::"officer"', 'principal in Role::"auditor"')
        shown = run("check", str(folder)).stdout
        assert "- Cán bộ địa bàn đọc bản tin: không được (trước: trong địa bàn của mình)." in shown
        assert "  Officers of the area, read the briefing: may not (before: in own areas)." in shown
        assert "- Kiểm toán viên đọc bản tin: trong địa bàn của mình (trước: không được)." in shown
        assert "- Chính sách «briefing.officer» (cho phép): sửa. Về: đọc bản tin." in shown

    def test_a_condition_and_a_second_factor_are_told(self, folder: Path) -> None:
        rewrite(folder / "search.cedar", '@conditions("no_plates,no_thumbnails_of_people")', '@conditions("no_plates")')
        rewrite(folder / "sessions.cedar", "context has mfa_minutes && context.mfa_minutes <= 5", "true")
        document = json.loads(run("check", str(folder), "--json").stdout)
        before = {"reach": "all", "conditions": ["no_plates", "no_thumbnails_of_people"], "second_factor": False}
        changed = {(one["action"], one["role"]): one for one in document["changed"]}
        assert changed["get_event", "leader"]["before"] == before
        assert changed["get_event", "leader"]["after"] == {**before, "conditions": ["no_plates"]}
        assert changed["export_evidence", "commander"]["before"]["second_factor"] is True
        assert changed["export_evidence", "commander"]["after"]["second_factor"] is False
        assert {action for action, role in changed if role == "leader"} == {
            "search_events", "get_event", "find_similar_events", "event_statistics",
        }  # fmt: skip
        assert document["rewritten"] == ["search.leader", "sessions.step_up"]

    def test_policies_about_single_things_are_named_though_no_cell_changes(self, folder: Path) -> None:
        text = (folder / "identity.cedar").read_text(encoding="utf-8")
        start = text.index('@id("identity.own_request")')
        (folder / "identity.cedar").write_text(text[:start] + text[text.index(";", start) + 1 :], encoding="utf-8")
        (folder / "zz.cedar").write_text(NO_BRIEFING, encoding="utf-8")
        document = json.loads(run("check", str(folder), "--json").stdout)
        assert (document["added"], document["removed"]) == (["local.no_briefing"], ["identity.own_request"])
        assert [(one["action"], one["role"]) for one in document["changed"]] == [("daily_briefing", "leader")]
        shown = run("check", str(folder)).stdout
        assert "Policy «identity.own_request» (forbids): taken out. About: decide identity checks." in shown
        assert "Policy «local.no_briefing» (forbids): added. About: read the briefing." in shown

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("resource in principal.areas", "resource.colour == 1"),
            ('Role::"officer"', 'Role::"general"'),
            ("permit (", "permit ("[:-1]),
            ('@id("briefing.leader")', '@id("briefing.officer")'),
        ],
    )
    def test_files_that_no_center_would_take_are_refused(self, folder: Path, old: str, new: str) -> None:
        rewrite(folder / "briefing.cedar", old, new)
        with pytest.raises(ConfigurationError) as refused:
            run("check", str(folder))
        assert refused.value.exit_code == 2

    def test_the_table_is_shown_whole(self) -> None:
        lines = run("check", str(DEFAULT_FOLDER), "--matrix").stdout.splitlines()
        row = next(line for line in lines if line.startswith("export_evidence"))
        assert row.split() == ["export_evidence", "-", "-", "own+*", "all+*", "-", "-", "-"]

    def test_every_action_and_condition_has_words(self) -> None:
        assert set(ACTIONS) == read_policies(DEFAULT_FOLDER).actions
        assert set(CONDITIONS) == set(Condition)


async def briefing(installation: Installation) -> tuple[str, str]:
    """A leader asks for the briefing; how it ended, and the policy version on the log's newest entry."""
    leader = next(one for one in await installation.center.accounts.all() if one.role == "leader")
    result = await installation.gateway.call(leader, "daily_briefing", {}, channel="test")
    page = await installation.center.audit.search(action="daily_briefing", limit=1)
    return result.rule or result.outcome.value, page.records[0].entry.policy_version


async def test_a_running_center_takes_changed_files_and_refuses_broken_ones(folder: Path, tmp_path: Path) -> None:
    home = Home(tmp_path / "m").make()
    (home.root / "matpho.yaml").write_text(f"encoder: none-installed\npolicies: {folder}\n", encoding="utf-8")

    async def reload() -> dict[str, Any]:
        words = ("reload", "--json", "--home", str(home.root))
        answer: dict[str, Any] = json.loads((await asyncio.to_thread(run, *words)).stdout)
        return answer

    async with open_installation(home) as installation, serve_owner(installation):
        first = await briefing(installation)
        assert first == ("answered", read_policies(folder).version)
        (folder / "zz.cedar").write_text(NO_BRIEFING, encoding="utf-8")
        second = read_policies(folder).version
        assert await briefing(installation) == first  # nothing changes before somebody says so
        assert await reload() == {"before": first[1], "version": second}
        assert await briefing(installation) == ("no_briefing", second)
        (folder / "zz.cedar").write_text(NO_BRIEFING.replace("leader", "general"), encoding="utf-8")
        with pytest.raises(RemoteError, match="general"):
            await reload()
        assert await briefing(installation) == ("no_briefing", second)
        (folder / "zz.cedar").unlink()
        assert (await reload())["version"] == first[1]
        assert await briefing(installation) == first
        page = await installation.center.audit.search(action="policies_reload")
        tries = [(record.entry.outcome, record.entry.policy_version) for record in page.records]
        assert tries == [("answered", first[1]), ("failed", second), ("answered", second)]


def test_without_a_running_center_there_is_nothing_to_reload(tmp_path: Path) -> None:
    home = Home(tmp_path / "m").make()
    with pytest.raises(UnavailableError, match="No center is running"):
        run("reload", "--home", str(home.root))
