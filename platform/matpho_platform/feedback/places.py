"""From where somebody stands, or what they call it, to the area that answers for it."""

from __future__ import annotations

import math

from matpho_contracts.text import words as folded_words
from matpho_platform.cameras.areas import Area, AreaTree
from matpho_platform.feedback.schemas import Place

FARTHEST_M = 15_000.0
"""A commune's centre farther away than this is not the commune that somebody stands in."""
_METRES_PER_DEGREE = 111_195.0


def area_near(areas: AreaTree, place: Place) -> str | None:
    """The innermost area whose centre is nearest to the coordinates; None without coordinates or with none near."""
    if place.lat is None or place.lon is None:
        return None
    lat, lon = place.lat, place.lon
    parents = {area.parent for area in areas.all()}
    innermost = [area for area in areas.all() if area.code not in parents and area.center is not None]
    measured = sorted((_metres(area, lat, lon), area.code) for area in innermost)
    return measured[0][1] if measured and measured[0][0] <= FARTHEST_M else None


def _metres(area: Area, lat: float, lon: float) -> float:
    """Flat geometry is exact enough between communes."""
    if area.center is None:
        return math.inf
    north = (area.center.lat - lat) * _METRES_PER_DEGREE
    east = (area.center.lon - lon) * _METRES_PER_DEGREE * math.cos(math.radians(lat))
    return math.hypot(north, east)


def area_said(areas: AreaTree, words: str) -> str | None:
    """The one area that the words name in full (`phường Hà Đông`, `Hà Đông`); None for none, or for several.

    A name of one syllable counts only with its `phường` or `xã`: without marks, `láng` is a part of `lảng vảng`.
    """
    plain = f" {' '.join(folded_words(words))} "
    named = {area.code for area in areas.all() if any(f" {name} " in plain for name in _names(area))}
    inner = [code for code in named if not any(code in areas.lineage(other)[1:] for other in named)]
    return inner[0] if len(inner) == 1 else None


def _names(area: Area) -> list[str]:
    folded = (" ".join(folded_words(name)) for name in (area.name, *area.aliases))
    return [name for name in folded if " " in name]
