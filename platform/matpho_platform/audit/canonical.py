"""Canonical JSON (RFC 8785) as the log hashes it; what is plain, and nearly all of it is, by the faster writer."""

from __future__ import annotations

from typing import Any

import orjson
import rfc8785

_EXACT = 2**53
_SMALLEST, _LARGEST = 1e-4, 1e15
"""Between them every writer gives a number that is no integer the same digits, without an exponent."""


def canonical_json(value: Any) -> bytes:
    """The canonical bytes of a JSON value; raises rfc8785.CanonicalizationError for what has none.

    >>> canonical_json({"b": 1.5, "a": ["ô", None]})
    b'{"a":["\\xc3\\xb4",null],"b":1.5}'
    """
    if _plain(value):
        try:
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        except orjson.JSONEncodeError:  # half a surrogate pair, for one: the other says what is wrong
            pass
    return rfc8785.dumps(value)


def _plain(value: Any) -> bool:
    """Whether both writers give the same: no number in need of rewriting, no key whose place hangs on its encoding."""
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return True
    if kind is int:
        return bool(-_EXACT < value < _EXACT)
    if kind is float:
        return bool(_SMALLEST <= abs(value) < _LARGEST and not value.is_integer())
    if kind is list or kind is tuple:
        return all(map(_plain, value))
    return kind is dict and all(type(key) is str and key.isascii() and _plain(item) for key, item in value.items())
