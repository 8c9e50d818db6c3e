"""What is remembered of each track's looks: colour votes over time, and the best view of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from matpho_contracts.geometry import Box
from matpho_contracts.vocabulary import Colour, ObjectClass
from matpho_edge.colours import Look, colour_votes, plausible
from matpho_edge.colours_light import SceneLight
from matpho_edge.compose_still import CROP_MARGIN, crop, shrink
from matpho_edge.track import Track

MAX_CROP_SIDE = 256
MAX_COLOUR_LOOKS = 8
"""Looks whose colours are counted, the largest ones; more change nothing."""
CLEARLY_LARGER = 1.3
BETTER_CROP = 1.15
BORDER = 0.004
"""A box nearer than this to the picture's border is taken to be cut off."""
CUT_WORTH = 0.3
"""What a look is worth, against a whole one of its size, when the picture's border cuts it."""
_COLOURLESS = frozenset({ObjectClass.FIRE, ObjectClass.SMOKE, ObjectClass.RUBBISH})


@dataclass(slots=True)
class _View:
    looks: list[tuple[float, dict[Colour, float]]] = field(default_factory=list)
    """The looks whose colours count: what each is worth, and how likely it makes each colour."""
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
        telling: list[Track] = []
        for track in shown:
            view = self._views.setdefault(track.id, _View())
            _improve(view, track, picture)
            if track.label not in _COLOURLESS and _tells_more(view, _worth(track.shape)):
                telling.append(track)
        if telling:
            self._count(telling, picture, SceneLight(picture, luma))

    def _count(self, tracks: Sequence[Track], picture: NDArray[np.uint8], light: SceneLight) -> None:
        """Take in what this look says of the tracks' colours."""
        crops = [(track, crop(picture, track.shape)) for track in tracks]
        whole = [(track, part) for track, part in crops if part is not None]
        votes = colour_votes([Look(part, track.label, light.around(track.shape)) for track, part in whole])
        for (track, _), chances in zip(whole, votes, strict=True):
            looks = self._views[track.id].looks
            if not chances:
                continue
            if len(looks) == MAX_COLOUR_LOOKS:
                looks.remove(min(looks, key=lambda look: look[0]))
            looks.append((_worth(track.shape), chances))

    def colours(self, track: Track) -> dict[Colour, float]:
        """What the looks so far say its colour is, likeliest first, with shares; empty for what has none."""
        view = self._views.get(track.id)
        if view is None or track.label in _COLOURLESS:
            return {}
        votes: dict[Colour, float] = {}
        for worth, look in view.looks:
            for colour, chance in look.items():
                votes[colour] = votes.get(colour, 0.0) + worth * chance
        return plausible(votes)

    def best_crop(self, track: Track) -> NDArray[np.uint8] | None:
        """The best look at the track, at most MAX_CROP_SIDE pixels long; None when it was never large enough."""
        view = self._views.get(track.id)
        return None if view is None else view.crop


def _worth(box: Box) -> float:
    """How much a look says: the share of the picture it covers, less where the border cuts it."""
    cut = box.x1 <= BORDER or box.y1 <= BORDER or box.x2 >= 1 - BORDER or box.y2 >= 1 - BORDER
    return box.area * (CUT_WORTH if cut else 1.0)


def _tells_more(view: _View, worth: float) -> bool:
    return len(view.looks) < MAX_COLOUR_LOOKS or worth > CLEARLY_LARGER * min(known for known, _ in view.looks)


def _improve(view: _View, track: Track, picture: NDArray[np.uint8]) -> None:
    worth = _worth(track.shape)
    if worth <= view.worth * BETTER_CROP:
        return
    part = crop(picture, track.shape, CROP_MARGIN)
    if part is not None:
        view.worth, view.crop = worth, shrink(part, MAX_CROP_SIDE).copy()
