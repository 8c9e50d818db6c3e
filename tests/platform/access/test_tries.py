"""Guessing is slowed, and whoever knows the password gets in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from matpho_platform.access.accounts import CODE_TRIES, Accounts, Place
from matpho_platform.access.errors import SignInError, TooManyTriesError
from matpho_platform.access.keys import AccessKey
from matpho_platform.access.passwords import WAITING, Passwords
from matpho_platform.access.tries import (
    ACCOUNT_TRIES,
    ADDRESS_TRIES,
    AGAIN_PACE_S,
    DEVICE_WAIT_S,
    NETWORK_TRIES,
    PACE_S,
    PAIR_TRIES,
    WINDOW_S,
    TryLimit,
)
from matpho_platform.store import Store, open_store
from matpho_platform.store.tables import wrong_tries

PASSWORD = "hoa-sữa-tháng-mười"


@pytest.fixture
def limit(store: Store, clock: Any) -> TryLimit:
    return TryLimit(store, AccessKey.generate(), "password", clock)


async def fail(limit: TryLimit, times: int, user_id: str, client: str) -> None:
    for _ in range(times):
        await limit.failed(user_id, client)


class TestTheRules:
    @pytest.fixture(params=["sqlite"])
    def database(self) -> None:
        """One database is enough for the rules; how they are kept is tested on both below."""

    async def test_each_further_try_of_an_address_waits_twice_as_long(self, limit: TryLimit, clock: Any) -> None:
        for _ in range(PAIR_TRIES):
            assert await limit.wait("an", "203.0.113.9") == 0
            await limit.failed("an", "203.0.113.9")
        waits = []
        for _ in range(5):
            waits.append(await limit.wait("an", "203.0.113.9"))
            clock.pass_by(seconds=waits[-1])
            assert await limit.wait("an", "203.0.113.9") == 0
            await limit.failed("an", "203.0.113.9")
        assert waits[:3] == [60, 120, 240]
        assert max(waits) <= WINDOW_S

    async def test_another_address_and_another_account_do_not_wait(self, limit: TryLimit) -> None:
        await fail(limit, PAIR_TRIES, "an", "203.0.113.9")
        assert await limit.wait("an", "203.0.113.9") == 60
        assert await limit.wait("an", "203.0.113.10") == 0
        assert await limit.wait("binh", "203.0.113.9") == 0

    async def test_an_address_that_tries_many_accounts_waits_at_all(self, limit: TryLimit) -> None:
        for number in range(ADDRESS_TRIES):
            assert await limit.wait(f"user-{number}", "203.0.113.9") == 0
            await limit.failed(f"user-{number}", "203.0.113.9")
        assert await limit.wait("another", "203.0.113.9") > 0
        assert await limit.wait("another", "203.0.113.10") == 0

    async def test_under_attack_new_addresses_are_paced_and_used_ones_wait(self, limit: TryLimit, clock: Any) -> None:
        for number in range(ACCOUNT_TRIES):
            await limit.failed("an", f"10.{number}.0.1")
        assert await limit.wait("an", "10.3.0.1") > PACE_S
        assert await limit.wait("an", "198.51.100.7") == 0
        assert 0 < await limit.wait("an", "198.51.100.8") <= PACE_S
        clock.pass_by(seconds=PACE_S)
        assert await limit.wait("an", "198.51.100.8") == 0
        assert await limit.wait("binh", "198.51.100.9") == 0

    async def test_those_who_failed_before_share_a_slower_turn(self, limit: TryLimit, clock: Any) -> None:
        for number in range(ACCOUNT_TRIES):
            await limit.failed("an", f"10.{number}.0.1")
        clock.pass_by(seconds=60)
        assert await limit.wait("an", "10.3.0.1") == 0
        assert await limit.wait("an", "10.4.0.1") == AGAIN_PACE_S
        assert await limit.wait("an", "198.51.100.7") == 0

    async def test_a_network_under_attack_is_paced_too(self, limit: TryLimit) -> None:
        for number in range(NETWORK_TRIES):
            await limit.failed(f"user-{number}", f"203.0.113.{number % 40}")
        assert await limit.wait("an", "203.0.113.200") == 0
        assert await limit.wait("binh", "203.0.113.201") > 0
        assert await limit.wait("binh", "198.51.100.7") == 0

    async def test_a_known_device_is_never_kept_waiting_by_strangers_and_a_minute_by_itself(
        self, limit: TryLimit, clock: Any
    ) -> None:
        for number in range(2 * NETWORK_TRIES):
            await limit.failed("an", f"10.1.0.{number}")
        assert await limit.wait("an", "10.1.0.1", "device") == 0
        for _ in range(40):
            clock.pass_by(seconds=await limit.wait("an", "10.1.0.1", "device"))
            await limit.failed("an", "10.1.0.1", "device")
        assert 0 < await limit.wait("an", "10.1.0.1", "device") <= DEVICE_WAIT_S

    async def test_time_and_success_heal(self, limit: TryLimit, clock: Any) -> None:
        for user_id in ("an", "binh"):
            await fail(limit, PAIR_TRIES, user_id, "203.0.113.9")
        await limit.succeeded("binh", "203.0.113.9")
        assert await limit.wait("binh", "203.0.113.9") == 0
        assert await limit.wait("an", "203.0.113.9") > 0
        clock.pass_by(seconds=WINDOW_S + 1)
        assert await limit.wait("an", "203.0.113.9") == 0

    async def test_a_clock_set_back_makes_nobody_wait_longer_than_they_would(self, limit: TryLimit, clock: Any) -> None:
        await fail(limit, PAIR_TRIES, "an", "203.0.113.9")
        clock.pass_by(days=-30)
        assert await limit.wait("an", "203.0.113.9") == 60

    async def test_a_refusal_is_put_on_record_once_a_minute(self, limit: TryLimit, clock: Any) -> None:
        assert [await limit.newly_refused("an") for _ in range(3)] == [True, False, False]
        clock.pass_by(seconds=61)
        assert await limit.newly_refused("an")


class TestTheStore:
    async def test_a_restart_forgets_nothing(self, store: Store, clock: Any) -> None:
        key = AccessKey.generate()
        await fail(TryLimit(store, key, "password", clock), PAIR_TRIES, "an", "203.0.113.9")
        later = TryLimit(store, key, "password", clock)
        assert await later.wait("an", "203.0.113.9") == 60
        assert not await later.is_new("203.0.113.9")

    async def test_two_centers_of_a_database_count_together_and_take_turns(
        self, store: Store, database: str | None, tmp_path: Path, clock: Any
    ) -> None:
        key, other = AccessKey.generate(), await open_store(database or tmp_path / "a.db")
        limits = [TryLimit(of, key, "password", clock) for of in (store, other)]
        for number in range(ACCOUNT_TRIES):
            await limits[number % 2].failed("an", f"10.{number}.0.1")
        waits = await asyncio.gather(
            *(limits[number % 2].wait("an", f"198.51.100.{number}") for number in range(8)),
        )
        assert sorted(waits)[0] == 0
        assert [wait for wait in waits if wait > 0] == [PACE_S] * 7
        await other.close()

    async def test_doors_are_counted_apart(self, store: Store, clock: Any) -> None:
        key = AccessKey.generate()
        await fail(TryLimit(store, key, "password", clock), PAIR_TRIES, "an", "203.0.113.9")
        assert await TryLimit(store, key, "code", clock).wait("an", "203.0.113.9") == 0

    async def test_a_door_that_closes_is_shut_to_strangers_alone(self, store: Store, clock: Any) -> None:
        door = TryLimit(store, AccessKey.generate(), "code", clock, account_tries=CODE_TRIES, closes=True)
        for number in range(CODE_TRIES):
            await door.failed("an", f"10.{number}.0.1")
        assert await door.wait("an", "198.51.100.7") == WINDOW_S
        assert await door.wait("an", "198.51.100.7", "device") == 0
        assert await door.wait("binh", "198.51.100.7") == 0

    async def test_no_account_and_no_address_lies_open_and_old_tries_go(
        self, store: Store, limit: TryLimit, clock: Any
    ) -> None:
        await limit.failed("mật khẩu gõ nhầm chỗ", "203.0.113.9")
        async with store.reading() as session:
            rows = await session.all(select(wrong_tries))
        assert len({row["name"] for row in rows}) == 4
        assert all(len(row["name"]) == 64 for row in rows)
        clock.pass_by(seconds=WINDOW_S + 1)
        await limit.failed("an", "203.0.113.9", "device")
        async with store.reading() as session:
            assert len(await session.all(select(wrong_tries))) == 1

    async def test_made_up_names_are_put_on_record_as_one(self, accounts: Accounts) -> None:
        assert [await accounts.newly_refused(f"user-{number}") for number in range(3)] == [True, False, False]
        assert await accounts.newly_refused("an")
        assert not await accounts.newly_refused("an")


async def test_guessing_from_elsewhere_does_not_lock_the_owner_out(accounts: Accounts) -> None:
    for _ in range(PAIR_TRIES):
        with pytest.raises(SignInError):
            await accounts.sign_in("an", "guess", place=Place("203.0.113.9"))
    with pytest.raises(TooManyTriesError) as caught:
        await accounts.sign_in("an", PASSWORD, place=Place("203.0.113.9"))
    assert caught.value.wait_s == 60
    assert (await accounts.sign_in("an", PASSWORD, place=Place("198.51.100.7"))).full


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
