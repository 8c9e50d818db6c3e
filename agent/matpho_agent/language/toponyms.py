"""Kinds of places by the words for them: `chợ` and `market` are one kind; a name is more than its kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from importlib import resources

import yaml

from matpho_agent.language.lexicon import lexicon_of
from matpho_agent.language.tokens import Token, agrees, read_text

NO_KINDS = frozenset({"phuong", "xa", "quan", "duong", "nga tu", "cong", "khu do thi", "ngo", "doc"})
"""Kinds of which every city has so many that their bare name says nothing."""
GATES = frozenset({"cong"})
"""Words behind which a kind of place needs no marks: `cong truong`."""


@cache
def _ways() -> tuple[tuple[tuple[Token, ...], str], ...]:
    """Every way to say a kind of place, with the kind, longest first."""
    table = yaml.safe_load((resources.files("matpho_agent.language") / "data" / "toponym.yaml").read_text("utf-8"))
    ways = [(read_text(way).tokens, str(name)) for name, said in table.items() for way in said]
    return tuple(sorted(ways, key=lambda way: -len(way[0])))


@cache
def _by_words() -> dict[tuple[str, ...], list[tuple[tuple[Token, ...], str]]]:
    """The ways by their bare words."""
    found: dict[tuple[str, ...], list[tuple[tuple[Token, ...], str]]] = defaultdict(list)
    for words, name in _ways():
        found[tuple(word.plain for word in words)].append((words, name))
    return found


@cache
def _by_first() -> dict[str, tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]]:
    """(bare words, canonical words) by the first bare word, longest first."""
    found: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]] = defaultdict(list)
    for words, name in _ways():
        found[words[0].plain].append((tuple(word.plain for word in words), tuple(name.split())))
    return {first: tuple(pairs) for first, pairs in found.items()}


def kinds() -> tuple[str, ...]:
    """Every kind whose bare name may stand for a place."""
    return tuple(dict.fromkeys(name for _words, name in _ways() if name not in NO_KINDS))


LONGEST = 4
"""Words of the longest way to say a kind."""


def telling(words: Sequence[Token]) -> list[Token]:
    """The words less those that only say what kind of place it is: `chợ` does, `chở` and `Quang` alone do not."""
    covered: set[int] = set()
    for size in range(min(LONGEST, len(words)), 0, -1):
        for start in range(len(words) - size + 1):
            window = words[start : start + size]
            if covered.isdisjoint(range(start, start + size)) and _kind_said(window):
                covered.update(range(start, start + size))
    return [word for number, word in enumerate(words) if number not in covered]


SIDES = frozenset({"ven", "bo"})
"""First words of kinds that are a side of another: `ven hồ` is at a `hồ`, while a `quảng trường` is no `trường`."""


def kinds_in(words: Sequence[Token]) -> list[str]:
    """The kinds of place that a name says, the longer first; what is inside another kind is none: `quảng trường`."""
    found: list[str] = []
    covered: set[int] = set()
    for size in range(min(LONGEST, len(words)), 0, -1):
        for start in range(len(words) - size + 1):
            name = _kind_said(words[start : start + size]) if covered.isdisjoint(range(start, start + size)) else ""
            if name and name.split()[0] not in SIDES:
                covered.update(range(start, start + size))
            if name:
                found.append(name)
    return found


def _kind_said(window: Sequence[Token]) -> str:
    ways = _by_words().get(tuple(token.plain for token in window), ())
    return next((name for words, name in ways if all(map(agrees, window, words))), "")


def compounds(tokens: Sequence[Token]) -> frozenset[int]:
    """The words that belong to others that only hold a kind of place: `hồ sơ`, `hiện trường`."""
    found = lexicon_of("compound").exact(tokens)
    return frozenset(number for match in found for number in range(match.start, match.end))


def kind_of(window: Sequence[Token], *, gate: bool = False) -> str:
    """The kind of place that the words are, and nothing more; a single word must have its marks, if it has any.

    Behind a `gate` it may lack them.
    """
    for words, name in _by_words().get(tuple(token.plain for token in window), ()):
        marked = len(words) > 1 or not window[0].bare or words[0].bare or gate
        if name not in NO_KINDS and marked and all(map(agrees, window, words)):
            return name
    return ""


def canonical(words: Sequence[str]) -> tuple[str, ...]:
    """The words with each kind of place in one spelling: `railway station` becomes `ga`."""
    result: list[str] = []
    position = 0
    while position < len(words):
        for said, name in _by_first().get(words[position], ()):
            if tuple(words[position : position + len(said)]) == said:
                result.extend(name)
                position += len(said)
                break
        else:
            result.append(words[position])
            position += 1
    return tuple(result)
