"""What is given out once and taken back once: first-run token, invitations, challenges, states of OIDC.

Only the hash of its secret is kept; taking it back deletes it, so two requests at once cannot both have it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from matpho_contracts.times import now, unix_ms
from matpho_platform.access import factor_repository as repository
from matpho_platform.access.errors import OneTimeError
from matpho_platform.access.keys import digest
from matpho_platform.access.sessions import Clock
from matpho_platform.store.engine import Store
from matpho_platform.store.session import WriteSession


class Purpose(StrEnum):
    """What a one-time secret is for; it is good for nothing else."""

    FIRST_ADMIN = "first_admin"
    INVITATION = "invitation"
    REGISTER = "register"
    PASSKEY_SIGN_IN = "passkey_sign_in"
    PASSKEY_STEP_UP = "passkey_step_up"
    OIDC = "oidc"
    CHAT_LINK = "chat_link"
    NOTICE_ADDRESS = "notice_address"


@dataclass(frozen=True, slots=True)
class Given:
    """What was given out: to whom, and what was noted with it."""

    subject: str
    payload: Mapping[str, Any]


class OneTime:
    """The one-time secrets that are out."""

    def __init__(self, store: Store, clock: Clock = now) -> None:
        self._store = store
        self._clock = clock

    async def give(
        self,
        purpose: Purpose,
        life: timedelta,
        *,
        subject: str = "",
        payload: Mapping[str, Any] | None = None,
        only: bool = False,
    ) -> str:
        """Give out a secret of 256 bits; with `only`, those of this purpose for this subject end."""
        secret, at = secrets.token_urlsafe(32), self._clock()
        values = {
            "secret_hash": digest(secret),
            "purpose": purpose.value,
            "subject": subject,
            "payload": json.dumps(payload or {}),
            "expires_ms": unix_ms(at + life),
        }
        async with self._store.writing() as session:
            if only:
                await repository.drop_one_time(session, purpose.value, subject)
            await repository.add_one_time(session, values, unix_ms(at))
        return secret

    async def take(self, secret: str, purpose: Purpose, *, within: WriteSession | None = None) -> Given:
        """Take a secret back, in the caller's transaction where there is one; raises OneTimeError."""
        if within is not None:
            return await self._take(within, secret, purpose)
        async with self._store.writing() as session:
            return await self._take(session, secret, purpose)

    async def _take(self, session: WriteSession, secret: str, purpose: Purpose) -> Given:
        row = await repository.find_one_time(session, digest(secret), purpose.value)
        taken = row is not None and await repository.take_one_time(session, row["secret_hash"])
        if row is None or not taken or row["expires_ms"] < unix_ms(self._clock()):
            raise OneTimeError("This is good once and for a short time only.", action="Begin again.")
        return Given(row["subject"], json.loads(row["payload"]))

    async def subject_of(self, secret: str, purpose: Purpose) -> str:
        """Whom a secret that is still good was given to, without taking it back; raises OneTimeError."""
        async with self._store.reading() as session:
            row = await repository.find_one_time(session, digest(secret), purpose.value)
        if row is None or row["expires_ms"] < unix_ms(self._clock()):
            raise OneTimeError("This is good once and for a short time only.", action="Begin again.")
        return str(row["subject"])

    async def waiting(self, purpose: Purpose) -> bool:
        """Whether one of a purpose is out."""
        async with self._store.reading() as session:
            return await repository.waiting_one_time(session, purpose.value, unix_ms(self._clock())) > 0
