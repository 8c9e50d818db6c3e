"""Meanings told by words that stand near one another: `xe nào đậu … trên vỉa hè`, `phường nào … nhiều nhất`.

A pattern is slots in order with a few free words between; a slot is a set of words. What no list of phrases can hold,
because people put anything between the telling words, these hold.
"""

from __future__ import annotations

import re
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


Ways = dict[str, tuple[Words, ...]]
"""Ways to fill a slot by their first bare word."""


@dataclass(frozen=True, slots=True)
class _Slot:
    ways: Ways
    gap: int
    """Words allowed before it."""
    through: Ways | None = None
    """The only words that may stand there, where not any may."""
    unless: Ways | None = None
    """Words that must not stand right behind it."""


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


_GAP_SAID = re.compile(r" +\.\.(?P<gap>\d*)(?:=\{(?P<through>\w+)\})? *")


def _slots(line: str, sets: dict[str, str]) -> Iterator[_Slot]:
    """The slots of `đậu|đỗ .. {kerb} ..2 sai|bậy ..3={filler} {vehicle} !.. {no}`.

    `..` is a gap, `..2` one of at most two words, `..3={filler}` one of those words alone, `{name}` a set, and what is
    behind `!..` must not follow.
    """
    written, _, behind = line.partition(" !.. ")
    gaps = list(_GAP_SAID.finditer(written))
    begins = [0, *(gap.end() for gap in gaps)]
    ends = [*(gap.start() for gap in gaps), len(written)]
    for number, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        before = gaps[number - 1] if number else None
        yield _Slot(
            _ways(written[begin:end], sets, line),
            0 if before is None else int(before["gap"]) if before["gap"] else GAP,
            _ways(f"{{{before['through']}}}", sets, line) if before and before["through"] else None,
            _ways(behind, sets, line) if behind and number == len(gaps) else None,
        )


def _ways(written: str, sets: dict[str, str], line: str) -> Ways:
    ways = []
    for way in (part.strip() for part in written.split("|")):
        if way.startswith("{") and way.strip("{}") not in sets:
            raise ConfigurationError(f"The dictionary of senses has no words for {way}.")
        ways += sets[way.strip("{}")].split("|") if way.startswith("{") else [way]
    filled = tuple((read_text(way.strip().rstrip("!")).tokens, way.strip().endswith("!")) for way in ways)
    if not all(words for words, _strict in filled):
        raise ConfigurationError(f"The dictionary of senses has an empty slot in: {line}")
    firsts = dict.fromkeys(words[0].plain for words, _strict in filled)
    return {first: tuple(way for way in filled if way[0][0].plain == first) for first in firsts}


def senses(tokens: Sequence[Token], placed: frozenset[int] = frozenset()) -> list[Sense]:
    """Every sense found, in the order of the text; one of each category and value.

    None is found with a slot inside a place's name, whose words begin at the offsets `placed`: the `Ve` of `Ve Chai`
    brings no camera back.
    """
    found: dict[tuple[str, str], Sense] = {}
    known, said = _patterns(), {token.plain for token in tokens}
    for start, token in enumerate(tokens):
        for pattern in known.get(token.plain, ()):
            if (pattern.category, pattern.value) in found:
                continue
            if any(said.isdisjoint(slot.ways) for slot in pattern.slots[1:]):
                continue
            spans = _fill(tokens, start, pattern.slots)
            if spans and not (placed and _in_a_name(tokens, spans, placed)):
                found[pattern.category, pattern.value] = Sense(pattern.category, pattern.value, spans)
    return list(found.values())


def _in_a_name(tokens: Sequence[Token], spans: Sequence[tuple[int, int]], placed: frozenset[int]) -> bool:
    return any(all(tokens[number].start in placed for number in range(start, end)) for start, end in spans)


def _fill(tokens: Sequence[Token], start: int, slots: Sequence[_Slot]) -> tuple[tuple[int, int], ...]:
    """The words that fill the slots from `start` on, each as early as may be; empty where one stays unfilled."""
    slot = slots[0]
    for begin in range(start, min(start + slot.gap, len(tokens) - 1) + 1):
        if slot.through is not None and not _filled(tokens, start, begin, slot.through):
            continue
        for end in _ends(tokens, begin, slot.ways):
            if len(slots) > 1:
                rest = _fill(tokens, end, slots[1:]) if end < len(tokens) else ()
                if rest:
                    return ((begin, end), *rest)
            elif slot.unless is None or end == len(tokens) or not any(_ends(tokens, end, slot.unless)):
                return ((begin, end),)
    return ()


def _filled(tokens: Sequence[Token], start: int, end: int, ways: Ways) -> bool:
    """Whether the words from `start` to `end` are all of these."""
    while start < end:
        reach = [stop for stop in _ends(tokens, start, ways) if stop <= end]
        if not reach:
            return False
        start = max(reach)
    return True


def _ends(tokens: Sequence[Token], start: int, ways: Ways) -> Iterator[int]:
    for words, strict in ways.get(tokens[start].plain, ()):
        window = tokens[start : start + len(words)]
        same = agrees if len(words) > 1 else agrees_alone
        if len(window) == len(words) and all(
            token.marks == word.marks if strict else same(token, word)
            for token, word in zip(window, words, strict=True)
        ):
            yield start + len(words)
