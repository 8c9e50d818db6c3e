"""Place names in a text: areas and cameras of the registry, by name, alias or a part of it, with or without marks.

The names come from the registry at run time; nothing here knows any place.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from matpho_agent.language.spelling import within
from matpho_agent.language.tokens import Token, agrees, read_text
from matpho_agent.language.toponyms import GATES, canonical, compounds, kind_of, kinds, kinds_in, telling

MAX_WORDS = 9
"""The longest place name looked for."""
MAX_ENTRIES = 400
"""Spellings looked at for a part of a name or a slip in one; what fits more is no name."""
MAX_CANDIDATES = 24
"""A part of a name that fits more cameras than this names none of them."""
MAX_OF_KIND = 8
"""A kind of place (`bưu điện`, `the market`) that more cameras stand at than this names none of them."""
_PARTS = re.compile(r" [-–] |[()/,;]")
Kind = Literal["area", "camera"]


@dataclass(frozen=True, slots=True)
class Place:
    """One area or camera of the registry, as far as names go; `location` is (latitude, longitude) in WGS 84 degrees."""

    kind: Kind
    id: str
    name: str
    aliases: tuple[str, ...] = ()
    area: str = ""
    """The camera's area; an area's own parent."""
    location: tuple[float, float] | None = None
    camera_kind: str = ""
    presets: tuple[str, ...] = ()
    """Names of the positions that a PTZ camera knows."""


@dataclass(frozen=True, slots=True)
class PlaceMatch:
    """Tokens `start` to `end` name one of `places`; more than one means that the name is not enough."""

    start: int
    end: int
    places: tuple[Place, ...]
    whole: bool
    """Whether it is a whole name or alias, rather than a part of one."""
    guess: bool = False
    """Whether a letter had to be changed."""


@dataclass(frozen=True, slots=True)
class _Entry:
    words: tuple[Token, ...]
    place: Place
    main: bool


class PlaceIndex:
    """Names to places; built once for each state of the registry."""

    def __init__(self, places: Iterable[Place]) -> None:
        self.places = tuple(places)
        self.by_id = {(place.kind, place.id): place for place in self.places}
        self._whole: dict[str, list[_Entry]] = defaultdict(list)
        self._posting: dict[str, set[int]] = defaultdict(set)
        self._sized: dict[tuple[int, str], set[int]] = defaultdict(set)
        self._entries: list[_Entry] = []
        self._canonical: dict[frozenset[str], list[Place]] = defaultdict(list)
        self._spaceless: dict[str, list[_Entry]] = defaultdict(list)
        self._of_kind: dict[str, list[Place]] = {name: [] for name in kinds()}
        for place in self.places:
            for position, name in enumerate((place.id, place.name, *place.aliases)):
                self._add(place, name, main=position == 1)

    def _add(self, place: Place, name: str, *, main: bool) -> None:
        pieces = [name, *(_PARTS.split(name) if main and place.kind == "camera" else ())]
        for piece in dict.fromkeys(piece.strip() for piece in pieces if piece.strip()):
            words = read_text(piece).tokens
            if not words or (piece != name and len(words) == 1 and not telling(words)):
                continue
            entry = _Entry(words, place, main)
            self._whole[_key(words)].append(entry)
            self._spaceless["".join(word.plain for word in words)].append(entry)
            spelled = canonical([word.plain for word in words])
            self._canonical[frozenset(spelled)].append(place)
            if place.kind == "camera":
                self._add_kinds(place, words)
            for word in words:
                self._posting[word.plain].add(len(self._entries))
                self._sized[len(words), word.plain].add(len(self._entries))
            self._entries.append(entry)

    def _add_kinds(self, place: Place, words: Sequence[Token]) -> None:
        for kind in kinds_in(words):
            stood = self._of_kind.get(kind)
            if stood is not None and len(stood) <= MAX_OF_KIND and (not stood or stood[-1] is not place):
                stood.append(place)

    def area(self, code: str) -> Place | None:
        """The area of a code."""
        return self.by_id.get(("area", code))

    def camera(self, camera_id: str) -> Place | None:
        """The camera of an id."""
        return self.by_id.get(("camera", camera_id))

    def lineage(self, code: str) -> tuple[str, ...]:
        """The area and all above it, innermost first."""
        chain = [code]
        place = self.area(code)
        while place is not None and place.area and place.area not in chain:
            chain.append(place.area)
            place = self.area(place.area)
        return tuple(chain)

    def find(self, tokens: Sequence[Token]) -> list[PlaceMatch]:
        """Every name in the tokens, longest first at each place, overlaps kept for the reader to weigh."""
        found: list[PlaceMatch] = []
        tokens = [_less_possessive(token) for token in tokens]
        no_kind = compounds(tokens)
        for start in range(len(tokens)):
            for size in range(min(MAX_WORDS, len(tokens) - start), 0, -1):
                window = tokens[start : start + size]
                places = self._whole_name(window) or self._translated(window)
                whole = bool(places)
                places = places or self._part(window)
                if not places and no_kind.isdisjoint(range(start, start + size)):
                    places = self._kind(window, gate=start > 0 and tokens[start - 1].plain in GATES)
                guessed = () if places else self._slip(window)
                if places or guessed:
                    found.append(PlaceMatch(start, start + size, places or guessed, whole, bool(guessed)))
        return found

    def along(self, window: Sequence[Token]) -> tuple[Place, ...]:
        """The cameras in whose names the words stand: `khúc Cửa Nam` is a stretch of road, no ward."""
        return self._part(window)

    def named(self, tokens: Sequence[Token]) -> frozenset[int]:
        """Offsets at which words of whole names of two words or more begin; quick, for nothing is guessed."""
        found: set[int] = set()
        for start in range(len(tokens)):
            for size in range(min(MAX_WORDS, len(tokens) - start), 1, -1):
                if self._whole_name(tokens[start : start + size]):
                    found.update(token.start for token in tokens[start : start + size])
                    break
        return frozenset(found)

    def _all_but_one(self, words: Sequence[str]) -> set[int]:
        """Names of as many words that hold all of these but one."""
        postings = [self._sized.get((len(words), word), set()) for word in words]
        near: set[int] = set()
        for left_out in range(len(words)):
            near |= set.intersection(*(known for number, known in enumerate(postings) if number != left_out))
        return near

    def resolve(self, text: str) -> tuple[Place, ...]:
        """The places that a whole text names: an id, a name, an alias, or a part of one."""
        tokens = read_text(text).tokens
        if not tokens:
            return ()
        return self._whole_name(tokens) or self._translated(tokens) or self._part(tokens) or self._slip(tokens)

    def _whole_name(self, window: Sequence[Token]) -> tuple[Place, ...]:
        entries = self._whole.get(_key(window), ())
        return _places(entry for entry in entries if _same(window, entry.words))

    def _translated(self, window: Sequence[Token]) -> tuple[Place, ...]:
        """English kinds of place: `the Kim Liên tunnel`, `Hanoi railway station`."""
        if not telling(window):
            return ()
        words = canonical([token.plain for token in window])
        flat = tuple(part for word in words for part in self._unglued(word))
        if len(flat) < 2 or flat == tuple(token.plain for token in window):
            return ()
        return tuple(dict.fromkeys(self._canonical.get(frozenset(flat), ())))

    def _unglued(self, word: str) -> tuple[str, ...]:
        """`hanoi` as `ha noi` where a name is so written."""
        for entry in self._spaceless.get(word, ()):
            if len(entry.words) > 1:
                return tuple(token.plain for token in entry.words)
        return (word,)

    def _part(self, window: Sequence[Token]) -> tuple[Place, ...]:
        """Neighbouring words inside a camera's name; words that only say the kind of place are not enough."""
        if len(window) < 2 or not telling(window):
            return ()
        postings = [self._posting.get(token.plain, set()) for token in window]
        if not all(postings):
            return ()
        numbers = set.intersection(*sorted(postings, key=len))
        if len(numbers) > MAX_ENTRIES:
            return ()
        places = _places(
            self._entries[number]
            for number in sorted(numbers)
            if self._entries[number].place.kind == "camera" and _contains(self._entries[number].words, window)
        )
        return places if len(places) <= MAX_CANDIDATES else ()

    def _kind(self, window: Sequence[Token], *, gate: bool = False) -> tuple[Place, ...]:
        """The cameras at the only few places of a kind: `ở bưu điện`, `near the railway station`."""
        name = kind_of(window, gate=gate)
        places = self._of_kind.get(name, ()) if name else ()
        return tuple(dict.fromkeys(places)) if len(places) <= MAX_OF_KIND else ()

    def _slip(self, window: Sequence[Token]) -> tuple[Place, ...]:
        """One wrong, missing or swapped letter in a name of two words or more."""
        if len(window) < 2:
            return ()
        joined = " ".join(token.plain for token in window)
        if len(joined) < 8 or any(token.plain.isdigit() for token in window):
            return ()
        near = self._all_but_one([token.plain for token in window])
        if len(near) > MAX_ENTRIES:
            return ()
        return _places(
            entry
            for entry in (self._entries[number] for number in sorted(near))
            if len(entry.words) == len(window)
            and sum(agrees(token, word) for token, word in zip(window, entry.words, strict=True)) == len(window) - 1
            and within(joined, " ".join(word.plain for word in entry.words), 1) == 1
        )


def _less_possessive(token: Token) -> Token:
    """`Kiem's` as `Kiem`; its place in the text stays."""
    if not token.plain.endswith("'s") or len(token.plain) < len("ab's"):
        return token
    return Token(token.typed[:-2], token.marks[:-2], token.plain[:-2], token.start, token.end)


def _key(words: Sequence[Token]) -> str:
    return " ".join(word.plain for word in words)


def _same(window: Sequence[Token], words: Sequence[Token]) -> bool:
    return all(agrees(token, word) for token, word in zip(window, words, strict=True))


def _contains(words: Sequence[Token], window: Sequence[Token]) -> bool:
    size = len(window)
    return any(_same(window, words[start : start + size]) for start in range(len(words) - size + 1))


def _places(entries: Iterable[_Entry]) -> tuple[Place, ...]:
    return tuple(dict.fromkeys(entry.place for entry in entries))
