"""Passwords: what one must be, argon2id, and a bounded line in front of it, since each hash takes 64 MiB and a core.

Owners' own devices have a lane of their own; strangers share the other, and where too many stand in it, who failed
before is sent away before who did not.
"""

from __future__ import annotations

import asyncio
import secrets

from pwdlib import PasswordHash

from matpho_platform.access.errors import AccountError, TooManyTriesError

MIN_PASSWORD = 12
MAX_PASSWORD = 256
MIN_DISTINCT = 5
WAITING = 8
"""Strangers that may stand in line; three times as many who have not failed before."""
_BUSY_S = 5.0


class Passwords:
    """Hashes and checks, one at a time in each lane."""

    def __init__(self, hasher: PasswordHash | None = None) -> None:
        self._hasher = hasher or PasswordHash.recommended()
        self._known = asyncio.Semaphore(1)
        self._strangers = asyncio.Semaphore(1)
        self._waiting = 0
        self._nobody: str | None = None

    async def hash(self, password: str, user_id: str) -> str:
        """Hash a new password; raises AccountError for one that is too easy or too long."""
        if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
            raise AccountError(f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters.")
        if len(set(password)) < MIN_DISTINCT or password.casefold() == user_id.casefold():
            raise AccountError("This password is too easy to guess.", action="Take a longer sentence of your own.")
        async with self._known:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def check(self, password: str, hashed: str, *, known: bool = False, new: bool = True) -> bool:
        """Check a password; an empty hash (nobody's) takes as long. Raises TooManyTriesError when the line is full."""
        if len(password) > MAX_PASSWORD:
            return False
        if self._nobody is None:
            self._nobody = await asyncio.to_thread(self._hasher.hash, secrets.token_urlsafe(24))
        if known:
            async with self._known:
                good = await asyncio.to_thread(self._hasher.verify, password, hashed or self._nobody)
            return good and hashed != ""
        if self._waiting >= WAITING * (3 if new else 1):
            raise TooManyTriesError(_BUSY_S)
        self._waiting += 1
        try:
            async with self._strangers:
                good = await asyncio.to_thread(self._hasher.verify, password, hashed or self._nobody)
        finally:
            self._waiting -= 1
        return good and hashed != ""
