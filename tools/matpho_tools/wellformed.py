"""What a caller may bring at all, before anything reads it: JSON of bounded depth and size, text that can be stored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MAX_DEPTH = 8
MAX_VALUES = 2_000
MAX_CHARS = 64 * 1024
"""Of all texts together, besides those of FILES, which have limits of their own."""
MAX_KEY_CHARS = 64
MAX_INT_BITS = 63
FILES = frozenset({"image", "photos"})
"""Arguments that carry files as base64."""
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_PROPOSAL = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NAME = re.compile(r"[a-z0-9_]{1,64}")


def problem(arguments: Mapping[Any, Any]) -> str:
    """What is wrong with arguments in a few words, none of them the caller's; empty where they may be read."""
    values = chars = 0
    waiting: list[tuple[Any, int, bool]] = [(arguments, 0, False)]
    while waiting:
        value, depth, file = waiting.pop()
        values += 1
        if depth > MAX_DEPTH:
            return "too deep"
        if values > MAX_VALUES:
            return "too many values"
        if isinstance(value, str):
            chars += 0 if file else len(value)
            if chars > MAX_CHARS:
                return "too much text"
            if _UNSTORABLE.search(value):
                return "characters that are no text"
        elif isinstance(value, Mapping):
            for key, item in value.items():
                if not isinstance(key, str) or len(key) > MAX_KEY_CHARS or _UNSTORABLE.search(key):
                    return "a name that is none"
                waiting.append((item, depth + 1, file or (depth == 0 and key in FILES)))
        elif isinstance(value, list | tuple):
            waiting.extend((item, depth + 1, file) for item in value)
        elif isinstance(value, int) and value.bit_length() > MAX_INT_BITS:
            return "a number out of range"
        elif not isinstance(value, int | float | bool | None):
            return "a value that is not JSON"
    return ""


def is_proposal_id(text: str) -> bool:
    """Whether `text` has the shape of a proposal's id."""
    return _PROPOSAL.fullmatch(text) is not None


def tool_name(text: str) -> str:
    """The name of a tool as it was said, or where it can be none, a word for that."""
    return text if _NAME.fullmatch(text) else "unfit"
