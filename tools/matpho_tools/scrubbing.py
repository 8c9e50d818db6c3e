"""Passwords inside addresses never leave the center, whoever wrote them into a name, a note or a reason."""

from __future__ import annotations

import re
from typing import Any

import orjson

_CREDENTIALS = re.compile(r"(?<=://)[^\s/@:]{0,200}:[^\s/@]{1,200}(?=@)")


def scrubbed(value: Any) -> Any:
    """A plain value (as a result carries it) with the user and password of every address in it taken out.

    >>> scrubbed({"name": "trạm 5 rtsp://admin:mật@10.0.0.5/1"})
    {'name': 'trạm 5 rtsp://***@10.0.0.5/1'}
    """
    return value if _without_address(value) else _walked(value)


def _without_address(value: Any) -> bool:
    """Whether no text of it holds an address at all, which is seen at once in all of it written out."""
    try:
        return b"://" not in orjson.dumps(value)
    except TypeError:  # cannot be written as JSON
        return False


def _walked(value: Any) -> Any:
    if isinstance(value, str):
        return _CREDENTIALS.sub("***", value) if "://" in value else value
    if isinstance(value, dict):
        return {key: _walked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_walked, value))
    return value
