"""Accounts: passwords, who may be one, the first administrator, what an administrator may change."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from matpho_platform.access.accounts import AccountEntry, Accounts
from matpho_platform.access.administration import FIRST_ADMIN_LIFE, INVITATION_LIFE, Administration
from matpho_platform.access.errors import (
    AccountError,
    NotAdministratorError,
    NotSignedInError,
    OneTimeError,
    SignInError,
)
from matpho_platform.access.principal import Principal, Role
from matpho_platform.store import Store
from matpho_platform.store.tables import accounts as accounts_table
from matpho_platform.store.tables import one_time, sessions

PASSWORD = "hoa-sữa-tháng-mười"


async def test_signing_in_and_out(accounts: Accounts) -> None:
    token = (await accounts.sign_in("an", PASSWORD)).token
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
    token = (await accounts.sign_in("an", PASSWORD)).token
    async with store.reading() as session:
        kept = f"{await session.all(select(accounts_table))} {await session.all(select(sessions))}"
    assert "$argon2id$" in kept
    assert PASSWORD not in kept
    assert token not in kept


async def test_an_api_token_acts_for_its_account_until_it_runs_out(accounts: Accounts) -> None:
    token = await accounts.issue_token("an", "báo cáo hằng ngày")
    assert (await accounts.principal(token)).user_id == "an"
    old = await accounts.issue_token("an", "old", life=timedelta(seconds=-1))
    with pytest.raises(NotSignedInError):
        await accounts.principal(old)


async def test_a_disabled_account_is_out_at_once(accounts: Accounts) -> None:
    token = (await accounts.sign_in("an", PASSWORD)).token
    await accounts.disable("an")
    with pytest.raises(NotSignedInError):
        await accounts.principal(token)
    with pytest.raises(SignInError):
        await accounts.sign_in("an", PASSWORD)


async def test_a_new_password_ends_what_was_open(accounts: Accounts) -> None:
    token = (await accounts.sign_in("an", PASSWORD)).token
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
    for easy in ("aaaaaaaaaaaaa", "abababababab", "binh-nguyen-1"):
        with pytest.raises(AccountError):
            await accounts.create("binh-nguyen-1", "Bình", Role.ADMIN, easy)


async def test_the_settings_make_an_account_once_and_never_reset_its_password(accounts: Accounts) -> None:
    entry = AccountEntry(id="an", name="An", role=Role.ADMIN, password=SecretStr("another password"))
    await accounts.configure([entry, entry.model_copy(update={"id": "lan"})])
    assert (await accounts.principal((await accounts.sign_in("an", PASSWORD)).token)).role is Role.OFFICER
    assert (await accounts.principal((await accounts.sign_in("lan", "another password")).token)).role is Role.ADMIN


async def test_an_account_without_a_password_cannot_be_signed_in_to(accounts: Accounts) -> None:
    await accounts.create("cli", "Dòng lệnh", Role.COMMANDER, None)
    for password in ("", "None", PASSWORD):
        with pytest.raises(SignInError):
            await accounts.sign_in("cli", password)


@pytest.fixture
def administration(store: Store, accounts: Accounts, clock: Any) -> Administration:
    return Administration(store, accounts, clock)


@pytest.fixture
async def admin(accounts: Accounts) -> Principal:
    return await accounts.create("quan-tri", "Quản trị", Role.ADMIN, PASSWORD)


class TestFirstAdministrator:
    async def test_comes_to_be_by_a_token_that_is_good_once(
        self, accounts: Accounts, administration: Administration, store: Store
    ) -> None:
        token = await administration.first_token()
        assert token is not None
        assert await administration.first_token() is None
        async with store.reading() as session:
            assert token not in str(await session.all(select(one_time)))
        with pytest.raises(AccountError):
            await administration.make_first(token, "quan-tri", "Quản trị", "short")
        await administration.make_first(token, "quan-tri", "Quản trị", PASSWORD)
        assert (await accounts.principal((await accounts.sign_in("quan-tri", PASSWORD)).token)).role is Role.ADMIN
        with pytest.raises(OneTimeError):
            await administration.make_first(token, "another", "Another", PASSWORD)
        assert await administration.first_token() is None

    async def test_two_at_once_make_one(self, administration: Administration, accounts: Accounts) -> None:
        token = str(await administration.first_token())
        made = await asyncio.gather(
            *(administration.make_first(token, f"admin-{n}", "Quản trị", PASSWORD) for n in range(4)),
            return_exceptions=True,
        )
        assert sum(one is None for one in made) == 1
        assert sum(one.role is Role.ADMIN for one in await accounts.all()) == 1

    @pytest.mark.parametrize("wrong", ["", "x", "A" * 43])
    async def test_is_not_made_by_another_token(self, administration: Administration, wrong: str) -> None:
        await administration.first_token()
        with pytest.raises(OneTimeError):
            await administration.make_first(wrong, "quan-tri", "Quản trị", PASSWORD)

    async def test_a_token_runs_out_and_the_next_start_makes_another(
        self, administration: Administration, clock: Any
    ) -> None:
        token = str(await administration.first_token())
        clock.pass_by(seconds=FIRST_ADMIN_LIFE.total_seconds() + 1)
        with pytest.raises(OneTimeError):
            await administration.make_first(token, "quan-tri", "Quản trị", PASSWORD)
        assert await administration.first_token() not in (None, token)

    async def test_a_token_is_void_once_the_command_line_made_one(
        self, administration: Administration, accounts: Accounts
    ) -> None:
        token = str(await administration.first_token())
        await accounts.create("quan-tri", "Quản trị", Role.ADMIN, PASSWORD)
        with pytest.raises(OneTimeError):
            await administration.make_first(token, "another", "Another", PASSWORD)

    async def test_takes_over_the_command_lines_own_admin_but_nobody_elses_account(
        self, administration: Administration, accounts: Accounts
    ) -> None:
        await accounts.create("admin", "admin", Role.ADMIN, None)
        token = str(await administration.first_token())
        with pytest.raises(AccountError):
            await administration.make_first(token, "an", "Ăn cắp", PASSWORD)
        await administration.make_first(token, "admin", "Quản trị", PASSWORD)
        assert (await accounts.sign_in("admin", PASSWORD)).full


class TestAdministrators:
    async def test_make_accounts_whose_people_set_their_own_password(
        self, administration: Administration, admin: Principal, accounts: Accounts
    ) -> None:
        invitation = await administration.create(admin, "binh", "Bình", Role.OFFICER, ("p-ba-dinh",))
        assert await administration.accept(invitation, "mật khẩu của bình") == "binh"
        assert (await accounts.sign_in("binh", "mật khẩu của bình")).full
        with pytest.raises(OneTimeError):
            await administration.accept(invitation, "mật khẩu của người khác")

    async def test_a_newer_invitation_ends_the_older_and_time_ends_both(
        self, administration: Administration, admin: Principal, clock: Any
    ) -> None:
        old = await administration.create(admin, "binh", "Bình", Role.OFFICER, ("p-ba-dinh",))
        new = await administration.invite("binh")
        with pytest.raises(OneTimeError):
            await administration.accept(old, "mật khẩu của bình")
        clock.pass_by(seconds=INVITATION_LIFE.total_seconds() + 1)
        with pytest.raises(OneTimeError):
            await administration.accept(new, "mật khẩu của bình")

    async def test_an_invitation_is_no_first_run_token_and_the_other_way_round(
        self, administration: Administration, accounts: Accounts
    ) -> None:
        first, invitation = str(await administration.first_token()), await administration.invite("an")
        with pytest.raises(OneTimeError):
            await administration.accept(first, "mật khẩu của bình")
        with pytest.raises(OneTimeError):
            await administration.make_first(invitation, "quan-tri", "Quản trị", PASSWORD)

    @pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
    async def test_nobody_else_may(self, administration: Administration, role: Role) -> None:
        caller = Principal("x", "X", role, ("p-ba-dinh",))
        for act in (
            administration.page(caller),
            administration.get(caller, "an"),
            administration.create(caller, "binh", "Bình", Role.ADMIN, ()),
            administration.change(caller, "an", role=Role.ADMIN),
        ):
            with pytest.raises(NotAdministratorError):
                await act

    async def test_not_by_a_token_of_theirs(self, administration: Administration, admin: Principal) -> None:
        narrowed = Principal(admin.user_id, admin.name, Role.ADMIN, actions=frozenset({"search_events"}))
        with pytest.raises(NotAdministratorError):
            await administration.page(narrowed)

    async def test_do_not_change_their_own_rights(self, administration: Administration, admin: Principal) -> None:
        for change in ({"role": Role.COMMANDER}, {"areas": ("p-ba-dinh",)}, {"disabled": True}):
            with pytest.raises(AccountError, match="own rights"):
                await administration.change(admin, admin.user_id, **change)  # type: ignore[arg-type]  # one of three
        assert (await administration.change(admin, admin.user_id, name="Tên mới")).name == "Tên mới"

    async def test_the_last_one_stays(
        self, administration: Administration, admin: Principal, accounts: Accounts
    ) -> None:
        await accounts.create("cli", "Không ai đăng nhập được", Role.ADMIN, None)
        ghost = Principal("cli", "cli", Role.ADMIN)
        for change in ({"disabled": True}, {"role": Role.LEADER}):
            with pytest.raises(AccountError, match="last administrator"):
                await administration.change(ghost, admin.user_id, **change)  # type: ignore[arg-type]  # one of two
        with pytest.raises(AccountError, match="last administrator"):
            await accounts.disable(admin.user_id)
        await accounts.create("hai", "Người thứ hai", Role.ADMIN, PASSWORD)
        await accounts.disable(admin.user_id)

    async def test_two_that_shut_each_other_leave_one(
        self, administration: Administration, admin: Principal, accounts: Accounts
    ) -> None:
        other = await accounts.create("hai", "Người thứ hai", Role.ADMIN, PASSWORD)
        done = await asyncio.gather(
            administration.change(admin, "hai", disabled=True),
            administration.change(other, admin.user_id, disabled=True),
            return_exceptions=True,
        )
        assert sum(isinstance(one, AccountError) for one in done) == 1

    async def test_new_rights_hold_at_once_and_end_what_is_open(
        self, administration: Administration, admin: Principal, accounts: Accounts
    ) -> None:
        opened, token = (await accounts.sign_in("an", PASSWORD)).token, await accounts.issue_token("an", "báo cáo")
        await administration.change(admin, "an", areas=("p-ba-dinh",))
        with pytest.raises(NotSignedInError):
            await accounts.principal(opened)
        assert (await accounts.principal(token)).areas == ("p-ba-dinh",)
        await administration.change(admin, "an", role=Role.LEADER, areas=())
        with pytest.raises(NotSignedInError):
            await accounts.principal(token)
        opened = (await accounts.sign_in("an", PASSWORD)).token
        await administration.change(admin, "an", name="An")
        assert (await accounts.principal(opened)).name == "An"

    async def test_find_accounts_by_a_part_of_name_or_id(
        self, administration: Administration, admin: Principal, accounts: Accounts
    ) -> None:
        for number in range(5):
            await accounts.create(f"cong-dan-{number}", "100% dân", Role.CITIZEN, None)
        page = await administration.page(admin, part="cong", limit=2)
        assert ([one.id for one in page.accounts], page.total) == (["cong-dan-0", "cong-dan-1"], 5)
        page = await administration.page(admin, part="100%", after="cong-dan-3")
        assert [one.id for one in page.accounts] == ["cong-dan-4"]
        assert (await administration.page(admin, part="_")).total == 0
