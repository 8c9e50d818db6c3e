"""Requests of boxes: the signature over method, path, query and body, checked once and never taken twice."""

from __future__ import annotations

import time
from collections import OrderedDict

from fastapi import Request

from matpho_contracts.request_signing import MAX_AGE, verify_request
from matpho_contracts.signing import SignatureError
from matpho_platform.cameras.edges import EdgeKey, EdgeRegistry
from matpho_platform.cameras.errors import ReplayedRequestError, UnknownKeyError

REMEMBER_S = 2 * MAX_AGE.total_seconds()
"""A request is fresh up to MAX_AGE after its time and, with a fast clock, MAX_AGE before it."""
MAX_NONCES = 500_000


class NonceMemory:
    """Nonces seen in the last REMEMBER_S seconds; when full, it refuses rather than forgets."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, str], float] = OrderedDict()

    def first_time(self, key_id: str, nonce: str) -> bool:
        """Whether this nonce is new; it is not from now on."""
        oldest = time.monotonic() - REMEMBER_S
        while self._seen and next(iter(self._seen.values())) < oldest:
            self._seen.popitem(last=False)
        if (key_id, nonce) in self._seen or len(self._seen) >= MAX_NONCES:
            return False
        self._seen[(key_id, nonce)] = time.monotonic()
        return True


async def signed_edge(
    request: Request, edge_id: str, body: bytes, registry: EdgeRegistry, nonces: NonceMemory
) -> EdgeKey:
    """The key of the box that signed a request, which must be the box that the path names.

    Raises UnknownKeyError for a missing, wrong, old or foreign signature, ReplayedRequestError for a repeated one.
    """
    await registry.key("")  # refreshes the registry when it is old
    raw_path: bytes = request.scope.get("raw_path") or request.url.path.encode()
    query: bytes = request.scope.get("query_string", b"")
    target = raw_path.split(b"?", 1)[0] + (b"?" + query if query else b"")
    try:
        verified = verify_request(request.method, target.decode("ascii"), request.headers, body, registry.public_key)
    except (SignatureError, UnicodeDecodeError) as error:
        raise UnknownKeyError("The request's signature is missing, old or wrong.") from error
    key = await registry.key(verified.key_id)
    if key is None or key.revoked_ms is not None or key.edge_id != edge_id:
        raise UnknownKeyError("The request is signed by a key that is not enrolled for this box.")
    if not nonces.first_time(verified.key_id, verified.nonce):
        raise ReplayedRequestError("This request was made before.")
    return key
