"""Units and people by name in a text: `CAP Hải Châu`, `đội môi trường`, `Đại úy Hằng`; names come from the registry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from matpho_agent.language.lexicon import Match
from matpho_agent.language.tokens import Token, agrees, read_text
from matpho_tools.city import PersonName, UnitName

MAX_NAME_WORDS = 10
KEPT_INDEXES = 8
RANKS = tuple(
    tuple(token.plain for token in read_text(rank).tokens)
    for rank in (
        "thiếu úy", "trung úy", "thượng úy", "đại úy", "thiếu tá", "trung tá", "thượng tá", "đại tá", "thiếu tướng",
        "trung tướng", "hạ sĩ", "trung sĩ", "thượng sĩ", "binh nhất", "binh nhì", "kỹ sư", "bác sĩ", "phó chủ tịch",
        "chủ tịch", "giám đốc", "phó giám đốc", "trưởng phòng", "phó phòng", "tiến sĩ",
    )
)  # fmt: skip
"""What stands before a name in a register; said by people, or left out."""
TITLES = frozenset(
    {"anh", "chi", "ong", "ba", "co", "chu", "bac", "em", "sep", "lt", "lieutenant", "captain", "capt", "major", "maj"}
    | {"colonel", "col", "mr", "mrs", "ms", "officer", "by", "sergeant", "sgt", "cua", "cho", "engineer", "inspector"}
    | {"uy", "ta"}
)
"""Words after which a single given name is a name."""


@dataclass(frozen=True, slots=True)
class NameMatch:
    """Tokens `start` to `end` name one of `ids`."""

    start: int
    end: int
    ids: tuple[str, ...]


class NameIndex:
    """Whole names to ids, by their bare words."""

    def __init__(self, named: Sequence[tuple[str, str]]) -> None:
        self._names: dict[str, list[tuple[tuple[Token, ...], str]]] = defaultdict(list)
        for owner, name in named:
            words = read_text(name).tokens
            if words:
                self._names[" ".join(word.plain for word in words)].append((words, owner))
        self.owners = frozenset(owner for owner, _name in named)
        self._longest = min(MAX_NAME_WORDS, max((len(key.split()) for key in self._names), default=0))

    def find(self, tokens: Sequence[Token]) -> list[NameMatch]:
        """Every whole name, the longest at each place, none overlapping."""
        found: list[NameMatch] = []
        place = 0
        while place < len(tokens):
            match = self._at(tokens, place)
            if match:
                found.append(match)
            place = match.end if match else place + 1
        return found

    def _at(self, tokens: Sequence[Token], start: int) -> NameMatch | None:
        for size in range(min(self._longest, len(tokens) - start), 0, -1):
            window = tokens[start : start + size]
            entries = self._names.get(" ".join(token.plain for token in window), ())
            ids = tuple(
                dict.fromkeys(
                    owner
                    for words, owner in entries
                    if all(agrees(token, word) for token, word in zip(window, words, strict=True))
                )
            )
            if ids:
                return NameMatch(start, start + size, ids)
        return None


Named = TypeVar("Named")


class _Kept(Generic[Named]):
    """Indexes by the very sequence they were made from; a registry's names change rarely."""

    def __init__(self, build: Callable[[Sequence[Named]], NameIndex]) -> None:
        self._build = build
        self._kept: list[tuple[Sequence[Named], NameIndex]] = []

    def __call__(self, named: Sequence[Named]) -> NameIndex:
        for made_from, index in self._kept:
            if made_from is named:
                return index
        index = self._build(named)
        self._kept = [(named, index), *self._kept][:KEPT_INDEXES]
        return index


def _units(units: Sequence[UnitName]) -> NameIndex:
    return NameIndex([(unit.id, name) for unit in units for name in (unit.id, unit.name, *unit.aliases)])


def _people(people: Sequence[PersonName]) -> NameIndex:
    """By id, whole name, name without rank, rank with given name, and given names of two words."""
    ways: list[tuple[str, str]] = []
    for person in people:
        typed = [token.typed for token in read_text(person.name).tokens]
        rank = rank_length(read_text(person.name).tokens)
        said = {person.id, person.name, " ".join(typed[rank:])}
        if rank and len(typed) > rank:
            said.add(" ".join([*typed[:rank], typed[-1]]))
            said.add(" ".join([*typed[:rank], *typed[-2:]]))
        if len(typed) - rank >= 3:
            said.add(" ".join(typed[-2:]))
        ways.extend((person.id, way) for way in sorted(said))
    return NameIndex(ways)


unit_index = _Kept(_units)
person_index = _Kept(_people)


def rank_length(tokens: Sequence[Token]) -> int:
    """How many words of a name are its rank or title."""
    plain = tuple(token.plain for token in tokens)
    return max((len(rank) for rank in RANKS if plain[: len(rank)] == rank), default=0)


def find_units(tokens: Sequence[Token], units: Sequence[UnitName]) -> list[NameMatch]:
    """Units named in full, by an alias or their id."""
    return unit_index(units).find(tokens)


REACH = 4
"""Words beside the word for a unit's kind among which its own name is looked for."""
BETWEEN = frozenset(
    {"of", "in", "at", "from", "the", "phuong", "xa", "khu", "vuc", "ward", "commune", "o", "ben", "cua"}
)


def find_units_of_kind(tokens: Sequence[Token], kinds: Sequence[Match], units: Sequence[UnitName]) -> list[NameMatch]:
    """The unit told by its kind and a part of its name: `the Cát Linh fire crew`, `police at Cát Linh`."""
    for kind in kinds:
        alike = [unit for unit in units if unit.kind == kind.value]
        for start, end in _beside(tokens, kind):
            said = tokens[start:end]
            named = [unit.id for unit in alike if any(_holds(name, said) for name in (unit.name, *unit.aliases))]
            if len(named) == 1:
                return [NameMatch(min(start, kind.start), max(end, kind.end), (named[0],))]
    return []


def _beside(tokens: Sequence[Token], kind: Match) -> Iterator[tuple[int, int]]:
    """The stretches before and behind a word for a kind that may be a name, the longest first."""
    begin = kind.end
    while begin < len(tokens) and tokens[begin].plain in BETWEEN:
        begin += 1
    for size in range(REACH, 0, -1):
        if kind.start - size >= 0 and tokens[kind.start - size].plain not in BETWEEN:
            yield kind.start - size, kind.start
        if begin + size <= len(tokens):
            yield begin, begin + size


def _holds(name: str, said: Sequence[Token]) -> bool:
    words = read_text(name).tokens
    return any(all(map(agrees, said, words[start : start + len(said)])) for start in range(len(words) - len(said) + 1))


def find_people(tokens: Sequence[Token], people: Sequence[PersonName]) -> list[NameMatch]:
    """People named in full, without rank, by rank and given name, or by a given name behind a title."""
    found = person_index(people).find(tokens)
    if found or not people:
        return found
    given: dict[str, list[tuple[Token, str]]] = defaultdict(list)
    for person in people:
        last = read_text(person.name).tokens[-1:]
        for token in last:
            given[token.plain].append((token, person.id))
    for place, token in enumerate(tokens):
        following = tokens[place + 1].plain if place + 1 < len(tokens) else ""
        if token.plain in TITLES and following in given:  # `anh Vinh` where somebody else is called Anh
            continue
        ids = tuple(owner for word, owner in given.get(token.plain, ()) if agrees(token, word))
        if ids and place > 0 and tokens[place - 1].plain in TITLES:
            return [NameMatch(place, place + 1, ids)]
    return []
