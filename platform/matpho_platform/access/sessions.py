"""Web sessions, kept on the server: what they may last, their token and its rotation, ending them.

A session is `half` after a right password where a second factor is due, and `full` after it. Its token changes whenever
it gains in power (sign-in, second factor, step-up), so that a token planted or seen before is worth nothing after.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import RowMapping

from matpho_contracts.errors import NotFoundError
from matpho_contracts.times import from_unix_ms, now, unix_ms
from matpho_platform.access import session_repository as repository
from matpho_platform.access.errors import NotSignedInError, StepUpError
from matpho_platform.access.keys import digest
from matpho_platform.access.principal import Principal, Role
from matpho_platform.store.engine import Store
from matpho_platform.store.session import Row

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session lasts unused, and at the longest."""

    idle: timedelta
    life: timedelta


STAFF = Limits(timedelta(minutes=15), timedelta(hours=8))
CITIZEN = Limits(timedelta(days=7), timedelta(days=30))
HALF = Limits(timedelta(minutes=10), timedelta(minutes=10))
"""To present a second factor, or to set one up."""
FRESH = timedelta(minutes=5)
"""How long ago a second factor may have been shown for an act that asks for one."""
MAX_SESSIONS = 20
"""Sessions that an account may have; beyond it the oldest end."""
_TOUCH_MS = 60_000


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who a token stands for, and what kind of token it is."""

    principal: Principal
    kind: str
    """`session` or `token`."""
    full: bool
    expires: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """A session's new token, for its owner's browser alone."""

    token: str
    session_id: str
    full: bool
    life: timedelta

    def __repr__(self) -> str:
        return f"Opened(session_id={self.session_id!r}, full={self.full})"


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One of an account's sessions, as shown to its owner."""

    id: str
    full: bool
    created: datetime
    used: datetime
    expires: datetime
    mfa_at: datetime | None
    client: str
    device: str


def limits_of(role: Role, *, full: bool) -> Limits:
    """What holds for a session of a role."""
    if not full:
        return HALF
    return CITIZEN if role is Role.CITIZEN else STAFF


class Sessions:
    """The sessions of all accounts."""

    def __init__(self, store: Store, clock: Clock = now) -> None:
        self._store = store
        self._clock = clock

    async def open(
        self,
        user_id: str,
        role: Role,
        *,
        full: bool,
        mfa_at: datetime | None = None,
        client: str = "",
        device: str = "",
    ) -> Opened:
        """Open a session; the account's oldest end where it has too many."""
        token, session_id, at = secrets.token_urlsafe(32), secrets.token_hex(16), self._clock()
        life = limits_of(role, full=full).life
        values = {
            "session_id": session_id,
            "token_hash": digest(token),
            "user_id": user_id,
            "state": "full" if full else "half",
            "created_ms": unix_ms(at),
            "used_ms": unix_ms(at),
            "expires_ms": unix_ms(at + life),
            "mfa_ms": unix_ms(mfa_at) if mfa_at else None,
            "client": client[:64],
            "device": device[:200],
        }
        async with self._store.writing() as session:
            await repository.end_expired(session, unix_ms(at))
            for old in (await repository.sessions_of(session, user_id))[MAX_SESSIONS - 1 :]:
                await repository.end_session(session, old["session_id"], user_id)
            await repository.add_session(session, values)
        return Opened(token, session_id, full, life)

    async def read(self, token: str) -> Bearer:
        """Who a session's token stands for, as the account is now; raises NotSignedInError."""
        at_ms = unix_ms(self._clock())
        row = await repository.find_session(self._store, digest(token))
        if row is None or not _lives(row, at_ms):
            raise NotSignedInError("You are not signed in.", action="Sign in.")
        if at_ms - row["used_ms"] > _TOUCH_MS:
            async with self._store.writing() as session:
                await repository.touch_session(session, row["session_id"], at_ms)
        return Bearer(_principal(row), "session", row["state"] == "full", from_unix_ms(row["expires_ms"]))

    async def strengthen(self, token: str) -> Opened:
        """The session has just shown a second factor: it is full, and has a new token. Raises NotSignedInError."""
        bearer, at = await self.read(token), self._clock()
        fresh = secrets.token_urlsafe(32)
        until = bearer.expires if bearer.full else at + limits_of(bearer.principal.role, full=True).life
        values = {
            "token_hash": digest(fresh),
            "state": "full",
            "mfa_ms": unix_ms(at),
            "used_ms": unix_ms(at),
            "expires_ms": unix_ms(until),
        }
        async with self._store.writing() as session:
            if not await repository.rotate_session(session, digest(token), values):
                raise NotSignedInError("This session's token has changed.", action="Sign in again.")
        return Opened(fresh, bearer.principal.session_id, True, until - at)

    async def of(self, user_id: str) -> Sequence[OpenSession]:
        """An account's sessions that live, the newest first."""
        at_ms = unix_ms(self._clock())
        async with self._store.reading() as session:
            rows = await repository.sessions_of(session, user_id)
        return tuple(_shown(row) for row in rows if _lives(row, at_ms))

    async def end(self, user_id: str, session_id: str) -> None:
        """End one of an account's sessions; raises NotFoundError."""
        async with self._store.writing() as session:
            if not await repository.end_session(session, session_id, user_id):
                raise NotFoundError("There is no such session.")

    async def end_all(self, user_id: str, keep: str = "") -> int:
        """End all of an account's sessions but `keep`; returns how many."""
        async with self._store.writing() as session:
            return await repository.end_sessions(session, user_id, keep)

    async def living(self, ids: Sequence[str]) -> dict[str, Principal]:
        """Those of some sessions that live and are full, as their accounts are now."""
        at_ms = unix_ms(self._clock())
        async with self._store.reading() as session:
            rows = await repository.sessions_by_id(session, ids)
        return {row["session_id"]: _principal(row) for row in rows if _lives(row, at_ms) and row["state"] == "full"}

    def is_fresh(self, principal: Principal) -> bool:
        """Whether the caller showed a second factor just now."""
        return principal.mfa_at is not None and self._clock() - principal.mfa_at <= FRESH

    def require_fresh(self, principal: Principal) -> None:
        """Return when the caller showed a second factor just now; raises StepUpError."""
        if not self.is_fresh(principal):
            raise StepUpError("This needs your second factor again.", action="Show it, then repeat this.")


def _lives(row: Row, at_ms: int) -> bool:
    idle = limits_of(Role(row["role"]), full=row["state"] == "full").idle
    unused = at_ms - row["used_ms"] > idle // timedelta(milliseconds=1)
    return not (row["disabled"] or unused or row["expires_ms"] < at_ms)


def _principal(row: Row) -> Principal:
    return Principal(
        row["user_id"],
        row["name"],
        Role(row["role"]),
        tuple(json.loads(row["areas"])),
        session_id=row["session_id"],
        mfa_at=from_unix_ms(row["mfa_ms"]) if row["mfa_ms"] is not None else None,
    )


def _shown(row: RowMapping) -> OpenSession:
    return OpenSession(
        id=row["session_id"],
        full=row["state"] == "full",
        created=from_unix_ms(row["created_ms"]),
        used=from_unix_ms(row["used_ms"]),
        expires=from_unix_ms(row["expires_ms"]),
        mfa_at=from_unix_ms(row["mfa_ms"]) if row["mfa_ms"] is not None else None,
        client=row["client"],
        device=row["device"],
    )
