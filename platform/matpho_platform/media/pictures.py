"""JPEG from outside: its size read from the header before anything decodes it."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from matpho_contracts.edge_api import MAX_SNAPSHOT_BYTES
from matpho_platform.media.errors import PictureError

MAX_PIXELS = 40_000_000
"""An 8K camera's frame is 33 million; decoded, this is 120 MB."""
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_START_OF_SCAN = 0xDA


def jpeg_size(data: bytes) -> tuple[int, int]:
    """Width and height that a JPEG's header states (ITU-T T.81 annex B); raises PictureError when it states none."""
    if not data.startswith(b"\xff\xd8\xff"):
        raise PictureError("This is no JPEG.")
    position = 2
    while position + 9 <= len(data):
        if data[position] != 0xFF:
            break
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
        elif marker in _STANDALONE:
            position += 2
        elif marker in _START_OF_FRAME:
            height, width = struct.unpack_from(">HH", data, position + 5)
            return int(width), int(height)
        elif marker == _START_OF_SCAN:
            break
        else:
            (length,) = struct.unpack_from(">H", data, position + 2)
            position += 2 + max(int(length), 2)
    raise PictureError("The JPEG has no frame header.")


def check_jpeg(data: bytes) -> tuple[int, int]:
    """Width and height of a JPEG within our limits; raises PictureError."""
    if len(data) > MAX_SNAPSHOT_BYTES:
        raise PictureError(f"A picture has at most {MAX_SNAPSHOT_BYTES} bytes.")
    width, height = jpeg_size(data)
    if not 0 < width * height <= MAX_PIXELS:
        raise PictureError(f"A picture of {width} x {height} is too large.")
    return width, height


def decode_jpeg(data: bytes) -> NDArray[np.uint8]:
    """(height, width, 3) BGR; raises PictureError for what is no whole JPEG within our limits."""
    check_jpeg(data)
    import cv2  # heavy: only who decodes pays for it

    picture = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise PictureError("The JPEG cannot be decoded.")
    return np.asarray(picture, dtype=np.uint8)
