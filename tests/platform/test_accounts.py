"""Accounts: passwords, sessions, tokens, and guessing slowed without locking the owner out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from matpho_platform.access import accounts as accounts_module
from matpho_platform.access.accounts import AccountEntry, Accounts
from matpho_platform.access.errors import AccountError, NotSignedInError, SignInError, TooManyTriesError
from matpho_platform.access.principal import Role
from matpho_platform.access.tries import PAIR_TRIES, STRANGER_TRIES, WINDOW_S, TryLimit
from matpho_platform.store import Store, open_store
from matpho_platform.store.tables import accounts as accounts_table
from matpho_platform.store.tables import sessions

PASSWORD = "hoa-sữa-tháng-mười"


@pytest.fixture
async def store(database: str | None, tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(database or tmp_path / "a.db")
    yield opened
    await opened.close()


@pytest.fixture
async def accounts(store: Store) -> Accounts:
    made = Accounts(store)
    await made.create("an", "Trần Văn An", Role.OFFICER, PASSWORD, areas=("p-hoan-kiem",))
    return made


async def test_signing_in_and_out(accounts: Accounts) -> None:
    token = await accounts.sign_in("an", PASSWORD)
    principal = await accounts.principal(token)
    assert (principal.user_id, principal.role, principal.areas) == ("an", Role.OFFICER, ("p-hoan-kiem",))
    assert principal.session_id
    assert principal.session_id not in token
    await accounts.sign_out(token)
    with pytest.raises(NotSignedInError):
        await accounts.principal(token)


@pytest.mark.parametrize(("user", "password"), [("an", "wrong password"), ("nobody", PASSWORD), ("an", ""), ("", "")])
async def test_a_wrong_name_and_a_wrong_password_look_alike(accounts: Accounts, user: str, password: str) -> None:
    with pytest.raises(SignInError) as caught:
        await accounts.sign_in(user, password)
    assert str(caught.value) == "The user id or the password is wrong."


async def test_no_secret_is_kept(accounts: Accounts, store: Store) -> None:
    token = await accounts.sign_in("an", PASSWORD)
    async with store.reading() as session:
        kept = f"{await session.all(select(accounts_table))} {await session.all(select(sessions))}"
    assert "$argon2id$" in kept
    assert PASSWORD not in kept
    assert token not in kept


async def test_a_session_ends_when_idle(accounts: Accounts, store: Store) -> None:
    token = await accounts.sign_in("an", PASSWORD)
    async with store.writing() as session:
        long_ago = sessions.c.used_ms - accounts_module.IDLE_MS - 1
        await session.run(update(sessions).values(used_ms=long_ago))
    with pytest.raises(NotSignedInError):
        await accounts.principal(token)


async def test_a_session_ends_after_its_life_however_busy(accounts: Accounts, store: Store) -> None:
    token = await accounts.sign_in("an", PASSWORD)
    async with store.writing() as session:
        await session.run(update(sessions).values(expires_ms=1))
    with pytest.raises(NotSignedInError):
        await accounts.principal(token)


async def test_an_api_token_acts_for_its_account_until_it_runs_out(accounts: Accounts) -> None:
    token = await accounts.issue_token("an", "báo cáo hằng ngày")
    assert (await accounts.principal(token)).user_id == "an"
    old = await accounts.issue_token("an", "old", life=timedelta(seconds=-1))
    with pytest.raises(NotSignedInError):
        await accounts.principal(old)


async def test_a_disabled_account_is_out_at_once(accounts: Accounts) -> None:
    token = await accounts.sign_in("an", PASSWORD)
    await accounts.disable("an")
    with pytest.raises(NotSignedInError):
        await accounts.principal(token)
    with pytest.raises(SignInError):
        await accounts.sign_in("an", PASSWORD)


async def test_a_new_password_ends_what_was_open(accounts: Accounts) -> None:
    token = await accounts.sign_in("an", PASSWORD)
    await accounts.set_password("an", "mật khẩu mới dài")
    with pytest.raises(NotSignedInError):
        await accounts.principal(token)
    assert await accounts.sign_in("an", "mật khẩu mới dài")


async def test_accounts_that_cannot_be(accounts: Accounts) -> None:
    with pytest.raises(AccountError):
        await accounts.create("an", "Another", Role.OFFICER, PASSWORD, areas=("p-ba-dinh",))
    with pytest.raises(AccountError):
        await accounts.create("binh", "Bình", Role.OFFICER, "short", areas=("p-ba-dinh",))
    with pytest.raises(AccountError):
        await accounts.create("binh", "Bình", Role.OFFICER, PASSWORD)
    with pytest.raises(AccountError):
        await accounts.create("../binh", "Bình", Role.ADMIN, PASSWORD)


async def test_the_settings_make_an_account_once_and_never_reset_its_password(accounts: Accounts) -> None:
    entry = AccountEntry(id="an", name="An", role=Role.ADMIN, password=SecretStr("another password"))
    await accounts.configure([entry, entry.model_copy(update={"id": "lan"})])
    assert (await accounts.principal(await accounts.sign_in("an", PASSWORD))).role is Role.OFFICER
    assert (await accounts.principal(await accounts.sign_in("lan", "another password"))).role is Role.ADMIN


async def test_guessing_from_elsewhere_does_not_lock_the_owner_out(store: Store) -> None:
    accounts = Accounts(store)
    await accounts.create("an", "An", Role.ADMIN, PASSWORD)
    for _ in range(PAIR_TRIES):
        with pytest.raises(SignInError):
            await accounts.sign_in("an", "guess", client="203.0.113.9")
    with pytest.raises(TooManyTriesError):
        await accounts.sign_in("an", PASSWORD, client="203.0.113.9")
    assert await accounts.sign_in("an", PASSWORD, client="198.51.100.7")


class TestTryLimit:
    def test_a_known_client_passes_when_strangers_have_used_up_the_account(self) -> None:
        limit = TryLimit()
        limit.succeeded("an", "home")
        for number in range(STRANGER_TRIES):
            limit.failed("an", f"bot-{number}")
        assert not limit.allowed("an", "bot-new")
        assert limit.allowed("an", "home")
        assert limit.allowed("binh", "bot-new")

    def test_time_heals(self) -> None:
        clock = [0.0]
        limit = TryLimit(lambda: clock[0])
        for _ in range(PAIR_TRIES):
            limit.failed("an", "x")
        assert not limit.allowed("an", "x")
        clock[0] = WINDOW_S + 1
        assert limit.allowed("an", "x")
