"""The forms in which a text is judged: as a reader sees it, and with what signs, digits or an encoding hide undone."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterator

MAX_JUDGED_CHARS = 4000
MAX_DECODED = 4
"""Encoded pieces of one text that are opened."""
_VIETNAMESE_MARKS = frozenset("\u0300\u0301\u0302\u0303\u0306\u0309\u031b\u0323")
_LOOK_ALIKES = str.maketrans(
    "аеорсхуіјѕкмтвнԁɡһոαεοριτκνυʋıɑɩ",
    "aeopcxyijskmtbhdghnaeopitkvuviai",
)
"""Letters of other scripts that look like a Latin one."""
_DIGITS = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s"})
_SHORT = {
    "ng": "người", "ngta": "người ta", "ngừi": "người", "ngkhac": "người khác", "dc": "được", "đc": "được",
    "dk": "được", "ko": "không", "k": "không", "kh": "không", "hok": "không", "hong": "không", "hông": "không",
    "hk": "không", "hem": "không", "vs": "với", "j": "gì", "gj": "gì", "z": "vậy", "zậy": "vậy", "mn": "mọi người",
    "ny": "người yêu", "bn": "bao nhiêu", "tn": "tin nhắn", "mk": "mật khẩu", "pass": "mật khẩu", "pw": "password",
    "fb": "facebook", "ah": "anh", "iu": "yêu", "bik": "biết", "bt": "biết", "nhìu": "nhiều", "lun": "luôn",
    "wa": "qua", "wá": "quá", "qa": "qua", "hsơ": "hồ sơ", "hso": "hồ sơ", "hs": "hồ sơ", "bs": "biển số",
    "bsx": "biển số xe", "cx": "cũng", "r": "rồi", "rùi": "rồi", "ntn": "như thế nào", "cty": "công ty",
    "tdoi": "theo dõi", "theodoi": "theo dõi", "camara": "camera", "pa": "phản ánh",
    "vo": "vào", "vô": "vào", "ktra": "kiểm tra", "yc": "yêu cầu", "y/c": "yêu cầu",
    "nk": "nhật ký", "ds": "danh sách", "dsach": "danh sách", "vid": "video", "u": "you", "ur": "your", "pls": "please",
}  # fmt: skip
"""What is written short in messages. A word is read both ways."""
_WORD_END_TONE = re.compile(r"(o|u)([àáảãạèéẻẽẹỳýỷỹỵ])\b")
_TONES = "\u0300\u0301\u0303\u0309\u0323"
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_NOT_WORDS = re.compile(r"[^\w']+|_")
_SPELLED = re.compile(r"(?<=\b\w)[.\-_*·•|](?=\w\b)")
_LETTER_DIGIT = re.compile(r"(?<=[^\W\d_])[0-9@$]|[0-9@$](?=[^\W\d_])")


def visible(text: str) -> str:
    """What a reader sees: compatibility forms joined, invisible characters and foreign marks dropped, spaces single."""
    kept = (c for c in unicodedata.normalize("NFKC", text[:MAX_JUDGED_CHARS]) if unicodedata.category(c) != "Cf")
    split = unicodedata.normalize("NFD", "".join(kept))
    bare = "".join(c for c in split if not unicodedata.combining(c) or c in _VIETNAMESE_MARKS)
    return " ".join(unicodedata.normalize("NFC", bare).split())


def forms(text: str) -> Iterator[str]:
    """The forms to judge, each once: as seen; signs and digits inside words undone; short forms written out; decoded.

    Each is lower case, marks kept, words apart by single spaces.
    """
    seen = visible(text)
    lower = seen.lower().translate(_LOOK_ALIKES)
    joined = _SPELLED.sub("", "".join(c for c in lower if unicodedata.category(c) not in {"So", "Sk", "Co", "Cn"}))
    undigited = _LETTER_DIGIT.sub(lambda found: found[0].translate(_DIGITS), joined)
    plain = [words_of(form) for form in (lower, joined, undigited, _letters_apart(text))]
    written_out = " ".join(_SHORT.get(word, word) for word in plain[1].split(" "))
    decoded = [words_of(visible(piece).lower()) for piece in _decoded(seen)]
    yield from dict.fromkeys(form for form in (*plain, written_out, *decoded) if form)


def words_of(lower: str) -> str:
    """The words of a lower-case text with single spaces, the tone of `xoá` and `xóa` in the same place.

    >>> words_of("xoá nhật-ký, đi!")
    'xóa nhật ký đi'
    """
    return _NOT_WORDS.sub(" ", tone_placed(lower.replace("’", "'"))).strip()


def tone_placed(lower: str) -> str:
    """Tones on the first of two final vowels, as newer spelling does not: `hoà` and `hòa` become one."""
    return _WORD_END_TONE.sub(_moved, unicodedata.normalize("NFC", lower))


def _moved(found: re.Match[str]) -> str:
    split = unicodedata.normalize("NFD", found[2])
    tone = next((mark for mark in split if mark in _TONES), "")
    rest = "".join(mark for mark in split if mark not in _TONES)
    return unicodedata.normalize("NFC", found[1] + tone + rest)


def _letters_apart(text: str) -> str:
    """`t h e o  d õ i` with its letters together, where the words stand wider apart than the letters; else nothing."""
    parts = re.split(r"\s{2,}|[/|]", text[:MAX_JUDGED_CHARS])
    if sum(1 for part in parts if re.fullmatch(r"\s*\w(?:\s\w)+\s*", part)) < 2:
        return ""
    return " ".join(
        "".join(part.split()) if re.fullmatch(r"\s*\w(?:\s\w)+\s*", part) else part for part in parts
    ).lower()


def _decoded(seen: str) -> Iterator[str]:
    for found in list(_ENCODED.finditer(seen))[:MAX_DECODED]:
        piece = found[0].rstrip("=").translate(str.maketrans("-_", "+/"))
        try:
            text = base64.b64decode(piece + "=" * (-len(piece) % 4), validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError, ValueError):
            continue
        if text.isprintable() and " " in text:
            yield text
