"""The authentication centre over HTTP: signed requests, strict time and size limits, no redirects, no proxies.

A connection is opened to the one address of the settings and to nothing else.
"""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import httpx2
from pydantic import ValidationError

from matpho_contracts.errors import ConfigurationError
from matpho_contracts.identity_api import CHECKS_PATH, CONTENT_TYPE, MAX_ANSWER_BYTES, TAG, CheckAnswer, CheckRequest
from matpho_contracts.request_signing import sign_headers
from matpho_contracts.signing import SigningKey
from matpho_platform.identity.errors import CentreSilentError

CONNECT_S = 3.0
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_OK = 200


class CentreClient:
    """One centre, one key to sign with."""

    def __init__(self, url: str, key: SigningKey, *, timeout_s: float = 8.0) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise ConfigurationError("The authentication centre's address must be https.")
        if parts.path not in ("", "/") or parts.query or parts.username:
            raise ConfigurationError("The authentication centre's address is a host, with no path and no password.")
        self._key = key
        self._timeout_s = timeout_s
        self._client = httpx2.AsyncClient(
            base_url=f"{parts.scheme}://{parts.netloc}",
            timeout=httpx2.Timeout(timeout_s, connect=min(CONNECT_S, timeout_s)),
            follow_redirects=False,
            trust_env=False,
        )

    async def check(self, request: CheckRequest) -> CheckAnswer:
        """Ask; raises CentreSilentError for everything but an answer that can be read."""
        body = request.canonical()
        headers = sign_headers(self._key, "POST", CHECKS_PATH, body, tag=TAG) | {"content-type": CONTENT_TYPE}
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._client.stream("POST", CHECKS_PATH, content=body, headers=headers) as response,
            ):
                text = await _bounded(response)
            return CheckAnswer.model_validate_json(text)
        except (httpx2.HTTPError, OSError, TimeoutError) as error:
            raise CentreSilentError(f"The authentication centre did not answer ({type(error).__name__}).") from None
        except ValidationError:
            raise CentreSilentError("The authentication centre's answer cannot be read.") from None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


async def _bounded(response: httpx2.Response) -> bytes:
    if response.status_code != _OK:
        raise CentreSilentError(f"The authentication centre answered with status {response.status_code}.")
    gathered = bytearray()
    async for piece in response.aiter_bytes():
        gathered += piece
        if len(gathered) > MAX_ANSWER_BYTES:
            raise CentreSilentError("The authentication centre's answer is too long.")
    return bytes(gathered)
