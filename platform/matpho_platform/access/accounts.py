"""Accounts and signing in: password, second factor, passkey, provider; what comes out is a session or nothing."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pwdlib import PasswordHash
from sqlalchemy import RowMapping

from matpho_contracts.ids import is_short_id
from matpho_contracts.times import now, unix_ms
from matpho_platform.access import repository
from matpho_platform.access import session_repository as open_repository
from matpho_platform.access.devices import KnownDevices
from matpho_platform.access.errors import (
    AccountError,
    FactorError,
    NotSignedInError,
    OidcError,
    SecondFactorNeededError,
    SignInError,
    TooManyTriesError,
)
from matpho_platform.access.keys import AccessKey, digest
from matpho_platform.access.oidc import Oidc, Vouched
from matpho_platform.access.one_time import OneTime, Purpose
from matpho_platform.access.passkeys import Passkeys, Site
from matpho_platform.access.passwords import MAX_PASSWORD, MIN_PASSWORD, Passwords
from matpho_platform.access.principal import PROVINCE_WIDE, Principal, Role
from matpho_platform.access.second_factor import SecondFactor
from matpho_platform.access.sessions import Bearer, Clock, Opened, Sessions
from matpho_platform.access.settings import AccessSettings, AccountEntry
from matpho_platform.access.tokens import PREFIX, TOKEN_LIFE, Tokens
from matpho_platform.access.tries import Budget, TryLimit
from matpho_platform.access.watching import SessionWatch
from matpho_platform.store.engine import Store
from matpho_platform.store.errors import DuplicateError
from matpho_platform.store.session import WriteSession

__all__ = ["MAX_PASSWORD", "MIN_PASSWORD", "TOKEN_LIFE", "AccountEntry", "Accounts", "Factors", "Place"]

CODE_TRIES = 20
"""Wrong second-factor codes of an account in the window, from strangers who know its password; then only its known
devices, a passkey or a recovery code get in: a million codes must not be tried."""
CEREMONIES = 120
"""Passkey challenges and trips to providers that one address (a whole office, perhaps) may begin in a minute."""
_WRONG = "The user id or the password is wrong."


@dataclass(frozen=True, slots=True)
class Place:
    """Where a try comes from: network address, the device cookie it bears, what the browser calls itself."""

    client: str = ""
    device: str = ""
    agent: str = ""


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


class Accounts:
    """Who may sign in, and who is signed in."""

    def __init__(
        self,
        store: Store,
        settings: AccessSettings | None = None,
        key: AccessKey | None = None,
        *,
        title: str = "matpho",
        clock: Clock = now,
        limit: TryLimit | None = None,
        hasher: PasswordHash | None = None,
    ) -> None:
        self.settings = settings or AccessSettings()
        key = key or AccessKey.generate()
        self._store = store
        self._clock = clock
        self._limit = limit or TryLimit()
        self.ceremonies = Budget(CEREMONIES)
        self._code_limit = TryLimit(account_tries=CODE_TRIES, closes=True)
        self.passwords = Passwords(hasher)
        self.devices = KnownDevices(store, clock)
        self.sessions = Sessions(store, clock)
        self.tokens = Tokens(store, clock)
        self.one_time = OneTime(store, clock)
        self.codes = SecondFactor(store, key, title, clock)
        self.passkeys = Passkeys(store, self.one_time, key, title, clock)
        self.oidc = Oidc(self.settings.oidc, self.one_time, clock)
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

    async def sign_in(self, user_id: str, password: str, *, place: Place | None = None) -> Opened:
        """Check a password and open a session: half where a second factor is due.

        Raises SignInError, or TooManyTriesError with the seconds to wait.
        """
        place = place or Place()
        known = await self.devices.known(place.device, user_id)
        self._admit(self._limit, user_id, place, known)
        account = await self.find(user_id)
        hashed = "" if account is None or account["disabled"] else account["password_hash"]
        new = self._limit.is_new(place.client)
        good = await self.passwords.check(password, hashed, known=bool(known), new=new)
        if account is None or not good:
            self._limit.failed(user_id, place.client, known)
            raise SignInError(_WRONG)
        self._limit.succeeded(user_id, place.client, known)
        role, factors = Role(account["role"]), await self.factors(user_id)
        return await self._open(user_id, role, full=not (factors.any or self._must_have(role)), place=place)

    async def present_code(self, token: str, code: str, *, place: Place | None = None) -> Opened:
        """Show a code of the generator: the session becomes full, its second factor is of now, its token is new.

        Raises SignInError, TooManyTriesError, NotSignedInError.
        """
        return await self._present(token, code, place or Place(), recovery=False)

    async def present_recovery_code(self, token: str, code: str, *, place: Place | None = None) -> Opened:
        """Show a recovery code, once each; only to finish a sign-in, never to step up."""
        return await self._present(token, code, place or Place(), recovery=True)

    async def confirm_codes(self, token: str, code: str, *, place: Place | None = None) -> tuple[Opened, Sequence[str]]:
        """The first code of a new generator: it counts from now on; the session is full. Returns recovery codes too."""
        place, bearer = place or Place(), await self.sessions.read(token)
        user_id = bearer.principal.user_id
        known = await self.devices.known(place.device, user_id)
        self._admit(self._code_limit, user_id, place, known)
        recovery = await self.codes.confirm(user_id, code)
        if recovery is None:
            self._code_limit.failed(user_id, place.client, known)
            raise FactorError("The code is wrong or was used.", action="Type the next one.")
        return await self.sessions.strengthen(token), recovery

    async def register_passkey(
        self, token: str, site: Site, ceremony: str, credential: Mapping[str, Any], name: str
    ) -> Opened:
        """Keep a passkey that the browser made: it was shown just now, so the session is full."""
        bearer = await self.sessions.read(token)
        await self.passkeys.register(site, bearer.principal.user_id, ceremony, credential, name)
        return await self.sessions.strengthen(token)

    async def passkey_sign_in(
        self, site: Site, ceremony: str, credential: Mapping[str, Any], *, place: Place | None = None
    ) -> Opened:
        """Sign in with a passkey, which is both factors at once: it is held, and it verified the person."""
        user_id = await self.passkeys.check(site, Purpose.PASSKEY_SIGN_IN, ceremony, credential)
        account = await self.find(user_id)
        if account is None or account["disabled"]:
            raise SignInError("The passkey could not be verified.")
        return await self._open(user_id, Role(account["role"]), full=True, mfa_at=self._clock(), place=place or Place())

    async def passkey_step_up(self, token: str, site: Site, ceremony: str, credential: Mapping[str, Any]) -> Opened:
        """Show a passkey in an open session."""
        bearer = await self.sessions.read(token)
        user_id = await self.passkeys.check(site, Purpose.PASSKEY_STEP_UP, ceremony, credential)
        if user_id != bearer.principal.user_id:
            raise SignInError("The passkey could not be verified.", action="Use your own.")
        return await self.sessions.strengthen(token)

    async def oidc_sign_in(self, vouched: Vouched, *, place: Place | None = None) -> tuple[str, Opened]:
        """Sign in somebody for whom a provider vouches; returns the account's id too. Raises OidcError."""
        async with self._store.reading() as session:
            link = await repository.find_identity(session, vouched.issuer, vouched.subject)
        if link is None and not vouched.provider.provision:
            raise OidcError("No account is linked to this person.", action="Ask an administrator to link one.")
        user_id = link["user_id"] if link is not None else await self._provision(vouched)
        account = await self.find(user_id)
        if account is None or account["disabled"]:
            raise OidcError("The account linked to this person is closed.", action="Ask an administrator.")
        role, factors = Role(account["role"]), await self.factors(user_id)
        full = vouched.mfa_at is not None or not (factors.any or self._must_have(role))
        return user_id, await self._open(user_id, role, full=full, mfa_at=vouched.mfa_at, place=place or Place())

    async def link(self, user_id: str, issuer: str, subject: str) -> None:
        """A person at a provider may sign in to an account from now on; raises AccountError."""
        if not 0 < len(subject) <= 255 or issuer not in {provider.issuer for provider in self.oidc.providers()}:
            raise AccountError("There is no such provider, or no such person.")
        values = {"issuer": issuer, "subject": subject, "user_id": user_id, "created_ms": unix_ms(self._clock())}
        try:
            async with self._store.writing() as session:
                if await repository.find_account(session, user_id) is None:
                    raise AccountError(f"There is no account {user_id}.")
                await repository.link_identity(session, values)
        except DuplicateError as error:
            raise AccountError("This person is linked to an account already.") from error

    async def bearer(self, token: str) -> Bearer:
        """Who a token stands for, a half session's too; raises NotSignedInError."""
        return await (self.tokens if token.startswith(PREFIX) else self.sessions).read(token)

    async def principal(self, token: str) -> Principal:
        """Who a token stands for, as the account is now; raises NotSignedInError, SecondFactorNeededError."""
        bearer = await self.bearer(token)
        if not bearer.full:
            raise SecondFactorNeededError("Your second factor is missing.", action="Show it, or set one up.")
        return bearer.principal

    async def factors(self, user_id: str) -> Factors:
        """The second factors of an account."""
        totp, keys = await self.codes.has(user_id), await self.passkeys.of(user_id)
        return Factors(totp, len(keys), await self.codes.recovery_left(user_id))

    async def require_fresh(self, principal: Principal) -> None:
        """Return when the caller showed a second factor in the last minutes, or has none and needs none.

        Raises StepUpError.
        """
        if (await self.factors(principal.user_id)).any or self._must_have(principal.role):
            self.sessions.require_fresh(principal)

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

    async def change_password(self, principal: Principal, present: str, password: str, *, place: Place) -> None:
        """The owner's own new password, by the present one; raises SignInError, TooManyTriesError, AccountError."""
        user_id = principal.user_id
        known = await self.devices.known(place.device, user_id)
        self._admit(self._limit, user_id, place, known)
        account = await self.find(user_id)
        hashed = "" if account is None else account["password_hash"]
        if not await self.passwords.check(present, hashed, known=True):
            self._limit.failed(user_id, place.client, known)
            raise SignInError("The present password is wrong.")
        await self.set_password(user_id, password, keep=principal.session_id)

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

    def newly_refused(self, user_id: str) -> bool:
        """Whether a try that had to wait is to be put on record (see TryLimit.newly_refused)."""
        return self._limit.newly_refused(user_id)

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

    def _must_have(self, role: Role) -> bool:
        return self.settings.mfa_required and role is not Role.CITIZEN

    def _admit(self, limit: TryLimit, user_id: str, place: Place, known: str) -> None:
        wait = limit.wait(user_id, place.client, known)
        if wait > 0:
            raise TooManyTriesError(wait)

    async def _present(self, token: str, code: str, place: Place, *, recovery: bool) -> Opened:
        bearer = await self.sessions.read(token)
        user_id = bearer.principal.user_id
        known = await self.devices.known(place.device, user_id)
        if recovery:
            good = not bearer.full and await self.codes.check_recovery(user_id, code)
        else:
            self._admit(self._code_limit, user_id, place, known)
            good = await self.codes.check(user_id, code)
        if not good:
            if not recovery:
                self._code_limit.failed(user_id, place.client, known)
            raise SignInError("The code is wrong or was used.", action="Type the next one.")
        self._code_limit.succeeded(user_id, place.client, known)
        return await self.sessions.strengthen(token)

    async def _open(
        self, user_id: str, role: Role, *, full: bool, mfa_at: datetime | None = None, place: Place
    ) -> Opened:
        return await self.sessions.open(
            user_id, role, full=full, mfa_at=mfa_at, client=place.client, device=place.agent
        )

    async def _provision(self, vouched: Vouched) -> str:
        """A citizen's account for somebody new; two callbacks at once make one."""
        user_id = f"oidc-{digest(f'{vouched.issuer} {vouched.subject}')[:24]}"
        at_ms = unix_ms(self._clock())
        link = {"issuer": vouched.issuer, "subject": vouched.subject, "user_id": user_id, "created_ms": at_ms}
        try:
            async with self._store.writing() as session:
                name = vouched.name or user_id
                await repository.add_account(session, self._row(user_id, name, Role.CITIZEN, "", ()))
                await repository.link_identity(session, link)
        except DuplicateError:
            async with self._store.reading() as session:
                known = await repository.find_identity(session, vouched.issuer, vouched.subject)
            if known is None:
                raise OidcError("No account is linked to this person.", action="Ask an administrator.") from None
            return str(known["user_id"])
        return user_id

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
