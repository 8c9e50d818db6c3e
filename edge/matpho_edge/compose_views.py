"""What is remembered of each track's looks: colour votes over time, and the best view of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from matpho_contracts.vocabulary import Colour, ObjectClass
from matpho_edge.colours import choose, colour_votes
from matpho_edge.colours_light import SceneLight
from matpho_edge.compose_still import CROP_MARGIN, crop, shrink
from matpho_edge.track import Track

MAX_CROP_SIDE = 256
MAX_COLOUR_LOOKS = 8
"""Looks whose colours are counted; more change nothing."""
_COLOURLESS = frozenset({ObjectClass.FIRE, ObjectClass.SMOKE, ObjectClass.RUBBISH})


@dataclass(slots=True)
class _View:
    colours: dict[Colour, float] = field(default_factory=dict)
    looks: int = 0
    worth: float = 0.0
    crop: NDArray[np.uint8] | None = None


class Views:
    """Per track: its colour so far and the crop of its best look. Not thread-safe."""

    def __init__(self) -> None:
        self._views: dict[int, _View] = {}

    def look(self, tracks: Sequence[Track], picture: NDArray[np.uint8], luma: NDArray[np.uint8]) -> None:
        """Take in one look: `picture` (height, width, 3) BGR and its brightness plane."""
        gone = {track.id for track in tracks if track.ended}
        self._views = {key: view for key, view in self._views.items() if key not in gone}
        shown = [track for track in tracks if not track.ended and track.missed == 0]
        light: SceneLight | None = None
        for track in shown:
            view = self._views.setdefault(track.id, _View())
            self._improve(view, track, picture)
            if view.looks < MAX_COLOUR_LOOKS and track.label not in _COLOURLESS:
                light = light or SceneLight(picture, luma)
                self._count(view, track, picture, light)

    def colour(self, track: Track) -> Colour | None:
        """The colour that the looks so far speak for; None for what has none."""
        view = self._views.get(track.id)
        return None if view is None or track.label in _COLOURLESS else choose(view.colours)

    def best_crop(self, track: Track) -> NDArray[np.uint8] | None:
        """The best look at the track, at most MAX_CROP_SIDE pixels long; None when it was never large enough."""
        view = self._views.get(track.id)
        return None if view is None else view.crop

    def _improve(self, view: _View, track: Track, picture: NDArray[np.uint8]) -> None:
        box = track.shape
        cut = box.x1 <= 0.004 or box.y1 <= 0.004 or box.x2 >= 0.996 or box.y2 >= 0.996
        worth = box.area * (0.3 if cut else 1.0)
        if worth <= view.worth * 1.15:
            return
        part = crop(picture, box, CROP_MARGIN)
        if part is not None:
            view.worth, view.crop = worth, shrink(part, MAX_CROP_SIDE).copy()

    def _count(self, view: _View, track: Track, picture: NDArray[np.uint8], light: SceneLight) -> None:
        part = crop(picture, track.shape)
        if part is None:
            return
        view.looks += 1
        for colour, share in colour_votes(part, track.label, light.around(track.shape)).items():
            view.colours[colour] = view.colours.get(colour, 0.0) + share
