"""Finding cameras by WS-Discovery: ask on every interface and at given hosts, believe only what binds the answerer."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal

import psutil

from matpho_contracts.errors import BadInputError
from matpho_edge.discovery_messages import FoundDevice, Probe, probes, read_announcement, read_matches

__all__ = ["Announcement", "FoundDevice", "announcements", "discover", "local_interfaces"]

GROUP = "239.255.255.250"
PORT = 3702
MAX_DATAGRAM_BYTES = 64 * 1024
MAX_DEVICES = 1024
MAX_ANSWERS = 8192
"""Datagrams read in one search; a flood ends the search, not the box."""

MAX_TARGETS = 1024
DEFAULT_SECONDS = 3.0
LONGEST_SECONDS = 30.0
REPEATS = 2
REPEAT_AFTER_S = 0.3
"""UDP loses datagrams: every question is asked twice, devices drop the copy by its MessageID."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """A device says that it came (`hello`) or leaves (`bye`, then only `device.epr` is known)."""

    kind: Literal["hello", "bye"]
    device: FoundDevice


def local_interfaces(*, loopback: bool = True) -> list[str]:
    """IPv4 addresses of the interfaces that are up, loopback too unless told otherwise."""
    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    found = [
        address.address
        for name, addresses in psutil.net_if_addrs().items()
        for address in addresses
        if name in up and address.family == socket.AF_INET
    ]
    return [one for one in dict.fromkeys(found) if loopback or not ipaddress.ip_address(one).is_loopback]


async def discover(
    *,
    targets: Sequence[str | tuple[str, int]] = (),
    interfaces: Sequence[str] | None = None,
    multicast: bool = True,
    port: int = PORT,
    seconds: float = DEFAULT_SECONDS,
) -> list[FoundDevice]:
    """Search for ONVIF devices and return them, one for each endpoint reference, by address.

    Asks the multicast group on `interfaces` (IPv4 addresses; None: all that are up, loopback included) and each of
    `targets` (`host`, `host:port` or a pair) by unicast, for `seconds`. Every XAddr is bound to the host that answered.
    Interfaces that cannot multicast are passed over. Raises BadInputError for a target that is none.
    """
    asked = probes()
    where = [await _target(one) for one in targets[:MAX_TARGETS]]
    found: dict[str, FoundDevice] = {}
    listeners: list[asyncio.DatagramTransport] = []
    collector = _Collector({probe.message_id for probe in asked}, found)
    try:
        places: list[tuple[asyncio.DatagramTransport, tuple[str, int]]] = []
        for address in (local_interfaces() if interfaces is None else interfaces) if multicast else ():
            transport = await _open(collector, address)
            if transport is not None:
                listeners.append(transport)
                places.append((transport, (GROUP, port)))
        if where and (plain := await _open(collector, None)) is not None:
            listeners.append(plain)
            places += [(plain, one) for one in where]
        await _ask(asked, places, min(seconds, LONGEST_SECONDS), collector.full)
    finally:
        for transport in listeners:
            transport.close()
    return sorted(found.values(), key=lambda device: (device.host, device.epr))


async def _ask(
    asked: Sequence[Probe],
    places: list[tuple[asyncio.DatagramTransport, tuple[str, int]]],
    seconds: float,
    full: asyncio.Event,
) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            for _ in range(REPEATS):
                for transport, place in places:
                    for probe in asked:
                        with suppress(OSError):
                            transport.sendto(probe.content, place)
                await asyncio.sleep(REPEAT_AFTER_S)
            await full.wait()


class _Collector(asyncio.DatagramProtocol):
    """Reads answers of all sockets into one table; the first word about an endpoint counts, later ones add XAddrs."""

    def __init__(self, questions: set[str], found: dict[str, FoundDevice]) -> None:
        self._questions = questions
        self._found = found
        self._answers = 0
        self.full = asyncio.Event()

    def datagram_received(self, data: bytes, addr: tuple[str | int, int]) -> None:
        self._answers += 1
        if self._answers > MAX_ANSWERS or len(self._found) >= MAX_DEVICES:
            self.full.set()
            return
        if len(data) > MAX_DATAGRAM_BYTES:
            return
        for device in read_matches(data, str(addr[0]), self._questions):
            known = self._found.get(device.epr)
            if known is None and len(self._found) < MAX_DEVICES:
                self._found[device.epr] = device
            elif known is not None and known.host == device.host:
                merged = tuple(dict.fromkeys((*known.xaddrs, *device.xaddrs)))
                self._found[device.epr] = replace(known, xaddrs=merged)

    def error_received(self, exc: Exception) -> None:
        """A target where nobody listens; others may answer."""


async def _open(collector: asyncio.DatagramProtocol, interface: str | None) -> asyncio.DatagramTransport | None:
    """A socket to ask from, on one interface; None where that does not work."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    try:
        if interface is not None:
            made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
            made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
            made.bind((interface, 0))
        else:
            made.bind(("0.0.0.0", 0))  # noqa: S104 -- a sending socket; answers are matched to our questions
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: collector, sock=made)
    except OSError:
        made.close()
        return None
    return transport


async def _target(one: str | tuple[str, int]) -> tuple[str, int]:
    host, port = one if isinstance(one, tuple) else _split(one)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, family=socket.AF_INET, type=socket.SOCK_DGRAM)
        return str(found[0][4][0]), port
    except (OSError, UnicodeError, IndexError):
        raise BadInputError(
            "Địa chỉ dò tìm không hợp lệ (not a host to search).",
            action="Dùng máy hoặc máy:cổng / use host or host:port.",
        ) from None


def _split(text: str) -> tuple[str, int]:
    host, colon, port = text.strip().partition(":")
    if not host or len(host) > 253 or (colon and not (port.isdigit() and 0 < int(port) < 65536)):
        raise BadInputError("Địa chỉ dò tìm không hợp lệ (not a host:port to search).")
    return host, int(port) if colon else PORT


async def announcements(*, interfaces: Sequence[str] | None = None, port: int = PORT) -> AsyncIterator[Announcement]:
    """Hello and Bye messages as they come, for ever; ends at once where the machine has no multicast."""
    queue: asyncio.Queue[Announcement] = asyncio.Queue(maxsize=256)
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((GROUP, port))
        for address in local_interfaces() if interfaces is None else interfaces:
            membership = struct.pack("4s4s", socket.inet_aton(GROUP), socket.inet_aton(address))
            with suppress(OSError):
                made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Announcements(queue), sock=made)
    except OSError:
        made.close()
        return
    try:
        while True:
            yield await queue.get()
    finally:
        transport.close()


class _Announcements(asyncio.DatagramProtocol):
    def __init__(self, queue: asyncio.Queue[Announcement]) -> None:
        self._queue = queue

    def datagram_received(self, data: bytes, addr: tuple[str | int, int]) -> None:
        told = read_announcement(data, str(addr[0])) if len(data) <= MAX_DATAGRAM_BYTES else None
        if told is not None:
            with suppress(asyncio.QueueFull):
                self._queue.put_nowait(Announcement(*told))
