"""RTSP requests read within limits and answers written (RFC 2326)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

MAX_HEADER_BYTES = 8192
MAX_HEADERS = 64
MAX_BODY_BYTES = 4096
INTERLEAVED = b"$"
REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Request Entity Too Large",
    451: "Parameter Not Understood",
    453: "Not Enough Bandwidth",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    457: "Invalid Range",
    459: "Aggregate Operation Not Allowed",
    461: "Unsupported Transport",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "RTSP Version Not Supported",
    551: "Option not supported",
}
_REQUEST_LINE = re.compile(r"([A-Z_]{1,32}) (\S{1,2048}) RTSP/(\d\.\d)")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}):[ \t]*(.*?)[ \t]*")


class RtspProblemError(Exception):
    """A request that is answered with `status`; `fatal` also ends the connection."""

    def __init__(self, status: int, *, fatal: bool = False, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(REASONS[status])
        self.status = status
        self.fatal = fatal
        self.headers = dict(headers or {})


@dataclass(frozen=True, slots=True)
class RtspRequest:
    """One request; header names are lower case."""

    method: str
    target: str
    version: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class InterleavedFrame:
    """Binary data a client sent on the same connection (its RTCP)."""

    channel: int
    data: bytes


@dataclass(slots=True)
class RtspResponse:
    """One answer; a header given as a list is repeated."""

    status: int = 200
    headers: dict[str, str | list[str]] = field(default_factory=dict)
    body: bytes = b""

    def encode(self) -> bytes:
        """The bytes on the wire. No value holds a line break: what a client sent is echoed only after `parse_head`."""
        lines = [f"RTSP/1.0 {self.status} {REASONS[self.status]}"]
        for name, value in self.headers.items():
            lines += [f"{name}: {one}" for one in ([value] if isinstance(value, str) else value)]
        if self.body:
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode() + self.body


async def read_message(
    reader: asyncio.StreamReader, idle_seconds: float, request_seconds: float
) -> RtspRequest | InterleavedFrame | None:
    """The next request or binary frame; None when the client has gone or sends too slowly.

    Raises `TimeoutError` when nothing at all came, `RtspProblemError` for what can still be answered.
    """
    try:
        async with asyncio.timeout(idle_seconds):
            first = await _first_byte(reader)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    try:
        async with asyncio.timeout(request_seconds):
            if first == INTERLEAVED:
                head = await reader.readexactly(3)
                return InterleavedFrame(head[0], await reader.readexactly(int.from_bytes(head[1:])))
            return await _read_request(reader, first)
    except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
        return None
    except asyncio.LimitOverrunError as error:
        raise RtspProblemError(413, fatal=True) from error


async def _first_byte(reader: asyncio.StreamReader) -> bytes:
    while (byte := await reader.readexactly(1)) in b"\r\n":
        pass  # some clients send an empty line after a body
    return byte


async def _read_request(reader: asyncio.StreamReader, first: bytes) -> RtspRequest:
    request = parse_head(first + await reader.readuntil(b"\r\n\r\n"))
    length = request.headers.get("content-length", "0")
    if not re.fullmatch(r"\d{1,9}", length):
        raise RtspProblemError(400, fatal=True)
    if int(length) > MAX_BODY_BYTES:
        raise RtspProblemError(413, fatal=True)
    body = await reader.readexactly(int(length))
    return RtspRequest(request.method, request.target, request.version, request.headers, body)


def parse_head(head: bytes) -> RtspRequest:
    """Read request line and headers; raises `RtspProblemError` 400 for anything that is not clean RTSP."""
    try:
        lines = head.decode("utf-8").removesuffix("\r\n\r\n").split("\r\n")
    except UnicodeDecodeError as error:
        raise RtspProblemError(400, fatal=True) from error
    start = _REQUEST_LINE.fullmatch(lines[0])
    fields = [_HEADER.fullmatch(line) for line in lines[1:]]
    clean = all(character.isprintable() or character == "\t" for line in lines for character in line)
    if start is None or None in fields or len(lines) > MAX_HEADERS or not clean:
        raise RtspProblemError(400, fatal=True)
    headers = {one[1].lower(): one[2] for one in fields if one}
    return RtspRequest(start[1], start[2], start[3], headers)


def interleave(channel: int, packets: Iterable[bytes]) -> bytes:
    """RTP or RTCP packets framed for the RTSP connection."""
    return b"".join(b"$" + bytes([channel]) + len(packet).to_bytes(2) + packet for packet in packets)
