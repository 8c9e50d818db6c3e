"""Ways of saying things that no list of phrases holds: a word of one set, few words between, a word of another.

`mở giúp em một hồ sơ vụ việc`, `open a fresh case`, `chuyển cái này thành vụ việc` are one frame: a verb that begins
something, and what is begun.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import yaml

from matpho_agent.language.lexicon import Lexicon, Match, phrases_of
from matpho_agent.language.tokens import Token
from matpho_contracts.errors import ConfigurationError

Filling = dict[int, int]
"""Where a word of a set that may fill a gap begins, and where it ends."""


@dataclass(frozen=True, slots=True)
class Frame:
    """`act` is meant where a word of `first` stands at most `gap` words before one of `then`.

    With `through` only the words of that set may stand between; with `unless` none of that set stands right behind.
    """

    act: str
    first: str
    then: str
    gap: int
    through: str = ""
    unless: str = ""


@cache
def _shipped() -> tuple[Lexicon, tuple[Frame, ...]]:
    text = (resources.files("matpho_agent.language") / "data" / "frames.yaml").read_text(encoding="utf-8")
    table = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 # makes texts of everything: `no` stays a word
    phrases = [phrase for name, ways in table["words"].items() for phrase in phrases_of("word", {name: ways})]
    frames = tuple(Frame(**{**entry, "gap": int(entry["gap"])}) for entry in table["frames"])
    for name in {name for f in frames for name in (f.first, f.then, f.through, f.unless) if name}:
        if name not in table["words"]:
            raise ConfigurationError(f"The dictionary of frames has no words for {name}.")
    return Lexicon(phrases), frames


def framed(tokens: Sequence[Token]) -> list[Match]:
    """What the frames find: each act with the words from its first to its last, so that longer beats shorter."""
    lexicon, frames = _shipped()
    found: dict[str, list[Match]] = defaultdict(list)
    for match in lexicon.exact(tokens):
        found[match.value].append(match)
    return [match for frame in frames for match in _fits(frame, found, len(tokens))]


def _fits(frame: Frame, found: dict[str, list[Match]], size: int) -> Iterable[Match]:
    for first in found.get(frame.first, ()):
        for then in found.get(frame.then, ()):
            if not 0 <= then.start - first.end <= frame.gap:
                continue
            if frame.through and not _filled(first.end, then.start, found.get(frame.through, ())):
                continue
            if frame.unless and any(other.start == then.end for other in found.get(frame.unless, ())):
                continue
            yield Match(first.start, then.end, "act", frame.act)


def _filled(start: int, end: int, fillers: Sequence[Match]) -> bool:
    """Whether the words from `start` to `end` are all fillers."""
    while start < end:
        reach = [match.end for match in fillers if match.start == start and match.end <= end]
        if not reach:
            return False
        start = max(reach)
    return True
