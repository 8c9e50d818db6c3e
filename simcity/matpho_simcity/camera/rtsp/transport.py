"""Where a client's packets go: framed on its RTSP connection, or to its UDP ports."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from matpho_simcity.camera.rtsp.message import RtspProblemError, interleave

MAX_PORT_PAIR_TRIES = 64


@dataclass(frozen=True, slots=True)
class TransportWish:
    """What a client asked for in SETUP: two channels on its connection, or two UDP ports on its host."""

    interleaved: bool
    pair: tuple[int, int]


def choose_transport(header: str, next_channel: int) -> TransportWish:
    """The first transport of the header that a camera serves; raises 461 when there is none.

    A `destination` parameter is not honoured: packets go to the host that holds the RTSP connection.
    """
    for offer in header.split(","):
        profile, *parameters = [part.strip() for part in offer.split(";")]
        options = {name.lower(): value for name, _, value in (part.partition("=") for part in parameters)}
        if "multicast" in options or options.get("mode", "play").strip('"').lower() != "play":
            continue
        if profile.upper() == "RTP/AVP/TCP":
            pair = _pair(options.get("interleaved", f"{next_channel}-{next_channel + 1}"), 0, 255)
            if pair:
                return TransportWish(True, pair)
        elif profile.upper() in ("RTP/AVP", "RTP/AVP/UDP") and (
            pair := _pair(options.get("client_port", ""), 1, 65535)
        ):
            return TransportWish(False, pair)
    raise RtspProblemError(461)


def _pair(text: str, lowest: int, highest: int) -> tuple[int, int] | None:
    match = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", text)
    if not match:
        return None
    first = int(match[1])
    second = int(match[2]) if match[2] else first + 1
    return (first, second) if lowest <= first <= highest and lowest <= second <= highest and first != second else None


class PacketSink(Protocol):
    """Takes a client's packets; never waits."""

    @property
    def header(self) -> str:
        """The Transport header's parameters."""

    def send_rtp(self, packets: Iterable[bytes]) -> bool:
        """Send RTP packets; False when the client cannot keep up and must be dropped."""

    def send_rtcp(self, packet: bytes) -> None:
        """Send one compound RTCP packet."""

    def close(self) -> None:
        """Give back what the sink holds."""


class InterleavedSink:
    """Packets on the RTSP connection itself, with a bound on what may wait there."""

    def __init__(self, writer: asyncio.StreamWriter, channels: tuple[int, int], queue_bytes: int) -> None:
        self._writer = writer
        self.channels = channels
        self._queue_bytes = queue_bytes

    @property
    def header(self) -> str:
        """The Transport header's parameters."""
        return f"RTP/AVP/TCP;unicast;interleaved={self.channels[0]}-{self.channels[1]}"

    def send_rtp(self, packets: Iterable[bytes]) -> bool:
        """Queue packets; False when too many bytes wait already."""
        if self._writer.is_closing() or self._writer.transport.get_write_buffer_size() > self._queue_bytes:
            return False
        self._writer.write(interleave(self.channels[0], packets))
        return True

    def send_rtcp(self, packet: bytes) -> None:
        """Queue one RTCP packet."""
        if not self._writer.is_closing():
            self._writer.write(interleave(self.channels[1], [packet]))

    def close(self) -> None:
        """The connection belongs to the dialogue: nothing to give back."""


class _Ear(asyncio.DatagramProtocol):
    """Hears a client's RTCP (its receiver reports keep the session alive); what others send is ignored."""

    def __init__(self, peer: str, heard: Callable[[], None]) -> None:
        self._peer = peer
        self._heard = heard

    def datagram_received(self, data: bytes, addr: tuple[str | int, int]) -> None:
        """Any packet of the client counts as a sign of life."""
        if addr[0] == self._peer:
            self._heard()


class UdpSink:
    """Packets to two ports of the client's host, sent from an even and the next odd port of ours."""

    def __init__(
        self, peer: str, client: tuple[int, int], rtp: asyncio.DatagramTransport, rtcp: asyncio.DatagramTransport
    ) -> None:
        self._peer = peer
        self._client = client
        self._rtp = rtp
        self._rtcp = rtcp

    @classmethod
    async def open(cls, host: str, peer: str, client: tuple[int, int], heard: Callable[[], None]) -> UdpSink:
        """Bind a port pair on `host`; raises 453 when none is free."""
        loop = asyncio.get_running_loop()
        for _ in range(MAX_PORT_PAIR_TRIES):
            first, _protocol = await loop.create_datagram_endpoint(lambda: _Ear(peer, heard), local_addr=(host, 0))
            port = int(first.get_extra_info("sockname")[1])
            try:
                if port % 2 == 0:
                    second, _other = await loop.create_datagram_endpoint(
                        lambda: _Ear(peer, heard), local_addr=(host, port + 1)
                    )
                    return cls(peer, client, first, second)
            except OSError:
                pass
            first.close()
        raise RtspProblemError(453)

    @property
    def header(self) -> str:
        """The Transport header's parameters."""
        port = int(self._rtp.get_extra_info("sockname")[1])
        return f"RTP/AVP;unicast;client_port={self._client[0]}-{self._client[1]};server_port={port}-{port + 1}"

    def send_rtp(self, packets: Iterable[bytes]) -> bool:
        """Send packets; the network may lose them, the camera never waits."""
        for packet in packets:
            self._rtp.sendto(packet, (self._peer, self._client[0]))
        return True

    def send_rtcp(self, packet: bytes) -> None:
        """Send one RTCP packet."""
        self._rtcp.sendto(packet, (self._peer, self._client[1]))

    def close(self) -> None:
        """Close both sockets."""
        self._rtp.close()
        self._rtcp.close()
