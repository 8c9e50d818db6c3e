"""How far apart two spellings are: optimal string alignment distance with a limit."""

from __future__ import annotations


def within(left: str, right: str, limit: int) -> int | None:
    """The number of insertions, deletions, replacements and swaps of neighbours, or None when above `limit`.

    Optimal string alignment (restricted Damerau-Levenshtein), stopped as soon as a row exceeds the limit.

    >>> within("colision", "collision", 1)
    1
    >>> within("va chma", "va cham", 1)
    1
    >>> within("fire", "fight", 1) is None
    True
    """
    if abs(len(left) - len(right)) > limit:
        return None
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        current = [i]
        for j, b in enumerate(right, 1):
            cost = min(row[j] + 1, current[j - 1] + 1, row[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            current.append(cost)
        if min(current) > limit:
            return None
        before, row = row, current
    return row[-1] if row[-1] <= limit else None
