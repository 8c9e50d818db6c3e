"""Licence plates told one sign at a time: `biển bảy chín a một hai ba bốn năm`, `plate 7-9-A-1-2-3-4-5`."""

from __future__ import annotations

import re

from matpho_agent.language.tokens import Text

_CUE = re.compile(
    r"(?<![0-9a-z])(?:bien(?: kiem soat| so)?|bsx|bks|(?:number )?plates?|licen[cs]e|registration)"
    r"(?: (?:la|so|is|xe|number|no|of|reads))*[ :,]+"
)
DIGITS = {
    "khong": "0", "mot": "1", "hai": "2", "ba": "3", "bon": "4", "tu": "4", "nam": "5", "lam": "5", "sau": "6",
    "bay": "7", "tam": "8", "chin": "9", "zero": "0", "oh": "0", "one": "1", "two": "2", "three": "3", "four": "4",
    "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
}  # fmt: skip
LETTERS = {
    "be": "B", "xe": "C", "de": "D", "e": "E", "gio": "G", "hat": "H", "ca": "K", "lo": "L", "mo": "M", "no": "N",
    "pe": "P", "ich": "X", "vo": "V", "alpha": "A", "bravo": "B", "charlie": "C", "delta": "D", "foxtrot": "F",
}  # fmt: skip
"""Letters by their names; a letter alone is itself."""
MIN_SIGNS, MIN_DIGITS = 5, 4


def spoken_plate(text: Text) -> tuple[str, tuple[int, int]] | None:
    """The plate and where the text tells it; None where fewer signs stand one by one than a plate has."""
    for cue in _CUE.finditer(text.plain):
        signs, end = "", cue.end()
        singles = 0
        for token in text.tokens:
            if token.start < cue.end():
                continue
            sign = _sign(token.plain, after_digits=signs[:2].isdigit() and len(signs) == 2)
            if not sign:
                break
            signs, end, singles = signs + sign, token.end, singles + (len(sign) == 1)
        if singles >= MIN_SIGNS and sum(sign.isdigit() for sign in signs) >= MIN_DIGITS:
            return signs, (cue.start(), end)
    return None


def _sign(word: str, *, after_digits: bool) -> str:
    """What one word adds: a digit, two or three of them, or behind the province's two digits a letter."""
    if word.isdigit() and len(word) <= 3:
        return word
    if word in DIGITS:
        return DIGITS[word]
    if not after_digits:
        return ""
    return word.upper() if len(word) == 1 else LETTERS.get(word, "")
