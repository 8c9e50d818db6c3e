"""Words of a text with their places: as typed, with the marks in one spelling, and bare."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

MAX_TEXT_CHARS = 4000
"""A question to the assistant; longer text is cut here, far above what anybody types."""
KEPT_WORDS = 20_000
"""Spellings kept: names and talk use the same words again and again."""
MARKED_WORDS = 3
"""A text with so many words that have marks, and half of all its words, is typed with marks."""
_WORD = re.compile(r"[^\W_]+(?:'[a-z]+)?")
_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")
"""Grave, acute, tilde, hook above, dot below."""
_INVISIBLE = frozenset({"Cf", "Co", "Cs", "Cn"})


@dataclass(frozen=True, slots=True)
class Token:
    """One word: `marks` tells `đỏ` from `đổ` whatever the tone's place (`hoà` = `hòa`), `plain` is bare lower case.

    `start` and `end` are offsets into `Text.typed` and `Text.plain`, which are of one length.
    """

    typed: str
    marks: str
    plain: str
    start: int
    end: int
    meant: bool = False
    """Whether it stands among words typed with their marks, so that a lack of marks is no haste."""

    @property
    def bare(self) -> bool:
        """Whether it was typed without any mark, so that it may stand for any marked word."""
        return self.marks == self.plain


@dataclass(frozen=True, slots=True)
class Text:
    """A text ready to read: NFC without invisible characters, its bare twin of equal length, and its words."""

    typed: str
    plain: str
    tokens: tuple[Token, ...]


def clean(text: str) -> str:
    """NFKC without zero-width, tag and private characters, spaces for every kind of white space, cut to the limit."""
    composed = unicodedata.normalize("NFKC", text[:MAX_TEXT_CHARS])
    kept = (" " if c.isspace() else c for c in composed if c.isspace() or unicodedata.category(c) not in _INVISIBLE)
    return "".join(c for c in kept if c == " " or unicodedata.category(c) != "Cc")


@lru_cache(maxsize=KEPT_WORDS)
def _bare(character: str) -> str:
    if character in "đĐ":
        return "d"
    base = unicodedata.normalize("NFD", character)[0].lower()
    return base if len(base) == 1 else character


@lru_cache(maxsize=KEPT_WORDS)
def _marks(word: str) -> str:
    """The word in lower case with its tone moved to the end, so that both ways to place it are one."""
    decomposed = unicodedata.normalize("NFD", word.lower())
    tone = "".join(c for c in decomposed if c in _TONES)
    rest = "".join(c for c in decomposed if c not in _TONES)
    return unicodedata.normalize("NFC", rest).replace("đ", "đ") + tone


def read_text(text: str) -> Text:
    """Split a text into words.

    >>> [token.plain for token in read_text("Bờ sông, tối qua?").tokens]
    ['bo', 'song', 'toi', 'qua']
    """
    typed = clean(text)
    plain = "".join(_bare(c) for c in typed)
    words = [(m, _marks(m[0])) for m in _WORD.finditer(typed)]
    marked = sum(marks != plain[m.start() : m.end()] for m, marks in words)
    meant = marked >= MARKED_WORDS and marked * 2 >= len(words)
    return Text(
        typed, plain, tuple(Token(m[0], marks, plain[m.start() : m.end()], *m.span(), meant) for m, marks in words)
    )


def agrees(token: Token, word: Token) -> bool:
    """Whether a typed word may mean a dictionary's word: equal with marks, or typed without and equal bare."""
    return token.marks == word.marks or (token.bare and token.plain == word.plain)


def agrees_alone(token: Token, word: Token) -> bool:
    """Whether a typed word by itself may mean a dictionary's: in a text with marks `trong` is no `trông`."""
    return token.marks == word.marks or (token.bare and not token.meant and token.plain == word.plain)
