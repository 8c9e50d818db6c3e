"""How far apart two spellings are: optimal string alignment distance with a limit."""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract


def within(left: str, right: str, limit: int) -> int | None:
    """The number of insertions, deletions, replacements and swaps of neighbours, or None when above `limit`.

    >>> within("colision", "collision", 1)
    1
    >>> within("va chma", "va cham", 1)
    1
    >>> within("fire", "fight", 1) is None
    True
    """
    distance = OSA.distance(left, right, score_cutoff=limit)
    return distance if distance <= limit else None


def nearest(typed: str, spellings: Sequence[str], limit: int) -> tuple[int, int] | None:
    """The distance and the place of the first of the nearest spellings that is not the typed one; None above `limit`.

    >>> nearest("colision", ["collisions", "collision"], 2)
    (1, 1)
    """
    found = extract(typed, spellings, scorer=OSA.distance, score_cutoff=limit, limit=None)
    return next(((int(distance), place) for _spelling, distance, place in found if distance), None)
