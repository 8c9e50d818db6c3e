"""Guessing is slowed, and whoever knows the password gets in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from matpho_platform.access.accounts import Accounts, Place
from matpho_platform.access.errors import SignInError, TooManyTriesError
from matpho_platform.access.passwords import WAITING, Passwords
from matpho_platform.access.principal import Role
from matpho_platform.access.settings import AccessSettings
from matpho_platform.access.tries import (
    ACCOUNT_TRIES,
    ADDRESS_TRIES,
    AGAIN_PACE_S,
    DEVICE_WAIT_S,
    NETWORK_TRIES,
    PACE_S,
    PAIR_TRIES,
    WINDOW_S,
    Budget,
    TryLimit,
    address_of,
    network_of,
)
from matpho_platform.store import Store

PASSWORD = "hoa-sữa-tháng-mười"


class Ticks:
    """A monotonic clock that tests move."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def limit(ticks: Ticks) -> TryLimit:
    return TryLimit(ticks)


class TestTryLimit:
    def test_each_further_try_of_an_address_waits_twice_as_long(self, limit: TryLimit, ticks: Ticks) -> None:
        for _ in range(PAIR_TRIES):
            assert limit.wait("an", "203.0.113.9") == 0
            limit.failed("an", "203.0.113.9")
        waits = []
        for _ in range(5):
            waits.append(limit.wait("an", "203.0.113.9"))
            ticks.at += waits[-1]
            assert limit.wait("an", "203.0.113.9") == 0
            limit.failed("an", "203.0.113.9")
        assert waits[:3] == [60, 120, 240]
        assert max(waits) <= WINDOW_S

    def test_another_address_and_another_account_do_not_wait(self, limit: TryLimit) -> None:
        for _ in range(PAIR_TRIES):
            limit.failed("an", "203.0.113.9")
        assert limit.wait("an", "203.0.113.10") == 0
        assert limit.wait("binh", "203.0.113.9") == 0

    def test_an_address_that_tries_many_accounts_waits_at_all(self, limit: TryLimit) -> None:
        for number in range(ADDRESS_TRIES):
            assert limit.wait(f"user-{number}", "203.0.113.9") == 0
            limit.failed(f"user-{number}", "203.0.113.9")
        assert limit.wait("another", "203.0.113.9") > 0
        assert limit.wait("another", "203.0.113.10") == 0

    def test_under_attack_new_addresses_are_paced_and_used_ones_wait(self, limit: TryLimit, ticks: Ticks) -> None:
        for number in range(ACCOUNT_TRIES):
            limit.failed("an", f"10.{number}.0.1")
        assert limit.wait("an", "10.3.0.1") > PACE_S
        assert limit.wait("an", "198.51.100.7") == 0
        assert 0 < limit.wait("an", "198.51.100.8") <= PACE_S
        ticks.at += PACE_S
        assert limit.wait("an", "198.51.100.8") == 0
        assert limit.wait("binh", "198.51.100.9") == 0

    def test_a_network_under_attack_is_paced_too(self, limit: TryLimit) -> None:
        for number in range(NETWORK_TRIES):
            limit.failed(f"user-{number}", f"203.0.113.{number % 40}")
        assert limit.wait("an", "203.0.113.200") == 0
        assert limit.wait("binh", "203.0.113.201") > 0
        assert limit.wait("binh", "198.51.100.7") == 0

    def test_a_known_device_is_never_kept_waiting_by_strangers_and_a_minute_by_itself(
        self, limit: TryLimit, ticks: Ticks
    ) -> None:
        for number in range(1000):
            limit.failed("an", f"10.{number % 250}.{number // 250}.1")
        assert limit.wait("an", "10.1.0.1", "device") == 0
        for _ in range(40):
            ticks.at += limit.wait("an", "10.1.0.1", "device")
            limit.failed("an", "10.1.0.1", "device")
        assert 0 < limit.wait("an", "10.1.0.1", "device") <= DEVICE_WAIT_S

    def test_time_and_success_heal(self, limit: TryLimit, ticks: Ticks) -> None:
        for user_id in ("an", "binh"):
            for _ in range(PAIR_TRIES):
                limit.failed(user_id, "203.0.113.9")
        limit.succeeded("binh", "203.0.113.9")
        assert limit.wait("binh", "203.0.113.9") == 0
        assert limit.wait("an", "203.0.113.9") > 0
        ticks.at += WINDOW_S + 1
        assert limit.wait("an", "203.0.113.9") == 0

    def test_a_refusal_is_put_on_record_once_a_minute(self, limit: TryLimit, ticks: Ticks) -> None:
        assert [limit.newly_refused("an") for _ in range(3)] == [True, False, False]
        ticks.at += 61
        assert limit.newly_refused("an")

    @pytest.mark.parametrize(
        ("one", "other", "same_address", "same_network"),
        [
            ("203.0.113.9", "203.0.113.9", True, True),
            ("203.0.113.9", "203.0.113.10", False, True),
            ("203.0.113.9", "203.0.114.9", False, False),
            ("203.0.113.9", "::ffff:203.0.113.9", True, True),
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True, True),
            ("2001:db8:1:2::1", "2001:db8:1:3::1", False, True),
            ("2001:db8:1::1", "2001:db8:2::1", False, False),
            ("fe80::1%eth0", "fe80::2%eth1", True, True),
            ("", "unknown", False, False),
        ],
    )
    def test_what_counts_as_one_place(self, one: str, other: str, same_address: bool, same_network: bool) -> None:
        assert (address_of(one) == address_of(other)) is same_address
        assert (network_of(one) == network_of(other)) is same_network


def test_an_address_begins_so_many_ceremonies_a_minute(ticks: Ticks) -> None:
    budget = Budget(3, ticks)
    assert [budget.spend("203.0.113.9") for _ in range(3)] == [0, 0, 0]
    assert budget.spend("203.0.113.9") == 60
    assert budget.spend("203.0.113.10") == 0
    for number in range(26):
        assert budget.spend(f"203.0.113.{number + 20}") == 0
    assert budget.spend("203.0.113.99") > 0
    assert budget.spend("198.51.100.7") == 0
    ticks.at += 61
    assert budget.spend("203.0.113.9") == 0


@pytest.fixture
async def guarded(store: Store, ticks: Ticks, clock: Any, hasher: Any) -> Accounts:
    made = Accounts(store, AccessSettings(mfa_required=False), clock=clock, limit=TryLimit(ticks), hasher=hasher)
    await made.create("an", "An", Role.ADMIN, PASSWORD)
    return made


@pytest.fixture(params=["sqlite"])
def database(request: pytest.FixtureRequest) -> None:
    """Counts are kept in memory: once is enough."""


@pytest.mark.parametrize("addresses", ["one network", "many networks"])
async def test_ten_thousand_tries_from_five_hundred_addresses(guarded: Accounts, ticks: Ticks, addresses: str) -> None:
    """Nobody gets in who guesses, also not with the right password at last where they have to wait; the owner does."""
    place = Place("198.51.100.7", await guarded.devices.remember("", "an"))
    where = [f"203.0.{n // 250}.{n % 250}" if addresses == "one network" else f"10.{n}.3.4" for n in range(250)]
    where += [f"2001:db8:{n:x}::1" for n in range(250)]
    wrong = refused = 0
    for number in range(10_000):
        ticks.at += 0.06
        try:
            await guarded.sign_in("an", f"guess number {number}", place=Place(where[number % 500]))
        except SignInError:
            wrong += 1
        except TooManyTriesError:
            refused += 1
        if number % 2500 == 1250:
            assert (await guarded.sign_in("an", PASSWORD, place=place)).full
    assert wrong + refused == 10_000
    assert wrong <= ACCOUNT_TRIES + 500 + 600 / AGAIN_PACE_S
    waited = 0.0
    for number in range(60):
        try:
            assert (await guarded.sign_in("an", PASSWORD, place=Place("192.0.2.44"))).full
            break
        except TooManyTriesError as error:
            with pytest.raises((SignInError, TooManyTriesError)):
                await guarded.sign_in("an", "still guessing", place=Place(where[number]))
            ticks.at += error.wait_s
            waited += error.wait_s
    assert waited <= 60


async def test_guessing_from_elsewhere_does_not_lock_the_owner_out(guarded: Accounts) -> None:
    for _ in range(PAIR_TRIES):
        with pytest.raises(SignInError):
            await guarded.sign_in("an", "guess", place=Place("203.0.113.9"))
    with pytest.raises(TooManyTriesError) as caught:
        await guarded.sign_in("an", PASSWORD, place=Place("203.0.113.9"))
    assert caught.value.wait_s == 60
    assert (await guarded.sign_in("an", PASSWORD, place=Place("198.51.100.7"))).full


class TestDevices:
    async def test_are_known_after_a_sign_in_also_after_a_restart(
        self, make_accounts: Callable[..., Accounts], accounts: Accounts
    ) -> None:
        secret = await accounts.devices.remember("", "an")
        assert await make_accounts().devices.known(secret, "an")
        assert not await accounts.devices.known(secret, "binh")
        assert not await accounts.devices.known("", "an")

    async def test_one_that_was_planted_is_worth_nothing_after_the_sign_in(self, accounts: Accounts) -> None:
        planted = await accounts.devices.remember("", "gian")
        kept = await accounts.devices.remember(planted, "an")
        assert not await accounts.devices.known(planted, "an")
        assert await accounts.devices.known(kept, "an")
        assert await accounts.devices.known(kept, "gian")

    async def test_are_forgotten_in_time_and_with_a_new_password(self, accounts: Accounts, clock: Any) -> None:
        secret = await accounts.devices.remember("", "an")
        clock.pass_by(days=181)
        assert not await accounts.devices.known(secret, "an")
        fresh = await accounts.devices.remember("", "an")
        await accounts.set_password("an", "một mật khẩu mới")
        assert not await accounts.devices.known(fresh, "an")


async def test_a_full_line_sends_strangers_away_and_takes_the_owners_device(hasher: Any) -> None:
    passwords = Passwords(hasher)
    hashed = await passwords.hash(PASSWORD, "an")
    passwords._waiting = WAITING
    with pytest.raises(TooManyTriesError):
        await passwords.check(PASSWORD, hashed, new=False)
    assert await passwords.check(PASSWORD, hashed, new=True)
    passwords._waiting = WAITING * 3
    with pytest.raises(TooManyTriesError):
        await passwords.check(PASSWORD, hashed, new=True)
    assert await passwords.check(PASSWORD, hashed, known=True)
