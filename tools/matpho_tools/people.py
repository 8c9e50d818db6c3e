"""Accounts by what people call their holders: an id, a name, a rank with a given name, oneself."""

from __future__ import annotations

from collections.abc import Sequence

from matpho_contracts.text import words
from matpho_platform.access.principal import Principal

ONESELF = frozenset({"me", "self", "myself", "mine", "i", "toi", "chinh toi", "ban than", "minh", "em", "cua toi"})
_ENGLISH_RANKS = frozenset(
    {"lt", "lieutenant", "capt", "captain", "maj", "major", "col", "colonel", "sgt", "sergeant", "gen", "general"}
)
_TITLES = _ENGLISH_RANKS | frozenset({"mr", "mrs", "ms", "dr", "officer", "ong", "ba", "anh", "chi", "dong", "d", "c"})


def is_oneself(said: str) -> bool:
    """Whether somebody speaks of themselves."""
    return " ".join(words(said)) in ONESELF


def matching(said: str, everybody: Sequence[Principal]) -> Sequence[str]:
    """The accounts that a person may mean: the one of that id or full name, else all whose name has every word.

    Titles of courtesy and English ranks do not count; Vietnamese ranks are part of the names as accounts have them.
    """
    if any(person.user_id == said for person in everybody):
        return (said,)
    plain = words(said)
    same = tuple(person.user_id for person in everybody if words(person.name) == plain)
    if same:
        return same
    wanted = {word for word in plain if word not in _TITLES}
    if not wanted:
        return ()
    return tuple(person.user_id for person in everybody if wanted <= set(words(person.name)))
