"""One installation from the command line: in process and beside a running center, alike; errors are one sentence."""

import asyncio
import json
import socket
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from matpho.connecting import RemoteError, center_is_running, connect
from matpho.home import Home
from matpho.installation import open_installation
from matpho.main import build
from matpho.serving import PortTakenError, listen, serve_owner
from matpho_contracts.errors import BadInputError, ConfigurationError, NotFoundError

RUNNER = CliRunner()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("home") / "m").make()


@pytest.fixture(autouse=True)
def _here(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATPHO_HOME", str(home.root))


class TestCommands:
    def test_a_new_installation_has_an_account_for_each_role(self) -> None:
        result = RUNNER.invoke(build("users"), ["users", "--json"])
        users = json.loads(result.stdout)["users"]
        assert {user["id"] for user in users} >= {"commander", "officer", "leader", "auditor", "citizen"}

    def test_ask_gives_the_documented_json(self) -> None:
        result = RUNNER.invoke(build("ask"), ["ask", "có xe tải trắng nào sáng nay không", "--json"])
        answer = json.loads(result.stdout)
        assert {"outcome", "answer", "tool_calls", "result_ids", "ms"} <= set(answer)
        assert answer["outcome"] == "answered"
        assert answer["tool_calls"][0]["name"] == "search_events"
        assert answer["tool_calls"][0]["arguments"]["objects"] == ["truck"]

    def test_the_policy_holds_for_the_command_line_too(self) -> None:
        result = RUNNER.invoke(build("ask"), ["ask", "tìm xe tải trắng", "--as", "auditor", "--json"])
        assert json.loads(result.stdout)["outcome"] == "denied"

    def test_every_call_is_on_the_trail_and_it_verifies(self) -> None:
        result = RUNNER.invoke(build("verify"), ["verify", "--json"])
        report = json.loads(result.stdout)
        assert result.exit_code == 0
        assert report["intact"] is True
        assert report["audit"]["entries"] > 0

    def test_an_unknown_account_is_said_plainly(self) -> None:
        result = RUNNER.invoke(build("ask"), ["ask", "xin chào", "--as", "nobody"])
        assert isinstance(result.exception, RemoteError)
        assert result.exception.exit_code == 2
        assert "nobody" in result.exception.message

    def test_a_time_that_is_none_is_bad_input(self) -> None:
        result = RUNNER.invoke(build("ask"), ["ask", "xin chào", "--now", "yesterday"])
        assert isinstance(result.exception, BadInputError)


class TestBesideARunningCenter:
    async def test_the_socket_answers_as_the_process_does_and_only_to_its_owner(self, home: Home) -> None:
        async with open_installation(home) as installation, serve_owner(installation):
            assert center_is_running(home)
            assert stat.S_IMODE(home.operator_socket.stat().st_mode) == 0o600
            async with connect(home) as operator:
                assert operator.running
                users = await operator.get("/users")
                assert any(user["id"] == "commander" for user in users)
        assert not center_is_running(home)
        assert not home.operator_socket.exists()

    async def test_a_socket_left_by_a_killed_center_is_no_running_center(self, home: Home) -> None:
        left = socket.socket(socket.AF_UNIX)
        left.bind(str(home.operator_socket))
        left.close()
        assert not center_is_running(home)
        home.operator_socket.unlink()


class TestPorts:
    def test_a_taken_port_is_one_clear_sentence(self) -> None:
        with listen("127.0.0.1", 0) as first:
            port = first.getsockname()[1]
            with pytest.raises(PortTakenError, match=f"Port {port} on 127.0.0.1 is taken"):
                listen("127.0.0.1", port)


class TestHome:
    def test_a_folder_that_cannot_be_made_is_said_plainly(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(ConfigurationError, match="cannot be made"):
            Home(tmp_path / "file" / "home").make()

    def test_the_command_line_option_goes_before_the_environment(self, tmp_path: Path) -> None:
        assert Home.find(tmp_path).root == tmp_path.resolve()


class TestWithoutAnEncoder:
    async def test_a_missing_encoder_does_not_keep_the_center_from_opening(self, tmp_path: Path) -> None:
        home = Home(tmp_path)
        home.settings_file.write_text("encoder: no-such-model\n")
        async with asyncio.timeout(120), open_installation(home) as installation:
            assert installation.center.encoder is None


def test_index_refuses_what_is_no_video(tmp_path: Path) -> None:
    source = tmp_path / "letter.mp4"
    source.write_text("not a video")
    result = RUNNER.invoke(build("index"), ["index", str(source), "--camera", "c1"])
    assert isinstance(result.exception, BadInputError | NotFoundError)
    assert result.exception.exit_code == 2
