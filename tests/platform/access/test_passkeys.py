"""Passkeys, with a software authenticator: registering, signing in, stepping up, and everything that must not pass."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from matpho_contracts.errors import NotFoundError
from matpho_platform.access.accounts import Accounts
from matpho_platform.access.errors import FactorError, OneTimeError, SignInError
from matpho_platform.access.one_time import Purpose
from matpho_platform.access.passkeys import MAX_PASSKEYS, Site
from matpho_platform.access.principal import Role
from matpho_platform.store import Store
from matpho_platform.store.tables import one_time, passkeys

PASSWORD = "hoa-sữa-tháng-mười"
SITE = Site("https://matpho.example", "matpho.example")
Made = Callable[..., Any]


@pytest.fixture
async def device(accounts: Accounts, authenticator: Made) -> Any:
    """The authenticator of `an`, registered."""
    made = authenticator()
    await register(accounts, made)
    return made


async def register(accounts: Accounts, device: Any, user_id: str = "an") -> None:
    ceremony = await accounts.passkeys.begin_registration(SITE, user_id, user_id)
    answer = device.create(ceremony.options, SITE.origin)
    await accounts.passkeys.register(SITE, user_id, ceremony.name, answer, "điện thoại")


async def test_signing_in_takes_nothing_else_and_counts_as_both_factors(
    accounts: Accounts, device: Any, clock: Any
) -> None:
    ceremony = await accounts.passkeys.begin_sign_in(SITE)
    assert ceremony.options["userVerification"] == "required"
    assert not ceremony.options["allowCredentials"]
    opened = await accounts.passkey_sign_in(SITE, ceremony.name, device.get(ceremony.options, SITE.origin))
    principal = await accounts.principal(opened.token)
    assert (principal.user_id, principal.mfa_at) == ("an", clock())


async def test_a_right_password_waits_for_the_passkey(accounts: Accounts, device: Any) -> None:
    half = await accounts.sign_in("an", PASSWORD)
    assert not half.full
    ceremony = await accounts.passkeys.begin_step_up(SITE, "an")
    assert len(ceremony.options["allowCredentials"]) == 1
    full = await accounts.passkey_step_up(half.token, SITE, ceremony.name, device.get(ceremony.options, SITE.origin))
    assert (await accounts.principal(full.token)).mfa_at


async def test_the_options_tell_an_authenticator_no_name_of_ours(accounts: Accounts) -> None:
    ceremony = await accounts.passkeys.begin_registration(SITE, "an", "Trần Văn An")
    assert ceremony.options["user"]["id"] not in ("an", "YW4")
    assert ceremony.options["rp"]["id"] == SITE.host
    assert ceremony.options["authenticatorSelection"]["userVerification"] == "required"
    assert ceremony.options["attestation"] == "none"


FAULTS: dict[str, dict[str, Any]] = {
    "another origin": {"origin": "https://matpho.example.evil.example"},
    "the origin without TLS": {"origin": "http://matpho.example"},
    "another port": {"origin": "https://matpho.example:8443"},
    "another site's id": {"host": "evil.example"},
    "nobody verified": {"verifies": False},
    "nobody present": {"present": False},
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_registration_with_a_fault_is_refused(accounts: Accounts, authenticator: Made, fault: str) -> None:
    ceremony = await accounts.passkeys.begin_registration(SITE, "an", "An")
    answer = authenticator(**FAULTS[fault]).create(ceremony.options, SITE.origin)
    with pytest.raises(FactorError):
        await accounts.passkeys.register(SITE, "an", ceremony.name, answer, "x")
    assert not await accounts.passkeys.of("an")


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_sign_in_with_a_fault_is_refused_and_ends_its_challenge(
    accounts: Accounts, device: Any, fault: str
) -> None:
    ceremony = await accounts.passkeys.begin_sign_in(SITE)
    for name, value in FAULTS[fault].items():
        setattr(device, name, value)
    with pytest.raises(SignInError):
        await accounts.passkey_sign_in(SITE, ceremony.name, device.get(ceremony.options, SITE.origin))
    device.origin = device.host = ""
    device.verifies = device.present = True
    with pytest.raises(OneTimeError):
        await accounts.passkey_sign_in(SITE, ceremony.name, device.get(ceremony.options, SITE.origin))


async def test_an_answer_is_good_once(accounts: Accounts, device: Any) -> None:
    ceremony = await accounts.passkeys.begin_sign_in(SITE)
    answer = device.get(ceremony.options, SITE.origin)
    assert await accounts.passkey_sign_in(SITE, ceremony.name, answer)
    with pytest.raises(OneTimeError):
        await accounts.passkey_sign_in(SITE, ceremony.name, answer)
    later = await accounts.passkeys.begin_sign_in(SITE)
    with pytest.raises(SignInError):
        await accounts.passkey_sign_in(SITE, later.name, answer)


async def test_of_the_same_answer_at_once_one_gets_through(accounts: Accounts, device: Any) -> None:
    ceremony = await accounts.passkeys.begin_sign_in(SITE)
    answer = device.get(ceremony.options, SITE.origin)
    tries = [accounts.passkey_sign_in(SITE, ceremony.name, answer) for _ in range(5)]
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(not isinstance(one, BaseException) for one in done) == 1


async def test_a_challenge_runs_out(accounts: Accounts, device: Any, clock: Any) -> None:
    ceremony = await accounts.passkeys.begin_sign_in(SITE)
    clock.pass_by(minutes=5, seconds=1)
    with pytest.raises(OneTimeError):
        await accounts.passkey_sign_in(SITE, ceremony.name, device.get(ceremony.options, SITE.origin))


async def test_a_challenge_is_for_its_purpose_and_its_person(accounts: Accounts, device: Any) -> None:
    await accounts.create("gian", "Kẻ gian", Role.LEADER, PASSWORD)
    for_sign_in = await accounts.passkeys.begin_sign_in(SITE)
    answer = device.get(for_sign_in.options, SITE.origin)
    with pytest.raises(OneTimeError):
        await accounts.passkeys.check(SITE, Purpose.PASSKEY_STEP_UP, for_sign_in.name, answer)
    for_an = await accounts.passkeys.begin_registration(SITE, "an", "An")
    with pytest.raises(OneTimeError):
        await accounts.passkeys.register(SITE, "gian", for_an.name, device.create(for_an.options, SITE.origin), "x")


async def test_anothers_passkey_does_not_step_up(accounts: Accounts, device: Any, authenticator: Made) -> None:
    await accounts.create("gian", "Kẻ gian", Role.LEADER, PASSWORD)
    theirs = authenticator()
    await register(accounts, theirs, "gian")
    half = await accounts.sign_in("an", PASSWORD)
    for asker in ("an", "gian"):
        ceremony = await accounts.passkeys.begin_step_up(SITE, asker)
        with pytest.raises(SignInError):
            await accounts.passkey_step_up(half.token, SITE, ceremony.name, theirs.get(ceremony.options, SITE.origin))


async def test_a_copied_authenticator_is_found_out_by_its_counter(accounts: Accounts, device: Any) -> None:
    copy = replace(device)
    for _ in range(3):
        ceremony = await accounts.passkeys.begin_sign_in(SITE)
        await accounts.passkey_sign_in(SITE, ceremony.name, device.get(ceremony.options, SITE.origin))
    ceremony = await accounts.passkeys.begin_sign_in(SITE)
    with pytest.raises(SignInError):
        await accounts.passkey_sign_in(SITE, ceremony.name, copy.get(ceremony.options, SITE.origin))


async def test_one_that_does_not_count_is_taken(accounts: Accounts, authenticator: Made) -> None:
    device = authenticator(count=-1)
    await register(accounts, device)
    for _ in range(2):
        device.count = -1
        ceremony = await accounts.passkeys.begin_sign_in(SITE)
        assert await accounts.passkey_sign_in(SITE, ceremony.name, device.get(ceremony.options, SITE.origin))


async def test_another_key_under_a_known_name_does_not_sign_in(
    accounts: Accounts, device: Any, authenticator: Made
) -> None:
    forged = authenticator(credential_id=device.credential_id, count=99)
    ceremony = await accounts.passkeys.begin_sign_in(SITE)
    with pytest.raises(SignInError):
        await accounts.passkey_sign_in(SITE, ceremony.name, forged.get(ceremony.options, SITE.origin))
    ceremony = await accounts.passkeys.begin_registration(SITE, "an", "An")
    answer = forged.create(ceremony.options, SITE.origin)
    with pytest.raises(FactorError):
        await accounts.passkeys.register(SITE, "an", ceremony.name, answer, "x")


HOSTILE: list[dict[str, Any]] = [
    {},
    {"rawId": 7},
    {"id": "AA", "rawId": "AA", "type": "public-key", "response": {}},
    {"id": "AA", "rawId": "AA", "type": "public-key", "response": None},
    {"id": "AA", "rawId": "AAA", "type": "public-key", "response": {"clientDataJSON": "!"}},
    {"id": "%", "rawId": "%", "type": "x", "response": []},
]


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_what_is_no_answer_is_refused(accounts: Accounts, device: Any, hostile: dict[str, Any]) -> None:
    ceremony = await accounts.passkeys.begin_sign_in(SITE)
    with pytest.raises(SignInError):
        await accounts.passkey_sign_in(SITE, ceremony.name, hostile)
    ceremony = await accounts.passkeys.begin_registration(SITE, "an", "An")
    with pytest.raises(FactorError):
        await accounts.passkeys.register(SITE, "an", ceremony.name, hostile, "x")


PARTS = ("clientDataJSON", "authenticatorData", "signature")


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("spoilt", ["", "AA", "_" * 400, "cut", "flipped"])
async def test_a_spoilt_answer_is_refused(accounts: Accounts, device: Any, part: str, spoilt: str) -> None:
    ceremony = await accounts.passkeys.begin_sign_in(SITE)
    answer = device.get(ceremony.options, SITE.origin)
    text = answer["response"][part]
    changed = {"cut": text[: len(text) // 2], "flipped": text[:-6] + ("A" if text[-6] != "A" else "B") + text[-5:]}
    answer["response"][part] = changed.get(spoilt, spoilt)
    with pytest.raises(SignInError):
        await accounts.passkey_sign_in(SITE, ceremony.name, answer)


async def test_a_disabled_account_is_out(accounts: Accounts, device: Any) -> None:
    await accounts.disable("an")
    ceremony = await accounts.passkeys.begin_sign_in(SITE)
    with pytest.raises(SignInError):
        await accounts.passkey_sign_in(SITE, ceremony.name, device.get(ceremony.options, SITE.origin))


async def test_are_listed_removed_and_bounded(accounts: Accounts, device: Any, authenticator: Made) -> None:
    (shown,) = await accounts.passkeys.of("an")
    assert (shown.name, shown.used) == ("điện thoại", None)
    with pytest.raises(NotFoundError):
        await accounts.passkeys.remove("gian", shown.id)
    await accounts.passkeys.remove("an", shown.id)
    assert (await accounts.sign_in("an", PASSWORD)).full
    with pytest.raises(FactorError):
        await accounts.passkeys.begin_step_up(SITE, "an")
    for _ in range(MAX_PASSKEYS):
        await register(accounts, authenticator())
    with pytest.raises(FactorError):
        await register(accounts, authenticator())


async def test_only_public_keys_are_kept_and_no_challenge_by_its_name(
    accounts: Accounts, device: Any, store: Store
) -> None:
    ceremony = await accounts.passkeys.begin_sign_in(SITE)
    async with store.reading() as session:
        assert ceremony.name not in str(await session.all(select(one_time)))
        (row,) = await session.all(select(passkeys))
    secret = device.key.private_numbers().private_value.to_bytes(32, "big")
    assert secret not in row["public_key"] + row["credential_id"]
