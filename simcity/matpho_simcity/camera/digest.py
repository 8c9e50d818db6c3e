"""Digest authentication, the server's half, for HTTP (RFC 7616) and RTSP (RFC 2326 with RFC 2069 clients)."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from matpho_simcity.camera.access import Account, Nonces

# Stronger first, as RFC 7616 section 3.7 asks; clients that read only the last challenge find the one all know.
ALGORITHMS: dict[str, Callable[[bytes], str]] = {
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
}
MAX_AUTHORIZATION_CHARACTERS = 4096
_PARAMETER = re.compile(r'([A-Za-z0-9*_-]{1,32})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))')


class Verdict(Enum):
    """What a request's credentials are worth."""

    ALLOWED = "allowed"
    MISSING = "missing"
    WRONG = "wrong"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class DigestAnswer:
    """The fields of an Authorization header that matter."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str
    qop: str
    nonce_count: str
    client_nonce: str


def parse_authorization(header: str) -> DigestAnswer | None:
    """Read an ``Authorization: Digest …`` value; None when it is no Digest (Basic is refused here) or is malformed."""
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() != "digest" or len(header) > MAX_AUTHORIZATION_CHARACTERS:
        return None
    found = {name.lower(): re.sub(r"\\(.)", r"\1", quoted) or bare for name, quoted, bare in _PARAMETER.findall(rest)}
    if not {"username", "realm", "nonce", "uri", "response"} <= found.keys():
        return None
    return DigestAnswer(
        username=found["username"],
        realm=found["realm"],
        nonce=found["nonce"],
        uri=found["uri"],
        response=found["response"].lower(),
        algorithm=found.get("algorithm", "MD5").upper(),
        qop=found.get("qop", "").lower(),
        nonce_count=found.get("nc", "").lower(),
        client_nonce=found.get("cnonce", ""),
    )


class DigestGuard:
    """Judges Digest answers for one account and one realm.

    `offer_qop` is for HTTP; RTSP challenges leave it out, as cameras do, because widespread RTSP clients know only the
    older form. A client that uses qop is held to it (its nonce count may not repeat) either way.
    """

    def __init__(self, account: Account, realm: str, nonces: Nonces, *, offer_qop: bool) -> None:
        self._account = account
        self._realm = realm
        self._nonces = nonces
        self._offer_qop = offer_qop

    def challenges(self, *, stale: bool = False) -> list[str]:
        """The values of the WWW-Authenticate headers, one per algorithm."""
        nonce = self._nonces.issue()
        qop = ', qop="auth"' if self._offer_qop else ""
        old = ", stale=true" if stale else ""
        return [
            f'Digest realm="{self._realm}", nonce="{nonce}", algorithm={algorithm}{qop}{old}'
            for algorithm in ALGORITHMS
        ]

    def judge(self, header: str | None, method: str, uri: str, *, held_nonce: str | None = None) -> Verdict:
        """Judge one request.

        `uri` is what the request line named; the answer's own uri must name the same thing. `held_nonce` is a nonce
        that this very connection has already proved: it does not grow stale while the connection lives.
        """
        if not header:
            return Verdict.MISSING
        answer = parse_authorization(header)
        if answer is None or answer.realm != self._realm or not _same_target(answer.uri, uri):
            return Verdict.WRONG
        expected = self._expected(answer, method)
        user_right = hmac.compare_digest(answer.username.encode(), self._account.username.encode())
        answer_right = expected is not None and hmac.compare_digest(answer.response.encode(), expected.encode())
        if not (user_right and answer_right and self._nonces.is_ours(answer.nonce)):
            return Verdict.WRONG
        if answer.nonce != held_nonce and not self._nonces.is_fresh(answer.nonce):
            return Verdict.STALE
        if answer.qop and not self._nonces.use(answer.nonce, int(answer.nonce_count, 16)):
            return Verdict.STALE
        return Verdict.ALLOWED

    def _expected(self, answer: DigestAnswer, method: str) -> str | None:
        digest = ALGORITHMS.get(answer.algorithm)
        if digest is None or answer.qop not in ("", "auth"):
            return None
        if not answer.qop and self._offer_qop:
            return None  # qop was offered: leaving it out would switch the replay check off
        if answer.qop and (not re.fullmatch(r"[0-9a-f]{8}", answer.nonce_count) or not answer.client_nonce):
            return None
        first = digest(f"{answer.username}:{self._realm}:{self._account.password}".encode())
        second = digest(f"{method}:{answer.uri}".encode())
        if not answer.qop:
            return digest(f"{first}:{answer.nonce}:{second}".encode())
        middle = f"{answer.nonce}:{answer.nonce_count}:{answer.client_nonce}:{answer.qop}"
        return digest(f"{first}:{middle}:{second}".encode())


def _same_target(claimed: str, asked: str) -> bool:
    """Whether two request targets name the same path; absolute and relative forms and a trailing slash are equal."""

    def path(target: str) -> str:
        without_scheme = re.sub(r"^[a-zA-Z]+://[^/]*", "", target)
        return without_scheme.rstrip("/")

    return path(claimed) == path(asked)
