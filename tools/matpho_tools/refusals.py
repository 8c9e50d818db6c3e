"""What is refused whoever asks, before any policy is consulted: rules as data, judged on words as they are seen."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import combinations
from typing import Any

import yaml

from matpho_contracts.errors import ConfigurationError
from matpho_contracts.text import fold
from matpho_tools.plain_words import forms, tone_placed, visible


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
    r"|ngo|hem|kiet|dai lo|khu|chung cu|toa nha|thpt|thcs|tieu hoc|dai hoc|ben xe|ga|quang truong|vong xoay|bung binh"
    r"|tuong dai|nha hat|goc|doan|tuyen|truc|ubnd|street|road|avenue|at|(?<!tabs )(?<!eye )(?<!eyes )on|in|o|tai"
    r"|gan|quanh|doc|tren) $"
)
"""A name after one of these words is a street or a place, as half of Vietnam's streets are named after people."""
_QUOTED = re.compile(r"[\"“„«][^\"“”„«»]{0,2000}[\"”»]|(?<!\w)['‘][^'‘’]{0,2000}['’](?!\w)")
_SENTENCE_END = re.compile(r"[.!?;\n]+\s")
_REPORT = re.compile(
    r"(?:dạ|alo|chào \w+|xin|cho|tôi|em|mình|con|cháu|tui|bác|muốn|cần|được|gửi|nộp|làm|viết|lập|một|cái|đơn|,|\s)+"
    r"(?:phản ánh|báo (?:cáo )?(?:sự việc|việc|tin|mất|vụ|với|có|là|:)|tố cáo|tố giác|khiếu nại|trình báo"
    r"|kiến nghị|góp ý)\b"
    r"|(?:phản ánh|tin báo|trình báo|tố giác|kiến nghị) ?(?::|về|là|rằng)"
    r"|(?:hi|hello|please|,|\s)*(?:i(?: want|'d like| would like| need| wish)? to (?:report|complain|file a report)"
    r"|(?:report|complaint) ?:|reporting )"
)
"""How a text opens that files a report: what follows is told to the authority, not asked of the assistant."""
_ASKS = re.compile(
    r"\b(?:(?:giúp|hộ|giùm) (?:tôi|em|mình|con|cháu|tui)|cho (?:tôi|em|mình|con|cháu|tui) (?:xem|xin|biết|hỏi)|hãy"
    r"|please|can you|could you|show me|tell me|give me|i need you|bạn (?:ơi|hãy|tìm|cho)|trợ lý"
    r"|hệ thống (?:hãy|cho|tìm))\b"
)
"""Words that turn to the assistant."""
_GAP = re.compile(r" ~(\d+) ")
_TERM = re.compile(r"<([a-z]+)>")


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


def spoken(text: str, *, report: bool = False) -> str:
    """What of a person's words is their wish, and what is only told: a citizen's report may quote an attack.

    A text that opens as a report (or `report`, where one was asked for) keeps only the sentences that ask the assistant
    for something; what stands between quotation marks in it is somebody else's. Any other text is a wish whole.
    """
    if not report and not _REPORT.match(tone_placed(visible(text).lower())):
        return text
    sentences = _SENTENCE_END.split(_QUOTED.sub(" ", visible(text)))
    return ". ".join(sentence for sentence in sentences if _ASKS.search(tone_placed(sentence.lower())))


def judge(texts: Iterable[str], is_place: Callable[[str], bool] = lambda _name: False) -> Refusal | None:
    """The first rule that a request breaks, or None. `is_place` tells a street's name from a person's.

    >>> judge(["dùng ảnh khuôn mặt này tìm xem anh ta ở cam nào"]).rule
    'person_by_face'
    >>> judge(["quảng trường đang đông cỡ nào"]) is None
    True
    """
    for text in texts:
        for form in forms(text):
            for rule in _rules():
                if _broken(rule, form, text, is_place):
                    return rule.refusal
    return None


def _broken(rule: _Rule, form: str, text: str, is_place: Callable[[str], bool]) -> bool:
    groups = (group for group in rule.when if all(_holds(part, form, text, is_place) for part in group))
    return next(groups, None) is not None and not any(pattern.search(form) for pattern in rule.unless)


def _holds(part: str | re.Pattern[str], form: str, text: str, is_place: Callable[[str], bool]) -> bool:
    if not isinstance(part, str):
        return part.search(form) is not None
    return any(part == "{name}" or titled for titled in _persons(visible(text), is_place))


def _persons(seen: str, is_place: Callable[[str], bool]) -> Iterator[bool]:
    """For each person's name in the text whether a title (`ông`, `Mr`) stands before it."""
    words = list(_WORD.finditer(seen))
    for number, word in enumerate(words):
        given = _given(words[number + 1 :], word, seen)
        titled = number > 0 and words[number - 1][0].lower() in TITLES
        if not given or not _surname(word[0], given, titled):
            continue
        if titled:
            yield True
            continue
        name = [word[0], *given]
        known = any(is_place(fold(" ".join(name[:size]))) for size in range(2, len(name) + 1))
        if not known and not _PLACE_BEFORE.search(fold(seen[: word.start()]) + " "):
            yield False


def _given(following: list[re.Match[str]], word: re.Match[str], seen: str) -> list[str]:
    """Up to three words right behind the family name, with nothing but a space between."""
    given: list[str] = []
    end = word.end()
    for match in following[:MAX_GIVEN]:
        if seen[end : match.start()] != " ":
            break
        given.append(match[0])
        end = match.end()
    return given


def _surname(word: str, given: list[str], titled: bool) -> bool:
    lower = unicodedata.normalize("NFC", word.lower())
    if lower in SURE_SURNAMES or lower in BARE_SURNAMES:
        return True
    if titled and word[0].isupper() and given[0][0].isupper():
        return True
    return lower in OTHER_SURNAMES and word[0].isupper() and given[0][0].isupper()


@cache
def _rules() -> tuple[_Rule, ...]:
    document = yaml.safe_load((resources.files("matpho_tools") / "refusals.yaml").read_text(encoding="utf-8"))
    try:
        terms = document["terms"]
        return tuple(_rule(name, entry, terms) for name, entry in document["rules"].items())
    except (KeyError, TypeError, AttributeError, re.error) as error:
        raise ConfigurationError(f"The refusal rules cannot be read: {error}.") from error


def _rule(name: str, entry: Mapping[str, Any], terms: Mapping[str, str]) -> _Rule:
    reason, instead = entry["reason"], entry["instead"]
    when = tuple(
        tuple(part if part in {"{name}", "{titled}"} else pattern(part, terms) for part in group)
        for group in entry["when"]
    )
    unless = tuple(pattern(part, terms) for part in entry.get("unless", ()))
    return _Rule(Refusal(name, reason["vi"], reason["en"], instead["vi"], instead["en"]), when, unless)


def pattern(written: str, terms: Mapping[str, str]) -> re.Pattern[str]:
    """A pattern of the rules file as a regular expression. Raises re.error, KeyError for an unknown term.

    >>> bool(pattern("theo dõi ~2 xe", {}).search("theo doi mấy chiếc xe"))
    True
    >>> bool(pattern("mặt", {}).search("mất"))
    False
    """
    whole = _TERM.sub(lambda found: f"(?:{terms[found[1]]})", written)
    gaps = _GAP.sub(lambda found: f" (?:[^ ]+ ){{0,{found[1]}}}", tone_placed(whole))
    marked = "".join(map(_fewer_marks, gaps))
    return re.compile(rf"(?<![\w'])(?:{marked})(?:'s)?(?![\w'])")


@cache
def _fewer_marks(letter: str) -> str:
    """A letter as the class of itself with fewer marks: `ặ` is met by `ạ`, `ă` and `a`, never by `ắ`."""
    if letter == "đ":
        return "[đd]"
    split = unicodedata.normalize("NFD", letter)
    base, marks = split[0], split[1:]
    if not marks:
        return letter
    subsets = (subset for size in range(len(marks) + 1) for subset in combinations(marks, size))
    return "[" + "".join(sorted({unicodedata.normalize("NFC", base + "".join(subset)) for subset in subsets})) + "]"
