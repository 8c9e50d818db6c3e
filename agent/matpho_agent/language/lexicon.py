"""The dictionary: phrases of the data files and what they mean, found in a text longest first, typos allowed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from matpho_agent.language.spelling import nearest, within
from matpho_agent.language.tokens import Token, agrees, agrees_alone, read_text
from matpho_contracts.errors import ConfigurationError

MIN_TYPO_CHARS = 6
"""Shorter phrases must be typed right: at one letter's distance too many other words lie."""
KEPT_COMPARED = 2000
SHORT_TYPO_CHARS = 8
"""Shorter phrases begin as they should: `racing` is a word of its own and no slip of `facing`."""
LONG_TYPO_CHARS = 12
"""From here on two slips are forgiven."""
_DIGIT = re.compile(r"\d")
SURE_WORDS, SURE_CHARS = 4, 14
"""From so many words and letters on a slip is one even where each word is right elsewhere: `khong nong bao hiem`."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """One way to say one thing. `strict` phrases need their marks: bare they mean something else too often."""

    words: tuple[Token, ...]
    category: str
    value: str
    strict: bool

    @property
    def joined(self) -> str:
        """The bare words with single spaces."""
        return " ".join(word.plain for word in self.words)


@dataclass(frozen=True, slots=True)
class Match:
    """A phrase found in a text: tokens `start` to `end` (exclusive)."""

    start: int
    end: int
    category: str
    value: str
    typo: bool = False

    @property
    def length(self) -> int:
        """How many words it covers."""
        return self.end - self.start


_Group = tuple[list[str], list[Phrase]]
"""Phrases that are told apart by their letters alone, beside how each is spelled."""


class Lexicon:
    """All phrases, ready to be found; immutable after building, safe to share."""

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        self._by_first: dict[str, list[Phrase]] = defaultdict(list)
        self._typo: dict[tuple[int, int, str], _Group] = defaultdict(lambda: ([], []))
        """By number of words, length, and first letter (`f`) or last letter (`l`): a slip leaves one of them whole."""
        self._vocabulary: set[str] = set()
        self._compared: dict[tuple[str, int], Phrase | None] = {}
        """Slips looked for lately: one sentence is read several times."""
        for phrase in phrases:
            self._by_first[phrase.words[0].plain].append(phrase)
            self._vocabulary.update(word.plain for word in phrase.words)
            if len(phrase.joined) >= MIN_TYPO_CHARS and not phrase.strict:
                joined = phrase.joined
                for key in (f"f{joined[0]}", f"l{joined[-1]}")[: 1 if len(joined) < SHORT_TYPO_CHARS else 2]:
                    spellings, alike = self._typo[len(phrase.words), len(joined), key]
                    spellings.append(joined)
                    alike.append(phrase)
        for group in self._by_first.values():
            group.sort(key=lambda phrase: -len(phrase.words))
        self._longest = max((len(phrase.words) for phrase in phrases), default=0)

    def knows(self, plain: str) -> bool:
        """Whether any phrase has this bare word."""
        return plain in self._vocabulary

    def matches(self, tokens: Sequence[Token], known: Callable[[str], bool] = lambda _word: False) -> list[Match]:
        """Every exact match, then every typo match of words that no exact match explains; overlaps are kept.

        Words that are `known` elsewhere are written right and no slip of anything here.
        """
        return [*self.exact(tokens), *self._slips(tokens, known)]

    def exact(self, tokens: Sequence[Token]) -> list[Match]:
        """Every match without a typo, longest first at each place; overlaps are kept."""
        return [match for start in range(len(tokens)) for match in self._exact(tokens, start)]

    def _exact(self, tokens: Sequence[Token], start: int) -> Iterator[Match]:
        for phrase in self._by_first.get(tokens[start].plain, ()):
            end = start + len(phrase.words)
            window = tokens[start:end]
            if len(window) == len(phrase.words) and _same(window, phrase):
                yield Match(start, end, phrase.category, phrase.value)

    def _slips(self, tokens: Sequence[Token], known: Callable[[str], bool]) -> Iterator[Match]:
        for start in range(len(tokens)):
            for size in range(1, min(self._longest, len(tokens) - start) + 1):
                window = tokens[start : start + size]
                joined = " ".join(token.plain for token in window)
                sure = size < SURE_WORDS or len(joined) < SURE_CHARS
                if sure and all(token.plain in self._vocabulary or known(token.plain) for token in window):
                    continue
                if len(joined) < MIN_TYPO_CHARS or _DIGIT.search(joined):
                    continue
                best = self._nearest(joined, size)
                if best is not None and _marks_alike(window, joined, best):
                    yield Match(start, start + size, best.category, best.value, typo=True)

    def _nearest(self, joined: str, size: int) -> Phrase | None:
        if (joined, size) in self._compared:
            return self._compared[joined, size]
        if len(self._compared) >= KEPT_COMPARED:
            self._compared.clear()
        limit = 2 if len(joined) >= LONG_TYPO_CHARS else 1
        best: tuple[int, Phrase] | None = None
        for spellings, phrases in self._alike(joined, size, limit):
            found = nearest(joined, spellings, limit)
            if found is not None and (best is None or found[0] < best[0]):
                best = (found[0], phrases[found[1]])
        return self._compared.setdefault((joined, size), best[1] if best else None)

    def _alike(self, joined: str, size: int, limit: int) -> Iterator[_Group]:
        """Phrases near enough in length that begin or end with the same letter."""
        for count in (size, size - 1, size + 1):
            for length in range(len(joined) - limit, len(joined) + limit + 1):
                for key in (f"f{joined[0]}", f"l{joined[-1]}"):
                    group = self._typo.get((count, length, key))
                    if group is not None:
                        yield group


def _marks_alike(window: Sequence[Token], joined: str, phrase: Phrase) -> bool:
    """Whether a slip is as near with its marks: `sảnh giùm` is none of `canh giùm`."""
    bare = sum(token.bare for token in window)
    if bare == len(window):
        return True
    limit = 2 if len(joined) >= LONG_TYPO_CHARS else 1
    typed, spelled = " ".join(t.marks for t in window), " ".join(word.marks for word in phrase.words)
    return within(typed, spelled, limit + bare) is not None


def _same(window: Sequence[Token], phrase: Phrase) -> bool:
    if phrase.strict:
        return all(token.marks == word.marks for token, word in zip(window, phrase.words, strict=True))
    same = agrees if len(window) > 1 else agrees_alone
    return all(same(token, word) for token, word in zip(window, phrase.words, strict=True))


def phrases_of(category: str, table: dict[str, Any]) -> Iterator[Phrase]:
    """The phrases of one data file: value -> list of ways to say it; a trailing `!` makes one strict."""
    for value, ways in table.items():
        for way in ways:
            if not isinstance(way, str):
                raise ConfigurationError(f"The dictionary has a value that is no text for {category}/{value}: {way!r}.")
            text = way
            words = read_text(text.rstrip("!")).tokens
            if not words:
                raise ConfigurationError(f"The dictionary has an empty phrase for {category}/{value}.")
            yield Phrase(words, category, str(value), text.endswith("!"))


CATEGORIES = (
    "event", "object", "colour", "severity", "intent", "group", "compare", "metric",
    "reference", "camera_reference", "ordinal", "negation", "follow", "talk", "status", "kind", "owner", "own",
    "forecast", "filler",
)  # fmt: skip


@cache
def shipped() -> Lexicon:
    """The dictionary that ships; raises ConfigurationError when a data file is broken."""
    return lexicon_of(*CATEGORIES)


@cache
def lexicon_of(*categories: str) -> Lexicon:
    """The phrases of some data files alone; raises ConfigurationError when one is broken."""
    folder = resources.files("matpho_agent.language") / "data"
    phrases: list[Phrase] = []
    for category in categories:
        text = (folder / f"{category}.yaml").read_text(encoding="utf-8")
        table = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 # makes texts of everything: `no` stays a word
        if not isinstance(table, dict):
            raise ConfigurationError(f"The dictionary file {category}.yaml is not a table.")
        phrases.extend(phrases_of(category, table))
    return Lexicon(phrases)
