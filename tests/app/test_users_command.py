"""`matpho users`: accounts from the command line, in process; each change is on the trail."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from matpho.home import Home
from matpho.installation import Installation, open_installation
from matpho.main import build
from matpho.serving import write_first_token
from matpho_platform.access.errors import NotSignedInError, SignInError
from matpho_platform.access.principal import Role

PASSWORD = "a long enough password"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("users") / "m").make()


@pytest.fixture(autouse=True)
def _here(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATPHO_HOME", str(home.root))


def run(*words: str, said: str = "") -> str:
    result = CliRunner().invoke(build("users"), ["users", *words], input=said)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output.strip()


async def full(installation: Installation, user_id: str, password: str) -> bool:
    return (await installation.center.accounts.sign_in(user_id, password)).full


def test_an_account_from_its_making_to_its_end(home: Home) -> None:
    assert run("add", "an", "--name", "Trần Văn An", "--role", "officer", "--area", "local", said=f"{PASSWORD}\n")
    invitation = run("add", "binh", "--role", "leader", "--invite")
    run("password", "an", said=f"{PASSWORD} mới\n")
    token = run("token", "an", "--name", "bảng", "--action", "search_events", "--days", "7")
    listed = {one["id"]: one for one in json.loads(run("--json"))["users"]}
    assert listed["an"] == {"id": "an", "name": "Trần Văn An", "role": "officer", "areas": ["local"]}

    async def look() -> None:
        async with open_installation(home) as installation:
            accounts = installation.center.accounts
            assert not await full(installation, "an", f"{PASSWORD} mới"), "a second factor is needed"
            with pytest.raises(SignInError):
                await accounts.sign_in("an", PASSWORD)
            assert (await accounts.principal(token)).actions == frozenset({"search_events"})
            assert await installation.center.administration.accept(invitation, PASSWORD) == "binh"

    asyncio.run(look())
    run("reset-factors", "an")
    run("disable", "an")

    async def closed() -> None:
        async with open_installation(home) as installation:
            with pytest.raises(SignInError):
                await full(installation, "an", f"{PASSWORD} mới")
            with pytest.raises(NotSignedInError):
                await installation.center.accounts.principal(token)
            page = await installation.center.audit.search(limit=100)
            acts = [record.entry.action for record in page.records if record.entry.channel.startswith("cli:")]
            assert acts[::-1] == [
                "create_account", "create_account", "set_password", "make_token", "reset_factors", "disable_account",
            ]  # fmt: skip
            assert PASSWORD not in page.model_dump_json()
            assert token not in page.model_dump_json()

    asyncio.run(closed())
    run("enable", "an")


def test_the_accounts_of_a_new_installation_have_no_password(home: Home, tmp_path: Path) -> None:
    async def look() -> None:
        async with open_installation(Home(tmp_path / "new").make()) as installation:
            for account in await installation.center.accounts.all():
                row = await installation.center.accounts.find(account.user_id)
                assert row is not None
                assert row["password_hash"] == ""
            assert await write_first_token(installation)
            token = installation.home.first_token.read_text(encoding="utf-8")
            assert await write_first_token(installation)
            assert installation.home.first_token.read_text(encoding="utf-8") == token
            await installation.center.accounts.create("quan-tri", "Quản trị", Role.ADMIN, PASSWORD)
            assert not await write_first_token(installation)
            assert not installation.home.first_token.exists()

    asyncio.run(look())
