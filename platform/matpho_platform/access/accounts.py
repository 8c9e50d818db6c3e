"""Accounts, passwords (argon2id), server-side sessions and API tokens; only hashes of secrets are kept."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections.abc import Sequence
from datetime import timedelta

from pwdlib import PasswordHash
from pydantic import Field, SecretStr
from sqlalchemy import RowMapping

from matpho_contracts.ids import ShortId, is_short_id
from matpho_contracts.settings import SettingsBase
from matpho_contracts.times import now, unix_ms
from matpho_platform.access import repository
from matpho_platform.access.errors import AccountError, NotSignedInError, SignInError, TooManyTriesError
from matpho_platform.access.principal import PROVINCE_WIDE, Principal, Role
from matpho_platform.access.tries import TryLimit
from matpho_platform.store.engine import Store
from matpho_platform.store.errors import DuplicateError

IDLE_MS = 30 * 60 * 1000
"""A web session unused this long ends."""
SESSION_LIFE = timedelta(hours=12)
"""A web session ends then at the latest: one shift."""
TOKEN_LIFE = timedelta(days=90)
MIN_PASSWORD = 12
MAX_PASSWORD = 256
_TOUCH_MS = 60_000
_HASHES_AT_ONCE = 2
"""argon2id takes 64 MiB and a core for each."""


class AccountEntry(SettingsBase):
    """An account that the settings make when it is not there (a demonstration, a first administrator)."""

    id: ShortId
    name: str = Field(max_length=200)
    role: Role
    areas: tuple[ShortId, ...] = ()
    password: SecretStr


class Accounts:
    """Who may sign in, and who is signed in."""

    def __init__(self, store: Store, limit: TryLimit | None = None) -> None:
        self._store = store
        self._limit = limit or TryLimit()
        self._hasher = PasswordHash.recommended()
        self._hashing = asyncio.Semaphore(_HASHES_AT_ONCE)
        self._nobody: str | None = None

    async def create(
        self, user_id: str, name: str, role: Role, password: str, *, areas: Sequence[str] = ()
    ) -> Principal:
        """Make an account; raises AccountError for a bad name, a weak password, or an id that is taken."""
        if not is_short_id(user_id) or not 0 < len(name) <= 200:
            raise AccountError("A user id has 1 to 64 letters, digits, dots or dashes; a name at most 200 letters.")
        if role not in PROVINCE_WIDE and role is not Role.CITIZEN and not areas:
            raise AccountError(f"An account of the role {role} needs at least one area.")
        hashed = await self._hash(password)
        values = {
            "user_id": user_id,
            "name": name,
            "role": role.value,
            "areas": json.dumps(list(areas)),
            "password_hash": hashed,
            "disabled": False,
            "created_ms": unix_ms(now()),
        }
        try:
            async with self._store.writing() as session:
                await repository.add_account(session, values)
        except DuplicateError as error:
            raise AccountError(f"The user id {user_id} is taken.") from error
        return Principal(user_id, name, role, tuple(areas))

    async def configure(self, entries: Sequence[AccountEntry]) -> None:
        """Make the accounts of the settings that are not there; existing ones are left as they are."""
        for entry in entries:
            async with self._store.reading() as session:
                known = await repository.find_account(session, entry.id)
            if known is None:
                password = entry.password.get_secret_value()
                await self.create(entry.id, entry.name, entry.role, password, areas=entry.areas)

    async def sign_in(self, user_id: str, password: str, *, client: str = "") -> str:
        """Check a password and open a session; returns its token, to be shown to nobody else.

        `client` is the caller's network address, for the limit on wrong tries. Raises SignInError, TooManyTriesError.
        """
        if not self._limit.allowed(user_id, client):
            raise TooManyTriesError("Too many wrong passwords.", action="Wait fifteen minutes.")
        async with self._store.reading() as session:
            account = await repository.find_account(session, user_id)
        good = await self._verify(password, account)
        if account is None or account["disabled"] or not good:
            self._limit.failed(user_id, client)
            raise SignInError("The user id or the password is wrong.")
        self._limit.succeeded(user_id, client)
        return await self._open(user_id, "web", "", SESSION_LIFE)

    async def issue_token(self, user_id: str, label: str, life: timedelta = TOKEN_LIFE) -> str:
        """A bearer token for programs that act as this account; shown once. Raises AccountError for no such account."""
        async with self._store.reading() as session:
            account = await repository.find_account(session, user_id)
        if account is None:
            raise AccountError(f"There is no account {user_id}.")
        return await self._open(user_id, "api", label[:200], min(life, TOKEN_LIFE))

    async def principal(self, token: str) -> Principal:
        """Who a token stands for, as the account is now; raises NotSignedInError for a wrong, ended or idle one."""
        token_hash, at_ms = _hash_token(token), unix_ms(now())
        async with self._store.reading() as session:
            row = await repository.find_session(session, token_hash)
        idle = row is not None and row["kind"] == "web" and row["used_ms"] + IDLE_MS < at_ms
        if row is None or idle or row["expires_ms"] < at_ms or row["disabled"]:
            raise NotSignedInError("You are not signed in.", action="Sign in.")
        if at_ms - row["used_ms"] > _TOUCH_MS:
            async with self._store.writing() as session:
                await repository.touch_session(session, token_hash, at_ms)
        areas = tuple(json.loads(row["areas"]))
        return Principal(row["user_id"], row["name"], Role(row["role"]), areas, session_id=token_hash[:16])

    async def sign_out(self, token: str) -> None:
        """End a session or a token; an unknown one is no error."""
        async with self._store.writing() as session:
            await repository.end_session(session, _hash_token(token))

    async def disable(self, user_id: str) -> None:
        """Shut an account and end everything it has open."""
        async with self._store.writing() as session:
            if not await repository.change_account(session, user_id, {"disabled": True}):
                raise AccountError(f"There is no account {user_id}.")
            await repository.end_sessions(session, user_id)

    async def set_password(self, user_id: str, password: str) -> None:
        """Set a new password and end everything the account has open."""
        hashed = await self._hash(password)
        async with self._store.writing() as session:
            if not await repository.change_account(session, user_id, {"password_hash": hashed}):
                raise AccountError(f"There is no account {user_id}.")
            await repository.end_sessions(session, user_id)

    async def all(self) -> Sequence[Principal]:
        """Every account, for administrators."""
        async with self._store.reading() as session:
            rows = await repository.all_accounts(session)
        return tuple(Principal(r["user_id"], r["name"], Role(r["role"]), tuple(json.loads(r["areas"]))) for r in rows)

    async def _open(self, user_id: str, kind: str, label: str, life: timedelta) -> str:
        token, at = secrets.token_urlsafe(32), now()
        values = {
            "token_hash": _hash_token(token),
            "user_id": user_id,
            "kind": kind,
            "label": label,
            "created_ms": unix_ms(at),
            "used_ms": unix_ms(at),
            "expires_ms": unix_ms(at + life),
        }
        async with self._store.writing() as session:
            await repository.end_expired(session, unix_ms(at))
            await repository.add_session(session, values)
        return token

    async def _hash(self, password: str) -> str:
        if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
            raise AccountError(f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters.")
        async with self._hashing:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def _verify(self, password: str, account: RowMapping | None) -> bool:
        """Check against the account, or against nobody's hash, so that both take as long."""
        if len(password) > MAX_PASSWORD:
            return False
        if self._nobody is None:
            self._nobody = await self._hash(secrets.token_urlsafe(24))
        hashed = self._nobody if account is None else account["password_hash"]
        async with self._hashing:
            good = await asyncio.to_thread(self._hasher.verify, password, hashed)
        return good and account is not None


def _hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
