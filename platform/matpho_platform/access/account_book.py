"""Accounts as they are kept, and everything that is open in their name: made, changed, shut, ended."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pwdlib import PasswordHash
from sqlalchemy import RowMapping

from matpho_contracts.ids import is_short_id
from matpho_contracts.times import unix_ms
from matpho_platform.access import repository
from matpho_platform.access import session_repository as open_repository
from matpho_platform.access.devices import KnownDevices
from matpho_platform.access.errors import (
    AccountError,
    NotSignedInError,
    SecondFactorNeededError,
)
from matpho_platform.access.keys import AccessKey
from matpho_platform.access.one_time import OneTime
from matpho_platform.access.passkeys import Passkeys
from matpho_platform.access.passwords import Passwords
from matpho_platform.access.principal import PROVINCE_WIDE, Principal, Role
from matpho_platform.access.second_factor import SecondFactor
from matpho_platform.access.sessions import Bearer, Clock, Sessions
from matpho_platform.access.settings import AccountEntry
from matpho_platform.access.tokens import PREFIX, TOKEN_LIFE, Tokens
from matpho_platform.access.watching import SessionWatch
from matpho_platform.store.engine import Store
from matpho_platform.store.errors import DuplicateError
from matpho_platform.store.session import WriteSession


@dataclass(frozen=True, slots=True)
class Factors:
    """The second factors of an account."""

    totp: bool
    passkeys: int
    recovery_codes: int = 0

    @property
    def any(self) -> bool:
        """Whether there is one."""
        return self.totp or self.passkeys > 0


class AccountBook:
    """Who there is, and what each has open."""

    def __init__(self, store: Store, key: AccessKey, *, title: str, clock: Clock, hasher: PasswordHash | None) -> None:
        self._store = store
        self._clock = clock
        self.passwords = Passwords(hasher)
        self.devices = KnownDevices(store, clock)
        self.sessions = Sessions(store, clock)
        self.tokens = Tokens(store, clock)
        self.one_time = OneTime(store, clock)
        self.codes = SecondFactor(store, key, title, clock)
        self.passkeys = Passkeys(store, self.one_time, key, title, clock)
        self._watch = SessionWatch(self.sessions, self.tokens)

    async def create(
        self, user_id: str, name: str, role: Role, password: str | None, *, areas: Sequence[str] = ()
    ) -> Principal:
        """Make an account; without a password nobody can sign in to it until an invitation or a link makes that good.

        Raises AccountError for a bad name, a weak password, or an id that is taken.
        """
        check_account(user_id, name, role, areas)
        hashed = "" if password is None else await self.passwords.hash(password, user_id)
        try:
            async with self._store.writing() as session:
                await repository.add_account(session, self._row(user_id, name, role, hashed, areas))
        except DuplicateError as error:
            raise AccountError(f"The user id {user_id} is taken.") from error
        return Principal(user_id, name, role, tuple(areas))

    async def configure(self, entries: Sequence[AccountEntry]) -> None:
        """Make the accounts of the settings that are not there; existing ones are left as they are."""
        for entry in entries:
            if await self.find(entry.id) is None:
                password = entry.password.get_secret_value()
                await self.create(entry.id, entry.name, entry.role, password, areas=entry.areas)

    async def find(self, user_id: str) -> RowMapping | None:
        """An account's row."""
        async with self._store.reading() as session:
            return await repository.find_account(session, user_id)

    async def all(self) -> Sequence[Principal]:
        """Every account, for administrators."""
        async with self._store.reading() as session:
            rows = await repository.all_accounts(session)
        return tuple(Principal(r["user_id"], r["name"], Role(r["role"]), tuple(json.loads(r["areas"]))) for r in rows)

    async def factors(self, user_id: str) -> Factors:
        """The second factors of an account."""
        totp, keys = await self.codes.has(user_id), await self.passkeys.of(user_id)
        return Factors(totp, len(keys), await self.codes.recovery_left(user_id))

    async def bearer(self, token: str) -> Bearer:
        """Who a token stands for, a half session's too; raises NotSignedInError."""
        return await (self.tokens if token.startswith(PREFIX) else self.sessions).read(token)

    async def principal(self, token: str) -> Principal:
        """Who a token stands for, as the account is now; raises NotSignedInError, SecondFactorNeededError."""
        bearer = await self.bearer(token)
        if not bearer.full:
            raise SecondFactorNeededError("Your second factor is missing.", action="Show it, or set one up.")
        return bearer.principal

    async def issue_token(
        self,
        user_id: str,
        name: str,
        life: timedelta = TOKEN_LIFE,
        *,
        actions: Collection[str] | None = None,
        areas: Collection[str] | None = None,
    ) -> str:
        """A bearer token for programs that act as this account (see Tokens.issue)."""
        return await self.tokens.issue(user_id, name, life, actions=actions, areas=areas)

    async def sign_out(self, token: str) -> None:
        """End a session; an unknown one is no error."""
        try:
            bearer = await self.sessions.read(token)
        except NotSignedInError:
            return
        await self.sessions.end(bearer.principal.user_id, bearer.principal.session_id)
        self._watch.wake()

    async def end_session(self, user_id: str, session_id: str) -> None:
        """End one of an account's sessions, and its streams; raises NotFoundError."""
        await self.sessions.end(user_id, session_id)
        self._watch.wake()

    async def end_other_sessions(self, principal: Principal) -> int:
        """End every session of the caller's but the one that asks; returns how many."""
        ended = await self.sessions.end_all(principal.user_id, keep=principal.session_id)
        self._watch.wake()
        return ended

    async def revoke_token(self, user_id: str, token_id: str) -> None:
        """End one of an account's API tokens, and its streams; raises NotFoundError."""
        await self.tokens.revoke(user_id, token_id)
        self._watch.wake()

    async def disable(self, user_id: str) -> None:
        """Shut an account and end everything it has open; raises AccountError, also for the last administrator."""
        async with self._store.writing() as session:
            await keep_an_administrator(session, user_id)
            await self.change(session, user_id, {"disabled": True})
        self._watch.wake()

    async def enable(self, user_id: str) -> None:
        """Open a shut account again."""
        async with self._store.writing() as session:
            await self.change(session, user_id, {"disabled": False})

    async def set_password(self, user_id: str, password: str, *, keep: str = "") -> None:
        """Set a new password and end everything the account has open, but the session `keep`."""
        hashed = await self.passwords.hash(password, user_id)
        async with self._store.writing() as session:
            await self.change(session, user_id, {"password_hash": hashed}, keep=keep)
        self._watch.wake()

    async def end_everything(self, user_id: str) -> None:
        """End all sessions and API tokens of an account; raises AccountError."""
        async with self._store.writing() as session:
            await self.change(session, user_id, {})
        self._watch.wake()

    async def reset_factors(self, user_id: str) -> bool:
        """Forget every second factor of an account and end what it has open; whether there was one."""
        had = await self.codes.remove(user_id)
        had = bool(await self.passkeys.remove_all(user_id)) or had
        async with self._store.writing() as session:
            await self.change(session, user_id, {})
        self._watch.wake()
        return had

    def watch(self, principal: Principal) -> AbstractAsyncContextManager[Any]:
        """See SessionWatch.watch: `async with accounts.watch(principal) as ended:` gives an event set at the end."""
        return self._watch.watch(principal)

    async def still_valid(self, session_id: str) -> bool:
        """Whether a principal's session or token still lives; one small query."""
        return session_id in await self._watch.living([session_id])

    def changed(self) -> None:
        """Something that is open was ended or narrowed here: streams are looked at at once."""
        self._watch.wake()

    async def change(
        self, session: WriteSession, user_id: str, values: Mapping[str, Any], *, keep: str = "", tokens: bool = True
    ) -> None:
        """Change an account inside a transaction and end what it has open; raises AccountError. Then call `changed`."""
        if await repository.find_account(session, user_id) is None:
            raise AccountError(f"There is no account {user_id}.")
        if values:
            await repository.change_account(session, user_id, values)
        await open_repository.end_sessions(session, user_id, keep)
        if tokens:
            await open_repository.end_tokens(session, user_id)
        if not keep:
            await repository.forget_devices(session, user_id)

    def _row(self, user_id: str, name: str, role: Role, hashed: str, areas: Sequence[str]) -> dict[str, Any]:
        return {
            "user_id": user_id,
            "name": name,
            "role": role.value,
            "areas": json.dumps(list(areas)),
            "password_hash": hashed,
            "disabled": False,
            "created_ms": unix_ms(self._clock()),
        }


def check_account(user_id: str, name: str, role: Role, areas: Sequence[str]) -> None:
    """What an account must be; raises AccountError."""
    if not is_short_id(user_id) or not 0 < len(name) <= 200:
        raise AccountError("A user id has 1 to 64 letters, digits, dots or dashes; a name at most 200 letters.")
    if role not in PROVINCE_WIDE and role is not Role.CITIZEN and not areas:
        raise AccountError(f"An account of the role {role} needs at least one area.")


async def keep_an_administrator(session: WriteSession, user_id: str) -> None:
    """Return when an account is not the last administrator's; raises AccountError."""
    if list(await repository.lock_all(session, Role.ADMIN.value)) == [user_id]:
        raise AccountError("This is the last administrator.", action="Make another one first.")
