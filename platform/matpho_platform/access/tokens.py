"""API tokens for programs: narrower than their account, shown once, at most 90 days, never a second factor."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import RowMapping

from matpho_contracts.errors import NotFoundError
from matpho_contracts.times import from_unix_ms, now, unix_ms
from matpho_platform.access import repository as account_repository
from matpho_platform.access import session_repository as repository
from matpho_platform.access.errors import AccountError, NotSignedInError
from matpho_platform.access.keys import digest
from matpho_platform.access.principal import PROVINCE_WIDE, Principal, Role
from matpho_platform.access.sessions import Bearer, Clock
from matpho_platform.store.engine import Store
from matpho_platform.store.session import Row

PREFIX = "mpt_"
"""Whoever finds a text that begins so has found a token of ours."""
TOKEN_LIFE = timedelta(days=90)
MAX_TOKENS = 50
"""API tokens that an account may have."""
MAX_ENTRIES = 200
_TOUCH_MS = 60_000
_ID = "t-"
"""Begins a principal's `session_id` where a token, not a session, is its bearer."""


@dataclass(frozen=True, slots=True)
class ApiToken:
    """One of an account's tokens, as shown to its owner; the secret itself is not kept."""

    id: str
    name: str
    actions: tuple[str, ...] | None
    areas: tuple[str, ...] | None
    created: datetime
    used: datetime | None
    expires: datetime


class Tokens:
    """The API tokens of all accounts."""

    def __init__(self, store: Store, clock: Clock = now) -> None:
        self._store = store
        self._clock = clock

    async def issue(
        self,
        user_id: str,
        name: str,
        life: timedelta = TOKEN_LIFE,
        *,
        actions: Collection[str] | None = None,
        areas: Collection[str] | None = None,
    ) -> str:
        """Make a token and return it, this once; None of actions or areas is all that the account has.

        Raises AccountError for an account that is not there, and for areas that it has not.
        """
        token, at = PREFIX + secrets.token_urlsafe(32), self._clock()
        values = {
            "token_id": secrets.token_hex(15),
            "token_hash": digest(token),
            "user_id": user_id,
            "name": name[:200],
            "actions": _list(actions),
            "areas": _list(areas),
            "created_ms": unix_ms(at),
            "used_ms": None,
            "expires_ms": unix_ms(at + min(life, TOKEN_LIFE)),
        }
        async with self._store.writing() as session:
            account = await account_repository.find_account(session, user_id)
            if account is None:
                raise AccountError(f"There is no account {user_id}.")
            _check_areas(account, areas)
            await repository.end_expired(session, unix_ms(at))
            if len(await repository.tokens_of(session, user_id)) >= MAX_TOKENS:
                raise AccountError(f"An account has at most {MAX_TOKENS} tokens.", action="Revoke one.")
            await repository.add_token(session, values)
        return token

    async def read(self, token: str) -> Bearer:
        """Who a token stands for, as the account is now; raises NotSignedInError."""
        at_ms = unix_ms(self._clock())
        row = await repository.find_token(self._store, digest(token))
        if row is None or not _lives(row, at_ms):
            raise NotSignedInError("This token is not valid.", action="Make a new one.")
        if at_ms - (row["used_ms"] or 0) > _TOUCH_MS:
            async with self._store.writing() as session:
                await repository.touch_token(session, row["token_id"], at_ms)
        return Bearer(_principal(row), "token", True, from_unix_ms(row["expires_ms"]))

    async def of(self, user_id: str) -> Sequence[ApiToken]:
        """An account's tokens, the newest first."""
        async with self._store.reading() as session:
            return tuple(_shown(row) for row in await repository.tokens_of(session, user_id))

    async def revoke(self, user_id: str, token_id: str) -> None:
        """End one of an account's tokens; raises NotFoundError."""
        async with self._store.writing() as session:
            if not await repository.end_token(session, token_id, user_id):
                raise NotFoundError("There is no such token.")

    async def living(self, ids: Sequence[str]) -> dict[str, Principal]:
        """Those of some tokens (by their principal's `session_id`) that live, as their accounts are now."""
        at_ms = unix_ms(self._clock())
        async with self._store.reading() as session:
            rows = await repository.tokens_by_id(session, [name.removeprefix(_ID) for name in ids])
        return {_ID + row["token_id"]: _principal(row) for row in rows if _lives(row, at_ms)}


def is_token_id(session_id: str) -> bool:
    """Whether a principal's `session_id` is a token's."""
    return session_id.startswith(_ID)


def _check_areas(account: RowMapping, areas: Collection[str] | None) -> None:
    own = json.loads(account["areas"])
    if areas is not None and Role(account["role"]) in PROVINCE_WIDE:
        raise AccountError("The rights of this role are not bound to areas, so a token's cannot be.")
    if areas is not None and not set(areas) <= set(own):
        raise AccountError("A token's areas are some of its account's own.")


def _list(names: Collection[str] | None) -> str | None:
    if names is None:
        return None
    if not 0 < len(names) <= MAX_ENTRIES:
        raise AccountError(f"A token names 1 to {MAX_ENTRIES} actions or areas, or leaves them out.")
    return json.dumps(sorted(set(names)))


def _lives(row: Row, at_ms: int) -> bool:
    return not row["disabled"] and row["expires_ms"] >= at_ms


def _principal(row: Row) -> Principal:
    """The account as it is now, and no more of it than the token names."""
    own = json.loads(row["areas"])
    if row["token_areas"] is not None:
        named = set(json.loads(row["token_areas"]))
        own = [area for area in own if area in named]
    actions = None if row["actions"] is None else frozenset(json.loads(row["actions"]))
    if row["token_areas"] is not None and not own:
        actions = frozenset()  # made for areas that the account has no more: good for nothing, not for everything
    return Principal(
        row["user_id"],
        row["name"],
        Role(row["role"]),
        tuple(own),
        session_id=_ID + row["token_id"],
        program=True,
        actions=actions,
    )


def _shown(row: RowMapping) -> ApiToken:
    return ApiToken(
        id=row["token_id"],
        name=row["token_name"],
        actions=None if row["actions"] is None else tuple(json.loads(row["actions"])),
        areas=None if row["token_areas"] is None else tuple(json.loads(row["token_areas"])),
        created=from_unix_ms(row["created_ms"]),
        used=from_unix_ms(row["used_ms"]) if row["used_ms"] is not None else None,
        expires=from_unix_ms(row["expires_ms"]),
    )
