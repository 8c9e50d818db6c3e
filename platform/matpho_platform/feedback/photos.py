"""Photos from strangers: judged by their header, then drawn anew in a process that may die of them.

What is kept is a new JPEG of the pixels: no EXIF, no XMP, no place of taking, nothing hidden behind the picture.
"""

from __future__ import annotations

import asyncio
import struct
import sys
from contextlib import suppress
from pathlib import Path

from matpho_platform.feedback.errors import PhotoError
from matpho_platform.feedback.reencode import CPU_SECONDS, MAX_BYTES, MAX_PIXELS
from matpho_platform.media.errors import PictureError
from matpho_platform.media.pictures import jpeg_size

_PNG = b"\x89PNG\r\n\x1a\n"
_WAIT_S = CPU_SECONDS + 10.0
_AT_ONCE = 2
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENCV_IO_MAX_IMAGE_PIXELS": str(MAX_PIXELS)}
_PROGRAM = Path(__file__).with_name("reencode.py")


def check_header(data: bytes) -> tuple[int, int]:
    """Width and height that a JPEG's or PNG's header states; raises PhotoError for anything else or too large."""
    if not 0 < len(data) <= MAX_BYTES:
        raise PhotoError(f"A photo has at most {MAX_BYTES // 1024**2} MB.")
    try:
        width, height = _png_size(data) if data.startswith(_PNG) else jpeg_size(data)
    except PictureError as error:
        raise PhotoError("A photo must be a JPEG or a PNG.") from error
    if not 0 < width * height <= MAX_PIXELS:
        raise PhotoError(f"A photo of {width} x {height} is too large.")
    return width, height


def _png_size(data: bytes) -> tuple[int, int]:
    """PNG (ISO/IEC 15948) has its IHDR first, always."""
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise PhotoError("The PNG has no header.")
    width, height = struct.unpack_from(">II", data, 16)
    return int(width), int(height)


class PhotoCleaner:
    """Draws photos anew, a few at once."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def clean(self, data: bytes) -> bytes:
        """A new JPEG of the photo's pixels, at most 2560 on the longer side; raises PhotoError."""
        check_header(data)
        async with self._places:
            code, jpeg = await _redrawn(data)
        if code != 0 or not jpeg.startswith(b"\xff\xd8\xff"):
            raise PhotoError("The photo cannot be read.")
        return jpeg


async def _redrawn(data: bytes) -> tuple[int | None, bytes]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(_PROGRAM),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=_ENVIRONMENT,
    )
    try:
        async with asyncio.timeout(_WAIT_S):
            jpeg, _ = await process.communicate(data)
    except TimeoutError as error:
        raise PhotoError("The photo takes too long to read.") from error
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return process.returncode, jpeg
