"""Codes of incidents, cases, reports and requests: any shape of letters, digits and separators, told apart by context.

No installation's prefixes are known here. A code is what stands as one; its kind comes from the word before it, else
from what its parts hint at, else it stays open and the wish decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Literal, cast

import yaml

from matpho_agent.language.tokens import Text, read_text

CodeKind = Literal["", "incident", "case", "report", "request", "procedure"]
_SHAPED = re.compile(
    r"(?<![0-9a-z\-_/.])[a-z]{1,12}(?:[\-/_.][a-z0-9]{1,24}){1,5}(?![0-9a-z]|[\-_/][0-9a-z])"
    r"|(?<![0-9a-z\-_/.])[a-z]{2,8}[0-9]{3,12}(?:[\-/_.][a-z0-9]{1,24}){0,4}(?![0-9a-z]|[\-_/][0-9a-z])"
)
"""`vv-1121-02`, `sv/12`, `dn-pa-0045`, `inc20260017`; at least one digit, or a hint, besides."""
_AFTER_WORD = re.compile(
    r"(?:(?:so|ma|ma so|no|number|id|code|la|is|thanh|sang|moi|to) ){0,2}[#:.]? ?"
    r"(?P<code>[a-z0-9]{1,24}(?:[\-/_.][a-z0-9]{1,24}){1,5}|[0-9]{2,12}|[a-z]{1,8}[0-9]{1,12}|[0-9]{1,6}[a-z]{1,4})"
    r"(?![0-9a-z]|[\-_/.][0-9a-z])"
)
"""What follows a word such as `hồ sơ`: shorter and barer shapes are allowed there: `hồ sơ 147/2026`, `yêu cầu #15`."""
_DATE = re.compile(r"\d{1,2}[/\-.]\d{1,2}(?:[/\-.]\d{2,4})?|\d{4}-\d{1,2}-\d{1,2}")
_TIME = re.compile(r"\d{1,2}[hg]\d{0,2}|[tq]\d|p\d{1,2}")
_COUNTED = re.compile(r" ?(?:nguoi|xe|vu|h\b|gio|phut|ngay|lan|%|people|hours?|minutes?|days?|pm\b|am\b)")
_JOINING = re.compile(r"(?:[\s:#.]+(?:so|ma|no|number|id|code|la|is|thanh|sang|to)){1,2}$")
_CITIZEN = re.compile(r"(?<![0-9a-z])(?:\d{12}|\d{3}[ .]\d{3}[ .]\d{3}[ .]\d{3})(?![0-9a-z])")
_BIRTH = re.compile(
    r"(?:ngay sinh|sinh ngay|sinh|nam sinh|born on|born|date of birth|birth date|dob|d\.o\.b\.?)(?: la| is)? ?:? ?"
    r"(?:(?P<d>\d{1,2})[/\-.](?P<m>\d{1,2})[/\-.](?P<y>\d{4})|(?P<y2>\d{4})-(?P<m2>\d{1,2})-(?P<d2>\d{1,2}))"
)
Span = tuple[int, int]
_LETTERS = re.compile(r"[a-z]+")
NO_BEGINNINGS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Code:
    """One code as typed, upper case where it was typed in lower case; `start` and `end` are offsets into the text."""

    text: str
    kind: CodeKind
    start: int
    end: int
    looks: CodeKind = ""
    """What it looks like, whatever stands before it."""


@dataclass(frozen=True, slots=True)
class _Kind:
    name: CodeKind
    before: tuple[str, ...]
    hints: frozenset[str]


@cache
def _kinds() -> tuple[_Kind, ...]:
    table = yaml.safe_load((resources.files("matpho_agent.language") / "data" / "code.yaml").read_text("utf-8"))
    return tuple(
        _Kind(
            name,
            tuple(sorted({" ".join(t.plain for t in read_text(word).tokens) for word in entry["words"]}, key=len)),
            frozenset(str(hint) for hint in entry["hints"]),
        )
        for name, entry in table.items()
    )


@cache
def _word_pattern() -> re.Pattern[str]:
    words = sorted({word for kind in _kinds() for word in kind.before}, key=len, reverse=True)
    return re.compile(r"(?<![0-9a-z])(?:" + "|".join(map(re.escape, words)) + r")(?![0-9a-z])[ :#]*")


def read_codes(
    text: Text,
    taken: Sequence[Span],
    known: Callable[[str], bool] = lambda _id: False,
    beginnings: Mapping[str, str] = NO_BEGINNINGS,
) -> list[Code]:
    """Every code outside `taken`, in the order of the text.

    `known` says that an id is a camera's, area's or unit's; `beginnings` how codes of one kind begin here.
    """
    found: list[Code] = []
    for start, end in _candidates(text.plain):
        if any(a < end and start < b for a, b in (*taken, *((code.start, code.end) for code in found))):
            continue
        typed = text.typed[start:end].rstrip(".-/_")
        end = start + len(typed)
        if not known(typed) and not known(typed.upper()):
            typed = typed if any(c.isupper() for c in typed) else typed.upper()
            looks = _looks(text.plain[start:end], beginnings)
            found.append(Code(typed, _kind(text.plain, start, looks), start, end, looks[0]))
    return sorted(found, key=lambda code: code.start)


def _candidates(plain: str) -> list[Span]:
    spans = [m.span() for m in _SHAPED.finditer(plain) if any(c.isdigit() for c in m[0]) or _hint(m[0])]
    for word in _word_pattern().finditer(plain):
        match = _AFTER_WORD.match(plain, word.end())
        if match is None:
            continue
        code = match["code"]
        counted = _COUNTED.match(plain, match.end())
        if any(c.isdigit() for c in code) and not _DATE.fullmatch(code) and not _TIME.fullmatch(code) and not counted:
            spans.append(match.span("code"))
    return spans


def _looks(code: str, beginnings: Mapping[str, str]) -> tuple[CodeKind, bool]:
    """What a code looks like and whether that is sure: by how codes begin here, else by what its parts hint at.

    Where it is known how incidents begin here, a code that begins otherwise hints at none.
    """
    letters = _LETTERS.match(code)
    here = beginnings.get(letters[0]) if letters else None
    if here is not None:
        return cast(CodeKind, here), True
    hint = _hint(code)
    return ("", False) if hint in beginnings.values() and hint != "case" else (hint, False)


def _hint(code: str) -> CodeKind:
    parts = re.split(r"[\-/_.]|(?<=[a-z])(?=\d)", code)
    return next((kind.name for kind in _kinds() for part in parts[:3] if part in kind.hints), "")


def _kind(plain: str, start: int, looks: tuple[CodeKind, bool]) -> CodeKind:
    """By the longest known word right before it, else by what it looks like; `hồ sơ` and `case` are said of all."""
    kind, sure = looks
    spaced = plain[:start].rstrip(" :#(,")
    befores = {spaced, _JOINING.sub("", spaced).rstrip(" :#(,")}
    said = [
        (len(word), entry.name)
        for before in befores
        for entry in _kinds()
        for word in entry.before
        if before.endswith(word) and (len(before) == len(word) or not before[-len(word) - 1].isalnum())
    ]
    if not said:
        return kind
    length, name = max(said)
    if kind and name != kind and (length <= 3 or (sure and name != "case")):
        return kind
    return name


def citizen_id(plain: str) -> tuple[str, Span] | None:
    """The twelve digits of a citizen's number, and where they stand."""
    match = _CITIZEN.search(plain)
    return (re.sub(r"\D", "", match[0]), match.span()) if match else None


def birth_date(plain: str) -> tuple[str, Span] | None:
    """A date of birth as YYYY-MM-DD, and where it stands with its word."""
    match = _BIRTH.search(plain)
    if match is None:
        return None
    day, month, year = (int(match[name] or match[f"{name}2"]) for name in ("d", "m", "y"))
    if not (1 <= day <= 31 and 1 <= month <= 12):
        return None
    return f"{year:04d}-{month:02d}-{day:02d}", match.span()
