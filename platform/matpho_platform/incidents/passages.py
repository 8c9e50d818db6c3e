"""Finding the passages of procedures that answer a question, in Vietnamese with or without marks, or in English.

1 a procedure is cut into sentences and steps; its title and the names of its event types go with each of them
2 terms are folded words, pairs of neighbours ("bao pc07" is more than "bao" and "pc07"), and words with their marks:
  who writes marks means "khói", not "khôi"
3 the question's words are widened by a glossary (English, other Vietnamese words) and by other names of units
4 passages are ranked by BM25 (Robertson and Zaragoza 2009, k1 = 1.2, b = 0.75); words from widening count less
5 a procedure ranks by its best passage plus what its title and event types have of the question
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import yaml

from matpho_contracts.text import fold, words
from matpho_contracts.vocabulary import EVENT_TYPES
from matpho_platform.incidents.procedure import Passage, Procedure

MAX_PASSAGES = 5
K1, B = 1.2, 0.75
WIDENED = 0.45
"""What a word of the glossary counts beside one that was said."""
PAIR = 1.6
"""What a pair of neighbours counts beside a single word: two syllables are mostly one Vietnamese word."""
TITLE = 0.7
"""What title and event types count beside the best passage."""
CLOSE = 0.4
"""Passages and procedures below this share of the best are left out."""
MARKED = 0.6
"""What the marks of a word count in a question that has them; the bare word counts the rest."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[^\s])")
_WORD = re.compile(r"[^\W_]+")
_STOP = frozenset(
    words(
        "là gì thì mà và của có được bị cho ở tại trong ngoài khi lúc nếu như thế nào sao ra vào với các những một cái"
        " này đó kia đây ạ à nhỉ nhé vậy hả không ko k phải cần nên đi đến tới bao nhiêu mấy ai đâu tôi mình em anh"
        " quy trình xử lý"
        " the a an is are was were do does did to of for in on at by with from and or if when what which who how must"
        " should shall may can could it its this that there we i you they be been ask asks say says tell me about"
        " procedure long many much"
    )
)
_GLOSSARY = Path(__file__).parent / "glossary.yaml"


@dataclass(frozen=True, slots=True)
class _Unit:
    """One passage made ready for ranking."""

    procedure: int
    passage: Passage
    terms: Mapping[str, int]
    length: int


class Library:
    """Procedures made searchable; immutable."""

    def __init__(self, procedures: Iterable[Procedure]) -> None:
        self.procedures = tuple(procedures)
        self._units = [unit for number, item in enumerate(self.procedures) for unit in _units(number, item)]
        self._heads = [_head(item) for item in self.procedures]
        self._mean = sum(unit.length for unit in self._units) / max(1, len(self._units))
        holders = Counter(term for unit in self._units for term in unit.terms)
        holders.update(term for head in self._heads for term in head)
        size = len(self._units) + len(self._heads)
        self._weight = {term: math.log(1 + (size - n + 0.5) / (n + 0.5)) for term, n in holders.items()}

    def search(
        self, query: str, aliases: Iterable[tuple[str, str]] = ()
    ) -> tuple[tuple[Procedure, ...], tuple[Passage, ...]]:
        """Procedures that match, best first, and the best passages of them."""
        asked = asked_terms(query, aliases)
        heads = [self._head_score(head, asked) for head in self._heads]
        scored = [(self._score(unit, asked), unit) for unit in self._units]
        best: dict[int, float] = {number: TITLE * score for number, score in enumerate(heads) if score > 0}
        for number in range(len(self.procedures)):
            top = max((score for score, unit in scored if unit.procedure == number), default=0.0)
            if top > 0:
                best[number] = best.get(number, 0.0) + top
        if not best:
            return (), ()
        limit = CLOSE * max(best.values())
        order = sorted((number for number in best if best[number] >= limit), key=lambda number: (-best[number], number))
        return tuple(self.procedures[number] for number in order), self._passages(scored, heads, set(order))

    def _passages(
        self, scored: Sequence[tuple[float, _Unit]], heads: Sequence[float], kept: set[int]
    ) -> tuple[Passage, ...]:
        """A passage stands higher in a procedure whose title speaks of the question."""
        ranked = [
            (score + TITLE * heads[unit.procedure], number, unit)
            for number, (score, unit) in enumerate(scored)
            if score > 0 and unit.procedure in kept
        ]
        ranked.sort(key=lambda item: (-item[0], item[1]))
        if not ranked:
            return ()
        limit = CLOSE * ranked[0][0]
        return tuple(
            unit.passage.model_copy(update={"score": round(score, 4)})
            for score, _number, unit in ranked[:MAX_PASSAGES]
            if score >= limit
        )

    def _score(self, unit: _Unit, asked: Mapping[str, float]) -> float:
        norm = K1 * (1 - B + B * unit.length / self._mean)
        total = 0.0
        for term, share in asked.items():
            count = unit.terms.get(term, 0)
            if count:
                total += share * self._weight[term] * count * (K1 + 1) / (count + norm)
        return total

    def _head_score(self, head: frozenset[str], asked: Mapping[str, float]) -> float:
        return sum(share * self._weight[term] for term, share in asked.items() if term in head)


def asked_terms(query: str, aliases: Iterable[tuple[str, str]] = ()) -> dict[str, float]:
    """The terms of a question with what each counts: 1 where it was said, less where it is another word for it."""
    said = words(query)
    terms: dict[str, float] = {}
    for text in _widened(said, aliases):
        for term, share in _terms(text).items():
            terms[term] = max(terms.get(term, 0.0), WIDENED * share)
    return terms | _terms(query)


def _widened(said: Sequence[str], aliases: Iterable[tuple[str, str]]) -> list[str]:
    """Other words for what was said; names of several words must stand together."""
    line = f" {' '.join(said)} "
    found = [meaning for name, meaning in glossary().items() if _stands(name, line)]
    return found + [name for alias, name in aliases if _stands(" ".join(words(alias)), line)]


def _stands(name: str, line: str) -> bool:
    return bool(name) and (f" {name} " in line or (name.isascii() and f" {name}s " in line))


def _terms(text: str) -> dict[str, float]:
    """Words without the empty ones, with their marks where they have some, and pairs of neighbours."""
    folded = words(text)
    terms: dict[str, float] = {word: 1.0 for word in folded if word not in _STOP}
    for marked, bare in _marked(text):
        terms[marked] = MARKED
        terms[bare] = 1.0 - MARKED
    for first, second in pairwise(folded):
        if first not in _STOP and second not in _STOP:
            terms[f"{first} {second}"] = PAIR
    return terms


def _counted(text: str) -> Counter[str]:
    folded = words(text)
    counts = Counter(word for word in folded if word not in _STOP)
    counts.update(marked for marked, _bare in _marked(text))
    counts.update(f"{first} {second}" for first, second in pairwise(folded))
    return counts


def _marked(text: str) -> list[tuple[str, str]]:
    """The words that have marks, as written (lower case, composed) and bare; without the empty ones."""
    written = _WORD.findall(unicodedata.normalize("NFC", text).lower())
    pairs = [(word, fold(word)) for word in written]
    return [(word, bare) for word, bare in pairs if word != bare and bare not in _STOP]


def _units(number: int, procedure: Procedure) -> list[_Unit]:
    made = [
        Passage(procedure_id=procedure.id, kind="text", quote=sentence.strip(), score=0.0)
        for sentence in _SENTENCE.split(procedure.text)
        if sentence.strip()
    ]
    made += [
        Passage(
            procedure_id=procedure.id,
            kind="step",
            quote=step.name,
            role=step.role,
            within_minutes=step.within_minutes,
            score=0.0,
        )
        for step in procedure.steps
    ]
    return [_ready(number, passage) for passage in made]


def _ready(number: int, passage: Passage) -> _Unit:
    text = passage.quote
    if passage.within_minutes is not None:
        text += f" trong vòng {passage.within_minutes} phút"
    return _Unit(number, passage, _counted(text), len(words(text)))


def _head(procedure: Procedure) -> frozenset[str]:
    names = [EVENT_TYPES[kind][2] for kind in procedure.event_types]
    texts = [procedure.id, procedure.title, *(name.vi for name in names), *(name.en for name in names)]
    return frozenset(term for text in texts for term in _counted(text))


@cache
def glossary() -> Mapping[str, str]:
    """What people say -> the words of procedures."""
    read = yaml.safe_load(_GLOSSARY.read_text(encoding="utf-8"))
    return {" ".join(words(str(said))): str(meaning) for said, meaning in read.items()}
