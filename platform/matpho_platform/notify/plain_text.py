"""Text from outside, made harmless: one line, no control characters, nothing that a client turns into a link."""

from __future__ import annotations

import re
import unicodedata

ELLIPSIS = "…"
_SCHEME = re.compile(r"(?i)\b([a-z][a-z0-9+.-]{1,20}):(//|\\\\)")
_DOMAIN = re.compile(r"(?i)(?<=[a-z0-9])\.(?=[a-z]{2,24}(?![a-zà-ỹ0-9_]))")
_MENTION = re.compile(r"(?<![\w/])([@#/])(?=\w)")
_BARRED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Control and format characters (bidirectional overrides among them), surrogates, private use, line separators."""


def one_line(text: str, limit: int) -> str:
    """Normalised (NFC), without control or format characters, spaces joined, cut to `limit` characters.

    >>> one_line("a\\n\\u202eb", 10)
    'a b'
    """
    kept = "".join(" " if _is_space(c) else c for c in unicodedata.normalize("NFC", text) if _kept(c))
    return cut(" ".join(kept.split()), limit)


def _is_space(character: str) -> bool:
    return character.isspace()


def _kept(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) not in _BARRED


def defanged(text: str) -> str:
    """No address, mention, hashtag or command that a chat client would make clickable; readable all the same.

    >>> defanged("xem http://evil.com/a @admin /start")
    'xem http[:]//evil[.]com/a [@]admin [/]start'
    """
    text = _SCHEME.sub(r"\1[:]\2", text)
    text = _DOMAIN.sub("[.]", text)
    return _MENTION.sub(r"[\1]", text)


def quoted(text: str, limit: int) -> str:
    """Text from outside as data: defanged, in «», cut to `limit` characters with them."""
    inner = defanged(one_line(text, limit)).replace("«", '"').replace("»", '"')
    return f"«{cut(inner, limit - 2)}»"


def cut(text: str, limit: int) -> str:
    """At most `limit` characters; what is cut ends in an ellipsis."""
    return text if len(text) <= limit else text[: max(0, limit - 1)].rstrip() + ELLIPSIS


def without_marks(text: str) -> str:
    """Vietnamese in plain ASCII letters, for text messages; what ASCII lacks becomes a question mark.

    >>> without_marks("Đường Trần Phú «khói»…")
    'Duong Tran Phu "khoi"...'
    """
    plain = text.translate({ord("đ"): "d", ord("Đ"): "D", ord("«"): '"', ord("»"): '"', 0x2026: "...", 0xB7: "-"})
    bare = "".join(c for c in unicodedata.normalize("NFD", plain) if unicodedata.category(c) != "Mn")
    return bare.encode("ascii", "replace").decode("ascii")
