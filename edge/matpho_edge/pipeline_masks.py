"""Masked zones: blacked out before anything is analysed or stored."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from matpho_edge.rules import Zone, ZoneKind


class Masks:
    """The masked zones of one camera."""

    def __init__(self, zones: Sequence[Zone]) -> None:
        self._polygons = [np.array(zone.polygon, np.float64) for zone in zones if zone.kind is ZoneKind.MASKED]

    def __bool__(self) -> bool:
        return bool(self._polygons)

    def apply(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The picture, (height, width[, 3]), with the zones black; the picture itself is not changed.

        Without masked zones it is handed back as it is.
        """
        if not self._polygons:
            return picture
        masked = picture.copy()
        size = np.array([picture.shape[1], picture.shape[0]], np.float64)
        for polygon in self._polygons:
            cv2.fillPoly(masked, [np.rint(polygon * size).astype(np.int32)], (0, 0, 0))
        return masked
