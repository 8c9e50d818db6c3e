"""Words that give a happening away together, in any order and however far apart: a last resort, when nothing says it.

`xe khách … lật`, `flames … warehouse`: a clue is groups of words, one of each must stand somewhere in the clause. What
covers more words weighs more; where two kinds of happening weigh the same, the words give nothing away.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import yaml

from matpho_agent.language.tokens import Token, agrees, read_text
from matpho_contracts.errors import ConfigurationError

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Words:
    """One way to fill a group; `strict` needs its marks."""

    tokens: tuple[Token, ...]
    strict: bool


@dataclass(frozen=True, slots=True)
class _Clue:
    value: str
    groups: tuple[tuple[_Words, ...], ...]
    firsts: tuple[frozenset[str], ...]
    """The bare words that each group's ways begin with."""
    without: tuple[_Words, ...]
    """Words beside which it gives nothing away."""


@cache
def _clues() -> tuple[_Clue, ...]:
    text = (resources.files("matpho_agent.language") / "data" / "clues.yaml").read_text(encoding="utf-8")
    table = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 # makes texts of everything: `no` stays a word
    sets = {name: str(words) for name, words in table.pop("words").items()}
    return tuple(_clue(value, line, sets) for value, lines in table.items() for line in lines)


def _clue(value: str, line: str, sets: dict[str, str]) -> _Clue:
    """`{people}|ai & trượt|vấp ~ giá`: groups joined by `&`, and behind `~` what must not be there."""
    wanted, _, unwanted = line.partition("~")
    groups = tuple(_group(part, sets, line) for part in wanted.split("&"))
    firsts = tuple(frozenset(words.tokens[0].plain for words in group) for group in groups)
    return _Clue(value, groups, firsts, _group(unwanted, sets, line) if unwanted else ())


def _group(part: str, sets: dict[str, str], line: str) -> tuple[_Words, ...]:
    found: list[_Words] = []
    for way in (one.strip() for one in part.split("|")):
        if way.startswith("{") and way.strip("{}") not in sets:
            raise ConfigurationError(f"The dictionary of clues has no words for {way}.")
        written = sets[way.strip("{}")].split("|") if way.startswith("{") else [way]
        found += [_Words(read_text(one.strip().rstrip("!")).tokens, one.strip().endswith("!")) for one in written]
    if not all(words.tokens for words in found):
        raise ConfigurationError(f"The dictionary of clues has an empty group in: {line}")
    return tuple(found)


def given_away(tokens: Sequence[Token], free: Collection[int]) -> tuple[str, tuple[Span, ...]] | None:
    """The kind of happening that the free words give away, and where; None where none does, or two do as well."""
    best: dict[str, tuple[Span, ...]] = {}
    said = {tokens[number].plain for number in free}
    for clue in _clues():
        if any(said.isdisjoint(firsts) for firsts in clue.firsts):
            continue
        if any(_where(tokens, words, range(len(tokens)), ()) for words in clue.without):
            continue
        spans = _spans(tokens, clue, free)
        if spans and _weight(spans) > _weight(best.get(clue.value, ())):
            best[clue.value] = spans
    heaviest = max(map(_weight, best.values()), default=0)
    found = [value for value, spans in best.items() if _weight(spans) == heaviest]
    return (found[0], best[found[0]]) if len(found) == 1 else None


def _weight(spans: Sequence[Span]) -> int:
    return sum(end - start for start, end in spans)


def _spans(tokens: Sequence[Token], clue: _Clue, free: Collection[int]) -> tuple[Span, ...]:
    """A place for each group, none twice; empty where one has none."""
    taken: list[Span] = []
    for group in clue.groups:
        places = [span for words in group if (span := _where(tokens, words, free, taken))]
        if not places:
            return ()
        taken.append(max(places, key=lambda span: span[1] - span[0]))
    return tuple(taken)


def _where(tokens: Sequence[Token], words: _Words, free: Collection[int], taken: Sequence[Span]) -> Span | None:
    size = len(words.tokens)
    strict = words.strict or size == 1  # `di` alone is no `dí`
    for start in range(len(tokens) - size + 1):
        end = start + size
        if any(number not in free for number in range(start, end)) or any(a < end and start < b for a, b in taken):
            continue
        window = zip(tokens[start:end], words.tokens, strict=True)
        if all(one.marks == word.marks if strict else agrees(one, word) for one, word in window):
            return start, end
    return None
