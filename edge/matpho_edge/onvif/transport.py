"""How bytes reach a camera: HTTP Digest first, WS-UsernameToken where it must be, to one host, within limits."""

from __future__ import annotations

import asyncio
import logging
import ssl
from datetime import timedelta
from typing import Any, Literal

import aiohttp
from aiohttp import ClientSession, DigestAuthMiddleware, Fingerprint, TCPConnector
from lxml import etree

from matpho_contracts.errors import BadInputError
from matpho_edge.credentials import Credentials
from matpho_edge.onvif import xml
from matpho_edge.onvif.pinning import PinnedHost, PinnedResolver, only_host
from matpho_edge.streams.errors import CameraProtocolError, auth_error, protocol_error, unreachable_error

CALL_SECONDS = 10.0
"""How long any one SOAP call may take, all tries together."""

MAX_SNAPSHOT_BYTES = 8 * 1024 * 1024
SNAPSHOT_SECONDS = 12.0
"""Real cameras need up to ten seconds for a still."""

SOAP_TYPE = "application/soap+xml"
_NOT_AUTHORIZED = ("NotAuthorized", "FailedAuthentication", "InvalidSecurity", "FailedCheck")


def quiet_import() -> Any:
    """Import the ONVIF library's client without its side effect: it would set up the process's root logger."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    import onvif.client

    if not handlers:
        root.handlers.clear()
        root.setLevel(level)
    for name in ("onvif", "zeep"):
        # Their debug lines hold whole envelopes, with user names and digests.
        logging.getLogger(name).setLevel(logging.WARNING)
    return onvif.client


class CameraTransport:
    """One camera's HTTP session: only to the pinned host, no redirect is followed, answers are bounded."""

    def __init__(self, host: PinnedHost, credentials: Credentials | None, *, fingerprint: bytes | None = None) -> None:
        if credentials is not None and ":" in credentials.username:
            raise BadInputError("Tên tài khoản camera không được có dấu hai chấm (no colon in a camera's user name).")
        self.host = host
        self.clock_offset: timedelta | None = None
        self._credentials = credentials
        self._mode: Literal["digest", "token"] = "digest"
        self._settled = False
        self._digests: dict[str, DigestAuthMiddleware] = {}
        trust: ssl.SSLContext | Fingerprint | bool = Fingerprint(fingerprint) if fingerprint else True
        self._session = ClientSession(
            connector=TCPConnector(resolver=PinnedResolver(host), ssl=trust, use_dns_cache=False),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            headers={"Accept-Encoding": "identity", "User-Agent": "matpho"},
        )

    async def close(self) -> None:
        """Let go of all connections."""
        await self._session.close()

    async def soap(
        self, url: str, envelope: etree._Element, *, seconds: float = CALL_SECONDS, authorized: bool = True
    ) -> bytes:
        """Send an envelope, return the answer's envelope (a fault too), checked and if need be mended.

        Raises CameraAuthError, CameraUnreachableError, CameraProtocolError. `authorized` False sends no credentials.
        """
        try:
            async with asyncio.timeout(seconds):
                status, content = await self._authorized_post(url, envelope, authorized)
        except TimeoutError:
            raise unreachable_error(self.host.shown, "no answer in time") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise unreachable_error(self.host.shown, type(error).__name__) from None
        if status == 401 or (authorized and is_denied(content)):
            raise auth_error(self.host.shown)
        if not content:
            raise protocol_error(self.host.shown, f"HTTP {status} without content")
        return self._checked(content, status)

    def _checked(self, content: bytes, status: int) -> bytes:
        try:
            xml.parse(content)
        except xml.HostileXmlError as error:
            if "no XML" not in str(error):
                raise protocol_error(self.host.shown, f"XML {error}") from None
        else:
            return content
        try:
            return etree.tostring(xml.parse(content, mend=True))
        except xml.HostileXmlError:
            raise protocol_error(self.host.shown, f"HTTP {status}, no XML") from None

    async def _authorized_post(self, url: str, envelope: etree._Element, authorized: bool) -> tuple[int, bytes]:
        if not authorized or self._credentials is None:
            return await self._post(url, envelope, None)
        status, content = await self._post(url, envelope, self._mode)
        denied = status == 401 or is_denied(content)
        if denied and not self._settled:
            # Old cameras know only the token inside the envelope; one that took Digest once is not asked again.
            other: Literal["digest", "token"] = "token" if self._mode == "digest" else "digest"
            status, content = await self._post(url, envelope, other)
            if status != 401 and not is_denied(content):
                self._mode, self._settled = other, True
        return status, content

    async def _post(
        self, url: str, envelope: etree._Element, mode: Literal["digest", "token"] | None
    ) -> tuple[int, bytes]:
        target = only_host(url, self.host)
        message = etree.tostring(self._with_token(envelope) if mode == "token" else envelope, xml_declaration=True)
        headers = {"Content-Type": f"{SOAP_TYPE}; charset=utf-8"}
        middlewares = (self._digest(target),) if mode == "digest" else ()
        async with self._session.post(
            target, data=message, headers=headers, middlewares=middlewares, allow_redirects=False
        ) as response:
            content = await read_bounded(response, xml.MAX_XML_BYTES, self.host)
        proven = mode == "digest" and response.ok and "Authorization" in response.request_info.headers
        if proven and not is_denied(content):
            self._settled = True  # Digest was asked for and believed; an open answer proves nothing.
        return response.status, content

    async def get(self, url: str, *, seconds: float = SNAPSHOT_SECONDS) -> bytes:
        """Fetch a still from the pinned host, with Digest where asked; raises as `soap` does."""
        try:
            async with asyncio.timeout(seconds):
                target = only_host(url, self.host)
                middlewares = (self._digest(target),) if self._credentials is not None else ()
                async with self._session.get(target, middlewares=middlewares, allow_redirects=False) as response:
                    content = await read_bounded(response, MAX_SNAPSHOT_BYTES, self.host)
        except TimeoutError:
            raise unreachable_error(self.host.shown, "no still in time") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise unreachable_error(self.host.shown, type(error).__name__) from None
        if response.status in (401, 403):
            raise auth_error(self.host.shown)
        if response.status != 200:
            raise protocol_error(self.host.shown, f"HTTP {response.status} for a still")
        return content

    def _digest(self, url: str) -> DigestAuthMiddleware:
        """One Digest state for each origin (a snapshot may live on another port)."""
        credentials = self._credentials
        assert credentials is not None  # noqa: S101 -- callers ask only with credentials
        origin = "/".join(url.split("/", 3)[:3])
        if origin not in self._digests:
            self._digests[origin] = DigestAuthMiddleware(credentials.username, credentials.reveal())
        return self._digests[origin]

    def _with_token(self, envelope: etree._Element) -> etree._Element:
        """A copy of the envelope with a fresh WS-UsernameToken on the camera's own clock."""
        credentials = self._credentials
        assert credentials is not None  # noqa: S101 -- callers ask only with credentials
        token = quiet_import().UsernameDigestTokenDtDiff(
            credentials.username, credentials.reveal(), dt_diff=self.clock_offset, use_digest=True
        )
        copy = etree.fromstring(etree.tostring(envelope))
        signed: etree._Element = token.apply(copy, {})[0]
        return signed


def is_denied(content: bytes) -> bool:
    """Whether an answer is a fault that says: not authorized (some cameras say it with HTTP 200 or 400)."""
    head = content[:4096]
    return b"Fault" in head and any(code.encode() in head for code in _NOT_AUTHORIZED)


async def read_bounded(response: aiohttp.ClientResponse, limit: int, host: PinnedHost) -> bytes:
    """The body, at most `limit` bytes; raises CameraProtocolError past that."""
    content = bytearray()
    async for piece in response.content.iter_chunked(64 * 1024):
        content += piece
        if len(content) > limit:
            raise CameraProtocolError(f"{host.shown}: câu trả lời quá lớn (answer larger than {limit} bytes).")
    return bytes(content)
