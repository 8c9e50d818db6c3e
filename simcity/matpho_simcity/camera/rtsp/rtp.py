"""RTP for H.264 (RFC 3550, RFC 6184): payloads made once per stream, headers once per client, sender reports."""

from __future__ import annotations

import secrets
import struct
from collections.abc import Iterator, Sequence

RTP_CLOCK = 90_000
PAYLOAD_TYPE = 96
MAX_PAYLOAD = 1388  # with RTP, UDP and IPv4 headers 1428 bytes: fits common tunnels as well as Ethernet
STAP_A, FU_A = 24, 28
NTP_EPOCH_OFFSET = 2_208_988_800  # seconds from 1900 to 1970
SENDER_REPORT, SOURCE_DESCRIPTION, GOODBYE = 200, 202, 203
_WRAP = 1 << 32


def payloads(units: Sequence[bytes]) -> tuple[bytes, ...]:
    """RTP payloads of one access unit: small NAL units share a STAP-A, large ones are cut into FU-A fragments."""
    result: list[bytes] = []
    small: list[bytes] = []
    for unit in units:
        if len(unit) + 2 + 1 + sum(len(one) + 2 for one in small) <= MAX_PAYLOAD:
            small.append(unit)
            continue
        result.extend(_aggregate(small))
        small = []
        if len(unit) + 3 <= MAX_PAYLOAD:
            small.append(unit)
        else:
            result.extend([unit] if len(unit) <= MAX_PAYLOAD else _fragments(unit))
    result.extend(_aggregate(small))
    return tuple(result)


def _aggregate(units: list[bytes]) -> list[bytes]:
    if len(units) < 2:
        return units
    importance = max(unit[0] & 0x60 for unit in units)
    return [bytes([importance | STAP_A]) + b"".join(struct.pack("!H", len(unit)) + unit for unit in units)]


def _fragments(unit: bytes) -> Iterator[bytes]:
    indicator, kind, room = unit[0] & 0xE0 | FU_A, unit[0] & 0x1F, MAX_PAYLOAD - 2
    for start in range(1, len(unit), room):
        first, last = start == 1, start + room >= len(unit)
        yield bytes([indicator, first << 7 | last << 6 | kind]) + unit[start : start + room]


class RtpSender:
    """One client's numbering of a shared stream: own source id, sequence numbers and timestamp origin.

    The first packet carries exactly the sequence number and timestamp that RTP-Info announced. Times are seconds of the
    camera's monotonic clock.
    """

    def __init__(self) -> None:
        self.source = secrets.randbits(32)
        self.next_sequence = secrets.randbits(16)
        self.first_timestamp = secrets.randbits(32)
        self._origin: float | None = None
        self._packets = 0
        self._octets = 0

    def timestamp(self, captured: float) -> int:
        """The RTP timestamp of a picture; the first picture asked for becomes the origin."""
        if self._origin is None:
            self._origin = captured
        return (self.first_timestamp + round((captured - self._origin) * RTP_CLOCK)) % _WRAP

    @property
    def started(self) -> bool:
        """Whether a packet has been numbered yet."""
        return self._origin is not None

    def packets(self, parts: Sequence[bytes], captured: float) -> Iterator[bytes]:
        """Whole RTP packets of one access unit, the marker on the last."""
        timestamp = self.timestamp(captured)
        for index, part in enumerate(parts):
            marker = (index == len(parts) - 1) << 7
            header = struct.pack("!BBHII", 0x80, marker | PAYLOAD_TYPE, self.next_sequence, timestamp, self.source)
            self.next_sequence = (self.next_sequence + 1) & 0xFFFF
            self._packets += 1
            self._octets += len(part)
            yield header + part

    def sender_report(self, now: float, wall: float) -> bytes:
        """A compound RTCP packet: sender report at `now` (which is `wall`, seconds since 1970 UTC) and our name."""
        whole = int(wall)
        moment = ((whole + NTP_EPOCH_OFFSET) % _WRAP, int((wall - whole) * _WRAP), self.timestamp(now))
        counts = (self._packets % _WRAP, self._octets % _WRAP)
        report = struct.pack("!BBHIIIIII", 0x80, SENDER_REPORT, 6, self.source, *moment, *counts)
        name = b"camera"
        item = struct.pack("!IBB", self.source, 1, len(name)) + name + b"\x00"
        item += b"\x00" * (-len(item) % 4)
        return report + struct.pack("!BBH", 0x81, SOURCE_DESCRIPTION, len(item) // 4) + item

    def goodbye(self) -> bytes:
        """An RTCP BYE."""
        return struct.pack("!BBHI", 0x81, GOODBYE, 1, self.source)
