"""A flood of guesses: nobody gets in by guessing, and the owner does all the while."""

from __future__ import annotations

from typing import Any

import pytest

from matpho_platform.access.accounts import Accounts, Place
from matpho_platform.access.errors import SignInError, TooManyTriesError
from matpho_platform.access.tries import ACCOUNT_TRIES, AGAIN_PACE_S

PASSWORD = "hoa-sữa-tháng-mười"
EVERY_S = 0.06


@pytest.fixture(params=["sqlite"])
def database(request: pytest.FixtureRequest) -> None:
    """The rules are tested on both databases elsewhere; thousands of tries on one are enough."""


@pytest.mark.parametrize("addresses", ["one network", "many networks"])
@pytest.mark.parametrize(
    ("tries", "many"), [(600, 40), pytest.param(10_000, 500, marks=[pytest.mark.nightly, pytest.mark.timeout(900)])]
)
async def test_thousands_of_tries_from_many_addresses(
    accounts: Accounts, clock: Any, addresses: str, tries: int, many: int
) -> None:
    """Nobody gets in who guesses, also not with the right password at last where they have to wait; the owner does."""
    place = Place("198.51.100.7", await accounts.devices.remember("", "an"))
    where = [f"203.0.{n // 250}.{n % 250}" if addresses == "one network" else f"10.{n}.3.4" for n in range(many // 2)]
    where += [f"2001:db8:{n:x}::1" for n in range(many // 2)]
    wrong = refused = 0
    for number in range(tries):
        clock.pass_by(seconds=EVERY_S)
        try:
            await accounts.sign_in("an", f"guess number {number}", place=Place(where[number % many]))
        except SignInError:
            wrong += 1
        except TooManyTriesError:
            refused += 1
        if number % (tries // 4) == tries // 8:
            assert (await accounts.sign_in("an", PASSWORD, place=place)).full
    assert wrong + refused == tries
    assert wrong <= ACCOUNT_TRIES + many + tries * EVERY_S / AGAIN_PACE_S
    waited = 0.0
    for number in range(60):
        try:
            assert (await accounts.sign_in("an", PASSWORD, place=Place("192.0.2.44"))).full
            break
        except TooManyTriesError as error:
            with pytest.raises((SignInError, TooManyTriesError)):
                await accounts.sign_in("an", "still guessing", place=Place(where[number % many]))
            clock.pass_by(seconds=error.wait_s)
            waited += error.wait_s
    assert waited <= 60
