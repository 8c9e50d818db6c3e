"""WS-Security UsernameToken with a password digest (OASIS UsernameToken Profile 1.0), the camera's half."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from matpho_simcity.camera.access import MAX_REMEMBERED_NONCES, Account
from matpho_simcity.camera.digest import Verdict

MAX_NONCE_BYTES = 128


@dataclass(frozen=True, slots=True)
class UsernameToken:
    """What a client wrote into its Security header. `is_digest` is False for a password in clear, which is refused."""

    username: str
    password: str
    nonce: str
    created: str
    is_digest: bool


class TokenGuard:
    """Accepts a token with a right digest, created near the camera's own time, and not seen before."""

    def __init__(self, account: Account, window: float, now: Callable[[], datetime]) -> None:
        self._account = account
        self._window = timedelta(seconds=window)
        self._now = now
        self._seen: OrderedDict[bytes, datetime] = OrderedDict()

    def judge(self, token: UsernameToken | None) -> Verdict:
        """Judge one token; STALE means right password but outside the time window or used before."""
        if token is None:
            return Verdict.MISSING
        nonce, created = _decode(token.nonce), _parse_time(token.created)
        if not token.is_digest or nonce is None or created is None:
            return Verdict.WRONG
        digest = hashlib.sha1(nonce + token.created.encode() + self._account.password.encode(), usedforsecurity=False)
        expected = base64.b64encode(digest.digest())
        user_right = hmac.compare_digest(token.username.encode(), self._account.username.encode())
        if not (hmac.compare_digest(token.password.strip().encode(), expected) and user_right):
            return Verdict.WRONG
        return self._judge_time(nonce, created)

    def _judge_time(self, nonce: bytes, created: datetime) -> Verdict:
        now = self._now()
        while self._seen and next(iter(self._seen.values())) < now - 2 * self._window:
            self._seen.popitem(last=False)
        if abs(now - created) > self._window or nonce in self._seen or len(self._seen) >= MAX_REMEMBERED_NONCES:
            return Verdict.STALE
        self._seen[nonce] = now
        return Verdict.ALLOWED


def _decode(nonce: str) -> bytes | None:
    try:
        raw = base64.b64decode(nonce.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if 0 < len(raw) <= MAX_NONCE_BYTES else None


def _parse_time(text: str) -> datetime | None:
    """An xs:dateTime; one without an offset is taken as UTC, as devices do."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
