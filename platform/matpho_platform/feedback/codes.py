"""Tracking codes: short enough to read over the phone, too many to guess, without letters that look alike."""

from __future__ import annotations

import secrets

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No 0 and O, no 1, I and L, no U that sounds like a word."""
LENGTH = 8
"""30**8 is 6.6e11: with a million reports, 10,000 guesses hit one with a chance of 1.5%, and the limit stops at 10."""
PREFIX = "PA-"


def new_code() -> str:
    """A fresh code from the system's randomness."""
    return PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def spellings(said: str) -> tuple[str, ...]:
    """The stored codes that what a person typed may mean: in any case, with or without the prefix."""
    plain = "".join(said.split())
    upper = plain.upper()
    return tuple(dict.fromkeys((plain, upper, upper if upper.startswith(PREFIX) else PREFIX + upper)))
