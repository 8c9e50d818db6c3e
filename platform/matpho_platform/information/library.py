"""Entries that answer a question: by the phrases people use for them, then by the words of title and text.

1 the question is folded; words that say nothing are dropped
2 a phrase of `ask` that stands in the question counts by how rare its words are among the entries; the best one
  counts whole, each further one a little
3 the other words count too, much less (in the title double)
4 entries below a share of the best are left out; a question that fits nothing gets none
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from matpho_contracts.errors import BadInputError, ConfigurationError
from matpho_contracts.ids import ShortId
from matpho_contracts.text import words

MAX_QUERY = 400
MAX_FILE_BYTES = 1024 * 1024
MAX_PASSAGES = 3
WORD = 0.2
"""What a word of title or text counts beside one inside a phrase."""
EMPTY = 0.5
"""What a word that says nothing counts inside a phrase: `khi nào xóa` is more than `xóa`."""
FURTHER = 0.5
CLOSE = 0.55
LEAST = 1.5
"""Below this a question only shares common words with an entry."""
_STOP = frozenset(
    words(
        "là gì thì mà và của có được bị cho ở tại trong ngoài khi lúc nếu như thế nào sao ra vào với các những một cái"
        " này đó kia đây ạ à nhỉ nhé vậy hả không ko k phải cần nên đi đến tới ai đâu tôi mình em anh xin hỏi muốn"
        " biết làm giúp dạ thưa người việc"
        " the a an is are was were do does did to of for in on at by with from and or if when what which who how must"
        " should can could it its this that there we i you they be me my about please tell want know"
    )
)


class Bilingual(BaseModel):
    """One text in both languages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vi: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4_000)]
    en: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4_000)]


class Entry(BaseModel):
    """One thing that everybody may know."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Bilingual
    text: Bilingual
    ask: Annotated[tuple[str, ...], Field(max_length=100)] = ()


class Passage(BaseModel):
    """An entry that answers, with its id to cite."""

    model_config = ConfigDict(frozen=True)

    id: str
    title: Bilingual
    text: Bilingual
    score: float


_Entries = TypeAdapter(dict[ShortId, Entry])


@dataclass(frozen=True, slots=True)
class _Ready:
    """An entry made ready for ranking."""

    id: str
    entry: Entry
    phrases: tuple[tuple[str, ...], ...]
    title: frozenset[str]
    text: frozenset[str]

    def all_words(self) -> frozenset[str]:
        """Every word that speaks of the entry."""
        return self.title | self.text | {word for phrase in self.phrases for word in phrase}


class Library:
    """Entries made searchable; immutable."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self._entries = [_ready(name, entry) for name, entry in entries.items()]
        holders = Counter(word for one in self._entries for word in one.all_words())
        self._weight = {word: math.log(1 + len(self._entries) / number) for word, number in holders.items()}

    def topics(self) -> Sequence[Passage]:
        """Every entry, in the order of the file: what one can ask about."""
        return tuple(Passage(id=one.id, title=one.entry.title, text=one.entry.text, score=0.0) for one in self._entries)

    def search(self, query: str) -> Sequence[Passage]:
        """The entries that answer, best first, at most MAX_PASSAGES; raises BadInputError for an absurd query."""
        if len(query) > MAX_QUERY:
            raise BadInputError(f"A question has at most {MAX_QUERY} characters.")
        said = words(query)
        scored = [(self._score(one, said), one) for one in self._entries]
        best = max((score for score, _ in scored), default=0.0)
        if best < LEAST:
            return ()
        near = sorted((pair for pair in scored if pair[0] >= CLOSE * best), key=lambda pair: -pair[0])
        return tuple(
            Passage(id=one.id, title=one.entry.title, text=one.entry.text, score=round(score, 3))
            for score, one in near[:MAX_PASSAGES]
        )

    def _score(self, one: _Ready, said: Sequence[str]) -> float:
        line = f" {' '.join(said)} "
        stand = [phrase for phrase in one.phrases if f" {' '.join(phrase)} " in line]
        phrases = max((self._worth(phrase) for phrase in stand), default=0.0) + FURTHER * max(len(stand) - 1, 0)
        rest = {word for word in said if word not in _STOP and word in self._weight}
        return phrases + WORD * sum(self._weight[w] * ((w in one.title) + (w in one.text)) for w in rest)

    def _worth(self, phrase: Sequence[str]) -> float:
        return sum(EMPTY if word in _STOP else self._weight[word] for word in phrase)


def _ready(name: str, entry: Entry) -> _Ready:
    title = frozenset(words(f"{entry.title.vi} {entry.title.en}")) - _STOP
    text = frozenset(words(f"{entry.text.vi} {entry.text.en}")) - _STOP
    return _Ready(name, entry, tuple(tuple(words(phrase)) for phrase in entry.ask), title, text)


def read_entries(own: Path | None) -> dict[str, Entry]:
    """The entries that ship, replaced and added to by a deployment's own file.

    Raises ConfigurationError for a file that cannot be read, is too large, or says something that cannot be.
    """
    shipped = resources.files("matpho_platform.information").joinpath("entries.yaml").read_text(encoding="utf-8")
    entries = _parsed(shipped, "entries.yaml")
    if own is None:
        return entries
    try:
        if own.stat().st_size > MAX_FILE_BYTES:
            raise ConfigurationError(f"{own.name} has more than {MAX_FILE_BYTES} bytes.")
        return entries | _parsed(own.read_text(encoding="utf-8"), own.name)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{own.name} cannot be read.", action="Check its path and encoding.") from error


def _parsed(text: str, name: str) -> dict[str, Entry]:
    try:
        return _Entries.validate_python(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{name} is no YAML.", action="Check its indentation and quotes.") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ConfigurationError(f"{name}: {where}: {first['msg']}.") from error
