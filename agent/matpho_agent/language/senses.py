"""Meanings told by words that stand near one another: `xe nào đậu … trên vỉa hè`, `phường nào … nhiều nhất`.

A pattern is slots in order with a few free words between; a slot is a set of words. What no list of phrases can hold,
because people put anything between the telling words, these hold.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import yaml

from matpho_agent.language.tokens import Token, agrees, agrees_alone, read_text
from matpho_contracts.errors import ConfigurationError

GAP = 4
"""Words that may stand between two slots where a pattern does not say otherwise."""
Words = tuple[tuple[Token, ...], bool]
"""One way to fill a slot, and whether it needs its marks."""


@dataclass(frozen=True, slots=True)
class Sense:
    """`value` of `category` where the slots occur in this order; `spans` are the words that fill them."""

    category: str
    value: str
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class _Slot:
    ways: dict[str, tuple[Words, ...]]
    """By their first bare word."""
    gap: int
    """Free words allowed before it."""


@dataclass(frozen=True, slots=True)
class _Pattern:
    category: str
    value: str
    slots: tuple[_Slot, ...]


@cache
def _patterns() -> dict[str, tuple[_Pattern, ...]]:
    """Every pattern by the first bare word of each way to fill its first slot."""
    text = (resources.files("matpho_agent.language") / "data" / "senses.yaml").read_text(encoding="utf-8")
    table = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 # makes texts of everything: `no` stays a word
    sets = {name: str(words) for name, words in table.pop("words").items()}
    found: dict[str, list[_Pattern]] = defaultdict(list)
    for category, values in table.items():
        for value, written in values.items():
            for line in written:
                pattern = _Pattern(category, value, tuple(_slots(line, sets)))
                for first in pattern.slots[0].ways:
                    found[first].append(pattern)
    return {first: tuple(patterns) for first, patterns in found.items()}


@cache
def telling() -> frozenset[str]:
    """Every bare word of the patterns: such words are written right."""
    return frozenset(
        token.plain
        for patterns in _patterns().values()
        for pattern in patterns
        for slot in pattern.slots
        for ways in slot.ways.values()
        for words, _strict in ways
        for token in words
    )


def _slots(line: str, sets: dict[str, str]) -> Iterator[_Slot]:
    """The slots of `đậu|đỗ .. {kerb} ..2 sai|bậy`: `..` is a gap, `..2` one of at most two words, `{name}` a set."""
    gap = 0
    for part in line.replace("{", " {").split(" .."):
        written = part.strip()
        digit = written[:1] if written[:1].isdigit() and written[1:2] == " " else ""
        written = written[len(digit) :].strip()
        gap = 0 if not gap else int(digit) if digit else GAP
        ways = []
        for way in written.split("|"):
            name = way.strip()
            if name.startswith("{"):
                if name.strip("{}") not in sets:
                    raise ConfigurationError(f"The dictionary of senses has no words for {name}.")
                ways += [words.strip() for words in sets[name.strip("{}")].split("|")]
            else:
                ways.append(name)
        filled = tuple((read_text(way.rstrip("!")).tokens, way.endswith("!")) for way in ways)
        if not all(words for words, _strict in filled):
            raise ConfigurationError(f"The dictionary of senses has an empty slot in: {line}")
        firsts = dict.fromkeys(words[0].plain for words, _strict in filled)
        yield _Slot({first: tuple(way for way in filled if way[0][0].plain == first) for first in firsts}, gap)
        gap = GAP


def senses(tokens: Sequence[Token]) -> list[Sense]:
    """Every sense found, in the order of the text; one of each category and value."""
    found: dict[tuple[str, str], Sense] = {}
    known, said = _patterns(), {token.plain for token in tokens}
    for start, token in enumerate(tokens):
        for pattern in known.get(token.plain, ()):
            if (pattern.category, pattern.value) in found:
                continue
            if any(said.isdisjoint(slot.ways) for slot in pattern.slots[1:]):
                continue
            spans = _fill(tokens, start, pattern.slots)
            if spans:
                found[pattern.category, pattern.value] = Sense(pattern.category, pattern.value, spans)
    return list(found.values())


def _fill(tokens: Sequence[Token], start: int, slots: Sequence[_Slot]) -> tuple[tuple[int, int], ...]:
    """The words that fill the slots from `start` on, each as early as may be; empty where one stays unfilled."""
    for begin in range(start, min(start + slots[0].gap, len(tokens) - 1) + 1):
        for end in _ends(tokens, begin, slots[0]):
            if len(slots) == 1:
                return ((begin, end),)
            rest = _fill(tokens, end, slots[1:]) if end < len(tokens) else ()
            if rest:
                return ((begin, end), *rest)
    return ()


def _ends(tokens: Sequence[Token], start: int, slot: _Slot) -> Iterator[int]:
    for words, strict in slot.ways.get(tokens[start].plain, ()):
        window = tokens[start : start + len(words)]
        same = agrees if len(words) > 1 else agrees_alone
        if len(window) == len(words) and all(
            token.marks == word.marks if strict else same(token, word)
            for token, word in zip(window, words, strict=True)
        ):
            yield start + len(words)
