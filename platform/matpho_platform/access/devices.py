"""Devices on which somebody signed in before: their owner's tries are counted apart from strangers'.

A device bears a random secret in a cookie; its hash is kept with the accounts known on it. Every sign-in gives it a new
secret, so one that was planted or copied before is worth nothing after. It is no factor: it only orders a queue.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from matpho_contracts.times import now, unix_ms
from matpho_platform.access import repository
from matpho_platform.access.keys import digest
from matpho_platform.access.sessions import Clock
from matpho_platform.store.engine import Store

REMEMBERED = timedelta(days=180)


class KnownDevices:
    """The devices of all accounts."""

    def __init__(self, store: Store, clock: Clock = now) -> None:
        self._store = store
        self._clock = clock

    async def known(self, secret: str, user_id: str) -> str:
        """The device's name where the account is known on it, else empty."""
        if not secret:
            return ""
        name, since = digest(secret), unix_ms(self._clock() - REMEMBERED)
        async with self._store.reading() as session:
            return name if await repository.is_known_device(session, name, user_id, since) else ""

    async def remember(self, secret: str, user_id: str) -> str:
        """The account signed in on this device, known or new; returns the device's new secret."""
        fresh, at = secrets.token_urlsafe(32), self._clock()
        async with self._store.writing() as session:
            await repository.forget_devices(session, user_id, unix_ms(at - REMEMBERED))
            if secret:
                await repository.rename_device(session, digest(secret), digest(fresh))
            await repository.remember_device(session, digest(fresh), user_id, unix_ms(at))
        return fresh
