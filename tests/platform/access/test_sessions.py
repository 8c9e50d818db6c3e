"""Sessions and API tokens: how long, for whom, whose, and that their end ends open streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from matpho_contracts.errors import NotFoundError, UnavailableError
from matpho_platform.access.accounts import Accounts, Place
from matpho_platform.access.administration import Administration
from matpho_platform.access.errors import AccountError, NotSignedInError
from matpho_platform.access.principal import Principal, Role
from matpho_platform.access.sessions import CITIZEN, HALF, MAX_SESSIONS, STAFF, Sessions
from matpho_platform.access.tokens import MAX_TOKENS, PREFIX, Tokens
from matpho_platform.access.watching import BLIND_S, SessionWatch, ending_with_session
from matpho_platform.store import Store
from matpho_platform.store.tables import api_tokens, sessions

PASSWORD = "hoa-sữa-tháng-mười"
IN_TIME_S = 5.0
"""How soon a stream must end."""


class TestLimits:
    async def test_a_staff_session_ends_when_idle(self, accounts: Accounts, clock: Any) -> None:
        token = (await accounts.sign_in("an", PASSWORD)).token
        for _ in range(3):
            clock.pass_by(minutes=14)
            await accounts.principal(token)
        clock.pass_by(minutes=15, seconds=1)
        with pytest.raises(NotSignedInError):
            await accounts.principal(token)

    async def test_and_after_a_shift_however_busy(self, accounts: Accounts, clock: Any) -> None:
        token = (await accounts.sign_in("an", PASSWORD)).token
        for _ in range(47):
            clock.pass_by(minutes=10)
            await accounts.principal(token)
        clock.pass_by(minutes=10, seconds=1)
        with pytest.raises(NotSignedInError):
            await accounts.principal(token)

    async def test_a_citizens_lasts_longer(self, accounts: Accounts, clock: Any) -> None:
        await accounts.create("dan", "Người dân", Role.CITIZEN, PASSWORD)
        token = (await accounts.sign_in("dan", PASSWORD)).token
        for _ in range(5):
            clock.pass_by(days=6)
            await accounts.principal(token)
        clock.pass_by(minutes=1)
        with pytest.raises(NotSignedInError):
            await accounts.principal(token)
        token = (await accounts.sign_in("dan", PASSWORD)).token
        clock.pass_by(days=7, seconds=1)
        with pytest.raises(NotSignedInError):
            await accounts.principal(token)

    async def test_a_half_one_lasts_minutes(self, make_accounts: Callable[..., Accounts], clock: Any) -> None:
        accounts = make_accounts(mfa_required=True)
        await accounts.create("binh", "Bình", Role.LEADER, PASSWORD)
        token = (await accounts.sign_in("binh", PASSWORD)).token
        clock.pass_by(minutes=10, seconds=1)
        with pytest.raises(NotSignedInError):
            await accounts.bearer(token)

    def test_are_those_of_the_bar(self) -> None:
        assert (STAFF.idle, STAFF.life) == (timedelta(minutes=15), timedelta(hours=8))
        assert HALF.life < STAFF.idle < CITIZEN.idle < CITIZEN.life

    async def test_a_step_up_does_not_lengthen_the_shift(self, accounts: Accounts, clock: Any) -> None:
        token = (await accounts.sign_in("an", PASSWORD)).token
        until = (await accounts.bearer(token)).expires
        clock.pass_by(minutes=10)
        stepped = await accounts.sessions.strengthen(token)
        assert (await accounts.bearer(stepped.token)).expires == until

    async def test_an_account_has_so_many_and_the_oldest_end(self, accounts: Accounts, clock: Any) -> None:
        tokens = []
        for _ in range(MAX_SESSIONS + 2):
            clock.pass_by(seconds=1)
            tokens.append((await accounts.sign_in("an", PASSWORD)).token)
        for gone in tokens[:2]:
            with pytest.raises(NotSignedInError):
                await accounts.principal(gone)
        assert await accounts.principal(tokens[2])


class TestOwn:
    async def test_are_listed_and_ended(self, accounts: Accounts, clock: Any) -> None:
        here = (await accounts.sign_in("an", PASSWORD, place=Place("203.0.113.9", "", "Firefox"))).token
        clock.pass_by(seconds=5)
        there = (await accounts.sign_in("an", PASSWORD)).token
        newest, oldest = await accounts.sessions.of("an")
        assert (oldest.client, oldest.device, oldest.full) == ("203.0.113.9", "Firefox", True)
        await accounts.end_session("an", newest.id)
        with pytest.raises(NotSignedInError):
            await accounts.principal(there)
        assert await accounts.principal(here)

    async def test_nobody_ends_anothers(self, accounts: Accounts) -> None:
        await accounts.create("gian", "Kẻ gian", Role.LEADER, PASSWORD)
        token = (await accounts.sign_in("an", PASSWORD)).token
        theirs = (await accounts.principal(token)).session_id
        with pytest.raises(NotFoundError):
            await accounts.end_session("gian", theirs)
        assert await accounts.principal(token)

    async def test_all_others_end_at_once(self, accounts: Accounts) -> None:
        tokens = [(await accounts.sign_in("an", PASSWORD)).token for _ in range(3)]
        assert await accounts.end_other_sessions(await accounts.principal(tokens[1])) == 2
        for gone in (tokens[0], tokens[2]):
            with pytest.raises(NotSignedInError):
                await accounts.principal(gone)
        assert await accounts.principal(tokens[1])

    async def test_ones_own_new_password_keeps_this_session_alone(self, accounts: Accounts) -> None:
        tokens = [(await accounts.sign_in("an", PASSWORD)).token for _ in range(2)]
        who = await accounts.principal(tokens[0])
        await accounts.change_password(who, PASSWORD, "một mật khẩu mới", place=Place())
        assert await accounts.principal(tokens[0])
        with pytest.raises(NotSignedInError):
            await accounts.principal(tokens[1])

    async def test_no_token_is_kept(self, accounts: Accounts, store: Store) -> None:
        opened = await accounts.sign_in("an", PASSWORD)
        made = await accounts.issue_token("an", "báo cáo")
        async with store.reading() as session:
            kept = f"{await session.all(select(sessions))} {await session.all(select(api_tokens))}"
        assert opened.token not in kept
        assert made not in kept
        assert opened.token not in repr(opened)

    async def test_of_two_step_ups_at_once_one_has_the_token(self, accounts: Accounts) -> None:
        token = (await accounts.sign_in("an", PASSWORD)).token
        done = await asyncio.gather(*(accounts.sessions.strengthen(token) for _ in range(4)), return_exceptions=True)
        assert sum(not isinstance(one, BaseException) for one in done) == 1


class TestTokens:
    async def test_are_narrower_than_their_account_and_carry_no_factor(self, accounts: Accounts) -> None:
        await accounts.create("binh", "Bình", Role.OFFICER, PASSWORD, areas=("p-ba-dinh", "p-hoan-kiem"))
        token = await accounts.issue_token("binh", "bảng", actions={"search_events"}, areas={"p-ba-dinh"})
        assert token.startswith(PREFIX)
        principal = await accounts.principal(token)
        assert (principal.actions, principal.areas) == (frozenset({"search_events"}), ("p-ba-dinh",))
        assert principal.mfa_at is None
        assert await accounts.still_valid(principal.session_id)

    async def test_lose_what_their_account_loses(self, accounts: Accounts, store: Store, clock: Any) -> None:
        admin = await accounts.create("quan-tri", "Quản trị", Role.ADMIN, PASSWORD)
        await accounts.create("binh", "Bình", Role.OFFICER, PASSWORD, areas=("p-ba-dinh", "p-hoan-kiem"))
        token = await accounts.issue_token("binh", "bảng", areas={"p-ba-dinh"})
        await Administration(store, accounts, clock).change(admin, "binh", areas=("p-hoan-kiem",))
        principal = await accounts.principal(token)
        assert (principal.areas, principal.actions) == ((), frozenset())

    async def test_last_ninety_days_at_most(self, accounts: Accounts, clock: Any) -> None:
        token = await accounts.issue_token("an", "báo cáo", timedelta(days=4000))
        clock.pass_by(days=89)
        assert await accounts.principal(token)
        clock.pass_by(days=1, seconds=1)
        with pytest.raises(NotSignedInError):
            await accounts.principal(token)

    async def test_that_cannot_be(self, accounts: Accounts) -> None:
        await accounts.create("chi-huy", "Chỉ huy", Role.COMMANDER, PASSWORD)
        for user_id, areas in (("an", {"p-ba-dinh"}), ("an", set()), ("chi-huy", {"p-ba-dinh"}), ("nobody", None)):
            with pytest.raises(AccountError):
                await accounts.issue_token(user_id, "x", areas=areas)
        with pytest.raises(AccountError):
            await accounts.issue_token("an", "x", actions=set())

    async def test_are_listed_without_their_secret_and_revoked(self, accounts: Accounts, clock: Any) -> None:
        token = await accounts.issue_token("an", "báo cáo", timedelta(days=1))
        clock.pass_by(minutes=5)
        await accounts.principal(token)
        (shown,) = await accounts.tokens.of("an")
        assert (shown.name, shown.used) == ("báo cáo", clock())
        assert token not in str(shown)
        with pytest.raises(NotFoundError):
            await accounts.revoke_token("gian", shown.id)
        await accounts.revoke_token("an", shown.id)
        with pytest.raises(NotSignedInError):
            await accounts.principal(token)

    async def test_an_account_has_so_many(self, accounts: Accounts) -> None:
        for number in range(MAX_TOKENS):
            await accounts.issue_token("an", str(number))
        with pytest.raises(AccountError):
            await accounts.issue_token("an", "one more")


class _Source:
    """A stream that goes on for ever, and says when it was stopped."""

    def __init__(self) -> None:
        self.stopped = asyncio.Event()

    async def items(self) -> AsyncIterator[int]:
        try:
            yield 0
            await asyncio.Event().wait()
        finally:
            self.stopped.set()


async def _drained(accounts: Accounts, principal: Principal, source: _Source) -> list[int]:
    return [item async for item in ending_with_session(source.items(), accounts, principal)]


class TestStreams:
    @pytest.fixture
    async def signed_in(self, accounts: Accounts) -> tuple[str, Principal]:
        token = (await accounts.sign_in("an", PASSWORD)).token
        return token, await accounts.principal(token)

    @pytest.fixture
    async def stream(
        self, accounts: Accounts, signed_in: tuple[str, Principal]
    ) -> AsyncIterator[tuple[_Source, asyncio.Task[list[int]]]]:
        source = _Source()
        task = asyncio.create_task(_drained(accounts, signed_in[1], source))
        await asyncio.sleep(0.05)
        assert not task.done()
        yield source, task
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    @pytest.mark.parametrize(
        "end", ["sign_out", "end_session", "disable", "set_password", "areas", "role", "elsewhere"]
    )
    async def test_end_with_the_session(
        self,
        accounts: Accounts,
        make_accounts: Callable[..., Accounts],
        store: Store,
        signed_in: tuple[str, Principal],
        stream: tuple[_Source, asyncio.Task[list[int]]],
        end: str,
    ) -> None:
        token, who = signed_in
        admin = await accounts.create("quan-tri", "Quản trị", Role.ADMIN, PASSWORD)
        other = Administration(store, make_accounts())
        ends: dict[str, Callable[[], Any]] = {
            "sign_out": lambda: accounts.sign_out(token),
            "end_session": lambda: accounts.end_session("an", who.session_id),
            "disable": lambda: accounts.disable("an"),
            "set_password": lambda: accounts.set_password("an", "một mật khẩu mới"),
            "areas": lambda: other.change(admin, "an", areas=("p-ba-dinh",)),
            "role": lambda: other.change(admin, "an", role=Role.INVESTIGATOR),
            "elsewhere": lambda: make_accounts().disable("an"),
        }
        await ends[end]()
        source, task = stream
        assert await asyncio.wait_for(task, IN_TIME_S) == [0]
        await asyncio.wait_for(source.stopped.wait(), 1)

    async def test_go_on_through_a_step_up(
        self,
        accounts: Accounts,
        signed_in: tuple[str, Principal],
        stream: tuple[_Source, asyncio.Task[list[int]]],
    ) -> None:
        await accounts.sessions.strengthen(signed_in[0])
        accounts.changed()
        await asyncio.sleep(0.2)
        assert not stream[1].done()

    async def test_of_a_token_end_when_its_areas_go(self, accounts: Accounts, store: Store) -> None:
        admin = await accounts.create("quan-tri", "Quản trị", Role.ADMIN, PASSWORD)
        who = await accounts.principal(await accounts.issue_token("an", "bảng"))
        task = asyncio.create_task(_drained(accounts, who, _Source()))
        await asyncio.sleep(0.05)
        await Administration(store, accounts).change(admin, "an", areas=("p-ba-dinh",))
        assert await asyncio.wait_for(task, IN_TIME_S) == [0]

    async def test_end_when_it_cannot_be_seen_whether_the_session_lives(self, store: Store, clock: Any) -> None:
        class Away(Sessions):
            async def living(self, ids: Any) -> dict[str, Principal]:
                raise UnavailableError("The database is away.")

        watch = SessionWatch(Away(store, clock), Tokens(store, clock))
        async with watch.watch(Principal("an", "An", Role.LEADER, session_id="x")) as ended:
            assert await asyncio.wait_for(ended.wait(), BLIND_S + IN_TIME_S)

    async def test_that_end_by_themselves_or_fail_do_so_for_their_reader(
        self, accounts: Accounts, signed_in: tuple[str, Principal]
    ) -> None:
        async def three() -> AsyncIterator[int]:
            for number in range(3):
                yield number

        async def broken() -> AsyncIterator[int]:
            yield 1
            raise ZeroDivisionError

        assert [item async for item in ending_with_session(three(), accounts, signed_in[1])] == [0, 1, 2]
        with pytest.raises(ZeroDivisionError):
            [item async for item in ending_with_session(broken(), accounts, signed_in[1])]

    async def test_stop_when_their_reader_goes_away(self, accounts: Accounts, signed_in: tuple[str, Principal]) -> None:
        source = _Source()
        stream = ending_with_session(source.items(), accounts, signed_in[1])
        assert await anext(stream) == 0
        await stream.aclose()  # type: ignore[attr-defined]  # an async generator has it
        await asyncio.wait_for(source.stopped.wait(), 1)
