"""What an administrator may do with accounts, and how the first one comes to be.

Rules: only administrators; nobody changes their own role, areas or state; the last administrator stays; a change of
role or areas ends what the account has open. Nobody, the administrator neither, learns or sets another's password: a
person sets their own with an invitation that is good once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping

from matpho_contracts.errors import NotFoundError
from matpho_contracts.times import from_unix_ms, now, unix_ms
from matpho_platform.access import repository
from matpho_platform.access.account_book import Factors, check_account, keep_an_administrator
from matpho_platform.access.accounts import Accounts
from matpho_platform.access.errors import AccountError, NotAdministratorError, OneTimeError
from matpho_platform.access.one_time import Purpose
from matpho_platform.access.principal import Principal, Role
from matpho_platform.access.sessions import Clock
from matpho_platform.store.engine import Store

INVITATION_LIFE = timedelta(hours=72)
FIRST_ADMIN_LIFE = timedelta(hours=24)
MAX_PAGE = 200


@dataclass(frozen=True, slots=True)
class Account:
    """An account as an administrator sees it."""

    id: str
    name: str
    role: Role
    areas: tuple[str, ...]
    disabled: bool
    has_password: bool
    created: datetime


@dataclass(frozen=True, slots=True)
class AccountPage:
    """Some accounts, and how many fit in all."""

    accounts: tuple[Account, ...]
    total: int


class Administration:
    """Accounts, under an administrator's hands."""

    def __init__(self, store: Store, accounts: Accounts, clock: Clock = now) -> None:
        self._store = store
        self._accounts = accounts
        self._clock = clock

    async def page(self, caller: Principal, *, part: str = "", after: str = "", limit: int = 50) -> AccountPage:
        """Accounts by id, those whose id or name holds `part`; the next page begins after the last id."""
        require_administrator(caller)
        async with self._store.reading() as session:
            rows, total = await repository.page_of_accounts(session, after, part, max(1, min(limit, MAX_PAGE)))
        return AccountPage(tuple(_account(row) for row in rows), total)

    async def get(self, caller: Principal, user_id: str) -> tuple[Account, Factors]:
        """One account and its second factors; raises NotFoundError."""
        require_administrator(caller)
        return _account(await self._row(user_id)), await self._accounts.factors(user_id)

    async def create(self, caller: Principal, user_id: str, name: str, role: Role, areas: Sequence[str]) -> str:
        """Make an account; returns an invitation for its person, shown this once. Raises AccountError."""
        require_administrator(caller)
        await self._accounts.create(user_id, name, role, None, areas=areas)
        return await self.invite(user_id)

    async def change(
        self,
        caller: Principal,
        user_id: str,
        *,
        name: str | None = None,
        role: Role | None = None,
        areas: Sequence[str] | None = None,
        disabled: bool | None = None,
    ) -> Account:
        """Change an account; what is None stays. Raises AccountError, NotFoundError."""
        require_administrator(caller)
        old = _account(await self._row(user_id))
        new_role, new_areas = role or old.role, old.areas if areas is None else tuple(areas)
        shut = old.disabled if disabled is None else disabled
        rights_stay = (new_role, new_areas, shut) == (old.role, old.areas, old.disabled)
        if caller.user_id == user_id and not rights_stay:
            raise AccountError("Nobody changes their own rights.", action="Ask another administrator.")
        check_account(user_id, name or old.name, new_role, new_areas)
        areas_text = json.dumps(list(new_areas))
        values = {"name": name or old.name, "role": new_role.value, "areas": areas_text, "disabled": shut}
        async with self._store.writing() as session:
            if new_role is not Role.ADMIN or shut:
                await keep_an_administrator(session, user_id)
            if rights_stay:
                await repository.change_account(session, user_id, values)
            else:
                await self._accounts.change(session, user_id, values, tokens=shut or new_role is not old.role)
        self._accounts.changed()
        return _account(await self._row(user_id))

    async def invite(self, user_id: str) -> str:
        """A new invitation, in place of any older: whoever has it sets the account's password, once."""
        row = await self._row(user_id)
        if row["disabled"]:
            raise AccountError("This account is closed.", action="Open it first.")
        return await self._accounts.one_time.give(Purpose.INVITATION, INVITATION_LIFE, subject=user_id, only=True)

    async def accept(self, invitation: str, password: str) -> str:
        """Set a password by invitation; returns the account's id. Raises OneTimeError, AccountError."""
        user_id = await self._accounts.one_time.subject_of(invitation, Purpose.INVITATION)
        hashed = await self._accounts.passwords.hash(password, user_id)
        async with self._store.writing() as session:
            await self._accounts.one_time.take(invitation, Purpose.INVITATION, within=session)
            account = await repository.find_account(session, user_id)
            if account is None or account["disabled"]:
                raise OneTimeError("This invitation is good no more.", action="Ask an administrator.")
            await self._accounts.change(session, user_id, {"password_hash": hashed})
        self._accounts.changed()
        return user_id

    async def needs_first(self) -> bool:
        """Whether no administrator can sign in yet."""
        async with self._store.reading() as session:
            return not await repository.is_anybody(session, Role.ADMIN.value)

    async def first_token(self) -> str | None:
        """The one-time token of a new installation; None when an administrator is there, or one token is out."""
        if not await self.needs_first() or await self._accounts.one_time.waiting(Purpose.FIRST_ADMIN):
            return None
        return await self._accounts.one_time.give(Purpose.FIRST_ADMIN, FIRST_ADMIN_LIFE, only=True)

    async def make_first(self, token: str, user_id: str, name: str, password: str) -> None:
        """The first administrator, by the one-time token; raises OneTimeError, AccountError.

        An administrator's account without a password (made for the command line) may be taken over by its id.
        """
        check_account(user_id, name, Role.ADMIN, ())
        await self._accounts.one_time.subject_of(token, Purpose.FIRST_ADMIN)
        hashed = await self._accounts.passwords.hash(password, user_id)
        async with self._store.writing() as session:
            await self._accounts.one_time.take(token, Purpose.FIRST_ADMIN, within=session)
            if await repository.lock_all(session, Role.ADMIN.value):
                raise OneTimeError("An administrator is there already.", action="Sign in, or ask them.")
            account = await repository.find_account(session, user_id)
            values: dict[str, Any] = {"name": name, "password_hash": hashed}
            if account is None:
                made = {"user_id": user_id, "role": Role.ADMIN.value, "areas": "[]", "disabled": False}
                await repository.add_account(session, {**made, **values, "created_ms": unix_ms(self._clock())})
            elif account["role"] == Role.ADMIN.value and not account["disabled"]:
                await self._accounts.change(session, user_id, values)
            else:
                raise AccountError(f"The user id {user_id} is taken.")

    async def _row(self, user_id: str) -> RowMapping:
        row = await self._accounts.find(user_id)
        if row is None:
            raise NotFoundError(f"There is no account {user_id}.")
        return row


def require_administrator(caller: Principal) -> None:
    """Return when the caller is an administrator in person; raises NotAdministratorError."""
    if caller.role is not Role.ADMIN or caller.actions is not None:
        raise NotAdministratorError("Only an administrator may do this.")


def _account(row: RowMapping) -> Account:
    return Account(
        id=row["user_id"],
        name=row["name"],
        role=Role(row["role"]),
        areas=tuple(json.loads(row["areas"])),
        disabled=bool(row["disabled"]),
        has_password=row["password_hash"] != "",
        created=from_unix_ms(row["created_ms"]),
    )
