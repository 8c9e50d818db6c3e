"""What is refused whoever asks, before any policy is consulted: rules as data, judged on the folded words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from matpho_contracts.errors import ConfigurationError
from matpho_contracts.text import fold

MAX_JUDGED_CHARS = 4000


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


SURE_SURNAMES = _set("nguyễn trần phạm hoàng huỳnh phan trịnh quách lê bùi đặng")
"""Family names that are hardly anything else, in any case."""
BARE_SURNAMES = _set("nguyen tran pham hoang huynh phan trinh quach")
"""Those of them that stay so without marks."""
OTHER_SURNAMES = _set("vũ võ đỗ hồ ngô dương lý đinh đoàn trương cao mai lương lưu tạ thái hà tôn vu vo do ho le")
"""Family names that are common words too (`đỗ` parks, `hồ` is a lake): names only when written with capitals."""
TITLES = _set("ông bà anh chị cô chú bác em ong ba chi co chu bac mr mrs ms miss mister")
MAX_GIVEN = 3
"""Most words of a given name."""
_WORD = re.compile(r"[^\W\d_]+")
_PLACE_BEFORE = re.compile(
    r"(?<!\w)(?:duong|pho|nga tu|nga ba|nga nam|cau|ham|cho|truong|benh vien|cong vien|phuong|quan|xa|camera|cam|nut"
    r"|ngo|dai lo|khu|street|road|avenue|at|on|in|o|tai|gan|quanh|doc|tren) $"
)
"""A name after one of these words is a street or a place, as half of Vietnam's streets are named after people."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Which rule, why, and what is allowed instead, in both languages."""

    rule: str
    reason_vi: str
    reason_en: str
    instead_vi: str
    instead_en: str

    def message(self, language: str) -> str:
        """The two sentences in one language (`vi` or `en`)."""
        return f"{self.reason_vi} {self.instead_vi}" if language == "vi" else f"{self.reason_en} {self.instead_en}"


@dataclass(frozen=True, slots=True)
class _Rule:
    refusal: Refusal
    when: tuple[tuple[str | re.Pattern[str], ...], ...]
    unless: tuple[re.Pattern[str], ...]


def judge(texts: Iterable[str], is_place: Callable[[str], bool] = lambda _name: False) -> Refusal | None:
    """The first rule that a request breaks, or None. `is_place` tells a street's name from a person's.

    >>> judge(["dùng ảnh khuôn mặt này tìm xem anh ta ở cam nào"]).rule
    'person_by_face'
    >>> judge(["quảng trường đang đông cỡ nào"]) is None
    True
    """
    for text in texts:
        visible = _visible(text)
        plain = fold(visible)
        for rule in _rules():
            if any(pattern.search(plain) for pattern in rule.unless):
                continue
            if any(all(_holds(part, plain, visible, is_place) for part in group) for group in rule.when):
                return rule.refusal
    return None


def _visible(text: str) -> str:
    kept = (c for c in unicodedata.normalize("NFKC", text[:MAX_JUDGED_CHARS]) if unicodedata.category(c) != "Cf")
    return " ".join("".join(kept).split())


def _holds(part: str | re.Pattern[str], plain: str, visible: str, is_place: Callable[[str], bool]) -> bool:
    if not isinstance(part, str):
        return part.search(plain) is not None
    return any(part == "{name}" or titled for titled in _persons(visible, is_place))


def _persons(visible: str, is_place: Callable[[str], bool]) -> Iterable[bool]:
    """For each person's name in the text whether a title (`ông`, `Mr`) stands before it."""
    words = list(_WORD.finditer(visible))
    for number, word in enumerate(words):
        given = _given(words[number + 1 :], word, visible)
        if not given or not _surname(word[0], given):
            continue
        titled = number > 0 and words[number - 1][0].lower() in TITLES
        if titled:
            yield True
            continue
        name = [word[0], *given]
        known = any(is_place(fold(" ".join(name[:size]))) for size in range(2, len(name) + 1))
        if not known and not _PLACE_BEFORE.search(fold(visible[: word.start()]) + " "):
            yield False


def _given(following: list[re.Match[str]], word: re.Match[str], visible: str) -> list[str]:
    """Up to three words right behind the family name, with nothing but a space between."""
    given: list[str] = []
    end = word.end()
    for match in following[:MAX_GIVEN]:
        if visible[end : match.start()] != " ":
            break
        given.append(match[0])
        end = match.end()
    return given


def _surname(word: str, given: list[str]) -> bool:
    lower = unicodedata.normalize("NFC", word.lower())
    if lower in SURE_SURNAMES or lower in BARE_SURNAMES:
        return True
    return lower in OTHER_SURNAMES and word[0].isupper() and given[0][0].isupper()


@cache
def _rules() -> tuple[_Rule, ...]:
    document = yaml.safe_load((resources.files("matpho_tools") / "refusals.yaml").read_text(encoding="utf-8"))
    try:
        return tuple(_rule(name, entry) for name, entry in document.items())
    except (KeyError, TypeError, AttributeError, re.error) as error:
        raise ConfigurationError(f"The refusal rules cannot be read: {error}.") from error


def _rule(name: str, entry: dict[str, Any]) -> _Rule:
    refusal = Refusal(
        name, entry["reason"]["vi"], entry["reason"]["en"], entry["instead"]["vi"], entry["instead"]["en"]
    )
    when = tuple(
        tuple(part if part in {"{name}", "{titled}"} else re.compile(part) for part in group) for group in entry["when"]
    )
    return _Rule(refusal, when, tuple(re.compile(part) for part in entry.get("unless", ())))
