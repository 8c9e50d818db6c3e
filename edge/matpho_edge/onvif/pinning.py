"""URLs a device gives are hints about a path and a port on that same device, and nothing more."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from aiohttp.abc import AbstractResolver, ResolveResult

from matpho_contracts.errors import BadInputError
from matpho_edge.credentials import MAX_URL_CHARACTERS, masked, split_userinfo
from matpho_edge.streams.errors import CameraProtocolError, unreachable_error

RESOLVE_SECONDS = 5.0
DEFAULT_PORTS = {"http": 80, "https": 443, "rtsp": 554, "rtsps": 322}


@dataclass(frozen=True, slots=True)
class PinnedHost:
    """The one host that may be talked to: as it was named, and the address it had when we connected."""

    name: str
    address: str
    port: int
    secure: bool = False

    @property
    def shown(self) -> str:
        """For messages."""
        return f"{self.name}:{self.port}"

    @property
    def device_service(self) -> str:
        """The URL every ONVIF device listens on."""
        return f"{'https' if self.secure else 'http'}://{_bracketed(self.name)}:{self.port}/onvif/device_service"

    def web(self, url: str) -> str:
        """A device-given http(s) URL made safe: our host, its port and path, never less secure than our connection.

        Raises CameraProtocolError for what is no such URL.
        """
        scheme, port, path, query = _taken_apart(url, {"http", "https"}, self.shown)
        if self.secure and scheme == "http":
            scheme, port = "https", self.port
        return urlunsplit((scheme, f"{_bracketed(self.name)}:{port}", path, query, ""))

    def stream(self, url: str) -> str:
        """A device-given RTSP URL made safe: our host's address, its port and path, no user or password."""
        scheme, port, path, query = _taken_apart(url, {"rtsp", "rtsps"}, self.shown)
        return urlunsplit((scheme, f"{_bracketed(self.address)}:{port}", path, query, ""))


def _taken_apart(url: str, schemes: set[str], shown: str) -> tuple[str, int, str, str]:
    """(scheme, port, path, query) of a URL that a device gave."""
    text = url.strip()
    if not text or len(text) > MAX_URL_CHARACTERS or not text.isprintable() or any(mark in text for mark in ' "<>\\'):
        raise CameraProtocolError(f"{shown}: camera đưa địa chỉ hỏng (the camera gave a broken URL).")
    bare, _ = split_userinfo(text)
    try:
        parts = urlsplit(bare)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    scheme = parts.scheme.lower()
    if scheme not in schemes:
        raise CameraProtocolError(f"{shown}: camera đưa địa chỉ lạ {masked(bare)[:80]} (a URL of another kind).")
    return scheme, port or DEFAULT_PORTS[scheme], parts.path or "/", parts.query


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


async def pin(host: str, port: int, *, secure: bool = False) -> PinnedHost:
    """Resolve a host once; raises BadInputError for what is no host, CameraUnreachableError when it has no address."""
    name = host.strip().strip("[]").lower()
    if not name or len(name) > 253 or not 0 < port < 65536 or not _is_host(name):
        raise BadInputError("Địa chỉ camera không hợp lệ (not a camera's host and port).")
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError):
        found = []
    if not found:
        raise unreachable_error(f"{name}:{port}", "no such host")
    return PinnedHost(name, str(found[0][4][0]), port, secure)


def _is_host(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name[0] != "-" and all(character.isalnum() or character in "-._" for character in name)
    return True


class PinnedResolver(AbstractResolver):
    """Answers for the pinned host with the address it had, and for nobody else: no rebinding, no other host."""

    def __init__(self, host: PinnedHost) -> None:
        self._host = host

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The pinned address; raises OSError for any other name."""
        if host != self._host.name:
            raise OSError("not the pinned host")
        kind = socket.AF_INET6 if ":" in self._host.address else socket.AF_INET
        return [ResolveResult(hostname=host, host=self._host.address, port=port, family=kind, proto=0, flags=0)]

    async def close(self) -> None:
        """Nothing to let go of."""


def only_host(url: str, host: PinnedHost) -> str:
    """The URL itself when it points at the pinned host; raises CameraProtocolError otherwise (the last line)."""
    parts: Any = urlsplit(url)
    if (parts.hostname or "") != host.name:
        raise CameraProtocolError(f"{host.shown}: camera chỉ sang máy khác (the camera points at another host).")
    return url
