"""Signed HTTP requests between a box and a center: RFC 9421 with Ed25519, the body bound by Content-Digest (RFC 9530).

Freshness is checked here; that a nonce is used only once is the receiver's to remember (`Verified.nonce`).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    algorithms,
)

from matpho_contracts.signing import PublicKey, SignatureError, SigningKey

TAG = "matpho-edge"
MAX_AGE = timedelta(minutes=5)
"""How old a request may be, and how far a box's clock may run ahead."""
_COVERED = ("@method", "@path", "@query", "content-digest")
_AUTHORITY = "https://center.invalid"
"""Neither host nor scheme is signed: a proxy in front of the center may change both."""


@dataclass(frozen=True, slots=True)
class Verified:
    """Who signed a request and the nonce that must not come again within MAX_AGE."""

    key_id: str
    nonce: str


class _Keys(HTTPSignatureKeyResolver):
    def __init__(self, private: Ed25519PrivateKey | None, find: Callable[[str], PublicKey | None] | None) -> None:
        self._private, self._find = private, find

    def resolve_private_key(self, key_id: str) -> Ed25519PrivateKey:
        if self._private is None:
            raise SignatureError("There is no key to sign with.")
        return self._private

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
        found = self._find(key_id) if self._find else None
        if found is None:
            raise SignatureError("The request is signed by a key that is not enrolled.")
        return Ed25519PublicKey.from_public_bytes(found.raw)


def _message(method: str, target: str, headers: Mapping[str, str]) -> SimpleNamespace:
    parts = urlsplit(target)
    url = _AUTHORITY + (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return SimpleNamespace(method=method.upper(), url=url, headers=dict(headers))


def sign_headers(key: SigningKey, method: str, target: str, body: bytes = b"", *, tag: str = TAG) -> dict[str, str]:
    """The headers that sign a request; `target` is its path with query (a whole URL serves too).

    `tag` says what the signature is for; a receiver takes only the tag that it expects.
    """
    message = _message(method, target, {})
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=_Keys(key.private, None))
    signer.sign(
        message,
        key_id=key.public.key_id,
        created=datetime.now(UTC),
        nonce=secrets.token_urlsafe(16),
        tag=tag,
        label="box",
        covered_component_ids=_COVERED,
        body=body,
    )
    return dict(message.headers)


def verify_request(
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes,
    find_key: Callable[[str], PublicKey | None],
    *,
    tag: str = TAG,
) -> Verified:
    """Check a signed request as received; `find_key` gives the enrolled key of a key id.

    Raises SignatureError when it is unsigned, altered, too old, from the future or by an unknown key.
    """
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=_Keys(None, find_key))
    try:
        results = verifier.verify(
            _message(method, target, headers),
            max_age=MAX_AGE,
            expect_tag=tag,
            require_components=_COVERED,
            body=body,
        )
    except HTTPMessageSignaturesException as error:
        raise SignatureError("The request's signature is missing, too old or does not fit.") from error
    parameters = results[0].parameters
    nonce, key_id = parameters.get("nonce"), parameters.get("keyid")
    if len(results) != 1 or not isinstance(nonce, str) or not isinstance(key_id, str) or not 16 <= len(nonce) <= 64:
        raise SignatureError("The request's signature lacks its nonce or its key.")
    return Verified(key_id, nonce)
