"""Reading a person's words against the grant: its own words, other spellings of them, Vietnamese or English.

Pure functions. A word that means two things on the grant means none; nothing is widened.
"""

from __future__ import annotations

from collections.abc import Sequence

from matpho_contracts.text import words

SAME_FIELDS = (
    ("họ tên", "họ và tên", "tên", "full name", "name"),
    ("ngày sinh", "ngày tháng năm sinh", "năm sinh", "date of birth", "birth date"),
    ("địa chỉ", "nơi ở", "address", "residence"),
    ("chủ xe", "chủ phương tiện", "tên chủ xe", "vehicle owner", "owner", "owner name", "registered owner"),
    ("giới tính", "gender", "sex"),
    ("quê quán", "home town", "hometown"),
    ("quốc tịch", "nationality"),
    ("số điện thoại", "điện thoại", "phone", "phone number"),
    ("nơi thường trú", "địa chỉ thường trú", "permanent address"),
    ("nơi tạm trú", "địa chỉ tạm trú", "temporary address"),
)
SAME_PURPOSES = (
    ("điều tra hình sự", "điều tra vụ án hình sự", "criminal investigation"),
    ("xử phạt vi phạm hành chính", "xử phạt hành chính", "administrative penalty", "administrative sanction"),
    ("giải quyết tai nạn giao thông", "giải quyết tai nạn", "traffic accident", "traffic accident handling"),
    ("tìm người mất tích", "tìm kiếm người mất tích", "missing person", "finding a missing person"),
)
_LEADING = frozenset({"muc", "dich", "la", "de", "cho", "phuc", "vu", "viec", "nham", "purpose", "is", "for", "the"})


def match_purpose(purposes: Sequence[str], said: str) -> str | None:
    """The grant's purpose that was said, word for word as the grant has it; None when it is none of them."""
    return _match(purposes, said, SAME_PURPOSES)


def match_fields(fields: Sequence[str], said: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What was said as the grant's own fields, in the order said and each once; and what is not on the grant."""
    inside: list[str] = []
    outside: list[str] = []
    for word in said:
        found = _match(fields, word, SAME_FIELDS)
        if found is None:
            outside.append(word)
        elif found not in inside:
            inside.append(found)
    return tuple(inside), tuple(outside)


def _match(listed: Sequence[str], said: str, same: Sequence[Sequence[str]]) -> str | None:
    asked = _plain(said)
    exact = [item for item in listed if _plain(item) == asked]
    if exact:
        return exact[0]
    alike = {_plain(word) for group in same if asked in map(_plain, group) for word in group}
    meant = [item for item in listed if _plain(item) in alike]
    return meant[0] if len(meant) == 1 else None


def _plain(text: str) -> tuple[str, ...]:
    """Folded words without the little ones that lead in ("để", "phục vụ", "for")."""
    found = words(text)
    while len(found) > 1 and found[0] in _LEADING:
        found = found[1:]
    return tuple(found)
