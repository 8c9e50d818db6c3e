"""The second factor by code: no code twice, whoever asks at once; recovery codes once each; secrets sealed."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
from sqlalchemy import select, update

from matpho_contracts.errors import ConfigurationError
from matpho_platform.access.accounts import CODE_TRIES, Accounts, Place
from matpho_platform.access.errors import (
    FactorError,
    NotSignedInError,
    SecondFactorNeededError,
    SignInError,
    StepUpError,
    TooManyTriesError,
)
from matpho_platform.access.keys import AccessKey
from matpho_platform.access.principal import Role
from matpho_platform.access.second_factor import matching_step
from matpho_platform.access.tries import PAIR_TRIES, WINDOW_S
from matpho_platform.store import Store
from matpho_platform.store.tables import recovery_codes, totp_factors

PASSWORD = "hoa-sữa-tháng-mười"
STEP = timedelta(seconds=30)


@pytest.fixture
async def secret(accounts: Accounts, clock: Any) -> str:
    """The secret of an account's confirmed code generator; the present code has been used."""
    token = (await accounts.sign_in("an", PASSWORD)).token
    made = await accounts.codes.enrol("an")
    await accounts.confirm_codes(token, pyotp.TOTP(made.secret).at(clock()))
    return made.secret


async def test_a_code_finishes_the_sign_in_and_nothing_else_goes_before(
    accounts: Accounts, secret: str, clock: Any
) -> None:
    half = await accounts.sign_in("an", PASSWORD)
    assert not half.full
    with pytest.raises(SecondFactorNeededError):
        await accounts.principal(half.token)
    clock.pass_by(seconds=30)
    full = await accounts.present_code(half.token, pyotp.TOTP(secret).at(clock()))
    principal = await accounts.principal(full.token)
    assert principal.mfa_at == clock()
    with pytest.raises(NotSignedInError):
        await accounts.principal(half.token)


@pytest.mark.parametrize("steps", [-1, 0, 1])
async def test_a_telephones_clock_may_be_off_by_one_step(
    accounts: Accounts, secret: str, clock: Any, steps: int
) -> None:
    clock.pass_by(seconds=300)
    half = await accounts.sign_in("an", PASSWORD)
    assert (await accounts.present_code(half.token, pyotp.TOTP(secret).at(clock() + steps * STEP))).full


@pytest.mark.parametrize("steps", [-3, -2, 2, 3])
async def test_and_by_no_more(accounts: Accounts, secret: str, clock: Any, steps: int) -> None:
    clock.pass_by(seconds=300)
    half = await accounts.sign_in("an", PASSWORD)
    with pytest.raises(SignInError):
        await accounts.present_code(half.token, pyotp.TOTP(secret).at(clock() + steps * STEP))


async def test_no_code_is_taken_twice_nor_an_earlier_one_after_it(accounts: Accounts, secret: str, clock: Any) -> None:
    clock.pass_by(seconds=300)
    codes = pyotp.TOTP(secret)
    first, second = await accounts.sign_in("an", PASSWORD), await accounts.sign_in("an", PASSWORD)
    await accounts.present_code(first.token, codes.at(clock()))
    for code in (codes.at(clock()), codes.at(clock() - STEP)):
        with pytest.raises(SignInError):
            await accounts.present_code(second.token, code)
    assert (await accounts.present_code(second.token, codes.at(clock() + STEP))).full


async def test_of_many_requests_at_once_with_one_code_one_gets_through(
    accounts: Accounts, make_accounts: Callable[..., Accounts], store: Store, secret: str, clock: Any
) -> None:
    clock.pass_by(seconds=300)
    code = pyotp.TOTP(secret).at(clock())
    halves = [await accounts.sign_in("an", PASSWORD) for _ in range(8)]
    others = Accounts(store, accounts.settings, accounts.codes._key, clock=clock)
    tries = [(accounts if n % 2 else others).present_code(half.token, code) for n, half in enumerate(halves)]
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(not isinstance(one, BaseException) for one in done) == 1
    assert sum(isinstance(one, SignInError) for one in done) == 7


async def test_the_first_code_is_used_up_by_the_confirmation(accounts: Accounts, secret: str, clock: Any) -> None:
    half = await accounts.sign_in("an", PASSWORD)
    with pytest.raises(SignInError):
        await accounts.present_code(half.token, pyotp.TOTP(secret).at(clock()))


async def test_an_unconfirmed_generator_counts_for_nothing(accounts: Accounts, clock: Any) -> None:
    made = await accounts.codes.enrol("an")
    assert (await accounts.sign_in("an", PASSWORD)).full
    assert not await accounts.codes.check("an", pyotp.TOTP(made.secret).at(clock()))
    token = (await accounts.sign_in("an", PASSWORD)).token
    with pytest.raises(FactorError):
        await accounts.confirm_codes(token, "000000")
    again = await accounts.codes.enrol("an")
    assert again.secret != made.secret


async def test_a_confirmed_generator_is_not_replaced_unseen(accounts: Accounts, secret: str) -> None:
    with pytest.raises(FactorError):
        await accounts.codes.enrol("an")


async def test_recovery_codes_finish_a_sign_in_once_each_and_never_step_up(
    accounts: Accounts, secret: str, clock: Any
) -> None:
    codes = await accounts.codes.new_recovery_codes("an")
    assert len(set(codes)) == 10
    half = await accounts.sign_in("an", PASSWORD)
    full = await accounts.present_recovery_code(half.token, codes[0].lower().replace("-", " "))
    assert full.full
    again = await accounts.sign_in("an", PASSWORD)
    with pytest.raises(SignInError):
        await accounts.present_recovery_code(again.token, codes[0])
    with pytest.raises(SignInError):
        await accounts.present_recovery_code(full.token, codes[1])
    assert (await accounts.present_recovery_code(again.token, codes[1])).full
    await accounts.codes.new_recovery_codes("an")
    third = await accounts.sign_in("an", PASSWORD)
    with pytest.raises(SignInError):
        await accounts.present_recovery_code(third.token, codes[2])


async def test_one_recovery_code_at_once_is_used_once(accounts: Accounts, secret: str) -> None:
    code = (await accounts.codes.new_recovery_codes("an"))[0]
    halves = [await accounts.sign_in("an", PASSWORD) for _ in range(4)]
    tries = [accounts.present_recovery_code(half.token, code) for half in halves]
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(not isinstance(one, BaseException) for one in done) == 1


async def test_a_step_up_is_of_now_and_grows_stale(accounts: Accounts, secret: str, clock: Any) -> None:
    clock.pass_by(seconds=300)
    codes = pyotp.TOTP(secret)
    half = await accounts.sign_in("an", PASSWORD)
    opened = await accounts.present_code(half.token, codes.at(clock()))
    await accounts.require_fresh(await accounts.principal(opened.token))
    clock.pass_by(minutes=5, seconds=1)
    principal = await accounts.principal(opened.token)
    with pytest.raises(StepUpError):
        await accounts.require_fresh(principal)
    stepped = await accounts.present_code(opened.token, codes.at(clock()))
    fresh = await accounts.principal(stepped.token)
    await accounts.require_fresh(fresh)
    assert fresh.session_id == principal.session_id
    with pytest.raises(NotSignedInError):
        await accounts.principal(opened.token)


async def test_codes_cannot_be_tried_through(accounts: Accounts, secret: str, clock: Any) -> None:
    half = await accounts.sign_in("an", PASSWORD)
    right = pyotp.TOTP(secret)
    for number in range(CODE_TRIES):
        with pytest.raises(SignInError):
            await accounts.present_code(half.token, "12345", place=Place(f"203.0.{number}.7"))
    clock.pass_by(seconds=60)
    with pytest.raises(TooManyTriesError) as caught:
        await accounts.present_code(half.token, right.at(clock()), place=Place("198.51.100.7"))
    assert caught.value.wait_s == WINDOW_S
    device = await accounts.devices.remember("", "an")
    assert (await accounts.present_code(half.token, right.at(clock()), place=Place("198.51.100.7", device))).full


async def test_one_address_has_few_tries_at_the_code(accounts: Accounts, secret: str) -> None:
    half = await accounts.sign_in("an", PASSWORD)
    for _ in range(PAIR_TRIES):
        with pytest.raises(SignInError):
            await accounts.present_code(half.token, "12345", place=Place("203.0.113.9"))
    with pytest.raises(TooManyTriesError):
        await accounts.present_code(half.token, "12345", place=Place("203.0.113.9"))


async def test_where_it_is_required_a_session_is_half_until_there_is_one(
    make_accounts: Callable[..., Accounts], clock: Any
) -> None:
    accounts = make_accounts(mfa_required=True)
    await accounts.create("binh", "Bình", Role.LEADER, PASSWORD)
    await accounts.create("dan", "Người dân", Role.CITIZEN, PASSWORD)
    assert (await accounts.sign_in("dan", PASSWORD)).full
    half = await accounts.sign_in("binh", PASSWORD)
    with pytest.raises(SecondFactorNeededError):
        await accounts.principal(half.token)
    made = await accounts.codes.enrol("binh")
    opened, _ = await accounts.confirm_codes(half.token, pyotp.TOTP(made.secret).at(clock()))
    assert (await accounts.principal(opened.token)).mfa_at == clock()


async def test_taking_the_factors_away_ends_what_is_open(accounts: Accounts, secret: str, clock: Any) -> None:
    clock.pass_by(seconds=60)
    half = await accounts.sign_in("an", PASSWORD)
    opened = await accounts.present_code(half.token, pyotp.TOTP(secret).at(clock()))
    assert await accounts.reset_factors("an")
    with pytest.raises(NotSignedInError):
        await accounts.principal(opened.token)
    assert (await accounts.sign_in("an", PASSWORD)).full


class TestSecrets:
    async def test_are_sealed_and_hashed(self, accounts: Accounts, secret: str, store: Store) -> None:
        codes = await accounts.codes.new_recovery_codes("an")
        async with store.reading() as session:
            kept = f"{await session.all(select(totp_factors))} {await session.all(select(recovery_codes))}"
        assert secret not in kept
        assert not any(code in kept or code.replace("-", "") in kept for code in codes)
        assert secret not in repr(await accounts.codes.enrol("nobody"))

    async def test_of_one_account_do_not_open_as_anothers(
        self, accounts: Accounts, secret: str, store: Store, clock: Any
    ) -> None:
        await accounts.create("gian", "Kẻ gian", Role.LEADER, PASSWORD)
        async with store.writing() as session:
            await session.run(update(totp_factors).values(user_id="gian"))
        half = await accounts.sign_in("gian", PASSWORD)
        clock.pass_by(seconds=60)
        with pytest.raises(ConfigurationError):
            await accounts.present_code(half.token, pyotp.TOTP(secret).at(clock()))

    def test_the_key_is_its_owners_alone_and_made_once(self, tmp_path: Path) -> None:
        path = tmp_path / "access.key"
        sealed = AccessKey.load_or_create(path).seal(b"secret", "totp:an")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert AccessKey.load_or_create(path).unseal(sealed, "totp:an") == b"secret"
        with pytest.raises(ConfigurationError):
            AccessKey.generate().unseal(sealed, "totp:an")
        with pytest.raises(ConfigurationError):
            AccessKey.load_or_create(path).unseal(sealed[:-1], "totp:an")
        path.write_bytes(b"short")
        with pytest.raises(ConfigurationError):
            AccessKey.load_or_create(path)

    @pytest.mark.parametrize("code", ["", "0", "١٢٣٤٥٦", "123456 or 1=1", "😀" * 6, "9" * 64])
    def test_what_is_no_code_is_none(self, code: str) -> None:
        assert matching_step("JBSWY3DPEHPK3PXP" * 2, code, 59_000_000) is None
