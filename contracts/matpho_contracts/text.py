"""Vietnamese text as people type it: with marks, without marks, in any case."""

from __future__ import annotations

import re
import unicodedata

_SPACES = re.compile(r"\s+")
_NOT_WORD = re.compile(r"[^0-9a-z]+")
_D_STROKE = str.maketrans({"đ": "d", "Đ": "D"})


def fold(text: str) -> str:
    """Lower-case and drop every mark, so that `Đường Nguyễn` and `duong nguyen` meet; length may change.

    NFD does not split the letter đ, so it is replaced by hand.

    >>> fold("Xe tải TRẮNG đổ rác")
    'xe tai trang do rac'
    """
    decomposed = unicodedata.normalize("NFD", text.translate(_D_STROKE))
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    return _SPACES.sub(" ", bare.casefold()).strip()


def words(text: str) -> list[str]:
    """The folded words of a text, punctuation dropped.

    >>> words("Bờ sông, tối qua?")
    ['bo', 'song', 'toi', 'qua']
    """
    return [word for word in _NOT_WORD.split(fold(text)) if word]


def normalise_plate(text: str) -> str:
    """A licence plate's letters and digits alone, upper case: `30A-123.45` and `30a 12345` are one.

    >>> normalise_plate("29-G1 234.56")
    '29G123456'
    """
    return re.sub(r"[^0-9A-Z]", "", text.translate(_D_STROKE).upper())
