"""Which language an answer should be in: that of the question."""

from __future__ import annotations

from typing import Literal

from matpho_agent.language.tokens import read_text

Language = Literal["vi", "en"]
_ENGLISH = frozenset(
    {
        "the",
        "a",
        "an",
        "any",
        "show",
        "find",
        "list",
        "what",
        "which",
        "where",
        "who",
        "when",
        "how",
        "is",
        "are",
        "was",
    }
    | {"were", "did", "does", "do", "me", "my", "please", "camera", "cameras", "last", "night", "yesterday", "today"}
    | {
        "this",
        "that",
        "one",
        "only",
        "red",
        "white",
        "car",
        "truck",
        "in",
        "at",
        "on",
        "of",
        "for",
        "and",
        "yes",
        "hello",
    }
    | {"thanks", "thank", "you", "help", "clip", "video", "similar", "events", "many", "count", "by", "per", "week"}
)
_VIETNAMESE = frozenset(
    {"co", "khong", "ko", "vu", "cho", "xem", "nao", "hom", "qua", "nay", "toi", "sang", "dem", "xe", "tim", "cam", "o"}
    | {"phuong", "duong", "nguoi", "may", "bao", "nhieu", "thi", "sao", "con", "la", "gi", "cai", "tuan", "thang", "va"}
    | {"dau", "giup", "voi", "nhe", "oi", "em", "anh", "chi", "chao", "cam", "on", "do", "mau", "tu", "den", "ngay"}
)


def language_of(text: str, before: Language = "vi") -> Language:
    """The language of a text; marks are Vietnamese, otherwise the commoner words decide, a tie stays as before.

    >>> language_of("any fights in phường Láng last night?")
    'en'
    >>> language_of("toi qua co vu danh nhau nao khong")
    'vi'
    """
    tokens = read_text(text).tokens
    english = sum(token.plain in _ENGLISH for token in tokens if token.bare)
    vietnamese = sum(token.plain in _VIETNAMESE for token in tokens if token.bare)
    vietnamese += sum(not token.bare and token.typed[:1].islower() for token in tokens)
    if english == vietnamese:
        return before
    return "en" if english > vietnamese else "vi"
