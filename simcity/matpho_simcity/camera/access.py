"""The camera's one account, and the nonces that keep its password off the wire and make a caught answer worthless."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

MAX_REMEMBERED_NONCES = 20_000


class Account:
    """User name and password of a camera. The password never shows in a repr."""

    __slots__ = ("_password", "username")

    def __init__(self, username: str, password: str) -> None:
        self.username = username
        self._password = password

    def __repr__(self) -> str:
        return f"Account(username={self.username!r})"

    @property
    def password(self) -> str:
        """The clear password, needed to check a digest."""
        return self._password

    def change_password(self, password: str) -> None:
        """Set another password; digests of the old one are refused from now on."""
        self._password = password


class Nonces:
    """Nonces that prove their own age: time and salt under a key that only this camera knows, so none is stored.

    Only a nonce that came back with the right password is remembered (with the counts seen under it), which bounds the
    memory by what authenticated clients do.
    """

    def __init__(self, lifetime: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._key = secrets.token_bytes(32)
        self._lifetime = lifetime
        self._clock = clock
        self._counts: dict[str, tuple[float, set[int]]] = {}

    def issue(self) -> str:
        """A fresh nonce, hexadecimal."""
        body = f"{int(self._clock() * 1000):016x}{secrets.token_hex(8)}"
        return body + self._seal(body)

    def _seal(self, body: str) -> str:
        return hmac.new(self._key, body.encode(), hashlib.sha256).hexdigest()[:32]

    def is_ours(self, nonce: str) -> bool:
        """Whether this camera made the nonce, of any age."""
        try:
            raw = nonce.encode("ascii")
        except UnicodeEncodeError:
            return False
        return len(raw) == 64 and hmac.compare_digest(raw[32:], self._seal(nonce[:32]).encode())

    def is_fresh(self, nonce: str) -> bool:
        """Whether the nonce is ours and not older than its lifetime."""
        if not self.is_ours(nonce):
            return False
        return self._clock() - int(nonce[:16], 16) / 1000 <= self._lifetime

    def use(self, nonce: str, count: int) -> bool:
        """Note request number `count` under `nonce`; False when that number was seen before (a replay)."""
        now = self._clock()
        if nonce not in self._counts:
            self._forget_old(now)
            if len(self._counts) >= MAX_REMEMBERED_NONCES:
                return False
            self._counts[nonce] = (now, set())
        counts = self._counts[nonce][1]
        if count in counts or len(counts) >= MAX_REMEMBERED_NONCES:
            return False
        counts.add(count)
        return True

    def _forget_old(self, now: float) -> None:
        # Insertion order is time order: stop at the first that is young enough.
        for nonce, (used, _) in list(self._counts.items()):
            if now - used <= 2 * self._lifetime:
                break
            del self._counts[nonce]

    def forget_all(self) -> None:
        """Make every nonce handed out so far worthless (after a change of password)."""
        self._key = secrets.token_bytes(32)
        self._counts.clear()
