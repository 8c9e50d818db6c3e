"""One question to an RTSP camera before the decoder connects: does it want to send us to another host?

libavformat follows RTSP redirects to any address and cannot be told not to, so a camera could make the box knock at
other machines. We ask DESCRIBE ourselves first, with the password where it is asked for, and refuse any 3xx. A device
that answers otherwise the second time is left to the site's firewall.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import socket
import ssl
import time
from contextlib import closing, suppress

from matpho_edge.credentials import Credentials
from matpho_edge.streams.address import LiveAddress
from matpho_edge.streams.errors import auth_error, protocol_error, unreachable_error

MAX_HEAD_BYTES = 32 * 1024
_DIGESTS = {"MD5": "md5", "SHA-256": "sha256"}
_PARAMETER = re.compile(r'([A-Za-z-]{1,32})\s*=\s*(?:"([^"]*)"|([^\s",]+))')


def judge_camera(address: LiveAddress, *, seconds: float, allow_basic: bool = False) -> None:
    """Raise CameraProtocolError for a redirect, CameraAuthError for a refused password, CameraUnreachableError.

    A camera that knows no Digest gets our password in clear only with `allow_basic`. Blocks for at most about
    `seconds`. Any other answer passes: the decoder will judge it.
    """
    deadline = time.monotonic() + seconds
    try:
        with closing(_connected(address, seconds)) as connection:
            status, head = _describe(connection, address, 1, "", deadline)
            if status == 401 and address.credentials is not None:
                answer = _authorization(head, address.credentials, address.url)
                if not answer and "basic" in head.lower():
                    if allow_basic:
                        return
                    raise protocol_error(
                        address.shown, "camera chỉ nhận mật khẩu không mã hóa, Basic only: allow_basic"
                    )
                if answer:
                    status, head = _describe(connection, address, 2, answer, deadline)
    except (OSError, ValueError) as error:
        why = "connection refused" if isinstance(error, ConnectionRefusedError) else type(error).__name__
        failure = unreachable_error(address.shown, "no answer in time" if isinstance(error, TimeoutError) else why)
        raise failure from None
    if 300 <= status < 400:
        raise protocol_error(address.shown, "camera chuyển hướng sang máy khác, redirects are refused")
    if status in (401, 403):
        raise auth_error(address.shown)


def _connected(address: LiveAddress, seconds: float) -> socket.socket:
    plain = socket.create_connection((address.host, address.port), timeout=seconds)
    if not address.url.lower().startswith("rtsps:"):
        return plain
    context = ssl.create_default_context()
    # As the decoder does: cameras sign their own certificates. No password goes out in clear, only digests.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        return context.wrap_socket(plain, server_hostname=address.host)
    except BaseException:
        plain.close()
        raise


def _describe(
    connection: socket.socket, address: LiveAddress, number: int, authorization: str, deadline: float
) -> tuple[int, str]:
    """(status, head) of the camera's answer to DESCRIBE; 0 for what is no RTSP, which the decoder will refuse."""
    lines = [f"DESCRIBE {address.url} RTSP/1.0", f"CSeq: {number}", "Accept: application/sdp", "User-Agent: matpho"]
    lines += [f"Authorization: {authorization}"] if authorization else []
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    received = b""
    while b"\r\n\r\n" not in received and len(received) < MAX_HEAD_BYTES:
        connection.settimeout(max(deadline - time.monotonic(), 0.01))
        piece = connection.recv(4096)
        if not piece:
            break
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    text = head.decode("utf-8", "replace")
    _drain(connection, text, len(body), deadline)
    match = re.match(r"RTSP/1\.\d (\d{3})", text)
    return (int(match[1]) if match else 0), text


def _drain(connection: socket.socket, head: str, have: int, deadline: float) -> None:
    """Read the rest of a body, so that the next answer on this connection starts where it should."""
    length = re.search(r"(?im)^content-length:\s*(\d{1,6})", head)
    missing = min(int(length[1]), MAX_HEAD_BYTES) - have if length else 0
    with suppress(TimeoutError):
        while missing > 0:
            connection.settimeout(max(deadline - time.monotonic(), 0.01))
            piece = connection.recv(min(missing, 4096))
            if not piece:
                return
            missing -= len(piece)


def _authorization(head: str, credentials: Credentials, uri: str) -> str:
    """An Authorization value for the first Digest challenge we know (RFC 7616, RFC 2069); empty when there is none.

    Basic is never answered here: it would send the password in clear.
    """
    for challenge in re.findall(r"(?im)^www-authenticate:\s*digest\s+(.+)$", head):
        fields = {name.lower(): quoted or bare for name, quoted, bare in _PARAMETER.findall(challenge)}
        algorithm = fields.get("algorithm", "MD5").upper()
        if algorithm in _DIGESTS and "nonce" in fields and "realm" in fields:
            return _digest(fields, algorithm, credentials, uri)
    return ""


def _digest(fields: dict[str, str], algorithm: str, credentials: Credentials, uri: str) -> str:
    def hashed(*parts: str) -> str:
        return hashlib.new(_DIGESTS[algorithm], ":".join(parts).encode(), usedforsecurity=False).hexdigest()

    first = hashed(credentials.username, fields["realm"], credentials.reveal())
    second = hashed("DESCRIBE", uri)
    values = {"username": credentials.username, "realm": fields["realm"], "nonce": fields["nonce"], "uri": uri}
    extra = ""
    if "auth" in [part.strip() for part in fields.get("qop", "").split(",")]:
        values["cnonce"] = secrets.token_hex(8)
        extra = ", qop=auth, nc=00000001"
        values["response"] = hashed(first, fields["nonce"], "00000001", values["cnonce"], "auth", second)
    else:
        values["response"] = hashed(first, fields["nonce"], second)
    if "opaque" in fields:
        values["opaque"] = fields["opaque"]
    if any(mark in value for value in values.values() for mark in '"\r\n'):
        return ""
    return (
        "Digest " + ", ".join(f'{name}="{value}"' for name, value in values.items()) + f", algorithm={algorithm}{extra}"
    )
