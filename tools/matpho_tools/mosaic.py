"""Pictures for roles that may see a scene but nobody in it: so coarse that neither face nor plate can be read."""

from __future__ import annotations

import cv2
import numpy as np

from matpho_contracts.errors import IntegrityError

MOSAIC_WIDTH = 96
"""Pixels across: a face over a tenth of the picture's width keeps under ten pixels, a plate under five."""
SHOWN_WIDTH = 640
JPEG_QUALITY = 80


def mosaic(jpeg: bytes) -> bytes:
    """The whole JPEG as a mosaic. Raises IntegrityError when the bytes are no picture."""
    try:
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise IntegrityError("The stored picture cannot be decoded.") from error
    if image is None:
        raise IntegrityError("The stored picture cannot be decoded.")
    height = max(1, round(MOSAIC_WIDTH * image.shape[0] / image.shape[1]))
    coarse = cv2.resize(image, (MOSAIC_WIDTH, height), interpolation=cv2.INTER_AREA)
    shown = cv2.resize(
        coarse, (SHOWN_WIDTH, round(SHOWN_WIDTH * height / MOSAIC_WIDTH)), interpolation=cv2.INTER_NEAREST
    )
    done, encoded = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise IntegrityError("The redacted picture cannot be encoded.")
    return encoded.tobytes()
