"""Signing in: password, second factor, passkey, provider; what comes out is a session or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pwdlib import PasswordHash

from matpho_contracts.times import now, unix_ms
from matpho_platform.access import repository
from matpho_platform.access.account_book import AccountBook, Factors
from matpho_platform.access.errors import (
    AccountError,
    FactorError,
    OidcError,
    SignInError,
    TooManyTriesError,
)
from matpho_platform.access.keys import AccessKey, digest
from matpho_platform.access.network import Budget
from matpho_platform.access.oidc import Oidc, Vouched
from matpho_platform.access.one_time import Purpose
from matpho_platform.access.passkeys import Site
from matpho_platform.access.passwords import MAX_PASSWORD, MIN_PASSWORD
from matpho_platform.access.principal import Principal, Role
from matpho_platform.access.sessions import Clock, Opened
from matpho_platform.access.settings import AccessSettings, AccountEntry
from matpho_platform.access.tokens import TOKEN_LIFE
from matpho_platform.access.tries import TryLimit
from matpho_platform.store.engine import Store
from matpho_platform.store.errors import DuplicateError

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


class Accounts(AccountBook):
    """Who may sign in, and who is signed in."""

    def __init__(
        self,
        store: Store,
        settings: AccessSettings | None = None,
        key: AccessKey | None = None,
        *,
        title: str = "matpho",
        clock: Clock = now,
        hasher: PasswordHash | None = None,
    ) -> None:
        key = key or AccessKey.generate()
        super().__init__(store, key, title=title, clock=clock, hasher=hasher)
        self.settings = settings or AccessSettings()
        self._limit = TryLimit(store, key, "password", clock)
        self._code_limit = TryLimit(store, key, "code", clock, account_tries=CODE_TRIES, closes=True)
        self.ceremonies = Budget(CEREMONIES)
        self.oidc = Oidc(self.settings.oidc, self.one_time, clock)

    async def sign_in(self, user_id: str, password: str, *, place: Place | None = None) -> Opened:
        """Check a password and open a session: half where a second factor is due.

        Raises SignInError, or TooManyTriesError with the seconds to wait.
        """
        place = place or Place()
        known = await self.devices.known(place.device, user_id)
        await self._admit(self._limit, user_id, place, known)
        account = await self.find(user_id)
        hashed = "" if account is None or account["disabled"] else account["password_hash"]
        new = await self._limit.is_new(place.client)
        good = await self.passwords.check(password, hashed, known=bool(known), new=new)
        if account is None or not good:
            await self._limit.failed(user_id, place.client, known)
            raise SignInError(_WRONG)
        await self._limit.succeeded(user_id, place.client, known)
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
        await self._admit(self._code_limit, user_id, place, known)
        recovery = await self.codes.confirm(user_id, code)
        if recovery is None:
            await self._code_limit.failed(user_id, place.client, known)
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

    async def require_fresh(self, principal: Principal) -> None:
        """Return when the caller showed a second factor in the last minutes, or has none and needs none.

        Raises StepUpError.
        """
        if (await self.factors(principal.user_id)).any or self._must_have(principal.role):
            self.sessions.require_fresh(principal)

    async def change_password(self, principal: Principal, present: str, password: str, *, place: Place) -> None:
        """The owner's own new password, by the present one; raises SignInError, TooManyTriesError, AccountError."""
        user_id = principal.user_id
        known = await self.devices.known(place.device, user_id)
        await self._admit(self._limit, user_id, place, known)
        account = await self.find(user_id)
        hashed = "" if account is None else account["password_hash"]
        if not await self.passwords.check(present, hashed, known=True):
            await self._limit.failed(user_id, place.client, known)
            raise SignInError("The present password is wrong.")
        await self.set_password(user_id, password, keep=principal.session_id)

    async def newly_refused(self, user_id: str) -> bool:
        """Whether a try that had to wait is to be put on record (see TryLimit.newly_refused).

        All names that are no account's count as one, so that nobody fills the trail, or the counts, with made-up ones.
        """
        return await self._limit.newly_refused(user_id if await self.find(user_id) is not None else "")

    def _must_have(self, role: Role) -> bool:
        return self.settings.mfa_required and role is not Role.CITIZEN

    async def _admit(self, limit: TryLimit, user_id: str, place: Place, known: str) -> None:
        wait = await limit.wait(user_id, place.client, known)
        if wait > 0:
            raise TooManyTriesError(wait)

    async def _present(self, token: str, code: str, place: Place, *, recovery: bool) -> Opened:
        bearer = await self.sessions.read(token)
        user_id = bearer.principal.user_id
        known = await self.devices.known(place.device, user_id)
        if recovery:
            good = not bearer.full and await self.codes.check_recovery(user_id, code)
        else:
            await self._admit(self._code_limit, user_id, place, known)
            good = await self.codes.check(user_id, code)
        if not good:
            if not recovery:
                await self._code_limit.failed(user_id, place.client, known)
            raise SignInError("The code is wrong or was used.", action="Type the next one.")
        await self._code_limit.succeeded(user_id, place.client, known)
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
