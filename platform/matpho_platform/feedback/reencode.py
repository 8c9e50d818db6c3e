"""A process of its own that draws one photo anew: bytes in, JPEG out, nothing of the file but its pixels.

Run by path with `python -I`, so that it loads nothing of ours. It limits itself before it looks at the bytes: memory,
processor time, no file may be written. A picture that breaks the decoder ends this process and nothing else.
"""

from __future__ import annotations

import resource
import sys

MEMORY_BYTES = 1024**3
CPU_SECONDS = 10
MAX_BYTES = 20 * 1024 * 1024
MAX_PIXELS = 40_000_000
LONGEST_SIDE = 2560
QUALITY = 88


def limit() -> None:
    """Give up what a decoder does not need."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> int:
    """0 with the JPEG on stdout, 1 for what is no picture."""
    import cv2
    import numpy as np

    limit()
    cv2.setNumThreads(1)
    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    if not data or len(data) > MAX_BYTES:
        return 1
    picture = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR)
    if picture is None or picture.shape[0] * picture.shape[1] > MAX_PIXELS:
        return 1
    scale = LONGEST_SIDE / max(picture.shape[:2])
    if scale < 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    done, encoded = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
    if not done:
        return 1
    sys.stdout.buffer.write(encoded.tobytes())
    return 0


if __name__ == "__main__":
    sys.exit(main())
